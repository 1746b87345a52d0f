use std::fmt;

/// Bytes of one entry on the wire and of one texel in a texture: R, G, B, A as float32, little endian.
const ENTRY_BYTES: usize = 16;

/// The grid size of a cubic lattice: N entries along each of red, green and blue, from 2 to 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GridSize(u16);

/// A number of entries, or of bytes, that is no lattice this program works with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GridSizeError {
    /// The grid size itself is out of range.
    #[error("grid size {0} is out of range: a 3D LUT has {min} to {max} entries along each axis", min = GridSize::MIN.get(), max = GridSize::MAX.get())]
    OutOfRange(u64),
    /// The byte count is not a whole number of entries.
    #[error("{0} bytes are not a whole number of entries of 16 bytes (R, G, B, A as float32); {near}", near = nearest(*.0))]
    NotEntries(usize),
    /// The entry count is no cube number.
    #[error("{bytes} bytes hold {entries} entries, which is no cube number; {near}", near = nearest(*.bytes))]
    NotCubic {
        /// Bytes given.
        bytes: usize,
        /// Entries given.
        entries: usize,
    },
    /// The cube's edge is out of range.
    #[error("{bytes} bytes hold a LUT of grid size {edge}; it can be {min} to {max}; {near}", min = GridSize::MIN.get(), max = GridSize::MAX.get(), near = nearest(*.bytes))]
    EdgeOutOfRange {
        /// Bytes given.
        bytes: usize,
        /// The edge those bytes make.
        edge: usize,
    },
}

impl GridSize {
    /// The smallest lattice: one cell.
    pub const MIN: GridSize = GridSize(2);
    /// The largest lattice that any part of the program holds. A strip texture holds at most 128.
    pub const MAX: GridSize = GridSize(256);
    /// The grid size that grading programs export most, taken where nothing asks for another.
    pub const COMMON: GridSize = GridSize(33);

    /// The largest lattice that a strip texture holds.
    pub const LARGEST_STRIP: GridSize = GridSize(128);

    /// The grid size that cameras take.
    pub const SEVENTEEN: GridSize = GridSize(17);

    /// A grid size, where `n` is from 2 to 256.
    pub fn new(n: u64) -> Result<Self, GridSizeError> {
        match u16::try_from(n) {
            Ok(v) if (Self::MIN.0..=Self::MAX.0).contains(&v) => Ok(GridSize(v)),
            _ => Err(GridSizeError::OutOfRange(n)),
        }
    }

    /// The grid size of a list of RGBA float32 entries that takes `bytes` bytes.
    pub fn from_rgba_bytes(bytes: usize) -> Result<Self, GridSizeError> {
        if !bytes.is_multiple_of(ENTRY_BYTES) {
            return Err(GridSizeError::NotEntries(bytes));
        }
        let entries = bytes / ENTRY_BYTES;
        let edge = cube_root(entries);
        if edge * edge * edge != entries {
            return Err(GridSizeError::NotCubic { bytes, entries });
        }
        Self::new(edge as u64).map_err(|_| GridSizeError::EdgeOutOfRange { bytes, edge })
    }

    /// N.
    pub const fn get(self) -> usize {
        self.0 as usize
    }

    /// N³, the number of entries.
    pub const fn entries(self) -> usize {
        let n = self.get();
        n * n * n
    }

    /// Bytes of the N³ entries as RGBA float32.
    pub const fn rgba_bytes(self) -> usize {
        self.entries() * ENTRY_BYTES
    }
}

impl fmt::Display for GridSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl TryFrom<u64> for GridSize {
    type Error = GridSizeError;
    fn try_from(n: u64) -> Result<Self, GridSizeError> {
        Self::new(n)
    }
}

/// The largest integer whose cube is at most `v`.
fn cube_root(v: usize) -> usize {
    let mut r = (v as f64).cbrt() as usize;
    while r > 0 && r.checked_pow(3).is_none_or(|c| c > v) {
        r -= 1;
    }
    while (r + 1).checked_pow(3).is_some_and(|c| c <= v) {
        r += 1;
    }
    r
}

/// The valid sizes on both sides of a byte count, as a clause for an error message.
fn nearest(bytes: usize) -> String {
    let below = cube_root(bytes / ENTRY_BYTES);
    let (min, max) = (GridSize::MIN.get(), GridSize::MAX.get());
    let say = |n: usize| format!("{n}³ is {} bytes", n * n * n * ENTRY_BYTES);
    if below < min {
        format!("the smallest is {min}³ with {} bytes", GridSize::MIN.rgba_bytes())
    } else if below >= max {
        format!("the largest is {max}³ with {} bytes", GridSize::MAX.rgba_bytes())
    } else {
        format!("{} and {}", say(below), say(below + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_found_from_its_bytes_and_no_other_count_is() {
        for n in 2..=256u64 {
            let g = GridSize::new(n).unwrap();
            assert_eq!(GridSize::from_rgba_bytes(g.rgba_bytes()), Ok(g));
            for off in [1, 4, 15] {
                let bytes = g.rgba_bytes() + off;
                assert_eq!(GridSize::from_rgba_bytes(bytes), Err(GridSizeError::NotEntries(bytes)));
            }
            let bytes = g.rgba_bytes() - 16;
            assert_eq!(
                GridSize::from_rgba_bytes(bytes),
                Err(GridSizeError::NotCubic { bytes, entries: g.entries() - 1 })
            );
        }
    }

    #[test]
    fn out_of_range_sizes_are_named() {
        for (bytes, edge) in [(0, 0), (16, 1), (257 * 257 * 257 * 16, 257)] {
            assert_eq!(GridSize::from_rgba_bytes(bytes), Err(GridSizeError::EdgeOutOfRange { bytes, edge }));
        }
        assert_eq!(GridSize::new(u64::MAX), Err(GridSizeError::OutOfRange(u64::MAX)));
    }

    #[test]
    fn errors_say_the_bytes_and_the_nearest_valid_sizes() {
        let e = GridSize::from_rgba_bytes(8176).unwrap_err().to_string();
        assert_eq!(e, "8176 bytes hold 511 entries, which is no cube number; 7³ is 5488 bytes and 8³ is 8192 bytes");
        let e = GridSize::from_rgba_bytes(16).unwrap_err().to_string();
        assert_eq!(e, "16 bytes hold a LUT of grid size 1; it can be 2 to 256; the smallest is 2³ with 128 bytes");
        let e = GridSize::from_rgba_bytes(usize::MAX / 16 * 16).unwrap_err().to_string();
        assert!(e.contains("the largest is 256³ with 268435456 bytes"), "{e}");
    }
}
