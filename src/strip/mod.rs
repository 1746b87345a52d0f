//! Strips as image files: a LUT's texture, as another program sees it, on disk.
//!
//! | format | texels | read | written |
//! | --- | --- | --- | --- |
//! | [`exr`] | float32 RGBA, bit for bit | yes, also float16, also without A | yes, ZIP compression |
//! | [`npy`] | float32, `(height, width, 4)`, bit for bit | yes, also 3 components, float64, and LUTs as `(N, N, N, 3)` | yes |
//! | [`image`] | PNG of 8 and 16 bits; TIFF of 8 and 16 bits, float16 and float32 | yes, with or without alpha | RGB; whole numbers clamped; TIFF not as float16 |
//!
//! All of them work on [`Frame`]s. Readers refuse an image that is no texture of the layout asked for before its
//! texels are read, so that a file of a few bytes cannot claim gigabytes.

pub mod exr;
pub mod image;
pub mod npy;

use crate::hald::{Layout, Placement, ShapeError, TextureShape};
use crate::lut::Lut3d;
use crate::picture::ContentError;
use crate::texture::{Frame, RGBA32F};
use std::io;

/// Why a strip could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StripError {
    /// The image is no texture of this layout, or the LUT has none.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A frame whose texels do not fit its width and height.
    #[error("a frame of {width}×{height} holds {texels} texels")]
    Texels {
        /// Width in texels.
        width: usize,
        /// Height in texels.
        height: usize,
        /// How many texels it holds.
        texels: usize,
    },
    /// The file is no OpenEXR file, or a damaged one.
    #[error("it can't be read as OpenEXR ({0})")]
    Exr(String),
    /// An OpenEXR file without a plain RGB image.
    #[error("it has no image with channels R, G and B; it has {0}")]
    ExrChannels(String),
    /// An OpenEXR file of whole numbers, or with channels at a lower resolution.
    #[error("its channel {channel} {what}; strips are read from float32 or float16 channels at full resolution")]
    ExrChannel {
        /// The channel.
        channel: String,
        /// What it is like.
        what: &'static str,
    },
    /// The file is no NumPy array that is a strip or a LUT.
    #[error(transparent)]
    Npy(#[from] npy::NpyError),
    /// The file is no PNG or TIFF, a damaged one, or one of another kind.
    #[error(transparent)]
    Picture(#[from] ContentError),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A LUT's texture.
///
/// # Errors
/// Where the LUT has no texture in this layout.
pub fn from_lut(lut: &Lut3d, layout: Layout) -> Result<Frame, ShapeError> {
    let shape = TextureShape::new(lut.size(), layout)?;
    let mut frame = Frame {
        width: shape.width(),
        height: shape.height(),
        shape: Some(shape),
        format: RGBA32F,
        texels: vec![[0; 16]; shape.texels()],
        ..Frame::default()
    };
    Placement::write_lut(shape, lut, &mut frame.texels);
    Ok(frame)
}

/// The LUT in a texture. Where the frame does not say how it is laid out, `layout` does.
///
/// # Errors
/// Where the frame is no texture of that layout.
pub fn to_lut(frame: &Frame, layout: Layout) -> Result<Lut3d, StripError> {
    check_texels(frame)?;
    let layout = frame.shape.map_or(layout, |shape| shape.layout());
    let shape = TextureShape::from_dimensions(frame.width, frame.height, layout)?;
    Ok(Placement::read(shape, &frame.texels))
}

/// A frame is a plain struct that anyone can fill: no writer may rely on its size.
fn check_texels(frame: &Frame) -> Result<(), StripError> {
    let Frame { width, height, .. } = *frame;
    let texels = frame.texels.len();
    if width > 0 && width.checked_mul(height) == Some(texels) {
        Ok(())
    } else {
        Err(StripError::Texels { width, height, texels })
    }
}

#[cfg(test)]
mod tests;
