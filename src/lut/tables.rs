//! What a LUT file can hold, and how that becomes one 3D LUT over [0, 1].

use super::chain::{Chain, Step};
use super::{Domain, GridSize, Lut3d, Shaper1d};

/// The tables of a LUT file.
#[derive(Clone, Debug, PartialEq)]
pub enum Tables {
    /// A 3D LUT over a domain.
    Cube {
        /// The 3D LUT.
        lut: Lut3d,
        /// The values that its lattice spans.
        domain: Domain,
    },
    /// A 1D LUT alone.
    Shaper(Shaper1d),
    /// A 1D LUT whose output is looked up in a 3D LUT.
    ShapedCube {
        /// The 1D LUT, applied first.
        shaper: Shaper1d,
        /// The 3D LUT.
        lut: Lut3d,
        /// The values of the 1D LUT's output that the 3D LUT's lattice spans.
        domain: Domain,
    },
    /// Anything else that is done to colours.
    Chain(Chain),
}

/// What to do with tables that are not a plain 3D LUT over [0, 1].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bake {
    /// Refuse them, for baking loses precision.
    #[default]
    No,
    /// Evaluate them, whatever they are, at the lattice points of a 3D LUT over [0, 1].
    Yes {
        /// That LUT's grid size; `None` is the 3D table's own, and at least 33 where there is something to bake.
        size: Option<GridSize>,
    },
}

/// Tables that only become a 3D LUT over [0, 1] by baking.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NeedsBaking {
    /// There is no 3D table.
    #[error("it is a 1D LUT of {entries} entries, and what is needed is a 3D LUT; {}", advice(*.size))]
    OnlyShaper {
        /// Entries of the 1D table.
        entries: usize,
        /// The grid size that baking would give.
        size: GridSize,
    },
    /// A 1D table comes first.
    #[error("it has a 1D LUT of {entries} entries in front of its 3D LUT, and what is needed is a 3D LUT alone; {}", advice(*.size))]
    Shaper {
        /// Entries of the 1D table.
        entries: usize,
        /// The grid size that baking would give.
        size: GridSize,
    },
    /// There is something else than tables.
    #[error("it is {steps}, and what is needed is a 3D LUT alone; {}", advice(*.size))]
    Steps {
        /// What there is.
        steps: String,
        /// The grid size that baking would give.
        size: GridSize,
    },
    /// The 3D table does not span [0, 1].
    #[error("its domain is {domain}, and what is needed is a 3D LUT over 0 to 1; {}", advice(*.size))]
    Domain {
        /// The domain it has.
        domain: Domain,
        /// The grid size that baking would give.
        size: GridSize,
    },
}

fn advice(size: GridSize) -> String {
    format!("pass --bake to have it evaluated into one of grid size {size}, or --bake --size N for another size")
}

impl Tables {
    /// A plain 3D LUT over [0, 1].
    pub fn plain(lut: Lut3d) -> Self {
        Tables::Cube { lut, domain: Domain::UNIT }
    }

    /// What these steps are: tables where that is all there is, steps that change nothing left out.
    pub fn from_steps(steps: Vec<Step>) -> Self {
        let mut left: Vec<Step> = Vec::new();
        // From the end, since what a step may do without depends on what follows it.
        for step in steps.into_iter().rev() {
            if !step.is_idle_before(left.last()) {
                left.push(step);
            }
        }
        left.reverse();
        match <[Step; 1]>::try_from(left) {
            Ok([Step::Cube { lut, domain }]) => Tables::Cube { lut, domain },
            Ok([Step::Curve(shaper)]) => Tables::Shaper(shaper),
            Ok([step]) => Tables::Chain(Chain::new(vec![step])),
            Err(steps) => match <[Step; 2]>::try_from(steps) {
                Ok([Step::Curve(shaper), Step::Cube { lut, domain }]) => Tables::ShapedCube { shaper, lut, domain },
                Ok(steps) => Tables::Chain(Chain::new(steps.into())),
                Err(steps) => Tables::Chain(Chain::new(steps)),
            },
        }
    }

    /// The 1D table and the 3D table with its domain: one of the two, or both; neither where there is something else.
    pub fn parts(&self) -> (Option<&Shaper1d>, Option<(&Lut3d, Domain)>) {
        match self {
            Tables::Cube { lut, domain } => (None, Some((lut, *domain))),
            Tables::Shaper(shaper) => (Some(shaper), None),
            Tables::ShapedCube { shaper, lut, domain } => (Some(shaper), Some((lut, *domain))),
            Tables::Chain(_) => (None, None),
        }
    }

    /// The tables with the 3D table's entries listed in the other order.
    pub(crate) fn with_red_and_blue_axes_swapped(self) -> Self {
        match self {
            Tables::Cube { lut, domain } => Tables::Cube { lut: lut.with_red_and_blue_axes_swapped(), domain },
            Tables::Shaper(shaper) => Tables::Shaper(shaper),
            Tables::ShapedCube { shaper, lut, domain } => {
                Tables::ShapedCube { shaper, lut: lut.with_red_and_blue_axes_swapped(), domain }
            }
            Tables::Chain(chain) => {
                let swapped = |step| match step {
                    Step::Cube { lut, domain } => Step::Cube { lut: lut.with_red_and_blue_axes_swapped(), domain },
                    other => other,
                };
                Tables::Chain(Chain::new(chain.into_steps().into_iter().map(swapped).collect()))
            }
        }
    }

    /// The colour that the tables make of `rgb`: the 1D LUT, then the 3D LUT by tetrahedral interpolation, each
    /// clamping its input to its domain.
    pub fn apply(&self, rgb: [f64; 3]) -> [f32; 3] {
        if let Tables::Chain(chain) = self {
            return chain.apply(rgb);
        }
        let (shaper, cube) = self.parts();
        let shaped = shaper.map_or(rgb, |s| s.apply(rgb));
        match cube {
            None => shaped.map(|v| v as f32),
            Some((lut, domain)) => lut.tetrahedral(std::array::from_fn(|c| domain.normalise(c, shaped[c]) as f32)),
        }
    }

    /// One 3D LUT over [0, 1] that does what the tables do: bit for bit the one they hold where that is all there is,
    /// and otherwise as `bake` says. What the tables do to colours outside [0, 1] is lost by baking.
    pub fn into_lut(self, bake: Bake) -> Result<Lut3d, NeedsBaking> {
        let size = match (&self, bake) {
            (Tables::Cube { lut, domain: Domain::UNIT }, Bake::No | Bake::Yes { size: None }) => lut.size(),
            (_, Bake::Yes { size: Some(size) }) => size,
            (_, Bake::Yes { size: None }) => self.baked_size(),
            (_, Bake::No) => return Err(self.needs_baking()),
        };
        match self {
            Tables::Cube { lut, domain: Domain::UNIT } if lut.size() == size => Ok(lut),
            other => {
                let last = (size.get() - 1) as f64;
                Ok(Lut3d::from_fn(size, |point| other.apply(point.map(|i| i as f64 / last))))
            }
        }
    }

    fn baked_size(&self) -> GridSize {
        let cube = match self {
            Tables::Chain(chain) => chain.largest_cube(),
            tables => tables.parts().1.map(|(lut, _)| lut.size()),
        };
        cube.map_or(GridSize::COMMON, |size| size.max(GridSize::COMMON))
    }

    fn needs_baking(&self) -> NeedsBaking {
        let size = self.baked_size();
        match self {
            Tables::Shaper(shaper) => NeedsBaking::OnlyShaper { entries: shaper.entries().len(), size },
            Tables::ShapedCube { shaper, .. } => NeedsBaking::Shaper { entries: shaper.entries().len(), size },
            Tables::Cube { domain, .. } => NeedsBaking::Domain { domain: *domain, size },
            Tables::Chain(chain) => NeedsBaking::Steps { steps: chain.describe(), size },
        }
    }

    /// What there is, in words.
    pub fn describe(&self) -> String {
        let over = |domain: &Domain| match *domain {
            Domain::UNIT => String::new(),
            domain => format!(" over {domain}"),
        };
        let of_1d =
            |shaper: &Shaper1d| format!("a 1D LUT of {} entries{}", shaper.entries().len(), over(&shaper.domain()));
        let of_3d = |lut: &Lut3d, domain: &Domain| format!("a 3D LUT of {}³{}", lut.size(), over(domain));
        match self {
            Tables::Cube { lut, domain } => of_3d(lut, domain),
            Tables::Shaper(shaper) => of_1d(shaper),
            Tables::ShapedCube { shaper, lut, domain } => format!("{}, {}", of_1d(shaper), of_3d(lut, domain)),
            Tables::Chain(chain) => chain.describe(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(n: u64) -> GridSize {
        GridSize::new(n).unwrap()
    }

    /// Entries that are not straight lines, with some outside [0, 1].
    fn curved(n: u64) -> Lut3d {
        Lut3d::from_fn(grid(n), |[r, g, b]| [(r * r) as f32 - 1.0, (g * b) as f32, 0.1 + b as f32])
    }

    fn identity_shaper(len: usize) -> Shaper1d {
        Shaper1d::new(Domain::UNIT, (0..len).map(|i| [i as f32 / (len - 1) as f32; 3]).collect()).unwrap()
    }

    #[test]
    fn a_plain_lut_stays_as_it_is() {
        let mut lut = curved(5);
        lut.entries_mut()[7] = [-0.0, 1e-45, 3e38];
        for bake in [Bake::No, Bake::Yes { size: None }, Bake::Yes { size: Some(grid(5)) }] {
            let out = Tables::plain(lut.clone()).into_lut(bake).unwrap();
            let bits = |l: &Lut3d| l.entries().iter().flatten().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&out), bits(&lut));
        }
    }

    #[test]
    fn baking_at_the_same_size_behind_an_identity_shaper_changes_no_entry() {
        for n in [2, 17, 33, 42] {
            let tables = Tables::ShapedCube { shaper: identity_shaper(2), lut: curved(n), domain: Domain::UNIT };
            assert!(tables.into_lut(Bake::Yes { size: Some(grid(n)) }).unwrap() == curved(n), "N={n}");
        }
    }

    #[test]
    fn what_is_baked_in_is_the_shaper_then_the_domain_then_the_cube() {
        // The shaper takes 0…1 to 2…4, the domain takes 1…5 to 0…1, and the cube doubles: 0.5 → 3 → 0.5 → 1.
        let shaper = Shaper1d::new(Domain::UNIT, vec![[2.0; 3], [4.0; 3]]).unwrap();
        let lut = Lut3d::from_fn(grid(2), |p| p.map(|i| 2.0 * i as f32));
        let domain = Domain::new([1.0; 3], [5.0; 3]).unwrap();
        let baked = Tables::ShapedCube { shaper, lut, domain }.into_lut(Bake::Yes { size: Some(grid(3)) }).unwrap();
        assert_eq!(baked.at([0, 1, 2]), [0.5, 1.0, 1.5]);
    }

    #[test]
    fn a_domain_moves_and_clamps_the_input() {
        // The lattice spans −1…3, so 0…1 is its second quarter.
        let lut = Lut3d::from_fn(grid(5), |p| p.map(|i| i as f32 * 10.0));
        let wide = Tables::Cube { lut: lut.clone(), domain: Domain::new([-1.0; 3], [3.0; 3]).unwrap() };
        assert_eq!(wide.into_lut(Bake::Yes { size: Some(grid(3)) }).unwrap().at([0, 1, 2]), [10.0, 15.0, 20.0]);
        // Per component, and beginning above 0: below is clamped.
        let upper = Tables::Cube { lut, domain: Domain::new([0.5, 0.0, 0.0], [1.0, 1.0, 2.0]).unwrap() };
        let baked = upper.into_lut(Bake::Yes { size: Some(grid(5)) }).unwrap();
        assert_eq!([0, 1, 2, 3, 4].map(|i| baked.at([i, i, i])[0]), [0.0, 0.0, 0.0, 20.0, 40.0]);
        assert_eq!(baked.at([4, 3, 4]), [40.0, 30.0, 20.0]);
    }

    #[test]
    fn a_1d_lut_alone_becomes_a_cube() {
        let shaper = Shaper1d::new(Domain::UNIT, vec![[0.0, 1.0, -1.0], [1.0, 0.0, 3.0]]).unwrap();
        let baked = Tables::Shaper(shaper).into_lut(Bake::Yes { size: None }).unwrap();
        assert_eq!(baked.size(), GridSize::COMMON);
        assert_eq!(baked.at([16, 8, 24]), [0.5, 0.75, 2.0]);
    }

    #[test]
    fn what_cannot_be_had_without_baking_is_refused_with_the_way_out() {
        let why = |tables: Tables| tables.into_lut(Bake::No).unwrap_err().to_string();
        let shaped = Tables::ShapedCube { shaper: identity_shaper(16), lut: curved(65), domain: Domain::UNIT };
        assert_eq!(
            why(shaped),
            "it has a 1D LUT of 16 entries in front of its 3D LUT, and what is needed is a 3D LUT alone; pass --bake to have it evaluated into one of grid size 65, or --bake --size N for another size"
        );
        assert!(why(Tables::Shaper(identity_shaper(9))).starts_with("it is a 1D LUT of 9 entries,"));
        let domain = Domain::new([0.0, 1.0, 0.0], [2.0, 2.0, 1.0]).unwrap();
        let why = why(Tables::Cube { lut: curved(4), domain });
        assert!(why.starts_with("its domain is (0, 1, 0) to (2, 2, 1), "), "{why}");
        assert!(why.contains("grid size 33, or"), "{why}");
    }
}
