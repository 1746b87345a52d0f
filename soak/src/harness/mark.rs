//! LUTs of which every texel tells which LUT it is of, so that a texture made of two is found out.

use virtual_gpu_lut_box::hald::{EntryOrder, Texel};
use virtual_gpu_lut_box::lut::GridSize;
use virtual_gpu_lut_box::texture::Frame;

/// Which LUT it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The channel, under 512.
    pub channel: u16,
    /// The number of the LUT on its channel, from 1, under 2²².
    pub number: u32,
    /// Whether it may be on a stream: half a LUT, and one that must be refused, may not.
    pub good: bool,
}

/// All values lie between 0.5 and 1: this exponent, and 23 bits that tell something.
const BASE: u32 = 0x3f00_0000;
const BITS: u32 = (1 << 23) - 1;
const NOT_GOOD: u32 = 1 << 22;

impl Mark {
    /// Entry `i` as the wire has it.
    fn entry(self, size: GridSize, i: usize) -> [u32; 3] {
        let flag = if self.good { 0 } else { NOT_GOOD };
        let size = size.get() as u32;
        let mixed = (u64::from(self.number) << 40 | u64::from(self.channel) << 24 | i as u64)
            .wrapping_add(u64::from(size))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let sum = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 41;
        [self.number | flag, sum as u32 & BITS, u32::from(self.channel) << 8 | size].map(|bits| BASE | bits)
    }

    /// The whole `lutData`.
    pub fn payload(self, size: GridSize) -> Vec<u8> {
        let entries = (0..size.entries()).flat_map(|i| {
            let [r, g, b] = self.entry(size, i);
            [r, g, b, 0]
        });
        entries.flat_map(u32::to_le_bytes).collect()
    }

    /// What a texture is of, or how it is wrong: every texel is looked at.
    pub fn of(frame: &Frame) -> Result<Mark, String> {
        let shape = frame.shape.ok_or("a texture without a shape")?;
        let size = shape.size();
        let order = EntryOrder::BlueFastest;
        let first = frame.texels.get(shape.texel(order.point(size, 0))).ok_or("a texture without texels")?;
        let [red, _, blue, _] = numbers(first);
        let mark =
            Mark { channel: (blue >> 8 & 0x1ff) as u16, number: red & (NOT_GOOD - 1), good: red & NOT_GOOD == 0 };
        for i in 0..size.entries() {
            let [r, g, b] = mark.entry(size, i);
            let wanted = [r, g, b, 1.0f32.to_bits()];
            let texel = numbers(&frame.texels[shape.texel(order.point(size, i))]);
            if texel != wanted {
                return Err(format!(
                    "torn: it begins as LUT {} of channel {}, {size}³, and entry {i} is {texel:08x?} where that LUT \
                     has {wanted:08x?}",
                    mark.number, mark.channel
                ));
            }
        }
        match mark.good {
            true => Ok(mark),
            false => Err(format!("LUT {} of channel {} must never be seen", mark.number, mark.channel)),
        }
    }
}

fn numbers(texel: &Texel) -> [u32; 4] {
    std::array::from_fn(|i| texel[i * 4..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use virtual_gpu_lut_box::hald::{Layout, TextureShape};

    fn frame(size: GridSize, entry: impl Fn(usize) -> [u32; 3]) -> Frame {
        let shape = TextureShape::new(size, Layout::Vglb).expect("a shape");
        let mut texels = vec![[0; 16]; shape.texels()];
        for i in 0..size.entries() {
            let [r, g, b] = entry(i);
            let bytes: Vec<u8> = [r, g, b, 1.0f32.to_bits()].into_iter().flat_map(u32::to_le_bytes).collect();
            texels[shape.texel(EntryOrder::BlueFastest.point(size, i))] = bytes.try_into().expect("16 bytes");
        }
        Frame { shape: Some(shape), texels, ..Frame::default() }
    }

    #[test]
    fn a_texture_tells_its_lut_and_one_of_two_is_found_out() {
        let size = GridSize::new(9).expect("a size");
        let mark = Mark { channel: 7, number: 123_456, good: true };
        let next = Mark { number: 123_457, ..mark };
        assert_eq!(Mark::of(&frame(size, |i| mark.entry(size, i))), Ok(mark));
        for torn in [1, 100, 728] {
            let two = frame(size, |i| if i < torn { mark } else { next }.entry(size, i));
            assert!(Mark::of(&two).expect_err("two LUTs").starts_with("torn: it begins as LUT 123456 "), "{torn}");
        }
        // Entries of the same LUT at each other's places.
        let exchanged = frame(size, |i| mark.entry(size, i ^ usize::from(i > 1)));
        assert!(Mark::of(&exchanged).is_err());
        let bad = Mark { good: false, ..mark };
        assert!(Mark::of(&frame(size, |i| bad.entry(size, i))).expect_err("a bad one").contains("must never be seen"));
    }
}
