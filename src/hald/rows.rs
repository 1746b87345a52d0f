//! Rows of entries on their way into a texture: alpha becomes 1.0, and whether all are finite is found on the way.

use super::{ALPHA_ONE, Texel};
use wide::u32x4;

// A lane is a float as it stands in memory, on the wire and in a texture.
const _: () = assert!(cfg!(target_endian = "little"));

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

/// Gathers, lane by lane, whether any exponent was all ones.
pub(super) struct Finiteness(u32x4);

impl Default for Finiteness {
    fn default() -> Self {
        Finiteness(u32x4::ZERO)
    }
}

impl Finiteness {
    /// One entry with alpha set to 1.0; remembers whether it is finite. An exponent of all ones is the only one that
    /// carries into the sign bit when 1 is added to it.
    #[inline(always)]
    fn pass(&mut self, entry: &Texel) -> Texel {
        const COLOUR: u32x4 = u32x4::new([!0, !0, !0, 0]);
        const ALPHA: u32x4 = u32x4::new([0, 0, 0, u32::from_ne_bytes(ALPHA_ONE)]);
        const MAGNITUDE: u32x4 = u32x4::new([0x7fff_ffff; 4]);
        const EXPONENT_ONE: u32x4 = u32x4::new([0x0080_0000; 4]);
        let bits: u32x4 = bytemuck::cast(*entry);
        self.0 |= (bits & MAGNITUDE) + EXPONENT_ONE;
        bytemuck::cast((bits & COLOUR) | ALPHA)
    }

    /// Entries of one row; their texels lie `stride` apart, from the first of `texels` on.
    #[inline]
    pub(super) fn place(&mut self, row: &[Texel], texels: &mut [Texel], stride: usize) {
        if stride == 1 {
            for (to, e) in texels[..row.len()].iter_mut().zip(row) {
                *to = self.pass(e);
            }
        } else {
            for (to, e) in texels.iter_mut().step_by(stride).zip(row) {
                *to = self.pass(e);
            }
        }
    }

    /// Rows of `n` entries, four to a line, whose texels lie side by side.
    #[inline]
    pub(super) fn place_lines<const LINES: usize>(
        &mut self,
        rows: &[Texel],
        n: usize,
        texels: &mut [Texel],
        stride: usize,
        store: &mut impl LineStore,
    ) {
        let rows: [[&[Texel]; 4]; LINES] =
            std::array::from_fn(|l| std::array::from_fn(|k| &rows[(4 * l + k) * n..][..n]));
        for i in 0..n {
            let (lines, _) = texels[i * stride..].as_chunks_mut();
            for (line, rows) in lines[..LINES].iter_mut().zip(&rows) {
                let texels =
                    [self.pass(&rows[0][i]), self.pass(&rows[1][i]), self.pass(&rows[2][i]), self.pass(&rows[3][i])];
                store.store(line, texels);
            }
        }
    }

    /// Whether all R, G and B were finite; alpha may be anything.
    pub(super) fn all_finite(&self) -> bool {
        let [r, g, b, _] = self.0.to_array();
        (r | g | b) & 0x8000_0000 == 0
    }
}
