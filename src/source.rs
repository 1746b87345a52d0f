//! Channels whose LUT comes from a file that is followed.

use crate::EVENTS;
use crate::channel::{ChannelSet, LutSource};
use crate::hald;
use crate::lut::file::ReadOptions;
use crate::lut::{Bake, Lut3d};
use crate::sink::{ChannelId, Refusal};
use crate::watch::{LOOK_GAP, News, Watch};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tracing::{info, warn};

/// A channel and the file that its LUT is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSource {
    /// The channel.
    pub channel: ChannelId,
    /// The file.
    pub file: PathBuf,
}

/// Files that are followed until this is dropped.
pub struct Sources {
    told: Arc<(Mutex<Told>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread is told.
#[derive(Default)]
struct Told {
    stop: bool,
    /// To follow these, and no others.
    wanted: Option<Vec<FileSource>>,
}

impl Sources {
    /// Puts each file's LUT on its channel, and again whenever it changes. What is no plain 3D LUT (a CDL, a shaper) is
    /// baked into one. A file that is not there yet is waited for; a LUT that was sent to the channel meanwhile stays
    /// until the file changes.
    pub fn start(channels: &ChannelSet, sources: &[FileSource]) -> io::Result<Sources> {
        let mut watched: Vec<_> = sources.iter().map(watch).collect();
        let channels = channels.clone();
        let told: Arc<(Mutex<Told>, Condvar)> = Arc::default();
        let its = told.clone();
        let thread = thread::Builder::new().name("vglb-source".into()).spawn(move || {
            loop {
                for (source, watch) in &mut watched {
                    if let Some(news) = watch.news() {
                        take(&channels, &source.channel, watch, news);
                    }
                }
                let (told, changed) = &*its;
                let told = told.lock().unwrap_or_else(PoisonError::into_inner);
                let nothing = |told: &mut Told| !told.stop && told.wanted.is_none();
                let (mut told, _) =
                    changed.wait_timeout_while(told, LOOK_GAP, nothing).unwrap_or_else(PoisonError::into_inner);
                if told.stop {
                    return;
                }
                let Some(wanted) = told.wanted.take() else { continue };
                drop(told);
                watched.retain(|(source, _)| wanted.contains(source));
                for source in wanted {
                    if !watched.iter().any(|(other, _)| *other == source) {
                        watched.push(watch(&source));
                    }
                }
            }
        })?;
        Ok(Sources { told, thread: Some(thread) })
    }

    /// Follows these from now on. A file that was followed already is not read again for it.
    pub fn follow(&self, sources: &[FileSource]) {
        self.told.0.lock().unwrap_or_else(PoisonError::into_inner).wanted = Some(sources.to_vec());
        self.told.1.notify_all();
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        self.told.0.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.told.1.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watch(source: &FileSource) -> (FileSource, Watch) {
    // Nobody is there who could be asked whether to bake; at its own size, a plain 3D LUT keeps every bit.
    let options = ReadOptions { bake: Bake::Yes { size: None }, ..ReadOptions::default() };
    (source.clone(), Watch::new(&source.file, options))
}

fn take(channels: &ChannelSet, channel: &ChannelId, watch: &Watch, news: News) {
    let path = watch.path().display();
    match news {
        News::Lut(file) => {
            file.notes.iter().for_each(|note| warn!("{channel}: {note}"));
            match put(channels, channel, &file.lut) {
                Ok(_) if file.baked => {
                    let (holds, size) = (&file.holds, file.lut.size());
                    info!(target: EVENTS, "{channel} has {holds} of {path}, baked into a {size}³ LUT");
                }
                Ok(_) => info!(target: EVENTS, "{channel} has the {}³ LUT of {path}", file.lut.size()),
                Err(why) => warn!("{channel}: the LUT of {path} was refused: {why}"),
            }
        }
        News::Wrong(why) => warn!("{channel} stays as it is: {why}"),
        News::Gone(why) => warn!("{channel} stays as it is: {path} can't be read: {why}"),
    }
}

fn put(channels: &ChannelSet, channel: &ChannelId, lut: &Lut3d) -> Result<u64, Refusal> {
    let (size, order) = (lut.size(), channels.order(channel));
    let entries: Vec<_> = (0..size.entries()).map(|i| hald::texel(lut.at(order.point(size, i)))).collect();
    channels.put(channel, LutSource::File, size, &entries)
}
