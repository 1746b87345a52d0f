//! `.cube` files, as DaVinci Resolve and as Iridas, later Adobe, write them.
//!
//! The two dialects share the extension and most of the text: keywords, then rows of three numbers, red fastest.
//!
//! | line | meaning |
//! | --- | --- |
//! | `TITLE "text"` | a name |
//! | `# text` | a comment |
//! | `LUT_3D_SIZE N` | N³ rows follow, 2 ≤ N ≤ 256 |
//! | `LUT_1D_SIZE M` | M rows follow, 2 ≤ M ≤ 65536; with both sizes (Resolve), the M rows come first, and the 1D LUT is applied first |
//! | `DOMAIN_MIN r g b`, `DOMAIN_MAX r g b` | Iridas: the values that the first and last entries stand for |
//! | `LUT_1D_INPUT_RANGE min max`, `LUT_3D_INPUT_RANGE min max` | Resolve: the same, for each table |
//! | `LUT_IN_VIDEO_RANGE`, `LUT_OUT_VIDEO_RANGE` | Resolve: the LUT is made for legal-range video. Kept, and has no effect on values |
//!
//! Read: any case of keyword, LF, CRLF or CR, with or without a UTF-8 byte order mark, blank lines and comments
//! anywhere. Refused, with the line: anything that another program could understand otherwise, such as keywords that
//! nobody knows, keywords after the first row, ranges for a table that is not there, and values that are NaN or infinite.
//!
//! Written: every value as the shortest decimal that reads back to the same float32. Subnormal values (below
//! 1.1754944e-38) are written as they are, too; OpenColorIO 2.6 refuses files with such values.

mod error;
mod read;
mod write;

pub use error::{CubeError, CubeWriteError, FileFault, LineFault};

use super::{Lut3d, Tables};

/// The longest file that is read: a LUT of grid size 256 with the longest numbers stays under it.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// The longest line that is read.
pub const MAX_LINE_BYTES: usize = 4096;

/// Comments beyond this many bytes, all lines together, are read but not kept.
pub const MAX_COMMENT_BYTES: usize = 64 * 1024;

/// What a `.cube` file says.
#[derive(Clone, Debug, PartialEq)]
pub struct CubeFile {
    /// The title, without its quotes.
    pub title: Option<String>,
    /// The comments, one for each line, without `#` and the blank behind it.
    pub comments: Vec<String>,
    /// `LUT_IN_VIDEO_RANGE`: made for input in legal range. The tables are as the file has them.
    pub input_video_range: bool,
    /// `LUT_OUT_VIDEO_RANGE`: the output is meant as legal range. The tables are as the file has them.
    pub output_video_range: bool,
    /// The 3D LUT, the 1D LUT, or both.
    pub tables: Tables,
}

impl CubeFile {
    /// A file with nothing but a 3D LUT over [0, 1].
    pub fn new(lut: Lut3d) -> Self {
        CubeFile {
            title: None,
            comments: Vec::new(),
            input_video_range: false,
            output_video_range: false,
            tables: Tables::plain(lut),
        }
    }
}

#[cfg(test)]
#[path = "cube/tests.rs"]
mod tests;
