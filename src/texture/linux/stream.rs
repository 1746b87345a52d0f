//! One stream, shared by its sender, its writers and the hub: its rings, its receivers and its socket.

mod images;
mod newest;

use super::directory::{Claim, Directory};
use super::gpu::Sides;
use super::hub::{Hub, Token};
use super::location::Location;
use super::message::{Frame, Stamp};
use super::peer::Current;
use super::peers::Peers;
use super::ring::SlotLease;
use super::surfaces::{Published, Surfaces};
use crate::hald::{Texel, TextureShape};
use crate::lut::Cdl;
use crate::memory_limit::MemoryLimit;
use crate::texture::TextureError;
use rustix::event::epoll::EventFlags;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::net::SocketFlags;
use rustix::time::{ClockId, clock_gettime};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a stream whose socket could not be put back goes without another attempt.
const ANNOUNCE_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Stream {
    id: u64,
    name: String,
    directory: Location,
    memory: MemoryLimit,
    hub: Arc<Hub>,
    /// Held for as long as a few system calls take: never while texels are written, save those of a writer that had
    /// found no slot.
    state: Mutex<State>,
}

struct State {
    ended: bool,
    /// The stream's socket. `None` before the first texture, and while a deleted one can't be put back.
    claim: Option<Claim>,
    announce_not_before: Option<Instant>,
    newest: Stamp,
    cdl: Option<Cdl>,
    surfaces: Surfaces,
    /// The newest texture on graphics devices, where receivers want it there.
    sides: Sides,
    peers: Peers,
}

/// A finished texture.
pub(super) enum Finished<'a> {
    InSlot(SlotLease),
    /// With what its memory counts against.
    Elsewhere(TextureShape, &'a [Texel], &'a MemoryLimit),
}

/// What came of an attempt to accept a connection.
pub(super) enum Accepted {
    /// A connection, and its number where it may stay.
    Connection(Option<u64>),
    Nothing,
    /// The process, or the system, has no room for another connection.
    Exhausted(Errno),
}

impl Stream {
    pub(super) fn new(name: &str, directory: &Location, memory: &MemoryLimit, hub: &Arc<Hub>) -> Arc<Self> {
        let id = hub.new_stream_id();
        let state = State {
            ended: false,
            claim: None,
            announce_not_before: None,
            newest: Stamp::default(),
            cdl: None,
            surfaces: Surfaces::default(),
            sides: Sides::default(),
            peers: Peers::new(id, directory.group),
        };
        let (name, directory, hub) = (name.to_owned(), directory.clone(), hub.clone());
        Arc::new(Stream { id, name, directory, memory: memory.clone(), hub, state: Mutex::new(state) })
    }

    pub(super) fn memory(&self) -> &MemoryLimit {
        &self.memory
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn receivers(&self) -> usize {
        self.state().peers.receivers()
    }

    /// The newest CDL values.
    pub(super) fn set_cdl(&self, cdl: Cdl) {
        self.state().cdl = Some(cdl);
    }

    /// A slot to write a texture into, whose memory counts against `memory`; `None` where all are taken.
    pub(super) fn lease(&self, shape: TextureShape, memory: &MemoryLimit) -> Result<Option<SlotLease>, TextureError> {
        let mut state = self.state();
        if state.ended {
            return Err(TextureError::Ended);
        }
        let watched = state.peers.receivers() > 0;
        state.surfaces.lease(shape, watched, memory)
    }

    /// A texture was given up: memory that was for it alone goes.
    pub(super) fn let_idle_go(&self) {
        self.state().surfaces.let_idle_go();
    }

    /// Makes a texture the newest, and returns its revision once every receiver that looks sees it.
    pub(super) fn publish(&self, texture: Finished<'_>) -> Result<u64, TextureError> {
        let mut guard = self.state();
        let state = &mut *guard;
        if state.ended {
            return Err(TextureError::Ended);
        }
        self.announce(state)?;
        let lease = match texture {
            Finished::InSlot(lease) => lease,
            Finished::Elsewhere(shape, texels, memory) => state.surfaces.lease_for_copy(shape, texels, memory)?,
        };
        let stamp = Stamp {
            revision: state.newest.revision + 1,
            monotonic_ns: nanoseconds(ClockId::Monotonic),
            realtime_ns: nanoseconds(ClockId::Realtime),
        };
        let Published { surface, slot, superseded } = state.surfaces.publish(lease, stamp)?;
        let first = state.newest.revision == 0;
        state.newest = stamp;
        if first || superseded.is_some() {
            let (peers, mut current) = self.current(state);
            peers.tell_current(&self.hub, &mut current);
            // Last: a receiver that sees this knows that the message is on its way.
            if let Some(before) = superseded {
                before.supersede(surface);
            }
        } else {
            state.peers.tell_ring_frame(&self.hub, &Frame { surface, stamp, slot: slot as u32 });
        }
        state.sides.notify(self.id);
        Ok(stamp.revision)
    }

    /// Sees to it that receivers find the stream.
    fn announce(&self, state: &mut State) -> Result<(), TextureError> {
        if state.claim.is_some() || state.announce_not_before.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        match self.claim() {
            Ok(claim) => {
                state.claim = Some(claim);
                Ok(())
            }
            Err(e) if state.newest.revision == 0 => Err(e),
            Err(e) => {
                // The receivers that it has get their textures all the same.
                tracing::warn!("new receivers can't find the stream {:?}: {e}", self.name);
                state.announce_not_before = Some(Instant::now() + ANNOUNCE_PAUSE);
                Ok(())
            }
        }
    }

    fn claim(&self) -> Result<Claim, TextureError> {
        let directory = Directory::create(&self.directory)?;
        self.hub.watch_deletions(directory.path());
        let claim = directory.claim(&self.name)?;
        self.hub
            .watch(claim.listener(), Token::listener(self.id))
            .map_err(|e| TextureError::io(format!("serving the stream {:?}", self.name), e))?;
        Ok(claim)
    }

    /// Puts the stream's socket back, where somebody has deleted it.
    pub(super) fn announce_again(&self) {
        let mut state = self.state();
        if state.claim.as_ref().is_none_or(Claim::is_in_place) {
            return;
        }
        tracing::info!("the socket of the stream {:?} was deleted; putting it back", self.name);
        state.claim = None;
        let _warned = self.announce(&mut state);
        if state.claim.is_some() {
            self.hub.restarts().socket();
        }
    }

    /// Accepts one connection.
    pub(super) fn accept(&self) -> Accepted {
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(claim) = &state.claim else { return Accepted::Nothing };
        match rustix::net::accept_with(claim.listener(), SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok(socket) => Accepted::Connection(state.peers.add(&self.hub, socket)),
            Err(e @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS)) => Accepted::Exhausted(e),
            Err(_) => Accepted::Nothing,
        }
    }

    pub(super) fn with_listener(&self, f: impl FnOnce(BorrowedFd<'_>)) {
        if let Some(claim) = &self.state().claim {
            f(claim.listener());
        }
    }

    /// Does what a receiver's connection is ready for.
    pub(super) fn serve(&self, peer: u64, ready: EventFlags) {
        let mut guard = self.state();
        let (peers, mut current) = self.current(&mut guard);
        peers.serve(&self.hub, peer, ready, &mut current);
        current.sides.note_departures(self.id, |device| peers.any_on(device));
    }

    /// The receivers, and what they are told of.
    fn current<'a>(&'a self, state: &'a mut State) -> (&'a mut Peers, Current<'a>) {
        let State { surfaces, peers, sides, newest, cdl, .. } = state;
        (peers, Current { name: &self.name, newest: *newest, cdl: *cdl, surfaces, sides })
    }

    pub(super) fn is_silent(&self, peer: u64) -> bool {
        self.state().peers.is_silent(peer)
    }

    pub(super) fn drop_silent(&self, peer: u64) {
        self.state().peers.drop_silent(peer);
    }

    /// Ends the stream: receivers are told, the socket and the memory go.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        // The name first: whoever reconnects at once shall not find the old socket.
        state.claim = None;
        state.peers.end();
        state.surfaces = Surfaces::default();
        // Their threads find it gone, and drop the images.
        state.sides.notify(self.id);
        state.sides = Sides::default();
    }
}

fn nanoseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
