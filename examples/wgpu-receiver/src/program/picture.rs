//! Pictures: read from PNG, written as PNG, and one that is built in.

use anyhow::{Context, bail};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

/// A picture of floats: R, G, B, A, of which 0 to 1 is what PNG can hold. Rows from the top.
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[f32; 4]>,
}

impl Picture {
    /// Hues from left to right, from dark over saturated to light; below them a ramp of greys.
    pub fn built_in() -> Picture {
        let (width, height) = (640, 360);
        let pixel = |x: usize, y: usize| {
            let across = x as f32 / (width - 1) as f32;
            if y >= 300 {
                return [across, across, across, 1.0];
            }
            let down = y as f32 / 299.0;
            let channel = |shift: f32| {
                let hue = ((across + shift).fract() * 6.0 - 3.0).abs() - 1.0;
                let (dark, light) = ((2.0 * down).min(1.0), (2.0 * down - 1.0).max(0.0));
                let saturated = hue.clamp(0.0, 1.0) * dark;
                saturated + (1.0 - saturated) * light
            };
            [channel(0.0), channel(2.0 / 3.0), channel(1.0 / 3.0), 1.0]
        };
        let pixels = (0..width * height).map(|i| pixel(i % width, i / width)).collect();
        Picture { width, height, pixels }
    }

    /// Reads a PNG of any kind, 8 or 16 bits a channel.
    pub fn read(path: &Path) -> anyhow::Result<Picture> {
        let named = || format!("{}", path.display());
        let mut decoder = png::Decoder::new(BufReader::new(File::open(path).with_context(named)?));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
        let mut reader = decoder.read_info().with_context(named)?;
        let size = reader.output_buffer_size().with_context(|| format!("{} is too large", path.display()))?;
        let mut bytes = vec![0; size];
        let info = reader.next_frame(&mut bytes).with_context(named)?;
        bytes.truncate(info.buffer_size());
        let values: Vec<f32> = match info.bit_depth {
            png::BitDepth::Eight => bytes.iter().map(|v| f32::from(*v) / 255.0).collect(),
            png::BitDepth::Sixteen => {
                bytes.as_chunks::<2>().0.iter().map(|v| f32::from(u16::from_be_bytes(*v)) / 65535.0).collect()
            }
            other => bail!("{}: {other:?} bits a channel", path.display()),
        };
        let pixels = match info.color_type {
            png::ColorType::Rgba => values.as_chunks::<4>().0.to_vec(),
            png::ColorType::GrayscaleAlpha => {
                values.as_chunks::<2>().0.iter().map(|[grey, alpha]| [*grey, *grey, *grey, *alpha]).collect()
            }
            other => bail!("{}: colours of the kind {other:?}", path.display()),
        };
        Ok(Picture { width: info.width as usize, height: info.height as usize, pixels })
    }

    /// Writes a PNG of 16 bits a channel, without alpha: what is outside 0 to 1 is clamped.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let named = || format!("{}", path.display());
        let file = BufWriter::new(File::create(path).with_context(named)?);
        let mut encoder = png::Encoder::new(file, u32::try_from(self.width)?, u32::try_from(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Sixteen);
        let bytes: Vec<u8> = self.pixels.iter().flat_map(|p| p[..3].iter().flat_map(|v| sixteen_bits(*v))).collect();
        let mut writer = encoder.write_header().with_context(named)?;
        writer.write_image_data(&bytes).with_context(named)?;
        writer.finish().with_context(named)
    }
}

/// Casts from float to integer saturate, and take NaN to 0.
fn sixteen_bits(value: f32) -> [u8; 2] {
    ((value * 65535.0).round() as u16).to_be_bytes()
}
