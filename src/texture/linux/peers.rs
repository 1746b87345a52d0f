//! The receivers of one stream, as its sender has them.

use super::hub::{Hub, Token};
use super::message::{
    Frame, FromReceiver, Gone, Hello, INSPECT, MAX_MESSAGE, MessageError, Reason, Surface, TIER_MEMORY, VERSION,
};
use super::socket;
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::time::Duration;

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

/// What every receiver is told when it comes, or when the surface changes.
pub(super) struct Current<'a> {
    pub surface: &'a Surface,
    pub memory: BorrowedFd<'a>,
}

/// All connections to one stream.
pub(super) struct Peers {
    stream: u64,
    list: Vec<Peer>,
    last_id: u64,
}

struct Peer {
    id: u64,
    socket: OwnedFd,
    /// Whether its HELLO has come and was answered.
    greeted: bool,
    /// Whether it has still to be told of the current surface, once it has read what it was told before.
    owed: bool,
}

/// What is to be done with a connection after a message from it.
enum Verdict {
    Keep,
    Close,
    Refuse(Gone),
}

impl Peers {
    pub(super) fn new(stream: u64) -> Self {
        Peers { stream, list: Vec::new(), last_id: 0 }
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
        if !socket::Peer::of(socket.as_fd()).is_ok_and(|peer| peer.is_admitted()) {
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
        let peer = Peer { id: self.last_id, socket, greeted: false, owed: false };
        if let Err(e) = hub.watch(peer.socket.as_fd(), Token::peer(self.stream, peer.id)) {
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
    pub(super) fn serve(&mut self, hub: &Hub, id: u64, ready: EventFlags, current: Option<&Current<'_>>) {
        let Some(at) = self.list.iter().position(|p| p.id == id) else { return };
        if ready.contains(EventFlags::OUT) && self.list[at].owed {
            let Some(current) = current else { return };
            let token = Token::peer(self.stream, id);
            if !self.list[at].tell_surface(hub, token, current) {
                self.list.swap_remove(at);
                return;
            }
        }
        let mut message = [0; MAX_MESSAGE];
        for _ in 0..MESSAGES_A_TURN {
            let verdict = match socket::receive(&self.list[at].socket, &mut message) {
                Ok(got) if got.length == 0 => Verdict::Close,
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

    fn answer(&mut self, hub: &Hub, at: usize, message: &[u8], current: Option<&Current<'_>>) -> Verdict {
        match FromReceiver::decode(message) {
            Ok(FromReceiver::Hello(hello)) if !self.list[at].greeted => self.greet(hub, at, &hello, current),
            // The ring needs no releases: its sequence lock tells receivers what they may not keep.
            Ok(FromReceiver::Release(_)) if self.list[at].greeted => Verdict::Keep,
            Ok(_) => Verdict::Refuse(Gone::new(Reason::BadMessage, 0)),
            Err(MessageError::Version(_)) => Verdict::Refuse(Gone::new(Reason::OtherVersion, VERSION.into())),
            Err(e) => {
                tracing::debug!("from a receiver: {e}");
                Verdict::Refuse(Gone::new(Reason::BadMessage, 0))
            }
        }
    }

    fn greet(&mut self, hub: &Hub, at: usize, hello: &Hello, current: Option<&Current<'_>>) -> Verdict {
        if hello.tiers & TIER_MEMORY == 0 {
            return Verdict::Refuse(Gone::new(Reason::NoCommonTier, 0));
        }
        if hello.flags & INSPECT != 0 {
            if let Some(current) = current {
                let _ = socket::send(&self.list[at].socket, &current.surface.encode(false), &[]);
            }
            return Verdict::Close;
        }
        if self.receivers() >= MAX_RECEIVERS {
            return Verdict::Refuse(Gone::new(Reason::TooManyReceivers, MAX_RECEIVERS as u32));
        }
        let peer = &mut self.list[at];
        peer.greeted = true;
        let token = Token::peer(self.stream, peer.id);
        match current {
            Some(current) if !peer.tell_surface(hub, token, current) => Verdict::Close,
            _ => Verdict::Keep,
        }
    }

    /// Tells all receivers of the current surface.
    pub(super) fn tell_surface(&mut self, hub: &Hub, current: &Current<'_>) {
        let stream = self.stream;
        self.list.retain_mut(|p| !p.greeted || p.tell_surface(hub, Token::peer(stream, p.id), current));
    }

    /// Tells all receivers of a new texture on the current surface.
    pub(super) fn tell_frame(&mut self, hub: &Hub, frame: &Frame) {
        let (stream, message) = (self.stream, frame.encode());
        self.list.retain_mut(|p| {
            // Whoever is owed a surface learns of the newest texture with it.
            if !p.greeted || p.owed {
                return true;
            }
            match socket::send(&p.socket, &message, &[]) {
                // Its queue is full, so it will wake up and find the newest texture anyway.
                Ok(()) | Err(Errno::AGAIN) => true,
                Err(e) if is_passing(e) => p.owe(hub, Token::peer(stream, p.id)),
                Err(_) => false,
            }
        });
    }

    /// Tells all receivers that the stream has ended, and lets them go.
    pub(super) fn end(&mut self) {
        let message = Gone::new(Reason::StreamEnded, 0).encode();
        for peer in self.list.drain(..) {
            let _ = socket::send(&peer.socket, &message, &[]);
        }
    }
}

impl Peer {
    /// Sends the surface now, or once the receiver has read what is in its queue. `false` where it is gone.
    fn tell_surface(&mut self, hub: &Hub, token: Token, current: &Current<'_>) -> bool {
        match socket::send(&self.socket, &current.surface.encode(true), &[current.memory]) {
            Ok(()) if self.owed => {
                self.owed = false;
                hub.rewatch(self.socket.as_fd(), token, EventFlags::empty())
            }
            Ok(()) => true,
            Err(Errno::AGAIN) => self.owe(hub, token),
            Err(e) if is_passing(e) => {
                hub.note_shortage();
                self.owe(hub, token)
            }
            Err(_) => false,
        }
    }

    fn owe(&mut self, hub: &Hub, token: Token) -> bool {
        self.owed = true;
        hub.rewatch(self.socket.as_fd(), token, EventFlags::OUT)
    }
}

/// Errors of the system's that say nothing against this receiver.
fn is_passing(e: Errno) -> bool {
    matches!(e, Errno::NOMEM | Errno::NOBUFS | Errno::TOOMANYREFS)
}
