//! The receivers of one stream, as its sender has them.

use super::cdl_message;
use super::gpu::{CLAIM_LIMIT, Sides};
use super::hub::Hub;
use super::message::{
    Frame, FromReceiver, Gone, Hello, INSPECT, MAX_MESSAGE, MessageError, Reason, Release, TIER_IMAGES, TIER_MEMORY,
    VERSION,
};
use super::peer::{Current, Peer};
use super::socket;
use super::vulkan::DeviceIdentity;
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::time::{Duration, Instant};

/// Receivers that a stream takes.
pub(super) const MAX_RECEIVERS: usize = 64;
/// Connections that may be without a HELLO at the same time; one more, and the oldest of them has to go.
const MAX_SILENT: usize = 64;
/// How long a connection may be without a HELLO.
pub(super) const HELLO_PATIENCE: Duration = Duration::from_secs(2);
/// Room in a receiver's queue, doubled by the kernel: some ten FRAMEs, or three SURFACEs. A receiver that does not
/// read keeps no more than that; small, for each unread SURFACE keeps its memory alive.
const QUEUE_BYTES: usize = 4096;
/// Messages taken from one receiver before it is the others' turn.
const MESSAGES_A_TURN: usize = 16;

/// All connections to one stream.
pub(super) struct Peers {
    stream: u64,
    group: Option<u32>,
    list: Vec<Peer>,
    last_id: u64,
}

/// What is to be done with a connection after a message from it.
enum Verdict {
    Keep,
    Close,
    Refuse(Gone),
}

impl Peers {
    /// Receivers of stream number `stream`, of our user and of this group.
    pub(super) fn new(stream: u64, group: Option<u32>) -> Self {
        Peers { stream, group, list: Vec::new(), last_id: 0 }
    }

    /// How many receivers there are.
    pub(super) fn receivers(&self) -> usize {
        self.list.iter().filter(|p| p.greeted).count()
    }

    /// Whether this connection is there and has not sent its HELLO.
    pub(super) fn is_silent(&self, id: u64) -> bool {
        self.list.iter().any(|p| p.id == id && !p.greeted)
    }

    /// Takes a new connection; its number, where it may stay.
    pub(super) fn add(&mut self, hub: &Hub, socket: OwnedFd) -> Option<u64> {
        let socket_fd = socket.as_fd();
        if !socket::Peer::of(socket_fd).is_ok_and(|peer| peer.may_receive(socket_fd, self.group)) {
            let _ = socket::send(&socket, &Gone::new(Reason::NotPermitted, 0).encode(), &[]);
            return None;
        }
        // Not the newcomer: whoever means it says HELLO at once.
        let silent = || self.list.iter().filter(|p| !p.greeted).map(|p| p.id);
        if silent().count() >= MAX_SILENT
            && let Some(oldest) = silent().min()
        {
            self.drop_silent(oldest);
        }
        let _only_saves_memory = rustix::net::sockopt::set_socket_send_buffer_size(&socket, QUEUE_BYTES);
        self.last_id += 1;
        let peer = Peer::new(self.last_id, self.stream, socket);
        if let Err(e) = hub.watch(peer.socket.as_fd(), peer.token()) {
            tracing::warn!("a receiver can't be served: {e}");
            return None;
        }
        self.list.push(peer);
        Some(self.last_id)
    }

    /// Closes a connection whose HELLO never came.
    pub(super) fn drop_silent(&mut self, id: u64) {
        if let Some(at) = self.list.iter().position(|p| p.id == id && !p.greeted) {
            self.refuse(at, Gone::new(Reason::NoHello, HELLO_PATIENCE.as_millis() as u32));
        }
    }

    fn refuse(&mut self, at: usize, gone: Gone) {
        let peer = self.list.swap_remove(at);
        tracing::debug!("a receiver was sent away: {gone:?}");
        let _ = socket::send(&peer.socket, &gone.encode(), &[]);
    }

    /// Does what a connection is ready for.
    pub(super) fn serve(&mut self, hub: &Hub, id: u64, ready: EventFlags, current: &mut Current<'_>) {
        let Some(at) = self.list.iter().position(|p| p.id == id) else { return };
        if ready.contains(EventFlags::OUT) && !self.list[at].pay(hub, current) {
            self.list.swap_remove(at);
            return;
        }
        let mut message = [0; MAX_MESSAGE];
        for _ in 0..MESSAGES_A_TURN {
            let verdict = match socket::receive(&self.list[at].socket, &mut message) {
                Ok(got) if got.length == 0 => Verdict::Close,
                // No message of a receiver's has any. One does no harm; more are no accident.
                Ok(got) if got.descriptors.len() > 1 => Verdict::Refuse(Gone::new(Reason::BadMessage, 0)),
                Ok(got) => self.answer(hub, at, &message[..got.length], current),
                Err(Errno::AGAIN) => return,
                Err(Errno::MSGSIZE) => Verdict::Refuse(Gone::new(Reason::BadMessage, 0)),
                Err(_) => Verdict::Close,
            };
            match verdict {
                Verdict::Keep => {}
                Verdict::Close => {
                    self.list.swap_remove(at);
                    return;
                }
                Verdict::Refuse(gone) => return self.refuse(at, gone),
            }
        }
    }

    fn answer(&mut self, hub: &Hub, at: usize, message: &[u8], current: &mut Current<'_>) -> Verdict {
        match FromReceiver::decode(message) {
            Ok(FromReceiver::Hello(hello)) if !self.list[at].greeted => self.greet(hub, at, &hello, current),
            Ok(FromReceiver::Release(release)) if self.list[at].greeted => self.release(hub, at, &release, current),
            Ok(_) => Verdict::Refuse(Gone::new(Reason::BadMessage, 0)),
            Err(MessageError::Version(_)) => Verdict::Refuse(Gone::new(Reason::OtherVersion, VERSION.into())),
            Err(e) => {
                tracing::debug!("from a receiver: {e}");
                Verdict::Refuse(Gone::new(Reason::BadMessage, 0))
            }
        }
    }

    fn greet(&mut self, hub: &Hub, at: usize, hello: &Hello, current: &mut Current<'_>) -> Verdict {
        if hello.tiers & (TIER_MEMORY | TIER_IMAGES) == 0 {
            return Verdict::Refuse(Gone::new(Reason::NoCommonTier, 0));
        }
        if hello.flags & INSPECT != 0 {
            if let Some((_, surface)) = current.ring() {
                if let Some(cdl) = &current.cdl {
                    let _ = socket::send(&self.list[at].socket, &cdl_message::encode(cdl), &[]);
                }
                let _ = socket::send(&self.list[at].socket, &surface.encode(false), &[]);
            }
            return Verdict::Close;
        }
        if self.receivers() >= MAX_RECEIVERS {
            return Verdict::Refuse(Gone::new(Reason::TooManyReceivers, MAX_RECEIVERS as u32));
        }
        self.list[at].greet(hello);
        if let Some(refusal) = self.list[at].seek_images(hub, current.sides) {
            return Verdict::Refuse(refusal);
        }
        if self.list[at].tell_current(hub, current) { Verdict::Keep } else { Verdict::Close }
    }

    fn release(&mut self, hub: &Hub, at: usize, release: &Release, current: &mut Current<'_>) -> Verdict {
        // The memory ring needs no releases: its sequence lock tells receivers what they may not keep.
        let Some(device) = self.list[at].release(release) else { return Verdict::Keep };
        if let Some(side) = current.sides.of(&device) {
            side.released(self.stream);
        }
        let alive = self.list[at].tell_images(hub, current.sides, current.name);
        if alive { Verdict::Keep } else { Verdict::Close }
    }

    /// Tells all receivers of what is current.
    pub(super) fn tell_current(&mut self, hub: &Hub, current: &mut Current<'_>) {
        self.list.retain_mut(|p| !p.greeted || p.tell_current(hub, current));
    }

    /// Tells all receivers of the memory ring of a new texture in it.
    pub(super) fn tell_ring_frame(&mut self, hub: &Hub, frame: &Frame) {
        let message = frame.encode();
        self.list.retain_mut(|p| p.tell_ring_frame(hub, &message));
    }

    /// Tells a device's receivers of its newest images.
    pub(super) fn tell_images(&mut self, hub: &Hub, device: &DeviceIdentity, sides: &mut Sides, stream: &str) {
        self.list.retain_mut(|p| !p.is_on(device) || p.tell_images(hub, sides, stream));
    }

    /// Whether any receiver gets images of this device.
    pub(super) fn any_on(&self, device: &DeviceIdentity) -> bool {
        self.list.iter().any(|p| p.is_on(device))
    }

    /// Whether any receiver would have images of this device, but has not.
    pub(super) fn any_misses(&self, device: &DeviceIdentity) -> bool {
        self.list.iter().any(|p| p.missed_device().is_some_and(|wanted| device.serves(&wanted)))
    }

    /// The slots of a surface that receivers may be reading, a bit each.
    pub(super) fn claimed(&self, surface: u64) -> u32 {
        self.list.iter().fold(0, |slots, p| slots | p.claimed(surface))
    }

    /// Sends those away who have kept an image of this surface for too long. `true` where there was one; otherwise
    /// when there may be.
    pub(super) fn drop_overdue(&mut self, surface: u64, now: Instant) -> (bool, Option<Instant>) {
        let mut dropped = false;
        while let Some(at) = self.list.iter().position(|p| p.due(surface).is_some_and(|due| due <= now)) {
            self.refuse(at, Gone::new(Reason::HeldTooLong, CLAIM_LIMIT.as_millis() as u32));
            dropped = true;
        }
        (dropped, self.list.iter().filter_map(|p| p.due(surface)).min())
    }

    /// There are no images of this device: for the time being, or, where it has failed, none at all.
    pub(super) fn lose_images(&mut self, hub: &Hub, device: &DeviceIdentity, failed: bool, current: &mut Current<'_>) {
        self.list.retain_mut(|p| {
            let on_ring = if failed { p.take_off(device) } else { p.take_images(device) };
            !on_ring || p.tell_current(hub, current)
        });
    }

    /// Devices have come or gone: whoever would have images may get them now, or never.
    pub(super) fn seek_images(&mut self, hub: &Hub, current: &mut Current<'_>) {
        let mut refused = Vec::new();
        for peer in &mut self.list {
            if peer.seek_images(hub, current.sides).is_some() {
                refused.push(peer.id);
            }
        }
        for id in refused {
            if let Some(at) = self.list.iter().position(|p| p.id == id) {
                self.refuse(at, Gone::new(Reason::NoCommonTier, 0));
            }
        }
    }

    /// Tells all receivers that the stream has ended, and lets them go.
    pub(super) fn end(&mut self) {
        let message = Gone::new(Reason::StreamEnded, 0).encode();
        for peer in self.list.drain(..) {
            let _ = socket::send(&peer.socket, &message, &[]);
        }
    }
}
