//! How far two pictures are apart.

use super::Picture;
use rayon::prelude::*;

/// Pictures of different sizes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pictures are of different sizes, {}×{} and {}×{}", one[0], one[1], other[0], other[1])]
pub struct SizesDiffer {
    one: [usize; 2],
    other: [usize; 2],
}

/// Where two pictures differ most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Largest {
    /// The absolute difference; infinite where one value is NaN and the other is not.
    pub difference: f64,
    /// The channel: R, G, B or A.
    pub channel: char,
    /// Column from the left, row from the top, from 0.
    pub at: [usize; 2],
    /// The value in the first picture.
    pub one: f32,
    /// The value in the second.
    pub other: f32,
}

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// All pixels.
    pub pixels: usize,
    /// Those that differ in any channel.
    pub different: usize,
    /// The largest difference; of equal ones the topmost, then the leftmost. `None` where no pixel differs.
    pub largest: Option<Largest>,
}

/// Compares R, G and B, and alpha where both pictures have it. Integers count as 0.0 to 1.0. NaN equals NaN, and 0
/// equals −0.
///
/// # Errors
/// Where the pictures are of different sizes.
pub fn compare(one: &Picture, other: &Picture) -> Result<Comparison, SizesDiffer> {
    let sizes = [one, other].map(|p| [p.width(), p.height()]);
    if sizes[0] != sizes[1] {
        return Err(SizesDiffer { one: sizes[0], other: sizes[1] });
    }
    let channels = one.channels().min(other.channels());
    let value = |picture: &Picture, pixel: usize, c: usize| picture.samples().value(pixel * picture.channels() + c);
    let row = |y: usize| {
        let mut found = (0, None::<Largest>);
        for x in 0..one.width() {
            let pixel = y * one.width() + x;
            let mut differs = false;
            for (c, channel) in ['R', 'G', 'B', 'A'].into_iter().enumerate().take(channels) {
                let (a, b) = (value(one, pixel, c), value(other, pixel, c));
                let difference = apart(a, b);
                differs |= difference > 0.0;
                if difference > found.1.map_or(0.0, |l| l.difference) {
                    found.1 = Some(Largest { difference, channel, at: [x, y], one: a, other: b });
                }
            }
            found.0 += usize::from(differs);
        }
        found
    };
    let larger = |a: Option<Largest>, b: Option<Largest>| match (a, b) {
        (Some(a), Some(b)) if b.difference > a.difference => Some(b),
        (None, b) => b,
        (a, _) => a,
    };
    // Rows come together in their order, so that the first of equal differences is the one that is told.
    let merge = |a: (usize, Option<Largest>), b: (usize, Option<Largest>)| (a.0 + b.0, larger(a.1, b.1));
    let (different, largest) = (0..one.height()).into_par_iter().map(row).reduce(|| (0, None), merge);
    Ok(Comparison { pixels: one.width() * one.height(), different, largest })
}

fn apart(a: f32, b: f32) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => 0.0,
        (true, false) | (false, true) => f64::INFINITY,
        _ if a == b => 0.0,
        _ => (f64::from(a) - f64::from(b)).abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Samples;

    fn picture(width: usize, values: &[f32]) -> Picture {
        Picture::rgb(width, values.len() / 3 / width, Samples::Float(values.to_vec())).unwrap()
    }

    #[test]
    fn the_largest_difference_is_found_with_its_place() {
        let a = picture(2, &[0.0, 0.5, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.25, 0.25, 0.25]);
        let b = picture(2, &[0.0, 0.5, 1.0, 0.0, 0.125, 0.0, 1.0, 1.0, 1.0, 0.25, 0.25, 1.25]);
        let found = compare(&a, &b).unwrap();
        assert_eq!((found.pixels, found.different), (4, 2));
        let largest = Largest { difference: 1.0, channel: 'B', at: [1, 1], one: 0.25, other: 1.25 };
        assert_eq!(found.largest, Some(largest));
        assert_eq!(compare(&a, &a).unwrap(), Comparison { pixels: 4, different: 0, largest: None });
    }

    #[test]
    fn nan_against_a_number_is_the_largest_difference_there_is() {
        let odd = picture(1, &[f32::NAN, f32::INFINITY, -0.0]);
        assert_eq!(compare(&odd, &odd).unwrap().largest, None);
        let zero = picture(1, &[0.0, f32::INFINITY, 0.0]);
        assert_eq!(compare(&odd, &zero).unwrap().largest.unwrap().difference, f64::INFINITY);
    }

    #[test]
    fn depths_and_alpha_may_differ_and_sizes_may_not() {
        let bytes = Picture::rgba(1, 1, Samples::Eight(vec![0, 255, 51, 9])).unwrap();
        let floats = picture(1, &[0.0, 1.0, 0.2]);
        assert_eq!(compare(&bytes, &floats).unwrap().largest, None);
        let said = compare(&bytes, &picture(2, &[0.0; 6])).unwrap_err().to_string();
        assert_eq!(said, "the pictures are of different sizes, 1×1 and 2×1");
    }

    #[test]
    fn of_equal_differences_the_first_is_told() {
        let zeros = picture(1, &[0.0; 3 * 500]);
        let ones = picture(1, &[1.0; 3 * 500]);
        assert_eq!(compare(&zeros, &ones).unwrap().largest.unwrap().at, [0, 0]);
    }
}
