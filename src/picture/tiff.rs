//! Pictures as TIFF: 8 and 16 bits, float16 and float32, RGB and RGBA, one image a file.

use super::error::ContentError;
use super::{Picture, PictureFormat, Samples};
use ::tiff::ColorType;
use ::tiff::TiffError;
use ::tiff::decoder::ifd::Value;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};
use ::tiff::encoder::colortype::{self, ColorType as Kind};
use ::tiff::encoder::{Compression, DeflateLevel, Predictor, Rational, TiffEncoder, TiffKind, TiffValue};
use ::tiff::tags::{CompressionMethod, PhotometricInterpretation, SampleFormat, Tag};
use half::f16;
use std::io::{BufRead, Seek, Write};

/// What the file says about its samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Rest {
    /// What the fourth sample is, as the file says it: 0 unspecified, 1 premultiplied alpha, 2 alpha.
    alpha: Option<u16>,
    compression: Option<CompressionMethod>,
    texts: Vec<(Tag, String)>,
    /// Small whole numbers: orientation, unit of the resolution.
    numbers: Vec<(Tag, u16)>,
    resolution: Vec<(Tag, [u32; 2])>,
    profile: Option<Vec<u8>>,
}

const TEXTS: [Tag; 7] =
    [Tag::ImageDescription, Tag::Make, Tag::Model, Tag::Software, Tag::DateTime, Tag::Artist, Tag::Copyright];
const NUMBERS: [Tag; 2] = [Tag::Orientation, Tag::ResolutionUnit];
const RESOLUTION: [Tag; 2] = [Tag::XResolution, Tag::YResolution];

/// A file beyond this takes offsets of 64 bits (BigTIFF).
const CLASSIC_LIMIT: usize = 4_000_000_000;

/// Width and height.
pub(super) fn dimensions(input: impl BufRead + Seek) -> Result<(usize, usize), ContentError> {
    let (width, height) = Decoder::new(input).and_then(|mut decoder| decoder.dimensions()).map_err(decode)?;
    Ok((width as usize, height as usize))
}

/// Reads a picture.
pub(super) fn read(input: impl BufRead + Seek) -> Result<Picture, ContentError> {
    let mut decoder = Decoder::new(input).map_err(decode)?;
    let (width, height) = decoder.dimensions().map_err(decode)?;
    let (width, height) = (width as usize, height as usize);
    ContentError::check_size(width, height)?;
    let channels = check(&mut decoder)?;
    let rest = describe(&mut decoder, channels)?;
    // The size has been checked; the decoder's own limit is below that of a large picture.
    let bytes = width * height * channels * 4;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = bytes;
    limits.intermediate_buffer_size = limits.intermediate_buffer_size.max(bytes);
    let mut decoder = decoder.with_limits(limits);
    let samples = match decoder.read_image().map_err(decode)? {
        DecodingResult::U8(v) => Samples::Eight(v),
        DecodingResult::U16(v) => Samples::Sixteen(v),
        DecodingResult::F16(v) => Samples::Half(v),
        DecodingResult::F32(v) => Samples::Float(v),
        _ => return Err(wrong_samples("numbers of another width")),
    };
    Picture::new(width, height, channels, samples, super::Rest::Tiff(Box::new(rest)))
        .ok_or_else(|| ContentError::Decode(PictureFormat::Tiff, "some of its pixels are missing".into()))
}

fn wrong_samples(what: &str) -> ContentError {
    ContentError::kind(
        format!("its samples are {what}"),
        "a TIFF can have 8 or 16 bits, float16 or float32, and RGB or RGBA",
    )
}

/// How many channels a picture has that can be graded and written back.
fn check<R: BufRead + Seek>(decoder: &mut Decoder<R>) -> Result<usize, ContentError> {
    let (channels, bits) = match decoder.colortype().map_err(decode)? {
        ColorType::RGB(bits) => (3, bits),
        ColorType::RGBA(bits) => (4, bits),
        other => return Err(wrong_samples(&format!("{other:?}"))),
    };
    if ![8, 16, 32].contains(&bits) {
        return Err(wrong_samples(&format!("{bits} bits wide")));
    }
    let all: Option<u16> = decoder.find_tag_unsigned(Tag::SamplesPerPixel).map_err(decode)?;
    if let Some(more) = all.filter(|all| usize::from(*all) != channels) {
        return Err(ContentError::kind(
            format!("it has {more} samples a pixel, of which {channels} are colour and alpha"),
            "save it without further channels",
        ));
    }
    if decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration).map_err(decode)? == Some(2) {
        return Err(ContentError::kind("its channels lie apart (planar)", "save it with interleaved channels"));
    }
    if decoder.more_images() {
        return Err(ContentError::kind("it holds several images", "save each as a picture of its own"));
    }
    Ok(channels)
}

fn describe<R: BufRead + Seek>(decoder: &mut Decoder<R>, channels: usize) -> Result<Rest, ContentError> {
    let mut rest = Rest::default();
    if channels == 4 {
        let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(decode)?;
        rest.alpha = extra.and_then(|v| v.first().copied());
    }
    let compression = decoder.find_tag_unsigned(Tag::Compression).map_err(decode)?;
    rest.compression = compression.map(CompressionMethod::from_u16_exhaustive);
    for tag in TEXTS {
        // A text that is no ASCII says nothing that could be kept.
        if let Ok(Some(Value::Ascii(text))) = decoder.find_tag(tag) {
            rest.texts.push((tag, text));
        }
    }
    for tag in NUMBERS {
        rest.numbers.extend(decoder.find_tag_unsigned(tag).map_err(decode)?.map(|n| (tag, n)));
    }
    for tag in RESOLUTION {
        if let Ok(Some(Value::Rational(n, d))) = decoder.find_tag(tag) {
            rest.resolution.push((tag, [n, d]));
        }
    }
    if decoder.find_tag(Tag::IccProfile).map_err(decode)?.is_some() {
        rest.profile = Some(decoder.get_tag_u8_vec(Tag::IccProfile).map_err(decode)?);
    }
    Ok(rest)
}

/// Writes a picture.
pub(super) fn write(picture: &Picture, out: impl Write + Seek) -> Result<(), ContentError> {
    let bytes = picture.samples.len() * 4;
    match bytes < CLASSIC_LIMIT {
        true => write_all(picture, TiffEncoder::new(out).map_err(encode)?),
        false => write_all(picture, TiffEncoder::new_big(out).map_err(encode)?),
    }
}

fn write_all<W: Write + Seek, K: TiffKind>(picture: &Picture, out: TiffEncoder<W, K>) -> Result<(), ContentError> {
    let alpha = picture.channels == 4;
    match &picture.samples {
        Samples::Eight(v) if alpha => write_as::<colortype::RGBA8, _, _>(picture, v, out),
        Samples::Eight(v) => write_as::<colortype::RGB8, _, _>(picture, v, out),
        Samples::Sixteen(v) if alpha => write_as::<colortype::RGBA16, _, _>(picture, v, out),
        Samples::Sixteen(v) => write_as::<colortype::RGB16, _, _>(picture, v, out),
        Samples::Half(v) if alpha => write_as::<HalfRgba, _, _>(picture, &half_bits(v), out),
        Samples::Half(v) => write_as::<HalfRgb, _, _>(picture, &half_bits(v), out),
        Samples::Float(v) if alpha => write_as::<colortype::RGBA32Float, _, _>(picture, v, out),
        Samples::Float(v) => write_as::<colortype::RGB32Float, _, _>(picture, v, out),
    }
}

fn half_bits(samples: &[f16]) -> Vec<u16> {
    samples.iter().map(|v| v.to_bits()).collect()
}

fn write_as<C: Kind, W: Write + Seek, K: TiffKind>(
    picture: &Picture,
    samples: &[C::Inner],
    out: TiffEncoder<W, K>,
) -> Result<(), ContentError>
where
    [C::Inner]: TiffValue,
{
    let new = Rest { compression: Some(CompressionMethod::Deflate), ..Rest::default() };
    let rest = if let super::Rest::Tiff(rest) = &picture.rest { rest } else { &new };
    let compression = match rest.compression {
        Some(CompressionMethod::LZW) => Compression::Lzw,
        Some(CompressionMethod::Deflate | CompressionMethod::OldDeflate) => {
            Compression::Deflate(DeflateLevel::Balanced)
        }
        Some(CompressionMethod::PackBits) => Compression::Packbits,
        _ => Compression::Uncompressed,
    };
    let packs_well = matches!(compression, Compression::Lzw | Compression::Deflate(_));
    let whole = C::SAMPLE_FORMAT.iter().all(|f| *f == SampleFormat::Uint);
    let predictor = if packs_well && whole { Predictor::Horizontal } else { Predictor::None };
    let side = |pixels: usize| {
        u32::try_from(pixels).map_err(|_| ContentError::TooLarge { width: picture.width, height: picture.height })
    };
    let (width, height) = (side(picture.width)?, side(picture.height)?);
    let mut out = out.with_compression(compression).with_predictor(predictor);
    let mut image = out.new_image::<C>(width, height).map_err(encode)?;
    let directory = image.encoder();
    if picture.channels == 4 {
        directory.write_tag(Tag::ExtraSamples, &[rest.alpha.unwrap_or(2)][..]).map_err(encode)?;
    }
    for (tag, text) in &rest.texts {
        directory.write_tag(*tag, text.as_str()).map_err(encode)?;
    }
    for (tag, number) in &rest.numbers {
        directory.write_tag(*tag, *number).map_err(encode)?;
    }
    for (tag, [n, d]) in &rest.resolution {
        directory.write_tag(*tag, Rational { n: *n, d: *d }).map_err(encode)?;
    }
    if let Some(profile) = &rest.profile {
        directory.write_tag(Tag::IccProfile, profile.as_slice()).map_err(encode)?;
    }
    image.write_data(samples).map_err(encode)
}

/// float16 R, G, B, whose bits are written as they are.
struct HalfRgb;

impl Kind for HalfRgb {
    type Inner = u16;
    const TIFF_VALUE: PhotometricInterpretation = PhotometricInterpretation::RGB;
    const BITS_PER_SAMPLE: &'static [u16] = &[16; 3];
    const SAMPLE_FORMAT: &'static [SampleFormat] = &[SampleFormat::IEEEFP; 3];

    /// Never asked for: floats are written without a predictor.
    fn horizontal_predict(row: &[u16], result: &mut Vec<u16>) {
        result.extend_from_slice(row);
    }
}

/// float16 R, G, B and alpha.
struct HalfRgba;

impl Kind for HalfRgba {
    type Inner = u16;
    const TIFF_VALUE: PhotometricInterpretation = PhotometricInterpretation::RGB;
    const BITS_PER_SAMPLE: &'static [u16] = &[16; 4];
    const SAMPLE_FORMAT: &'static [SampleFormat] = &[SampleFormat::IEEEFP; 4];

    /// Never asked for: floats are written without a predictor.
    fn horizontal_predict(row: &[u16], result: &mut Vec<u16>) {
        result.extend_from_slice(row);
    }
}

fn decode(error: TiffError) -> ContentError {
    match error {
        TiffError::IoError(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => ContentError::Io(e),
        other => ContentError::Decode(PictureFormat::Tiff, other.to_string()),
    }
}

fn encode(error: TiffError) -> ContentError {
    match error {
        TiffError::IoError(e) => ContentError::Io(e),
        other => ContentError::Encode(PictureFormat::Tiff, other.to_string()),
    }
}
