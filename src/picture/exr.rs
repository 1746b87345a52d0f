//! Pictures as OpenEXR: the first layer with channels R, G and B is the picture; all else is carried along.

use super::error::ContentError;
use super::sample::Sample;
use super::{Picture, PictureFormat, Progress, Samples, Stage};
use ::exr::error::Error;
use ::exr::meta::header::Header;
use ::exr::prelude::*;
use half::f16;
use std::io::{BufRead, Seek, Write};

/// The whole file; the picture's channels are empty while their samples are with the [`Picture`].
#[derive(Clone, Debug)]
pub(super) struct Rest {
    image: FlatImage,
    layer: usize,
    /// The picture's channels in the order of its samples: where each is in the layer's list, and whether it is float16.
    planes: Vec<(usize, bool)>,
}

const NAMES: [&str; 4] = ["R", "G", "B", "A"];

/// Width and height of the first layer that has channels R, G and B.
pub(super) fn dimensions(input: impl BufRead + Seek) -> std::result::Result<(usize, usize), ContentError> {
    let chunks = ::exr::block::read(input, false).map_err(decode)?;
    let headers = chunks.headers();
    let size = headers.iter().find(|header| is_rgb(header)).map(|header| header.layer_size);
    size.map(|size| (size.width(), size.height())).ok_or_else(|| no_rgb(headers))
}

/// Reads the first layer of the file that has channels R, G and B.
pub(super) fn read(input: impl BufRead + Seek, progress: &dyn Progress) -> std::result::Result<Picture, ContentError> {
    let chunks = ::exr::block::read(input, false).map_err(decode)?;
    let headers = chunks.headers();
    let picture = headers.iter().position(is_rgb).ok_or_else(|| no_rgb(headers))?;
    headers.iter().try_for_each(check_header)?;
    check_channels(&headers[picture])?;
    let mut image: FlatImage = ::exr::image::read::read()
        .no_deep_data()
        .largest_resolution_level()
        .all_channels()
        .all_layers()
        .all_attributes()
        .on_progress(|part| progress.at(Stage::Reading, part))
        .from_chunks(chunks)
        .map_err(decode)?;
    let layer = &mut image.layer_data[picture];
    let (width, height) = (layer.size.width(), layer.size.height());
    let mut planes = Vec::new();
    let mut taken = Vec::new();
    for name in NAMES {
        let list = &mut layer.channel_data.list;
        let Some(at) = list.iter().position(|c| c.name.eq(name)) else { continue };
        // Alpha in whole numbers or at another resolution is no alpha of these pixels; it is carried along.
        let whole = matches!(list[at].sample_data, FlatSamples::U32(_));
        if name == "A" && (whole || list[at].sampling != Vec2(1, 1)) {
            continue;
        }
        let samples = std::mem::replace(&mut list[at].sample_data, FlatSamples::F32(Vec::new()));
        planes.push((at, matches!(samples, FlatSamples::F16(_))));
        taken.push(samples);
    }
    let channels = planes.len();
    let samples = interleave(taken);
    let rest = Rest { image, layer: picture, planes };
    Picture::new(width, height, channels, samples, super::Rest::Exr(Box::new(rest)))
        .ok_or_else(|| ContentError::Decode(PictureFormat::Exr, "some of its pixels are missing".into()))
}

fn is_rgb(header: &Header) -> bool {
    !header.deep && NAMES[..3].iter().all(|name| header.channels.list.iter().any(|c| c.name.eq(name)))
}

fn no_rgb(headers: &[Header]) -> ContentError {
    let names: Vec<_> = headers.iter().flat_map(|h| &h.channels.list).map(|c| c.name.to_string()).take(20).collect();
    let names = names.join(", ").escape_debug().to_string();
    ContentError::kind(
        format!("it has no layer with channels R, G and B, but {names}"),
        "a LUT needs all three, under these names",
    )
}

fn check_header(header: &Header) -> std::result::Result<(), ContentError> {
    if header.deep {
        return Err(ContentError::kind("it has deep data", "flatten it first"));
    }
    let (width, height) = (header.layer_size.width(), header.layer_size.height());
    ContentError::check_size(width, height)?;
    ContentError::check_size(width * height, header.channels.list.len().div_ceil(8))
        .map_err(|_| ContentError::TooLarge { width, height })
}

fn check_channels(header: &Header) -> std::result::Result<(), ContentError> {
    for channel in header.channels.list.iter().filter(|c| NAMES[..3].iter().any(|name| c.name.eq(name))) {
        let what = match (channel.sample_type, channel.sampling) {
            (SampleType::U32, _) => "whole numbers",
            (_, Vec2(1, 1)) => continue,
            _ => "at a lower resolution",
        };
        return Err(ContentError::kind(
            format!("its channel {} is {what}", channel.name),
            "colours are float16 or float32 at full resolution",
        ));
    }
    Ok(())
}

/// float16 where all channels are; else float32, which holds every float16.
fn interleave(planes: Vec<FlatSamples>) -> Samples {
    let halves: Option<Vec<&[f16]>> =
        planes.iter().map(|p| if let FlatSamples::F16(v) = p { Some(v.as_slice()) } else { None }).collect();
    if let Some(planes) = halves {
        return Samples::Half(weave(&planes));
    }
    let floats: Vec<Vec<f32>> = planes
        .into_iter()
        .map(|plane| match plane {
            FlatSamples::F32(v) => v,
            FlatSamples::F16(v) => v.into_iter().map(f16::to_f32).collect(),
            FlatSamples::U32(v) => v.into_iter().map(|v| v as f32).collect(),
        })
        .collect();
    Samples::Float(weave(&floats.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

fn weave<S: Copy>(planes: &[&[S]]) -> Vec<S> {
    let pixels = planes.iter().map(|p| p.len()).min().unwrap_or(0);
    (0..pixels).flat_map(|i| planes.iter().map(move |p| p[i])).collect()
}

/// Writes a picture: one that came from OpenEXR with all that its file holds, a new one as channels R, G, B, A.
pub(super) fn write(
    picture: Picture,
    out: impl Write + Seek,
    progress: &dyn Progress,
) -> std::result::Result<(), ContentError> {
    let Picture { width, height, channels, samples, rest } = picture;
    let Rest { mut image, layer, planes } = match rest {
        super::Rest::Exr(rest) => *rest,
        _ => new_file(width, height, channels, matches!(samples, Samples::Half(_))),
    };
    for (i, (at, half)) in planes.iter().enumerate() {
        let list = &mut image.layer_data[layer].channel_data.list;
        list[*at].sample_data = plane(&samples, i, channels, *half);
    }
    drop(samples);
    for layer in &mut image.layer_data {
        // What is lossy would change the graded colours once more.
        if layer.encoding.compression.may_loose_data() {
            layer.encoding.compression = Compression::ZIP16;
        }
    }
    image.write().on_progress(|part| progress.at(Stage::Writing, part)).to_buffered(out).map_err(encode)
}

fn new_file(width: usize, height: usize, channels: usize, half: bool) -> Rest {
    let empty = |name: &&str| AnyChannel::new(*name, FlatSamples::F32(Vec::new()));
    let attributes = LayerAttributes {
        software_name: Text::new_or_none(concat!("virtual-gpu-lut-box ", env!("CARGO_PKG_VERSION"))),
        ..LayerAttributes::default()
    };
    let list = AnyChannels::sort(NAMES[..channels].iter().map(empty).collect());
    let at = |name: &&str| list.list.iter().position(|c| c.name.eq(name)).unwrap_or_default();
    let planes = NAMES[..channels].iter().map(|name| (at(name), half)).collect();
    let layer = Layer {
        channel_data: list,
        attributes,
        size: Vec2(width, height),
        encoding: Encoding { line_order: LineOrder::Increasing, ..Encoding::SMALL_LOSSLESS },
    };
    Rest { image: Image::from_layer(layer).into_layers(), layer: 0, planes }
}

/// Every `channels`-th sample, in the number that the file has.
fn plane(samples: &Samples, first: usize, channels: usize, half: bool) -> FlatSamples {
    match samples {
        Samples::Half(v) => FlatSamples::F16(v.iter().skip(first).step_by(channels).copied().collect()),
        Samples::Float(v) if half => {
            FlatSamples::F16(v.iter().skip(first).step_by(channels).map(|v| f16::nearest(*v)).collect())
        }
        Samples::Float(v) => FlatSamples::F32(v.iter().skip(first).step_by(channels).copied().collect()),
        other => FlatSamples::F32((first..other.len()).step_by(channels).map(|i| other.value(i)).collect()),
    }
}

trait IntoLayers {
    fn into_layers(self) -> FlatImage;
}

impl IntoLayers for Image<Layer<AnyChannels<FlatSamples>>> {
    fn into_layers(self) -> FlatImage {
        Image { attributes: self.attributes, layer_data: [self.layer_data].into_iter().collect() }
    }
}

fn decode(error: Error) -> ContentError {
    match error {
        Error::Io(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => ContentError::Io(e),
        other => ContentError::Decode(PictureFormat::Exr, other.to_string()),
    }
}

fn encode(error: Error) -> ContentError {
    match error {
        Error::Io(e) => ContentError::Io(e),
        other => ContentError::Encode(PictureFormat::Exr, other.to_string()),
    }
}
