//! Binary property lists, as far as Syphon needs them: what its notifications and messages are made of.
//!
//! They come from any process of this computer. Nothing is read beyond [`MAX_BYTES`], nothing nested deeper than
//! [`MAX_DEPTH`], and no more than [`MAX_VALUES`] values: a list may refer to one value many times over, so that a few
//! bytes could stand for more than any memory holds.

/// The longest property list that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// The deepest nesting that is read.
pub const MAX_DEPTH: usize = 16;

/// The most values that are read, those in lists and dictionaries counted each time that they are referred to.
pub const MAX_VALUES: usize = 4096;

const MAGIC: &[u8; 8] = b"bplist00";
const TRAILER_BYTES: usize = 32;

/// A value in a property list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number without a sign.
    Integer(u64),
    /// A string.
    Text(String),
    /// A reference in a keyed archive.
    Uid(u64),
    /// An array.
    List(Vec<Value>),
    /// A dictionary, in the order in which it is written.
    Dictionary(Vec<(String, Value)>),
    /// Anything that Syphon has no use for: a truth value, a negative or fractional number, a date, data. It is
    /// written as null.
    Other,
}

/// Why bytes are no property list that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertyListError {
    /// More bytes than are read.
    #[error("a property list of {0} bytes; at most {MAX_BYTES} are read")]
    TooLong(usize),
    /// Another format, or none.
    #[error("{0} bytes that are no binary property list: it begins with \"bplist00\" and ends with a trailer")]
    NotBinary(usize),
    /// A part that lies outside.
    #[error("a damaged property list: {0}")]
    Damaged(&'static str),
    /// Lists within lists.
    #[error("a property list nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// Too many values.
    #[error("a property list of more than {MAX_VALUES} values")]
    TooManyValues,
}

use PropertyListError::Damaged;

impl Value {
    /// The value of a dictionary's key; `None` where there is none, or this is no dictionary.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let Value::Dictionary(entries) = self else { return None };
        entries.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// The string, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// Reads a binary property list.
    pub fn read(bytes: &[u8]) -> Result<Value, PropertyListError> {
        if bytes.len() > MAX_BYTES {
            return Err(PropertyListError::TooLong(bytes.len()));
        }
        let Some((rest, trailer)) = bytes.split_last_chunk::<TRAILER_BYTES>().filter(|(b, _)| b.starts_with(MAGIC))
        else {
            return Err(PropertyListError::NotBinary(bytes.len()));
        };
        let number = |at: usize| trailer[at..at + 8].iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
        let reader = Reader {
            bytes: rest,
            offset_bytes: trailer[6].into(),
            reference_bytes: trailer[7].into(),
            count: number(8),
            offsets: usize::try_from(number(24)).map_err(|_| Damaged("its table lies outside"))?,
        };
        reader.value(number(16), MAX_DEPTH, &mut { MAX_VALUES })
    }

    /// Writes a binary property list.
    pub fn write(&self) -> Vec<u8> {
        let count = self.count();
        let mut writer = Writer { objects: Vec::with_capacity(count), reference_bytes: bytes_for(count as u64) };
        writer.add(self);
        let mut bytes = MAGIC.to_vec();
        let mut offsets = Vec::with_capacity(count);
        for object in &writer.objects {
            offsets.push(bytes.len() as u64);
            bytes.extend_from_slice(object);
        }
        let (table, offset_bytes) = (bytes.len() as u64, bytes_for(bytes.len() as u64));
        offsets.iter().for_each(|offset| push(&mut bytes, *offset, offset_bytes));
        bytes.extend([0, 0, 0, 0, 0, 0, offset_bytes as u8, writer.reference_bytes as u8]);
        // The number of objects, the number of the outermost one, and where the table of offsets begins.
        [count as u64, 0, table].iter().for_each(|n| push(&mut bytes, *n, 8));
        bytes
    }

    /// Values in it, itself and the keys of dictionaries included.
    fn count(&self) -> usize {
        match self {
            Value::List(items) => 1 + items.iter().map(Value::count).sum::<usize>(),
            Value::Dictionary(entries) => 1 + entries.iter().map(|(_, value)| 1 + value.count()).sum::<usize>(),
            _ => 1,
        }
    }
}

/// The bytes of an integer that holds `n`: 1, 2, 4 or 8.
fn bytes_for(n: u64) -> usize {
    match n {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

/// The low `count` bytes of `n`, the highest first.
fn push(bytes: &mut Vec<u8>, n: u64, count: usize) {
    bytes.extend_from_slice(&n.to_be_bytes()[8 - count..]);
}

fn push_integer(bytes: &mut Vec<u8>, n: u64) {
    // Eight bytes are read with a sign, shorter ones without.
    if n > i64::MAX as u64 {
        bytes.push(0x14);
        push(bytes, 0, 8);
        return push(bytes, n, 8);
    }
    let count = bytes_for(n);
    bytes.push(0x10 | count.trailing_zeros() as u8);
    push(bytes, n, count);
}

/// What a value is, with how many parts: a number of up to 14 fits beside the kind, a larger one follows.
fn push_kind(bytes: &mut Vec<u8>, kind: u8, parts: usize) {
    if parts < 15 {
        bytes.push(kind << 4 | parts as u8);
    } else {
        bytes.push(kind << 4 | 15);
        push_integer(bytes, parts as u64);
    }
}

struct Writer {
    objects: Vec<Vec<u8>>,
    reference_bytes: usize,
}

impl Writer {
    /// Adds a value and all in it; returns its number.
    fn add(&mut self, value: &Value) -> u64 {
        let number = self.objects.len();
        self.objects.push(Vec::new());
        let mut bytes = Vec::new();
        match value {
            Value::Integer(n) => push_integer(&mut bytes, *n),
            Value::Text(text) => push_text(&mut bytes, text),
            Value::Uid(uid) => {
                let count = bytes_for(*uid);
                bytes.push(0x80 | (count - 1) as u8);
                push(&mut bytes, *uid, count);
            }
            Value::List(items) => {
                push_kind(&mut bytes, 0xa, items.len());
                let numbers: Vec<_> = items.iter().map(|item| self.add(item)).collect();
                numbers.iter().for_each(|n| push(&mut bytes, *n, self.reference_bytes));
            }
            Value::Dictionary(entries) => {
                push_kind(&mut bytes, 0xd, entries.len());
                let keys: Vec<_> = entries.iter().map(|(key, _)| self.add_text(key)).collect();
                let values: Vec<_> = entries.iter().map(|(_, value)| self.add(value)).collect();
                keys.iter().chain(&values).for_each(|n| push(&mut bytes, *n, self.reference_bytes));
            }
            Value::Other => bytes.push(0),
        }
        self.objects[number] = bytes;
        number as u64
    }

    fn add_text(&mut self, text: &str) -> u64 {
        let mut bytes = Vec::new();
        push_text(&mut bytes, text);
        self.objects.push(bytes);
        (self.objects.len() - 1) as u64
    }
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    if text.is_ascii() {
        push_kind(bytes, 0x5, text.len());
        bytes.extend_from_slice(text.as_bytes());
    } else {
        push_kind(bytes, 0x6, text.encode_utf16().count());
        bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    }
}

struct Reader<'a> {
    /// Everything before the trailer.
    bytes: &'a [u8],
    offset_bytes: usize,
    reference_bytes: usize,
    count: u64,
    offsets: usize,
}

impl Reader<'_> {
    /// The value with this number. `depth` and `left` say how many levels and values may still come.
    fn value(&self, number: u64, depth: usize, left: &mut usize) -> Result<Value, PropertyListError> {
        *left = left.checked_sub(1).ok_or(PropertyListError::TooManyValues)?;
        let mut at = self.offset(number)?;
        let kind = self.take(&mut at, 1)?[0];
        let (kind, low) = (kind >> 4, kind & 15);
        Ok(match kind {
            0x1 => self.integer(&mut at, low)?.map_or(Value::Other, Value::Integer),
            0x5 => {
                let length = self.length(&mut at, low)?;
                let ascii = self.take(&mut at, length)?;
                Value::Text(String::from_utf8_lossy(ascii).into_owned())
            }
            0x6 => {
                let length = self.length(&mut at, low)?;
                let bytes = self.take(&mut at, length.checked_mul(2).ok_or(Damaged("a string lies outside"))?)?;
                let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
                Value::Text(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
            }
            0x8 => Value::Uid(self.number(&mut at, usize::from(low) + 1)?),
            0xa => {
                let length = self.length(&mut at, low)?;
                Value::List(self.parts(&mut at, length, depth, left)?)
            }
            0xd => {
                let length = self.length(&mut at, low)?;
                let keys = self.parts(&mut at, length, depth, left)?;
                let values = self.parts(&mut at, length, depth, left)?;
                let key = |key| if let Value::Text(key) = key { Ok(key) } else { Err(Damaged("a key is no string")) };
                let entries = keys.into_iter().zip(values).map(|(k, value)| Ok((key(k)?, value)));
                Value::Dictionary(entries.collect::<Result<_, _>>()?)
            }
            _ => Value::Other,
        })
    }

    fn parts(
        &self,
        at: &mut usize,
        count: usize,
        depth: usize,
        left: &mut usize,
    ) -> Result<Vec<Value>, PropertyListError> {
        let depth = depth.checked_sub(1).ok_or(PropertyListError::TooDeep)?;
        (0..count).map(|_| self.value(self.number(at, self.reference_bytes)?, depth, left)).collect()
    }

    fn offset(&self, number: u64) -> Result<usize, PropertyListError> {
        let place = usize::try_from(number).ok().filter(|_| number < self.count);
        let place = place.and_then(|n| n.checked_mul(self.offset_bytes)).and_then(|n| n.checked_add(self.offsets));
        let mut place = place.ok_or(Damaged("a reference leads outside"))?;
        let offset = self.number(&mut place, self.offset_bytes)?;
        usize::try_from(offset).map_err(|_| Damaged("a value lies outside"))
    }

    /// How many parts a value has, where `low` are the bits beside its kind.
    fn length(&self, at: &mut usize, low: u8) -> Result<usize, PropertyListError> {
        if low < 15 {
            return Ok(low.into());
        }
        let kind = self.take(at, 1)?[0];
        let length = if kind >> 4 == 1 { self.integer(at, kind & 15)? } else { None };
        length.and_then(|n| usize::try_from(n).ok()).ok_or(Damaged("a length is no number"))
    }

    /// An integer of 2^`low` bytes; `None` where it is negative or larger than 64 bits hold.
    fn integer(&self, at: &mut usize, low: u8) -> Result<Option<u64>, PropertyListError> {
        match low {
            0..=2 => self.number(at, 1 << low).map(Some),
            3 => self.number(at, 8).map(|n| (n <= i64::MAX as u64).then_some(n)),
            4 => {
                let (high, low) = (self.number(at, 8)?, self.number(at, 8)?);
                Ok((high == 0).then_some(low))
            }
            _ => Err(Damaged("an integer of more than 16 bytes")),
        }
    }

    fn number(&self, at: &mut usize, count: usize) -> Result<u64, PropertyListError> {
        if !(1..=8).contains(&count) {
            return Err(Damaged("a number is not 1 to 8 bytes long"));
        }
        Ok(self.take(at, count)?.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    fn take(&self, at: &mut usize, count: usize) -> Result<&[u8], PropertyListError> {
        let end = at.checked_add(count).ok_or(Damaged("a value lies outside"))?;
        let taken = self.bytes.get(*at..end).ok_or(Damaged("a value lies outside"))?;
        *at = end;
        Ok(taken)
    }
}

#[cfg(test)]
#[path = "tests/property_list.rs"]
mod tests;
