//! A LUT on its way through a cluster, in bytes. All numbers are little endian.
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | `vglb.lut` |
//! | 8 | 2 | version: 1 |
//! | 10 | 2 | H, where the values begin; a multiple of 4, at most 1024 |
//! | 12 | 2 | N, the grid size |
//! | 14 | 1 | order: 0 blue fastest, 1 red fastest |
//! | 15 | 1 | source: 0 sent, 1 CDL, 2 file, 3 another cluster |
//! | 16 | 1 | output: bit 0 the hub bypasses, bit 1 it holds |
//! | 17 | 3 | zero |
//! | 20 | 4 | CRC-32 (IEEE) of the values' bytes |
//! | 24 | 4 | priority of the hub |
//! | 28 | 8 | when the hub began, in nanoseconds since 1970 |
//! | 36 | 8 | random number of the hub's life |
//! | 44 | 8 | revision |
//! | 52 | 8 | when it takes effect, in nanoseconds since 1970 |
//! | 60 | 1 | L, the length of the hub's name |
//! | 61 | L | the hub's name, UTF-8 |
//! | H | 12·N³ | R, G, B as float32, for each entry in that order: every bit as the hub received it |
//!
//! A later version of this format has another number; whoever does not know it says so and takes nothing. Bytes between the
//! name and H may be given a meaning within version 1, and are skipped.

use super::election::{Claim, Life};
use super::keys::Name;
use crate::channel::LutSource;
use crate::hald::{EntryOrder, Texel};
use crate::lut::{GridSize, GridSizeError};
use std::ops::Range;
use std::time::{Duration, SystemTime};

const MAGIC: [u8; 8] = *b"vglb.lut";
const VERSION: u16 = 1;
/// Bytes before the hub's name.
const FIXED: usize = 61;
/// The most bytes before the values.
pub const LONGEST_HEADER: usize = 1024;
/// Bytes of an entry: R, G and B.
const ENTRY: usize = 12;

/// What stands before the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whose LUT it is.
    pub claim: Claim,
    /// The grid size.
    pub size: GridSize,
    /// The order in which the values are listed.
    pub order: EntryOrder,
    /// Where the hub has it from.
    pub source: LutSource,
    /// The hub shows the identity instead of its LUT; this is the identity.
    pub bypass: bool,
    /// The hub keeps its stream as it is; this is what it keeps.
    pub hold: bool,
    /// When it takes effect, in nanoseconds since 1970.
    pub effective: u64,
}

/// Bytes that are no LUT.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Something else, or a part of it.
    #[error("{0} bytes that do not begin as a LUT of a cluster does")]
    NotALut(usize),
    /// Another version.
    #[error(
        "a LUT in version {0} of the cluster's format, and this program knows version {VERSION}; run the same version everywhere"
    )]
    Version(u16),
    /// A header that makes no sense.
    #[error("a LUT whose {0}")]
    Header(&'static str),
    /// A grid size that no LUT has.
    #[error(transparent)]
    Size(#[from] GridSizeError),
    /// Larger than is taken.
    #[error("a LUT of grid size {size} is over this node's limit of {limit} (--max-lut-size)")]
    TooLarge {
        /// Its grid size.
        size: GridSize,
        /// The limit.
        limit: GridSize,
    },
    /// More or fewer values than its grid size needs.
    #[error("a LUT of grid size {size} needs {needed} bytes of values, and has {given}")]
    Length {
        /// Its grid size.
        size: GridSize,
        /// Bytes needed.
        needed: usize,
        /// Bytes there.
        given: usize,
    },
    /// Damaged.
    #[error("a LUT that was damaged on its way: its CRC-32 is {given:08x}, and should be {said:08x}")]
    Checksum {
        /// What the bytes have.
        given: u32,
        /// What the header says.
        said: u32,
    },
    /// Values that are no numbers.
    #[error("a LUT in which {count} values are NaN or infinite, the first at entry {first}")]
    NotFinite {
        /// How many.
        count: usize,
        /// Where the first is.
        first: usize,
    },
}

/// The most bytes that a LUT up to this grid size takes.
pub const fn most_bytes(limit: GridSize) -> usize {
    LONGEST_HEADER + limit.entries() * ENTRY
}

/// Writes a LUT. `entries` are all of them, in the header's order.
pub fn encode(header: &Header, entries: impl Iterator<Item = Texel>) -> Vec<u8> {
    let name = header.claim.hub.as_str().as_bytes();
    let begin = (FIXED + name.len()).next_multiple_of(4);
    let mut bytes = Vec::with_capacity(begin + header.size.entries() * ENTRY);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(begin as u16).to_le_bytes());
    bytes.extend_from_slice(&(header.size.get() as u16).to_le_bytes());
    bytes.push(u8::from(header.order == EntryOrder::RedFastest));
    bytes.push(source_number(header.source));
    bytes.push(u8::from(header.bypass) | u8::from(header.hold) << 1);
    bytes.extend_from_slice(&[0; 7]);
    bytes.extend_from_slice(&header.claim.priority.to_le_bytes());
    for number in [header.claim.life.began, header.claim.life.id, header.claim.revision, header.effective] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.push(name.len() as u8);
    bytes.extend_from_slice(name);
    bytes.resize(begin, 0);
    for entry in entries {
        bytes.extend_from_slice(&entry[..ENTRY]);
    }
    let crc = crc32fast::hash(&bytes[begin..]);
    bytes[20..24].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The CRC-32 that a LUT says it has. `None` where it is none.
pub fn checksum(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(array(bytes.get(20..24)?)))
}

/// What stands before the values of a LUT, before they are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it says of the LUT.
    pub header: Header,
    /// Where the values begin.
    begin: usize,
    crc: u32,
}

impl Head {
    /// Reads it, of a LUT up to grid size `limit`. `start` is all of a message of `length` bytes, or its first
    /// [`LONGEST_HEADER`]. Every length is checked before it is used.
    pub fn read(start: &[u8], length: usize, limit: GridSize) -> Result<Head, PayloadError> {
        if start.len() < FIXED || start[..8] != MAGIC {
            return Err(PayloadError::NotALut(length));
        }
        let u16_at = |at: usize| u16::from_le_bytes([start[at], start[at + 1]]);
        let u32_at = |at: usize| u32::from_le_bytes(array(&start[at..at + 4]));
        let u64_at = |at: usize| u64::from_le_bytes(array(&start[at..at + 8]));
        match u16_at(8) {
            VERSION => {}
            other => return Err(PayloadError::Version(other)),
        }
        let (begin, name_end) = (usize::from(u16_at(10)), FIXED + usize::from(start[60]));
        if begin > LONGEST_HEADER || begin % 4 != 0 || begin < name_end || start.len() < begin || length < begin {
            return Err(PayloadError::Header("header has a length that can't be"));
        }
        let size = GridSize::new(u64::from(u16_at(12)))?;
        if size > limit {
            return Err(PayloadError::TooLarge { size, limit });
        }
        let order = match start[14] {
            0 => EntryOrder::BlueFastest,
            1 => EntryOrder::RedFastest,
            _ => return Err(PayloadError::Header("order is none that is known")),
        };
        let source = source_of(start[15]).ok_or(PayloadError::Header("source is none that is known"))?;
        if start[16] & !3 != 0 {
            return Err(PayloadError::Header("output is none that is known"));
        }
        let hub = std::str::from_utf8(&start[FIXED..name_end]).ok().and_then(|name| name.parse::<Name>().ok());
        let hub = hub.ok_or(PayloadError::Header("hub has a name that is none"))?;
        let (needed, given) = (size.entries() * ENTRY, length - begin);
        if given != needed {
            return Err(PayloadError::Length { size, needed, given });
        }
        let life = Life { began: u64_at(28), id: u64_at(36) };
        let claim = Claim { hub, life, priority: u32_at(24), revision: u64_at(44) };
        let (bypass, hold) = (start[16] & 1 != 0, start[16] & 2 != 0);
        let header = Header { claim, size, order, source, bypass, hold, effective: u64_at(52) };
        Ok(Head { header, begin, crc: u32_at(20) })
    }

    /// The bytes of the values in `message`, the whole one that it was read from.
    pub fn values<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        message.get(self.begin..).unwrap_or_default()
    }

    /// Whether the values arrived as they were sent, and are numbers.
    pub fn check(&self, message: &[u8]) -> Result<(), PayloadError> {
        let values = self.values(message);
        let (given, said) = (crc32fast::hash(values), self.crc);
        if given != said {
            return Err(PayloadError::Checksum { given, said });
        }
        check_finite(values)
    }
}

/// Reads a LUT up to grid size `limit`: what it says, and the bytes of its values. Nothing is copied.
pub fn decode(bytes: &[u8], limit: GridSize) -> Result<(Header, &[u8]), PayloadError> {
    let head = Head::read(bytes, bytes.len(), limit)?;
    head.check(bytes)?;
    let values = head.values(bytes);
    Ok((head.header, values))
}

/// The entry at an index, with alpha 1.
pub fn entry(values: &[u8], index: usize) -> Texel {
    texel(&values[index * ENTRY..][..ENTRY])
}

/// The entries at these indices, one after the other, with alpha 1.
pub fn entries(values: &[u8], indices: Range<usize>) -> impl Iterator<Item = Texel> {
    values[indices.start * ENTRY..indices.end * ENTRY].chunks_exact(ENTRY).map(texel)
}

fn texel(rgb: &[u8]) -> Texel {
    let mut texel = [0; 16];
    texel[..ENTRY].copy_from_slice(rgb);
    texel[ENTRY..].copy_from_slice(&1f32.to_le_bytes());
    texel
}

fn check_finite(values: &[u8]) -> Result<(), PayloadError> {
    let is_bad = |value: &[u8]| !f32::from_le_bytes(array(value)).is_finite();
    // All of them without a branch: that the compiler makes vector instructions of.
    if !values.chunks_exact(4).fold(false, |any, value| any | is_bad(value)) {
        return Ok(());
    }
    let mut bad = values.chunks_exact(4).enumerate().filter(|(_, value)| is_bad(value)).map(|(at, _)| at);
    match bad.next() {
        None => Ok(()),
        Some(first) => Err(PayloadError::NotFinite { count: 1 + bad.count(), first: first / 3 }),
    }
}

/// Nanoseconds since 1970, as a time. Times that the system can't hold are its latest.
pub fn time(ns: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(ns)).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A time as nanoseconds since 1970; 0 before.
pub fn nanoseconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[..N]);
    array
}

fn source_number(source: LutSource) -> u8 {
    match source {
        LutSource::Sent => 0,
        LutSource::Cdl => 1,
        LutSource::File => 2,
        LutSource::Cluster => 3,
    }
}

fn source_of(number: u8) -> Option<LutSource> {
    [LutSource::Sent, LutSource::Cdl, LutSource::File, LutSource::Cluster].get(usize::from(number)).copied()
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
