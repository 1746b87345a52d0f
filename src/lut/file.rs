//! LUTs in files of any format that this program knows, told apart by extension.
//!
//! | extension | read | written |
//! | --- | --- | --- |
//! | `.cube` | 3D LUTs; 1D LUTs and domains by baking | a 3D LUT |
//! | `.3dl` | 3D LUTs; with a shaper by baking | a 3D LUT, in whole numbers |
//! | `.spi3d`, `.dat` | a 3D LUT | a 3D LUT |
//! | `.vlt` | a 3D LUT | a 3D LUT of grid size 17, in whole numbers |
//! | `.csp` | 3D LUTs; with a prelut, and 1D LUTs, by baking | a 3D LUT |
//! | `.clf`, `.ctf` | a 3D LUT; with other operators by baking | a 3D LUT |
//! | `.exr` | a float strip in a layout of choice | a float32 strip |
//! | `.npy` | a float strip, or a LUT as `(N, N, N, 3)` | a float32 strip |
//! | `.png`, `.tif`, `.tiff` | a strip in a layout of choice | a strip of 8 or 16 bits, TIFF also as float32 |
//! | `.cc`, `.ccc`, `.cdl` | a CDL by baking | CDLs, of CDLs |

mod error;
mod format;
mod write;

pub use crate::atomic_file::{CreateError, Existing};
pub use error::FileError;
pub use format::FileFormat;
pub use write::{WriteOptions, Written, write, write_corrections, write_frame, write_to};

use super::chain::Step;
use super::cube::CubeFile;
use super::formats::asc_cdl::{self, Correction};
use super::formats::{self, Parsed};
use super::{Bake, CdlGrade, Domain, Lut3d, Tables};
use crate::hald::{EntryOrder, Layout};
use crate::picture::PictureFormat;
use crate::strip::{self, StripError, npy};
use crate::texture::Frame;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

/// How a file is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The layout of a strip; without one, a square image is a Hald CLUT, and any other a strip in the layout `vglb`.
    pub layout: Option<Layout>,
    /// The order in which the file lists its entries, where a program has written it another way than the format has.
    pub order: Option<EntryOrder>,
    /// What becomes of 1D LUTs and domains; with a size, the LUT of any file is evaluated at that size.
    pub bake: Bake,
    /// The id of the CDL that is meant, where a file holds several.
    pub correction: Option<String>,
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
    /// What the file holds, as `a 3D LUT of 33³`.
    pub holds: String,
    /// The file holds something else than a 3D LUT over 0 to 1, and was evaluated into one.
    pub baked: bool,
    /// Sentences that a user should see: what the file says that the LUT's values do not show.
    pub notes: Vec<String>,
}

/// Reads a LUT, in the format that the extension names.
///
/// # Errors
/// Where the file is none of that format, holds no LUT, holds NaN or infinity, or needs baking that `options` do not
/// allow.
pub fn read(path: &Path, options: &ReadOptions) -> Result<LutFile, FileError> {
    let format = FileFormat::of(path)?;
    let file = File::open(path).map_err(|why| FileError::Open { path: path.to_owned(), why })?;
    read_from(format, path, BufReader::with_capacity(1 << 16, file), options)
}

/// Reads a LUT from a file's content in memory. Error messages call it `name`.
///
/// # Errors
/// As [`read()`]'s.
pub fn read_bytes(
    format: FileFormat,
    name: &Path,
    content: &[u8],
    options: &ReadOptions,
) -> Result<LutFile, FileError> {
    read_from(format, name, Cursor::new(content), options)
}

/// Reads a LUT from anywhere. Error messages call it `name`.
///
/// # Errors
/// As [`read()`]'s.
pub fn read_from(
    format: FileFormat,
    name: &Path,
    input: impl BufRead + Seek,
    options: &ReadOptions,
) -> Result<LutFile, FileError> {
    let Parsed { mut tables, title, comments, notes } = parse(format, name, input, options)?;
    match (options.order, format.order()) {
        (None, _) => {}
        (Some(_), None) => return Err(FileError::Order { path: name.to_owned(), format }),
        (Some(wanted), Some(own)) if wanted == own => {}
        // An entry that stands where the other order has (r, g, b) is the own order's (b, g, r).
        (Some(_), Some(_)) => tables = tables.with_red_and_blue_axes_swapped(),
    }
    let holds = tables.describe();
    let baked = !matches!(tables, Tables::Cube { domain: Domain::UNIT, .. });
    let lut = tables.into_lut(options.bake).map_err(|why| FileError::NeedsBaking { path: name.to_owned(), why })?;
    // Steps of finite numbers can still lead out of float32.
    lut.check_finite().map_err(|why| FileError::NotFinite { path: name.to_owned(), why })?;
    Ok(LutFile { lut, title, comments, holds, baked, notes })
}

/// What a file says, as it says it.
///
/// # Errors
/// As [`read()`]'s, save that nothing needs baking.
pub fn parse(
    format: FileFormat,
    name: &Path,
    input: impl BufRead + Seek,
    options: &ReadOptions,
) -> Result<Parsed, FileError> {
    let layout = options.layout;
    let strip = |why: StripError| FileError::Strip { path: name.to_owned(), why };
    let shown = name.display().to_string();
    let lut = match format {
        FileFormat::Cube => return Ok(parsed_cube(&shown, CubeFile::parse(&shown, input)?)),
        FileFormat::ThreeDl => return Ok(formats::three_dl::read(&shown, input)?),
        FileFormat::Csp => return Ok(formats::csp::read(&shown, input)?),
        FileFormat::Clf | FileFormat::Ctf => return Ok(formats::clf::read(&shown, input)?),
        FileFormat::Cc | FileFormat::Ccc | FileFormat::Cdl => {
            let mut all = asc_cdl::read(&shown, input)?;
            pick(name, &mut all, options.correction.as_deref())?;
            return Ok(all.swap_remove(0).into());
        }
        FileFormat::Spi3d => return Ok(formats::spi3d::read(&shown, input)?),
        FileFormat::Dat => return Ok(formats::dat::read(&shown, input)?),
        FileFormat::Vlt => return Ok(formats::vlt::read(&shown, input)?),
        FileFormat::Png => strip_lut(strip::image::read(PictureFormat::Png, input, layout)).map_err(strip)?,
        FileFormat::Tiff => strip_lut(strip::image::read(PictureFormat::Tiff, input, layout)).map_err(strip)?,
        FileFormat::Exr => strip_lut(strip::exr::read(input, layout)).map_err(strip)?,
        FileFormat::Npy => match npy::read(input, layout).map_err(strip)? {
            npy::Array::Lut(lut) => lut,
            npy::Array::Strip(frame) => strip_lut(Ok(frame)).map_err(strip)?,
        },
    };
    lut.check_finite().map_err(|why| FileError::NotFinite { path: name.to_owned(), why })?;
    Ok(Parsed { tables: Tables::plain(lut), title: None, comments: Vec::new(), notes: Vec::new() })
}

/// The LUT in a strip that was just read, which says how it is laid out.
fn strip_lut(frame: Result<Frame, StripError>) -> Result<Lut3d, StripError> {
    strip::to_lut(&frame?, Layout::default())
}

/// All CDLs of a file, or the one that `id` names.
///
/// # Errors
/// Where the file is no CDL's, or has none of that id.
pub fn read_corrections(path: &Path, id: Option<&str>) -> Result<Vec<Correction>, FileError> {
    if !FileFormat::of(path)?.is_cdl() {
        return Err(FileError::NoCdl { path: path.to_owned() });
    }
    let file = File::open(path).map_err(|why| FileError::Open { path: path.to_owned(), why })?;
    let mut all = asc_cdl::read(&path.display().to_string(), BufReader::new(file))?;
    if id.is_some() {
        pick(path, &mut all, id)?;
    }
    Ok(all)
}

/// Leaves the CDL that `id` names, or the only one.
fn pick(path: &Path, all: &mut Vec<Correction>, id: Option<&str>) -> Result<(), FileError> {
    const SHOWN: usize = 10;
    let count = all.len();
    let ids = || all.iter().take(SHOWN).map(|c| c.id.clone().unwrap_or_default()).collect();
    let error = FileError::WhichCdl { path: path.to_owned(), count, ids: ids(), wanted: id.map(str::to_owned) };
    match id {
        None if count == 1 => return Ok(()),
        None => return Err(error),
        Some(id) => all.retain(|correction| correction.id.as_deref() == Some(id)),
    }
    all.truncate(1);
    if all.is_empty() { Err(error) } else { Ok(()) }
}

impl From<Correction> for Parsed {
    fn from(Correction { id, descriptions, cdl }: Correction) -> Self {
        let grade = CdlGrade { cdl, ..CdlGrade::default() };
        let tables = Tables::from_steps(vec![Step::Cdl(grade)]);
        Parsed { tables, title: id, comments: descriptions, notes: Vec::new() }
    }
}

fn parsed_cube(name: &str, file: CubeFile) -> Parsed {
    let CubeFile { title, comments, input_video_range, output_video_range, tables } = file;
    let mut notes = Vec::new();
    for (said, keyword, what) in
        [(input_video_range, "LUT_IN_VIDEO_RANGE", "input"), (output_video_range, "LUT_OUT_VIDEO_RANGE", "output")]
    {
        if said {
            notes.push(format!(
                "{name} says {keyword}: it is made for {what} in legal range; its values are taken as they are"
            ));
        }
    }
    Parsed { tables, title, comments, notes }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
