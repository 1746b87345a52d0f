//! Rows of entries on their way into a texture: alpha becomes 1.0, and whether all are finite is found on the way.

use super::{ALPHA_ONE, Texel};
use wide::u32x4;

// A lane is a float as it stands in memory, on the wire and in a texture.
const _: () = assert!(cfg!(target_endian = "little"));

/// Texels in a cache line of most processors.
const LINE: usize = 4;

/// Is told where texels will be written soon.
pub(crate) trait Soon {
    /// The texel at this address will be. It may lie anywhere, also outside the texture.
    fn written_soon(&self, texel: *const Texel);
}

/// Whoever has no use for that.
pub(super) struct Untold;

impl Soon for Untold {
    #[inline(always)]
    fn written_soon(&self, _: *const Texel) {}
}

/// Looks at entries on their way, and sets their alpha to 1.0.
pub(super) trait Pass {
    /// An entry.
    fn one(&mut self, entry: &Texel) -> Texel;

    /// Two of them, whose texels lie side by side.
    #[inline(always)]
    fn two(&mut self, entries: [&Texel; 2]) -> [Texel; 2] {
        [self.one(entries[0]), self.one(entries[1])]
    }

    /// Whether all R, G and B were finite; alpha may have been anything.
    fn all_finite(&self) -> bool;
}

/// Gathers, lane by lane, whether any exponent was all ones. What every processor can do.
pub(super) struct Finiteness(u32x4);

impl Default for Finiteness {
    fn default() -> Self {
        Finiteness(u32x4::ZERO)
    }
}

impl Pass for Finiteness {
    /// An exponent of all ones is the only one that carries into the sign bit when 1 is added to it.
    #[inline(always)]
    fn one(&mut self, entry: &Texel) -> Texel {
        const COLOUR: u32x4 = u32x4::new([!0, !0, !0, 0]);
        const ALPHA: u32x4 = u32x4::new([0, 0, 0, u32::from_ne_bytes(ALPHA_ONE)]);
        const MAGNITUDE: u32x4 = u32x4::new([0x7fff_ffff; 4]);
        const EXPONENT_ONE: u32x4 = u32x4::new([0x0080_0000; 4]);
        let bits: u32x4 = bytemuck::cast(*entry);
        self.0 |= (bits & MAGNITUDE) + EXPONENT_ONE;
        bytemuck::cast((bits & COLOUR) | ALPHA)
    }

    fn all_finite(&self) -> bool {
        let [r, g, b, _] = self.0.to_array();
        (r | g | b) & 0x8000_0000 == 0
    }
}

/// Entries of one row; their texels lie `stride` apart, from the first of `texels` on. What is written after them
/// lies `ahead` texels on from each.
#[inline(always)]
pub(super) fn place(
    pass: &mut impl Pass,
    row: &[Texel],
    texels: &mut [Texel],
    stride: usize,
    ahead: isize,
    soon: &impl Soon,
) {
    if stride == 1 {
        let (pairs, last) = row.as_chunks::<2>();
        let (to_pairs, to_last) = texels[..row.len()].as_chunks_mut::<2>();
        for (to, [a, b]) in to_pairs.iter_mut().zip(pairs) {
            *to = pass.two([a, b]);
        }
        for (to, entry) in to_last.iter_mut().zip(last) {
            *to = pass.one(entry);
        }
    } else {
        for (to, entry) in texels.iter_mut().step_by(stride).zip(row) {
            soon.written_soon(std::ptr::from_ref(to).wrapping_offset(ahead));
            *to = pass.one(entry);
        }
    }
}

/// As many rows of `n` entries as a run has texels, for they lie side by side. What is written after each run lies
/// `ahead` texels on.
#[inline(always)]
pub(super) fn place_runs<const RUN: usize>(
    pass: &mut impl Pass,
    rows: &[Texel],
    n: usize,
    texels: &mut [Texel],
    stride: usize,
    ahead: isize,
    soon: &impl Soon,
) {
    const { assert!(RUN.is_multiple_of(LINE) && LINE.is_multiple_of(2), "whole cache lines, in pairs") };
    let rows: [&[Texel]; RUN] = std::array::from_fn(|k| &rows[k * n..][..n]);
    for i in 0..n {
        let Some(run) = texels[i * stride..].first_chunk_mut::<RUN>() else {
            unreachable!("rows end within the texture")
        };
        for line in (0..RUN).step_by(LINE) {
            soon.written_soon(std::ptr::from_ref(&run[line]).wrapping_offset(ahead));
        }
        for (pair, to) in run.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            *to = pass.two([&rows[2 * pair][i], &rows[2 * pair + 1][i]]);
        }
    }
}
