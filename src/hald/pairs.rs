//! Two entries at a time, where the processor has vectors of 256 bits (AVX2), as almost every one since 2015.

use super::rows::{Pass, Soon};
use super::{ALPHA_ONE, Rows, Texel};
use pulp::NullaryFnOnce;
use pulp::x86::V3;
use std::arch::x86_64::__m256i;

/// R, G, B and A of two entries.
type Lanes = [u32; 8];

/// Keeps, lane by lane, the largest magnitude: as whole numbers, floats without their sign are in the order of their
/// values, infinity and what is no number behind all others.
pub(super) struct Pairs {
    processor: V3,
    /// The largest, twice: shifting the sign out costs less than masking it.
    largest: __m256i,
}

/// Twice the bits of infinity.
const INFINITY: u32 = f32::INFINITY.to_bits() << 1;

impl Pairs {
    /// For this processor, if it can.
    pub(super) fn here() -> Option<Self> {
        V3::try_new().map(|processor| Pairs { processor, largest: pulp::cast(Lanes::default()) })
    }

    /// Lays entries out with all that the processor can.
    pub(super) fn lay<S: Soon>(self, rows: Rows<'_, S>) -> bool {
        self.processor.vectorize(Lay { pairs: self, rows })
    }
}

struct Lay<'a, S> {
    pairs: Pairs,
    rows: Rows<'a, S>,
}

impl<S: Soon> NullaryFnOnce for Lay<'_, S> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        self.rows.lay(self.pairs)
    }
}

impl Pass for Pairs {
    #[inline(always)]
    fn one(&mut self, entry: &Texel) -> Texel {
        self.two([entry, entry])[0]
    }

    #[inline(always)]
    fn two(&mut self, entries: [&Texel; 2]) -> [Texel; 2] {
        const ALPHA: u32 = u32::from_ne_bytes(ALPHA_ONE);
        const ALPHA_LANES: i32 = 0b1000_1000;
        let avx2 = self.processor.avx2;
        let bits: __m256i = pulp::cast([*entries[0], *entries[1]]);
        self.largest = avx2._mm256_max_epu32(self.largest, avx2._mm256_add_epi32(bits, bits));
        let alpha: __m256i = pulp::cast([ALPHA; 8]);
        pulp::cast(avx2._mm256_blend_epi32::<ALPHA_LANES>(bits, alpha))
    }

    #[inline(always)]
    fn all_finite(&self) -> bool {
        let [r, g, b, _, r2, g2, b2, _]: Lanes = pulp::cast(self.largest);
        [r, g, b, r2, g2, b2].into_iter().all(|twice| twice < INFINITY)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::{Finiteness, Untold};
    use super::super::{EntryOrder, Layout, Placement, TextureShape};
    use super::*;
    use crate::lut::GridSize;
    use proptest::prelude::*;

    fn rows<'a>(place: Placement, first: usize, entries: &'a [Texel], texture: &'a mut [Texel]) -> Rows<'a, Untold> {
        Rows { place, first, entries, texture, soon: &Untold }
    }

    #[test]
    fn only_what_is_no_number_and_infinity_are_not_finite_and_alpha_may_be_either() {
        let Some(mut pairs) = Pairs::here() else { return };
        let bits = |all: [u32; 4]| -> Texel { pulp::cast(all) };
        for finite in [0x7f7f_ffff, 0xff7f_ffff, 0x8000_0000, 1, 0x807f_ffff] {
            assert_eq!(pairs.one(&bits([finite; 4])), bits([finite, finite, finite, 1.0f32.to_bits()]));
        }
        pairs.one(&bits([0, 0, 0, 0xffff_ffff]));
        assert!(pairs.all_finite());
        for not_finite in [0x7f80_0000, 0xff80_0000, 0x7f80_0001, 0xffff_ffff] {
            for lane in 0..6 {
                let mut entries = [[0; 4]; 2];
                entries[lane / 3][lane % 3] = not_finite;
                let mut pairs = Pairs::here().expect("as before");
                pairs.two([&bits(entries[0]), &bits(entries[1])]);
                assert!(!pairs.all_finite(), "{not_finite:#x} in lane {lane}");
            }
        }
    }

    proptest! {
        /// Whatever the entries are, and in whatever pieces they come.
        #[test]
        fn two_at_a_time_lie_as_one_at_a_time(
            n in 2u64..20,
            layout in prop::sample::select(vec![Layout::Vglb, Layout::Unreal, Layout::Unity, Layout::HaldClut]),
            order in prop::sample::select(vec![EntryOrder::BlueFastest, EntryOrder::RedFastest]),
            seed in any::<u64>(),
            from in 0.0..1.0,
            part in 0.0..1.0,
        ) {
            let Some(pairs) = Pairs::here() else { return Ok(()) };
            let size = GridSize::new(n).expect("a grid size");
            let Ok(shape) = TextureShape::new(size, layout) else { return Ok(()) };
            let all = shape.texels();
            let first = (from * all as f64) as usize;
            let count = (part * (all - first) as f64) as usize;
            let mut state = seed;
            let entries: Vec<Texel> = (0..count)
                .map(|_| {
                    std::array::from_fn(|_| {
                        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                        (state >> 56) as u8
                    })
                })
                .collect();
            let place = Placement::new(shape, order);
            let (mut one, mut two) = (vec![[0; 16]; all], vec![[0; 16]; all]);
            let finite = rows(place, first, &entries, &mut one).lay(Finiteness::default());
            prop_assert_eq!(pairs.lay(rows(place, first, &entries, &mut two)), finite);
            prop_assert_eq!(one, two);
        }
    }
}
