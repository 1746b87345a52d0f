//! The curves that a LUT's input and output may be coded in, for pictures in linear light.
//!
//! They are those of the shaders: the curve alone, without a change of primaries.

use std::fmt;
use std::str::FromStr;

/// A curve between linear light and code values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Curve {
    /// No curve: the LUT takes, or gives, the picture's own values.
    #[default]
    None,
    /// sRGB, IEC 61966-2-1.
    Srgb,
    /// ACEScct, Academy S-2016-001.
    AcesCct,
    /// PQ, SMPTE ST 2084.
    Pq,
}

/// A name that is no curve's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no shaper; it can be none, srgb, acescct, pq")]
pub struct UnknownCurve(String);

impl Curve {
    /// All curves, in the order of the numbers that the shaders' settings give them, from 0.
    pub const ALL: [Curve; 4] = [Curve::None, Curve::Srgb, Curve::AcesCct, Curve::Pq];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Curve::None => "none",
            Curve::Srgb => "srgb",
            Curve::AcesCct => "acescct",
            Curve::Pq => "pq",
        }
    }

    /// Linear light to code value. `pq_nits` is the luminance of linear 1.0 in cd/m², which PQ alone asks for.
    pub fn encode(self, x: f64, pq_nits: f64) -> f64 {
        match self {
            Curve::None => x,
            Curve::Srgb if x > 0.003_130_8 => 1.055 * x.powf(1.0 / 2.4) - 0.055,
            Curve::Srgb => 12.92 * x,
            Curve::AcesCct if x > 0.007_812_5 => (x.log2() + 9.72) / 17.52,
            Curve::AcesCct => 10.540_237_741_654_5 * x + 0.072_905_534_195_835_5,
            Curve::Pq => {
                let y = (x.max(0.0) * (pq_nits / 10_000.0)).powf(PQ_M1);
                // Beyond 10^300 the fraction would be infinity over infinity.
                if y.is_infinite() {
                    (PQ_C2 / PQ_C3).powf(PQ_M2)
                } else {
                    ((PQ_C1 + PQ_C2 * y) / (1.0 + PQ_C3 * y)).powf(PQ_M2)
                }
            }
        }
    }

    /// Code value to linear light, the inverse of [`encode`](Self::encode).
    pub fn decode(self, v: f64, pq_nits: f64) -> f64 {
        match self {
            Curve::None => v,
            Curve::Srgb if v > 0.040_45 => ((v + 0.055) / 1.055).powf(2.4),
            Curve::Srgb => v / 12.92,
            // S-2016-001 ends the curve at the largest half float.
            Curve::AcesCct if v > 0.155_251_141_552_511 => (v * 17.52 - 9.72).exp2().min(65_504.0),
            Curve::AcesCct => (v - 0.072_905_534_195_835_5) / 10.540_237_741_654_5,
            Curve::Pq => {
                let p = v.clamp(0.0, 1.0).powf(1.0 / PQ_M2);
                ((p - PQ_C1).max(0.0) / (PQ_C2 - PQ_C3 * p)).powf(1.0 / PQ_M1) * (10_000.0 / pq_nits)
            }
        }
    }
}

const PQ_M1: f64 = 2610.0 / 16384.0;
const PQ_M2: f64 = 2523.0 / 4096.0 * 128.0;
const PQ_C1: f64 = 3424.0 / 4096.0;
const PQ_C2: f64 = 2413.0 / 4096.0 * 32.0;
const PQ_C3: f64 = 2392.0 / 4096.0 * 32.0;

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Curve {
    type Err = UnknownCurve;

    fn from_str(name: &str) -> Result<Self, UnknownCurve> {
        Self::ALL.into_iter().find(|c| name.eq_ignore_ascii_case(c.name())).ok_or_else(|| UnknownCurve(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_go_through_the_points_that_their_standards_print() {
        let near = |got: f64, want: f64| assert!((got - want).abs() < 5e-6, "{got} against {want}");
        near(Curve::Srgb.encode(0.5, 100.0), 0.735_357);
        near(Curve::Srgb.encode(0.001, 100.0), 0.012_92);
        near(Curve::AcesCct.encode(0.18, 100.0), 0.413_588);
        near(Curve::AcesCct.encode(0.0, 100.0), 0.072_906);
        near(Curve::Pq.encode(1.0, 100.0), 0.508_078);
        near(Curve::Pq.encode(100.0, 100.0), 1.0);
        near(Curve::Pq.encode(1.0, 203.0), 0.580_689);
        near(Curve::Pq.encode(0.0, 100.0), 7.3e-7);
    }

    #[test]
    fn every_curve_undoes_itself() {
        for curve in Curve::ALL {
            for i in 0..=400 {
                let x = f64::from(i) / 100.0;
                let back = curve.decode(curve.encode(x, 100.0), 100.0);
                assert!((back - x).abs() < 1e-9 * x.max(1e-3), "{curve} {x} {back}");
            }
            assert_eq!(curve.name().to_uppercase().parse(), Ok(curve));
        }
        let said = "log".parse::<Curve>().unwrap_err().to_string();
        assert_eq!(said, "\"log\" is no shaper; it can be none, srgb, acescct, pq");
    }

    #[test]
    fn no_curve_makes_nan_of_a_number() {
        for curve in Curve::ALL {
            for x in [f64::NEG_INFINITY, -1e308, -1.0, -0.0, 1e-320, 1e308, f64::INFINITY] {
                assert!(!curve.encode(x, 100.0).is_nan(), "{curve} of {x}");
                assert!(!curve.decode(x, 100.0).is_nan(), "{curve} back from {x}");
            }
        }
    }
}
