//! The functions of CLF's Exponent and Log: curves that are said by a formula and not by points.
//!
//! As the specification of CLF (S-2014-006, version 3) defines them, in float64. Both work on each component by itself.

/// A power, or the power with a straight piece near zero that CLF calls a monitor curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponent {
    /// What is done to one component.
    pub curve: ExponentCurve,
    /// Whether it is undone.
    pub reverse: bool,
    /// What becomes of values below zero.
    pub below_zero: BelowZero,
}

/// The part of an [`Exponent`] above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ExponentCurve {
    /// `in ^ exponent`
    Basic {
        /// More than 0.
        exponent: f64,
    },
    /// `((in + offset) / (1 + offset)) ^ exponent`, and below the break a line that meets it smoothly.
    Monitor {
        /// 1 or more.
        exponent: f64,
        /// From 0 on.
        offset: f64,
    },
}

/// What becomes of values below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BelowZero {
    /// They are 0 of a basic curve; the line of a monitor curve goes on.
    Natural,
    /// They are what their opposites are, with their own sign.
    Mirrored,
    /// They stay as they are.
    Kept,
}

/// The limit of a monitor curve has no formula: nearer than this it is not gone to, as OpenColorIO does not.
const NEAREST: f64 = 1e-6;

impl Exponent {
    /// What it makes of a component. NaN counts as 0.
    pub fn apply(&self, v: f64) -> f64 {
        let v = if v.is_nan() { 0.0 } else { v };
        match self.below_zero {
            BelowZero::Mirrored if v < 0.0 => -self.curve(-v),
            BelowZero::Kept if v < 0.0 => v,
            _ => self.curve(v),
        }
    }

    fn curve(&self, v: f64) -> f64 {
        match self.curve {
            ExponentCurve::Basic { exponent } => {
                v.max(0.0).powf(if self.reverse { exponent.recip() } else { exponent })
            }
            ExponentCurve::Monitor { exponent, offset } => {
                let (g, o) = (exponent.max(1.0 + NEAREST), offset.max(NEAREST));
                let at = o / (g - 1.0);
                let height = (o * g / ((g - 1.0) * (1.0 + o))).powf(g);
                let slope = height / at;
                match self.reverse {
                    false if v >= at => ((v + o) / (1.0 + o)).powf(g),
                    false => v * slope,
                    true if v >= height => (1.0 + o) * v.powf(g.recip()) - o,
                    true => v / slope,
                }
            }
        }
    }
}

/// A logarithm with scales and offsets on both sides, as cameras have them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Log {
    /// More than 0, and not 1.
    pub base: f64,
    /// Not 0.
    pub log_slope: f64,
    /// Added to the logarithm.
    pub log_offset: f64,
    /// Not 0.
    pub linear_slope: f64,
    /// Added before the logarithm.
    pub linear_offset: f64,
    /// A camera's curve is a line up to here: where, and its slope where that is not the curve's own.
    pub toe: Option<(f64, Option<f64>)>,
    /// Whether it leads from the logarithm to linear values.
    pub reverse: bool,
}

/// The least that a logarithm is taken of: the smallest normal float32.
const SMALLEST: f64 = f32::MIN_POSITIVE as f64;

impl Log {
    /// A plain logarithm.
    pub fn plain(base: f64, reverse: bool) -> Self {
        Log { base, log_slope: 1.0, log_offset: 0.0, linear_slope: 1.0, linear_offset: 0.0, toe: None, reverse }
    }

    fn log(&self, v: f64) -> f64 {
        let inside = (self.linear_slope * v + self.linear_offset).max(SMALLEST);
        self.log_slope * (inside.ln() / self.base.ln()) + self.log_offset
    }

    fn power(&self, v: f64) -> f64 {
        (self.base.powf((v - self.log_offset) / self.log_slope) - self.linear_offset) / self.linear_slope
    }

    /// The slope of the line of a camera's curve, its value at the break and its value at 0.
    fn line(&self, at: f64, slope: Option<f64>) -> [f64; 3] {
        let inside = self.linear_slope * at + self.linear_offset;
        let slope = slope.unwrap_or(self.log_slope * self.linear_slope / (inside * self.base.ln()));
        let height = self.log(at);
        [slope, height, height - slope * at]
    }

    /// Whether all that follows from its numbers is finite, and can be undone.
    pub fn is_sound(&self) -> bool {
        let given = [self.base, self.log_slope, self.log_offset, self.linear_slope, self.linear_offset];
        let line = self.toe.map_or([1.0; 3], |(at, slope)| self.line(at, slope));
        let inside = self.toe.is_none_or(|(at, _)| self.linear_slope * at + self.linear_offset > 0.0);
        given.iter().chain(&line).all(|v| v.is_finite())
            && self.base > 0.0
            && self.base != 1.0
            && self.log_slope != 0.0
            && self.linear_slope != 0.0
            && line[0] != 0.0
            && inside
    }

    /// What it makes of a component. NaN counts as 0.
    pub fn apply(&self, v: f64) -> f64 {
        let v = if v.is_nan() { 0.0 } else { v };
        if let Some((at, slope)) = self.toe {
            let [slope, height, zero] = self.line(at, slope);
            match self.reverse {
                false if v <= at => return slope * v + zero,
                true if v <= height => return (v - zero) / slope,
                _ => {}
            }
        }
        if self.reverse { self.power(v) } else { self.log(v) }
    }
}

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
