//! `.vlt` files, of Panasonic's cameras.
//!
//! ```text
//! # panasonic vlt file version 1.0
//! # source vlt file ""
//! LUT_3D_SIZE 17
//!
//! red green blue      N³ lines of whole numbers from 0 to 4095, red fastest
//! ```
//!
//! Read: any size; other comments and blank lines anywhere. Written: grid size 17, which is what the cameras take, to the
//! nearest of 4096 steps; values outside [0, 1] are clamped. Title and comments are not written.

use super::text::{self, Fault, TextError};
use super::{Parsed, WriteError, code, from_rows};
use crate::hald::EntryOrder;
use crate::lut::{GridSize, Lut3d, Tables};
use std::io::{BufRead, Write};

/// The order in which entries are listed.
pub const ORDER: EntryOrder = EntryOrder::RedFastest;

/// The grid size of the LUTs that cameras take.
pub const SIZE: GridSize = GridSize::SEVENTEEN;
/// Bits of each number.
pub const BITS: u32 = 12;

const MAX: u32 = (1 << BITS) - 1;

/// Reads the text of a file that error messages call `name`.
///
/// # Errors
/// What is wrong, with file, line and text.
pub fn read(name: &str, input: impl BufRead) -> Result<Parsed, TextError> {
    text::parse(name, input, |text| {
        text.demand("LUT_3D_SIZE 17")?;
        let said = text
            .line()
            .split_once(|c: char| c.is_ascii_whitespace())
            .and_then(|(word, rest)| word.eq_ignore_ascii_case("LUT_3D_SIZE").then(|| text::size(rest.trim())));
        let size = said.ok_or(Fault::Wanted("LUT_3D_SIZE 17"))??;
        let rows = text.rows(size, false, row)?;
        let mut comments = std::mem::take(&mut text.comments);
        let mut title = None;
        comments.retain(|comment| {
            let source = comment.strip_prefix("source vlt file").map(|name| name.trim().trim_matches('"').to_owned());
            let known = source.is_some() || comment.starts_with("panasonic vlt file version");
            title = title.take().or(source.filter(|name| !name.is_empty()));
            !known
        });
        Ok(Parsed { tables: Tables::plain(from_rows(size, ORDER, rows)), title, comments, notes: Vec::new() })
    })
}

fn row(line: &str) -> Result<[f32; 3], Fault> {
    let tokens: Vec<_> = line.split_ascii_whitespace().take(4).collect();
    let [r, g, b] = *tokens else {
        let found = line.split_ascii_whitespace().count();
        return Err(Fault::Count { what: "a row is three whole numbers, red, green and blue", found });
    };
    let value = |token| text::whole(token, 0, i64::from(MAX)).map(|n| n as f32 / MAX as f32);
    Ok([value(r)?, value(g)?, value(b)?])
}

/// Writes a LUT.
///
/// # Errors
/// Where its grid size is not 17, it holds NaN or infinity, or writing fails.
pub fn write(lut: &Lut3d, mut out: impl Write) -> Result<(), WriteError> {
    lut.check_finite()?;
    if lut.size() != SIZE {
        return Err(WriteError::Size { format: ".vlt", allowed: "17", size: lut.size(), nearest: SIZE.get() });
    }
    writeln!(out, "# panasonic vlt file version 1.0\n# source vlt file \"\"\nLUT_3D_SIZE {SIZE}\n")?;
    text::write_rows(&mut out, lut, ORDER, |rgb| {
        let [r, g, b] = rgb.map(|v| code(v, MAX));
        format!("{r} {g} {b}")
    })?;
    Ok(())
}
