use super::*;
use crate::lut::GridSize;
use std::array::from_fn;

fn grid(n: u64) -> GridSize {
    GridSize::new(n).unwrap()
}

/// A small random generator; the tests must not change from run to run.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 32) as u32
    }

    /// From 0 to 1, inclusive of neither end.
    fn unit(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / 16777216.0
    }

    fn colour(&mut self) -> [f32; 3] {
        from_fn(|_| self.unit())
    }

    /// Any finite float32.
    fn any_finite(&mut self) -> f32 {
        loop {
            let v = f32::from_bits(self.bits());
            if v.is_finite() {
                return v;
            }
        }
    }
}

fn bits(rgb: [f32; 3]) -> [u32; 3] {
    rgb.map(f32::to_bits)
}

/// Distance to the next float32 above |v|.
fn ulp(v: f32) -> f64 {
    let v = v.abs();
    f64::from(f32::from_bits(v.to_bits() + 1)) - f64::from(v)
}

/// The lattice coordinate of a component, in float64.
fn coordinate(component: f32, last: usize) -> f64 {
    let clamped = if component.is_nan() { 0.0 } else { component.clamp(0.0, 1.0) };
    let on_lattice = (0..=last).find(|i| *i as f32 / last as f32 == clamped);
    on_lattice.map_or(f64::from(clamped) * last as f64, |i| i as f64)
}

/// Tetrahedral interpolation in float64, written the other common way: sort the axes, then walk from corner to corner
/// adding differences. Also gives the largest magnitude among the four entries, for each component.
fn reference(lut: &Lut3d, rgb: [f32; 3]) -> ([f64; 3], [f32; 3]) {
    let last = lut.size().get() - 1;
    let s = rgb.map(|c| coordinate(c, last));
    let mut point = s.map(|s| (s.floor() as usize).min(last - 1));
    let f: [f64; 3] = from_fn(|i| s[i] - point[i] as f64);
    let mut axes = [0, 1, 2];
    axes.sort_by(|a, b| f[*b].total_cmp(&f[*a]));
    let mut previous = lut.at(point);
    let mut result = previous.map(f64::from);
    let mut largest = previous.map(f32::abs);
    for axis in axes {
        point[axis] += 1;
        let entry = lut.at(point);
        for c in 0..3 {
            result[c] += f[axis] * (f64::from(entry[c]) - f64::from(previous[c]));
            largest[c] = largest[c].max(entry[c].abs());
        }
        previous = entry;
    }
    (result, largest)
}

fn trilinear_reference(lut: &Lut3d, rgb: [f32; 3]) -> ([f64; 3], [f32; 3]) {
    let last = lut.size().get() - 1;
    let s = rgb.map(|c| coordinate(c, last));
    let base = s.map(|s| (s.floor() as usize).min(last - 1));
    let f: [f64; 3] = from_fn(|i| s[i] - base[i] as f64);
    let (mut result, mut largest) = ([0.0; 3], [0.0f32; 3]);
    for corner in 0..8 {
        let step: [usize; 3] = from_fn(|i| corner >> i & 1);
        let weight: f64 = (0..3).map(|i| if step[i] == 1 { f[i] } else { 1.0 - f[i] }).product();
        let entry = lut.at(from_fn(|i| base[i] + step[i]));
        for c in 0..3 {
            result[c] += weight * f64::from(entry[c]);
            largest[c] = largest[c].max(entry[c].abs());
        }
    }
    (result, largest)
}

/// A dense grid that meets lattice points, edges between cells and ties, and random colours besides.
fn colours() -> impl Iterator<Item = [f32; 3]> {
    let steps = 32;
    let axis = move |i: usize| i as f32 / steps as f32;
    let dense = (0..=steps)
        .flat_map(move |r| (0..=steps).flat_map(move |g| (0..=steps).map(move |b| [axis(r), axis(g), axis(b)])));
    let mut random = Random(7);
    dense.chain((0..30_000).map(move |_| random.colour()))
}

#[test]
fn identity_returns_its_input() {
    for n in [2, 3, 16, 17, 32, 33, 42, 64, 65] {
        let lut = Lut3d::identity(grid(n));
        for rgb in colours() {
            for (name, out) in [("tetrahedral", lut.tetrahedral(rgb)), ("trilinear", lut.trilinear(rgb))] {
                for c in 0..3 {
                    let off = (f64::from(out[c]) - f64::from(rgb[c])).abs() / f64::from(f32::EPSILON);
                    assert!(off <= 2.0, "{name}, N={n}: {rgb:?} became {out:?}, {off} units in the last place of 1.0");
                }
            }
        }
    }
}

/// Every grid size there is: for most of them float32 i/(N−1) times N−1 is not always i.
#[test]
fn lattice_points_give_their_entries_bit_for_bit() {
    let mut random = Random(3);
    for n in (2..=40).chain([42, 64, 65, 100, 128]) {
        let lut = Lut3d::from_fn(grid(n), |[r, g, b]| match (r + g + b) % 5 {
            0 => [-0.0, 0.0, f32::MAX],
            1 => [1e-45, -1e-40, f32::MIN],
            _ => from_fn(|_| random.any_finite()),
        });
        let last = (n - 1) as usize;
        let lattice = |i: usize| i as f32 / last as f32;
        for i in 0..=last {
            // Every index on every axis, against moving partners, rather than all N³ points.
            for [r, g, b] in [[i, i, i], [i, 0, last - i], [last, i, i / 2], [i / 3, last, i], [last - i, i, 0]] {
                let (input, entry) = ([r, g, b].map(lattice), lut.at([r, g, b]));
                assert_eq!(bits(lut.tetrahedral(input)), bits(entry), "N={n} at {r}, {g}, {b}");
                assert_eq!(bits(lut.trilinear(input)), bits(entry), "N={n} at {r}, {g}, {b}");
            }
        }
    }
    for n in 2..=256u16 {
        for i in 0..n {
            let p = Position::of(f32::from(i) / f32::from(n - 1), usize::from(n - 1));
            assert_eq!(p.base as f32 + p.fraction, f32::from(i), "N={n}");
            assert!(p.fraction == 0.0 || p.fraction == 1.0, "N={n}, i={i}");
        }
    }
}

#[test]
fn both_ways_agree_with_float64() {
    let mut random = Random(11);
    let luts = [
        ("random", Lut3d::from_fn(grid(17), |_| from_fn(|_| random.unit() * 2.0 - 0.5))),
        ("hdr", Lut3d::from_fn(grid(33), |p| p.map(|i| (i as f32 / 4.0).exp2() - 1.0))),
        ("huge", Lut3d::from_fn(grid(5), |_| from_fn(|_| (random.unit() * 2.0 - 1.0) * 3e38))),
        ("smallest", Lut3d::from_fn(grid(2), |[r, g, b]| [r as f32 * -3.0, g as f32 + 7.0, (b * r) as f32])),
    ];
    for (name, lut) in &luts {
        for rgb in colours() {
            let four = (lut.tetrahedral(rgb), reference(lut, rgb));
            let eight = (lut.trilinear(rgb), trilinear_reference(lut, rgb));
            for (way, (out, (want, largest))) in [("tetrahedral", four), ("trilinear", eight)] {
                for c in 0..3 {
                    let off = (f64::from(out[c]) - want[c]).abs() / ulp(largest[c]);
                    assert!(off <= 4.0, "{name}, {way}: {rgb:?} gives {out:?}, not {want:?}: {off} ULP");
                }
            }
        }
    }
}

#[test]
fn each_tetrahedron_blends_its_own_corners() {
    // Each corner has a digit of its own, so the sum shows which ones were used.
    let lut = Lut3d::from_fn(grid(2), |[r, g, b]| [(r + 2 * g + 4 * b) as f32, 0.0, 0.0]);
    for (rgb, second, third) in [
        ([0.75, 0.5, 0.25], 1.0, 3.0),
        ([0.75, 0.25, 0.5], 1.0, 5.0),
        ([0.5, 0.25, 0.75], 4.0, 5.0),
        ([0.25, 0.5, 0.75], 4.0, 6.0),
        ([0.25, 0.75, 0.5], 2.0, 6.0),
        ([0.5, 0.75, 0.25], 2.0, 3.0),
    ] {
        assert_eq!(lut.tetrahedral(rgb)[0], 0.25 * (0.0 + second + third + 7.0), "{rgb:?}");
    }
}

/// Approached from both sides of a tie, by less than the tie can tell, nothing jumps; and on the tie itself the three
/// components' order does not matter to the bits.
#[test]
fn ties_give_the_same_bits_whichever_case_is_taken() {
    let mut random = Random(5);
    let lut = Lut3d::from_fn(grid(4), |_| from_fn(|_| random.any_finite() % 8.0));
    // Exchanging two axes of the LUT and of the colour turns each case into another one, with the same four entries.
    let exchanged = |[i, j]: [usize; 2]| {
        Lut3d::from_fn(grid(4), |mut p| {
            p.swap(i, j);
            lut.at(p)
        })
    };
    for axes in [[0, 1], [1, 2], [0, 2]] {
        let other = exchanged(axes);
        for _ in 0..20_000 {
            let mut rgb = random.colour();
            rgb[axes[1]] = rgb[axes[0]];
            if random.bits().is_multiple_of(4) {
                rgb = [rgb[0]; 3];
            }
            // The colour is the same with these axes exchanged, yet the LUTs' cases are each other's mirror images.
            assert_eq!(bits(lut.tetrahedral(rgb)), bits(other.tetrahedral(rgb)), "{rgb:?}");
        }
    }
}

#[test]
fn input_outside_the_range_is_clamped_and_output_is_not() {
    let lut = Lut3d::from_fn(grid(9), |p| p.map(|i| i as f32 * 3.0 - 4.0));
    let at = |v: f32| [lut.tetrahedral([v; 3]), lut.trilinear([v; 3])];
    for low in [-0.0, -1e-45, -1.0, f32::MIN, f32::NEG_INFINITY, f32::NAN, -f32::NAN] {
        assert_eq!(at(low), [[-4.0; 3]; 2], "{low}");
    }
    for high in [1.0, 1.0 + f32::EPSILON, 2.0, f32::MAX, f32::INFINITY] {
        assert_eq!(at(high), [[20.0; 3]; 2], "{high}");
    }
    assert_eq!(lut.tetrahedral([f32::NAN, 0.5, 2.0]), [-4.0, 8.0, 20.0]);
}
