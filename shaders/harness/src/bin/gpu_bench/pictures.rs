//! Pictures to time with, the same in every run.

use super::PictureKind;
use shader_harness::luts::Random;

/// A picture of float32 RGBA, row 0 first, made by as many threads as there are processors.
pub fn picture(kind: PictureKind, width: usize, height: usize) -> Vec<[f32; 4]> {
    let mut texels = vec![[0.0; 4]; width * height];
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let rows = height.div_ceil(threads);
    std::thread::scope(|scope| {
        for (block, part) in texels.chunks_mut(rows * width).enumerate() {
            scope.spawn(move || {
                for (i, row) in part.chunks_mut(width).enumerate() {
                    let y = block * rows + i;
                    let mut random = Random::new(y as u64 + 1);
                    for (x, texel) in row.iter_mut().enumerate() {
                        *texel = pixel(kind, x as f32 / height as f32, y as f32 / height as f32, &mut random);
                    }
                }
            });
        }
    });
    texels
}

fn pixel(kind: PictureKind, x: f32, y: f32, random: &mut Random) -> [f32; 4] {
    let [r, g, b] = match kind {
        PictureKind::Random => [random.unit(), random.unit(), random.unit()],
        PictureKind::Photo => scene(x, y).map(|v| grain(v, 0.002, random)),
        PictureKind::Grainy => scene(x, y).map(|v| grain(v, 0.012, random)),
    };
    [r, g, b, 1.0]
}

/// Adds noise of this standard deviation: the sum of four uniform numbers is close enough to normal.
fn grain(value: f32, deviation: f32, random: &mut Random) -> f32 {
    let sum = (0..4).map(|_| random.unit()).sum::<f32>() - 2.0;
    value + sum * deviation * 3.0f32.sqrt()
}

/// Clouds of several scales in brightness, slower ones in colour, and a few hard edges.
fn scene(x: f32, y: f32) -> [f32; 3] {
    let mut brightness = 0.5;
    let mut amplitude = 0.28;
    let mut scale = 3.0;
    for octave in 0..7 {
        brightness += amplitude * (noise(x * scale, y * scale, octave) - 0.5);
        amplitude *= 0.55;
        scale *= 2.1;
    }
    if (x * 1.7 + y * 0.6).fract() < 0.2 {
        brightness = brightness * 0.4 + 0.05;
    }
    let warm = 0.3 * (noise(x * 2.0, y * 2.0, 20) - 0.5);
    let green = 0.2 * (noise(x * 2.7, y * 2.7, 21) - 0.5);
    [brightness * (1.0 + warm), brightness * (1.0 + green), brightness * (1.0 - warm)].map(|v| v.clamp(0.0, 1.0))
}

/// Smooth noise from 0 to 1 on a lattice of whole numbers.
fn noise(x: f32, y: f32, seed: u64) -> f32 {
    let (x0, y0) = (x.floor(), y.floor());
    let at = |dx: f32, dy: f32| {
        let key = ((x0 + dx) as u64) << 32 ^ ((y0 + dy) as u64) << 8 ^ seed;
        Random::new(key).unit()
    };
    let soften = |t: f32| t * t * (3.0 - 2.0 * t);
    let (u, v) = (soften(x - x0), soften(y - y0));
    let (a, b, c, d) = (at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0), at(1.0, 1.0));
    (a * (1.0 - u) + b * u) * (1.0 - v) + (c * (1.0 - u) + d * u) * v
}
