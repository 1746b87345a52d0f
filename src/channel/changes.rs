//! Tells whoever wants to know that channels have changed. It costs the path of LUTs a wake-up where somebody waits, and
//! next to nothing where nobody does.

use super::{Shared, lock};
use crate::sink::ChannelId;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where changes are waited for.
#[derive(Default)]
pub(super) struct Signal {
    waiting: AtomicUsize,
    closed: AtomicBool,
    mutex: Mutex<()>,
    changed: Condvar,
}

impl Signal {
    /// Wakes those who wait. To be called after the change can be seen.
    pub(super) fn wake(&self) {
        // Whoever waits says so before looking for changes: of the two, one sees the other.
        if self.waiting.load(SeqCst) > 0 {
            drop(self.mutex.lock().unwrap_or_else(PoisonError::into_inner));
            self.changed.notify_all();
        }
    }

    /// No change comes any more.
    pub(super) fn close(&self) {
        self.closed.store(true, SeqCst);
        self.wake();
    }
}

/// The changes of a [`ChannelSet`](super::ChannelSet): a LUT, CDL values, or another output.
pub struct Changes {
    shared: Arc<Shared>,
    /// The count of each channel's changes when it was last looked at.
    seen: BTreeMap<ChannelId, u64>,
    woken: Arc<AtomicBool>,
}

/// Ends a [`Changes::wait`] from another thread.
#[derive(Clone)]
pub struct Waker {
    shared: Arc<Shared>,
    woken: Arc<AtomicBool>,
}

impl Changes {
    /// Every channel that there is counts as changed.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Changes { shared, seen: BTreeMap::new(), woken: Arc::default() }
    }

    /// Nothing that has happened until now counts as a change.
    pub fn forget_past(mut self) -> Self {
        self.look();
        self
    }

    /// Waits until channels have changed since the last call, at most `timeout` (`None`: for ever), and returns them,
    /// each once however often it changed. The first call returns every channel that has a LUT. Empty where the time is
    /// up, a [`Waker`] was used, or the channels are closed.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Vec<ChannelId> {
        let until = timeout.and_then(|t| Instant::now().checked_add(t));
        let shared = self.shared.clone();
        let signal = &shared.signal;
        signal.waiting.fetch_add(1, SeqCst);
        let mut guard = signal.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = loop {
            let changed = self.look();
            if !changed.is_empty() || self.is_closed() || self.woken.swap(false, SeqCst) {
                break changed;
            }
            guard = match until {
                None => signal.changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break changed;
                    }
                    signal.changed.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        };
        drop(guard);
        signal.waiting.fetch_sub(1, SeqCst);
        changed
    }

    fn look(&mut self) -> Vec<ChannelId> {
        let channels = lock(&self.shared.channels);
        let mut changed = Vec::new();
        for (id, channel) in channels.iter() {
            let count = channel.changes.load(SeqCst);
            match self.seen.get_mut(id) {
                Some(seen) if *seen == count => continue,
                Some(seen) => *seen = count,
                None if count == 0 => continue,
                None => drop(self.seen.insert(id.clone(), count)),
            }
            changed.push(id.clone());
        }
        changed
    }

    /// Whether the channels are closed: no change comes any more.
    pub fn is_closed(&self) -> bool {
        self.shared.signal.closed.load(SeqCst)
    }

    /// Something to end a wait with.
    pub fn waker(&self) -> Waker {
        Waker { shared: self.shared.clone(), woken: self.woken.clone() }
    }
}

impl Waker {
    /// Ends the wait under way, or the next one.
    pub fn wake(&self) {
        self.woken.store(true, SeqCst);
        self.shared.signal.wake();
    }
}
