//! Text formats: faults with their lines, numbers, rows.

use crate::hald::EntryOrder;
use crate::lut::lines::{Limits, Lines, LinesError, excerpt};
use crate::lut::{CdlError, DomainError, GridSize};
use std::borrow::Cow;
use std::io::{self, BufRead};

/// The longest text that is read: a LUT of grid size 256 with the longest numbers stays under it.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// A prelut or a shaper of 65536 numbers in one line stays under it.
const MAX_LINE_BYTES: usize = 1 << 21;

/// Comments beyond this many bytes, all lines together, are read but not kept.
const MAX_COMMENT_BYTES: usize = 64 * 1024;

/// Why a LUT file of text could not be read. Messages begin with the file, and the line where there is one.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
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
        fault: Fault,
    },
    /// The file as a whole is wrong.
    #[error("{file}: {fault}")]
    File {
        /// The file, as it was named.
        file: String,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What is wrong with a LUT file of text.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Longer than any line of a LUT.
    #[error("the line is longer than {MAX_LINE_BYTES} bytes; this is no LUT file")]
    LineTooLong,
    /// A file longer than any LUT.
    #[error("it is longer than {MAX_FILE_BYTES} bytes, and no LUT that this program takes is")]
    TooLarge,
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Not what has to stand here.
    #[error("here should stand {0}")]
    Wanted(&'static str),
    /// The file ends too early.
    #[error("it ends where {0} should follow; the file looks cut off")]
    Ends(&'static str),
    /// A row with more or fewer numbers than it should have.
    #[error("{what}, and here are {found}")]
    Count {
        /// What there should be.
        what: &'static str,
        /// How many numbers there are.
        found: usize,
    },
    /// Not a number.
    #[error("{0} is no number; numbers look like 0.25, -1 or 1e-3")]
    Number(String),
    /// NaN, infinity, or a number that float32 cannot hold.
    #[error("{0} is no finite float32; every value must be between -3.4028235e38 and 3.4028235e38")]
    NotFinite(String),
    /// Not a whole number, or too large a one.
    #[error("{token} is no whole number from {min} to {max}")]
    Whole {
        /// The text, quoted, with control characters escaped.
        token: String,
        /// The smallest number that would do.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// A size that no LUT has.
    #[error("{0} is no size of a LUT; it has {min} to {max} entries along each axis", min = GridSize::MIN, max = GridSize::MAX)]
    Size(String),
    /// Axes of different lengths.
    #[error("the sizes {0} differ, and a LUT has as many entries along red, green and blue")]
    NotCubic(String),
    /// As many rows as no LUT has.
    #[error("it has {found} rows of three numbers, which is no cube number; the file looks cut off")]
    NoCube {
        /// How many rows there are.
        found: usize,
    },
    /// More rows than the size says.
    #[error("this is row {row}, and a LUT of grid size {size} has only {expected}", row = .size.entries() + 1, expected = .size.entries())]
    TooManyRows {
        /// The grid size.
        size: GridSize,
    },
    /// Fewer rows than the size says.
    #[error("it has {found} rows of numbers, and a LUT of grid size {size} needs {expected}; the file looks cut off", expected = .size.entries())]
    TooFewRows {
        /// The grid size.
        size: GridSize,
        /// How many rows there are.
        found: usize,
    },
    /// An entry that was there before.
    #[error("the entry r={}, g={}, b={} was already given", .0[0], .0[1], .0[2])]
    Repeated([usize; 3]),
    /// Something that was there before.
    #[error("{0} was already given")]
    Twice(&'static str),
    /// Numbers too small for what the format has.
    #[error(
        "the largest number of {what} is {max}; whole numbers of 8 bits and more reach 128 at the least, so this is no .3dl file, or an all but black one"
    )]
    Tiny {
        /// The table.
        what: &'static str,
        /// Its largest number.
        max: i64,
    },
    /// More or fewer numbers than there should be.
    #[error("there should be {wanted} numbers ({what}), and here are {found}")]
    Numbers {
        /// What the numbers are.
        what: &'static str,
        /// How many there should be.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// No XML.
    #[error("it is no XML that can be read ({0})")]
    Xml(String),
    /// An operator that is not taken.
    #[error("{0} is not taken; LUT3D, LUT1D, Matrix, Range, Exponent, Log and ASC_CDL are, as the documentation says")]
    Operator(String),
    /// A depth that nobody knows.
    #[error("{0} is no bit depth; it can be 8i, 10i, 12i, 16i, 16f or 32f")]
    BitDepth(String),
    /// A CDL that can't be.
    #[error(transparent)]
    Cdl(#[from] CdlError),
    /// A domain with nothing in it.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

/// A fault with where it is.
pub(super) enum Problem {
    /// In the current line.
    Here(Fault),
    /// In the file as a whole.
    Whole(Fault),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Problem::Here(fault)
    }
}

impl From<DomainError> for Problem {
    fn from(error: DomainError) -> Self {
        Problem::Here(error.into())
    }
}

/// The lines of a file that say something, with comments put aside.
pub(super) struct Text<R> {
    lines: Lines<R>,
    /// Comments so far, without `#` and the blank behind it.
    pub comments: Vec<String>,
    comment_bytes: usize,
}

/// Reads a file that error messages call `name`.
pub(super) fn parse<R: BufRead, T>(
    name: &str,
    input: R,
    grammar: impl FnOnce(&mut Text<R>) -> Result<T, Problem>,
) -> Result<T, TextError> {
    let lines = Lines::new(input, Limits { line: MAX_LINE_BYTES, file: MAX_FILE_BYTES });
    let mut text = Text { lines, comments: Vec::new(), comment_bytes: 0 };
    grammar(&mut text).map_err(|problem| match problem {
        Problem::Here(fault) => {
            TextError::Line { file: name.to_owned(), line: text.lines.number(), text: text.lines.excerpt(), fault }
        }
        Problem::Whole(fault) => TextError::File { file: name.to_owned(), fault },
    })
}

impl<R: BufRead> Text<R> {
    /// Goes to the next line that is not blank and no comment; false at the end of the file.
    pub fn advance(&mut self) -> Result<bool, Problem> {
        while self.advance_raw()? {
            let line = self.lines.text();
            match line.strip_prefix('#') {
                Some(comment) => {
                    let comment = comment.strip_prefix(' ').unwrap_or(comment);
                    self.comment_bytes += comment.len() + 1;
                    if self.comment_bytes <= MAX_COMMENT_BYTES {
                        self.comments.push(comment.to_owned());
                    }
                }
                None if line.is_empty() => {}
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Goes to the next line, whatever is in it; false at the end of the file.
    pub fn advance_raw(&mut self) -> Result<bool, Problem> {
        self.lines.advance().map_err(|error| match error {
            LinesError::LineTooLong => Problem::Here(Fault::LineTooLong),
            LinesError::FileTooLong => Problem::Whole(Fault::TooLarge),
            LinesError::Io(e) => Problem::Whole(e.into()),
        })
    }

    /// Goes to the next line that says something, which has to be there.
    pub fn demand(&mut self, what: &'static str) -> Result<(), Problem> {
        if self.advance()? { Ok(()) } else { Err(Problem::Whole(Fault::Ends(what))) }
    }

    /// The current line, without blanks around it.
    pub fn line(&self) -> Cow<'_, str> {
        self.lines.text()
    }

    /// All rows of a LUT: three numbers a line, from the current line on where `begun`, up to the end of the file.
    pub fn rows(
        &mut self,
        size: GridSize,
        mut begun: bool,
        row: impl Fn(&str) -> Result<[f32; 3], Fault>,
    ) -> Result<Vec<[f32; 3]>, Problem> {
        let mut rows = Vec::new();
        while std::mem::take(&mut begun) || self.advance()? {
            let row = row(&self.line())?;
            if rows.len() == size.entries() {
                return Err(Fault::TooManyRows { size }.into());
            }
            rows.push(row);
        }
        match rows.len() {
            found if found < size.entries() => Err(Problem::Whole(Fault::TooFewRows { size, found })),
            _ => Ok(rows),
        }
    }
}

/// Exactly N finite numbers.
pub(super) fn numbers<const N: usize>(text: &str, what: &'static str) -> Result<[f32; N], Fault> {
    let mut out = [0.0; N];
    let mut found = 0;
    for token in text.split_ascii_whitespace() {
        if let Some(slot) = out.get_mut(found) {
            *slot = number(token)?;
        }
        found += 1;
    }
    if found == N { Ok(out) } else { Err(Fault::Count { what, found }) }
}

/// A row of a table.
pub(super) fn row(text: &str) -> Result<[f32; 3], Fault> {
    numbers(text, "a row is three numbers, red, green and blue")
}

/// A finite number.
pub(super) fn number(token: &str) -> Result<f32, Fault> {
    match token.parse::<f32>() {
        Ok(v) if v.is_finite() => Ok(v),
        Ok(_) => Err(Fault::NotFinite(excerpt(token))),
        Err(_) => Err(Fault::Number(excerpt(token))),
    }
}

/// A whole number from `min` to `max`.
pub(super) fn whole(token: &str, min: i64, max: i64) -> Result<i64, Fault> {
    let number = token.parse().ok().filter(|n| (min..=max).contains(n));
    number.ok_or_else(|| Fault::Whole { token: excerpt(token), min, max })
}

/// A grid size.
pub(super) fn size(token: &str) -> Result<GridSize, Fault> {
    let size = token.parse().ok().and_then(|n| GridSize::new(n).ok());
    size.ok_or_else(|| Fault::Size(excerpt(token)))
}

/// A grid size that is written three times.
pub(super) fn cubic_size(text: &str) -> Result<GridSize, Fault> {
    let tokens: Vec<_> = text.split_ascii_whitespace().take(4).collect();
    match *tokens {
        [r, g, b] => {
            let sizes = [size(r)?, size(g)?, size(b)?];
            if sizes == [sizes[0]; 3] { Ok(sizes[0]) } else { Err(Fault::NotCubic(excerpt(text))) }
        }
        _ => Err(Fault::Count { what: "a size is three whole numbers", found: text.split_ascii_whitespace().count() }),
    }
}

/// The grid size of a LUT with so many entries.
pub(super) fn size_of_rows(found: usize) -> Result<GridSize, Problem> {
    let n = (found as f64).cbrt().round() as u64;
    let size = GridSize::new(n).ok().filter(|size| size.entries() == found);
    size.ok_or(Problem::Whole(Fault::NoCube { found }))
}

/// Writes every entry in `order` by `line`.
pub(super) fn write_rows(
    out: &mut impl io::Write,
    lut: &crate::lut::Lut3d,
    order: EntryOrder,
    line: impl Fn([f32; 3]) -> String,
) -> io::Result<()> {
    for i in 0..lut.size().entries() {
        writeln!(out, "{}", line(lut.at(order.point(lut.size(), i))))?;
    }
    Ok(())
}

/// Three numbers, each the shortest that reads back to the same float32.
pub(super) fn shortest([r, g, b]: [f32; 3]) -> String {
    format!("{r:?} {g:?} {b:?}")
}
