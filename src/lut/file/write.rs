use super::{Existing, FileError, FileFormat};
use crate::atomic_file::AtomicFile;
use crate::hald::{EntryOrder, Layout};
use crate::lut::cube::CubeFile;
use crate::lut::formats::asc_cdl::{self, Correction, Kind};
use crate::lut::formats::clf::Variety;
use crate::lut::formats::three_dl::Dialect;
use crate::lut::formats::{self, WriteError};
use crate::lut::{GridSize, Lut3d};
use crate::picture::{Depth, PictureFormat};
use crate::strip::{self, StripError};
use crate::texture::Frame;
use std::borrow::Cow;
use std::fmt;
use std::io::{Seek, Write};
use std::path::Path;

/// How a file is written.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// The layout of a strip; for a frame that does not say how it is laid out, the layout that it has.
    pub layout: Layout,
    /// The order in which entries are listed, for a reader that wants another than the format has.
    pub order: Option<EntryOrder>,
    /// Bits of each number, where the format has a choice.
    pub depth: Option<u32>,
    /// The program that a `.3dl` is for.
    pub dialect: Dialect,
    /// A title, for formats that have one.
    pub title: Option<String>,
    /// Comments, for formats that have them.
    pub comments: Vec<String>,
    /// What becomes of a file that is already there.
    pub existing: Existing,
}

/// What was written. Its text is a short line for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The format.
    pub format: FileFormat,
    /// Bytes of the file.
    pub bytes: u64,
    /// The LUT's grid size, where it is known.
    pub size: Option<GridSize>,
    /// Width and height in texels, where it is a strip.
    pub dimensions: Option<[usize; 2]>,
    /// The strip's layout, where it is a strip and the layout is known.
    pub layout: Option<Layout>,
    /// Bits of each number, where they are whole numbers.
    pub depth: Option<u32>,
    /// How many components lay outside 0 to 1 and were clamped, since they are whole numbers.
    pub clamped: usize,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.size.map(|n| format!("grid size {n}")));
        if let Some([width, height]) = self.dimensions {
            let layout = self.layout.map(|l| format!(" {l}")).unwrap_or_default();
            parts.push(format!("{width}×{height}{layout}"));
        }
        let depth = self.depth.map(|bits| format!(" of {bits} bits")).unwrap_or_default();
        parts.push(match self.format {
            FileFormat::Exr => "float32 OpenEXR".to_owned(),
            FileFormat::Npy => "float32 NumPy array".to_owned(),
            FileFormat::Png => format!("PNG{depth}"),
            FileFormat::Tiff if self.depth == Some(32) => "float32 TIFF".to_owned(),
            FileFormat::Tiff => format!("TIFF{depth}"),
            FileFormat::Clf | FileFormat::Ctf => format!(".{} XML", self.format.extension()),
            text => format!(".{} text{depth}", text.extension()),
        });
        match self.clamped {
            0 => {}
            1 => parts.push("1 value clamped to 0–1".to_owned()),
            n => parts.push(format!("{n} values clamped to 0–1")),
        }
        parts.push(format!("{} bytes", self.bytes));
        f.write_str(&parts.join(", "))
    }
}

impl Written {
    fn new(format: FileFormat, bytes: u64) -> Self {
        Written { format, bytes, size: None, dimensions: None, layout: None, depth: None, clamped: 0 }
    }
}

/// Writes a LUT, in the format that the extension names. The file appears whole or not at all.
///
/// # Errors
/// Where the LUT has no texture in the layout, holds NaN or infinity and the format is one of text, or can't be said in
/// the format; where an option is none that the format has; and where a file is there and is to be kept.
pub fn write(path: &Path, lut: &Lut3d, options: &WriteOptions) -> Result<Written, FileError> {
    let format = FileFormat::of(path)?;
    check(format, path, options)?;
    let mut file = AtomicFile::create(path, options.existing)?;
    let written = write_to(format, path, file.out(), lut, options)?;
    Ok(Written { bytes: file.commit()?, ..written })
}

/// Writes a LUT to anywhere; of what was written, the bytes are not counted. Error messages call it `name`.
///
/// # Errors
/// As [`write()`]'s.
pub fn write_to(
    format: FileFormat,
    name: &Path,
    out: impl Write + Seek,
    lut: &Lut3d,
    options: &WriteOptions,
) -> Result<Written, FileError> {
    check(format, name, options)?;
    if format.is_strip() {
        let frame = strip::from_lut(lut, options.layout)
            .map_err(|e| FileError::Strip { path: name.to_owned(), why: e.into() })?;
        return write_strip(format, name, out, &frame, options);
    }
    let lut = match options.order {
        Some(wanted) if format.order() != Some(wanted) => Cow::Owned(lut.with_red_and_blue_axes_swapped()),
        _ => Cow::Borrowed(lut),
    };
    let depth = options.depth.or(format.depths().first().copied());
    let error = |why: WriteError| FileError::Write { path: name.to_owned(), why };
    let mut written = Written { size: Some(lut.size()), depth, ..Written::new(format, 0) };
    match format {
        FileFormat::Cube => {
            let file = CubeFile {
                title: options.title.clone(),
                comments: options.comments.clone(),
                ..CubeFile::new(lut.into_owned())
            };
            file.write(out).map_err(|why| FileError::WriteCube { path: name.to_owned(), why })?;
        }
        FileFormat::ThreeDl => {
            let bits = depth.unwrap_or(formats::three_dl::DEPTHS[0]);
            formats::three_dl::write(&lut, options.dialect, bits, &options.comments, out).map_err(error)?;
            written.clamped = formats::out_of_range(&lut);
        }
        FileFormat::Csp => {
            formats::csp::write(&lut, options.title.as_deref(), &options.comments, out).map_err(error)?;
        }
        FileFormat::Clf | FileFormat::Ctf => {
            let variety = if format == FileFormat::Clf { Variety::Clf } else { Variety::Ctf };
            formats::clf::write(&lut, variety, options.title.as_deref(), &options.comments, out).map_err(error)?;
        }
        FileFormat::Spi3d => formats::spi3d::write(&lut, out).map_err(error)?,
        FileFormat::Dat => formats::dat::write(&lut, out).map_err(error)?,
        FileFormat::Vlt => {
            formats::vlt::write(&lut, out).map_err(error)?;
            written.depth = Some(formats::vlt::BITS);
            written.clamped = formats::out_of_range(&lut);
        }
        FileFormat::Exr | FileFormat::Npy | FileFormat::Png | FileFormat::Tiff => {
            unreachable!("strips are written above")
        }
        FileFormat::Cc | FileFormat::Ccc | FileFormat::Cdl => unreachable!("CDLs were refused"),
    }
    Ok(written)
}

/// Whether the format has what the options ask for.
fn check(format: FileFormat, name: &Path, options: &WriteOptions) -> Result<(), FileError> {
    if format.is_cdl() {
        return Err(FileError::IsCdl { path: name.to_owned(), format });
    }
    if options.order.is_some() && format.order().is_none() {
        return Err(FileError::Order { path: name.to_owned(), format });
    }
    match options.depth {
        Some(depth) if !format.depths().contains(&depth) => {
            Err(FileError::Depth { path: name.to_owned(), format, depth })
        }
        _ => Ok(()),
    }
}

/// Writes CDLs, in the format that the extension names. The file appears whole or not at all.
///
/// # Errors
/// Where the extension is none of a CDL's, or where a `.cc` is to hold other than one.
pub fn write_corrections(path: &Path, corrections: &[Correction], existing: Existing) -> Result<Written, FileError> {
    let format = FileFormat::of(path)?;
    let kind = match format {
        FileFormat::Cc => Kind::Correction,
        FileFormat::Ccc => Kind::Collection,
        FileFormat::Cdl => Kind::DecisionList,
        _ => return Err(FileError::NoCdl { path: path.to_owned() }),
    };
    let mut file = AtomicFile::create(path, existing)?;
    let written = asc_cdl::write(kind, corrections, file.out());
    written.map_err(|why| FileError::Write { path: path.to_owned(), why })?;
    Ok(Written::new(format, file.commit()?))
}

/// Writes a texture as it was received, in the format that the extension names: strips with every bit of every texel,
/// other formats with the LUT that lies in the texture. The file appears whole or not at all.
///
/// # Errors
/// As [`write()`]'s; and for formats other than strips, where the frame is no texture of its layout.
pub fn write_frame(path: &Path, frame: &Frame, options: &WriteOptions) -> Result<Written, FileError> {
    let format = FileFormat::of(path)?;
    check(format, path, options)?;
    if !format.is_strip() {
        let lut =
            strip::to_lut(frame, options.layout).map_err(|why| FileError::Strip { path: path.to_owned(), why })?;
        return write(path, &lut, options);
    }
    let mut file = AtomicFile::create(path, options.existing)?;
    let written = write_strip(format, path, file.out(), frame, options)?;
    Ok(Written { bytes: file.commit()?, ..written })
}

fn clamped(frame: &Frame) -> usize {
    let values = frame.texels.iter().flat_map(crate::hald::rgb);
    values.filter(|v| !(0.0..=1.0).contains(v)).count()
}

fn write_strip(
    format: FileFormat,
    name: &Path,
    out: impl Write + Seek,
    frame: &Frame,
    options: &WriteOptions,
) -> Result<Written, FileError> {
    let depth = options.depth.or(format.depths().first().copied());
    let samples = match depth {
        Some(8) => Depth::Eight,
        Some(16) => Depth::Sixteen,
        _ => Depth::Float,
    };
    let written: Result<(), StripError> = match format {
        FileFormat::Exr => strip::exr::write(frame, out),
        FileFormat::Npy => strip::npy::write(frame, out),
        FileFormat::Png => strip::image::write(PictureFormat::Png, samples, frame, out),
        FileFormat::Tiff => strip::image::write(PictureFormat::Tiff, samples, frame, out),
        _ => unreachable!("a .{} holds no strip", format.extension()),
    };
    written.map_err(|why| FileError::Strip { path: name.to_owned(), why })?;
    Ok(Written {
        size: frame.shape.map(|s| s.size()),
        dimensions: Some([frame.width, frame.height]),
        layout: frame.shape.map(|s| s.layout()),
        depth,
        clamped: if depth.is_some() && samples != Depth::Float { clamped(frame) } else { 0 },
        ..Written::new(format, 0)
    })
}
