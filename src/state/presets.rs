//! LUTs under names of the user's, and what each channel shows when the server starts.
//!
//! A preset is a record as those of remembered LUTs, with the preset's name where the channel's would be, in a numbered
//! file: a name never becomes a part of a path. What channels start with is one small file of JSON. Both appear whole or
//! not at all.

use super::directory::StateError;
use super::record::{self, Header, Listing, RecordError};
use crate::atomic_file::{AtomicFile, CreateError, Existing};
use crate::channel::{ChannelSet, LutSource};
use crate::hald::{self, EntryOrder, Texel};
use crate::lut::{GridSize, Lut3d};
use crate::sink::{ChannelId, Refusal};
use crate::texture::private_directory;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tracing::{info, warn};

/// The most presets.
pub const MOST_PRESETS: usize = 256;
/// The most bytes of a preset's name.
pub const LONGEST_NAME: usize = 200;
const STARTS: &str = "start.json";

/// What is known of a preset.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// Its grid size.
    pub size: GridSize,
    /// When it was stored.
    pub saved: SystemTime,
}

/// What a channel shows when the server starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// The last LUT that it had.
    #[default]
    Last,
    /// The identity.
    Identity,
    /// A preset.
    Preset(String),
}

/// Why a preset could not be stored, changed or recalled.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// There is none.
    #[error("there is no preset {0:?}")]
    NoSuch(String),
    /// There is one already.
    #[error("there is a preset {0:?} already")]
    Exists(String),
    /// It can't be called that.
    #[error("a preset's name has 1 to {LONGEST_NAME} bytes and no control characters")]
    Name,
    /// There are too many.
    #[error("there are {MOST_PRESETS} presets, the most that there can be; delete one first")]
    TooMany,
    /// They would take too much of the disk.
    #[error("presets hold {held} bytes, and may hold {limit} (--state-limit); delete one first")]
    Full {
        /// Bytes that are held.
        held: u64,
        /// Bytes that may be.
        limit: u64,
    },
    /// Its file is damaged.
    #[error("the preset {name:?} can't be read: {why}")]
    Read {
        /// The preset.
        name: String,
        /// What is wrong.
        why: RecordError,
    },
    /// The disk refused.
    #[error("{} can't be written: {why}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// The disk refused.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The channel does not take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The presets of a server.
pub struct Presets {
    path: PathBuf,
    limit_bytes: u64,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// With the number and the bytes of each one's file.
    presets: BTreeMap<String, (Preset, u32, u64)>,
    starts: BTreeMap<String, Start>,
}

fn file_name(number: u32) -> String {
    format!("preset-{number:04}.vglb")
}

fn number_of(name: &str) -> Option<u32> {
    let number = name.strip_prefix("preset-")?.strip_suffix(".vglb")?.parse().ok()?;
    (file_name(number) == name).then_some(number)
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && !name.chars().any(char::is_control)
}

impl Presets {
    /// The presets in a directory, which need not be there yet. What is none is said on the log, and left.
    pub fn open(path: &Path, limit_bytes: u64) -> Result<Presets, StateError> {
        let error = |why| StateError::Io { path: path.to_owned(), why };
        let mut held = Held::default();
        let files = match fs::read_dir(path) {
            Ok(files) => files.take(4 * MOST_PRESETS).collect::<io::Result<Vec<_>>>().map_err(error)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(error(e)),
        };
        for file in files {
            let Some(number) = file.file_name().to_str().and_then(number_of) else { continue };
            let read = || -> Result<(Header, u64), RecordError> {
                let facts = fs::symlink_metadata(file.path())?;
                if !facts.is_file() {
                    return Err(RecordError::Foreign);
                }
                let header = Header::read(&mut BufReader::new(File::open(file.path())?), facts.len())?;
                Ok((header, facts.len()))
            };
            match read() {
                Ok((header, bytes)) => {
                    let name = header.channel.name().unwrap_or("").to_owned();
                    let preset = Preset { name: name.clone(), size: header.size, saved: header.saved };
                    if is_name(&name) && held.presets.insert(name.clone(), (preset, number, bytes)).is_some() {
                        warn!("{}: there are two presets {name:?}", file.path().display());
                    }
                }
                Err(why) => warn!("{} is no preset: {why}", file.path().display()),
            }
        }
        let starts = path.join(STARTS);
        match fs::read(&starts) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(read) => held.starts = read,
                Err(why) => warn!("{} is not used: {why}", starts.display()),
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(why) => warn!("{} is not used: {why}", starts.display()),
        }
        Ok(Presets { path: path.to_owned(), limit_bytes, held: Mutex::new(held) })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, by name.
    pub fn list(&self) -> Vec<Preset> {
        self.held().presets.values().map(|(preset, ..)| preset.clone()).collect()
    }

    /// Stores a LUT, in the place of the one that has the name.
    pub fn store(&self, name: &str, lut: &Lut3d) -> Result<Preset, PresetError> {
        if !is_name(name) {
            return Err(PresetError::Name);
        }
        let mut held = self.held();
        let former = held.presets.get(name).map(|(_, number, _)| *number);
        if former.is_none() && held.presets.len() >= MOST_PRESETS {
            return Err(PresetError::TooMany);
        }
        let number = former.unwrap_or_else(|| self.free_number(&held));
        let preset = Preset { name: name.to_owned(), size: lut.size(), saved: SystemTime::now() };
        let entries: Vec<Texel> = lut.entries().iter().map(|entry| hald::texel(*entry)).collect();
        let bytes = self.write(&held, &preset, number, &entries)?;
        held.presets.insert(name.to_owned(), (preset.clone(), number, bytes));
        Ok(preset)
    }

    fn free_number(&self, held: &Held) -> u32 {
        let used = |n: &u32| held.presets.values().any(|(_, number, _)| number == n);
        (0..).find(|n| !used(n) && fs::symlink_metadata(self.path.join(file_name(*n))).is_err()).unwrap_or(0)
    }

    fn write(&self, held: &Held, preset: &Preset, number: u32, entries: &[Texel]) -> Result<u64, PresetError> {
        let header = Header {
            channel: ChannelId::new(&preset.name),
            saved: preset.saved,
            size: preset.size,
            listing: Listing::BlueFastest,
            cdl: None,
        };
        let others =
            held.presets.values().filter(|(_, other, _)| *other != number).map(|(.., bytes)| bytes).sum::<u64>();
        if others + header.record_bytes() > self.limit_bytes {
            return Err(PresetError::Full { held: others, limit: self.limit_bytes });
        }
        self.put_file(&file_name(number), |mut out| header.write(entries.iter().copied(), &mut out))?;
        Ok(header.record_bytes())
    }

    /// Writes a file of the directory, which is made where it is not there.
    fn put_file(&self, name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), PresetError> {
        let path = self.path.join(name);
        let error = |why| PresetError::Write { path: path.clone(), why };
        if !self.path.is_dir() {
            private_directory(&self.path).map_err(error)?;
        }
        let mut file = AtomicFile::create_private(&path, Existing::Replace)?;
        write(file.out()).map_err(error)?;
        file.commit()?;
        Ok(())
    }

    /// A preset's LUT, checked.
    pub fn read(&self, name: &str) -> Result<Lut3d, PresetError> {
        let (_, number, bytes) =
            self.held().presets.get(name).cloned().ok_or_else(|| PresetError::NoSuch(name.into()))?;
        let read = || -> Result<(Header, Vec<Texel>), RecordError> {
            record::read(&mut BufReader::new(File::open(self.path.join(file_name(number)))?), bytes)
        };
        let (header, entries) = read().map_err(|why| PresetError::Read { name: name.into(), why })?;
        Ok(Lut3d::from_entries(header.size, entries.iter().map(hald::rgb).collect()))
    }

    /// Gives a preset another name. Channels that start with it go on doing so.
    pub fn rename(&self, name: &str, new: &str) -> Result<Preset, PresetError> {
        if !is_name(new) {
            return Err(PresetError::Name);
        }
        let lut = self.read(name)?;
        let mut held = self.held();
        if name != new && held.presets.contains_key(new) {
            return Err(PresetError::Exists(new.into()));
        }
        let (former, number, _) = held.presets.get(name).cloned().ok_or_else(|| PresetError::NoSuch(name.into()))?;
        let preset = Preset { name: new.to_owned(), ..former };
        let entries: Vec<Texel> = lut.entries().iter().map(|entry| hald::texel(*entry)).collect();
        let bytes = self.write(&held, &preset, number, &entries)?;
        held.presets.remove(name);
        held.presets.insert(new.to_owned(), (preset.clone(), number, bytes));
        let mut starts = held.starts.clone();
        for start in starts.values_mut().filter(|start| **start == Start::Preset(name.into())) {
            *start = Start::Preset(new.into());
        }
        self.set_starts(&mut held, starts)?;
        Ok(preset)
    }

    /// Deletes a preset. Channels that started with it start with their last LUT.
    pub fn delete(&self, name: &str) -> Result<(), PresetError> {
        let mut held = self.held();
        let (_, number, _) = held.presets.get(name).ok_or_else(|| PresetError::NoSuch(name.into()))?;
        let path = self.path.join(file_name(*number));
        match fs::remove_file(&path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(PresetError::Write { path, why }),
            _ => {}
        }
        held.presets.remove(name);
        let mut starts = held.starts.clone();
        starts.retain(|_, start| *start != Start::Preset(name.into()));
        self.set_starts(&mut held, starts)
    }

    /// What a channel starts with.
    pub fn start(&self, channel: &ChannelId) -> Start {
        self.held().starts.get(channel.name().unwrap_or("")).cloned().unwrap_or_default()
    }

    /// Has a channel start with something.
    pub fn set_start(&self, channel: &ChannelId, start: Start) -> Result<(), PresetError> {
        let mut held = self.held();
        if let Start::Preset(name) = &start
            && !held.presets.contains_key(name)
        {
            return Err(PresetError::NoSuch(name.clone()));
        }
        let mut starts = held.starts.clone();
        match start {
            Start::Last => starts.remove(channel.name().unwrap_or("")),
            other => starts.insert(channel.name().unwrap_or("").to_owned(), other),
        };
        self.set_starts(&mut held, starts)
    }

    fn set_starts(&self, held: &mut Held, starts: BTreeMap<String, Start>) -> Result<(), PresetError> {
        if starts != held.starts {
            let text = serde_json::to_vec_pretty(&starts).unwrap_or_default();
            self.put_file(STARTS, |out| out.write_all(&text))?;
            held.starts = starts;
        }
        Ok(())
    }

    /// Puts a preset on a channel.
    pub fn recall(&self, name: &str, channels: &ChannelSet, id: &ChannelId) -> Result<u64, PresetError> {
        Ok(put(channels, id, &self.read(name)?)?)
    }

    /// Gives every channel what it is to start with. What can't be is said on the log.
    pub fn begin(&self, channels: &ChannelSet) {
        let starts = self.held().starts.clone();
        for (channel, start) in starts {
            let id = ChannelId::new(channel);
            let begun = match &start {
                Start::Last => continue,
                Start::Identity => {
                    let size = channels.newest(&id).ok().flatten().map_or(GridSize::COMMON, |lut| lut.size());
                    put(channels, &id, &Lut3d::identity(size)).map_err(PresetError::from)
                }
                Start::Preset(name) => self.recall(name, channels, &id),
            };
            match (begun, start) {
                (Err(why), _) => warn!("{id} does not start as it should: {why}"),
                (Ok(_), Start::Preset(name)) => info!(target: crate::EVENTS, "{id} starts with the preset {name:?}"),
                (Ok(_), _) => info!(target: crate::EVENTS, "{id} starts with the identity"),
            }
        }
    }
}

fn put(channels: &ChannelSet, id: &ChannelId, lut: &Lut3d) -> Result<u64, Refusal> {
    let (size, order): (_, EntryOrder) = (lut.size(), channels.settings().order_of(id));
    let entries: Vec<_> = (0..size.entries()).map(|i| hald::texel(lut.at(order.point(size, i)))).collect();
    channels.put(id, LutSource::File, size, &entries)
}

#[cfg(test)]
#[path = "presets_tests.rs"]
mod tests;
