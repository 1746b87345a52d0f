//! How far a result is from what it must be.

use crate::colours;
use crate::reference::{Interpolation, grade};
use virtual_gpu_lut_box::lut::Lut3d;

/// One unit in the last place of 1.0.
pub const ULP_OF_ONE: f64 = f32::EPSILON as f64;

/// What a comparison found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// The largest absolute difference.
    pub absolute: f64,
    /// The largest difference in units in the last place of the largest entry blended.
    pub ulps: f64,
    /// How many lattice points did not come back as their entry, bit by bit (0 and −0 count as the same).
    pub wrong_lattice_points: usize,
    /// The input of the largest difference, for the message.
    pub worst: [f32; 3],
    /// What came out for it.
    pub got: [f32; 3],
}

/// The unit in the last place of a float32 of this magnitude.
pub fn ulp(magnitude: f64) -> f64 {
    let exponent = magnitude.max(f64::from(f32::MIN_POSITIVE)).log2().floor();
    (exponent - 23.0).exp2()
}

/// Compares the result for [`colours::picture`] with float64; alpha must have come through untouched.
///
/// # Panics
/// Where alpha has changed or a pixel is missing.
pub fn with_reference(lut: &Lut3d, result: &[[f32; 4]], interpolation: Interpolation) -> Found {
    let n = lut.size().get();
    let picture = colours::picture(n);
    assert_eq!(picture.len(), result.len());
    let mut found = Found::default();
    for (index, (input, got)) in picture.iter().zip(result).enumerate() {
        assert_eq!(got[3].to_bits(), input[3].to_bits(), "alpha of pixel {index}");
        let color = [input[0], input[1], input[2]];
        let wanted = grade(lut, color.map(f64::from), interpolation);
        for i in 0..3 {
            let difference = (f64::from(got[i]) - wanted.rgb[i]).abs();
            let difference = if difference.is_nan() { f64::INFINITY } else { difference };
            let ulps = difference / ulp(wanted.scale[i]);
            if difference > found.absolute || ulps > found.ulps {
                found.worst = color;
                found.got = [got[0], got[1], got[2]];
            }
            found.absolute = found.absolute.max(difference);
            found.ulps = found.ulps.max(ulps);
        }
        if let Some(point) = colours::lattice_point(n, index)
            && lut.at(point).iter().zip(got).any(|(want, got)| want != got)
        {
            found.wrong_lattice_points += 1;
        }
    }
    found
}

/// How many pixels differ in any bit.
pub fn different_bits(a: &[[f32; 4]], b: &[[f32; 4]]) -> usize {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| a.map(f32::to_bits) != b.map(f32::to_bits)).count()
}
