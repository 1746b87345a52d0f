//! One remembered LUT as a file.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `VGLBLUT` and a zero |
//! | 4 | format version: 2 where there are CDL values, otherwise 1 |
//! | 8 | when the LUT came: milliseconds since 1970, UTC |
//! | 4 | how entries are listed: 0 as the wire had them, 1 blue fastest |
//! | 4 | grid size N |
//! | 4 | length of the channel's name in bytes, 0 for the channel without a name |
//! | … | the name, UTF-8 |
//! | 80 | in version 2: the channel's CDL values as float64: slope, offset and power of red, green and blue, saturation |
//! | 16·N³ | entries: R, G, B as float32, every bit as it came, and 1.0 |
//! | 4 | CRC-32 (IEEE 802.3) of all bytes before |
//!
//! Numbers are little endian.

use crate::hald::Texel;
use crate::lut::{Cdl, GridSize};
use crate::sink::ChannelId;
use crate::wire::request::LONGEST_CHANNEL;
use std::io::{self, Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MAGIC: [u8; 8] = *b"VGLBLUT\0";
/// The version written, and the newest that is read.
pub const VERSION: u32 = 2;
/// The version without CDL values.
const WITHOUT_CDL: u32 = 1;
/// Bytes of CDL values.
const CDL_BYTES: usize = 80;
/// Entries written at a time.
const PIECE: usize = 4096;
/// Bytes before the name.
const FIXED: usize = 32;

/// How a record's entries are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// As they came: the server's entry order says how they are read.
    Wire,
    /// Blue fastest, whatever the server's entry order is.
    BlueFastest,
}

/// What a record says before its entries.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The channel.
    pub channel: ChannelId,
    /// When its LUT came.
    pub saved: SystemTime,
    /// The LUT's grid size.
    pub size: GridSize,
    /// How entries are listed.
    pub listing: Listing,
    /// The channel's newest CDL values.
    pub cdl: Option<Cdl>,
}

/// Why a file is no record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Something else.
    #[error("it is no remembered LUT")]
    Foreign,
    /// Of a later program.
    #[error("it has format version {0}, and this program knows versions up to {VERSION}")]
    Newer(u32),
    /// Cut short, or with something behind it.
    #[error("it has {actual} bytes, and its header says {wanted}")]
    Length {
        /// Bytes that the header promises.
        wanted: u64,
        /// Bytes that there are.
        actual: u64,
    },
    /// Damaged.
    #[error("its checksum is {actual:08x}, and its content has {wanted:08x}")]
    Checksum {
        /// The sum of what was read.
        wanted: u32,
        /// The sum in the file.
        actual: u32,
    },
    /// A field that means nothing.
    #[error("its {0}")]
    Field(String),
    /// There is no memory for its entries.
    #[error("there is no memory for its {0} bytes")]
    OutOfMemory(usize),
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
}

impl Header {
    /// The length of the whole record in bytes.
    pub fn record_bytes(&self) -> u64 {
        let cdl = if self.cdl.is_some() { CDL_BYTES } else { 0 };
        (FIXED + self.channel.name().unwrap_or("").len() + cdl + self.size.rgba_bytes() + 4) as u64
    }

    fn encode(&self) -> Vec<u8> {
        let name = self.channel.name().unwrap_or("");
        let saved = self.saved.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let listing: u32 = match self.listing {
            Listing::Wire => 0,
            Listing::BlueFastest => 1,
        };
        let mut bytes = Vec::with_capacity(FIXED + name.len());
        bytes.extend(MAGIC);
        bytes.extend(if self.cdl.is_some() { VERSION } else { WITHOUT_CDL }.to_le_bytes());
        bytes.extend(saved.to_le_bytes());
        bytes.extend(listing.to_le_bytes());
        bytes.extend((self.size.get() as u32).to_le_bytes());
        bytes.extend((name.len() as u32).to_le_bytes());
        bytes.extend(name.as_bytes());
        if let Some(cdl) = self.cdl {
            let triplets = [cdl.slope(), cdl.offset(), cdl.power()];
            let numbers = triplets.into_iter().flatten().chain([cdl.saturation()]);
            bytes.extend(numbers.flat_map(f64::to_le_bytes));
        }
        bytes
    }

    /// Writes a record.
    ///
    /// # Errors
    /// What `out` says, and [`io::ErrorKind::InvalidInput`] where there are not N³ entries.
    pub fn write(&self, entries: impl Iterator<Item = Texel>, out: &mut impl Write) -> io::Result<()> {
        let mut sum = crc32fast::Hasher::new();
        let mut put = |bytes: &[u8]| {
            sum.update(bytes);
            out.write_all(bytes)
        };
        put(&self.encode())?;
        let mut piece = Vec::with_capacity(PIECE);
        let mut count = 0;
        for entry in entries {
            piece.push(entry);
            count += 1;
            if piece.len() == PIECE {
                put(piece.as_flattened())?;
                piece.clear();
            }
        }
        put(piece.as_flattened())?;
        if count != self.size.entries() {
            let why = format!("{count} entries for a LUT of {}³", self.size);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        out.write_all(&sum.finalize().to_le_bytes())
    }

    /// Reads a record's header from a file of `length` bytes.
    pub fn read(from: &mut impl Read, length: u64) -> Result<Self, RecordError> {
        Ok(read_header(from, length)?.0)
    }
}

/// A header, and its bytes.
fn read_header(from: &mut impl Read, length: u64) -> Result<(Header, Vec<u8>), RecordError> {
    let too_short = |e: io::Error| match e.kind() {
        io::ErrorKind::UnexpectedEof => RecordError::Length { wanted: length + 1, actual: length },
        _ => RecordError::Io(e),
    };
    if length < FIXED as u64 {
        return Err(RecordError::Foreign);
    }
    let mut bytes = vec![0; FIXED];
    from.read_exact(&mut bytes).map_err(too_short)?;
    let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if bytes[..8] != MAGIC {
        return Err(RecordError::Foreign);
    }
    let has_cdl = match u32_at(8) {
        WITHOUT_CDL => false,
        VERSION => true,
        newer if newer > VERSION => return Err(RecordError::Newer(newer)),
        other => return Err(RecordError::Field(format!("format version is {other}, and the first is 1"))),
    };
    let milliseconds = u64::from(u32_at(12)) | u64::from(u32_at(16)) << 32;
    let saved = UNIX_EPOCH
        .checked_add(Duration::from_millis(milliseconds))
        .ok_or_else(|| RecordError::Field(format!("time is {milliseconds} ms after 1970, which is no date")))?;
    let listing = match u32_at(20) {
        0 => Listing::Wire,
        1 => Listing::BlueFastest,
        other => return Err(RecordError::Field(format!("listing is {other}; it can be 0 or 1"))),
    };
    let size = GridSize::new(u32_at(24).into()).map_err(|e| RecordError::Field(format!("grid size is none: {e}")))?;
    let name_bytes = u32_at(28) as usize;
    if name_bytes > LONGEST_CHANNEL {
        return Err(RecordError::Field(format!(
            "channel name is {name_bytes} bytes long; it can have at most {LONGEST_CHANNEL}"
        )));
    }
    bytes.resize(FIXED + name_bytes, 0);
    from.read_exact(&mut bytes[FIXED..]).map_err(too_short)?;
    let name = std::str::from_utf8(&bytes[FIXED..])
        .map_err(|_| RecordError::Field("channel name is no UTF-8 text".into()))?
        .to_owned();
    let mut cdl = None;
    if has_cdl {
        let mut numbers = [0; CDL_BYTES];
        from.read_exact(&mut numbers).map_err(too_short)?;
        bytes.extend(numbers);
        cdl = Some(read_cdl(&numbers)?);
    }
    let header = Header { channel: ChannelId::new(name), saved, size, listing, cdl };
    match header.record_bytes() {
        wanted if wanted != length => Err(RecordError::Length { wanted, actual: length }),
        _ => Ok((header, bytes)),
    }
}

fn read_cdl(bytes: &[u8; CDL_BYTES]) -> Result<Cdl, RecordError> {
    let (numbers, _) = bytes.as_chunks::<8>();
    let number = |i: usize| numbers.get(i).map_or(f64::NAN, |b| f64::from_le_bytes(*b));
    let triplet = |first: usize| [number(first), number(first + 1), number(first + 2)];
    Cdl::new(triplet(0), triplet(3), triplet(6), number(9)).map_err(|e| RecordError::Field(format!("CDL is none: {e}")))
}

/// Reads a whole record from a file of `length` bytes.
pub fn read(from: &mut impl Read, length: u64) -> Result<(Header, Vec<Texel>), RecordError> {
    let (header, bytes) = read_header(from, length)?;
    let mut sum = crc32fast::Hasher::new();
    sum.update(&bytes);
    let mut entries: Vec<Texel> = Vec::new();
    let count = header.size.entries();
    entries.try_reserve_exact(count).map_err(|_| RecordError::OutOfMemory(header.size.rgba_bytes()))?;
    entries.resize(count, [0; 16]);
    from.read_exact(entries.as_flattened_mut())?;
    sum.update(entries.as_flattened());
    let mut stated = [0; 4];
    from.read_exact(&mut stated)?;
    match (sum.finalize(), u32::from_le_bytes(stated)) {
        (wanted, actual) if wanted != actual => Err(RecordError::Checksum { wanted, actual }),
        _ => Ok((header, entries)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cdl: Option<Cdl>) -> (Header, Vec<Texel>, Vec<u8>) {
        let header = Header {
            channel: ChannelId::new("cam “A”"),
            saved: UNIX_EPOCH + Duration::from_millis(1_234_567_890_123),
            size: GridSize::new(3).unwrap(),
            listing: Listing::Wire,
            cdl,
        };
        let bits = [0x8000_0000u32, 1, 0x7e96_7699, 0x3f80_0000];
        let entries: Vec<Texel> = (0..27u32)
            .map(|i| {
                let mut texel = [0; 16];
                texel.chunks_mut(4).zip(bits).for_each(|(t, b)| t.copy_from_slice(&(b + i).to_le_bytes()));
                texel
            })
            .collect();
        let mut bytes = Vec::new();
        header.write(entries.iter().copied(), &mut bytes).unwrap();
        (header, entries, bytes)
    }

    #[test]
    fn a_record_returns_with_every_bit() {
        for (cdl, version) in [(None, 1), (Some(grade()), 2)] {
            let (header, entries, bytes) = record(cdl);
            assert_eq!((bytes.len() as u64, bytes[8]), (header.record_bytes(), version));
            assert_eq!(read(&mut &bytes[..], bytes.len() as u64).unwrap(), (header.clone(), entries));
            assert_eq!(Header::read(&mut &bytes[..], bytes.len() as u64).unwrap(), header);
        }
    }

    fn grade() -> Cdl {
        Cdl::new([1.5, 1.0, 0.1], [-0.3, 1e-9, 0.0], [0.9, 1.0, 1.1], 0.8).unwrap()
    }

    #[test]
    fn no_damage_goes_unseen() {
        for cdl in [None, Some(grade())] {
            let (_, _, bytes) = record(cdl);
            for at in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << (at % 8);
                assert!(read(&mut &damaged[..], damaged.len() as u64).is_err(), "byte {at}");
                assert!(read(&mut &bytes[..at], at as u64).is_err(), "cut to {at} bytes");
            }
            let longer = [&bytes[..], &[0]].concat();
            assert!(matches!(read(&mut &longer[..], longer.len() as u64), Err(RecordError::Length { .. })));
        }
    }

    #[test]
    fn a_later_version_and_a_strangers_file_are_told_apart() {
        let (_, _, mut bytes) = record(None);
        bytes[8] = 3;
        let said = read(&mut &bytes[..], bytes.len() as u64).unwrap_err().to_string();
        assert_eq!(said, "it has format version 3, and this program knows versions up to 2");
        let text = b"TITLE \"a LUT of somebody else's, as text\"";
        assert!(matches!(read(&mut &text[..], text.len() as u64), Err(RecordError::Foreign)));
        assert!(matches!(read(&mut &b""[..], 0), Err(RecordError::Foreign)));
    }
}
