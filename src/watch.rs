//! Follows the LUT in a file while others write it.
//!
//! The file is looked at four times a second. That works on every file system, network shares among them, and with
//! programs that replace a file instead of writing into it. A file is read once it has looked the same twice, so that
//! one that is being written is left alone, and its content decides whether it has changed.

use crate::lut::file::{self, FileError, LutFile, ReadOptions};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often a file is looked at.
pub const LOOK_GAP: Duration = Duration::from_millis(250);

/// A file whose time is younger than this may be written again without its time changing.
const COARSE_CLOCK: Duration = Duration::from_secs(3);

/// A file that is followed.
pub struct Watch {
    path: PathBuf,
    options: ReadOptions,
    /// How it looked last time.
    looks: Option<Looks>,
    /// It was read as it looks, and can't have changed since.
    settled: bool,
    /// Length and CRC-32 of the content that was reported last.
    reported: Option<(u64, u32)>,
    gone_reported: bool,
    first: bool,
}

#[derive(Clone, Copy, PartialEq)]
struct Looks {
    length: u64,
    modified: Option<SystemTime>,
}

/// What is new of a file.
#[derive(Debug)]
pub enum News {
    /// It holds another LUT.
    Lut(LutFile),
    /// It holds something else; said once for each content.
    Wrong(FileError),
    /// It can't be found or read; said once.
    Gone(io::Error),
}

impl Watch {
    /// Follows `path`, its present content included.
    pub fn new(path: &Path, options: ReadOptions) -> Self {
        Watch {
            path: path.to_owned(),
            options,
            looks: None,
            settled: false,
            reported: None,
            gone_reported: false,
            first: true,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is new since the last call. To be called every [`LOOK_GAP`].
    pub fn news(&mut self) -> Option<News> {
        let first = std::mem::take(&mut self.first);
        match self.look(first) {
            Ok(news) => {
                self.gone_reported = false;
                news
            }
            // A program that replaces a file may take its name away for a moment.
            Err(_) if self.looks.take().is_some() => None,
            Err(e) => (!std::mem::replace(&mut self.gone_reported, true)).then_some(News::Gone(e)),
        }
    }

    fn look(&mut self, first: bool) -> io::Result<Option<News>> {
        let found = fs::metadata(&self.path)?;
        let looks = Looks { length: found.len(), modified: found.modified().ok() };
        if self.looks.replace(looks) != Some(looks) {
            self.settled = false;
            if !first {
                return Ok(None);
            }
        }
        if self.settled {
            return Ok(None);
        }
        let age = looks.modified.and_then(|t| t.elapsed().ok());
        let content = (looks.length, checksum(&self.path)?);
        self.settled = age.is_none_or(|age| age > COARSE_CLOCK);
        if self.reported == Some(content) {
            return Ok(None);
        }
        self.reported = Some(content);
        Ok(Some(match file::read(&self.path, &self.options) {
            Ok(lut) => News::Lut(lut),
            Err(e) => News::Wrong(e),
        }))
    }
}

fn checksum(path: &Path) -> io::Result<u32> {
    let mut file = File::open(path)?;
    let mut sum = crc32fast::Hasher::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(sum.finalize()),
            n => sum.update(&piece[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lut::file::{Existing, WriteOptions, write};
    use crate::lut::{GridSize, Lut3d};

    fn value(v: f32) -> Lut3d {
        Lut3d::from_fn(GridSize::new(2).unwrap(), |_| [v; 3])
    }

    fn put(path: &Path, lut: &Lut3d) {
        write(path, lut, &WriteOptions { existing: Existing::Replace, ..WriteOptions::default() }).unwrap();
    }

    /// What a few looks bring.
    fn looks(watch: &mut Watch) -> Vec<News> {
        (0..4).filter_map(|_| watch.news()).collect()
    }

    fn lut(news: Vec<News>) -> Lut3d {
        match <[News; 1]>::try_from(news).unwrap() {
            [News::Lut(file)] => file.lut,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_change_is_told_once_and_the_first_content_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.cube");
        put(&path, &value(0.25));
        let mut watch = Watch::new(&path, ReadOptions::default());
        assert!(matches!(watch.news(), Some(News::Lut(file)) if file.lut == value(0.25)));
        assert!(looks(&mut watch).is_empty());
        // Replaced, and of the same length.
        put(&path, &value(0.75));
        assert_eq!(lut(looks(&mut watch)), value(0.75));
        // Written into, with what it held already.
        fs::write(&path, fs::read(&path).unwrap()).unwrap();
        assert!(looks(&mut watch).is_empty());
    }

    #[test]
    fn a_file_that_grows_is_left_alone_until_it_rests() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole) = (folder.path().join("a.cube"), folder.path().join("whole.cube"));
        put(&path, &value(0.25));
        put(&whole, &value(0.5));
        let text = fs::read(&whole).unwrap();
        let mut watch = Watch::new(&path, ReadOptions::default());
        assert!(watch.news().is_some());
        for length in 1..=text.len() {
            fs::write(&path, &text[..length]).unwrap();
            assert!(watch.news().is_none(), "{length} bytes");
        }
        assert_eq!(lut(looks(&mut watch)), value(0.5));
    }

    #[test]
    fn what_is_wrong_is_told_once_and_a_file_may_go_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.cube");
        let mut watch = Watch::new(&path, ReadOptions::default());
        assert!(matches!(looks(&mut watch)[..], [News::Gone(_)]));
        fs::write(&path, "LUT_3D_SIZE 2\nnonsense\n").unwrap();
        assert!(matches!(looks(&mut watch)[..], [News::Wrong(_)]));
        assert!(looks(&mut watch).is_empty());
        put(&path, &value(0.5));
        assert_eq!(lut(looks(&mut watch)), value(0.5));
        fs::remove_file(&path).unwrap();
        assert!(matches!(looks(&mut watch)[..], [News::Gone(_)]));
        put(&path, &value(0.5));
        assert!(looks(&mut watch).is_empty(), "the same LUT as before");
        put(&path, &value(1.5));
        assert_eq!(lut(looks(&mut watch)), value(1.5));
    }
}
