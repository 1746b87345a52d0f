//! `.spi3d` files, of Sony Pictures Imageworks and OpenColorIO.
//!
//! ```text
//! SPILUT 1.0
//! 3 3
//! N N N
//! r g b red green blue      N³ lines, r, g and b being lattice indices from 0, in any order
//! ```
//!
//! Read: comments (`#`) and blank lines anywhere; whatever follows the last entry. Refused: an entry that is given
//! twice, indices outside the lattice, sizes that differ. Written blue fastest, each number as the shortest that reads
//! back to the same float32. The format has neither title nor comments.

use super::text::{self, Fault, Problem, TextError};
use super::{Parsed, WriteError};
use crate::hald::EntryOrder;
use crate::lut::{GridSize, Lut3d, Tables};
use std::io::{BufRead, Write};

const ROW: &str = "an entry is six numbers, the indices of red, green and blue and its three values";

/// Reads the text of a file that error messages call `name`.
///
/// # Errors
/// What is wrong, with file, line and text.
pub fn read(name: &str, input: impl BufRead) -> Result<Parsed, TextError> {
    text::parse(name, input, |text| {
        text.demand("SPILUT")?;
        if !text.line().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("SPILUT")) {
            return Err(Fault::Wanted("SPILUT 1.0").into());
        }
        text.demand("the line 3 3")?;
        if text.line().split_ascii_whitespace().collect::<Vec<_>>() != ["3", "3"] {
            return Err(Fault::Wanted("3 3, for three numbers in and three out").into());
        }
        text.demand("the size")?;
        let size = text::cubic_size(&text.line())?;
        let mut entries: Vec<(u32, [f32; 3])> = Vec::new();
        let mut seen = Seen::default();
        while entries.len() < size.entries() {
            if !text.advance()? {
                return Err(Problem::Whole(Fault::TooFewRows { size, found: entries.len() }));
            }
            let (point, value) = entry(&text.line(), size)?;
            let index = EntryOrder::BlueFastest.index(size, point);
            if seen.again(index) {
                return Err(Fault::Repeated(point).into());
            }
            entries.push((index as u32, value));
        }
        // As many different entries as there are: each index is there.
        if !entries.is_sorted_by_key(|(index, _)| *index) {
            entries.sort_unstable_by_key(|(index, _)| *index);
        }
        let lut = Lut3d::from_entries(size, entries.into_iter().map(|(_, value)| value).collect());
        let comments = std::mem::take(&mut text.comments);
        Ok(Parsed { tables: Tables::plain(lut), title: None, comments, notes: Vec::new() })
    })
}

fn entry(line: &str, size: GridSize) -> Result<([usize; 3], [f32; 3]), Fault> {
    let tokens: Vec<_> = line.split_ascii_whitespace().take(7).collect();
    let [r, g, b, red, green, blue] = *tokens else {
        return Err(Fault::Count { what: ROW, found: line.split_ascii_whitespace().count() });
    };
    let index = |token| text::whole(token, 0, size.get() as i64 - 1).map(|n| n as usize);
    Ok(([index(r)?, index(g)?, index(b)?], [text::number(red)?, text::number(green)?, text::number(blue)?]))
}

/// Numbers seen before; grows with the largest.
#[derive(Default)]
struct Seen(Vec<u64>);

impl Seen {
    fn again(&mut self, number: usize) -> bool {
        let (word, bit) = (number / 64, 1 << (number % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let before = self.0[word] & bit != 0;
        self.0[word] |= bit;
        before
    }
}

/// Writes a LUT.
///
/// # Errors
/// Where it holds NaN or infinity, or writing fails.
pub fn write(lut: &Lut3d, mut out: impl Write) -> Result<(), WriteError> {
    lut.check_finite()?;
    let n = lut.size();
    writeln!(out, "SPILUT 1.0\n3 3\n{n} {n} {n}")?;
    for (i, entry) in lut.entries().iter().enumerate() {
        let [r, g, b] = EntryOrder::BlueFastest.point(n, i);
        writeln!(out, "{r} {g} {b} {}", text::shortest(*entry))?;
    }
    Ok(())
}
