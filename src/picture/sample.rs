//! Samples of a picture, in the number that the file keeps.

use half::f16;
use std::fmt;
use std::str::FromStr;

/// What a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// 8-bit integer; 255 is 1.0.
    Eight,
    /// 16-bit integer; 65535 is 1.0.
    Sixteen,
    /// float16.
    Half,
    /// float32.
    Float,
}

/// A name that is no depth's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no depth; it can be 8, 16, half, float")]
pub struct UnknownDepth(String);

impl Depth {
    /// All depths.
    pub const ALL: [Depth; 4] = [Depth::Eight, Depth::Sixteen, Depth::Half, Depth::Float];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Depth::Eight => "8",
            Depth::Sixteen => "16",
            Depth::Half => "half",
            Depth::Float => "float",
        }
    }

    /// Whether values outside 0 to 1 can be held.
    pub const fn is_float(self) -> bool {
        matches!(self, Depth::Half | Depth::Float)
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Depth::Eight => "8-bit",
            Depth::Sixteen => "16-bit",
            Depth::Half => "float16",
            Depth::Float => "float32",
        })
    }
}

impl FromStr for Depth {
    type Err = UnknownDepth;

    fn from_str(name: &str) -> Result<Self, UnknownDepth> {
        Self::ALL.into_iter().find(|d| name.eq_ignore_ascii_case(d.name())).ok_or_else(|| UnknownDepth(name.to_owned()))
    }
}

/// One number of a picture.
pub(super) trait Sample: Copy + Send + Sync {
    /// Its value: for integers from 0.0 to 1.0.
    fn value(self) -> f32;
    /// The nearest number to a value. Integers are limited to 0.0 to 1.0, and NaN is 0; floats keep every value that
    /// they have.
    fn nearest(value: f32) -> Self;
}

impl Sample for u8 {
    #[inline]
    fn value(self) -> f32 {
        f32::from(self) / 255.0
    }

    // Casts from float to integer saturate, and take NaN to 0.
    #[inline]
    fn nearest(value: f32) -> Self {
        (value * 255.0).round() as u8
    }
}

impl Sample for u16 {
    #[inline]
    fn value(self) -> f32 {
        f32::from(self) / 65535.0
    }

    #[inline]
    fn nearest(value: f32) -> Self {
        (value * 65535.0).round() as u16
    }
}

impl Sample for f16 {
    #[inline]
    fn value(self) -> f32 {
        self.to_f32()
    }

    #[inline]
    fn nearest(value: f32) -> Self {
        f16::from_f32(value)
    }
}

impl Sample for f32 {
    #[inline]
    fn value(self) -> f32 {
        self
    }

    #[inline]
    fn nearest(value: f32) -> Self {
        value
    }
}

/// All samples of a picture: row after row from the top, pixel after pixel, R, G, B and, where there is one, alpha.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// 8-bit integers.
    Eight(Vec<u8>),
    /// 16-bit integers.
    Sixteen(Vec<u16>),
    /// float16.
    Half(Vec<f16>),
    /// float32.
    Float(Vec<f32>),
}

/// Does the same with samples of any kind: `with_samples!(samples, list => …)`.
macro_rules! with_samples {
    ($samples:expr, $list:ident => $done:expr) => {
        match $samples {
            Samples::Eight($list) => $done,
            Samples::Sixteen($list) => $done,
            Samples::Half($list) => $done,
            Samples::Float($list) => $done,
        }
    };
}
pub(super) use with_samples;

impl Samples {
    /// What each of them is.
    pub fn depth(&self) -> Depth {
        match self {
            Samples::Eight(_) => Depth::Eight,
            Samples::Sixteen(_) => Depth::Sixteen,
            Samples::Half(_) => Depth::Half,
            Samples::Float(_) => Depth::Float,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        with_samples!(self, list => list.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of one of them: for integers from 0.0 to 1.0.
    ///
    /// # Panics
    /// Where there is none of this number.
    pub fn value(&self, index: usize) -> f32 {
        with_samples!(self, list => list[index].value())
    }

    /// Samples nearest to these values.
    pub fn from_values(values: impl Iterator<Item = f32>, depth: Depth) -> Self {
        match depth {
            Depth::Eight => Samples::Eight(values.map(u8::nearest).collect()),
            Depth::Sixteen => Samples::Sixteen(values.map(u16::nearest).collect()),
            Depth::Half => Samples::Half(values.map(f16::nearest).collect()),
            Depth::Float => Samples::Float(values.collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_integer_comes_back_from_its_value() {
        assert!((0..=u8::MAX).all(|v| u8::nearest(v.value()) == v));
        assert!((0..=u16::MAX).all(|v| u16::nearest(v.value()) == v));
        assert!((0..=u16::MAX).map(f16::from_bits).all(|v| v.is_nan() || f16::nearest(v.value()) == v));
    }

    #[test]
    fn integers_end_at_black_and_white() {
        let values = [f32::NEG_INFINITY, -0.1, -0.0, 0.4 / 255.0, 0.6 / 255.0, 1.0, 7.5, f32::INFINITY, f32::NAN];
        assert_eq!(values.map(u8::nearest), [0, 0, 0, 0, 1, 255, 255, 255, 0]);
        assert_eq!(values.map(u16::nearest), [0, 0, 0, 103, 154, 65535, 65535, 65535, 0]);
    }

    #[test]
    fn depths_have_names() {
        for depth in Depth::ALL {
            assert_eq!(depth.name().parse(), Ok(depth));
            assert_eq!(Samples::from_values([0.0, 1.0].into_iter(), depth).depth(), depth);
        }
        assert_eq!("12".parse::<Depth>().unwrap_err().to_string(), "\"12\" is no depth; it can be 8, 16, half, float");
    }
}
