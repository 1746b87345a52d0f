//! The devices that a sender uses: listed when a receiver first asks for images, opened when one asks for theirs.

use super::super::hub::Hub;
use super::super::vulkan::{DeviceFacts, DeviceIdentity, GpuError};
use super::driver::Driver;
use super::worker;
use crate::texture::GpuChoice;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How old a list of devices is that is asked for again, when it has not what a receiver wants.
const LIST_AGAIN: Duration = Duration::from_secs(10);

/// How long closing the devices may take: drivers were seen to take a tenth of a second. One that is stuck holds up
/// nobody who wants to end.
const STOP_PATIENCE: Duration = Duration::from_millis(800);

/// All graphics devices, as the streams of one back end use them.
pub(in crate::texture::linux) struct Devices {
    choice: GpuChoice,
    driver: Arc<dyn Driver>,
    hub: Weak<Hub>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stopping: bool,
    known: Known,
    workers: Vec<Arc<Worker>>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
enum Known {
    /// Nobody has wanted images yet.
    #[default]
    Unasked,
    Asking,
    Told(Vec<DeviceFacts>, Instant),
}

/// What a receiver that wants images can have.
pub(in crate::texture::linux) enum Offer {
    /// Images of this device.
    Ready(DeviceUse),
    /// It will be told, through [`Hub::devices_changed`].
    Later,
    /// Nothing.
    Never,
}

/// A device's thread, as others see it.
pub(super) struct Worker {
    pub(super) facts: DeviceFacts,
    pub(super) work: Mutex<Work>,
    pub(super) wake: Condvar,
}

/// What a device's thread has to do.
#[derive(Default)]
pub(super) struct Work {
    pub(super) status: Status,
    pub(super) stopping: bool,
    /// Streams of which something may have to be copied.
    pub(super) news: Vec<u64>,
    /// How many [`DeviceUse`]s there are.
    pub(super) users: usize,
}

/// How a device is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Status {
    /// It is being opened, for the first time or after a failure.
    #[default]
    Opening,
    Ready,
    /// It will never share images.
    Unsuited,
    /// Nobody needs it any more, and it was closed.
    Closed,
}

impl Worker {
    pub(super) fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A device that stays open while this exists.
pub(in crate::texture::linux) struct DeviceUse {
    worker: Arc<Worker>,
}

impl DeviceUse {
    pub(in crate::texture::linux) fn identity(&self) -> DeviceIdentity {
        self.worker.facts.identity
    }

    /// Has the device's thread look at a stream. Allocates nothing once all streams were named.
    pub(in crate::texture::linux) fn notify(&self, stream: u64) {
        let mut work = self.worker.work();
        if !work.news.contains(&stream) {
            work.news.push(stream);
            self.worker.wake.notify_one();
        }
    }
}

impl Drop for DeviceUse {
    fn drop(&mut self) {
        self.worker.work().users -= 1;
        self.worker.wake.notify_one();
    }
}

impl Devices {
    pub(in crate::texture::linux) fn new(choice: GpuChoice, driver: Arc<dyn Driver>, hub: Weak<Hub>) -> Self {
        Devices { choice, driver, hub, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is for a receiver on this device. Never takes long.
    pub(in crate::texture::linux) fn offer(&self, wanted: &DeviceIdentity) -> Offer {
        if self.choice == GpuChoice::Off || !wanted.is_known() {
            return Offer::Never;
        }
        let mut state = self.state();
        if state.stopping {
            return Offer::Never;
        }
        let listed = match &state.known {
            Known::Asking => return Offer::Later,
            Known::Unasked => None,
            Known::Told(devices, at) => {
                let serves = |d: &&DeviceFacts| self.choice.allows(d.index, &d.name) && d.identity.serves(wanted);
                match devices.iter().find(serves) {
                    Some(facts) => Some(facts.clone()),
                    None if at.elapsed() < LIST_AGAIN => return Offer::Never,
                    None => None,
                }
            }
        };
        match listed {
            Some(facts) => self.offer_device(&mut state, facts),
            None => self.list(&mut state),
        }
    }

    fn offer_device(&self, state: &mut State, facts: DeviceFacts) -> Offer {
        let same = |w: &&Arc<Worker>| w.facts.identity == facts.identity && w.work().status != Status::Closed;
        if let Some(worker) = state.workers.iter().find(same) {
            let mut work = worker.work();
            return match work.status {
                Status::Ready => {
                    work.users += 1;
                    Offer::Ready(DeviceUse { worker: worker.clone() })
                }
                Status::Opening => Offer::Later,
                Status::Unsuited | Status::Closed => Offer::Never,
            };
        }
        state.workers.retain(|w| w.work().status != Status::Closed);
        let worker = Arc::new(Worker { facts, work: Mutex::default(), wake: Condvar::new() });
        let (driver, hub, its) = (self.driver.clone(), self.hub.clone(), worker.clone());
        match start(state, "vglb-gpu", move || worker::run(&its, &*driver, &hub)) {
            Offer::Later => state.workers.push(worker),
            other => return other,
        }
        Offer::Later
    }

    /// Finds out, in a thread of its own, what devices there are.
    fn list(&self, state: &mut State) -> Offer {
        let (driver, hub) = (self.driver.clone(), self.hub.clone());
        let offer = start(state, "vglb-gpu-list", move || {
            let devices = driver.devices().unwrap_or_else(|why| {
                tracing::info!("textures are shared through memory, and not through graphics devices: {why}");
                Vec::new()
            });
            if let Some(hub) = hub.upgrade() {
                hub.devices().state().known = Known::Told(devices, Instant::now());
                hub.devices_changed();
            }
        });
        if let Offer::Later = offer {
            state.known = Known::Asking;
        }
        offer
    }

    /// Closes all devices, and waits for that; not for one that does not answer any more.
    pub(in crate::texture::linux) fn stop(&self) {
        let threads = {
            let mut state = self.state();
            state.stopping = true;
            for worker in &state.workers {
                worker.work().stopping = true;
                worker.wake.notify_one();
            }
            std::mem::take(&mut state.threads)
        };
        let until = Instant::now() + STOP_PATIENCE;
        for thread in threads {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                let _ = thread.join();
            } else {
                tracing::warn!("a graphics device does not answer, and is left to itself");
            }
        }
    }
}

/// Starts a thread whose end will be waited for; `Later` where that went well.
fn start(state: &mut State, name: &str, job: impl FnOnce() + Send + 'static) -> Offer {
    state.threads.retain(|thread| !thread.is_finished());
    match std::thread::Builder::new().name(name.into()).spawn(job) {
        Ok(thread) => {
            state.threads.push(thread);
            Offer::Later
        }
        Err(e) => {
            tracing::warn!("no thread for a graphics device: {e}");
            Offer::Never
        }
    }
}

/// Says in the log why a device is not used.
pub(super) fn complain(facts: &DeviceFacts, why: &GpuError) {
    tracing::warn!("textures are not shared through {}: {why}", facts.name);
}
