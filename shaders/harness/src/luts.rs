//! LUTs to test with.

use virtual_gpu_lut_box::lut::{GridSize, Lut3d};

/// The grid sizes that every shader is tested with.
pub const SIZES: [usize; 6] = [2, 16, 17, 33, 64, 65];

/// A grid size that is known to be one.
///
/// # Panics
/// Where `n` is not from 2 to 256.
pub fn size(n: usize) -> GridSize {
    GridSize::new(n as u64).unwrap_or_else(|e| panic!("{e}"))
}

/// The LUT that returns its input.
pub fn identity(n: usize) -> Lut3d {
    Lut3d::identity(size(n))
}

/// A film-like grade: a smooth contrast curve, some saturation, a warm tint. Values stay within 0 and 1.
pub fn smooth(n: usize) -> Lut3d {
    from_unit(n, |[r, g, b]| {
        let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let curve = |v: f64| v * v * (3.0 - 2.0 * v) * 0.6 + v * 0.4;
        [luma + 1.2 * (r - luma), luma + 1.1 * (g - luma), luma + 0.9 * (b - luma)]
            .map(|v| 0.02 + 0.96 * curve(v.clamp(0.0, 1.0)))
    })
}

/// A LUT for high dynamic range: values from −0.5 to 8, steep towards the top, channels crossing over.
pub fn hdr(n: usize) -> Lut3d {
    from_unit(n, |[r, g, b]| {
        let lift = |v: f64| 8.5 * v.powf(2.2) - 0.5;
        [lift(0.8 * r + 0.1 * g + 0.1 * b), lift(0.1 * r + 0.8 * g + 0.1 * b), lift(0.15 * r + 0.15 * g + 0.7 * b)]
    })
}

/// A LUT without any smoothness: every entry is a random float32 of either sign from the whole normal range that a
/// blend of four cannot carry beyond it.
pub fn wild(n: usize) -> Lut3d {
    let mut random = Random::new(n as u64);
    Lut3d::from_fn(size(n), |_| {
        [0; 3].map(|_| {
            let exponent = 127 - 60 + (random.next() % 120) as u32;
            let bits = (random.next() as u32 & 0x807f_ffff) | (exponent << 23);
            f32::from_bits(bits)
        })
    })
}

fn from_unit(n: usize, mut f: impl FnMut([f64; 3]) -> [f64; 3]) -> Lut3d {
    let last = (n - 1) as f64;
    Lut3d::from_fn(size(n), |point| f(point.map(|i| i as f64 / last)).map(|v| v as f32))
}

/// Numbers that look random and are the same in every run (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A float32 from 0 up to, and not including, 1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 24) as f32
    }
}
