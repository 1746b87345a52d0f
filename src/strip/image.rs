//! Strips and Hald CLUTs as PNG and TIFF, which pictures are kept in as well.

use super::{StripError, check_texels};
use crate::hald::{Layout, TextureShape, rgb};
use crate::picture::{Depth, Picture, PictureFormat, Samples};
use crate::texture::{Frame, RGBA32F};
use std::io::{BufRead, Seek, SeekFrom, Write};

/// Reads an image as a strip in `layout`; without one, the layout follows from its shape, as [`Layout::likely`] says.
/// Whole numbers are divided by the largest of their depth, floats are kept bit for bit; without alpha, it is 1.0.
///
/// # Errors
/// Where the image is no strip of that layout, which is checked before its pixels are read; where it is grey, has a
/// palette and the like; and where the file is damaged.
pub fn read(
    format: PictureFormat,
    mut input: impl BufRead + Seek,
    layout: impl Into<Option<Layout>>,
) -> Result<Frame, StripError> {
    let start = input.stream_position()?;
    let (width, height) = Picture::dimensions(format, &mut input)?;
    let layout = layout.into().unwrap_or(Layout::likely(width, height));
    let shape = TextureShape::from_dimensions(width, height, layout)?;
    input.seek(SeekFrom::Start(start))?;
    let picture = Picture::read_from(format, input, &())?;
    let (samples, channels) = (picture.samples(), picture.channels());
    let texels = (0..shape.texels()).map(|i| {
        let at = |c: usize| samples.value(i * channels + c).to_le_bytes();
        let alpha = if channels == 4 { at(3) } else { 1.0f32.to_le_bytes() };
        let mut texel = [0; 16];
        for (to, component) in texel.as_chunks_mut::<4>().0.iter_mut().zip([at(0), at(1), at(2), alpha]) {
            *to = component;
        }
        texel
    });
    let texels = texels.collect();
    Ok(Frame { width, height, shape: Some(shape), format: RGBA32F, texels, ..Frame::default() })
}

/// Writes a frame's R, G and B in numbers of `depth`. Whole numbers are the nearest, clamped to [0, 1], NaN being 0;
/// float32 keeps every bit. Alpha is left out.
///
/// # Errors
/// Where the format does not have the depth, or writing fails.
pub fn write(format: PictureFormat, depth: Depth, frame: &Frame, out: impl Write + Seek) -> Result<(), StripError> {
    check_texels(frame)?;
    let values = frame.texels.iter().flat_map(rgb);
    let samples = Samples::from_values(values, depth);
    let picture = Picture::rgb(frame.width, frame.height, samples).ok_or(StripError::Texels {
        width: frame.width,
        height: frame.height,
        texels: frame.texels.len(),
    })?;
    Ok(picture.write_to(format, out, &())?)
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
