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

    /// Entries of one row; their texels lie `stride` apart, from the first of `texels` on. What is written after them
    /// lies `ahead` texels on from each.
    #[inline]
    pub(super) fn place(&mut self, row: &[Texel], texels: &mut [Texel], stride: usize, ahead: isize, soon: &impl Soon) {
        if stride == 1 {
            for (to, e) in texels[..row.len()].iter_mut().zip(row) {
                *to = self.pass(e);
            }
        } else {
            for (to, e) in texels.iter_mut().step_by(stride).zip(row) {
                soon.written_soon(std::ptr::from_ref(to).wrapping_offset(ahead));
                *to = self.pass(e);
            }
        }
    }

    /// As many rows of `n` entries as a run has texels, for they lie side by side. What is written after each run lies
    /// `ahead` texels on.
    #[inline]
    pub(super) fn place_runs<const RUN: usize>(
        &mut self,
        rows: &[Texel],
        n: usize,
        texels: &mut [Texel],
        stride: usize,
        ahead: isize,
        soon: &impl Soon,
    ) {
        let rows: [&[Texel]; RUN] = std::array::from_fn(|k| &rows[k * n..][..n]);
        for i in 0..n {
            let Some(run) = texels[i * stride..].first_chunk_mut() else { unreachable!("rows end within the texture") };
            for line in (0..RUN).step_by(LINE) {
                soon.written_soon(std::ptr::from_ref(&run[line]).wrapping_offset(ahead));
            }
            *run = std::array::from_fn::<_, RUN, _>(|k| self.pass(&rows[k][i]));
        }
    }

    /// Whether all R, G and B were finite; alpha may be anything.
    pub(super) fn all_finite(&self) -> bool {
        let [r, g, b, _] = self.0.to_array();
        (r | g | b) & 0x8000_0000 == 0
    }
}
