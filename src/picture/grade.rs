//! A LUT on a picture: the shaders' arithmetic on the processor.

use super::sample::{Sample, Samples, with_samples};
use super::{Picture, Progress, Stage};
use crate::lut::{Curve, Lut3d};
use rayon::prelude::*;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How colours between lattice points are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// From the four entries around: what the shaders and grading programs do.
    #[default]
    Tetrahedral,
    /// From the eight entries around.
    Trilinear,
}

/// A name that is no interpolation's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no interpolation; it can be tetrahedral, trilinear")]
pub struct UnknownInterpolation(String);

impl FromStr for Interpolation {
    type Err = UnknownInterpolation;

    fn from_str(name: &str) -> Result<Self, UnknownInterpolation> {
        let all = [Interpolation::Tetrahedral, Interpolation::Trilinear];
        all.into_iter().find(|i| name == i.to_string()).ok_or_else(|| UnknownInterpolation(name.to_owned()))
    }
}

impl fmt::Display for Interpolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Interpolation::Tetrahedral => "tetrahedral",
            Interpolation::Trilinear => "trilinear",
        })
    }
}

/// What is done to each colour: shaper, LUT, shaper back, mix. The settings are those of the shaders.
#[derive(Clone, Copy, Debug)]
pub struct Grade<'a> {
    /// The LUT.
    pub lut: &'a Lut3d,
    /// How colours between lattice points are found.
    pub interpolation: Interpolation,
    /// The curve that the LUT expects its input in, where the picture is linear light.
    pub shaper_in: Curve,
    /// The curve that the LUT's output is in, where the picture is linear light.
    pub shaper_out: Curve,
    /// The luminance of linear 1.0 in cd/m², for PQ.
    pub pq_nits: f64,
    /// How much of the grade: 0.0 is the picture as it came, 1.0 the graded picture.
    pub mix: f32,
}

/// Pixels that one thread takes at a time.
const BLOCK: usize = 16_384;

impl<'a> Grade<'a> {
    /// The LUT alone, tetrahedral, in full.
    pub fn new(lut: &'a Lut3d) -> Self {
        Grade {
            lut,
            interpolation: Interpolation::default(),
            shaper_in: Curve::None,
            shaper_out: Curve::None,
            pq_nits: 100.0,
            mix: 1.0,
        }
    }

    /// The colour that becomes of a colour. Input outside 0 to 1 (after the shaper) counts as the nearest edge of the
    /// LUT and NaN as 0; output is not limited. With `mix` at 0 every bit of the colour stays.
    #[inline]
    pub fn colour(&self, rgb: [f32; 3]) -> [f32; 3] {
        if self.mix <= 0.0 {
            return rgb;
        }
        let coded = match self.shaper_in {
            Curve::None => rgb,
            curve => rgb.map(|v| curve.encode(f64::from(v), self.pq_nits) as f32),
        };
        let looked_up = match self.interpolation {
            Interpolation::Tetrahedral => self.lut.tetrahedral(coded),
            Interpolation::Trilinear => self.lut.trilinear(coded),
        };
        let graded = match self.shaper_out {
            Curve::None => looked_up,
            curve => looked_up.map(|v| curve.decode(f64::from(v), self.pq_nits) as f32),
        };
        if self.mix >= 1.0 {
            return graded;
        }
        std::array::from_fn(|i| {
            let base = if rgb[i].is_nan() { 0.0 } else { rgb[i] };
            base * (1.0 - self.mix) + graded[i] * self.mix
        })
    }

    /// Grades a picture in place, on every processor. Alpha and all that is no colour stay as they are.
    pub fn apply(&self, picture: &mut Picture, progress: &dyn Progress) {
        let channels = picture.channels();
        if self.mix > 0.0 {
            with_samples!(picture.samples_mut(), list => self.apply_to(list, channels, progress));
        }
    }

    fn apply_to<S: Sample>(&self, samples: &mut [S], channels: usize, progress: &dyn Progress) {
        let (all, done) = (samples.len(), AtomicUsize::new(0));
        samples.par_chunks_mut(BLOCK * channels).for_each(|block| {
            for pixel in block.chunks_exact_mut(channels) {
                let graded = self.colour([0, 1, 2].map(|i| pixel[i].value()));
                for (sample, value) in pixel.iter_mut().zip(graded) {
                    *sample = S::nearest(value);
                }
            }
            let done = done.fetch_add(block.len(), Ordering::Relaxed) + block.len();
            progress.at(Stage::Grading, done as f64 / all as f64);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lut::GridSize;
    use crate::picture::{Depth, Picture};

    fn grid(n: u64) -> GridSize {
        GridSize::new(n).unwrap()
    }

    fn bits(rgb: [f32; 3]) -> [u32; 3] {
        rgb.map(f32::to_bits)
    }

    /// A LUT that turns the lattice over and leaves [0, 1] on both sides.
    fn over(n: u64) -> Lut3d {
        let last = (n - 1) as f32;
        Lut3d::from_fn(grid(n), |p| p.map(|i| 1.5 - 2.0 * i as f32 / last))
    }

    #[test]
    fn lattice_points_come_out_as_their_entries_in_every_depth_that_holds_them() {
        for n in [2, 5, 17, 33] {
            let lut = over(n);
            let size = n as usize;
            let values = (0..size.pow(3)).flat_map(|i| [i / (size * size), i / size % size, i % size]);
            let values = values.map(|k| k as f32 / (size - 1) as f32);
            let mut picture = Picture::rgb(size * size, size, Samples::from_values(values, Depth::Float)).unwrap();
            Grade::new(&lut).apply(&mut picture, &());
            let Samples::Float(got) = picture.samples() else { panic!("float32 stays float32") };
            assert!(got.iter().zip(lut.entries().iter().flatten()).all(|(a, b)| a.to_bits() == b.to_bits()), "N = {n}");
        }
    }

    #[test]
    fn nothing_of_the_grade_leaves_every_bit() {
        let lut = over(5);
        let grade = Grade { mix: 0.0, ..Grade::new(&lut) };
        let odd = [f32::from_bits(0x7fa0_0001), -0.0, 1e-45];
        assert_eq!(bits(grade.colour(odd)), bits(odd));
    }

    #[test]
    fn half_of_the_grade_lies_half_way_and_nan_counts_as_black() {
        let lut = over(5);
        let grade = Grade { mix: 0.5, ..Grade::new(&lut) };
        assert_eq!(grade.colour([0.0, 0.5, 1.0]), [0.75, 0.5, 0.25]);
        assert_eq!(grade.colour([f32::NAN, -4.0, 4.0]), [0.75, -1.25, 1.75]);
    }

    #[test]
    fn shapers_stand_around_the_lut() {
        let lut = Lut3d::identity(grid(33));
        for curve in [Curve::Srgb, Curve::AcesCct, Curve::Pq] {
            let grade = Grade { shaper_in: curve, shaper_out: curve, ..Grade::new(&lut) };
            let got = grade.colour([0.18, 0.9, 0.01]);
            assert!([0.18, 0.9, 0.01].iter().zip(got).all(|(want, got)| (want - got).abs() < 2e-6), "{curve} {got:?}");
        }
        // Middle grey lies at 0.4136 in ACEScct, and one stop more is 1/17.52 further up.
        let lut = Lut3d::from_fn(grid(33), |p| p.map(|i| i as f32 / 32.0 + 1.0 / 17.52));
        let grade = Grade { shaper_in: Curve::AcesCct, shaper_out: Curve::AcesCct, ..Grade::new(&lut) };
        assert!((grade.colour([0.18; 3])[1] - 0.36).abs() < 2e-6);
    }

    #[test]
    fn threads_share_a_picture_without_a_pixel_missing_and_alpha_stays() {
        let lut = over(9);
        let (width, height) = (511, 129);
        let value = |i: usize| (i % 1013) as f32 / 1012.0;
        for depth in Depth::ALL {
            let samples = Samples::from_values((0..width * height * 4).map(value), depth);
            let before = Picture::rgba(width, height, samples).unwrap();
            let mut picture = before.clone();
            let grade = Grade::new(&lut);
            grade.apply(&mut picture, &());
            for i in 0..width * height {
                let at = |p: &Picture, c: usize| p.samples().value(4 * i + c);
                let want = grade.colour([0, 1, 2].map(|c| at(&before, c)));
                let want = Samples::from_values(want.into_iter(), depth);
                assert_eq!([0, 1, 2].map(|c| at(&picture, c)), [0, 1, 2].map(|c| want.value(c)), "pixel {i}");
                assert_eq!(at(&picture, 3), at(&before, 3), "alpha of pixel {i}");
            }
        }
    }
}
