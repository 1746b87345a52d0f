//! Strips as OpenEXR, the field's float format.

use super::{StripError, check_texels};
use crate::hald::{Layout, TextureShape};
use crate::texture::{Frame, RGBA32F};
use ::exr::error::Error;
use ::exr::meta::header::Header;
use ::exr::prelude::*;
use std::io::{BufRead, Seek, Write};

/// Writes a frame as float32 channels R, G, B, A with lossless ZIP compression. Every bit of every texel is kept.
pub fn write(frame: &Frame, out: impl Write + Seek) -> std::result::Result<(), StripError> {
    check_texels(frame)?;
    let width = frame.width;
    let component =
        |texel: &[u8; 16], i: usize| f32::from_le_bytes([texel[i], texel[i + 1], texel[i + 2], texel[i + 3]]);
    let channels = SpecificChannels::rgba(|at: Vec2<usize>| {
        let texel = &frame.texels[at.y() * width + at.x()];
        (component(texel, 0), component(texel, 4), component(texel, 8), component(texel, 12))
    });
    let attributes = LayerAttributes {
        software_name: Text::new_or_none(concat!("virtual-gpu-lut-box ", env!("CARGO_PKG_VERSION"))),
        comments: frame.shape.and_then(|shape| Text::new_or_none(description(shape))),
        ..LayerAttributes::default()
    };
    let layer = Layer::new((width, frame.height), attributes, Encoding::SMALL_LOSSLESS, channels);
    Image::from_layer(layer).write().non_parallel().to_buffered(out).map_err(error)
}

/// OpenEXR's own text type is one byte a character in many readers.
fn description(shape: TextureShape) -> String {
    let (size, layout) = (shape.size(), shape.layout());
    format!("3D LUT of grid size {size}, layout {layout}, {}x{}", shape.width(), shape.height())
}

/// Reads the first image of the file that has channels R, G and B, as a strip in `layout`; without one, the
/// layout follows from the image's shape, as [`Layout::likely`] says. Float32 is kept bit for
/// bit, float16 is converted, which is exact; without a channel A, alpha is 1.0.
///
/// # Errors
/// Where the image is no strip of that layout, which is checked before its texels are read; where its channels are
/// whole numbers or subsampled; and where the file is damaged.
pub fn read(input: impl BufRead + Seek, layout: impl Into<Option<Layout>>) -> std::result::Result<Frame, StripError> {
    let chunks = ::exr::block::read(input, false).map_err(error)?;
    let header = chunks.headers().iter().find(|header| is_rgb(header));
    let Some(header) = header else { return Err(StripError::ExrChannels(all_channels(chunks.headers()))) };
    let (width, height) = (header.layer_size.width(), header.layer_size.height());
    let shape = TextureShape::from_dimensions(width, height, layout.into().unwrap_or(Layout::likely(width, height)))?;
    check_channels(header)?;

    let image = ::exr::image::read::read()
        .no_deep_data()
        .largest_resolution_level()
        .specific_channels()
        .required("R")
        .required("G")
        .required("B")
        .optional("A", 1.0f32)
        .collect_pixels(
            |size, _| Texels { width: size.width(), texels: vec![[0; 16]; shape.texels()], set: 0 },
            |image: &mut Texels, at, (r, g, b, a): (f32, f32, f32, f32)| {
                if let Some(texel) = image.texels.get_mut(at.y() * image.width + at.x()) {
                    for (to, v) in texel.as_chunks_mut::<4>().0.iter_mut().zip([r, g, b, a]) {
                        *to = v.to_le_bytes();
                    }
                    image.set += 1;
                }
            },
        )
        .first_valid_layer()
        .all_attributes()
        .non_parallel()
        .from_chunks(chunks)
        .map_err(error)?;
    let Texels { texels, set, .. } = image.layer_data.channel_data.pixels;
    if set < texels.len() {
        return Err(StripError::Exr(format!("only {set} of its {} pixels are there", texels.len())));
    }
    Ok(Frame {
        width: shape.width(),
        height: shape.height(),
        shape: Some(shape),
        format: RGBA32F,
        texels,
        ..Frame::default()
    })
}

struct Texels {
    width: usize,
    texels: Vec<[u8; 16]>,
    set: usize,
}

fn is_rgb(header: &Header) -> bool {
    !header.deep && ["R", "G", "B"].iter().all(|name| header.channels.list.iter().any(|c| c.name.eq(name)))
}

fn check_channels(header: &Header) -> std::result::Result<(), StripError> {
    let ours = header.channels.list.iter().filter(|c| ["R", "G", "B", "A"].iter().any(|name| c.name.eq(name)));
    for channel in ours {
        let refuse = |what| Err(StripError::ExrChannel { channel: channel.name.to_string(), what });
        if channel.sample_type == SampleType::U32 {
            return refuse("holds whole numbers");
        }
        if channel.sampling != Vec2(1, 1) {
            return refuse("is subsampled");
        }
    }
    Ok(())
}

fn all_channels(headers: &[Header]) -> String {
    let names: Vec<_> = headers.iter().flat_map(|h| &h.channels.list).map(|c| c.name.to_string()).take(20).collect();
    names.join(", ").escape_debug().to_string()
}

fn error(error: Error) -> StripError {
    match error {
        Error::Io(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => StripError::Io(e),
        other => StripError::Exr(other.to_string()),
    }
}
