use super::{CreateError, FileFormat};
use crate::lut::cube::{CubeError, CubeWriteError};
use crate::lut::formats::{TextError, WriteError};
use crate::lut::{NeedsBaking, NotFinite};
use crate::strip::StripError;
use std::io;
use std::path::PathBuf;

/// Why a LUT file could not be read or written. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The extension is none of the known ones.
    #[error("{} has no extension that says its format; it can be {}", path.display(), FileFormat::list())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A LUT can't become a CDL.
    #[error("{}: a .{} holds CDLs, ten numbers each, and a LUT can't be said in them", path.display(), format.extension())]
    IsCdl {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: FileFormat,
    },
    /// A file that holds no CDL.
    #[error("{}: CDLs are in .cc, .ccc and .cdl files", path.display())]
    NoCdl {
        /// The file.
        path: PathBuf,
    },
    /// No CDL of that id, or several without one to pick.
    #[error("{}: {}", path.display(), which(*count, ids, wanted.as_deref()))]
    WhichCdl {
        /// The file.
        path: PathBuf,
        /// How many CDLs it holds.
        count: usize,
        /// The ids of the first of them.
        ids: Vec<String>,
        /// The id that was asked for.
        wanted: Option<String>,
    },
    /// It could not be opened.
    #[error("{}: {why}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// The `.cube` file is wrong.
    #[error(transparent)]
    Cube(#[from] CubeError),
    /// The file of another text format is wrong.
    #[error(transparent)]
    Text(#[from] TextError),
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
    /// The LUT holds NaN or infinity.
    #[error("{}: {why}", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// How many and where.
        why: NotFinite,
    },
    /// An order of entries for a format that does not just list them.
    #[error("{}: a .{} has one order of entries and no other", path.display(), format.extension())]
    Order {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: FileFormat,
    },
    /// A depth that the format does not have.
    #[error("{}: a .{} can't have {depth} bits{}", path.display(), format.extension(), depths(*format))]
    Depth {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: FileFormat,
        /// The bits asked for.
        depth: u32,
    },
    /// The LUT can't be said in a `.cube` file, or writing failed.
    #[error("{}: {why}", path.display())]
    WriteCube {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: CubeWriteError,
    },
    /// The LUT can't be said in this format, or writing failed.
    #[error("{}: {why}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: WriteError,
    },
    /// The file could not be put in its place.
    #[error(transparent)]
    Create(#[from] CreateError),
}

fn which(count: usize, ids: &[String], wanted: Option<&str>) -> String {
    let more = if count > ids.len() { ", …" } else { "" };
    let ids = format!("{}{more}", ids.iter().map(|id| format!("{id:?}")).collect::<Vec<_>>().join(", "));
    match wanted {
        Some(wanted) => format!("it holds no CDL with the id {wanted:?}, but {ids}"),
        None => format!("it holds {count} CDLs, and one is wanted; `vglb convert --id ID` picks one of {ids}"),
    }
}

fn depths(format: FileFormat) -> String {
    let depths: Vec<_> = format.depths().iter().map(u32::to_string).collect();
    if depths.is_empty() { " or others to choose from".into() } else { format!("; it can have {}", depths.join(", ")) }
}
