//! Whether stderr is read by systemd's journal.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

/// Whether stderr goes to systemd's journal: the service manager names the stream that it has connected in
/// `JOURNAL_STREAM`, as device and inode, and a program started further down may write elsewhere (systemd.exec(5)).
pub fn stderr_is_journal() -> bool {
    std::env::var("JOURNAL_STREAM").is_ok_and(|named| is_the_one_named(&named, std::io::stderr().as_fd()))
}

fn is_the_one_named(named: &str, stream: impl AsFd) -> bool {
    let identity = || -> std::io::Result<String> {
        let stat = File::from(stream.as_fd().try_clone_to_owned()?).metadata()?;
        Ok(format!("{}:{}", stat.dev(), stat.ino()))
    };
    identity().is_ok_and(|identity| identity == named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_known_by_device_and_inode() {
        let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
        let stat = File::from(one.as_fd().try_clone_to_owned().unwrap()).metadata().unwrap();
        let named = format!("{}:{}", stat.dev(), stat.ino());
        assert!(is_the_one_named(&named, &one));
        assert!(!is_the_one_named(&named, &other));
        assert!(!is_the_one_named("", &one) && !is_the_one_named("8:x", &one));
    }
}
