//! The thread that serves every receiver of every stream: it accepts connections, answers HELLOs, tells slow receivers
//! of surfaces later, notices those that hang up, and puts sockets back that somebody deleted.
//!
//! Textures do not go through it: who publishes one rings the receivers himself. With nothing to do it sleeps in
//! `epoll_wait`, without a time limit.

use super::gpu::{Devices, Driver};
use super::name::SUFFIX;
use super::peers::HELLO_PATIENCE;
use super::restarts::Restarts;
use super::socket::timespec;
use super::stream::{Accepted, Stream};
use super::vulkan::DeviceIdentity;
use crate::pulse::Pulse;
use crate::texture::{GpuChoice, TextureError};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::inotify;
use rustix::io::{Errno, retry_on_intr};
use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long no connection is accepted after the process was found to be out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long after a socket was deleted it is put back: whoever deletes a directory shall get to its end.
const REANNOUNCE_DELAY: Duration = Duration::from_millis(100);
/// How long the hub pauses when the kernel has no memory for a message.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(10);

/// What an event is about: a stream and one of its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token(u64);

const PEER_BITS: u32 = 40;
const WAKE: Token = Token(0);
const DELETIONS: Token = Token(1);

impl Token {
    /// Connection number `peer`, from 1, of stream number `stream`, from 1.
    pub(super) fn peer(stream: u64, peer: u64) -> Token {
        Token(stream << PEER_BITS | peer)
    }

    /// The listening socket of a stream.
    pub(super) fn listener(stream: u64) -> Token {
        Token(stream << PEER_BITS)
    }

    fn stream(self) -> u64 {
        self.0 >> PEER_BITS
    }

    /// `None`: the listening socket.
    fn connection(self) -> Option<u64> {
        Some(self.0 & ((1 << PEER_BITS) - 1)).filter(|peer| *peer != 0)
    }
}

/// What the thread waits on, and the streams it serves.
pub(super) struct Hub {
    epoll: OwnedFd,
    wake: OwnedFd,
    /// Tells of deleted sockets; `None` where the system has no more of these, and then nobody puts them back.
    deletions: Option<OwnedFd>,
    streams: Mutex<HashMap<u64, Arc<Stream>>>,
    last_stream: AtomicU64,
    devices: Devices,
    restarts: Arc<Restarts>,
    pulse: Pulse,
    stopping: AtomicBool,
    shortage: AtomicBool,
}

/// The running hub. Dropping it stops the thread and waits for its end.
pub(super) struct HubThread {
    hub: Arc<Hub>,
    thread: Option<JoinHandle<()>>,
}

impl HubThread {
    /// With the graphics devices that `choice` allows, and `driver` has.
    pub(super) fn start(
        choice: &GpuChoice,
        driver: &Arc<dyn Driver>,
        restarts: &Arc<Restarts>,
    ) -> Result<Self, TextureError> {
        let failed = |e: Errno| TextureError::io("setting up the service of receivers", e);
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(failed)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(failed)?;
        let deletions = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)
            .inspect_err(|e| tracing::debug!("sockets that somebody deletes will not be put back: {e}"))
            .ok();
        let hub = Arc::new_cyclic(|hub| Hub {
            epoll,
            wake,
            deletions,
            streams: Mutex::default(),
            last_stream: AtomicU64::new(0),
            devices: Devices::new(choice.clone(), driver.clone(), hub.clone()),
            restarts: restarts.clone(),
            pulse: Pulse::default(),
            stopping: AtomicBool::new(false),
            shortage: AtomicBool::new(false),
        });
        hub.watch(hub.wake.as_fd(), WAKE).map_err(failed)?;
        if let Some(deletions) = &hub.deletions {
            hub.watch(deletions.as_fd(), DELETIONS).map_err(failed)?;
        }
        let served = hub.clone();
        let thread = std::thread::Builder::new()
            .name("vglb-receivers".into())
            .spawn(move || Service { hub: &served, timers: Vec::new() }.run())
            .map_err(|e| TextureError::io("starting the service of receivers", e))?;
        Ok(HubThread { hub, thread: Some(thread) })
    }

    pub(super) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }
}

impl Drop for HubThread {
    fn drop(&mut self) {
        self.hub.stopping.store(true, Ordering::Release);
        self.hub.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.hub.devices.stop();
    }
}

impl Hub {
    fn streams(&self) -> MutexGuard<'_, HashMap<u64, Arc<Stream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn new_stream_id(&self) -> u64 {
        self.last_stream.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn add(&self, stream: Arc<Stream>) {
        self.streams().insert(stream.id(), stream);
    }

    pub(super) fn remove(&self, stream: &Stream) {
        self.streams().remove(&stream.id());
    }

    fn stream(&self, token: Token) -> Option<Arc<Stream>> {
        self.stream_with(token.stream())
    }

    pub(super) fn stream_with(&self, id: u64) -> Option<Arc<Stream>> {
        self.streams().get(&id).cloned()
    }

    fn all_streams(&self) -> Vec<Arc<Stream>> {
        self.streams().values().cloned().collect()
    }

    /// Where it is counted what has begun again.
    pub(super) fn restarts(&self) -> &Restarts {
        &self.restarts
    }

    pub(super) fn devices(&self) -> &Devices {
        &self.devices
    }

    /// A graphics device has failed.
    pub(super) fn device_failed(&self, device: &DeviceIdentity) {
        self.all_streams().iter().for_each(|stream| stream.device_failed(device));
    }

    /// What [`Devices::offer`] says may be something else now.
    pub(super) fn devices_changed(&self) {
        self.all_streams().iter().for_each(|stream| stream.devices_changed());
    }

    /// Whether any receiver would have images of this device.
    pub(super) fn wants_device(&self, device: &DeviceIdentity) -> bool {
        self.all_streams().iter().any(|stream| stream.wants_device(device))
    }

    /// Wants to know when there is something to receive or to accept. Closing the descriptor ends it.
    pub(super) fn watch(&self, fd: BorrowedFd<'_>, token: Token) -> Result<(), Errno> {
        epoll::add(&self.epoll, fd, EventData::new_u64(token.0), EventFlags::IN)
    }

    /// Wants to know `also` about a descriptor that is watched. `false` where that can't be.
    pub(super) fn rewatch(&self, fd: BorrowedFd<'_>, token: Token, also: EventFlags) -> bool {
        epoll::modify(&self.epoll, fd, EventData::new_u64(token.0), EventFlags::IN | also).is_ok()
    }

    fn pause_accepting(&self, stream: &Stream, pause: bool) {
        let wanted = if pause { EventFlags::empty() } else { EventFlags::IN };
        stream.with_listener(|listener| {
            let data = EventData::new_u64(Token::listener(stream.id()).0);
            let _ = epoll::modify(&self.epoll, listener, data, wanted);
        });
    }

    /// Wants to know when something in this directory is deleted.
    pub(super) fn watch_deletions(&self, directory: &Path) {
        use inotify::WatchFlags as W;
        if let Some(deletions) = &self.deletions {
            let what = W::DELETE | W::MOVED_FROM | W::DELETE_SELF | W::MOVE_SELF | W::ONLYDIR;
            if let Err(e) = inotify::add_watch(deletions, directory, what) {
                tracing::debug!("can't watch {}: {e}", directory.display());
            }
        }
    }

    fn wake(&self) {
        let _ = retry_on_intr(|| rustix::io::write(&self.wake, &1u64.to_ne_bytes()));
    }

    /// Whether the thread still serves receivers, found out within `patience`.
    pub(super) fn responds(&self, patience: Duration) -> bool {
        self.pulse.ask(patience, || self.wake())
    }

    /// The kernel had no memory for a message that must not be lost: the next attempt shall not come at once.
    pub(super) fn note_shortage(&self) {
        self.shortage.store(true, Ordering::Relaxed);
    }
}

/// What is to be done at a certain time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    DropSilent(Token),
    AcceptAgain(Token),
    Reannounce,
}

/// The thread's own state.
struct Service<'a> {
    hub: &'a Hub,
    timers: Vec<(Instant, Task)>,
}

impl Service<'_> {
    fn run(&mut self) {
        let mut room = [const { MaybeUninit::<Event>::uninit() }; 64];
        loop {
            let timeout = self.next_timer().map(|at| timespec(at.saturating_duration_since(Instant::now())));
            let events = match epoll::wait(&self.hub.epoll, &mut room, timeout.as_ref()) {
                Ok((events, _)) => events,
                Err(Errno::INTR) => continue,
                Err(e) => {
                    tracing::error!("receivers are no longer served: epoll_wait: {e}");
                    return;
                }
            };
            if self.hub.stopping.load(Ordering::Acquire) {
                return;
            }
            for event in events {
                self.handle(Token(event.data.u64()), event.flags);
            }
            self.run_timers();
            self.hub.pulse.answer();
            if self.hub.shortage.swap(false, Ordering::Relaxed) {
                std::thread::sleep(SHORTAGE_PAUSE);
            }
        }
    }

    fn handle(&mut self, token: Token, ready: EventFlags) {
        match token {
            WAKE => {
                let _ = rustix::io::read(&self.hub.wake, &mut [0; 8]);
            }
            DELETIONS => self.note_deletions(),
            // A stream or a connection that is not there any more had its event on the way.
            _ => {
                let Some(stream) = self.hub.stream(token) else { return };
                match token.connection() {
                    Some(peer) => stream.serve(peer, ready),
                    None => self.accept(&stream),
                }
            }
        }
    }

    fn accept(&mut self, stream: &Stream) {
        match stream.accept() {
            Accepted::Connection(Some(peer)) => {
                let token = Token::peer(stream.id(), peer);
                self.timers.push((Instant::now() + HELLO_PATIENCE, Task::DropSilent(token)));
            }
            Accepted::Connection(None) | Accepted::Nothing => {}
            Accepted::Exhausted(e) => {
                tracing::warn!("no receiver can be accepted for {ACCEPT_PAUSE:?}: {e}");
                self.hub.pause_accepting(stream, true);
                let again = Task::AcceptAgain(Token::listener(stream.id()));
                self.timers.push((Instant::now() + ACCEPT_PAUSE, again));
            }
        }
    }

    fn note_deletions(&mut self) {
        let Some(deletions) = &self.hub.deletions else { return };
        let mut room = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(deletions, &mut room);
        let mut concerns_us = false;
        while let Ok(event) = events.next() {
            // Without a name: the directory itself. What exactly is gone is found out by looking.
            concerns_us |= event.file_name().is_none_or(|file| file.to_bytes().ends_with(SUFFIX.as_bytes()));
        }
        if concerns_us && !self.timers.iter().any(|(_, task)| *task == Task::Reannounce) {
            self.timers.push((Instant::now() + REANNOUNCE_DELAY, Task::Reannounce));
        }
    }

    /// When the next thing is due. Forgets what is due no more, so that nobody wakes up for it.
    fn next_timer(&mut self) -> Option<Instant> {
        let hub = self.hub;
        self.timers.retain(|(_, task)| match task {
            Task::DropSilent(token) => {
                hub.stream(*token).zip(token.connection()).is_some_and(|(stream, peer)| stream.is_silent(peer))
            }
            Task::AcceptAgain(_) | Task::Reannounce => true,
        });
        self.timers.iter().map(|(at, _)| *at).min()
    }

    fn run_timers(&mut self) {
        let now = Instant::now();
        while let Some(due) = self.timers.iter().position(|(at, _)| *at <= now) {
            let (_, task) = self.timers.swap_remove(due);
            match task {
                Task::DropSilent(token) => {
                    if let Some((stream, peer)) = self.hub.stream(token).zip(token.connection()) {
                        stream.drop_silent(peer);
                    }
                }
                Task::AcceptAgain(token) => {
                    if let Some(stream) = self.hub.stream(token) {
                        self.hub.pause_accepting(&stream, false);
                    }
                }
                Task::Reannounce => {
                    self.hub.all_streams().iter().for_each(|stream| stream.announce_again());
                }
            }
        }
    }
}
