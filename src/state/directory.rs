//! The directory that remembered LUTs are in: one numbered file a channel, and a lock, so that one server uses it.

use super::record::{self, Header, RecordError};
use crate::atomic_file::{AtomicFile, CreateError, Existing};
use crate::hald::Texel;
use crate::sink::ChannelId;
use crate::texture::{TextureError, private_directory, private_file};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use tracing::warn;

/// The environment variable that names the directory, before the platform's usual place.
pub const ENVIRONMENT: &str = "VGLB_STATE_DIR";
const LOCK: &str = "lock";
/// A directory with more files is not ours; no more of them are looked at.
const MOST_FILES: usize = 4096;

/// Why a directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// There is no home directory to put it in.
    #[error("there is no home directory to remember LUTs in; name a directory with --state-dir")]
    NoPlace,
    /// Another server has it.
    #[error("{} is in use by another server; give each a directory of its own with --state-dir", .0.display())]
    InUse(PathBuf),
    /// The system refused.
    #[error("{} can't be used: {why}", path.display())]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
}

/// Where LUTs are remembered unless told otherwise: `$VGLB_STATE_DIR`; else on Linux
/// `$XDG_STATE_HOME/virtual-gpu-lut-box` (`~/.local/state/…`), on macOS
/// `~/Library/Application Support/virtual-gpu-lut-box`, on Windows `%LOCALAPPDATA%\virtual-gpu-lut-box\state`.
pub fn default_path() -> Result<PathBuf, StateError> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    if let Some(path) = variable(ENVIRONMENT).filter(|p| !p.as_os_str().is_empty()) {
        return Ok(path);
    }
    let home = || std::env::home_dir().filter(|h| h.is_absolute());
    let place = if cfg!(windows) {
        variable("LOCALAPPDATA").filter(|p| p.is_absolute()).map(|p| p.join("virtual-gpu-lut-box").join("state"))
    } else if cfg!(target_os = "macos") {
        home().map(|h| h.join("Library/Application Support/virtual-gpu-lut-box"))
    } else {
        let state = variable("XDG_STATE_HOME").filter(|p| p.is_absolute());
        state.or_else(|| home().map(|h| h.join(".local/state"))).map(|s| s.join("virtual-gpu-lut-box"))
    };
    place.ok_or(StateError::NoPlace)
}

/// A file that may hold a LUT.
#[derive(Debug)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// What it says, or why it is none.
    pub header: Result<Header, RecordError>,
    number: u32,
}

impl Found {
    /// The whole record.
    pub fn read(&self) -> Result<(Header, Vec<Texel>), RecordError> {
        record::read(&mut BufReader::new(File::open(&self.path)?), self.bytes)
    }
}

/// The numbered files of a directory, newest LUT first. One that is not there has none.
pub fn scan(path: &Path) -> Result<Vec<Found>, StateError> {
    let error = |why| StateError::Io { path: path.to_owned(), why };
    let files = match fs::read_dir(path) {
        Ok(files) => files,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(error(e)),
    };
    let mut found = Vec::new();
    for file in files.take(MOST_FILES) {
        let file = file.map_err(error)?;
        let Some(number) = number_of(&file.file_name()) else { continue };
        let path = file.path();
        // No link is followed, and nothing is opened that may never answer, as a pipe.
        let facts = fs::symlink_metadata(&path);
        let bytes = facts.as_ref().map_or(0, fs::Metadata::len);
        let header = match facts {
            Ok(facts) if !facts.is_file() => Err(RecordError::Foreign),
            Ok(_) => File::open(&path)
                .map_err(RecordError::from)
                .and_then(|file| Header::read(&mut BufReader::new(file), bytes)),
            Err(e) => Err(e.into()),
        };
        found.push(Found { path, bytes, header, number });
    }
    found.sort_by_key(|f| (std::cmp::Reverse(f.header.as_ref().ok().map(|h| h.saved)), f.number));
    Ok(found)
}

fn file_name(number: u32) -> String {
    format!("lut-{number:04}.vglb")
}

fn number_of(name: &OsStr) -> Option<u32> {
    let number = name.to_str()?.strip_prefix("lut-")?.strip_suffix(".vglb")?.parse().ok()?;
    (name.to_str()? == file_name(number)).then_some(number)
}

/// A directory in use by this program alone, as far as it can be locked.
pub struct Directory {
    path: PathBuf,
    _lock: Option<File>,
    /// The file of each channel, and its length.
    files: BTreeMap<ChannelId, (u32, u64)>,
    /// Numbers of files that are left alone.
    taken: BTreeSet<u32>,
    limit_bytes: u64,
}

/// Why a LUT could not be remembered.
#[derive(Debug, thiserror::Error)]
pub(super) enum SaveError {
    #[error(
        "{} holds {held} bytes, and may hold {limit} (--state-limit); `vglb state clear` makes room", path.display()
    )]
    Full { path: PathBuf, held: u64, limit: u64 },
    #[error("{0}")]
    Create(#[from] CreateError),
    #[error("its texture can't be read: {0}")]
    Texture(#[from] TextureError),
    #[error("{} can't be written: {why}", path.display())]
    Io { path: PathBuf, why: io::Error },
}

impl Directory {
    /// Takes a directory into use; it is made where it is not there, for its user alone. A directory that can't be
    /// written is used as far as it goes: `Ok` with a warning on the log.
    pub fn open(path: &Path, limit_bytes: u64) -> Result<Self, StateError> {
        let error = |path: &Path, why| StateError::Io { path: path.to_owned(), why };
        if !path.is_dir() {
            private_directory(path).map_err(|e| error(path, e))?;
        }
        let lock_path = path.join(LOCK);
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        private_file(&mut options);
        let lock = match options.open(&lock_path) {
            Ok(file) => match file.try_lock() {
                Ok(()) => Some(file),
                Err(TryLockError::WouldBlock) => return Err(StateError::InUse(path.to_owned())),
                // Not every file system has locks.
                Err(TryLockError::Error(_)) => None,
            },
            Err(e) => {
                warn!(
                    "{} can't be written ({e}): LUTs in it are restored, and new ones are not remembered",
                    path.display()
                );
                None
            }
        };
        let directory = Directory {
            path: path.to_owned(),
            _lock: lock,
            files: BTreeMap::new(),
            taken: BTreeSet::new(),
            limit_bytes,
        };
        directory.remove_unfinished();
        Ok(directory)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what a program that was killed had begun to write.
    fn remove_unfinished(&self) {
        let Ok(files) = fs::read_dir(&self.path) else { return };
        for file in files.take(MOST_FILES).flatten() {
            let name = file.file_name();
            if name.to_str().is_some_and(|n| n.starts_with(".vglb-") && n.ends_with(".tmp")) {
                let _ = fs::remove_file(file.path());
            }
        }
    }

    /// Reads every LUT, newest first, and hands it to `take`. What is none is said on the log and set aside; the rest
    /// goes on. Returns how many were taken.
    pub(super) fn restore(
        &mut self,
        mut take: impl FnMut(&Header, &[Texel]) -> Result<(), String>,
    ) -> Result<usize, StateError> {
        let mut restored = 0;
        for found in scan(&self.path)? {
            let name = found.path.display();
            match found.read() {
                Ok((header, _)) if self.files.contains_key(&header.channel) => {
                    warn!("{name} is not restored: a newer file has the LUT of {}", header.channel);
                    self.taken.insert(found.number);
                }
                Ok((header, entries)) => {
                    // Even where it can't be put on its stream now, it is that channel's file.
                    self.files.insert(header.channel.clone(), (found.number, found.bytes));
                    match take(&header, &entries) {
                        Ok(()) => restored += 1,
                        Err(why) => warn!("the last LUT of {} can't be restored from {name}: {why}", header.channel),
                    }
                }
                Err(why @ (RecordError::Newer(_) | RecordError::Io(_) | RecordError::OutOfMemory(_))) => {
                    warn!("{name} is not restored, and left as it is: {why}");
                    self.taken.insert(found.number);
                }
                Err(why) => {
                    let aside = found.path.with_extension("vglb.bad");
                    match fs::rename(&found.path, &aside) {
                        Ok(()) => warn!("{name} is not restored: {why}; it is now {}", aside.display()),
                        Err(_) => warn!("{name} is not restored: {why}"),
                    }
                    self.taken.insert(found.number);
                }
            }
        }
        Ok(restored)
    }

    /// Puts a channel's LUT in the place of its last one.
    pub(super) fn save(&mut self, header: &Header, entries: impl Iterator<Item = Texel>) -> Result<(), SaveError> {
        let bytes = header.record_bytes();
        let others: u64 = self.files.iter().filter(|(id, _)| **id != header.channel).map(|(_, (_, b))| b).sum();
        if others + bytes > self.limit_bytes {
            return Err(SaveError::Full { path: self.path.clone(), held: others, limit: self.limit_bytes });
        }
        let number = self.files.get(&header.channel).map_or_else(|| self.free_number(), |(number, _)| *number);
        let path = self.path.join(file_name(number));
        // It may have been removed, with the LUTs in it.
        if !self.path.is_dir() {
            private_directory(&self.path).map_err(|why| SaveError::Io { path: self.path.clone(), why })?;
        }
        let mut file = AtomicFile::create_private(&path, Existing::Replace)?;
        header.write(entries, file.out()).map_err(|why| SaveError::Io { path: path.clone(), why })?;
        file.commit()?;
        // The new name, too, is to outlive a power cut. Systems that can't be asked for it do so by themselves.
        let _ = File::open(&self.path).and_then(|directory| directory.sync_all());
        self.files.insert(header.channel.clone(), (number, bytes));
        Ok(())
    }

    fn free_number(&self) -> u32 {
        let used: BTreeSet<u32> = self.files.values().map(|(n, _)| *n).chain(self.taken.iter().copied()).collect();
        (0..).find(|n| !used.contains(n) && fs::symlink_metadata(self.path.join(file_name(*n))).is_err()).unwrap_or(0)
    }

    /// Removes the LUTs of the channels that `chosen` says, and with `damaged` what is set aside. Returns how many files.
    pub fn clear(&self, chosen: impl Fn(&Found) -> bool, damaged: bool) -> Result<usize, StateError> {
        let remove = |path: &Path| {
            fs::remove_file(path).map_err(|why| StateError::Io { path: path.to_owned(), why }).map(|()| 1)
        };
        let mut removed = 0;
        for found in scan(&self.path)?.iter().filter(|f| chosen(f)) {
            removed += remove(&found.path)?;
        }
        let files = fs::read_dir(&self.path).map_err(|why| StateError::Io { path: self.path.clone(), why })?;
        for path in files.take(MOST_FILES).flatten().map(|f| f.path()).filter(|_| damaged) {
            if path.extension() == Some(OsStr::new("bad")) && path.file_stem().and_then(number_of).is_some() {
                removed += remove(&path)?;
            }
        }
        Ok(removed)
    }
}
