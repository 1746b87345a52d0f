//! One connection: reads requests within their limits, and answers each.

use super::request::{Bad, Head, Request};
use super::response::{Body, Response};
use super::{Handler, HttpLimits, StopSignal};
use crate::memory_limit::{Charge, MemoryLimit};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A refused body is read away this long and this far, so that its sender can read why.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 << 20;

/// So much of a body is asked for at once.
const PIECE: usize = 64 << 10;

/// A body with what it takes of the memory, or the answer that refuses it.
type Taken = Result<(Vec<u8>, Charge), Response>;

/// What is the matter where no request came.
enum End {
    /// The peer has left, or is too slow.
    Gone,
    /// It is told why.
    Bad(Bad),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        End::Gone
    }
}

/// What requests come from, and answers go to: a socket, or bytes that are all there.
pub(super) trait Stream: Read + Write {
    fn set_read_timeout(&mut self, time: Duration) -> io::Result<()>;
    fn set_write_timeout(&mut self, time: Duration) -> io::Result<()>;
    /// Announces that nothing more is written.
    fn finish(&mut self);
}

impl Stream for &TcpStream {
    fn set_read_timeout(&mut self, time: Duration) -> io::Result<()> {
        TcpStream::set_read_timeout(self, Some(time))
    }

    fn set_write_timeout(&mut self, time: Duration) -> io::Result<()> {
        TcpStream::set_write_timeout(self, Some(time))
    }

    fn finish(&mut self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

pub(super) struct Connection<S> {
    stream: S,
    peer: SocketAddr,
    limits: HttpLimits,
    /// What bodies count against.
    memory: MemoryLimit,
    /// Bytes read and not used.
    pending: Vec<u8>,
}

impl<S: Stream> Connection<S> {
    pub(super) fn new(stream: S, peer: SocketAddr, limits: HttpLimits, memory: MemoryLimit) -> Self {
        Connection { stream, peer, limits, memory, pending: Vec::new() }
    }

    /// Serves requests until the peer leaves, fails or is closed.
    pub(super) fn serve(&mut self, handler: &dyn Handler, stop: &StopSignal) {
        let _ = self.stream.set_write_timeout(self.limits.write_time);
        while !stop.is_set() {
            let (head, answer) = match self.request(handler) {
                Ok((head, Ok((body, charge)))) => {
                    let request = Request { head, body };
                    let answer = handler.handle(&request);
                    drop(charge);
                    (request.head, answer)
                }
                // Its body is not read: the connection can't go on.
                Ok((mut head, Err(refused))) => {
                    head.keep_alive = false;
                    (head, refused)
                }
                Err(End::Gone) => return,
                Err(End::Bad(bad)) => {
                    let answer = Response::error(bad.status, bad.why);
                    if answer.send(&mut self.stream, false, false).is_ok() {
                        self.linger();
                    }
                    return;
                }
            };
            let endless = matches!(answer.body, Body::Endless(_));
            let go_on = head.keep_alive && !endless;
            let head_only = head.method == "HEAD";
            if answer.send(&mut self.stream, go_on, head_only).is_err() {
                return;
            }
            if let Body::Endless(write) = answer.body {
                if !head_only {
                    let _ = write(&mut self.stream, stop);
                }
                return;
            }
            if !go_on {
                return self.linger();
            }
        }
    }

    /// The next request's head, and what became of its body.
    fn request(&mut self, handler: &dyn Handler) -> Result<(Head, Taken), End> {
        let head = self.head()?;
        let length = head.content_length().map_err(End::Bad)?;
        let limit = match handler.admit(&head) {
            Ok(limit) => limit,
            Err(refused) => return Ok((head, Err(refused))),
        };
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= limit) else {
            let why = format!("the body has {length} bytes; it can have at most {limit} here");
            return Ok((head, Err(Response::error(413, why))));
        };
        if length > 0 && head.header("expect").is_some_and(|e| e.eq_ignore_ascii_case("100-continue")) {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let deadline = Instant::now() + self.limits.body_time;
        let mut charge = self.memory.nothing();
        // The length is only claimed: memory follows the bytes that come.
        while self.pending.len() < length {
            let wanted = self.pending.len() + PIECE;
            if wanted > self.pending.capacity() {
                let room = length.next_multiple_of(PIECE).min(2 * wanted);
                if let Err(over) = charge.resize(room as u64) {
                    return Ok((head, Err(Response::error(503, over.to_string()))));
                }
                self.pending.try_reserve_exact(room - self.pending.len()).map_err(io::Error::other)?;
            }
            self.read_more(deadline, PIECE, "the rest of the request's body did not come in time")?;
        }
        let rest = self.pending.split_off(length);
        Ok((head, Ok((std::mem::replace(&mut self.pending, rest), charge))))
    }

    fn head(&mut self) -> Result<Head, End> {
        let mut deadline = None;
        loop {
            if !self.pending.is_empty() {
                deadline.get_or_insert_with(|| Instant::now() + self.limits.head_time);
                if let Some((head, length)) = Head::parse(&self.pending, self.peer).map_err(End::Bad)? {
                    self.pending.drain(..length);
                    return Ok(head);
                }
                if self.pending.len() >= self.limits.head_bytes {
                    let why = format!("a request's head can have at most {} bytes", self.limits.head_bytes);
                    return Err(End::Bad(Bad::new(431, why)));
                }
            }
            match deadline {
                // Nothing has begun: whoever is silent is closed without a word.
                None => {
                    self.stream.set_read_timeout(self.limits.idle_time)?;
                    self.fill(4 << 10)?;
                }
                Some(deadline) => self.read_more(deadline, 4 << 10, "the request's head did not come in time")?,
            }
        }
    }

    fn read_more(&mut self, deadline: Instant, most: usize, late: &str) -> Result<(), End> {
        let left = deadline.saturating_duration_since(Instant::now());
        let late = || End::Bad(Bad::new(408, late));
        if left.is_zero() {
            return Err(late());
        }
        self.stream.set_read_timeout(left)?;
        self.fill(most).map_err(|e| match e.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => late(),
            _ => End::Gone,
        })
    }

    fn fill(&mut self, most: usize) -> io::Result<()> {
        let before = self.pending.len();
        self.pending.try_reserve(most).map_err(io::Error::other)?;
        self.pending.resize(before + most, 0);
        let read = loop {
            match self.stream.read(&mut self.pending[before..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.pending.truncate(before + read.as_ref().copied().unwrap_or(0));
        match read? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Ends so that the peer can still read the answer: bytes left unread would reset the connection.
    fn linger(&mut self) {
        self.stream.finish();
        let deadline = Instant::now() + LINGER;
        let mut dropped = 0;
        let mut scrap = [0; 16 << 10];
        while dropped < LINGER_BYTES {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.set_read_timeout(left).is_err() {
                return;
            }
            match self.stream.read(&mut scrap) {
                Ok(0) | Err(_) => return,
                Ok(n) => dropped += n,
            }
        }
    }
}
