//! LUTs made from a formula, to have something to send without a grading program.

use super::{GridSize, Lut3d};
use std::array::from_fn;
use std::f64::consts::TAU;

/// After this many seconds [`moving_grade`] starts again.
pub const MOVING_GRADE_PERIOD: f64 = 60.0;

/// A grade that moves like a colourist's hand on the wheels, `seconds` after its start.
///
/// For each component of a lattice point's colour x, of luma y (Rec. 709 weights):
///
/// `lift + x^(1/gamma) · (gain − lift) + push · 4·y·(1 − y)`
///
/// - lift swings by ±0.04 in 10 s and gain by ±0.12 around 1 in 15 s, red, green and blue a third of a turn apart;
/// - gamma swings between 0.84 and 1.19 in 12 s, for all three alike;
/// - push, ±0.06, turns once round the hue circle in 6 s.
///
/// So black and white go mildly outside [0, 1] in turn. The same size and time always give the same LUT, and
/// consecutive ones differ by little. Time wraps at [`MOVING_GRADE_PERIOD`]; a time that is not finite counts as 0.
pub fn moving_grade(size: GridSize, seconds: f64) -> Lut3d {
    let time = if seconds.is_finite() { seconds.rem_euclid(MOVING_GRADE_PERIOD) } else { 0.0 };
    let turn = |period: f64, component: usize| (TAU * (time / period + component as f64 / 3.0)).sin();
    let lift: [f64; 3] = from_fn(|c| 0.04 * turn(10.0, c));
    let gain: [f64; 3] = from_fn(|c| 1.0 + 0.12 * turn(15.0, c));
    let push: [f64; 3] = from_fn(|c| 0.06 * turn(6.0, c));
    let gamma = (0.25 * turn(12.0, 0)).exp2();

    let last = (size.get() - 1) as f64;
    let curve: Vec<f64> = (0..size.get()).map(|i| (i as f64 / last).powf(1.0 / gamma)).collect();
    Lut3d::from_fn(size, |point| {
        let [r, g, b] = point.map(|i| i as f64 / last);
        let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let midtone = 4.0 * luma * (1.0 - luma);
        from_fn(|c| (lift[c] + curve[point[c]] * (gain[c] - lift[c]) + push[c] * midtone) as f32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest_step(a: &Lut3d, b: &Lut3d) -> f32 {
        let pairs = a.entries().iter().flatten().zip(b.entries().iter().flatten());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn it_moves_smoothly_and_starts_again() {
        let size = GridSize::new(9).unwrap();
        let frames: Vec<_> = (0..1500).map(|i| moving_grade(size, f64::from(i) / 25.0)).collect();
        for pair in frames.windows(2) {
            let step = largest_step(&pair[0], &pair[1]);
            assert!(step > 1e-4 && step < 0.01, "a step of {step} within 1/25 s");
        }
        assert!(frames[0] == moving_grade(size, 60.0));
        assert!(largest_step(&frames[1499], &frames[0]) < 0.01);
        assert!(frames[3] == moving_grade(size, 3.0 / 25.0), "the same time gives the same LUT");
        assert!(moving_grade(size, f64::NAN) == frames[0]);
    }

    #[test]
    fn it_stays_finite_and_goes_only_mildly_out_of_range() {
        let size = GridSize::new(17).unwrap();
        let mut range = (f32::MAX, f32::MIN);
        for i in 0..240 {
            let lut = moving_grade(size, f64::from(i) / 4.0);
            assert_eq!(lut.check_finite(), Ok(()));
            range = lut.entries().iter().flatten().fold(range, |(lo, hi), v| (lo.min(*v), hi.max(*v)));
        }
        assert!(range.0 < 0.0 && range.0 > -0.1, "{range:?}");
        assert!(range.1 > 1.0 && range.1 < 1.2, "{range:?}");
    }

    /// Worked by hand at t = 0: lift and push of red are 0, of green +sin 120°, of blue −sin 60°; gamma is 1.
    #[test]
    fn the_documented_formula_is_what_is_computed() {
        let lut = moving_grade(GridSize::new(3).unwrap(), 0.0);
        let s = 0.75f64.sqrt();
        let near = |got: [f32; 3], want: [f64; 3]| {
            (0..3).for_each(|c| assert!((f64::from(got[c]) - want[c]).abs() < 1e-6, "{got:?}, not {want:?}"));
        };
        near(lut.at([0, 0, 0]), [0.0, 0.04 * s, -0.04 * s]);
        near(lut.at([2, 2, 2]), [1.0, 1.0 + 0.12 * s, 1.0 - 0.12 * s]);
        near(lut.at([1, 1, 1]), [0.5, 0.5 + 0.14 * s, 0.5 - 0.14 * s]);
    }
}
