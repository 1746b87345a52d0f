//! What the result must be, in float64.
//!
//! Written apart from the shader, by the rules of the design: clamp to the lattice, take the cell, then follow the edges
//! in the order of the fractions.

use virtual_gpu_lut_box::lut::Lut3d;

/// A colour that a LUT gives.
#[derive(Clone, Copy, Debug)]
pub struct Graded {
    /// R, G, B.
    pub rgb: [f64; 3],
    /// For each channel, the largest magnitude among the entries that were blended.
    pub scale: [f64; 3],
}

/// How the entries around a colour are blended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The four corners of the tetrahedron.
    Tetrahedral,
    /// The eight corners of the cell.
    Trilinear,
}

/// The lattice cell of a colour, and where in it the colour lies. A value that is no further from a lattice point than
/// the rounding of a float32 lies on it.
fn cell(lut: &Lut3d, color: [f64; 3]) -> ([usize; 3], [f64; 3]) {
    let last = lut.size().get() - 1;
    let s = color.map(|c| {
        let s = if c.is_nan() { 0.0 } else { c.clamp(0.0, 1.0) * last as f64 };
        let nearest = s.round();
        if (s - nearest).abs() <= nearest * f64::from(f32::EPSILON) / 2.0 { nearest } else { s }
    });
    let base = s.map(|v| (v.floor() as usize).min(last - 1));
    let fraction = [0, 1, 2].map(|i| s[i] - base[i] as f64);
    (base, fraction)
}

/// The graded colour.
pub fn grade(lut: &Lut3d, color: [f64; 3], interpolation: Interpolation) -> Graded {
    let (base, f) = cell(lut, color);
    let mut out = Graded { rgb: [0.0; 3], scale: [0.0; 3] };
    let mut add = |corner: [usize; 3], weight: f64| {
        let entry = lut.at(corner).map(f64::from);
        for (i, value) in entry.into_iter().enumerate() {
            out.rgb[i] += value * weight;
            out.scale[i] = out.scale[i].max(value.abs());
        }
    };
    match interpolation {
        Interpolation::Tetrahedral => {
            let mut order = [0, 1, 2];
            order.sort_by(|a, b| f[*b].total_cmp(&f[*a]));
            let mut corner = base;
            let mut from = 1.0;
            for axis in order {
                add(corner, from - f[axis]);
                corner[axis] += 1;
                from = f[axis];
            }
            add(corner, from);
        }
        Interpolation::Trilinear => {
            for k in 0..8 {
                let up = [k & 1, k >> 1 & 1, k >> 2 & 1];
                let weight: f64 = (0..3).map(|i| if up[i] == 1 { f[i] } else { 1.0 - f[i] }).product();
                add([base[0] + up[0], base[1] + up[1], base[2] + up[2]], weight);
            }
        }
    }
    out
}

/// Linear light to code value: 1 sRGB (IEC 61966-2-1), 2 ACEScct (S-2016-001), 3 PQ (SMPTE ST 2084, 1.0 = 100 cd/m²).
pub fn encode(shaper: u32, x: f64) -> f64 {
    match shaper {
        1 if x > 0.0031308 => 1.055 * x.powf(1.0 / 2.4) - 0.055,
        1 => 12.92 * x,
        2 if x > 0.0078125 => (x.log2() + 9.72) / 17.52,
        2 => 10.5402377416545 * x + 0.0729055341958355,
        3 => {
            let y = (x.max(0.0) / 100.0).powf(2610.0 / 16384.0);
            ((3424.0 / 4096.0 + 2413.0 / 128.0 * y) / (1.0 + 2392.0 / 128.0 * y)).powf(2523.0 / 32.0)
        }
        _ => x,
    }
}

/// Code value to linear light, the inverse of [`encode`].
pub fn decode(shaper: u32, v: f64) -> f64 {
    match shaper {
        1 if v > 0.04045 => ((v + 0.055) / 1.055).powf(2.4),
        1 => v / 12.92,
        2 if v > 0.155251141552511 => (v * 17.52 - 9.72).exp2().min(65504.0),
        2 => (v - 0.0729055341958355) / 10.5402377416545,
        3 => {
            let p = v.clamp(0.0, 1.0).powf(32.0 / 2523.0);
            ((p - 3424.0 / 4096.0).max(0.0) / (2413.0 / 128.0 - 2392.0 / 128.0 * p)).powf(16384.0 / 2610.0) * 100.0
        }
        _ => v,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luts;

    #[test]
    fn the_identity_returns_its_input_and_lattice_points_their_entries() {
        for interpolation in [Interpolation::Tetrahedral, Interpolation::Trilinear] {
            let lut = luts::identity(33);
            for color in [[0.1, 0.7, 0.33], [1.0, 1.0, 1.0], [0.0, 0.5, 1.0]] {
                let got = grade(&lut, color, interpolation).rgb;
                assert!((0..3).all(|i| (got[i] - color[i]).abs() < 1e-7), "{color:?} {got:?}");
            }
            let lut = luts::wild(5);
            let got = grade(&lut, [0.25, 1.0, 0.5], interpolation).rgb;
            assert_eq!(got, lut.at([1, 4, 2]).map(f64::from));
        }
    }

    #[test]
    fn shapers_undo_themselves() {
        for shaper in 1..=3 {
            for i in 0..=200 {
                let x = i as f64 / 50.0;
                let back = decode(shaper, encode(shaper, x));
                assert!((back - x).abs() < 1e-9 * x.max(1e-3), "{shaper} {x} {back}");
            }
        }
        assert!((encode(2, 0.18) - 0.4135884).abs() < 1e-6, "ACEScct middle grey");
        assert!((encode(3, 1.0) - 0.508078).abs() < 1e-5, "PQ at 100 nits");
    }
}
