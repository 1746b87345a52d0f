//! A descriptor of memory in a driver's hands.
//!
//! By Vulkan's rules a driver that imports a descriptor takes it over, and one that refuses leaves it to its caller. Mesa's
//! drivers in software close it then, too. Closing it once more might close what another thread has opened meanwhile.

use std::fs::{self, Metadata};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;

/// A duplicate for the driver, beside the original. Unless it is [`taken`](Self::taken), the driver has refused it.
pub(super) struct Handed {
    duplicate: RawFd,
    original: OwnedFd,
    taken: bool,
}

impl Handed {
    pub(super) fn new(original: OwnedFd) -> io::Result<Self> {
        Ok(Handed { duplicate: original.try_clone()?.into_raw_fd(), original, taken: false })
    }

    /// What the driver is given.
    pub(super) fn descriptor(&self) -> RawFd {
        self.duplicate
    }

    /// The driver has imported it, and closes it.
    pub(super) fn taken(mut self) {
        self.taken = true;
    }

    /// Whether the duplicate is still there. Only of files can it be gone: what other drivers hand out are devices.
    fn is_left(&self) -> bool {
        let file = |descriptor: RawFd| fs::metadata(format!("/proc/self/fd/{descriptor}"));
        let id = |file: &Metadata| (file.dev(), file.ino());
        match (file(self.original.as_raw_fd()), file(self.duplicate)) {
            (Ok(original), Ok(left)) => !original.is_file() || id(&original) == id(&left),
            (Ok(original), Err(_)) => !original.is_file(),
            (Err(_), _) => false,
        }
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        if !self.taken && self.is_left() {
            // SAFETY: it was made by `new`, which gave it to nobody else; the driver has refused it and has not closed it.
            drop(unsafe { OwnedFd::from_raw_fd(self.duplicate) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::MemfdFlags;

    fn memory() -> OwnedFd {
        rustix::fs::memfd_create("a test's", MemfdFlags::CLOEXEC).unwrap()
    }

    fn is_open(descriptor: RawFd) -> bool {
        fs::symlink_metadata(format!("/proc/self/fd/{descriptor}")).is_ok()
    }

    #[test]
    fn a_refused_descriptor_is_closed_and_a_taken_one_is_the_drivers() {
        // Numbers of a test of its own: other threads open and close theirs.
        let high = |fd: OwnedFd| rustix::io::fcntl_dupfd_cloexec(&fd, 700).unwrap();
        let handed = Handed { duplicate: high(memory()).into_raw_fd(), original: memory(), taken: false };
        let descriptor = handed.descriptor();
        handed.taken();
        assert!(is_open(descriptor));
        // SAFETY: nobody else has it; the test is the driver.
        let left = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let handed = Handed { duplicate: high(left.try_clone().unwrap()).into_raw_fd(), original: left, taken: false };
        let descriptor = handed.descriptor();
        drop(handed);
        assert!(!is_open(descriptor));
    }

    #[test]
    fn a_descriptor_that_the_driver_has_closed_is_not_closed_again() {
        let original = memory();
        let duplicate = rustix::io::fcntl_dupfd_cloexec(&original, 900).unwrap().into_raw_fd();
        let handed = Handed { duplicate, original, taken: false };
        // SAFETY: the test is the driver, which closes it although it has refused it.
        drop(unsafe { OwnedFd::from_raw_fd(duplicate) });
        // Another thread opens a file, and gets the number.
        let others = rustix::io::fcntl_dupfd_cloexec(memory(), duplicate).unwrap();
        assert_eq!(others.as_raw_fd(), duplicate);
        drop(handed);
        assert!(is_open(duplicate));
    }
}
