//! Rows of entries on their way into a texture: alpha becomes 1.0, and whether all are finite is found on the way.

use super::{ALPHA_ONE, Texel};

/// How four texels that lie side by side are stored.
pub trait LineStore {
    /// Puts `texels` into `line`.
    fn store(&mut self, line: &mut [Texel; 4], texels: [Texel; 4]);
}

/// Stores that leave what they write in the processor's cache.
#[derive(Clone, Copy, Debug)]
pub struct Through;

impl LineStore for Through {
    #[inline(always)]
    fn store(&mut self, line: &mut [Texel; 4], texels: [Texel; 4]) {
        *line = texels;
    }
}

/// Gathers whether any exponent of R, G or B was all ones.
///
/// Two floats to a word: compilers make of this what they make of vector instructions, and of four single floats a
/// fifth of that speed.
#[derive(Default)]
pub(super) struct Finiteness {
    red_green: u64,
    blue_alpha: u64,
}

impl Finiteness {
    /// One entry with alpha set to 1.0; remembers whether it is finite. An exponent of all ones is the only one that
    /// carries into the sign bit when 1 is added to it, and with the sign gone nothing carries any further.
    #[inline(always)]
    fn pass(&mut self, entry: &Texel) -> Texel {
        const EXPONENT_ONE: u64 = 0x0080_0000_0080_0000;
        let carry = |floats: u64| (floats & 0x7fff_ffff_7fff_ffff) + EXPONENT_ONE;
        let both = u128::from_le_bytes(*entry);
        let (red_green, blue_alpha) = (both as u64, (both >> 64) as u64);
        self.red_green |= carry(red_green);
        self.blue_alpha |= carry(blue_alpha);
        let alpha_one = u64::from(u32::from_le_bytes(ALPHA_ONE)) << 32;
        let blue_one = (blue_alpha & 0xffff_ffff) | alpha_one;
        let mut out = [0; 16];
        out[..8].copy_from_slice(&red_green.to_le_bytes());
        out[8..].copy_from_slice(&blue_one.to_le_bytes());
        out
    }

    /// Entries of one row; their texels lie `stride` apart, from the first of `texels` on.
    #[inline]
    pub(super) fn place(&mut self, row: &[Texel], texels: &mut [Texel], stride: usize) {
        if stride == 1 {
            for (to, e) in texels[..row.len()].iter_mut().zip(row) {
                *to = self.pass(e);
            }
        } else {
            for (i, e) in row.iter().enumerate() {
                texels[i * stride] = self.pass(e);
            }
        }
    }

    /// Four rows of `n` entries, whose texels lie side by side.
    #[inline]
    pub(super) fn place_four(
        &mut self,
        rows: &[Texel],
        n: usize,
        texels: &mut [Texel],
        stride: usize,
        store: &mut impl LineStore,
    ) {
        let rows: [&[Texel]; 4] = std::array::from_fn(|k| &rows[k * n..][..n]);
        for i in 0..n {
            let at = i * stride;
            let Some(line) = texels[at..].first_chunk_mut() else { unreachable!("four rows end within the texture") };
            store.store(line, [
                self.pass(&rows[0][i]),
                self.pass(&rows[1][i]),
                self.pass(&rows[2][i]),
                self.pass(&rows[3][i]),
            ]);
        }
    }

    /// Whether all R, G and B were finite; alpha may be anything.
    pub(super) fn all_finite(&self) -> bool {
        self.red_green & 0x8000_0000_8000_0000 == 0 && self.blue_alpha & 0x8000_0000 == 0
    }
}
