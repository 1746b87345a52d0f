//! The records of a recording.
//!
//! A file begins with 20 bytes: `VGLBREC` and a zero, the format version (4 bytes, 1), and when the recording began
//! (8 bytes, milliseconds since 1970, UTC). Records follow until its end:
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | length of the body in bytes |
//! | … | body: 1 byte kind, 8 bytes microseconds since the beginning, 4 bytes number of the connection, content |
//! | 4 | CRC-32 (IEEE 802.3) of the body |
//!
//! | kind | content |
//! | --- | --- |
//! | 1 | a whole message, packed |
//! | 2 | what arrived of a message that never ended or could not be framed, packed |
//! | 3 | 4 bytes: how many messages before this record were lost, for the disk was too slow |
//! | 4 | none; the connection ended |
//!
//! Packed is 4 bytes of length in bytes, and a raw deflate stream (RFC 1951) of the bytes in another order: those at
//! offsets 0, 16, 32, … first, then those at 1, 17, 33, …, and so on to 15. Bytes of a LUT that are alike so come to
//! stand together. Numbers are little endian.

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use std::io::{Read, Write};
use std::time::Duration;

/// What a file begins with.
pub const MAGIC: [u8; 8] = *b"VGLBREC\0";
/// The version written, and the newest that is read.
pub const VERSION: u32 = 1;
/// Bytes of a file's beginning.
pub const HEADER_BYTES: usize = 20;
/// The longest message that is read back: a LUT of 256³ and what is around it.
pub const LONGEST_MESSAGE: usize = (256 << 20) + (64 << 10);
/// The longest body: deflate lengthens what it can't shorten by 5 bytes in 16 KiB at most.
pub(super) const LONGEST_BODY: usize = LONGEST_MESSAGE + LONGEST_MESSAGE / 2048 + 1024;
/// Kind, time, connection.
pub(super) const BODY_HEAD_BYTES: usize = 13;
/// The distance of bytes that are put together.
const STRIDE: usize = 16;

/// Something that happened while a recording ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, since the beginning.
    pub at: Duration,
    /// The number of the connection, from 1.
    pub connection: u32,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole message arrived.
    Message(Vec<u8>),
    /// A message that never ended, or that could not be framed: what arrived of it.
    Broken(Vec<u8>),
    /// So many messages are missing here.
    Lost(u32),
    /// The connection ended.
    End,
}

impl Entry {
    /// The entry as a record.
    pub fn encode(&self) -> std::io::Result<Vec<u8>> {
        let mut record = vec![0; 4];
        record.push(match self.event {
            Event::Message(_) => 1,
            Event::Broken(_) => 2,
            Event::Lost(_) => 3,
            Event::End => 4,
        });
        record.extend((self.at.as_micros() as u64).to_le_bytes());
        record.extend(self.connection.to_le_bytes());
        match &self.event {
            Event::Message(bytes) | Event::Broken(bytes) => {
                record.extend((bytes.len() as u32).to_le_bytes());
                let mut encoder = DeflateEncoder::new(record, Compression::fast());
                encoder.write_all(&together(bytes))?;
                record = encoder.finish()?;
            }
            Event::Lost(count) => record.extend(count.to_le_bytes()),
            Event::End => {}
        }
        let length = (record.len() - 4) as u32;
        record[..4].copy_from_slice(&length.to_le_bytes());
        record.extend(crc32fast::hash(&record[4..]).to_le_bytes());
        Ok(record)
    }

    /// The entry of a record's body; `None` where it makes no sense.
    pub fn decode(body: &[u8]) -> Option<Self> {
        let (kind, rest) = body.split_first()?;
        let (micros, rest) = rest.split_first_chunk()?;
        let (connection, content) = rest.split_first_chunk()?;
        let event = match kind {
            1 => Event::Message(unpack(content)?),
            2 => Event::Broken(unpack(content)?),
            3 => Event::Lost(u32::from_le_bytes(content.try_into().ok()?)),
            4 if content.is_empty() => Event::End,
            _ => return None,
        };
        let at = Duration::from_micros(u64::from_le_bytes(*micros));
        Some(Entry { at, connection: u32::from_le_bytes(*connection), event })
    }
}

fn together(bytes: &[u8]) -> Vec<u8> {
    (0..STRIDE).flat_map(|first| bytes.iter().skip(first).step_by(STRIDE).copied()).collect()
}

fn unpack(content: &[u8]) -> Option<Vec<u8>> {
    let (length, deflated) = content.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    // Deflate shortens a thousandfold at most: a length beyond that is not worth the memory.
    if length > LONGEST_MESSAGE || length / 1100 > deflated.len() {
        return None;
    }
    let mut moved = Vec::with_capacity(length);
    DeflateDecoder::new(deflated).take(length as u64 + 1).read_to_end(&mut moved).ok()?;
    if moved.len() != length {
        return None;
    }
    let mut bytes = vec![0; length];
    let mut next = moved.into_iter();
    for first in 0..STRIDE {
        bytes.iter_mut().skip(first).step_by(STRIDE).zip(&mut next).for_each(|(to, from)| *to = from);
    }
    Some(bytes)
}
