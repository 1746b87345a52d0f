//! LUT files that do several things one after the other: what CLF, `.csp` and CDL files hold beside tables.

use super::transfer::{Exponent, Log};
use super::{CdlGrade, Domain, GridSize, Lut3d, Shaper1d};
use half::f16;

/// Steps that a colour goes through, the first first. Every number in them is finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    steps: Vec<Step>,
}

/// One of them. All take and give colours without a limit, and clamp only where they say so.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A 1D LUT, which clamps its input to its domain.
    Curve(Shaper1d),
    /// A curve for each of red, green and blue through points at any distance.
    Points(Box<[Points; 3]>),
    /// A 1D LUT with an entry for each float16.
    Halves(Halves),
    /// A 3D LUT, which clamps its input to its domain; by tetrahedral interpolation.
    Cube {
        /// The LUT.
        lut: Lut3d,
        /// The values that its lattice spans.
        domain: Domain,
    },
    /// A matrix and an offset: `out[i] = offset[i] + Σ rows[i][j] · in[j]`.
    Matrix {
        /// The matrix, a row for each of red, green and blue that come out.
        rows: [[f64; 3]; 3],
        /// What is added.
        offset: [f64; 3],
    },
    /// A scale and an offset for all three, and limits of what comes out.
    Range {
        /// What the input is multiplied by.
        scale: f64,
        /// What is added.
        offset: f64,
        /// What comes out is no less than this.
        low: Option<f64>,
        /// What comes out is no more than this.
        high: Option<f64>,
    },
    /// A power for each of red, green and blue.
    Exponent(Box<[Exponent; 3]>),
    /// A logarithm for each.
    Log(Box<[Log; 3]>),
    /// A CDL.
    Cdl(CdlGrade),
}

/// A curve through points: input and output, the inputs rising. Beyond its ends it stays as it is there.
///
/// Two points are joined by a line. Between more, the curve is a cubic whose slope in a point is that of the line between
/// its neighbours, and a parabola in the first and last piece: what cineSpace's own code and OpenColorIO do.
#[derive(Clone, Debug, PartialEq)]
pub struct Points(Vec<[f32; 2]>);

impl Points {
    /// A curve through these points; `None` where there are fewer than two, an input does not rise, or something is not
    /// finite.
    pub fn new(points: Vec<[f32; 2]>) -> Option<Self> {
        let rising = points.is_sorted_by(|a, b| a[0] < b[0]);
        let finite = points.iter().flatten().all(|v| v.is_finite());
        (rising && finite && points.len() >= 2).then_some(Points(points))
    }

    /// The points.
    pub fn points(&self) -> &[[f32; 2]] {
        &self.0
    }

    /// Where the curve is at `x`. NaN counts as the first input.
    pub fn apply(&self, x: f64) -> f64 {
        let at = |i: usize| self.0[i].map(f64::from);
        let last = self.0.len() - 1;
        if x.is_nan() || x <= at(0)[0] {
            return at(0)[1];
        }
        if x >= at(last)[0] {
            return at(last)[1];
        }
        // The first is below x and the last is not.
        let i = self.0.partition_point(|p| f64::from(p[0]) <= x) - 1;
        let ([x0, y0], [x1, y1]) = (at(i), at(i + 1));
        let width = x1 - x0;
        let z = (x - x0) / width;
        // Slopes are of z, which is 1 at the end of the piece.
        let slope = |i: usize| {
            let ([before, low], [after, high]) = (at(i - 1), at(i + 1));
            (high - low) / (after - before) * width
        };
        match (i > 0, i + 1 < last) {
            (false, false) => y0 + z * (y1 - y0),
            (false, true) => {
                let s1 = slope(i + 1);
                y0 + z * ((2.0 * (y1 - y0) - s1) + z * (y0 - y1 + s1))
            }
            (true, false) => {
                let s0 = slope(i);
                y0 + z * (s0 + z * (y1 - y0 - s0))
            }
            (true, true) => {
                let (s0, s1) = (slope(i), slope(i + 1));
                let rise = y1 - y0;
                y0 + z * (s0 + z * ((3.0 * rise - 2.0 * s0 - s1) + z * (s0 + s1 - 2.0 * rise)))
            }
        }
    }
}

/// A 1D LUT whose entries are for every bit pattern of float16: `halfDomain` of CLF.
#[derive(Clone, Debug, PartialEq)]
pub struct Halves(Vec<[f32; 3]>);

impl Halves {
    /// How many entries there are.
    pub const LEN: usize = 65536;

    /// A 1D LUT of 65536 entries; `None` where it has others, or one for a number is not finite.
    pub fn new(entries: Vec<[f32; 3]>) -> Option<Self> {
        let finite = |(i, entry): (usize, &[f32; 3])| {
            !f16::from_bits(i as u16).is_finite() || entry.iter().all(|v| v.is_finite())
        };
        (entries.len() == Self::LEN && entries.iter().enumerate().all(finite)).then_some(Halves(entries))
    }

    fn apply(&self, component: usize, x: f64) -> f64 {
        let x = if x.is_nan() { 0.0 } else { x.clamp(f64::from(f16::MIN), f64::from(f16::MAX)) };
        let near = f16::from_f64(x);
        let entry = |half: f16| f64::from(self.0[usize::from(half.to_bits())][component]);
        let value = near.to_f64();
        if value == x {
            return entry(near);
        }
        // The neighbour on the other side of x: one more bit is further from zero.
        let away = (x > value) == (x > 0.0);
        let bits = near.to_bits();
        let other = match (away, bits & 0x7fff) {
            (true, _) => f16::from_bits(bits + 1),
            (false, 0) => f16::from_bits((bits ^ 0x8000) + 1),
            (false, _) => f16::from_bits(bits - 1),
        };
        let fraction = (x - value) / (other.to_f64() - value);
        entry(near) * (1.0 - fraction) + entry(other) * fraction
    }
}

impl Chain {
    /// These steps.
    pub fn new(steps: Vec<Step>) -> Self {
        Chain { steps }
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The steps, to keep.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// The colour that the steps make of `rgb`.
    pub fn apply(&self, rgb: [f64; 3]) -> [f32; 3] {
        self.steps.iter().fold(rgb, |rgb, step| step.apply(rgb)).map(|v| v as f32)
    }

    /// The largest grid size of its 3D LUTs.
    pub fn largest_cube(&self) -> Option<GridSize> {
        let size = |step: &Step| if let Step::Cube { lut, .. } = step { Some(lut.size()) } else { None };
        self.steps.iter().filter_map(size).max()
    }

    /// What the steps are, as `a matrix, a 3D LUT of 33³`.
    pub fn describe(&self) -> String {
        const SHOWN: usize = 12;
        let mut names: Vec<_> = self.steps.iter().take(SHOWN).map(Step::describe).collect();
        if self.steps.len() > SHOWN {
            names.push(format!("and {} more", self.steps.len() - SHOWN));
        }
        names.join(", ")
    }
}

impl Step {
    /// The colour that it makes of `rgb`.
    pub fn apply(&self, rgb: [f64; 3]) -> [f64; 3] {
        match self {
            Step::Curve(shaper) => shaper.apply(rgb),
            Step::Points(curves) => std::array::from_fn(|c| curves[c].apply(rgb[c])),
            Step::Halves(halves) => std::array::from_fn(|c| halves.apply(c, rgb[c])),
            Step::Cube { lut, domain } => {
                lut.tetrahedral(std::array::from_fn(|c| domain.normalise(c, rgb[c]) as f32)).map(f64::from)
            }
            Step::Matrix { rows, offset } => {
                std::array::from_fn(|i| offset[i] + rows[i][0] * rgb[0] + rows[i][1] * rgb[1] + rows[i][2] * rgb[2])
            }
            Step::Range { scale, offset, low, high } => rgb.map(|v| {
                let v = v * scale + offset;
                let v = low.map_or(v, |low| v.max(low));
                high.map_or(v, |high| v.min(high))
            }),
            Step::Exponent(curves) => std::array::from_fn(|c| curves[c].apply(rgb[c])),
            Step::Log(curves) => std::array::from_fn(|c| curves[c].apply(rgb[c])),
            Step::Cdl(grade) => grade.apply(rgb.map(|v| v as f32)).map(f64::from),
        }
    }

    /// Whether it changes nothing that the step behind it would not change as well.
    pub(super) fn is_idle_before(&self, next: Option<&Step>) -> bool {
        match self {
            Step::Matrix { rows, offset } => {
                *rows == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] && *offset == [0.0; 3]
            }
            Step::Range { scale, offset, low, high } if *scale == 1.0 && *offset == 0.0 => {
                let domain = match next {
                    Some(Step::Cube { domain, .. }) => *domain,
                    Some(Step::Curve(shaper)) => shaper.domain(),
                    _ => return low.is_none() && high.is_none(),
                };
                (0..3).all(|c| {
                    low.is_none_or(|v| v <= f64::from(domain.min()[c]))
                        && high.is_none_or(|v| v >= f64::from(domain.max()[c]))
                })
            }
            _ => false,
        }
    }

    fn describe(&self) -> String {
        match self {
            Step::Curve(shaper) => format!("a 1D LUT of {} entries", shaper.entries().len()),
            Step::Points(curves) => {
                let [r, g, b] = [0, 1, 2].map(|c| curves[c].0.len());
                format!("curves through {r}, {g} and {b} points")
            }
            Step::Halves(_) => "a 1D LUT over float16".into(),
            Step::Cube { lut, domain } if *domain == Domain::UNIT => format!("a 3D LUT of {}³", lut.size()),
            Step::Cube { lut, domain } => format!("a 3D LUT of {}³ over {domain}", lut.size()),
            Step::Matrix { .. } => "a matrix".into(),
            Step::Range { low: None, high: None, .. } => "a scale".into(),
            Step::Range { .. } => "a range".into(),
            Step::Exponent(_) => "an exponent".into(),
            Step::Log(_) => "a logarithm".into(),
            Step::Cdl(grade) => format!("a CDL ({})", grade.cdl),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_through_its_points_and_stays_at_its_ends() {
        let points = vec![[-1.0, 0.0], [0.0, 0.25], [0.5, 0.5], [2.0, 0.75], [3.0, 4.0]];
        let curve = Points::new(points.clone()).unwrap();
        for [x, y] in points {
            assert_eq!(curve.apply(f64::from(x)), f64::from(y));
        }
        assert_eq!([curve.apply(-5.0), curve.apply(9.0), curve.apply(f64::NAN)], [0.0, 4.0, 0.0]);
        // No jump and no kink on the way over a point.
        for x in [0.0, 0.5, 2.0] {
            let [before, after] = [curve.apply(x - 1e-6), curve.apply(x + 1e-6)];
            let (left, right) = (curve.apply(x) - before, after - curve.apply(x));
            assert!((left - right).abs() < 1e-10, "at {x}: {left} and {right}");
        }
        assert_eq!(Points::new(vec![[0.0, 1.0], [2.0, 5.0]]).unwrap().apply(0.5), 2.0);
    }

    #[test]
    fn a_straight_line_of_points_is_a_line() {
        let curve = Points::new([0.0, 0.1, 0.4, 0.5, 1.0].map(|x| [x, 2.0 * x + 1.0]).to_vec()).unwrap();
        for i in 0..=100 {
            let x = f64::from(i) / 100.0;
            assert!((curve.apply(x) - (2.0 * x + 1.0)).abs() < 1e-6, "{x}");
        }
    }

    #[test]
    fn points_that_make_no_curve_are_refused() {
        assert!(Points::new(vec![[0.0, 1.0]]).is_none());
        assert!(Points::new(vec![[0.0, 1.0], [0.0, 2.0]]).is_none());
        assert!(Points::new(vec![[0.0, 1.0], [f32::NAN, 2.0]]).is_none());
        assert!(Points::new(vec![[0.0, 1.0], [1.0, f32::INFINITY]]).is_none());
    }

    #[test]
    fn every_float16_has_its_entry_and_what_lies_between_is_blended() {
        let entries: Vec<_> = (0..=u16::MAX)
            .map(|i| f16::from_bits(i).to_f32())
            .map(|v| if v.is_finite() { [v, 2.0 * v, -v] } else { [0.0; 3] })
            .collect();
        let halves = Halves::new(entries).unwrap();
        for x in [0.0, 1.0, -1.0, 0.1, -0.1, 1e-9, -1e-9, 3e-5, 65503.0, 12345.678, -0.333] {
            for (c, k) in [1.0, 2.0, -1.0].into_iter().enumerate() {
                let (got, want) = (halves.apply(c, x), k * x);
                assert!((got - want).abs() <= 1e-9 * want.abs().max(1e-6), "{x}: {got}, not {want}");
            }
        }
        assert_eq!(halves.apply(0, f64::INFINITY), 65504.0);
        assert_eq!(halves.apply(0, f64::NAN), 0.0);
        assert!(Halves::new(vec![[0.0; 3]; 65535]).is_none());
    }

    #[test]
    fn steps_follow_each_other() {
        let matrix =
            Step::Matrix { rows: [[0.0, 1.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]], offset: [0.5, 0.0, 0.0] };
        let range = Step::Range { scale: 2.0, offset: 0.0, low: Some(0.25), high: Some(2.0) };
        assert_eq!(Chain::new(vec![matrix, range]).apply([0.5, 0.0, 0.1]), [1.0, 2.0, 0.25]);
    }
}
