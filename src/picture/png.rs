//! Pictures as PNG: 8 and 16 bits, RGB and RGBA.

use super::error::ContentError;
use super::{Picture, PictureFormat, Progress, Samples, Stage};
use ::png::{BitDepth, ColorType, Decoder, DecodingError, Encoder, EncodingError, Info, Limits};
use std::io::{BufRead, Seek, Write};

/// What the file says about its samples: colour space, size of a pixel, texts.
pub(super) type Rest = Info<'static>;

/// Memory for everything but the pixels: rows, colour profiles, texts.
const CHUNKS_LIMIT: usize = 1 << 28;

/// Width and height.
pub(super) fn dimensions(input: impl BufRead + Seek) -> Result<(usize, usize), ContentError> {
    let decoder = Decoder::new_with_limits(input, Limits { bytes: CHUNKS_LIMIT });
    let reader = decoder.read_info().map_err(decode)?;
    Ok((reader.info().width as usize, reader.info().height as usize))
}

/// Reads a picture.
pub(super) fn read(input: impl BufRead + Seek, progress: &dyn Progress) -> Result<Picture, ContentError> {
    let decoder = Decoder::new_with_limits(input, Limits { bytes: CHUNKS_LIMIT });
    let mut reader = decoder.read_info().map_err(decode)?;
    let channels = check(reader.info())?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    ContentError::check_size(width, height)?;
    let sixteen = reader.info().bit_depth == BitDepth::Sixteen;
    let row_bytes = width * channels * if sixteen { 2 } else { 1 };
    let mut bytes = Vec::new();
    if reader.info().interlaced {
        bytes.resize(row_bytes * height, 0);
        reader.next_frame(&mut bytes).map_err(decode)?;
    } else {
        // Row by row, memory grows with what the file really holds.
        for y in 0..height {
            let row = reader.next_row().map_err(decode)?;
            bytes.extend_from_slice(row.as_ref().map_or(&[], |row| row.data()));
            progress.at(Stage::Reading, (y + 1) as f64 / height as f64);
        }
    }
    // Texts may follow the pixels.
    reader.finish().map_err(decode)?;
    let rest = reader.info().clone();
    let samples = match sixteen {
        true => Samples::Sixteen(bytes.as_chunks::<2>().0.iter().map(|b| u16::from_be_bytes(*b)).collect()),
        false => Samples::Eight(bytes),
    };
    Picture::new(width, height, channels, samples, super::Rest::Png(Box::new(rest)))
        .ok_or_else(|| ContentError::Decode(PictureFormat::Png, "some of its pixels are missing".into()))
}

/// How many channels a picture has that can be graded.
fn check(info: &Info<'_>) -> Result<usize, ContentError> {
    const AS_RGB: &str = "save it as RGB with 8 or 16 bits a channel, since the graded picture has colours";
    let channels = match info.color_type {
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
        ColorType::Indexed => return Err(ContentError::kind("its colours are a palette's", AS_RGB)),
        ColorType::Grayscale | ColorType::GrayscaleAlpha => return Err(ContentError::kind("it is grey", AS_RGB)),
    };
    if info.trns.is_some() {
        return Err(ContentError::kind("one of its colours stands for transparency", "save it with an alpha channel"));
    }
    if info.animation_control.is_some() {
        return Err(ContentError::kind("it is an animation", "save its frames as pictures of their own"));
    }
    Ok(channels)
}

/// Writes a picture.
pub(super) fn write(picture: &Picture, out: impl Write, progress: &dyn Progress) -> Result<(), ContentError> {
    let side = |pixels: usize| {
        u32::try_from(pixels).map_err(|_| ContentError::TooLarge { width: picture.width, height: picture.height })
    };
    let mut info = match &picture.rest {
        super::Rest::Png(rest) => (**rest).clone(),
        _ => Info::default(),
    };
    info.width = side(picture.width)?;
    info.height = side(picture.height)?;
    info.bit_depth = if matches!(picture.samples, Samples::Sixteen(_)) { BitDepth::Sixteen } else { BitDepth::Eight };
    info.color_type = if picture.channels == 4 { ColorType::Rgba } else { ColorType::Rgb };
    info.interlaced = false;
    info.frame_control = None;
    // Both speak of samples that are no longer there.
    info.sbit = None;
    info.bkgd = None;
    let mut writer = Encoder::with_info(out, info).and_then(Encoder::write_header).map_err(encode)?;
    let mut stream = writer.stream_writer().map_err(encode)?;
    let row = picture.width * picture.channels;
    for y in 0..picture.height {
        let range = y * row..(y + 1) * row;
        match &picture.samples {
            Samples::Eight(v) => stream.write_all(&v[range])?,
            Samples::Sixteen(v) => {
                stream.write_all(&v[range].iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<_>>())?;
            }
            other => unreachable!("a PNG of {} samples is refused before it is begun", other.depth()),
        }
        progress.at(Stage::Writing, (y + 1) as f64 / picture.height as f64);
    }
    stream.finish().map_err(encode)?;
    writer.finish().map_err(encode)
}

fn decode(error: DecodingError) -> ContentError {
    match error {
        DecodingError::IoError(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => ContentError::Io(e),
        other => ContentError::Decode(PictureFormat::Png, other.to_string()),
    }
}

fn encode(error: EncodingError) -> ContentError {
    match error {
        EncodingError::IoError(e) => ContentError::Io(e),
        other => ContentError::Encode(PictureFormat::Png, other.to_string()),
    }
}
