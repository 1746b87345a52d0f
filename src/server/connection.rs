//! One connection: reads requests, answers each, and says on the log what happened.

use super::session::{Outcome, Session};
use crate::EVENTS;
use crate::sink::LutSink;
use crate::wire::message::MessageReader;
use crate::wire::reply::{self, Reply};
use crate::wire::{WireError, WireLimits};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};
use tracing::{debug, info, warn};

/// How long a peer may leave a reply unread.
const REPLY_TIME: Duration = Duration::from_secs(10);
/// How long, and how many bytes, a connection that is being closed is still read: what is left unread resets it, and
/// systems other than Linux then throw the error reply away. A client reads that when it has sent its whole message, so
/// there is time and room for one that is far too large.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 << 20;
/// A client that is silent for so long has nothing more to send.
const LINGER_SILENCE: Duration = Duration::from_millis(500);

/// A connection, shared by its thread and the server.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) since: Instant,
    standing: AtomicU8,
    /// Has read the beginning of a request that is not answered yet.
    at_work: AtomicBool,
    /// Is to end with the request that it is at.
    is_last: AtomicBool,
}

/// How a connection stands with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Standing {
    /// Has sent no whole request yet.
    New = 0,
    /// Has sent at least one whole request.
    Proven = 1,
    /// Had to make room for another.
    Displaced = 2,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, silence: Duration) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(silence))?;
        stream.set_write_timeout(Some(REPLY_TIME))?;
        Ok(Connection {
            stream,
            peer,
            since: Instant::now(),
            standing: AtomicU8::new(Standing::New as u8),
            at_work: AtomicBool::new(false),
            is_last: AtomicBool::new(false),
        })
    }

    pub(super) fn standing(&self) -> Standing {
        match self.standing.load(Ordering::Relaxed) {
            0 => Standing::New,
            1 => Standing::Proven,
            _ => Standing::Displaced,
        }
    }

    /// Changes the standing, if it is still `from`.
    pub(super) fn move_on(&self, from: Standing, to: Standing) -> bool {
        self.standing.compare_exchange(from as u8, to as u8, Ordering::Relaxed, Ordering::Relaxed).is_ok()
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

    /// Whether there is a request that is not answered yet.
    pub(super) fn is_at_work(&self) -> bool {
        self.at_work.load(Ordering::SeqCst)
    }

    /// Ends the connection wherever it is.
    pub(super) fn cut(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Serves requests until the peer leaves, the connection fails, or the server closes it.
    pub(super) fn serve(&self, sink: Arc<dyn LutSink>, limits: WireLimits) {
        let peer = self.peer;
        let mut luts = 0u64;
        let ended = self.requests(sink, limits, &mut luts);
        if self.standing() == Standing::Displaced {
            // It has been told, and its socket closed, by whoever displaced it.
            return;
        }
        match ended {
            Ok(()) => info!(target: EVENTS, "client {peer} left after {}", count(luts)),
            Err(WireError::Io(e)) => info!(target: EVENTS, "client {peer} lost after {}: {e}", count(luts)),
            Err(e) => {
                warn!("client {peer} closed after {}: {e}", count(luts));
                self.farewell(&e.to_string());
            }
        }
    }

    fn requests(&self, sink: Arc<dyn LutSink>, limits: WireLimits, luts: &mut u64) -> Result<(), WireError> {
        let mut session = Session::new(sink);
        let mut reader = MessageReader::new(&self.stream, limits);
        let mut answer = Vec::with_capacity(reply::OK.len());
        while let Some(message) = reader.next_message()? {
            self.at_work.store(true, Ordering::SeqCst);
            let begun = Instant::now();
            let bytes = message.length();
            let outcome = session.handle(message)?;
            self.move_on(Standing::New, Standing::Proven);
            let reply = self.report(&session, outcome, bytes, begun, luts);
            reply.encode(&mut answer);
            (&self.stream).write_all(&answer)?;
            self.at_work.store(false, Ordering::SeqCst);
            if self.is_last.load(Ordering::SeqCst) {
                break;
            }
        }
        Ok(())
    }

    /// Logs what became of a request, and makes its reply.
    fn report(&self, session: &Session, outcome: Outcome, bytes: usize, begun: Instant, luts: &mut u64) -> Reply {
        let peer = self.peer;
        match outcome {
            Outcome::Lut { size, revision } => {
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
                debug!("{peer}: CDL on {} ({})", session.channel(), session.metadata());
                Reply::Ok
            }
            Outcome::Refused(refusal) => {
                warn!("{peer}: refused on {}: {refusal}", session.channel());
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
