//! Live export: every channel's newest LUT as a file, for hosts that read LUT files.
//!
//! A thread waits for changes, and writes each channel's LUT at most so often; of LUTs that come faster, the latest is
//! written. A file is replaced in one step, so that its readers see one LUT or the next and never a part. A disk that is
//! full or may not be written is spoken of now and then, and tried again.

mod names;

use crate::channel::{Changes, ChannelSet, LutSource, Received, Waker};
use crate::lut::Cdl;
use crate::lut::file::{self, Existing, FileError, FileFormat, WriteOptions};
use crate::sink::ChannelId;
use crate::texture::TextureError;
use names::Names;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};
use tracing::{debug, info, warn};

/// A disk that refused is tried again after this.
const RETRY: Duration = Duration::from_secs(2);
/// A disk that goes on refusing is spoken of this often.
const WARN_GAP: Duration = Duration::from_secs(60);

/// A file that is still unfinished after this is nobody's any more.
const ABANDONED: Duration = Duration::from_secs(600);

/// What is exported, and where to.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportSettings {
    /// The folder; it is made where it is not there.
    pub folder: PathBuf,
    /// Each channel has a file of each.
    pub formats: Vec<FileFormat>,
    /// How often a channel's files are written at most.
    pub gap: Duration,
    /// Channels that are not exported.
    pub without: BTreeSet<ChannelId>,
}

/// An export that runs.
pub struct Exporter {
    stopping: Arc<AtomicBool>,
    changed: Arc<Mutex<Option<ExportSettings>>>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// Why a LUT was not exported.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("its texture can't be read: {0}")]
    Texture(#[from] TextureError),
    #[error("{0}")]
    File(#[from] FileError),
    #[error("the folder {} can't be made: {why}", path.display())]
    Folder { path: PathBuf, why: io::Error },
}

impl Exporter {
    /// Starts to export, what there is already to begin with.
    pub fn start(channels: &ChannelSet, settings: ExportSettings) -> io::Result<Exporter> {
        let changes = channels.changes();
        let waker = changes.waker();
        let stopping: Arc<AtomicBool> = Arc::default();
        let changed: Arc<Mutex<Option<ExportSettings>>> = Arc::default();
        let exporting = Exporting {
            channels: channels.clone(),
            settings,
            stopping: stopping.clone(),
            changed: changed.clone(),
            names: Names::default(),
            waiting: BTreeMap::new(),
            written: BTreeMap::new(),
            warned: None,
            failing: false,
        };
        let thread = thread::Builder::new().name("vglb-export".into()).spawn(move || exporting.run(changes))?;
        Ok(Exporter { stopping, changed, waker, thread: Some(thread) })
    }

    /// Exports in this way from now on; in another folder or other formats, what there is already to begin with.
    pub fn change(&self, settings: ExportSettings) {
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings);
        self.waker.wake();
    }

    /// Writes what waits, and ends. The channels must not be closed before.
    pub fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.stopping.store(true, Ordering::SeqCst);
        self.waker.wake();
        let _ = thread.join();
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What tells two exports of a channel apart.
type Version = (u64, Option<[u64; 10]>);

struct Exporting {
    channels: ChannelSet,
    settings: ExportSettings,
    stopping: Arc<AtomicBool>,
    /// Settings that are to take the place of those.
    changed: Arc<Mutex<Option<ExportSettings>>>,
    names: Names,
    /// Channels that have changed, and when each may be written.
    waiting: BTreeMap<ChannelId, Instant>,
    /// What was written of each, and when.
    written: BTreeMap<ChannelId, (Version, Instant)>,
    warned: Option<Instant>,
    failing: bool,
}

impl Exporting {
    fn run(mut self, mut changes: Changes) {
        remove_unfinished(&self.settings.folder);
        loop {
            let next = self.waiting.values().min();
            let changed = changes.wait(next.map(|at| at.saturating_duration_since(Instant::now())));
            self.take_settings();
            self.note(changed);
            let last = self.stopping.load(Ordering::SeqCst) || changes.is_closed();
            if last {
                let rest = changes.wait(Some(Duration::ZERO));
                self.note(rest);
            }
            self.write(last);
            if last {
                return;
            }
        }
    }

    fn take_settings(&mut self) {
        let changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(settings) = changed.filter(|settings| *settings != self.settings) else { return };
        if settings.folder != self.settings.folder {
            remove_unfinished(&settings.folder);
        }
        if settings.folder != self.settings.folder || settings.formats != self.settings.formats {
            self.written.clear();
        }
        self.settings = settings;
        // What waits is due by the new rate. What is as it was written is not written again.
        self.waiting.clear();
        self.note(self.channels.status().into_iter().map(|channel| channel.id).collect());
    }

    fn note(&mut self, changed: Vec<ChannelId>) {
        let now = Instant::now();
        for id in changed.into_iter().filter(|id| !self.settings.without.contains(id)) {
            let due = self.written.get(&id).map_or(now, |(_, at)| *at + self.settings.gap);
            self.waiting.entry(id).or_insert(due);
        }
    }

    /// Writes what is due, or everything.
    fn write(&mut self, everything: bool) {
        let now = Instant::now();
        let due: Vec<_> =
            self.waiting.iter().filter(|(_, at)| everything || **at <= now).map(|(id, _)| id.clone()).collect();
        for id in due {
            match self.write_one(&id) {
                Ok(()) => drop(self.waiting.remove(&id)),
                Err(e) => {
                    self.waiting.insert(id.clone(), Instant::now() + RETRY);
                    self.failing = true;
                    if everything || self.warned.is_none_or(|t| t.elapsed() >= WARN_GAP) {
                        self.warned = Some(Instant::now());
                        warn!("the LUT of {id} is on its stream, but not exported: {e}");
                    }
                }
            }
        }
        if self.failing && self.waiting.is_empty() {
            self.failing = false;
            self.warned = None;
            info!(target: crate::EVENTS, "LUTs are exported again");
        }
    }

    fn write_one(&mut self, id: &ChannelId) -> Result<(), ExportError> {
        let Some(lut) = self.channels.newest_graded(id)? else { return Ok(()) };
        let version = (lut.number, lut.cdl.map(bits));
        if self.written.get(id).is_some_and(|(written, _)| *written == version) {
            // What the stream shows has changed, and not its LUT.
            return Ok(());
        }
        let folder = &self.settings.folder;
        fs::create_dir_all(folder).map_err(|why| ExportError::Folder { path: folder.clone(), why })?;
        let stem = self.names.stem(id, &self.channels.base_stream());
        let options = WriteOptions {
            layout: lut.shape.layout(),
            title: Some(title(id)),
            comments: comments(id, &lut),
            existing: Existing::Replace,
            ..WriteOptions::default()
        };
        let values = lut.lut();
        for format in &self.settings.formats {
            let path = folder.join(format!("{stem}.{}", format.extension()));
            // Cameras take one size and no other.
            let resampled = format.grid_size().map(|size| values.clone().resampled(size));
            let written = file::write(&path, resampled.as_ref().unwrap_or(&values), &options)?;
            debug!("{id}: exported as {} ({written})", path.display());
        }
        self.written.insert(id.clone(), (version, Instant::now()));
        Ok(())
    }
}

/// Removes what a server that was killed had begun to write; others may be writing there now.
fn remove_unfinished(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    for file in files.flatten() {
        let name = file.file_name();
        let ours = name.to_str().is_some_and(|n| n.starts_with(".vglb-") && n.ends_with(".tmp"));
        let age = file.metadata().and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
        if ours && age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// A CDL's numbers, to be compared bit by bit.
fn bits(cdl: Cdl) -> [u64; 10] {
    let numbers = [cdl.slope(), cdl.offset(), cdl.power()].concat();
    std::array::from_fn(|i| numbers.get(i).copied().unwrap_or(cdl.saturation()).to_bits())
}

/// A title that has no characters that a format could trip over.
fn title(id: &ChannelId) -> String {
    let name = id.name().unwrap_or("the channel without a name");
    name.chars().filter(|c| !c.is_control() && *c != '"').take(200).collect()
}

fn comments(id: &ChannelId, lut: &Received) -> Vec<String> {
    let seconds = lut.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let source = match lut.source {
        LutSource::Sent => "sent over OpenGradeIO",
        LutSource::Cdl => "baked from CDL values",
        LutSource::File => "read from a file",
        LutSource::Cluster => "from a hub of the cluster",
    };
    let mut comments = vec![
        format!("Exported by Virtual GPU LUT Box {} from {id}", crate::VERSION),
        format!("LUT {} of the channel, {source}, at {} UTC", lut.number, utc(seconds)),
    ];
    comments.extend(lut.cdl.map(|cdl| format!("CDL of the channel: {cdl}")));
    comments
}

/// `2026-01-31 23:59:59`. The date by Howard Hinnant's civil_from_days.
fn utc(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60)
}

/// The formats of a list as `cube,exr`.
pub fn formats(list: &str) -> Result<Vec<FileFormat>, String> {
    let mut formats = Vec::new();
    for name in list.split(',').map(str::trim) {
        let format = FileFormat::of(Path::new(&format!("a.{name}")))
            .ok()
            .filter(|format| !format.is_cdl())
            .ok_or_else(|| format!("{name:?} is no format; it can be {}", known_formats()))?;
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    Ok(formats)
}

fn known_formats() -> String {
    let names: Vec<_> = FileFormat::ALL.into_iter().filter(|f| !f.is_cdl()).map(FileFormat::extension).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
