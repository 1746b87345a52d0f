//! Strips as PNG: a preview to look at, 8 bits a component.

use super::{StripError, check_texels};
use crate::hald::rgb;
use crate::texture::Frame;
use std::io::Write;

/// Writes a frame as 8-bit RGB: each component clamped to [0, 1] (NaN is 0), times 255, rounded to nearest. What is
/// finer, darker or brighter is lost, and alpha too: this is for looking at, and is never read back.
pub fn write(frame: &Frame, out: impl Write) -> Result<(), StripError> {
    check_texels(frame)?;
    let side = |texels: usize| u32::try_from(texels).map_err(|_| StripError::Png(format!("{texels} texels a side")));
    let mut encoder = ::png::Encoder::new(out, side(frame.width)?, side(frame.height)?);
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_depth(::png::BitDepth::Eight);
    let texts = [
        ("Software", concat!("virtual-gpu-lut-box ", env!("CARGO_PKG_VERSION"))),
        ("Comment", "8-bit preview of a float32 LUT strip, clamped to 0-1; not for grading"),
    ];
    for (keyword, text) in texts {
        encoder.add_text_chunk(keyword.into(), text.into()).map_err(error)?;
    }
    let bytes: Vec<u8> = frame.texels.iter().flat_map(|texel| rgb(texel).map(to_byte)).collect();
    let mut writer = encoder.write_header().map_err(error)?;
    writer.write_image_data(&bytes).map_err(error)?;
    writer.finish().map_err(error)
}

/// Casts from float to integer saturate, and take NaN to 0.
fn to_byte(component: f32) -> u8 {
    (component * 255.0).round() as u8
}

fn error(error: ::png::EncodingError) -> StripError {
    match error {
        ::png::EncodingError::IoError(e) => StripError::Io(e),
        other => StripError::Png(other.to_string()),
    }
}
