//! Reads recordings.

use super::format::{BODY_HEAD_BYTES, Entry, HEADER_BYTES, LONGEST_BODY, MAGIC, VERSION};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Why a recording can't be read, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It can't be opened or read.
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
    /// Something else.
    #[error("it is no recording: one begins with VGLBREC")]
    Foreign,
    /// Of a later program.
    #[error("it has format version {0}, and this program knows versions up to {VERSION}")]
    Newer(u32),
    /// It ends early: the program or the computer went down while it was written.
    #[error("it was cut off at byte {at}, in the middle of a record; everything before is whole")]
    CutOff {
        /// Where the record begins that is not whole.
        at: u64,
    },
    /// A record is damaged.
    #[error("the record at byte {at} is damaged; what comes after it is not read")]
    Damaged {
        /// Where it begins.
        at: u64,
    },
}

/// A recording that is being read, one entry after another. Memory is taken for what the file holds, not for what it
/// claims.
pub struct Recording<R> {
    source: R,
    /// When it was begun.
    pub begun: SystemTime,
    at: u64,
    ended: bool,
}

impl Recording<BufReader<File>> {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Recording::new(BufReader::new(File::open(path)?))
    }
}

impl<R: Read> Recording<R> {
    /// Reads the file's beginning.
    pub fn new(mut source: R) -> Result<Self, ReadError> {
        let mut header = [0; HEADER_BYTES];
        source.read_exact(&mut header).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => ReadError::Foreign,
            _ => e.into(),
        })?;
        let (magic, rest) = header.split_at(MAGIC.len());
        let (version, begun) = rest.split_at(4);
        if magic != MAGIC {
            return Err(ReadError::Foreign);
        }
        let version = version.try_into().map(u32::from_le_bytes).unwrap_or_default();
        if version == 0 || version > VERSION {
            return Err(ReadError::Newer(version));
        }
        let millis = begun.try_into().map(u64::from_le_bytes).unwrap_or_default();
        let begun = UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH);
        Ok(Recording { source, begun, at: HEADER_BYTES as u64, ended: false })
    }

    fn read(&mut self) -> Result<Option<Entry>, ReadError> {
        let at = self.at;
        let mut body = Vec::new();
        let length = match self.some(4, &mut body)? {
            0 => return Ok(None),
            4 => body.first_chunk().map_or(0, |b| u32::from_le_bytes(*b)) as usize,
            _ => return Err(ReadError::CutOff { at }),
        };
        if !(BODY_HEAD_BYTES..=LONGEST_BODY).contains(&length) {
            return Err(ReadError::Damaged { at });
        }
        body.clear();
        if self.some(length + 4, &mut body)? < length + 4 {
            return Err(ReadError::CutOff { at });
        }
        let (body, sum) = body.split_at(length);
        if crc32fast::hash(body).to_le_bytes() != sum {
            return Err(ReadError::Damaged { at });
        }
        Entry::decode(body).map(Some).ok_or(ReadError::Damaged { at })
    }

    /// Reads `count` bytes, or as many as there are.
    fn some(&mut self, count: usize, into: &mut Vec<u8>) -> io::Result<usize> {
        let read = (&mut self.source).take(count as u64).read_to_end(into)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl<R: Read> Iterator for Recording<R> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let entry = self.read().transpose();
        self.ended = !matches!(entry, Some(Ok(_)));
        entry
    }
}
