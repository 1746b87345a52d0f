//! What a LUT does, in a few numbers.

use super::{GridSize, Lut3d};
use crate::hald::EntryOrder;

/// What there is to know of a LUT without looking at every entry. Lattice points are `[r, g, b]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// Grid size.
    pub size: GridSize,
    /// The least red, green and blue of all entries.
    pub min: [f32; 3],
    /// The greatest.
    pub max: [f32; 3],
    /// How many entries have a component outside 0 to 1.
    pub out_of_range: usize,
    /// The grey axis, from black to white.
    pub neutral: Neutral,
    /// Whether more in gives more out.
    pub monotony: Monotony,
    /// How far it is from the identity.
    pub identity: Distance,
}

/// What becomes of greys.
#[derive(Clone, Debug, PartialEq)]
pub struct Neutral {
    /// What 0, 0, 0 becomes.
    pub black: [f32; 3],
    /// What 0.5, 0.5, 0.5 becomes, by tetrahedral interpolation.
    pub middle: [f32; 3],
    /// What 1, 1, 1 becomes.
    pub white: [f32; 3],
    /// The largest difference between two components of one grey.
    pub cast: f32,
    /// The grey that becomes so coloured: 0 to 1.
    pub cast_at: f32,
    /// Steps along the grey axis at which red, green and blue fall.
    pub falls: [usize; 3],
}

/// Steps from an entry to the next along its own axis (red's for red) at which a component falls.
#[derive(Clone, Debug, PartialEq)]
pub struct Monotony {
    /// How many there are for red, green and blue.
    pub falls: [usize; 3],
    /// How many steps each axis has in all.
    pub steps: usize,
    /// The largest fall; 0 where there is none.
    pub largest: f32,
    /// The component that falls most, 0 being red, and the lattice point before it.
    pub at: Option<(usize, [usize; 3])>,
}

/// Differences of components from the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Distance {
    /// The largest.
    pub largest: f32,
    /// The entry that has it.
    pub at: [usize; 3],
    /// The mean of all.
    pub mean: f64,
    /// The root of the mean of their squares.
    pub rms: f64,
}

impl Survey {
    /// Looks at a LUT whose values are finite.
    pub fn of(lut: &Lut3d) -> Self {
        let (mut min, mut max) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
        let mut out_of_range = 0;
        for entry in lut.entries() {
            for c in 0..3 {
                min[c] = min[c].min(entry[c]);
                max[c] = max[c].max(entry[c]);
            }
            out_of_range += usize::from(entry.iter().any(|v| !(0.0..=1.0).contains(v)));
        }
        Survey {
            size: lut.size(),
            min,
            max,
            out_of_range,
            neutral: neutral(lut),
            monotony: monotony(lut),
            identity: distance(lut),
        }
    }
}

fn neutral(lut: &Lut3d) -> Neutral {
    let last = lut.size().get() - 1;
    let grey = |i: usize| lut.at([i; 3]);
    let (mut cast, mut cast_at) = (0.0, 0.0);
    let mut falls = [0; 3];
    for i in 0..=last {
        let [r, g, b] = grey(i);
        let spread = r.max(g).max(b) - r.min(g).min(b);
        if spread > cast {
            (cast, cast_at) = (spread, i as f32 / last as f32);
        }
        if i > 0 {
            for (c, falls) in falls.iter_mut().enumerate() {
                *falls += usize::from(grey(i)[c] < grey(i - 1)[c]);
            }
        }
    }
    Neutral { black: grey(0), middle: lut.tetrahedral([0.5; 3]), white: grey(last), cast, cast_at, falls }
}

fn monotony(lut: &Lut3d) -> Monotony {
    let n = lut.size().get();
    let mut found = Monotony { falls: [0; 3], steps: n * n * (n - 1), largest: 0.0, at: None };
    for i in 0..lut.size().entries() {
        let point = EntryOrder::BlueFastest.point(lut.size(), i);
        for c in 0..3 {
            let mut next = point;
            next[c] += 1;
            if next[c] == n {
                continue;
            }
            let fall = lut.at(point)[c] - lut.at(next)[c];
            if fall > 0.0 {
                found.falls[c] += 1;
                if fall > found.largest {
                    (found.largest, found.at) = (fall, Some((c, point)));
                }
            }
        }
    }
    found
}

fn distance(lut: &Lut3d) -> Distance {
    let last = (lut.size().get() - 1) as f32;
    let mut found = Distance { largest: 0.0, at: [0; 3], mean: 0.0, rms: 0.0 };
    for (i, entry) in lut.entries().iter().enumerate() {
        let point = EntryOrder::BlueFastest.point(lut.size(), i);
        for c in 0..3 {
            let difference = (entry[c] - point[c] as f32 / last).abs();
            if difference > found.largest {
                (found.largest, found.at) = (difference, point);
            }
            found.mean += f64::from(difference);
            found.rms += f64::from(difference) * f64::from(difference);
        }
    }
    let count = (lut.size().entries() * 3) as f64;
    found.mean /= count;
    found.rms = (found.rms / count).sqrt();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(n: u64) -> GridSize {
        GridSize::new(n).unwrap()
    }

    #[test]
    fn the_identity_has_nothing_to_say() {
        for n in [2, 17, 32] {
            let survey = Survey::of(&Lut3d::identity(grid(n)));
            assert_eq!((survey.min, survey.max, survey.out_of_range), ([0.0; 3], [1.0; 3], 0));
            assert_eq!(survey.identity, Distance { largest: 0.0, at: [0; 3], mean: 0.0, rms: 0.0 });
            assert_eq!((survey.neutral.cast, survey.neutral.falls), (0.0, [0; 3]));
            assert_eq!((survey.monotony.falls, survey.monotony.at), ([0; 3], None));
            assert_eq!((survey.neutral.black, survey.neutral.white), ([0.0; 3], [1.0; 3]));
        }
    }

    #[test]
    fn what_is_wrong_is_found_where_it_is() {
        let mut lut = Lut3d::identity(grid(5));
        let set = |lut: &mut Lut3d, point, value| {
            lut.entries_mut()[EntryOrder::BlueFastest.index(grid(5), point)] = value;
        };
        set(&mut lut, [2, 2, 2], [0.5, 0.75, 0.5]);
        set(&mut lut, [3, 3, 3], [0.75, 0.25, 0.75]);
        set(&mut lut, [4, 1, 0], [1.5, 0.25, -1.0]);
        let survey = Survey::of(&lut);
        assert_eq!((survey.min, survey.max, survey.out_of_range), ([0.0, 0.0, -1.0], [1.5, 1.0, 1.0], 1));
        assert_eq!((survey.neutral.cast, survey.neutral.cast_at, survey.neutral.falls), (0.5, 0.75, [0, 1, 0]));
        assert_eq!(survey.neutral.middle, [0.5, 0.75, 0.5]);
        // Green at (3, 2, 3) is 0.5, and at (3, 3, 3) a quarter.
        assert_eq!((survey.monotony.falls, survey.monotony.steps), ([0, 1, 0], 100));
        assert_eq!((survey.monotony.largest, survey.monotony.at), (0.25, Some((1, [3, 2, 3]))));
        assert_eq!((survey.identity.largest, survey.identity.at), (1.0, [4, 1, 0]));
        let differences = [0.25, 0.5, 0.5, 1.0];
        assert!((survey.identity.mean - differences.iter().sum::<f64>() / 375.0).abs() < 1e-12);
        let squares: f64 = differences.iter().map(|d| d * d).sum();
        assert!((survey.identity.rms - (squares / 375.0).sqrt()).abs() < 1e-12);
    }
}
