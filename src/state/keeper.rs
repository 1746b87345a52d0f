//! Remembers LUTs on a thread of its own, and puts them back.

use super::directory::{Directory, SaveError, StateError};
use super::record::{Header, Listing};
use crate::channel::{Changes, ChannelSet, LutSource, Waker};
use crate::hald::EntryOrder;
use crate::lut::Cdl;
use crate::sink::ChannelId;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// A channel is written at most this often, so that a moving grade does not wear the disk out.
const GAP: Duration = Duration::from_millis(200);
/// In the long run the disk is given no more than this in a second, for the same reason and to leave memory and processor
/// to those who grade.
const BYTES_PER_SECOND: u64 = 32 << 20;
/// A disk that refused is tried again after this.
const RETRY: Duration = Duration::from_secs(5);
/// A disk that goes on refusing is spoken of this often.
const WARN_GAP: Duration = Duration::from_secs(60);

/// Keeps the last good LUT of every channel in a [`Directory`].
pub struct Keeper {
    directory: Option<Directory>,
    shared: Arc<Shared>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// The end has come, or the thread has ended.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stopping: bool,
    running: bool,
    /// LUTs that were given up when the server stopped.
    lost: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done`, at most `time`.
    fn wait(&self, time: Duration, done: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.lock();
        self.changed.wait_timeout_while(state, time, |s| !done(s)).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Keeper {
    /// A keeper of what is in `directory`, and will be.
    pub fn new(directory: Directory) -> Self {
        Keeper { directory: Some(directory), shared: Arc::default(), waker: None }
    }

    /// Puts every remembered LUT on its channel, newest first, and returns how many. What can't be restored is said on
    /// the log. To be called before [`start`](Self::start).
    pub fn restore(&mut self, channels: &ChannelSet) -> Result<usize, StateError> {
        let Some(directory) = &mut self.directory else { return Ok(0) };
        directory.restore(|header, entries| {
            let put = match (header.listing, channels.order(&header.channel)) {
                (Listing::Wire, _) => channels.put(&header.channel, LutSource::Sent, header.size, entries),
                (Listing::BlueFastest, order) => {
                    let points = (0..header.size.entries()).map(|i| order.point(header.size, i));
                    let listed: Vec<_> =
                        points.map(|p| entries[EntryOrder::BlueFastest.index(header.size, p)]).collect();
                    channels.put(&header.channel, LutSource::Cdl, header.size, &listed)
                }
            };
            put.map_err(|e| e.to_string())?;
            if let Some(cdl) = header.cdl
                && let Err(why) = channels.restore_cdl(&header.channel, &cdl)
            {
                warn!("{}: its LUT is restored, and not its CDL values: {why}", header.channel);
            }
            Ok(())
        })
    }

    /// Starts the thread that writes what changes from now on.
    pub fn start(&mut self, channels: &ChannelSet) -> io::Result<()> {
        let Some(directory) = self.directory.take() else { return Ok(()) };
        let changes = channels.changes().forget_past();
        self.waker = Some(changes.waker());
        let (shared, channels) = (self.shared.clone(), channels.clone());
        shared.lock().running = true;
        let thread = thread::Builder::new().name("vglb-state".into()).spawn(move || {
            let (unsaved, saved) = (BTreeMap::new(), BTreeMap::new());
            let shared = &*shared;
            Writing { shared, channels, directory, unsaved, saved, warned: None, failing: false }.run(changes);
            shared.lock().running = false;
            shared.changed.notify_all();
        });
        if thread.is_err() {
            self.shared.lock().running = false;
        }
        thread.map(drop)
    }

    /// Writes what is still to be written, and ends. Tells whether all of it is on the disk within `time`. The channels
    /// must not be closed before.
    pub fn stop(&self, time: Duration) -> bool {
        self.tell_to_stop();
        let state = self.shared.wait(time, |state| !state.running);
        !state.running && !state.lost
    }

    fn tell_to_stop(&self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        if let Some(waker) = &self.waker {
            waker.wake();
        }
    }
}

impl Drop for Keeper {
    /// The thread ends by itself; it is not waited for.
    fn drop(&mut self) {
        self.tell_to_stop();
    }
}

/// The thread that writes.
struct Writing<'a> {
    shared: &'a Shared,
    channels: ChannelSet,
    directory: Directory,
    /// Channels whose newest LUT is not on the disk, and when the disk may be asked again.
    unsaved: BTreeMap<ChannelId, Option<Instant>>,
    /// The number of the LUT that is on the disk, and the CDL values with it.
    saved: BTreeMap<ChannelId, (u64, Option<Cdl>)>,
    warned: Option<Instant>,
    failing: bool,
}

impl Writing<'_> {
    fn run(mut self, mut changes: Changes) {
        loop {
            let next = self.unsaved.values().map(|at| at.unwrap_or_else(Instant::now)).min();
            let changed = changes.wait(next.map(|at| at.saturating_duration_since(Instant::now())));
            // A channel that the disk has refused waits on: its newest LUT is what is written then.
            self.note(changed);
            let last = self.shared.lock().stopping || changes.is_closed();
            if last {
                self.note(changes.wait(Some(Duration::ZERO)));
            }
            let written = self.save(last);
            if last {
                self.shared.lock().lost = !self.unsaved.is_empty();
                return;
            }
            drop(self.shared.wait(pause(written), |state| state.stopping));
        }
    }

    fn note(&mut self, changed: Vec<ChannelId>) {
        for id in changed {
            self.unsaved.entry(id).or_default();
        }
    }

    /// Writes what is due, or everything. Returns how many bytes that were.
    fn save(&mut self, everything: bool) -> u64 {
        let now = Instant::now();
        let due = |at: &Option<Instant>| everything || at.is_none_or(|at| at <= now);
        let ids: Vec<_> = self.unsaved.iter().filter(|(_, at)| due(at)).map(|(id, _)| id.clone()).collect();
        let mut written = 0;
        for id in ids {
            match self.save_one(&id) {
                Ok(bytes) => {
                    written += bytes;
                    self.unsaved.remove(&id);
                }
                Err(e) => {
                    self.unsaved.insert(id.clone(), Some(Instant::now() + RETRY));
                    self.failing = true;
                    if everything || self.warned.is_none_or(|t| t.elapsed() >= WARN_GAP) {
                        self.warned = Some(Instant::now());
                        warn!("the LUT of {id} is on its stream, but not remembered for a restart: {e}");
                    }
                }
            }
        }
        if self.failing && self.unsaved.is_empty() {
            self.failing = false;
            info!(target: crate::EVENTS, "LUTs are remembered again");
        }
        written
    }

    /// Writes one channel's LUT, if it is not there yet. Returns how many bytes that were.
    fn save_one(&mut self, id: &ChannelId) -> Result<u64, SaveError> {
        let Some(lut) = self.channels.newest(id)? else { return Ok(0) };
        if self.saved.get(id) == Some(&(lut.number, lut.cdl)) {
            // What the stream shows has changed.
            return Ok(0);
        }
        let (listing, order) = match lut.source {
            LutSource::Sent | LutSource::File | LutSource::Cluster => (Listing::Wire, self.channels.order(id)),
            LutSource::Cdl => (Listing::BlueFastest, EntryOrder::BlueFastest),
        };
        let header = Header { channel: id.clone(), saved: lut.at, size: lut.size(), listing, cdl: lut.cdl };
        self.directory.save(&header, lut.entries(order))?;
        self.saved.insert(id.clone(), (lut.number, lut.cdl));
        Ok(header.record_bytes())
    }
}

/// How long the disk is left alone after so many bytes.
fn pause(written: u64) -> Duration {
    GAP.max(Duration::from_secs_f64(written as f64 / BYTES_PER_SECOND as f64))
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
mod tests;
