//! A device's thread: it opens the device, copies new textures into its images, and tells the receivers.
//!
//! Publishing never waits for it: it is woken, takes the newest texture of each stream from the memory ring, and has
//! missed those that came while it was busy. A device that fails is dropped, with all that belongs to it; the streams
//! go on through memory, and it is opened anew after a while.

use super::super::hub::Hub;
use super::super::stream::Stream;
use super::super::vulkan::{DeviceIdentity, GpuError};
use super::devices::{Status, Work, Worker, complain};
use super::driver::{Driver, Images, OpenDevice};
use super::side::{Copy, Fresh, Next};
use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long a device that nobody uses stays open.
const LINGER: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 30_000 });
/// How long after its first failure a device is tried again. Doubled each time.
const RETRY_FIRST: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 1000 });
/// The longest such pause.
const RETRY_LAST: Duration = Duration::from_secs(60);
/// When images are tried again that a device could not make: it may have been short of memory.
const MAKE_AGAIN: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 15_000 });
/// How long a device may take for a copy.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a device's thread stops to serve.
enum End {
    Stopped,
    Unused,
    Failed(GpuError),
}

/// The thread.
pub(super) fn run(worker: &Arc<Worker>, driver: &dyn Driver, hub: &Weak<Hub>) {
    let mut pause = RETRY_FIRST;
    let mut failed = false;
    loop {
        let end = match driver.open(&worker.facts) {
            Ok(device) => {
                tracing::info!("sharing textures through {} ({})", worker.facts.name, worker.facts.driver);
                if std::mem::take(&mut failed)
                    && let Some(hub) = hub.upgrade()
                {
                    hub.restarts().device();
                }
                set_status(worker, hub, Status::Ready);
                let began = Instant::now();
                let end = Service::new(worker, hub, &*device).serve();
                if began.elapsed() > RETRY_LAST {
                    pause = RETRY_FIRST;
                }
                end
            }
            Err(e) => End::Failed(e),
        };
        match end {
            End::Stopped | End::Unused => return,
            End::Failed(why) => {
                complain(&worker.facts, &why);
                failed = true;
                let unsuited = matches!(why, GpuError::Unsuited { .. });
                set_status(worker, hub, if unsuited { Status::Unsuited } else { Status::Opening });
                if unsuited || !rest(worker, hub, pause) {
                    return;
                }
                pause = (pause * 2).min(RETRY_LAST);
            }
        }
    }
}

/// Tells the streams how the device is from now on.
fn set_status(worker: &Worker, hub: &Weak<Hub>, status: Status) {
    {
        let mut work = worker.work();
        work.status = status;
        work.news.clear();
    }
    if let Some(hub) = hub.upgrade() {
        if status != Status::Ready {
            hub.device_failed(&worker.facts.identity);
        }
        hub.devices_changed();
    }
}

/// Waits before the device is tried again. `false` where nobody wants that any more.
fn rest(worker: &Worker, hub: &Weak<Hub>, pause: Duration) -> bool {
    let until = Instant::now() + pause;
    let mut work = worker.work();
    while !work.stopping && Instant::now() < until {
        work = wait(worker, work, Some(until));
    }
    if work.stopping {
        return false;
    }
    drop(work);
    let wanted = |hub: Arc<Hub>| hub.wants_device(&worker.facts.identity);
    let goes_on = hub.upgrade().is_some_and(wanted);
    if !goes_on {
        worker.work().status = Status::Closed;
    }
    goes_on
}

fn wait<'a>(worker: &'a Worker, work: MutexGuard<'a, Work>, until: Option<Instant>) -> MutexGuard<'a, Work> {
    match until {
        None => worker.wake.wait(work).unwrap_or_else(PoisonError::into_inner),
        Some(at) => {
            let left = at.saturating_duration_since(Instant::now());
            worker.wake.wait_timeout(work, left).unwrap_or_else(PoisonError::into_inner).0
        }
    }
}

/// An open device at work.
struct Service<'a> {
    worker: &'a Worker,
    hub: &'a Weak<Hub>,
    device: &'a dyn OpenDevice,
    /// The images of each stream, and of which surface they are.
    images: HashMap<u64, Box<dyn Images>>,
    /// Streams to look at again, and when.
    timers: Vec<(Instant, u64)>,
    /// Streams to look at now; and the copies that were started. Kept for their memory.
    turn: Vec<u64>,
    started: Vec<(Arc<Stream>, Copy)>,
}

impl<'a> Service<'a> {
    fn new(worker: &'a Worker, hub: &'a Weak<Hub>, device: &'a dyn OpenDevice) -> Self {
        let (images, timers, turn, started) = Default::default();
        Service { worker, hub, device, images, timers, turn, started }
    }

    fn identity(&self) -> &'a DeviceIdentity {
        &self.worker.facts.identity
    }

    fn serve(&mut self) -> End {
        loop {
            if let Some(end) = self.wait_for_work() {
                return end;
            }
            if let Err(e) = self.work() {
                return End::Failed(e);
            }
        }
    }

    /// Fills `turn`.
    fn wait_for_work(&mut self) -> Option<End> {
        let mut unused_until = None;
        let mut work = self.worker.work();
        loop {
            if work.stopping {
                return Some(End::Stopped);
            }
            let now = Instant::now();
            std::mem::swap(&mut work.news, &mut self.turn);
            let turn = &mut self.turn;
            self.timers.retain(|(at, stream)| {
                let due = *at <= now;
                if due && !turn.contains(stream) {
                    turn.push(*stream);
                }
                !due
            });
            if !self.turn.is_empty() {
                return None;
            }
            let mut until = self.timers.iter().map(|(at, _)| *at).min();
            if work.users == 0 {
                let closing = *unused_until.get_or_insert(now + LINGER);
                if now >= closing {
                    // Under the lock, so that nobody begins to use it meanwhile.
                    work.status = Status::Closed;
                    return Some(End::Unused);
                }
                until = Some(until.map_or(closing, |at| at.min(closing)));
            } else {
                unused_until = None;
            }
            work = wait(self.worker, work, until);
        }
    }

    /// Copies what is new of the streams in `turn`: all copies are started, then each is waited for.
    fn work(&mut self) -> Result<(), GpuError> {
        let Some(hub) = self.hub.upgrade() else { return Ok(()) };
        let mut turn = std::mem::take(&mut self.turn);
        for stream in turn.drain(..) {
            self.start(&hub, stream)?;
        }
        self.turn = turn;
        let mut started = std::mem::take(&mut self.started);
        for (stream, copy) in started.drain(..) {
            let Some(images) = self.images.get_mut(&stream.id()) else { continue };
            images.finish(PATIENCE)?;
            let made = || Fresh { description: images.description(), handles: images.handles() };
            let fresh = copy.fresh.map(|_| made());
            stream.copied(self.identity(), &copy, fresh);
        }
        self.started = started;
        Ok(())
    }

    fn start(&mut self, hub: &Hub, id: u64) -> Result<(), GpuError> {
        let Some(stream) = hub.stream_with(id) else {
            self.images.remove(&id);
            return Ok(());
        };
        match stream.next_copy(self.identity()) {
            Next::Nothing => {}
            Next::Unused => {
                self.images.remove(&id);
            }
            Next::Wait(until) => {
                self.timers.retain(|(_, stream)| *stream != id);
                self.timers.push((until, id));
            }
            Next::Copy(texture, copy) => {
                if let Some(count) = copy.fresh {
                    self.images.remove(&id);
                    match self.device.make(texture.shape(), count) {
                        Ok(images) => self.images.insert(id, images),
                        Err(e @ GpuError::Lost(_)) => return Err(e),
                        Err(e) => {
                            complain(&self.worker.facts, &e);
                            let too_large = matches!(e, GpuError::TooLarge { .. });
                            let again = (!too_large).then(|| Instant::now() + MAKE_AGAIN);
                            stream.images_refused(self.identity(), texture.shape(), again);
                            // For the timer, where there is to be one.
                            drop(texture);
                            return self.start(hub, id);
                        }
                    };
                }
                if let Some(images) = self.images.get_mut(&id) {
                    images.start(copy.slot, texture.texels())?;
                    drop(texture);
                    self.started.push((stream, copy));
                }
            }
        }
        Ok(())
    }
}
