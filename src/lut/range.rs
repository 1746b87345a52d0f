//! LUTs for video in legal range and for full range, made into each other.

use super::Lut3d;
use crate::hald::UnknownName;
use std::fmt;
use std::str::FromStr;

/// Code value of black in legal range, of 1023.
const BLACK: f64 = 64.0 / 1023.0;
/// From black to white in legal range: code values 64 to 940 of 1023.
const SPAN: f64 = 876.0 / 1023.0;

/// What becomes of a LUT's range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RangeChange {
    /// A LUT for legal range becomes one for full range.
    LegalToFull,
    /// A LUT for full range becomes one for legal range.
    FullToLegal,
}

/// Which side of a LUT has another range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RangeSide {
    /// What goes in and what comes out.
    #[default]
    Both,
    /// What goes in.
    Input,
    /// What comes out.
    Output,
}

impl RangeChange {
    /// Both changes.
    pub const ALL: [RangeChange; 2] = [RangeChange::LegalToFull, RangeChange::FullToLegal];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            RangeChange::LegalToFull => "legal-to-full",
            RangeChange::FullToLegal => "full-to-legal",
        }
    }

    /// The LUT that does in the other range what `lut` does in its own; of the same grid size, by tetrahedral
    /// interpolation. Input outside what `lut` spans is clamped to it: of a LUT for full range, that is what lies below
    /// black and above white in legal range.
    pub fn apply(self, lut: &Lut3d, side: RangeSide) -> Lut3d {
        let last = (lut.size().get() - 1) as f64;
        let legal = |full: f64| BLACK + full * SPAN;
        let full = |legal: f64| (legal - BLACK) / SPAN;
        let inward = |v: f64| match (side, self) {
            (RangeSide::Output, _) => v,
            (_, RangeChange::LegalToFull) => legal(v),
            (_, RangeChange::FullToLegal) => full(v),
        };
        let outward = |v: f32| match (side, self) {
            (RangeSide::Input, _) => v,
            (_, RangeChange::LegalToFull) => full(f64::from(v)) as f32,
            (_, RangeChange::FullToLegal) => legal(f64::from(v)) as f32,
        };
        Lut3d::from_fn(lut.size(), |point| {
            let out = match side {
                RangeSide::Output => lut.at(point),
                _ => lut.tetrahedral(point.map(|i| inward(i as f64 / last) as f32)),
            };
            out.map(outward)
        })
    }
}

impl RangeSide {
    /// All of them.
    pub const ALL: [RangeSide; 3] = [RangeSide::Both, RangeSide::Input, RangeSide::Output];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            RangeSide::Both => "both",
            RangeSide::Input => "input",
            RangeSide::Output => "output",
        }
    }
}

impl FromStr for RangeChange {
    type Err = UnknownName;
    fn from_str(s: &str) -> Result<Self, UnknownName> {
        UnknownName::find("change of range", &Self::ALL, Self::name, s)
    }
}

impl FromStr for RangeSide {
    type Err = UnknownName;
    fn from_str(s: &str) -> Result<Self, UnknownName> {
        UnknownName::find("side of a LUT", &Self::ALL, Self::name, s)
    }
}

impl fmt::Display for RangeSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lut::GridSize;

    fn near(got: [f32; 3], want: [f64; 3]) {
        for c in 0..3 {
            assert!((f64::from(got[c]) - want[c]).abs() < 2e-6, "{got:?}, not {want:?}");
        }
    }

    /// Straight lines, so that interpolation takes nothing away.
    fn straight(n: u64) -> Lut3d {
        let last = (n - 1) as f32;
        Lut3d::from_fn(GridSize::new(n).unwrap(), |p| p.map(|i| 0.1 + 0.5 * i as f32 / last))
    }

    #[test]
    fn a_legal_lut_does_the_same_to_full_range() {
        let full = RangeChange::LegalToFull.apply(&straight(9), RangeSide::Both);
        // Full 0.5 is legal 502/1023; that becomes 0.1 + 251/1023; and that in full range is (… − 64/1023) · 1023/876.
        let want = (0.1 * 1023.0 + 251.0 - 64.0) / 876.0;
        near(full.at([4, 4, 4]), [want; 3]);
        near(full.at([0, 8, 0]), [(102.3 + 32.0 - 64.0) / 876.0, (102.3 + 470.0 - 64.0) / 876.0, 70.3 / 876.0]);
    }

    #[test]
    fn each_change_undoes_the_other_within_legal_range() {
        let lut = straight(65);
        let there = RangeChange::LegalToFull.apply(&lut, RangeSide::Both);
        let back = RangeChange::FullToLegal.apply(&there, RangeSide::Both);
        for i in 5..=55 {
            near(back.at([i, 60 - i, i]), lut.at([i, 60 - i, i]).map(f64::from));
        }
        // Below black there is no full range: it is clamped there.
        near(back.at([0, 0, 0]), [0.1 + 0.5 * 64.0 / 1023.0; 3]);
    }

    #[test]
    fn one_side_may_stay_as_it_is() {
        let lut = straight(5);
        let output = RangeChange::FullToLegal.apply(&lut, RangeSide::Output);
        near(output.at([4, 0, 0]), [(64.0 + 876.0 * 0.6) / 1023.0, (64.0 + 87.6) / 1023.0, (64.0 + 87.6) / 1023.0]);
        let input = RangeChange::LegalToFull.apply(&lut, RangeSide::Input);
        near(input.at([0, 4, 0]), [0.1 + 32.0 / 1023.0, 0.1 + 470.0 / 1023.0, 0.1 + 32.0 / 1023.0]);
    }
}
