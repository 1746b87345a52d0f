//! ASC CDL: a grade as ten numbers.

mod grade;

pub use grade::{CdlGrade, CdlSpace, CdlStyle, UnknownCdlOption};

use super::{GridSize, Lut3d};

/// An ASC CDL, version 1.2: slope, offset and power for each of red, green and blue, and one saturation. Always valid.
///
/// With `clamp` to [0, 1], as the ASC's document defines them:
///
/// - slope, offset, power: `v = clamp(in · slope + offset) ^ power`
/// - saturation: `out = clamp(luma + saturation · (v − luma))`, luma being `0.2126·R + 0.7152·G + 0.0722·B` of v
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cdl {
    slope: [f64; 3],
    offset: [f64; 3],
    power: [f64; 3],
    saturation: f64,
}

/// A number that an ASC CDL cannot have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CdlError {
    /// NaN or infinite.
    #[error("the CDL's {component} is {value}; it must be a finite number")]
    NotFinite {
        /// Which number, as `slope of red`.
        component: String,
        /// The value given.
        value: f64,
    },
    /// A slope or a saturation below zero.
    #[error("the CDL's {component} is {value}; it must be 0 or more")]
    Negative {
        /// Which number, as `slope of red`.
        component: String,
        /// The value given.
        value: f64,
    },
    /// A power of zero or below.
    #[error("the CDL's {component} is {value}; it must be more than 0")]
    NotPositive {
        /// Which number, as `power of red`.
        component: String,
        /// The value given.
        value: f64,
    },
}

impl CdlError {
    /// Which number it is, as `slope of red`, or `saturation`.
    pub fn component(&self) -> &str {
        match self {
            CdlError::NotFinite { component, .. }
            | CdlError::Negative { component, .. }
            | CdlError::NotPositive { component, .. } => component,
        }
    }
}

const COMPONENTS: [&str; 3] = ["red", "green", "blue"];
const REC709_LUMA: [f64; 3] = [0.2126, 0.7152, 0.0722];

impl Cdl {
    /// The CDL that changes nothing but what lies outside [0, 1].
    pub const IDENTITY: Cdl = Cdl { slope: [1.0; 3], offset: [0.0; 3], power: [1.0; 3], saturation: 1.0 };

    /// A CDL of these numbers, the arrays as red, green, blue.
    ///
    /// # Errors
    /// The first number that is not finite, that is negative as a slope or saturation, or not positive as a power.
    pub fn new(slope: [f64; 3], offset: [f64; 3], power: [f64; 3], saturation: f64) -> Result<Self, CdlError> {
        for (name, values) in [("slope", slope), ("offset", offset), ("power", power)] {
            for (colour, value) in COMPONENTS.into_iter().zip(values) {
                let component = || format!("{name} of {colour}");
                match name {
                    _ if !value.is_finite() => return Err(CdlError::NotFinite { component: component(), value }),
                    "slope" if value < 0.0 => return Err(CdlError::Negative { component: component(), value }),
                    "power" if value <= 0.0 => return Err(CdlError::NotPositive { component: component(), value }),
                    _ => {}
                }
            }
        }
        let component = || "saturation".to_owned();
        match saturation {
            v if !v.is_finite() => Err(CdlError::NotFinite { component: component(), value: v }),
            v if v < 0.0 => Err(CdlError::Negative { component: component(), value: v }),
            _ => Ok(Cdl { slope, offset, power, saturation }),
        }
    }

    /// All ten numbers: slope, offset and power of red, green, blue, then saturation.
    pub fn numbers(&self) -> [f64; 10] {
        let ([a, b, c], [d, e, f], [g, h, i]) = (self.slope, self.offset, self.power);
        [a, b, c, d, e, f, g, h, i, self.saturation]
    }

    /// A CDL of the numbers that [`numbers`](Self::numbers) gives; `None` where they make none.
    pub fn from_numbers([a, b, c, d, e, f, g, h, i, saturation]: [f64; 10]) -> Option<Self> {
        Cdl::new([a, b, c], [d, e, f], [g, h, i], saturation).ok()
    }

    /// Slope of red, green, blue; 0 or more.
    pub fn slope(&self) -> [f64; 3] {
        self.slope
    }

    /// Offset of red, green, blue.
    pub fn offset(&self) -> [f64; 3] {
        self.offset
    }

    /// Power of red, green, blue; more than 0.
    pub fn power(&self) -> [f64; 3] {
        self.power
    }

    /// Saturation; 0 or more.
    pub fn saturation(&self) -> f64 {
        self.saturation
    }

    /// The graded colour, each component from 0 to 1. A component that is NaN counts as 0, here as everywhere.
    pub fn apply(&self, rgb: [f32; 3]) -> [f32; 3] {
        self.as_standard().apply(rgb)
    }

    /// The grade as a LUT over [0, 1].
    pub fn bake(&self, size: GridSize) -> Lut3d {
        self.as_standard().bake(size)
    }

    fn as_standard(&self) -> CdlGrade {
        CdlGrade { cdl: *self, ..CdlGrade::default() }
    }
}

impl Default for Cdl {
    fn default() -> Self {
        Self::IDENTITY
    }
}

/// To [0, 1]; infinity times a slope of 0 gives NaN, which is 0.
fn clamp(v: f64) -> f64 {
    if v > 0.0 { v.min(1.0) } else { 0.0 }
}

impl std::fmt::Display for Cdl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [slope, offset, power] =
            [self.slope, self.offset, self.power].map(|[r, g, b]| format!("{r:.4} {g:.4} {b:.4}"));
        write!(f, "slope {slope}, offset {offset}, power {power}, saturation {:.4}", self.saturation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAISED: [f64; 3] = [1.5, 1.0, 0.5];

    fn cdl(slope: [f64; 3], offset: [f64; 3], power: [f64; 3], saturation: f64) -> Cdl {
        Cdl::new(slope, offset, power, saturation).unwrap()
    }

    fn near(got: [f32; 3], want: [f64; 3]) {
        for c in 0..3 {
            assert!((f64::from(got[c]) - want[c]).abs() < 1e-7, "{got:?}, not {want:?}");
        }
    }

    /// Numbers that come out even on paper.
    #[test]
    fn values_worked_by_hand() {
        let one = [1.0; 3];
        near(cdl(RAISED, [0.0; 3], one, 1.0).apply([0.5; 3]), [0.75, 0.5, 0.25]);
        near(cdl(one, [0.25, -0.25, 0.0], one, 1.0).apply([0.5; 3]), [0.75, 0.25, 0.5]);
        near(cdl(one, [0.0; 3], [2.0, 0.5, 3.0], 1.0).apply([0.5, 0.25, 0.5]), [0.25, 0.5, 0.125]);
        // Slope before offset before power: (0.5 · 1.5 − 0.25)² = 0.25.
        near(cdl([1.5; 3], [-0.25; 3], [2.0; 3], 1.0).apply([0.5; 3]), [0.25; 3]);
        // Luma of pure red is 0.2126: no saturation leaves it, half leaves half the way.
        near(cdl(one, [0.0; 3], one, 0.0).apply([1.0, 0.0, 0.0]), [0.2126; 3]);
        near(cdl(one, [0.0; 3], one, 0.5).apply([1.0, 0.0, 0.0]), [0.6063, 0.1063, 0.1063]);
        near(cdl(one, [0.0; 3], one, 0.0).apply([0.0, 1.0, 0.0]), [0.7152; 3]);
        near(cdl(one, [0.0; 3], one, 0.0).apply([0.0, 0.0, 1.0]), [0.0722; 3]);
        // Saturation is last, and its result is clamped: luma 0.2848·0.5 + 0.7152·0.25 = 0.3212, twice the distance.
        near(cdl(one, [0.0; 3], one, 2.0).apply([0.5, 0.25, 0.5]), [0.6788, 0.1788, 0.6788]);
        near(cdl(one, [0.0; 3], one, 4.0).apply([0.9, 0.1, 0.9]), [1.0, 0.0, 1.0]);
    }

    #[test]
    fn slope_and_offset_are_clamped_before_the_power() {
        let overshoot = cdl([2.0; 3], [0.0; 3], [2.0; 3], 1.0);
        near(overshoot.apply([0.75; 3]), [1.0; 3]);
        let below = cdl([1.0; 3], [-0.5; 3], [0.5; 3], 1.0);
        near(below.apply([0.25; 3]), [0.0; 3]);
    }

    #[test]
    fn every_input_gives_a_colour() {
        let zero = cdl([0.0; 3], [0.5; 3], [1.0; 3], 1.0);
        near(zero.apply([f32::INFINITY, f32::NAN, -5.0]), [0.0, 0.5, 0.5]);
        near(Cdl::IDENTITY.apply([f32::INFINITY, f32::NAN, f32::NEG_INFINITY]), [1.0, 0.0, 0.0]);
        let extreme = cdl([f64::MAX; 3], [f64::MIN; 3], [f64::MIN_POSITIVE; 3], f64::MAX);
        assert!(extreme.apply([0.3, 0.9, 1.0]).iter().all(|v| (0.0..=1.0).contains(v)));
    }

    #[test]
    fn a_baked_lut_holds_the_grade_at_each_lattice_point() {
        let grade = cdl(RAISED, [0.01, 0.0, -0.02], [0.9, 1.0, 1.1], 0.8);
        let lut = grade.bake(GridSize::new(5).unwrap());
        for point in [[0, 0, 0], [1, 2, 3], [4, 0, 2], [4, 4, 4]] {
            assert_eq!(lut.at(point), grade.apply(point.map(|i| i as f32 / 4.0)));
        }
        let size = GridSize::new(33).unwrap();
        assert!(Cdl::default().bake(size) == Lut3d::identity(size));
    }

    #[test]
    fn numbers_that_make_no_cdl_are_named_with_their_value() {
        let one = [1.0; 3];
        let why =
            |slope, offset, power, saturation| Cdl::new(slope, offset, power, saturation).unwrap_err().to_string();
        assert_eq!(why([1.0, -0.5, 1.0], one, one, 1.0), "the CDL's slope of green is -0.5; it must be 0 or more");
        assert_eq!(why(one, one, [1.0, 1.0, 0.0], 1.0), "the CDL's power of blue is 0; it must be more than 0");
        assert_eq!(why(one, one, one, -1.0), "the CDL's saturation is -1; it must be 0 or more");
        assert_eq!(
            why(one, [f64::INFINITY, 0.0, 0.0], one, 1.0),
            "the CDL's offset of red is inf; it must be a finite number"
        );
        assert_eq!(why(one, one, one, f64::NAN), "the CDL's saturation is NaN; it must be a finite number");
        assert!(Cdl::new([0.0; 3], [-9.0; 3], [f64::MIN_POSITIVE; 3], 0.0).is_ok());
    }
}
