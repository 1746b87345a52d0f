//! `.dat` files, of da Vinci and Resolve.
//!
//! ```text
//! 3DLUTSIZE N
//!
//! red green blue      N³ lines, blue fastest
//! ```
//!
//! Without `3DLUTSIZE` the size is 33, and so a LUT of that size is written. Read: comments (`#`) and blank lines
//! anywhere. Each number is written as the shortest that reads back to the same float32. The format has neither title
//! nor comments.

use super::text::{self, Fault, TextError};
use super::{Parsed, WriteError, from_rows};
use crate::hald::EntryOrder;
use crate::lut::{GridSize, Lut3d, Tables};
use std::io::{BufRead, Write};

/// The order in which entries are listed.
pub const ORDER: EntryOrder = EntryOrder::BlueFastest;

const KEYWORD: &str = "3DLUTSIZE";

/// Reads the text of a file that error messages call `name`.
///
/// # Errors
/// What is wrong, with file, line and text.
pub fn read(name: &str, input: impl BufRead) -> Result<Parsed, TextError> {
    text::parse(name, input, |text| {
        text.demand("3DLUTSIZE or a row of three numbers")?;
        let said = text
            .line()
            .split_once(|c: char| c.is_ascii_whitespace())
            .and_then(|(word, rest)| word.eq_ignore_ascii_case(KEYWORD).then(|| text::size(rest.trim())));
        let begun = said.is_none();
        let size = said.transpose()?.unwrap_or(GridSize::COMMON);
        let rows = text.rows(size, begun, |line| match line.get(..KEYWORD.len()) {
            Some(word) if word.eq_ignore_ascii_case(KEYWORD) => {
                Err(Fault::Wanted("3DLUTSIZE N, once, in the first line"))
            }
            _ => text::row(line),
        })?;
        let comments = std::mem::take(&mut text.comments);
        Ok(Parsed { tables: Tables::plain(from_rows(size, ORDER, rows)), title: None, comments, notes: Vec::new() })
    })
}

/// Writes a LUT.
///
/// # Errors
/// Where it holds NaN or infinity, or writing fails.
pub fn write(lut: &Lut3d, mut out: impl Write) -> Result<(), WriteError> {
    lut.check_finite()?;
    if lut.size() != GridSize::COMMON {
        writeln!(out, "{KEYWORD} {}\n", lut.size())?;
    }
    Ok(text::write_rows(&mut out, lut, ORDER, text::shortest)?)
}
