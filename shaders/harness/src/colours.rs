//! The colours that are sent through the LUTs: a picture of 1.1 million pixels.

use crate::luts::Random;

/// Width of the picture, in pixels.
pub const WIDTH: usize = 1100;
/// Height of the picture, in pixels.
pub const HEIGHT: usize = 1000;

/// A picture for a LUT of grid size `n`, row by row from row 0, alpha different in every pixel.
///
/// It holds, as far as there is room: all lattice points; the neighbours in float32 of the planes between cells; greys;
/// colours with two equal channels; values out of range, infinite, NaN, −0 and subnormal; and random colours.
pub fn picture(n: usize) -> Vec<[f32; 4]> {
    let mut colours = Vec::with_capacity(WIDTH * HEIGHT);
    let mut random = Random::new(77 + n as u64);
    lattice(n, &mut colours);
    seams(n, &mut random, &mut colours);
    special(&mut random, &mut colours);
    for i in 0..100_000 {
        colours.push([i as f32 / 99_999.0; 3]);
    }
    for _ in 0..60_000 {
        let (a, b) = (random.unit(), random.unit());
        colours.extend([[a, a, b], [a, b, a], [b, a, a]]);
    }
    assert!(colours.len() < WIDTH * HEIGHT, "{} colours for N = {n}", colours.len());
    while colours.len() < WIDTH * HEIGHT {
        let wide = colours.len().is_multiple_of(8);
        colours.push([0; 3].map(|_| if wide { random.unit() * 3.0 - 1.0 } else { random.unit() }));
    }
    colours.iter().enumerate().map(|(i, [r, g, b])| [*r, *g, *b, (i % 1001) as f32 / 1000.0]).collect()
}

/// The lattice point that pixel `index` of [`picture`] asks for, where it is one.
pub fn lattice_point(n: usize, index: usize) -> Option<[usize; 3]> {
    (index < n * n * n).then(|| [index / (n * n), index / n % n, index % n])
}

fn lattice(n: usize, colours: &mut Vec<[f32; 3]>) {
    let last = (n - 1) as f32;
    for i in 0..n * n * n {
        colours.push([i / (n * n), i / n % n, i % n].map(|k| k as f32 / last));
    }
}

/// Values on the planes between cells, and up to two steps of float32 to both sides of them.
fn seams(n: usize, random: &mut Random, colours: &mut Vec<[f32; 3]>) {
    let last = (n - 1) as f32;
    for k in 0..n {
        for step in -2i32..=2 {
            let bits = (k as f32 / last).to_bits() as i32;
            let value = f32::from_bits((bits + step).max(0) as u32);
            for _ in 0..40 {
                let (a, b) = (random.unit(), random.unit());
                colours.extend([[value, a, b], [a, value, b], [a, b, value], [value, value, a], [value; 3]]);
            }
        }
    }
}

fn special(random: &mut Random, colours: &mut Vec<[f32; 3]>) {
    let values = [
        0.0,
        -0.0,
        1.0,
        1.0 - f32::EPSILON / 2.0,
        1.0 + f32::EPSILON,
        -1e-7,
        -1.0,
        2.0,
        1e38,
        -1e38,
        f32::MAX,
        f32::MIN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        -f32::NAN,
        f32::from_bits(1),
        f32::MIN_POSITIVE,
        0.5,
    ];
    for r in values {
        for g in values {
            for b in values {
                colours.push([r, g, b]);
            }
            colours.push([r, g, random.unit()]);
            colours.push([r, random.unit(), g]);
            colours.push([random.unit(), r, g]);
        }
    }
}
