//! The test pattern: everything that a LUT shader can get wrong, in one picture.
//!
//! Bands from top to bottom, each as wide as the picture (W pixels; `x` from the left, from 0):
//!
//! | rows | what |
//! | --- | --- |
//! | 8 | orientation: black, but for the pixel at the top left, which is red (1, 0, 0) |
//! | 7 × 16 | ramps from 0 to 1: grey, red, green, blue, cyan, magenta, yellow; the value is `x/(W−1)` |
//! | 4 × 16, float only | patches out of range, in 12 columns of equal width: grey, red, green, blue |
//! | N³/W, rounded up | lattice points, a pixel each, red fastest: `i/(N−1)`, float32; what is left of the last row is black |
//! | the rest | a field of colours: `r = x/(W−1)`, `g` from 0 at its top to 1 at its bottom, `b = 1 − r` |

use super::{Depth, Picture, Samples};
use crate::hald::EntryOrder;
use crate::lut::GridSize;

/// A test pattern. The same settings give the same bits, on every computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    width: usize,
    height: usize,
    size: GridSize,
    depth: Depth,
}

/// A picture that a pattern does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Too narrow or too wide.
    #[error("a width of {0} is out of range: a pattern is {min} to {max} pixels wide", min = Pattern::MIN_WIDTH, max = Pattern::MAX_SIDE)]
    Width(usize),
    /// Too low or too high.
    #[error("a height of {height} is out of range: with {width} pixels a row and grid size {size}, a pattern is {least} to {max} pixels high", max = Pattern::MAX_SIDE)]
    Height {
        /// The height asked for.
        height: usize,
        /// The width.
        width: usize,
        /// The grid size.
        size: GridSize,
        /// The height that the bands take, with one row of the field.
        least: usize,
    },
}

const ORIENTATION_ROWS: usize = 8;
const BAND_ROWS: usize = 16;
/// Which of red, green and blue take part.
const RAMPS: [[f32; 3]; 7] = [
    [1.0, 1.0, 1.0],
    [1.0, 0.0, 0.0],
    [0.0, 1.0, 0.0],
    [0.0, 0.0, 1.0],
    [0.0, 1.0, 1.0],
    [1.0, 0.0, 1.0],
    [1.0, 1.0, 0.0],
];
/// The first of the ramps' channels that out-of-range patches come in.
const PATCH_ROWS: usize = 4;

impl Pattern {
    /// The least width.
    pub const MIN_WIDTH: usize = 64;
    /// The largest width and height.
    pub const MAX_SIDE: usize = 16384;
    /// The width where none is asked for.
    pub const DEFAULT_WIDTH: usize = 1920;
    /// The height where none is asked for and the bands need no more.
    pub const DEFAULT_HEIGHT: usize = 1080;
    /// The values of the patches out of range, from the left. Each is exact in float16 too.
    pub const OUT_OF_RANGE: [f32; 12] = [
        -1.0,
        -0.25,
        -1.0 / 1024.0,
        -0.0,
        1.0 + 1.0 / 1024.0,
        1.25,
        2.0,
        16.0,
        65504.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];

    /// A pattern of this size with the lattice points of this grid size. Without a height it is
    /// [`DEFAULT_HEIGHT`](Self::DEFAULT_HEIGHT), or what the bands need.
    ///
    /// # Errors
    /// Where the bands do not fit.
    pub fn new(width: usize, height: Option<usize>, size: GridSize, depth: Depth) -> Result<Self, PatternError> {
        if !(Self::MIN_WIDTH..=Self::MAX_SIDE).contains(&width) {
            return Err(PatternError::Width(width));
        }
        let mut pattern = Pattern { width, height: 0, size, depth };
        let least = pattern.field_row() + 1;
        let height = height.unwrap_or(least.max(Self::DEFAULT_HEIGHT));
        if !(least..=Self::MAX_SIDE).contains(&height) {
            return Err(PatternError::Height { height, width, size, least });
        }
        pattern.height = height;
        Ok(pattern)
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The first row of the ramps.
    pub fn ramp_row(&self) -> usize {
        ORIENTATION_ROWS
    }

    /// The first row of the patches out of range, where there are any.
    pub fn patch_row(&self) -> Option<usize> {
        self.depth.is_float().then_some(ORIENTATION_ROWS + RAMPS.len() * BAND_ROWS)
    }

    /// The first row of the lattice points.
    pub fn lattice_row(&self) -> usize {
        let patches = if self.depth.is_float() { PATCH_ROWS } else { 0 };
        ORIENTATION_ROWS + (RAMPS.len() + patches) * BAND_ROWS
    }

    /// The first row of the field.
    pub fn field_row(&self) -> usize {
        self.lattice_row() + self.size.entries().div_ceil(self.width)
    }

    /// The colour of a pixel before it is rounded to the picture's depth.
    pub fn pixel(&self, x: usize, y: usize) -> [f32; 3] {
        let across = x as f32 / (self.width - 1) as f32;
        if y < self.ramp_row() {
            return if (x, y) == (0, 0) { [1.0, 0.0, 0.0] } else { [0.0; 3] };
        }
        if let Some(band) = RAMPS.get((y - self.ramp_row()) / BAND_ROWS) {
            return band.map(|part| part * across);
        }
        if y < self.lattice_row() {
            let band = RAMPS[(y - self.patch_row().unwrap_or(y)) / BAND_ROWS];
            let value = Self::OUT_OF_RANGE[x * Self::OUT_OF_RANGE.len() / self.width];
            return band.map(|part| if part == 0.0 { 0.0 } else { value });
        }
        if y < self.field_row() {
            let index = (y - self.lattice_row()) * self.width + x;
            if index >= self.size.entries() {
                return [0.0; 3];
            }
            let last = (self.size.get() - 1) as f32;
            return EntryOrder::RedFastest.point(self.size, index).map(|i| i as f32 / last);
        }
        let rows = self.height - self.field_row();
        let down = if rows > 1 { (y - self.field_row()) as f32 / (rows - 1) as f32 } else { 0.0 };
        [across, down, 1.0 - across]
    }

    /// The picture.
    pub fn picture(&self) -> Picture {
        let pixels = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        let samples = Samples::from_values(pixels.flat_map(|(x, y)| self.pixel(x, y)), self.depth);
        Picture::rgb(self.width, self.height, samples).unwrap_or_else(|| unreachable!("three samples for each pixel"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(n: u64) -> GridSize {
        GridSize::new(n).unwrap()
    }

    fn pattern(n: u64, depth: Depth) -> Pattern {
        Pattern::new(Pattern::DEFAULT_WIDTH, None, grid(n), depth).unwrap()
    }

    #[test]
    fn one_pixel_tells_which_way_up_the_picture_is() {
        let picture = pattern(2, Depth::Eight).picture();
        let Samples::Eight(bytes) = picture.samples() else { panic!() };
        assert_eq!(bytes[..6], [255, 0, 0, 0, 0, 0]);
        let red = bytes[..8 * 1920 * 3].iter().filter(|b| **b != 0).count();
        assert_eq!(red, 1, "the band holds nothing else");
    }

    #[test]
    fn ramps_reach_from_black_to_full_in_every_channel() {
        let pattern = pattern(33, Depth::Float);
        for (i, channels) in RAMPS.iter().enumerate() {
            let y = pattern.ramp_row() + i * BAND_ROWS;
            assert_eq!(pattern.pixel(0, y), [0.0; 3]);
            assert_eq!(pattern.pixel(1919, y + BAND_ROWS - 1), *channels);
            assert!((1..1920).all(|x| pattern.pixel(x, y) > pattern.pixel(x - 1, y)));
        }
    }

    #[test]
    fn every_lattice_point_is_there_once_as_the_identity_has_it() {
        for n in [2, 33, 65] {
            let pattern = pattern(n, Depth::Float);
            let identity = crate::lut::Lut3d::identity(grid(n));
            for i in 0..grid(n).entries() {
                let got = pattern.pixel(i % 1920, pattern.lattice_row() + i / 1920);
                let want = identity.at(EntryOrder::RedFastest.point(grid(n), i));
                assert_eq!(got.map(f32::to_bits), want.map(f32::to_bits), "N = {n}, point {i}");
            }
        }
    }

    #[test]
    fn float_pictures_have_patches_out_of_range_and_others_do_not() {
        let float = pattern(33, Depth::Half);
        let row = float.patch_row().unwrap();
        let seen: Vec<f32> = (0..12).map(|i| float.pixel(i * 160 + 80, row)[0]).collect();
        let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&seen), bits(&Pattern::OUT_OF_RANGE));
        assert_eq!(float.pixel(80, row + BAND_ROWS), [-1.0, 0.0, 0.0]);
        let whole = pattern(33, Depth::Sixteen);
        assert_eq!(whole.patch_row(), None);
        assert_eq!(float.lattice_row() - whole.lattice_row(), PATCH_ROWS * BAND_ROWS);
    }

    #[test]
    fn bands_that_do_not_fit_are_refused_with_what_would_fit() {
        assert_eq!(pattern(128, Depth::Eight).height(), 120 + 1093 + 1, "as high as the lattice points need");
        let said = |width, height| Pattern::new(width, height, grid(33), Depth::Eight).unwrap_err().to_string();
        assert_eq!(said(63, None), "a width of 63 is out of range: a pattern is 64 to 16384 pixels wide");
        let low = "a height of 138 is out of range: with 1920 pixels a row and grid size 33, a pattern is 140 to 16384 pixels high";
        assert_eq!(said(1920, Some(138)), low);
        assert!(Pattern::new(64, None, grid(256), Depth::Eight).is_err());
    }
}
