//! Colours between lattice points.
//!
//! A colour is clamped to [0, 1] (NaN is 0), scaled by N−1, and split into the cell it lies in and the fractions
//! inside that cell. The fraction is taken after the clamp, so that 1.0 lands on the last entry. The product of a
//! float32 and N−1 is exact in float64, so the cell and its fractions are found there; weights and sums are float32.
//!
//! Three promises, whatever the entries are:
//! - A colour that is a lattice point gives that entry, bit for bit. "Is a lattice point" means: is the float32 nearest
//!   to i/(N−1), as [`Lut3d::identity`] writes it. That needs saying, because for most N (all but those like 17, 33 and
//!   65) some of those float32s times N−1 are not i.
//! - Where fractions are equal, every case gives the same bits: an entry of weight zero takes no part.
//! - Results lie between the entries blended, save for rounding, and are never clamped.

use super::{GridSize, Lut3d};
use crate::hald::EntryOrder;

/// Where a component lies along one axis of the lattice.
#[derive(Clone, Copy)]
struct Position {
    /// The lattice index below, at most N−2.
    base: usize,
    /// How far it is to the next lattice point: 0 to 1.
    fraction: f32,
}

impl Position {
    #[inline]
    fn of(component: f32, last: usize) -> Self {
        // NaN fails the comparison, and becomes 0.
        let clamped = if component > 0.0 { component.min(1.0) } else { 0.0 };
        let exact = f64::from(clamped) * last as f64;
        let nearest = (exact + 0.5) as usize;
        let on_lattice = nearest as f32 / last as f32 == clamped;
        let scaled = if on_lattice { nearest as f64 } else { exact };
        let base = (scaled as usize).min(last - 1);
        Position { base, fraction: (scaled - base as f64) as f32 }
    }
}

impl Lut3d {
    /// The colour at `rgb` by tetrahedral interpolation: the four entries around it that the order of the fractions
    /// picks. This is how grading programs and this project's shaders read a LUT.
    ///
    /// Input outside [0, 1] is clamped, NaN counts as 0. The result is not clamped.
    pub fn tetrahedral(&self, rgb: [f32; 3]) -> [f32; 3] {
        tetrahedral(self.size(), rgb, |point| self.entries()[EntryOrder::BlueFastest.index(self.size(), point)])
    }

    /// The colour at `rgb` by trilinear interpolation of the eight entries around it: along blue, then green, then
    /// red. Neutral ramps cross colour casts that tetrahedral interpolation does not have; it is here to compare with
    /// programs that use it.
    ///
    /// Input outside [0, 1] is clamped, NaN counts as 0. The result is not clamped.
    pub fn trilinear(&self, rgb: [f32; 3]) -> [f32; 3] {
        let [r, g, b] = self.positions(rgb);
        let base = [r.base, g.base, b.base];
        let along_blue = |dr, dg| mix(b.fraction, || self.corner(base, [dr, dg, 0]), || self.corner(base, [dr, dg, 1]));
        let along_green = |dr| mix(g.fraction, || along_blue(dr, 0), || along_blue(dr, 1));
        mix(r.fraction, || along_green(0), || along_green(1))
    }

    /// The LUT at another grid size, by tetrahedral interpolation. At the size that it has, it stays as it is.
    pub fn resampled(self, size: GridSize) -> Self {
        if size == self.size() {
            return self;
        }
        let last = (size.get() - 1) as f32;
        Self::from_fn(size, |point| self.tetrahedral(point.map(|i| i as f32 / last)))
    }

    #[inline]
    fn positions(&self, rgb: [f32; 3]) -> [Position; 3] {
        rgb.map(|component| Position::of(component, self.size().get() - 1))
    }

    #[inline]
    fn corner(&self, base: [usize; 3], step: [usize; 3]) -> [f32; 3] {
        let point = [base[0] + step[0], base[1] + step[1], base[2] + step[2]];
        self.entries()[EntryOrder::BlueFastest.index(self.size(), point)]
    }
}

/// [`Lut3d::tetrahedral`], where `entry` tells the entry of a lattice point, wherever it lies.
#[inline]
pub(crate) fn tetrahedral(size: GridSize, rgb: [f32; 3], entry: impl Fn([usize; 3]) -> [f32; 3]) -> [f32; 3] {
    let [r, g, b] = rgb.map(|component| Position::of(component, size.get() - 1));
    let (fr, fg, fb) = (r.fraction, g.fraction, b.fraction);
    // The way from the cell's first corner to its last goes along the axis with the largest fraction first.
    let ([high, middle, low], second, third) = if fr >= fg {
        if fg >= fb {
            ([fr, fg, fb], [1, 0, 0], [1, 1, 0])
        } else if fr >= fb {
            ([fr, fb, fg], [1, 0, 0], [1, 0, 1])
        } else {
            ([fb, fr, fg], [0, 0, 1], [1, 0, 1])
        }
    } else if fb >= fg {
        ([fb, fg, fr], [0, 0, 1], [0, 1, 1])
    } else if fb >= fr {
        ([fg, fb, fr], [0, 1, 0], [0, 1, 1])
    } else {
        ([fg, fr, fb], [0, 1, 0], [1, 1, 0])
    };
    let corner = |[dr, dg, db]: [usize; 3]| entry([r.base + dr, g.base + dg, b.base + db]);
    let mut sum = Blend::NONE;
    sum.add(1.0 - high, || corner([0, 0, 0]));
    sum.add(high - middle, || corner(second));
    sum.add(middle - low, || corner(third));
    sum.add(low, || corner([1, 1, 1]));
    sum.0
}

/// A weighted sum in which an entry of weight zero takes no part, so that not even the sign of a zero changes.
struct Blend([f32; 3]);

impl Blend {
    /// Adding to −0.0 leaves every number as it is, +0.0 included.
    const NONE: Blend = Blend([-0.0; 3]);

    #[inline]
    fn add(&mut self, weight: f32, entry: impl FnOnce() -> [f32; 3]) {
        if weight != 0.0 {
            for (sum, component) in self.0.iter_mut().zip(entry()) {
                *sum += weight * component;
            }
        }
    }
}

#[inline]
fn mix(fraction: f32, from: impl FnOnce() -> [f32; 3], to: impl FnOnce() -> [f32; 3]) -> [f32; 3] {
    let mut sum = Blend::NONE;
    sum.add(1.0 - fraction, from);
    sum.add(fraction, to);
    sum.0
}

#[cfg(test)]
#[path = "interpolate_tests.rs"]
mod tests;
