//! Files that appear whole or not at all.

use crate::texture::private_file;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What becomes of a file that is already there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and writing is refused.
    #[default]
    Keep,
    /// It is replaced in one step.
    Replace,
}

/// Why a file could not be put in place.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// A file of this name is there, and was to be kept.
    #[error("{} is already there, and is replaced only with --force", .0.display())]
    Exists(PathBuf),
    /// A directory or a device.
    #[error("{} is not a regular file, so it can't be replaced by one", .0.display())]
    NotAFile(PathBuf),
    /// The system refused.
    #[error("{} can't be written: {why}", path.display())]
    Io {
        /// The file to be written.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
}

/// A file being written beside its final place. Dropped without [`commit`](Self::commit), it leaves nothing behind.
pub(crate) struct AtomicFile {
    /// The name given, for messages.
    name: PathBuf,
    /// The name given, links followed.
    target: PathBuf,
    temporary: PathBuf,
    existing: Existing,
    out: BufWriter<File>,
}

impl AtomicFile {
    /// Begins the file `path`.
    pub fn create(path: &Path, existing: Existing) -> Result<Self, CreateError> {
        Self::begin(path, existing, File::options())
    }

    /// Begins the file `path`, which nobody but its owner will be able to read.
    pub fn create_private(path: &Path, existing: Existing) -> Result<Self, CreateError> {
        let mut options = File::options();
        private_file(&mut options);
        Self::begin(path, existing, options)
    }

    fn begin(path: &Path, existing: Existing, options: OpenOptions) -> Result<Self, CreateError> {
        let error = |why| CreateError::Io { path: path.to_owned(), why };
        // Through a link, what it points to is replaced, not the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&target) {
            Ok(_) if existing == Existing::Keep => return Err(CreateError::Exists(path.to_owned())),
            Ok(found) if !found.is_file() => return Err(CreateError::NotAFile(path.to_owned())),
            _ => {}
        }
        let directory = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let (temporary, file) = create_beside(directory, options).map_err(error)?;
        Ok(AtomicFile { name: path.to_owned(), target, temporary, existing, out: BufWriter::new(file) })
    }

    /// Where to write.
    pub fn out(&mut self) -> &mut BufWriter<File> {
        &mut self.out
    }

    /// Puts the file in its place once it is safely on the disk, and returns its length in bytes.
    pub fn commit(mut self) -> Result<u64, CreateError> {
        let length = self.flush().map_err(|e| self.error(e))?;
        match self.existing {
            Existing::Replace => fs::rename(&self.temporary, &self.target).map_err(|e| self.error(e))?,
            // A link fails where the name is taken, even since `create` looked.
            Existing::Keep => match fs::hard_link(&self.temporary, &self.target) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(CreateError::Exists(self.name.clone()));
                }
                // Not every file system has links.
                Err(_) if fs::symlink_metadata(&self.target).is_ok() => {
                    return Err(CreateError::Exists(self.name.clone()));
                }
                Err(_) => fs::rename(&self.temporary, &self.target).map_err(|e| self.error(e))?,
            },
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<u64> {
        io::Write::flush(&mut self.out)?;
        let file = self.out.get_ref();
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }

    fn error(&self, why: io::Error) -> CreateError {
        CreateError::Io { path: self.name.clone(), why }
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        // After a rename there is nothing left under this name.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// A new file with a name that nobody else uses.
fn create_beside(directory: &Path, mut options: OpenOptions) -> io::Result<(PathBuf, File)> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".vglb-{}-{number}.tmp", std::process::id()));
        match options.write(true).create_new(true).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
            Ok(file) => return Ok((path, file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn put(path: &Path, text: &str, existing: Existing) -> Result<u64, CreateError> {
        let mut file = AtomicFile::create(path, existing)?;
        file.out().write_all(text.as_bytes()).unwrap();
        file.commit()
    }

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.cube");
        let mut file = AtomicFile::create(&path, Existing::Keep).unwrap();
        file.out().write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(names(dir.path()), [""; 0], "an unfinished file leaves nothing");
        assert_eq!(put(&path, "whole", Existing::Keep).unwrap(), 5);
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(names(dir.path()), ["a.cube"]);
    }

    #[test]
    fn a_file_that_is_there_is_kept_or_replaced_as_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.cube");
        fs::write(&path, "old").unwrap();
        let said = put(&path, "new", Existing::Keep).unwrap_err().to_string();
        assert_eq!(said, format!("{} is already there, and is replaced only with --force", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        put(&path, "new", Existing::Replace).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(dir.path()), ["a.cube"]);
    }

    #[test]
    fn a_file_that_turned_up_meanwhile_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.cube");
        let file = AtomicFile::create(&path, Existing::Keep).unwrap();
        fs::write(&path, "theirs").unwrap();
        assert!(matches!(file.commit(), Err(CreateError::Exists(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        assert_eq!(names(dir.path()), ["a.cube"]);
    }

    #[test]
    fn places_where_no_file_can_be_are_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(put(dir.path(), "x", Existing::Replace), Err(CreateError::NotAFile(_))));
        let path = dir.path().join("no/such/a.cube");
        let said = put(&path, "x", Existing::Replace).unwrap_err().to_string();
        assert!(said.starts_with(&format!("{} can't be written: ", path.display())), "{said}");
    }

    #[test]
    fn a_reader_never_sees_part_of_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.cube");
        let texts = ["a".repeat(100_000), "b".repeat(50_000)];
        put(&path, &texts[0], Existing::Keep).unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for i in 0..50 {
                    put(&path, &texts[i % 2], Existing::Replace).unwrap();
                }
            });
            while !writer.is_finished() {
                let seen = fs::read_to_string(&path).unwrap();
                assert!(texts.contains(&seen), "a file of {} bytes was seen", seen.len());
            }
        });
    }
}
