//! How the ten numbers are taken: with or without clamps, in which working space, and together with a LUT.

use super::{Cdl, REC709_LUMA, clamp};
use crate::lut::{Curve, GridSize, Lut3d};
use std::array::from_fn;
use std::fmt;
use std::str::FromStr;

/// ACEScct has no use for a luminance.
const NO_PQ: f64 = 100.0;

/// Where a CDL clamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CdlStyle {
    /// As ASC CDL v1.2 says: to [0, 1] before the power and at the end.
    #[default]
    Asc,
    /// Nowhere, as OpenColorIO's style of this name: a value below 0 is left as it is by the power.
    NoClamp,
}

/// The space that a CDL works in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CdlSpace {
    /// That of the picture, whatever it is.
    #[default]
    AsIs,
    /// ACEScct, around a picture in linear light with the primaries of AP1 (ACEScg): the CDL is put between the curve of
    /// the Academy's S-2016-001 and its inverse, which ends at 65504. Primaries stay as they are.
    AcesCct,
}

/// A name that no style or space has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no {what}; it can be {known}")]
pub struct UnknownCdlOption {
    given: String,
    what: &'static str,
    known: &'static str,
}

impl FromStr for CdlStyle {
    type Err = UnknownCdlOption;
    fn from_str(text: &str) -> Result<Self, UnknownCdlOption> {
        match text {
            "asc" => Ok(CdlStyle::Asc),
            "no-clamp" => Ok(CdlStyle::NoClamp),
            _ => Err(UnknownCdlOption { given: text.to_owned(), what: "style of CDL", known: "asc or no-clamp" }),
        }
    }
}

impl fmt::Display for CdlStyle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CdlStyle::Asc => "asc",
            CdlStyle::NoClamp => "no-clamp",
        })
    }
}

impl FromStr for CdlSpace {
    type Err = UnknownCdlOption;
    fn from_str(text: &str) -> Result<Self, UnknownCdlOption> {
        match text {
            "as-is" => Ok(CdlSpace::AsIs),
            "acescct" => Ok(CdlSpace::AcesCct),
            _ => Err(UnknownCdlOption { given: text.to_owned(), what: "working space", known: "as-is or acescct" }),
        }
    }
}

impl fmt::Display for CdlSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CdlSpace::AsIs => "as-is",
            CdlSpace::AcesCct => "acescct",
        })
    }
}

/// A CDL with a style and a working space: a function from colour to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CdlGrade {
    /// The numbers.
    pub cdl: Cdl,
    /// Where it clamps.
    pub style: CdlStyle,
    /// Where it works.
    pub space: CdlSpace,
}

impl CdlGrade {
    /// The graded colour. A component that is NaN counts as 0. Without clamps, numbers beyond all reason give infinity.
    pub fn apply(&self, rgb: [f32; 3]) -> [f32; 3] {
        self.grade(rgb.map(f64::from)).map(|v| v as f32)
    }

    /// The grade as a LUT over [0, 1].
    pub fn bake(&self, size: GridSize) -> Lut3d {
        let last = (size.get() - 1) as f64;
        Lut3d::from_fn(size, |point| self.grade(point.map(|i| i as f64 / last)).map(|v| v as f32))
    }

    /// The grade, then `lut`, as one LUT. It has `size`, or the LUT's own grid size where that is larger. The LUT is
    /// read by tetrahedral interpolation, so what the grade takes out of [0, 1] is clamped to it.
    pub fn before(&self, lut: &Lut3d, size: GridSize) -> Lut3d {
        let size = size.max(lut.size());
        if *lut == Lut3d::identity(lut.size()) {
            return self.bake(size);
        }
        let last = (size.get() - 1) as f64;
        Lut3d::from_fn(size, |point| lut.tetrahedral(self.grade(point.map(|i| i as f64 / last)).map(|v| v as f32)))
    }

    /// `lut`, then the grade, as one LUT of the same grid size: exact at its lattice points.
    pub fn after(&self, lut: &Lut3d) -> Lut3d {
        let entries = lut.entries().iter().map(|entry| self.apply(*entry)).collect();
        Lut3d::from_entries(lut.size(), entries)
    }

    fn grade(&self, rgb: [f64; 3]) -> [f64; 3] {
        let rgb = rgb.map(|v| if v.is_nan() { 0.0 } else { v });
        match self.space {
            CdlSpace::AsIs => self.cdl.grade(rgb, self.style),
            CdlSpace::AcesCct => {
                let graded = self.cdl.grade(rgb.map(|v| Curve::AcesCct.encode(v, NO_PQ)), self.style);
                graded.map(|v| Curve::AcesCct.decode(v, NO_PQ))
            }
        }
    }
}

impl Cdl {
    /// The ten numbers at work. `rgb` is not NaN.
    fn grade(&self, rgb: [f64; 3], style: CdlStyle) -> [f64; 3] {
        let v: [f64; 3] = from_fn(|c| {
            let v = rgb[c] * self.slope[c] + self.offset[c];
            match style {
                CdlStyle::Asc => clamp(v).powf(self.power[c]),
                CdlStyle::NoClamp if v > 0.0 => v.powf(self.power[c]),
                CdlStyle::NoClamp => v,
            }
        });
        if self.saturation == 1.0 && style == CdlStyle::NoClamp {
            return v;
        }
        let luma: f64 = v.iter().zip(REC709_LUMA).map(|(v, weight)| v * weight).sum();
        let saturated = v.map(|v| luma + self.saturation * (v - luma));
        match style {
            CdlStyle::Asc => saturated.map(clamp),
            CdlStyle::NoClamp => saturated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lut::moving_grade;

    fn size(n: u64) -> GridSize {
        GridSize::new(n).unwrap()
    }

    fn warm() -> Cdl {
        Cdl::new([1.5, 1.0, 0.5], [0.01, 0.0, -0.02], [0.9, 1.0, 1.1], 0.8).unwrap()
    }

    fn grade(style: CdlStyle, space: CdlSpace) -> CdlGrade {
        CdlGrade { cdl: warm(), style, space }
    }

    #[test]
    fn the_style_of_the_standard_is_what_a_cdl_alone_does() {
        for rgb in [[0.0; 3], [0.2, 0.4, 0.8], [1.0; 3], [-3.0, f32::NAN, 9.0]] {
            assert_eq!(grade(CdlStyle::Asc, CdlSpace::AsIs).apply(rgb), warm().apply(rgb));
        }
        assert_eq!(grade(CdlStyle::Asc, CdlSpace::AsIs).bake(size(5)), warm().bake(size(5)));
    }

    /// Worked by hand: 2 · 1.5 + 0.25 = 3.25 and its square; −1 · 1 − 0.5 stays, for a power of it has no meaning.
    #[test]
    fn without_clamps_values_beyond_white_and_below_black_stay() {
        let cdl = Cdl::new([1.5, 1.0, 1.0], [0.25, -0.5, 0.0], [2.0; 3], 1.0).unwrap();
        let free = CdlGrade { cdl, style: CdlStyle::NoClamp, ..CdlGrade::default() };
        assert_eq!(free.apply([2.0, -1.0, 0.5]), [10.5625, -1.5, 0.25]);
        assert_eq!(CdlGrade { cdl, ..CdlGrade::default() }.apply([2.0, -1.0, 0.5]), [1.0, 0.0, 0.25]);
        let same = CdlGrade { style: CdlStyle::NoClamp, ..CdlGrade::default() };
        for v in [-0.25f32, 1e30, f32::MIN_POSITIVE] {
            assert_eq!(same.apply([v; 3]).map(f32::to_bits), [v.to_bits(); 3]);
        }
    }

    /// An offset of one stop's share of the code range doubles the light: 1/17.52 in ACEScct.
    #[test]
    fn an_offset_in_acescct_is_exposure_in_linear_light() {
        let cdl = Cdl::new([1.0; 3], [1.0 / 17.52; 3], [1.0; 3], 1.0).unwrap();
        let stop = CdlGrade { cdl, style: CdlStyle::NoClamp, space: CdlSpace::AcesCct };
        for v in [0.01f32, 0.18, 1.0, 40.0] {
            for got in stop.apply([v; 3]) {
                assert!((got / (2.0 * v) - 1.0).abs() < 1e-6, "{got}, not {}", 2.0 * v);
            }
        }
        let same = CdlGrade { cdl: Cdl::IDENTITY, ..stop };
        for v in [-0.5f32, 0.0, 0.0078125, 0.18, 1.0, 100.0] {
            assert!((same.apply([v; 3])[0] - v).abs() <= v.abs() * 1e-6, "{v}");
        }
    }

    #[test]
    fn after_a_lut_the_grade_is_exact_at_its_lattice_points() {
        let lut = moving_grade(size(9), 0.3);
        for style in [CdlStyle::Asc, CdlStyle::NoClamp] {
            let grade = grade(style, CdlSpace::AsIs);
            let both = grade.after(&lut);
            assert_eq!(both.size(), lut.size());
            for point in [[0, 0, 0], [1, 2, 3], [8, 0, 4], [8, 8, 8]] {
                assert_eq!(both.at(point), grade.apply(lut.at(point)));
            }
        }
    }

    #[test]
    fn before_a_lut_the_grade_has_the_finer_lattice_of_the_two() {
        let lut = moving_grade(size(9), 0.3);
        let grade = grade(CdlStyle::Asc, CdlSpace::AsIs);
        for (asked, n) in [(5, 9), (17, 17)] {
            let both = grade.before(&lut, size(asked));
            assert_eq!(both.size(), size(n));
            let last = (n - 1) as f32;
            for point in [[0, 0, 0], [1, 2, 3], [4, 0, 2], [4, 4, 4]] {
                assert_eq!(both.at(point), lut.tetrahedral(grade.apply(point.map(|i| i as f32 / last))));
            }
        }
        let identity = CdlGrade { cdl: Cdl::IDENTITY, ..grade };
        assert_eq!(identity.before(&lut, size(2)), lut, "every bit, for every lattice point is one of the LUT");
    }

    #[test]
    fn an_identity_lut_is_no_clamp() {
        let free = grade(CdlStyle::NoClamp, CdlSpace::AsIs);
        assert_eq!(free.before(&Lut3d::identity(size(5)), size(5)), free.bake(size(5)));
        assert!(free.bake(size(5)).at([4, 0, 0])[0] > 1.0);
    }

    #[test]
    fn names_are_read_as_they_are_shown() {
        for style in [CdlStyle::Asc, CdlStyle::NoClamp] {
            assert_eq!(style.to_string().parse(), Ok(style));
        }
        for space in [CdlSpace::AsIs, CdlSpace::AcesCct] {
            assert_eq!(space.to_string().parse(), Ok(space));
        }
        let wrong = "Asc".parse::<CdlStyle>().unwrap_err().to_string();
        assert_eq!(wrong, "\"Asc\" is no style of CDL; it can be asc or no-clamp");
        let wrong = "log".parse::<CdlSpace>().unwrap_err().to_string();
        assert_eq!(wrong, "\"log\" is no working space; it can be as-is or acescct");
    }
}
