//! LUTs in files of any format that this program knows, told apart by extension.
//!
//! | extension | read | written |
//! | --- | --- | --- |
//! | `.cube` | 3D LUTs; 1D LUTs and domains by baking | a 3D LUT |
//! | `.exr` | a float strip in a layout of choice | a float32 strip |
//! | `.npy` | a float strip, or a LUT as `(N, N, N, 3)` | a float32 strip |
//! | `.png` | no | an 8-bit preview of a strip |

use super::cube::{CubeError, CubeFile, CubeWriteError};
use super::{Bake, GridSize, Lut3d, NeedsBaking, NotFinite, Tables};
use crate::atomic_file::AtomicFile;
pub use crate::atomic_file::{CreateError, Existing};
use crate::hald::Layout;
use crate::strip::{self, StripError, npy};
use crate::texture::Frame;
use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// A format that LUTs are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileFormat {
    /// Resolve's and Adobe's text format.
    Cube,
    /// A strip as OpenEXR.
    Exr,
    /// A strip or a LUT as a NumPy array.
    Npy,
    /// An 8-bit preview of a strip. Never read.
    Png,
}

impl FileFormat {
    /// All formats.
    pub const ALL: [FileFormat; 4] = [FileFormat::Cube, FileFormat::Exr, FileFormat::Npy, FileFormat::Png];

    /// The extension, in lower case and without its dot.
    pub const fn extension(self) -> &'static str {
        match self {
            FileFormat::Cube => "cube",
            FileFormat::Exr => "exr",
            FileFormat::Npy => "npy",
            FileFormat::Png => "png",
        }
    }

    /// Whether files of this format hold a strip, so that a layout says what lies where in them.
    pub const fn is_strip(self) -> bool {
        !matches!(self, FileFormat::Cube)
    }

    /// The format of a file called `path`, by its extension in any case.
    pub fn of(path: &Path) -> Result<Self, FileError> {
        let extension = path.extension().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|format| extension.eq_ignore_ascii_case(format.extension()))
            .ok_or_else(|| FileError::UnknownFormat { path: path.to_owned() })
    }
}

/// Why a LUT file could not be read or written. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The extension is none of the known ones.
    #[error("{} has no extension that says its format; it can be .cube, .exr, .npy or, only to be written, .png", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A preview is not a LUT.
    #[error("{}: a .png is an 8-bit preview here and is not read as a LUT; strips are read from .exr and .npy", path.display())]
    Preview {
        /// The file.
        path: PathBuf,
    },
    /// The `.cube` file is wrong.
    #[error(transparent)]
    Cube(#[from] CubeError),
    /// The tables are no plain 3D LUT.
    #[error("{}: {why}", path.display())]
    NeedsBaking {
        /// The file.
        path: PathBuf,
        /// What it holds.
        why: NeedsBaking,
    },
    /// The strip is wrong, or the LUT has none.
    #[error("{}: {why}", path.display())]
    Strip {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: StripError,
    },
    /// The strip holds NaN or infinity.
    #[error("{}: {why}", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// How many and where.
        why: NotFinite,
    },
    /// The LUT can't be said in a `.cube` file, or writing failed.
    #[error("{}: {why}", path.display())]
    WriteCube {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: CubeWriteError,
    },
    /// The file could not be put in its place.
    #[error(transparent)]
    Create(#[from] CreateError),
}

/// How a file is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions {
    /// The layout of a strip.
    pub layout: Layout,
    /// What becomes of 1D LUTs and domains; with a size, the LUT of any file is evaluated at that size.
    pub bake: Bake,
}

/// A LUT with what its file says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct LutFile {
    /// The LUT; every value is finite.
    pub lut: Lut3d,
    /// Its title.
    pub title: Option<String>,
    /// Comments, one for each line.
    pub comments: Vec<String>,
    /// Sentences that a user should see: what the file says that the LUT's values do not show.
    pub notes: Vec<String>,
}

/// Reads a LUT, in the format that the extension names.
///
/// # Errors
/// Where the file is none of that format, holds no LUT, holds NaN or infinity, or needs baking that `options` do not
/// allow. A `.png` is always refused.
pub fn read(path: &Path, options: &ReadOptions) -> Result<LutFile, FileError> {
    let strip = |why: StripError| FileError::Strip { path: path.to_owned(), why };
    let plain = |lut| LutFile { lut, title: None, comments: Vec::new(), notes: Vec::new() };
    let open = || File::open(path).map(BufReader::new).map_err(StripError::from);
    let mut file = match FileFormat::of(path)? {
        FileFormat::Cube => return read_cube(path, options.bake),
        FileFormat::Png => return Err(FileError::Preview { path: path.to_owned() }),
        FileFormat::Exr => {
            let frame = open().and_then(|file| strip::exr::read(file, options.layout));
            plain(frame.and_then(|frame| strip::to_lut(&frame, options.layout)).map_err(strip)?)
        }
        FileFormat::Npy => match open().and_then(|file| npy::read(file, options.layout)).map_err(strip)? {
            npy::Array::Lut(lut) => plain(lut),
            npy::Array::Strip(frame) => plain(strip::to_lut(&frame, options.layout).map_err(strip)?),
        },
    };
    file.lut.check_finite().map_err(|why| FileError::NotFinite { path: path.to_owned(), why })?;
    file.lut = bake(path, Tables::plain(file.lut), options.bake)?;
    Ok(file)
}

fn read_cube(path: &Path, how: Bake) -> Result<LutFile, FileError> {
    let CubeFile { title, comments, input_video_range, output_video_range, tables } = CubeFile::read(path)?;
    let mut notes = Vec::new();
    for (said, keyword, what) in
        [(input_video_range, "LUT_IN_VIDEO_RANGE", "input"), (output_video_range, "LUT_OUT_VIDEO_RANGE", "output")]
    {
        if said {
            notes.push(format!(
                "{} says {keyword}: it is made for {what} in legal range; its values are taken as they are",
                path.display()
            ));
        }
    }
    Ok(LutFile { lut: bake(path, tables, how)?, title, comments, notes })
}

fn bake(path: &Path, tables: Tables, how: Bake) -> Result<Lut3d, FileError> {
    tables.into_lut(how).map_err(|why| FileError::NeedsBaking { path: path.to_owned(), why })
}

/// How a file is written.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// The layout of a strip; for a frame that does not say how it is laid out, the layout that it has.
    pub layout: Layout,
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
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.size.map(|n| format!("grid size {n}")));
        if let Some([width, height]) = self.dimensions {
            let layout = self.layout.map(|l| format!(" {l}")).unwrap_or_default();
            parts.push(format!("{width}×{height}{layout}"));
        }
        parts.push(
            match self.format {
                FileFormat::Cube => ".cube text",
                FileFormat::Exr => "float32 OpenEXR",
                FileFormat::Npy => "float32 NumPy array",
                FileFormat::Png => "8-bit preview, clamped to 0–1",
            }
            .to_owned(),
        );
        parts.push(format!("{} bytes", self.bytes));
        f.write_str(&parts.join(", "))
    }
}

/// Writes a LUT, in the format that the extension names. The file appears whole or not at all.
///
/// # Errors
/// Where the LUT has no texture in the layout, holds NaN or infinity and the format is `.cube`, or a file is there
/// and is to be kept.
pub fn write(path: &Path, lut: &Lut3d, options: &WriteOptions) -> Result<Written, FileError> {
    match FileFormat::of(path)? {
        FileFormat::Cube => write_cube(path, lut, options),
        format => {
            let frame = strip::from_lut(lut, options.layout)
                .map_err(|e| FileError::Strip { path: path.to_owned(), why: e.into() })?;
            write_strip(path, format, &frame, options.existing)
        }
    }
}

/// Writes a texture as it was received, in the format that the extension names: strips with every bit of every texel,
/// a `.cube` with the LUT that lies in the texture. The file appears whole or not at all.
///
/// # Errors
/// As [`write()`]'s; and for `.cube`, where the frame is no texture of its layout.
pub fn write_frame(path: &Path, frame: &Frame, options: &WriteOptions) -> Result<Written, FileError> {
    match FileFormat::of(path)? {
        FileFormat::Cube => {
            let lut =
                strip::to_lut(frame, options.layout).map_err(|why| FileError::Strip { path: path.to_owned(), why })?;
            write_cube(path, &lut, options)
        }
        format => write_strip(path, format, frame, options.existing),
    }
}

fn write_cube(path: &Path, lut: &Lut3d, options: &WriteOptions) -> Result<Written, FileError> {
    let cube =
        CubeFile { title: options.title.clone(), comments: options.comments.clone(), ..CubeFile::new(lut.clone()) };
    let mut file = AtomicFile::create(path, options.existing)?;
    cube.write(file.out()).map_err(|why| FileError::WriteCube { path: path.to_owned(), why })?;
    let bytes = file.commit()?;
    Ok(Written { format: FileFormat::Cube, bytes, size: Some(lut.size()), dimensions: None, layout: None })
}

fn write_strip(path: &Path, format: FileFormat, frame: &Frame, existing: Existing) -> Result<Written, FileError> {
    let mut file = AtomicFile::create(path, existing)?;
    let written = match format {
        FileFormat::Exr => strip::exr::write(frame, file.out()),
        FileFormat::Npy => strip::npy::write(frame, file.out()),
        FileFormat::Png => strip::png::write(frame, file.out()),
        FileFormat::Cube => unreachable!("a .cube holds no strip"),
    };
    written.map_err(|why| FileError::Strip { path: path.to_owned(), why })?;
    let bytes = file.commit()?;
    Ok(Written {
        format,
        bytes,
        size: frame.shape.map(|s| s.size()),
        dimensions: Some([frame.width, frame.height]),
        layout: frame.shape.map(|s| s.layout()),
    })
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
