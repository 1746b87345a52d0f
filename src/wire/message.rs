//! Reading messages: one BSON document after another from a byte stream, a field at a time, through one bounded
//! buffer.
//!
//! Every length is checked against the document that encloses it before a byte is taken on its word. Nothing is
//! allocated that the peer decides the size of.

use super::{LiveLimits, Malformed, WireError, WireLimits};
use crate::hald::Texel;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How deep documents may nest. Known messages need two levels.
pub const MAX_DEPTH: usize = 32;

/// Bytes read from the socket at once, at most: larger pieces leave the cache.
pub(crate) const BUFFER_BYTES: usize = 256 << 10;

/// So many bytes cost nothing to move.
const MOVED_EARLY: usize = 256;

/// The longest key that is told apart; a longer one is still skipped correctly.
const LONGEST_KEY: usize = 64;

/// Reads messages from one connection.
pub struct MessageReader<R> {
    source: R,
    limits: WireLimits,
    changing: Option<Changing<R>>,
    buffer: Box<[u8]>,
    /// Bytes to read at once, at most.
    piece: usize,
    start: usize,
    end: usize,
}

/// Limits that may change.
struct Changing<R> {
    limits: Arc<LiveLimits>,
    /// Their changes when they were last looked at.
    seen: u64,
    /// Gives the source another read time-out.
    set_tick: fn(&R, Duration),
}

/// One message being read. Dropping it early leaves the connection in the middle of the message:
/// call [`finish`](Message::finish).
pub struct Message<'a, R> {
    reader: &'a mut MessageReader<R>,
    length: usize,
    /// Bytes of the message already taken out of the buffer.
    taken: usize,
    begun: Instant,
}

/// An element's type and key; its value comes next.
#[derive(Clone, Copy, Debug)]
pub struct Element {
    /// BSON's type byte.
    pub kind: u8,
    key: [u8; LONGEST_KEY],
    key_len: usize,
}

impl Element {
    /// The key; empty where it is longer than any known one, or is not UTF-8.
    pub fn key(&self) -> &str {
        std::str::from_utf8(&self.key[..self.key_len]).unwrap_or("")
    }

    /// The type's name, for error messages.
    pub fn kind_name(&self) -> &'static str {
        kind_name(self.kind)
    }
}

impl<R: Read> MessageReader<R> {
    /// Reads messages from `source`, whose read time-out (if it has one) must be `limits.tick()`.
    pub fn new(source: R, limits: WireLimits) -> Self {
        let buffer = vec![0; BUFFER_BYTES].into();
        MessageReader { source, limits, changing: None, buffer, piece: BUFFER_BYTES, start: 0, end: 0 }
    }

    /// The same with limits that may change: those in force when a message begins are for that message. `set_tick` gives
    /// the source its read time-out, which is set at once.
    pub fn with_live(source: R, limits: Arc<LiveLimits>, set_tick: fn(&R, Duration)) -> Self {
        let seen = limits.changes();
        let mut reader = MessageReader::new(source, limits.get());
        set_tick(&reader.source, reader.limits.tick());
        reader.changing = Some(Changing { limits, seen, set_tick });
        reader
    }

    /// Takes over limits that have changed.
    fn look(&mut self) {
        let Some(Changing { limits, seen, set_tick }) = &mut self.changing else { return };
        let changes = limits.changes();
        if changes != *seen {
            *seen = changes;
            self.limits = limits.get();
            set_tick(&self.source, self.limits.tick());
        }
    }

    /// Waits for the next message; `None` once the peer has closed the connection between two messages.
    pub fn next_message(&mut self) -> Result<Option<Message<'_, R>>, WireError> {
        self.look();
        let mut quiet = Duration::ZERO;
        while self.end - self.start < 4 {
            let waiting = self.start == self.end;
            match self.fill() {
                Ok(0) if waiting => return Ok(None),
                Ok(0) => return Err(WireError::Truncated { received: self.end - self.start, length: 4 }),
                Ok(_) => {
                    quiet = Duration::ZERO;
                    if waiting {
                        self.look();
                    }
                }
                Err(e) if is_timeout(&e) => {
                    quiet += self.limits.tick();
                    if waiting {
                        self.look();
                    }
                    match self.limits.idle {
                        Some(limit) if waiting && quiet >= limit => return Err(WireError::Idle { limit }),
                        _ if !waiting && quiet >= self.limits.silence => {
                            let (received, silence) = (self.end - self.start, self.limits.silence);
                            return Err(WireError::Silent { received, length: 4, silence });
                        }
                        _ => {}
                    }
                }
                Err(e) => return Err(e.into()),
            }
        }
        let prefix = self.buffer[self.start..].first_chunk::<4>().map_or(0, |b| i32::from_le_bytes(*b));
        let length = usize::try_from(prefix).ok().filter(|l| *l >= 5).ok_or(Malformed::Length(prefix))?;
        let limit = self.limits.message_bytes;
        if length > limit {
            return Err(Malformed::TooLong { length, limit }.into());
        }
        self.start += 4;
        Ok(Some(Message { reader: self, length, taken: 4, begun: Instant::now() }))
    }

    /// Reads once, behind what the buffer holds.
    fn fill(&mut self) -> io::Result<usize> {
        let left = self.end - self.start;
        // Little is moved to the front at once, so that each read has the whole buffer before it.
        if left <= MOVED_EARLY || self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, left);
        }
        let most = self.buffer.len().min(self.end + self.piece);
        loop {
            match self.source.read(&mut self.buffer[self.end..most]) {
                Ok(n) => {
                    self.end += n;
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

impl<R: Read> Message<'_, R> {
    /// What it is limited to.
    pub fn limits(&self) -> WireLimits {
        self.reader.limits
    }

    /// Has no more than `bytes` read from the source at once, also of later messages.
    pub(crate) fn read_in_pieces(&mut self, bytes: usize) {
        self.reader.piece = bytes;
    }

    /// Bytes of the whole message, prefix included.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Offset in the message of the byte that comes next.
    pub fn position(&self) -> usize {
        self.taken
    }

    /// The offset at which the outermost document ends.
    pub fn end(&self) -> usize {
        self.length
    }

    /// The next element of a document that ends at offset `end`, or `None` at its end.
    pub fn element(&mut self, end: usize) -> Result<Option<Element>, WireError> {
        let kind = self.byte(end)?;
        if kind == 0 {
            if self.taken != end {
                return Err(self.not_bson(format!("a document that ends {} bytes early", end - self.taken)));
            }
            return Ok(None);
        }
        if self.taken == end {
            return Err(self.not_bson("a document that does not end with a NUL".into()));
        }
        let mut element = Element { kind, key: [0; LONGEST_KEY], key_len: 0 };
        let mut len = 0usize;
        loop {
            let c = self.byte(end)?;
            if c == 0 {
                break;
            }
            if let Some(to) = element.key.get_mut(len) {
                *to = c;
            }
            len += 1;
        }
        element.key_len = if len <= LONGEST_KEY { len } else { 0 };
        Ok(Some(element))
    }

    /// The length prefix of an embedded document or array; returns the offset at which it ends.
    pub fn enter(&mut self, end: usize) -> Result<usize, WireError> {
        let at = self.taken;
        let length = self.int32(end)?;
        match usize::try_from(length) {
            // Its end lies inside the enclosing document, whose own NUL comes after it.
            Ok(l) if l >= 5 && l < end - at => Ok(at + l),
            _ => Err(Malformed::NotBson { what: format!("an embedded document of {length} bytes"), at }.into()),
        }
    }

    /// A 32-bit integer.
    pub fn int32(&mut self, end: usize) -> Result<i32, WireError> {
        Ok(i32::from_le_bytes(self.array(end)?))
    }

    /// A 64-bit integer.
    pub fn int64(&mut self, end: usize) -> Result<i64, WireError> {
        Ok(i64::from_le_bytes(self.array(end)?))
    }

    /// A double.
    pub fn double(&mut self, end: usize) -> Result<f64, WireError> {
        Ok(f64::from_le_bytes(self.array(end)?))
    }

    /// A string, put into `into`, whose former content goes. One longer than `longest` bytes is cut between
    /// characters; returns its full length in bytes.
    pub fn string(&mut self, end: usize, longest: usize, into: &mut String) -> Result<usize, WireError> {
        let at = self.taken;
        let with_nul = self.counted(end, "a string")?;
        let Some(len) = with_nul.checked_sub(1) else {
            return Err(Malformed::NotBson { what: "a string without its NUL".into(), at }.into());
        };
        into.clear();
        let keep = len.min(longest).min(BUFFER_BYTES / 2);
        self.buffered(keep)?;
        let reader = &mut *self.reader;
        let bytes = &reader.buffer[reader.start..reader.start + keep];
        let whole = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            // The cut fell inside a character.
            Err(e) if keep < len && e.error_len().is_none() => {
                std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default()
            }
            Err(e) => {
                let at = at + 4 + e.valid_up_to();
                return Err(Malformed::NotBson { what: "a string that is not UTF-8".into(), at }.into());
            }
        };
        into.push_str(whole);
        self.skip_bytes(len)?;
        if self.byte(end)? != 0 {
            return Err(self.not_bson("a string that does not end with a NUL".into()));
        }
        Ok(len)
    }

    /// The header of binary data; returns how many bytes of payload follow.
    pub fn binary(&mut self, end: usize) -> Result<usize, WireError> {
        const OLD_BINARY: u8 = 2;
        let at = self.taken;
        let len = self.counted(end, "binary data")?;
        let subtype = self.byte(end)?;
        if len > end - self.taken {
            return Err(Malformed::NotBson { what: format!("binary data of {len} bytes"), at }.into());
        }
        if subtype != OLD_BINARY {
            return Ok(len);
        }
        // This subtype repeats the length inside the data.
        let inner = self.int32(end)?;
        match usize::try_from(inner) {
            Ok(inner) if inner + 4 == len => Ok(inner),
            _ => Err(Malformed::NotBson { what: format!("old binary data of {inner} bytes in {len}"), at }.into()),
        }
    }

    /// Hands on a payload of `bytes` bytes as it arrives, in pieces of whole entries. What is left over at the end
    /// (fewer than 16 bytes) is dropped.
    pub fn entries(&mut self, bytes: usize, mut take: impl FnMut(&[Texel])) -> Result<(), WireError> {
        let mut left = bytes;
        while left >= size_of::<Texel>() {
            self.buffered(size_of::<Texel>())?;
            let reader = &mut *self.reader;
            let there = (reader.end - reader.start).min(left);
            let (entries, _) = reader.buffer[reader.start..reader.start + there].as_chunks();
            take(entries);
            let used = size_of_val(entries);
            reader.start += used;
            self.taken += used;
            left -= used;
        }
        self.skip_bytes(left)
    }

    /// Steps over the value of an element, checking it as far as its structure goes.
    pub fn skip(&mut self, element: &Element, end: usize) -> Result<(), WireError> {
        let mut ends = [0usize; MAX_DEPTH];
        ends[0] = end;
        let mut depth = 0;
        let mut kind = element.kind;
        loop {
            let end = ends[depth];
            match kind {
                0x03 | 0x04 => {
                    depth += 1;
                    if depth >= MAX_DEPTH - 1 {
                        return Err(Malformed::TooDeep(MAX_DEPTH).into());
                    }
                    ends[depth] = self.enter(end)?;
                }
                _ => self.skip_plain(kind, end)?,
            }
            // On to the next element that lies inside what was to be skipped.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                match self.element(ends[depth])? {
                    Some(next) => {
                        kind = next.kind;
                        break;
                    }
                    None => depth -= 1,
                }
            }
        }
    }

    /// Steps over a value that holds no documents to descend into.
    fn skip_plain(&mut self, kind: u8, end: usize) -> Result<(), WireError> {
        let bytes = match kind {
            0x01 | 0x09 | 0x11 | 0x12 => 8,
            0x02 | 0x0d | 0x0e => self.counted(end, "a string")?,
            0x05 => self.binary(end)?,
            0x06 | 0x0a | 0x7f | 0xff => 0,
            0x07 => 12,
            0x08 => 1,
            0x0b => {
                for _ in 0..2 {
                    while self.byte(end)? != 0 {}
                }
                0
            }
            0x0c => self.counted(end, "a string")? + 12,
            0x0f => {
                let at = self.taken;
                let whole = self.int32(end)?;
                match usize::try_from(whole) {
                    Ok(l) if l >= 14 => l - 4,
                    _ => return Err(Malformed::NotBson { what: format!("code of {whole} bytes"), at }.into()),
                }
            }
            0x10 => 4,
            0x13 => 16,
            _ => return Err(self.not_bson(format!("an element of unknown type 0x{kind:02x}"))),
        };
        if bytes > end - self.taken {
            return Err(self.not_bson(format!("a value of {bytes} bytes with {} left", end - self.taken)));
        }
        self.skip_bytes(bytes)
    }

    /// Steps over the rest of the message, unread.
    pub fn finish(mut self) -> Result<(), WireError> {
        self.skip_bytes(self.length - self.taken)
    }

    fn skip_bytes(&mut self, count: usize) -> Result<(), WireError> {
        let mut left = count;
        loop {
            let there = (self.reader.end - self.reader.start).min(left);
            self.reader.start += there;
            self.taken += there;
            left -= there;
            if left == 0 {
                return Ok(());
            }
            self.buffered(1)?;
        }
    }

    /// An int32 length that fits in what is left of the document.
    fn counted(&mut self, end: usize, what: &str) -> Result<usize, WireError> {
        let at = self.taken;
        let length = self.int32(end)?;
        usize::try_from(length)
            .ok()
            .filter(|l| *l <= end - self.taken)
            .ok_or_else(|| Malformed::NotBson { what: format!("{what} of {length} bytes"), at }.into())
    }

    fn byte(&mut self, end: usize) -> Result<u8, WireError> {
        Ok(self.array::<1>(end)?[0])
    }

    fn array<const N: usize>(&mut self, end: usize) -> Result<[u8; N], WireError> {
        if end - self.taken < N {
            return Err(self.not_bson("a value that runs over the end of its document".into()));
        }
        self.buffered(N)?;
        let reader = &mut *self.reader;
        let mut out = [0; N];
        out.copy_from_slice(&reader.buffer[reader.start..reader.start + N]);
        reader.start += N;
        self.taken += N;
        Ok(out)
    }

    /// Waits until the buffer holds at least `count` bytes, of this message or later ones.
    fn buffered(&mut self, count: usize) -> Result<(), WireError> {
        debug_assert!(count <= BUFFER_BYTES);
        let mut quiet = Duration::ZERO;
        loop {
            let there = self.reader.end - self.reader.start;
            if there >= count {
                return Ok(());
            }
            let received = self.taken + there;
            let length = self.length;
            let limits = self.reader.limits;
            if self.begun.elapsed() > limits.message_time {
                return Err(WireError::TooSlow { received, length, limit: limits.message_time });
            }
            if self.reader.start + count > BUFFER_BYTES {
                let reader = &mut *self.reader;
                reader.buffer.copy_within(reader.start..reader.end, 0);
                (reader.start, reader.end) = (0, there);
            }
            match self.reader.fill() {
                Ok(0) => return Err(WireError::Truncated { received, length }),
                Ok(_) => quiet = Duration::ZERO,
                Err(e) if is_timeout(&e) => {
                    quiet += limits.tick();
                    if quiet >= limits.silence {
                        return Err(WireError::Silent { received, length, silence: limits.silence });
                    }
                }
                Err(e) => return Err(e.into()),
            }
        }
    }

    fn not_bson(&self, what: String) -> WireError {
        Malformed::NotBson { what, at: self.taken }.into()
    }
}

fn is_timeout(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn kind_name(kind: u8) -> &'static str {
    match kind {
        0x01 => "a double",
        0x02 => "a string",
        0x03 => "a document",
        0x04 => "an array",
        0x05 => "binary data",
        0x06 => "undefined",
        0x07 => "an object id",
        0x08 => "a boolean",
        0x09 => "a date",
        0x0a => "null",
        0x0b => "a regular expression",
        0x0c => "a database pointer",
        0x0d | 0x0f => "code",
        0x0e => "a symbol",
        0x10 => "a 32-bit integer",
        0x11 => "a timestamp",
        0x12 => "a 64-bit integer",
        0x13 => "a decimal",
        0x7f => "a maximum key",
        0xff => "a minimum key",
        _ => "of an unknown type",
    }
}
