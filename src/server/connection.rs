//! One connection: reads requests, answers each, and says on the log what happened.

use super::accept::Shared;
use super::origin::Origin;
use super::places::Standing;
use super::session::{Outcome, Session};
use crate::memory_limit::OverLimit;
use crate::metrics::Reason;
use crate::recording::Tapped;
use crate::sink::LutSink;
use crate::wire::WireError;
use crate::wire::message::{BUFFER_BYTES, MessageReader};
use crate::wire::reply::{self, Reply};
use std::any::Any;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::{debug, warn};

/// How long a peer may leave a reply unread.
const REPLY_TIME: Duration = Duration::from_secs(10);
/// How long, and how many bytes, a connection that is being closed is still read: what is left unread resets it, and
/// systems other than Linux then throw the error reply away. A client reads that when it has sent its whole message, so
/// there is time and room for one that is far too large.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 << 20;
/// A BSON document says its length in 32 bits with a sign.
const LONGEST_MESSAGE: usize = i32::MAX as usize;
/// A client that is silent for so long has nothing more to send.
const LINGER_SILENCE: Duration = Duration::from_millis(500);

/// A connection, shared by its thread and the server.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) origin: Origin,
    pub(super) since: Instant,
    /// When it last sent a whole request, in milliseconds after `since`.
    active_ms: AtomicU64,
    standing: AtomicU8,
    /// Has read the beginning of a request that is not answered yet.
    at_work: AtomicBool,
    /// Is to end with the request that it is at.
    is_last: AtomicBool,
    /// Why it is not let in any more.
    dismissed: Mutex<Option<String>>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(REPLY_TIME))?;
        Ok(Connection {
            stream,
            peer,
            origin: peer.ip().into(),
            since: Instant::now(),
            active_ms: AtomicU64::new(0),
            standing: AtomicU8::new(Standing::New as u8),
            at_work: AtomicBool::new(false),
            is_last: AtomicBool::new(false),
            dismissed: Mutex::default(),
        })
    }

    pub(super) fn standing(&self) -> Standing {
        match self.standing.load(Ordering::Relaxed) {
            0 => Standing::New,
            1 => Standing::Proven,
            2 => Standing::Grading,
            _ => Standing::Displaced,
        }
    }

    /// Changes the standing, if it is still `from`.
    pub(super) fn move_on(&self, from: Standing, to: Standing) -> bool {
        self.standing.compare_exchange(from as u8, to as u8, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// When it was opened, or last sent a whole request.
    pub(super) fn active(&self) -> Instant {
        self.since + Duration::from_millis(self.active_ms.load(Ordering::Relaxed))
    }

    /// What it has not done, where it had to make room.
    pub(super) fn idleness(&self) -> &'static str {
        match self.active_ms.load(Ordering::Relaxed) {
            0 => "had sent no request",
            _ => "had sent nothing that was accepted",
        }
    }

    /// Has the connection end once it has answered what it has read.
    ///
    /// Where a stream can be shut down for reading, requests that have arrived are read on. Windows throws those away,
    /// and may keep a reader waiting: there, one that waits is cut, and one at work ends with its request.
    pub(super) fn finish(&self) {
        if !cfg!(windows) {
            let _ = self.stream.shutdown(Shutdown::Read);
            return;
        }
        self.is_last.store(true, Ordering::SeqCst);
        if !self.is_at_work() {
            self.cut();
        }
    }

    /// Has the connection end because it is not let in any more. What has arrived of a request counts; nothing more does.
    pub(super) fn dismiss(&self, why: String) {
        *self.dismissed.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.is_last.store(true, Ordering::SeqCst);
        self.finish();
    }

    /// Whether there is a request that is not answered yet.
    pub(super) fn is_at_work(&self) -> bool {
        self.at_work.load(Ordering::SeqCst)
    }

    /// Ends the connection wherever it is.
    pub(super) fn cut(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Serves requests until the peer leaves, the connection fails, or the server closes it.
    pub(super) fn serve(&self, sink: Arc<dyn LutSink>, shared: &Shared) {
        let (peer, origin) = (self.peer, self.origin);
        // What it reads into. The rest of a connection is small.
        let _buffer = match shared.memory.of(Some(origin)).take(BUFFER_BYTES as u64) {
            Ok(charge) => charge,
            Err(why) => return self.no_memory(shared, &why),
        };
        let mut luts = 0u64;
        let ended = self.requests(sink, shared, &mut luts);
        if self.standing() == Standing::Displaced {
            // It has been told, and its socket closed, by whoever displaced it.
            return;
        }
        let luts = count(luts);
        let dismissed = self.dismissed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(why) = dismissed {
            shared.metrics.refused(Reason::Address);
            self.warn(shared, format_args!("client {peer} was closed after {luts}: {why}"));
            return self.farewell("this server does not take clients from your address any more");
        }
        match ended {
            Ok(()) => shared.log_event(origin, format_args!("client {peer} left after {luts}")),
            Err(ref e @ WireError::Io(ref io)) => {
                shared.metrics.refused(e.into());
                shared.log_event(origin, format_args!("client {peer} lost after {luts}: {io}"));
            }
            Err(e) => {
                shared.metrics.refused((&e).into());
                self.warn(shared, format_args!("client {peer} closed after {luts}: {e}"));
                self.farewell(&e.to_string());
            }
        }
    }

    /// Ends the connection after a panic in its thread.
    pub(super) fn fail(&self, shared: &Shared, panic: &(dyn Any + Send)) {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let what = text.unwrap_or("no reason given").escape_debug();
        self.warn(shared, format_args!("client {} closed by a fault of this server: {what}", self.peer));
        self.farewell("a fault in this server ended this connection; what was sent last may not be in force");
    }

    /// Logs what this client did wrong, as a record of this module.
    fn warn(&self, shared: &Shared, what: fmt::Arguments<'_>) {
        if let Some(unlogged) = shared.refusals.may(self.origin) {
            warn!("{what}{unlogged}");
        }
    }

    fn no_memory(&self, shared: &Shared, why: &OverLimit) {
        shared.metrics.refused(Reason::Memory);
        let why = format!("this server has no memory for another connection: {why}");
        self.warn(shared, format_args!("client {} was refused: {why}", self.peer));
        self.farewell(&why);
    }

    fn requests(&self, sink: Arc<dyn LutSink>, shared: &Shared, luts: &mut u64) -> Result<(), WireError> {
        let mut session = Session::new(sink, shared.memory.of(Some(self.origin)));
        // However long a message is allowed to be by then: one that is refused for its length is not read on.
        let tapped = Tapped::new(&self.stream, shared.recorder.as_ref(), LONGEST_MESSAGE);
        let mut reader = MessageReader::with_live(tapped, shared.limits.clone(), |tapped, tick| {
            // It fails only where the connection is gone, and then reading says so.
            let _ = tapped.source().set_read_timeout(Some(tick));
        });
        let mut answer = Vec::with_capacity(reply::OK.len());
        while let Some(mut message) = reader.next_message()? {
            let reading = shared.pieces.begin(message.length());
            message.read_in_pieces(reading.piece());
            self.at_work.store(true, Ordering::SeqCst);
            let begun = Instant::now();
            let bytes = message.length();
            let outcome = session.handle(message)?;
            reading.done();
            self.note(&outcome);
            let reply = self.report(&session, shared, outcome, bytes, begun, luts);
            reply.encode(&mut answer);
            (&self.stream).write_all(&answer)?;
            self.at_work.store(false, Ordering::SeqCst);
            if self.is_last.load(Ordering::SeqCst) {
                break;
            }
        }
        Ok(())
    }

    /// Gives the connection the standing that a request has earned it.
    fn note(&self, outcome: &Outcome) {
        let ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.active_ms.store(ms.max(1), Ordering::Relaxed);
        let earned = match outcome {
            Outcome::Lut { .. } | Outcome::Cdl => Standing::Grading,
            Outcome::Refused(_) => Standing::Proven,
        };
        let now = self.standing();
        if now < earned {
            self.move_on(now, earned);
        }
    }

    /// Logs what became of a request, and makes its reply.
    fn report(
        &self,
        session: &Session,
        shared: &Shared,
        outcome: Outcome,
        bytes: usize,
        begun: Instant,
        luts: &mut u64,
    ) -> Reply {
        let peer = self.peer;
        match outcome {
            Outcome::Lut { size, revision, publish } => {
                shared.metrics.lut(bytes, begun.elapsed(), publish);
                *luts += 1;
                debug!(
                    "{peer}: {size}³ LUT, {bytes} bytes, on {}: revision {revision} after {} µs ({})",
                    session.channel(),
                    begun.elapsed().as_micros(),
                    session.metadata()
                );
                Reply::Ok
            }
            Outcome::Cdl => {
                shared.metrics.cdl();
                debug!("{peer}: CDL on {} ({})", session.channel(), session.metadata());
                Reply::Ok
            }
            Outcome::Refused(refusal) => {
                shared.metrics.refused((&refusal).into());
                let channel = session.channel();
                self.warn(shared, format_args!("{peer}: refused on {channel}: {refusal}"));
                Reply::Error(refusal.to_string())
            }
        }
    }

    /// Says why, then closes so that the peer can still read it.
    fn farewell(&self, why: &str) {
        if say(&self.stream, why).is_err() {
            return;
        }
        let _ = self.stream.set_read_timeout(Some(LINGER_SILENCE));
        let deadline = Instant::now() + LINGER;
        let mut dropped = 0;
        let mut scrap = [0; 16 << 10];
        while dropped < LINGER_BYTES && Instant::now() < deadline {
            match (&self.stream).read(&mut scrap) {
                Ok(0) | Err(_) => return,
                Ok(n) => dropped += n,
            }
        }
    }
}

fn count(luts: u64) -> String {
    if luts == 1 { "1 LUT".into() } else { format!("{luts} LUTs") }
}

/// Sends an error reply, and announces that nothing follows.
pub(super) fn say(mut stream: &TcpStream, why: &str) -> io::Result<()> {
    let mut answer = Vec::new();
    Reply::Error(why.to_owned()).encode(&mut answer);
    stream.write_all(&answer)?;
    stream.shutdown(Shutdown::Write)
}
