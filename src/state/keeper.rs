//! Remembers LUTs on a thread of its own, and puts them back.

use super::directory::{Directory, SaveError, StateError};
use super::record::{Header, Listing};
use crate::channel::baked;
use crate::hald::{EntryOrder, Texel};
use crate::lut::{Cdl, GridSize};
use crate::sink::{self, ChannelId, LutSink, LutWriter, Refusal};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use tracing::{info, warn};

/// A channel is written at most this often, so that a moving grade does not wear the disk out.
const GAP: Duration = Duration::from_millis(200);
/// A disk that refused is tried again after this.
const RETRY: Duration = Duration::from_secs(5);
/// A disk that goes on refusing is spoken of this often.
const WARN_GAP: Duration = Duration::from_secs(60);

/// Keeps the last good LUT of every channel in a [`Directory`].
pub struct Keeper {
    shared: Arc<Shared>,
    directory: Option<Directory>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to write, or the end has come.
    work: Condvar,
    /// The thread has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    channels: BTreeMap<ChannelId, Kept>,
    stopping: bool,
    running: bool,
    /// LUTs that were given up when the server stopped.
    lost: bool,
}

/// What is known of a channel's last LUT.
#[derive(Default)]
struct Kept {
    /// Its revision in the channel.
    revision: u64,
    /// It, where it is still to be written.
    pending: Option<Pending>,
    /// A buffer for a writer to go on with.
    spare: Vec<Texel>,
    /// When it may be written; `None` is at once.
    due: Option<Instant>,
}

struct Pending {
    saved: SystemTime,
    size: GridSize,
    listing: Listing,
    entries: Vec<Texel>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over a LUT; `entries` returns with a buffer to go on with. A LUT that is not the channel's newest is
    /// passed over: two connections may have the same channel.
    fn offer(&self, id: &ChannelId, size: GridSize, entries: &mut Vec<Texel>, revision: u64, listing: Listing) {
        let mut state = self.lock();
        if !state.running {
            return;
        }
        let is_first = state.with(id, |kept| {
            if revision <= kept.revision {
                return false;
            }
            kept.revision = revision;
            let saved = SystemTime::now();
            match &mut kept.pending {
                Some(pending) => {
                    std::mem::swap(&mut pending.entries, entries);
                    (pending.saved, pending.size, pending.listing) = (saved, size, listing);
                    false
                }
                None => {
                    let entries = std::mem::replace(entries, std::mem::take(&mut kept.spare));
                    kept.pending = Some(Pending { saved, size, listing, entries });
                    true
                }
            }
        });
        drop(state);
        if is_first {
            self.work.notify_one();
        }
    }
}

impl State {
    /// What is known of a channel; nothing is allocated for one that is known.
    fn with<T>(&mut self, id: &ChannelId, act: impl FnOnce(&mut Kept) -> T) -> T {
        match self.channels.get_mut(id) {
            Some(kept) => act(kept),
            None => act(self.channels.entry(id.clone()).or_default()),
        }
    }
}

impl Keeper {
    /// A keeper of what is in `directory`, and will be.
    pub fn new(directory: Directory) -> Self {
        Keeper { shared: Arc::default(), directory: Some(directory) }
    }

    /// Puts every remembered LUT into `sink`, newest first, and returns how many. What can't be restored is said on
    /// the log. To be called before [`start`](Self::start).
    pub fn restore(&mut self, sink: &dyn LutSink) -> Result<usize, StateError> {
        let Some(directory) = &mut self.directory else { return Ok(0) };
        let mut state = self.shared.lock();
        directory.restore(|header, entries| {
            let mut writer = sink.writer(&header.channel).map_err(|e| e.to_string())?;
            let revision = match (header.listing, writer.order()) {
                (Listing::Wire, _) | (_, EntryOrder::BlueFastest) => sink::put(&mut *writer, header.size, entries),
                (Listing::BlueFastest, order) => {
                    let points = (0..header.size.entries()).map(|i| order.point(header.size, i));
                    let listed: Vec<_> =
                        points.map(|p| entries[EntryOrder::BlueFastest.index(header.size, p)]).collect();
                    sink::put(&mut *writer, header.size, &listed)
                }
            };
            let revision = revision.map_err(|e| e.to_string())?;
            state.with(&header.channel, |kept| kept.revision = revision);
            Ok(())
        })
    }

    /// Starts the thread that writes.
    pub fn start(&mut self) -> io::Result<()> {
        let Some(directory) = self.directory.take() else { return Ok(()) };
        let shared = self.shared.clone();
        shared.lock().running = true;
        let thread = thread::Builder::new().name("vglb-state".into()).spawn(move || {
            Writing { shared: &shared, directory, warned: None, failing: false }.run();
            shared.lock().running = false;
            shared.ended.notify_all();
        });
        if thread.is_err() {
            self.shared.lock().running = false;
        }
        thread.map(drop)
    }

    /// A sink that remembers what `inner` puts into force.
    pub fn sink(&self, inner: Arc<dyn LutSink>) -> Arc<dyn LutSink> {
        Arc::new(Remembering { inner, shared: self.shared.clone() })
    }

    /// Writes what is still to be written, and ends. Tells whether all of it is on the disk within `time`.
    pub fn stop(&self, time: Duration) -> bool {
        let mut state = self.shared.lock();
        state.stopping = true;
        self.shared.work.notify_all();
        let (state, _) = self
            .shared
            .ended
            .wait_timeout_while(state, time, |state| state.running)
            .unwrap_or_else(PoisonError::into_inner);
        !state.running && !state.lost
    }
}

impl Drop for Keeper {
    /// The thread ends by itself; it is not waited for.
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.work.notify_all();
    }
}

/// The thread that writes.
struct Writing<'a> {
    shared: &'a Shared,
    directory: Directory,
    warned: Option<Instant>,
    failing: bool,
}

impl Writing<'_> {
    fn run(mut self) {
        while let Some((id, lut)) = self.next() {
            let header = Header { channel: id, saved: lut.saved, size: lut.size, listing: lut.listing };
            let saved = self.directory.save(&header, &lut.entries);
            self.note(&header.channel, lut, saved);
        }
    }

    /// Waits for the next LUT to write; `None` once the end has come and all is written.
    fn next(&self) -> Option<(ChannelId, Pending)> {
        let mut state = self.shared.lock();
        loop {
            let now = Instant::now();
            let stopping = state.stopping;
            let first = state.channels.iter_mut().filter(|(_, k)| k.pending.is_some()).min_by_key(|(_, k)| k.due);
            let wait = match first {
                Some((id, kept)) => match kept.due.filter(|due| !stopping && *due > now) {
                    Some(due) => Some(due - now),
                    None => return Some((id.clone(), kept.pending.take()?)),
                },
                None if stopping => return None,
                None => None,
            };
            state = match wait {
                Some(wait) => self.shared.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => self.shared.work.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Gives the buffer back, or keeps the LUT to be tried again.
    fn note(&mut self, id: &ChannelId, lut: Pending, saved: Result<(), SaveError>) {
        let mut state = self.shared.lock();
        let stopping = state.stopping;
        let failed = saved.is_err();
        state.lost |= failed && stopping;
        state.with(id, |kept| {
            kept.due = Some(Instant::now() + if failed { RETRY } else { GAP });
            if failed && !stopping && kept.pending.is_none() {
                kept.pending = Some(lut);
            } else {
                kept.spare = lut.entries;
            }
        });
        drop(state);
        match saved {
            Ok(()) if std::mem::take(&mut self.failing) => info!(target: crate::EVENTS, "LUTs are remembered again"),
            Ok(()) => {}
            Err(e) => {
                self.failing = true;
                if stopping || self.warned.is_none_or(|t| t.elapsed() >= WARN_GAP) {
                    self.warned = Some(Instant::now());
                    warn!("the LUT of {id} is on its stream, but not remembered for a restart: {e}");
                }
            }
        }
    }
}

struct Remembering {
    inner: Arc<dyn LutSink>,
    shared: Arc<Shared>,
}

impl LutSink for Remembering {
    fn writer(&self, id: &ChannelId) -> Result<Box<dyn LutWriter>, Refusal> {
        Ok(Box::new(RememberingWriter {
            inner: self.inner.writer(id)?,
            id: id.clone(),
            shared: self.shared.clone(),
            size: None,
            entries: Vec::new(),
        }))
    }

    fn set_cdl(&self, id: &ChannelId, cdl: &Cdl) -> Result<(), Refusal> {
        self.inner.set_cdl(id, cdl)?;
        if self.shared.lock().channels.get(id).is_none_or(|kept| kept.revision == 0) {
            // It was baked, for the channel had no LUT. A LUT that comes meanwhile has a higher revision.
            let (size, mut entries) = baked(cdl, EntryOrder::BlueFastest)?;
            self.shared.offer(id, size, &mut entries, 1, Listing::BlueFastest);
        }
        Ok(())
    }
}

struct RememberingWriter {
    inner: Box<dyn LutWriter>,
    id: ChannelId,
    shared: Arc<Shared>,
    /// The size of the LUT begun, where there is memory for a copy.
    size: Option<GridSize>,
    entries: Vec<Texel>,
}

impl LutWriter for RememberingWriter {
    fn begin(&mut self, size: GridSize) -> Result<(), Refusal> {
        self.inner.begin(size)?;
        self.entries.clear();
        let room = self.entries.try_reserve_exact(size.entries());
        self.size = room.is_ok().then_some(size);
        if self.size.is_none() {
            warn!("{}: a LUT of {} bytes is not remembered: there is no memory for it", self.id, size.rgba_bytes());
        }
        Ok(())
    }

    fn entries(&mut self, entries: &[Texel]) -> bool {
        if self.size.is_some() {
            self.entries.extend_from_slice(entries);
        }
        self.inner.entries(entries)
    }

    fn commit(&mut self) -> Result<u64, Refusal> {
        let revision = self.inner.commit()?;
        if let Some(size) = self.size.take().filter(|size| size.entries() == self.entries.len()) {
            self.shared.offer(&self.id, size, &mut self.entries, revision, Listing::Wire);
        }
        Ok(revision)
    }

    fn abandon(&mut self) {
        self.size = None;
        self.inner.abandon();
    }

    fn order(&self) -> EntryOrder {
        self.inner.order()
    }
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
mod tests;
