use super::FileError;
use crate::hald::EntryOrder;
use crate::lut::GridSize;
use crate::lut::formats::{clf, csp, dat, three_dl, vlt};
use std::path::Path;

/// A format that LUTs are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileFormat {
    /// Resolve's and Adobe's text format.
    Cube,
    /// Flame's and Lustre's text format.
    ThreeDl,
    /// Sony Imageworks' text format.
    Spi3d,
    /// CineSpace's text format.
    Csp,
    /// The Common LUT Format.
    Clf,
    /// Autodesk's variety of the Common LUT Format.
    Ctf,
    /// Da Vinci's text format.
    Dat,
    /// Panasonic's text format.
    Vlt,
    /// A strip as OpenEXR.
    Exr,
    /// A strip or a LUT as a NumPy array.
    Npy,
    /// A strip as PNG, in whole numbers.
    Png,
    /// A strip as TIFF.
    Tiff,
    /// A CDL.
    Cc,
    /// CDLs in a collection.
    Ccc,
    /// CDLs in a list of decisions.
    Cdl,
}

impl FileFormat {
    /// All formats.
    pub const ALL: [FileFormat; 15] = [
        FileFormat::Cube,
        FileFormat::ThreeDl,
        FileFormat::Spi3d,
        FileFormat::Csp,
        FileFormat::Clf,
        FileFormat::Ctf,
        FileFormat::Dat,
        FileFormat::Vlt,
        FileFormat::Exr,
        FileFormat::Npy,
        FileFormat::Png,
        FileFormat::Tiff,
        FileFormat::Cc,
        FileFormat::Ccc,
        FileFormat::Cdl,
    ];

    /// The extension, in lower case and without its dot.
    pub const fn extension(self) -> &'static str {
        match self {
            FileFormat::Cube => "cube",
            FileFormat::ThreeDl => "3dl",
            FileFormat::Spi3d => "spi3d",
            FileFormat::Csp => "csp",
            FileFormat::Clf => "clf",
            FileFormat::Ctf => "ctf",
            FileFormat::Dat => "dat",
            FileFormat::Vlt => "vlt",
            FileFormat::Exr => "exr",
            FileFormat::Npy => "npy",
            FileFormat::Png => "png",
            FileFormat::Tiff => "tif",
            FileFormat::Cc => "cc",
            FileFormat::Ccc => "ccc",
            FileFormat::Cdl => "cdl",
        }
    }

    /// Whether files of this format hold a strip, so that a layout says what lies where in them.
    pub const fn is_strip(self) -> bool {
        matches!(self, FileFormat::Exr | FileFormat::Npy | FileFormat::Png | FileFormat::Tiff)
    }

    /// Whether files of this format hold CDLs, which a LUT can be made of and not the other way round.
    pub const fn is_cdl(self) -> bool {
        matches!(self, FileFormat::Cc | FileFormat::Ccc | FileFormat::Cdl)
    }

    /// The one grid size that files of this format have, where there is one.
    pub const fn grid_size(self) -> Option<GridSize> {
        match self {
            FileFormat::Vlt => Some(vlt::SIZE),
            _ => None,
        }
    }

    /// The order in which files of this format list a LUT's entries; `None` where they do not just list them.
    pub const fn order(self) -> Option<EntryOrder> {
        match self {
            FileFormat::Cube => Some(EntryOrder::RedFastest),
            FileFormat::ThreeDl => Some(three_dl::ORDER),
            FileFormat::Csp => Some(csp::ORDER),
            FileFormat::Clf | FileFormat::Ctf => Some(clf::ORDER),
            FileFormat::Dat => Some(dat::ORDER),
            FileFormat::Vlt => Some(vlt::ORDER),
            _ => None,
        }
    }

    /// Whether files of this format have a place for a title.
    pub const fn has_title(self) -> bool {
        matches!(self, FileFormat::Cube | FileFormat::Csp | FileFormat::Clf | FileFormat::Ctf)
    }

    /// The bits that the numbers of a file may have, where there is a choice; the first is taken where none is made.
    pub const fn depths(self) -> &'static [u32] {
        match self {
            FileFormat::ThreeDl => &three_dl::DEPTHS,
            FileFormat::Png => &[16, 8],
            FileFormat::Tiff => &[32, 16, 8],
            _ => &[],
        }
    }

    /// The format of a file called `path`, by its extension in any case.
    pub fn of(path: &Path) -> Result<Self, FileError> {
        let mut extension = path.extension().unwrap_or_default();
        if extension.eq_ignore_ascii_case("tiff") {
            extension = "tif".as_ref();
        }
        Self::ALL
            .into_iter()
            .find(|format| extension.eq_ignore_ascii_case(format.extension()))
            .ok_or_else(|| FileError::UnknownFormat { path: path.to_owned() })
    }

    /// The extensions of all formats, as `.a, .b and .c`.
    pub fn list() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|format| format!(".{}", format.extension())).collect();
        let (last, rest) = names.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
        format!("{} or {last}", rest.join(", "))
    }
}
