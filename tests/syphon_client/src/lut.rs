//! LUTs to send, and the images that a Syphon client has to find.

use std::fmt::Write;

/// Entries of random finite bits, with what float32 has of special values among them, red fastest.
pub struct Lut {
    pub size: usize,
    entries: Vec<[f32; 3]>,
}

impl Lut {
    pub fn random(size: usize, mut seed: u64) -> Lut {
        const SPECIAL: [u32; 6] = [0x8000_0000, 0x0000_0001, 0x807f_ffff, 0x7e96_7699, 0xfe96_7699, 0x3f80_0000];
        let mut number = 0;
        let mut value = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            number += 1;
            let bits = if number % 7 == 0 { SPECIAL[number / 7 % SPECIAL.len()] } else { (seed >> 32) as u32 };
            let value = f32::from_bits(bits);
            if value.is_finite() { value } else { f32::from_bits(bits & 0xbfff_ffff) }
        };
        Lut { size, entries: (0..size.pow(3)).map(|_| [value(), value(), value()]).collect() }
    }

    fn at(&self, [r, g, b]: [usize; 3]) -> [f32; 3] {
        self.entries[r + self.size * (g + self.size * b)]
    }

    /// The entries' bits, red fastest.
    pub fn bits(&self) -> Vec<[u32; 3]> {
        self.entries.iter().map(|entry| entry.map(f32::to_bits)).collect()
    }

    /// As a .cube file.
    pub fn cube(&self) -> String {
        let mut text = format!("LUT_3D_SIZE {}\n", self.size);
        for [r, g, b] in &self.entries {
            writeln!(text, "{r:?} {g:?} {b:?}").expect("room for a line");
        }
        text
    }

    /// Row 0 first: byte p of the entry (r, g, b) in column b·N + g of row p·N + r, as B, G, R, 255.
    pub fn byte_planes(&self) -> Image {
        let n = self.size;
        let texel = |x: usize, y: usize| {
            let [red, green, blue] = self.at([y % n, x % n, x / n]).map(|value| value.to_le_bytes()[y / n]);
            [blue, green, red, 255]
        };
        Image::new(n * n, 4 * n, texel)
    }

    /// Row 0 first: the nearest of 256 steps from 0 to 1 of the entry (r, g, b) in column b·N + g of row r.
    pub fn eight_bit(&self) -> Image {
        let n = self.size;
        let step = |value: f32| (f64::from(value).clamp(0.0, 1.0) * 255.0).round() as u8;
        let texel = |x: usize, y: usize| {
            let [red, green, blue] = self.at([y, x % n, x / n]).map(step);
            [blue, green, red, 255]
        };
        Image::new(n * n, n, texel)
    }
}

/// An image's bytes as they lie in memory, row 0 first, as B, G, R, A.
#[derive(PartialEq)]
pub struct Image {
    pub width: usize,
    pub height: usize,
    pub bytes: Vec<u8>,
}

impl Image {
    fn new(width: usize, height: usize, texel: impl Fn(usize, usize) -> [u8; 4]) -> Image {
        let bytes = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| texel(x, y)).collect();
        Image { width, height, bytes }
    }

    /// What a frame of the framework's client holds in memory.
    pub fn of(frame: &syphon_rs::Frame) -> Image {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        // It gives rows as OpenGL counts them, the last one first, and R before B.
        let rows = frame.read_rgba_pixels();
        let bytes = rows.chunks_exact(4 * width).rev().flat_map(|row| row.chunks_exact(4));
        let bytes = bytes.flat_map(|texel| [texel[2], texel[1], texel[0], texel[3]]).collect();
        Image { width, height, bytes }
    }

    /// Says where two images differ first.
    pub fn difference(&self, wanted: &Image) -> Option<String> {
        if (self.width, self.height) != (wanted.width, wanted.height) {
            return Some(format!("{}×{}, not {}×{}", self.width, self.height, wanted.width, wanted.height));
        }
        let at = self.bytes.iter().zip(&wanted.bytes).position(|(a, b)| a != b)?;
        let (texel, channel) = (at / 4, ["B", "G", "R", "A"][at % 4]);
        let (x, y) = (texel % self.width, texel / self.width);
        Some(format!("{channel} of texel ({x}, {y}) is {}, not {}", self.bytes[at], wanted.bytes[at]))
    }
}
