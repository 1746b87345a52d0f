//! A thread that notices when the graphics device is gone, and brings the streams back on another.
//!
//! A LUT may stand for hours, so that waiting for the next publication would leave receivers without one.

use super::current_device::CurrentDevice;
use super::seam::DeviceError;
use super::stream::Stream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

/// How often the device is looked at.
const PERIOD: Duration = Duration::from_millis(500);

/// Keeps the streams that are in it alive on whatever device there is. The thread runs while there are streams.
pub struct Keeper {
    device: Arc<CurrentDevice>,
    state: Mutex<State>,
    emptied: Condvar,
}

#[derive(Default)]
struct State {
    streams: Vec<Weak<Stream>>,
    running: bool,
    /// Whether it was already said that there is no device.
    stuck: bool,
}

impl Keeper {
    pub fn new(device: Arc<CurrentDevice>) -> Arc<Self> {
        Arc::new(Keeper { device, state: Mutex::default(), emptied: Condvar::new() })
    }

    /// Takes a stream into its care until that is dropped.
    pub fn watch(self: &Arc<Self>, stream: &Arc<Stream>) -> std::io::Result<()> {
        let mut state = self.lock();
        state.streams.retain(|s| s.strong_count() > 0);
        if !state.running {
            let keeper = self.clone();
            thread::Builder::new().name("spout keeper".into()).spawn(move || keeper.run())?;
            state.running = true;
        }
        state.streams.push(Arc::downgrade(stream));
        Ok(())
    }

    /// Lets the thread end at once if no stream is left.
    pub fn nudge(&self) {
        self.emptied.notify_all();
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            state.streams.retain(|s| s.strong_count() > 0);
            if state.streams.is_empty() {
                state.running = false;
                return;
            }
            let streams: Vec<_> = state.streams.iter().filter_map(Weak::upgrade).collect();
            drop(state);
            let stuck = self.renew(&streams);
            // Or the last sender to go would not be seen as gone.
            drop(streams);
            state = self.lock();
            if let Some(e) = stuck.as_ref().filter(|_| !state.stuck) {
                tracing::warn!("there is no graphics device now, trying on: {e}");
            }
            state.stuck = stuck.is_some();
            state = self.emptied.wait_timeout(state, PERIOD).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn renew(&self, streams: &[Arc<Stream>]) -> Option<DeviceError> {
        self.device.notice_removal();
        match self.device.get() {
            Ok(device) => streams.iter().for_each(|stream| stream.renew(&device)),
            Err(e) => return Some(e),
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
