//! 1D LUTs, and the range of values that a table covers.

use std::fmt;

/// The values that a table's first and last entries stand for, each as red, green, blue: `min` is less than `max`,
/// and both are finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Domain {
    min: [f32; 3],
    max: [f32; 3],
}

/// Two ends between which there is no range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("a domain from {} to {} is empty: each minimum must be less than its maximum, and both must be finite", triplet(*.min), triplet(*.max))]
pub struct DomainError {
    min: [f32; 3],
    max: [f32; 3],
}

impl Domain {
    /// 0 to 1.
    pub const UNIT: Domain = Domain { min: [0.0; 3], max: [1.0; 3] };

    /// A domain from `min` to `max`.
    pub fn new(min: [f32; 3], max: [f32; 3]) -> Result<Self, DomainError> {
        let fine = |(lo, hi): (&f32, &f32)| lo.is_finite() && hi.is_finite() && lo < hi;
        if min.iter().zip(&max).all(fine) { Ok(Domain { min, max }) } else { Err(DomainError { min, max }) }
    }

    /// Where it begins.
    pub fn min(&self) -> [f32; 3] {
        self.min
    }

    /// Where it ends.
    pub fn max(&self) -> [f32; 3] {
        self.max
    }

    /// Its ends, where they are the same for red, green and blue.
    pub fn uniform(&self) -> Option<[f32; 2]> {
        let same = |v: [f32; 3]| v[0] == v[1] && v[1] == v[2];
        (same(self.min) && same(self.max)).then_some([self.min[0], self.max[0]])
    }

    /// How far `value` lies on the way from the beginning (0) to the end (1), for one component.
    pub(crate) fn normalise(&self, component: usize, value: f64) -> f64 {
        let (min, max) = (f64::from(self.min[component]), f64::from(self.max[component]));
        (value - min) / (max - min)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.uniform() {
            Some([min, max]) => write!(f, "{min} to {max}"),
            None => write!(f, "{} to {}", triplet(self.min), triplet(self.max)),
        }
    }
}

fn triplet([r, g, b]: [f32; 3]) -> String {
    format!("({r}, {g}, {b})")
}

/// A 1D LUT: a curve for each of red, green and blue, sampled at equal steps over a domain. In front of a 3D LUT it is
/// called a shaper.
#[derive(Clone, PartialEq)]
pub struct Shaper1d {
    domain: Domain,
    entries: Vec<[f32; 3]>,
}

/// A table that makes no 1D LUT.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShaperError {
    /// Too few or too many entries.
    #[error("a 1D LUT has {min} to {max} entries, not {0}", min = Shaper1d::MIN_LEN, max = Shaper1d::MAX_LEN)]
    Length(usize),
    /// NaN or infinity.
    #[error("entry {0} of the 1D LUT is NaN or infinite; every value must be a finite number")]
    NotFinite(usize),
}

impl Shaper1d {
    /// The fewest entries.
    pub const MIN_LEN: usize = 2;
    /// The most entries.
    pub const MAX_LEN: usize = 65536;

    /// A 1D LUT of these entries, the first for the domain's minimum and the last for its maximum.
    pub fn new(domain: Domain, entries: Vec<[f32; 3]>) -> Result<Self, ShaperError> {
        if !(Self::MIN_LEN..=Self::MAX_LEN).contains(&entries.len()) {
            return Err(ShaperError::Length(entries.len()));
        }
        match entries.iter().position(|e| e.iter().any(|v| !v.is_finite())) {
            Some(at) => Err(ShaperError::NotFinite(at)),
            None => Ok(Shaper1d { domain, entries }),
        }
    }

    /// The values that the first and last entries stand for.
    pub fn domain(&self) -> Domain {
        self.domain
    }

    /// The entries as red, green, blue; 2 to 65536.
    pub fn entries(&self) -> &[[f32; 3]] {
        &self.entries
    }

    /// The curves at `rgb`: linear between entries, in float64. Input outside the domain is clamped to it, NaN counts
    /// as its minimum; output is not clamped.
    pub fn apply(&self, rgb: [f64; 3]) -> [f64; 3] {
        let last = self.entries.len() - 1;
        std::array::from_fn(|c| {
            let way = self.domain.normalise(c, rgb[c]);
            let scaled = if way > 0.0 { way.min(1.0) * last as f64 } else { 0.0 };
            let base = (scaled as usize).min(last - 1);
            let fraction = scaled - base as f64;
            let [from, to] = [base, base + 1].map(|i| f64::from(self.entries[i][c]));
            from * (1.0 - fraction) + to * fraction
        })
    }
}

impl fmt::Debug for Shaper1d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.entries[self.entries.len() - 1];
        write!(f, "Shaper1d({} over {}, {:?} … {last:?})", self.entries.len(), self.domain, self.entries[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_an_inside() {
        assert_eq!(Domain::new([0.0; 3], [1.0; 3]), Ok(Domain::UNIT));
        assert!(Domain::new([f32::MIN; 3], [f32::MAX; 3]).is_ok());
        for (min, max) in
            [([0.0, 1.0, 0.0], [1.0; 3]), ([0.0; 3], [1.0, f32::NAN, 1.0]), ([0.0; 3], [f32::INFINITY; 3])]
        {
            assert!(Domain::new(min, max).is_err(), "{min:?} to {max:?}");
        }
        let e = Domain::new([0.0, 2.0, 0.0], [1.0; 3]).unwrap_err();
        assert!(e.to_string().starts_with("a domain from (0, 2, 0) to (1, 1, 1) is empty"), "{e}");
    }

    #[test]
    fn curves_run_straight_between_entries_and_stop_at_the_domains_ends() {
        let domain = Domain::new([-1.0, 0.0, 0.0], [3.0, 1.0, 2.0]).unwrap();
        let entries = vec![[0.0, 5.0, -2.0], [1.0, 5.0, 0.0], [4.0, 6.0, 8.0]];
        let shaper = Shaper1d::new(domain, entries).unwrap();
        assert_eq!(shaper.apply([-1.0, 0.0, 0.0]), [0.0, 5.0, -2.0]);
        assert_eq!(shaper.apply([0.0, 0.25, 0.5]), [0.5, 5.0, -1.0]);
        assert_eq!(shaper.apply([2.0, 0.75, 1.5]), [2.5, 5.5, 4.0]);
        assert_eq!(shaper.apply([3.0, 1.0, 2.0]), [4.0, 6.0, 8.0]);
        assert_eq!(shaper.apply([9.0, f64::INFINITY, f64::NAN]), [4.0, 6.0, -2.0]);
        assert_eq!(shaper.apply([f64::NEG_INFINITY, -1e300, -0.1]), [0.0, 5.0, -2.0]);
    }

    #[test]
    fn the_widest_domain_does_not_overflow() {
        let domain = Domain::new([f32::MIN; 3], [f32::MAX; 3]).unwrap();
        let shaper = Shaper1d::new(domain, vec![[0.0; 3], [1.0; 3]]).unwrap();
        assert_eq!(shaper.apply([0.0; 3]), [0.5; 3]);
    }

    #[test]
    fn tables_that_are_no_1d_lut_are_refused() {
        let make = |entries| Shaper1d::new(Domain::UNIT, entries).map(|_| ());
        assert_eq!(make(vec![[0.0; 3]]), Err(ShaperError::Length(1)));
        assert_eq!(make(vec![[0.0; 3]; 65537]), Err(ShaperError::Length(65537)));
        assert_eq!(make(vec![[0.0; 3], [0.0, f32::NAN, 0.0]]), Err(ShaperError::NotFinite(1)));
        assert_eq!(make(vec![[0.0; 3]; 65536]), Ok(()));
    }
}
