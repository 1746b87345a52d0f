//! The receiving side of the seam.

use super::directory::{Connection, Directory};
use super::gpu::ImageSurface;
use super::message::{Frame as Told, FromSender, Gone, Hello, MAX_MESSAGE, Stamp, Surface, TIER_MEMORY};
use super::ring::ReadRing;
use super::socket::{self, Peer};
use super::vulkan::DeviceIdentity;
use crate::lut::Cdl;
use crate::texture::{Event, Frame, InPlace, RGBA32F, TextureError, TextureReceiver};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How long a sender may take to answer a new receiver.
pub(super) const ANSWER_PATIENCE: Duration = Duration::from_secs(2);
/// How long a receiver tries to get hold of the newest texture, before it says that it can't.
const COPY_PATIENCE: Duration = Duration::from_secs(2);
/// Messages taken from a sender at a time. One that keeps the rules never has so many on the way.
const MESSAGES_A_TURN: usize = 256;

/// A connection to one stream.
pub(super) struct LinuxReceiver {
    socket: OwnedFd,
    ring: Arc<ReadRing>,
    /// The revision read last.
    read: u64,
    ended: bool,
}

/// What a sender may say, with the memory that came along.
pub(super) enum Heard {
    Surface(Box<Surface>, Vec<OwnedFd>),
    Images(Box<ImageSurface>, Vec<OwnedFd>),
    Frame(Told),
    /// The sender has ended the connection, and may have said why.
    Gone(Option<Gone>),
    /// The newest CDL values.
    Cdl(Cdl),
    /// A message of a later version, or of no use.
    Other,
}

/// Takes one message, if one is there.
pub(super) fn hear(socket: &OwnedFd) -> Result<Option<Heard>, TextureError> {
    let mut message = [0; MAX_MESSAGE];
    let got = loop {
        match socket::receive(socket, &mut message) {
            Ok(got) => break got,
            Err(Errno::AGAIN) => return Ok(None),
            // Said once, ahead of what may still be in the queue: the sender has closed without reading everything.
            Err(Errno::CONNRESET) => {}
            Err(Errno::MSGSIZE) => {
                return Err(TextureError::Protocol(format!(
                    "the sender sent more than {MAX_MESSAGE} bytes, or more than 16 descriptors, in one message"
                )));
            }
            Err(e) => return Err(TextureError::io("receiving from the sender", e)),
        }
    };
    if got.length == 0 {
        return Ok(Some(Heard::Gone(None)));
    }
    let message = FromSender::decode(&message[..got.length])
        .map_err(|e| TextureError::Protocol(format!("the sender sent {e}")))?;
    Ok(Some(match message {
        FromSender::Surface(surface) => Heard::Surface(surface, got.descriptors),
        FromSender::Images(surface) => Heard::Images(surface, got.descriptors),
        FromSender::Frame(frame) => Heard::Frame(frame),
        FromSender::Gone(gone) => Heard::Gone(Some(gone)),
        FromSender::Cdl(Some(cdl)) => Heard::Cdl(cdl),
        FromSender::Cdl(None) | FromSender::Unknown(_) => Heard::Other,
    }))
}

/// What a receiver of the memory ring says. With `flags` 0 the connection becomes a receiver's.
pub(super) fn hello(flags: u32) -> Hello {
    Hello { flags, tiers: TIER_MEMORY, device: DeviceIdentity::default() }
}

/// Asks a sender for its surface.
pub(super) fn say(socket: &OwnedFd, hello: &Hello) -> Result<(), Errno> {
    socket::send(socket, &hello.encode(), &[])
}

/// Maps the memory ring that a sender has told of.
pub(super) fn map(surface: &Surface, mut memory: Vec<OwnedFd>) -> Result<ReadRing, TextureError> {
    let (memory, surplus) = (memory.pop(), memory.len());
    let memory = memory.ok_or_else(|| TextureError::Protocol("the sender told of memory and sent none".into()))?;
    if surplus > 0 {
        let count = surplus + 1;
        return Err(TextureError::Protocol(format!("the sender sent {count} descriptors; a memory ring has one")));
    }
    ReadRing::open(memory, surface.memory, surface.shape, surface.surface)
}

/// Connects to a stream. `None` where there is none of that name.
pub(super) fn open(directory: &Directory, stream: &str) -> Result<Option<LinuxReceiver>, TextureError> {
    let Some((socket, answer)) = greet(directory, stream, &hello(0), ANSWER_PATIENCE)? else { return Ok(None) };
    match answer {
        Heard::Surface(surface, memory) => Ok(Some(LinuxReceiver::new(socket, map(&surface, memory)?))),
        _ => Err(unasked_images()),
    }
}

fn unasked_images() -> TextureError {
    TextureError::Protocol("the sender told of images, and was asked for memory".into())
}

/// Connects to a stream and says hello: the socket, and the SURFACE that the sender has answered with. `None` where
/// there is no stream of that name.
pub(super) fn greet(
    directory: &Directory,
    stream: &str,
    hello: &Hello,
    patience: Duration,
) -> Result<Option<(OwnedFd, Heard)>, TextureError> {
    let until = Instant::now() + patience;
    let socket = loop {
        match directory.connect(stream)? {
            Connection::Made(socket) => break socket,
            Connection::Absent | Connection::Stale => return Ok(None),
            Connection::Busy if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            Connection::Busy => return Err(no_answer(stream, None, patience)),
        }
    };
    let sender = Peer::of(socket.as_fd()).map_err(|e| TextureError::io("asking who the sender is", e))?;
    if sender.uid != directory.owner() {
        return Err(TextureError::Broken(format!(
            "the stream {stream:?} is sent by user {}, and {} is for streams of user {} only",
            sender.uid,
            directory.path().display(),
            directory.owner()
        )));
    }
    // A sender that has gone away by now may have said why: that is what the next message tells.
    let _ = say(&socket, hello);
    loop {
        match hear(&socket)? {
            Some(surface @ (Heard::Surface(..) | Heard::Images(..))) => return Ok(Some((socket, surface))),
            Some(Heard::Gone(None)) => return Ok(None),
            Some(Heard::Gone(Some(gone))) => {
                return Err(TextureError::Refused { stream: stream.to_owned(), why: gone.why() });
            }
            Some(Heard::Frame(_) | Heard::Cdl(_) | Heard::Other) if Instant::now() < until => continue,
            Some(Heard::Frame(_) | Heard::Cdl(_) | Heard::Other) | None => {}
        }
        match socket::wait_readable(&socket, Some(until)) {
            Ok(true) if Instant::now() < until => {}
            Ok(_) => return Err(no_answer(stream, Some(sender), patience)),
            Err(e) => return Err(TextureError::io(format!("waiting for the sender of {stream:?}"), e)),
        }
    }
}

fn no_answer(stream: &str, sender: Option<Peer>, patience: Duration) -> TextureError {
    let who = sender.map_or(String::new(), |peer| format!(", {},", peer.describe()));
    TextureError::Broken(format!(
        "the sender of {stream:?}{who} has not answered for {patience:?}; it is stopped or overloaded"
    ))
}

impl LinuxReceiver {
    /// A receiver that its sender has told of this ring.
    pub(super) fn new(socket: OwnedFd, ring: ReadRing) -> Self {
        LinuxReceiver { socket, ring: Arc::new(ring), read: 0, ended: false }
    }

    /// Takes all messages that are there.
    fn catch_up(&mut self) -> Result<(), TextureError> {
        let mut newest = None;
        for _ in 0..MESSAGES_A_TURN {
            if self.ended {
                break;
            }
            // Whatever can't be understood ends the connection: what comes after it would mean nothing.
            match hear(&self.socket).inspect_err(|_| self.ended = true)? {
                None => break,
                Some(Heard::Surface(surface, memory)) => newest = Some((surface, memory)),
                Some(Heard::Images(..)) => {
                    self.ended = true;
                    return Err(unasked_images());
                }
                Some(Heard::Gone(_)) => self.ended = true,
                Some(Heard::Frame(_) | Heard::Cdl(_) | Heard::Other) => {}
            }
        }
        if let Some((surface, memory)) = newest.filter(|_| !self.ended) {
            self.ring = Arc::new(map(&surface, memory).inspect_err(|_| self.ended = true)?);
        }
        Ok(())
    }

    /// Tells what `frame` is, which from now on counts as read.
    fn note(&mut self, frame: &mut Frame, stamp: Stamp) {
        let shape = self.ring.shape();
        frame.width = shape.width();
        frame.height = shape.height();
        frame.shape = Some(shape);
        frame.revision = stamp.revision;
        frame.published = wall_clock(stamp.realtime_ns);
        frame.format = RGBA32F;
        self.read = stamp.revision;
    }

    fn wait_readable(&self, until: Option<Instant>) -> Result<bool, TextureError> {
        socket::wait_readable(&self.socket, until).map_err(|e| TextureError::io("waiting for the sender", e))
    }

    /// Goes along to the surface that the stream is on.
    fn follow(&mut self) -> Result<(), TextureError> {
        let until = Instant::now() + COPY_PATIENCE;
        self.catch_up()?;
        // Told in memory before the message could be taken: it is on its way.
        while !self.ended && self.ring.superseded() {
            if Instant::now() >= until || !self.wait_readable(Some(until))? {
                return Err(TextureError::Broken(format!(
                    "the stream has left surface {}, and its sender has not said where to in {COPY_PATIENCE:?}",
                    self.ring.surface()
                )));
            }
            self.catch_up()?;
        }
        Ok(())
    }
}

impl TextureReceiver for LinuxReceiver {
    fn wait(&mut self, timeout: Option<Duration>) -> Result<Event, TextureError> {
        // A time-out too long to be a time is none.
        let until = timeout.and_then(|t| Instant::now().checked_add(t));
        loop {
            self.catch_up()?;
            if self.ended {
                return Ok(Event::Ended);
            }
            // In this order: whatever is published after this look rings, and is heard below.
            if self.ring.newest() > self.read {
                return Ok(Event::Frame);
            }
            // A sender that keeps ringing without need does not stretch the time.
            let time_is_up = until.is_some_and(|at| Instant::now() >= at);
            if time_is_up || !self.wait_readable(until)? {
                return Ok(Event::TimedOut);
            }
        }
    }

    fn read(&mut self, frame: &mut Frame) -> Result<(), TextureError> {
        self.follow()?;
        if self.ended {
            return Err(TextureError::Ended);
        }
        let stamp = self.ring.copy_newest(&mut frame.texels, COPY_PATIENCE)?.ok_or(TextureError::Ended)?;
        self.note(frame, stamp);
        Ok(())
    }

    fn in_place(&mut self) -> Result<Option<InPlace>, TextureError> {
        self.follow()?;
        if self.ended {
            return Err(TextureError::Ended);
        }
        let (stamp, found) = self.ring.find_newest(COPY_PATIENCE)?.ok_or(TextureError::Ended)?;
        let mut frame = Frame::default();
        self.note(&mut frame, stamp);
        let ring = self.ring.clone();
        let (file, offset) = (ring.path(), ring.offset(found));
        Ok(Some(InPlace { frame, file, offset, intact: Box::new(move || ring.is_intact(found)) }))
    }
}

/// A time that a sender has told.
pub(super) fn wall_clock(realtime_ns: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(realtime_ns))
}
