use crate::lut::{DomainError, NotFinite, Shaper1d};
use std::io;

/// Why a `.cube` file could not be read. Messages begin with the file, and the line where there is one.
#[derive(Debug, thiserror::Error)]
pub enum CubeError {
    /// A line that is wrong.
    #[error("{file}, line {line}: {fault}; the line is {text}")]
    Line {
        /// The file, as it was named.
        file: String,
        /// The line's number; the first is 1.
        line: usize,
        /// The line's beginning, quoted, with control characters escaped.
        text: String,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// The file as a whole is wrong.
    #[error("{file}: {fault}")]
    File {
        /// The file, as it was named.
        file: String,
        /// What is wrong with it.
        fault: FileFault,
    },
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LineFault {
    /// Longer than any line of a LUT.
    #[error("the line is longer than {limit} bytes; this is not a .cube file", limit = super::MAX_LINE_BYTES)]
    TooLong,
    /// Neither a keyword nor numbers.
    #[error("this is neither a keyword of .cube files nor a row of three numbers")]
    Unknown,
    /// A size that is no number, or out of range.
    #[error("{keyword} takes one whole number from {min} to {max}")]
    Size {
        /// The keyword.
        keyword: &'static str,
        /// The smallest size.
        min: usize,
        /// The largest size.
        max: usize,
    },
    /// A keyword with the wrong number of values.
    #[error("{keyword} takes {wanted} numbers, and here are {found}")]
    Values {
        /// The keyword.
        keyword: &'static str,
        /// How many it takes.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// A keyword that stands for itself has something behind it.
    #[error("{keyword} stands alone on its line")]
    NoValues {
        /// The keyword.
        keyword: &'static str,
    },
    /// A row with more or fewer than three numbers.
    #[error("a row is three numbers, red, green and blue, and here are {found}")]
    Row {
        /// How many there are.
        found: usize,
    },
    /// Not a number.
    #[error("{token} is no number; numbers look like 0.25, -1 or 1e-3")]
    Number {
        /// The text, quoted, with control characters escaped.
        token: String,
    },
    /// NaN, infinity, or a number that float32 cannot hold.
    #[error("{token} is no finite float32; every value must be between -3.4028235e38 and 3.4028235e38")]
    NotFinite {
        /// The text, quoted, with control characters escaped.
        token: String,
    },
    /// A keyword that was there before.
    #[error("{keyword} was already given in line {first}")]
    Repeated {
        /// The keyword.
        keyword: &'static str,
        /// Where it was first.
        first: usize,
    },
    /// A keyword behind the first row.
    #[error("{keyword} must stand before the first row of numbers")]
    Late {
        /// The keyword.
        keyword: &'static str,
    },
    /// A row before any size.
    #[error("a row of numbers comes before LUT_3D_SIZE or LUT_1D_SIZE has said how many there are")]
    RowBeforeSize,
    /// More rows than the sizes say.
    #[error("this is row {row}, and {sizes} has only {expected}", row = .expected + 1)]
    TooManyRows {
        /// How many there should be.
        expected: usize,
        /// The keywords that say so.
        sizes: String,
    },
    /// A domain with nothing in it.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// A range for a table that is not there.
    #[error("{keyword} is about a table that this file does not have; write {instead}, or take the line out")]
    RangeWithoutTable {
        /// The keyword.
        keyword: &'static str,
        /// The keyword that fits the file's table.
        instead: &'static str,
    },
    /// Two keywords say different things about one table.
    #[error("{keyword} and {other} in line {line} give one table two different domains; take one of them out")]
    TwoDomains {
        /// The keyword on this line.
        keyword: &'static str,
        /// The other one.
        other: &'static str,
        /// Where the other one is.
        line: usize,
    },
    /// An Iridas keyword in a file with two tables.
    #[error(
        "{keyword} does not say which of the file's two tables it is about; write LUT_1D_INPUT_RANGE or LUT_3D_INPUT_RANGE"
    )]
    WhichTable {
        /// The keyword.
        keyword: &'static str,
    },
}

/// What is wrong with a whole file.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// No table is announced.
    #[error("there is neither LUT_3D_SIZE nor LUT_1D_SIZE in it; this is not a .cube file")]
    NoSize,
    /// Fewer rows than the sizes say.
    #[error("it has {found} rows of numbers, and {sizes} needs {expected}; the file looks cut off")]
    TooFewRows {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
        /// The keywords that say so.
        sizes: String,
    },
    /// A file longer than any LUT.
    #[error("it is longer than {limit} bytes, and no LUT that this program takes is", limit = super::MAX_FILE_BYTES)]
    TooLarge,
    /// It could not be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Why a `.cube` file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum CubeWriteError {
    /// The LUT holds NaN or infinity, which no reader takes.
    #[error(transparent)]
    NotFinite(#[from] NotFinite),
    /// Resolve's ranges are one pair of numbers for all three components.
    #[error(
        "a .cube file with both a 1D and a 3D LUT has one range for red, green and blue together, and this one has the domain {0}"
    )]
    DomainPerComponent(crate::lut::Domain),
    /// There is something else than tables.
    #[error("a .cube file holds a 1D LUT and a 3D LUT at the most, and this is {0}")]
    Steps(String),
    /// Writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl LineFault {
    pub(super) fn size_of_3d() -> Self {
        use crate::lut::GridSize;
        LineFault::Size { keyword: "LUT_3D_SIZE", min: GridSize::MIN.get(), max: GridSize::MAX.get() }
    }

    pub(super) fn size_of_1d() -> Self {
        LineFault::Size { keyword: "LUT_1D_SIZE", min: Shaper1d::MIN_LEN, max: Shaper1d::MAX_LEN }
    }
}
