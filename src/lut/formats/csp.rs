//! `.csp` files, of Rising Sun Research's cineSpace.
//!
//! ```text
//! CSPLUTV100
//! 3D                          or 1D
//!
//! BEGIN METADATA              may be left out
//! any text
//! END METADATA
//!
//! 2                           for each of red, green and blue: so many points,
//! 0.0 1.0                     their inputs,
//! 0.0 1.0                     and their outputs: the prelut
//! …
//! N N N                       for 1D: M
//! red green blue              N³ lines, red fastest; for 1D: M
//! ```
//!
//! A prelut that gives what it takes says nothing. One from some range to 0…1 in two points each is the LUT's domain; any
//! other is a curve in front of it, and needs baking. Written: an idle prelut, and each number as the shortest that reads
//! back to the same float32; title and comments are metadata.

use super::text::{self, Fault, Problem, Text, TextError};
use super::{Parsed, WriteError, from_rows};
use crate::hald::EntryOrder;
use crate::lut::chain::{Points, Step};
use crate::lut::{Domain, Lut3d, Shaper1d, Tables};
use std::io::{BufRead, Write};

/// The order in which entries are listed.
pub const ORDER: EntryOrder = EntryOrder::RedFastest;

/// Points of a prelut.
const MAX_POINTS: i64 = 65536;
/// Lines of metadata that are kept.
const MAX_METADATA: usize = 1000;

/// Reads the text of a file that error messages call `name`.
///
/// # Errors
/// What is wrong, with file, line and text.
pub fn read(name: &str, input: impl BufRead) -> Result<Parsed, TextError> {
    text::parse(name, input, |text| {
        text.demand("CSPLUTV100")?;
        if !text.line().eq_ignore_ascii_case("CSPLUTV100") {
            return Err(Fault::Wanted("CSPLUTV100").into());
        }
        text.demand("3D or 1D")?;
        let is_3d = match &*text.line() {
            "3D" | "3d" => true,
            "1D" | "1d" => false,
            _ => return Err(Fault::Wanted("3D or 1D").into()),
        };
        text.demand("a prelut")?;
        let mut comments = Vec::new();
        if text.line().eq_ignore_ascii_case("BEGIN METADATA") {
            metadata(text, &mut comments)?;
            text.demand("a prelut")?;
        }
        let prelut = [prelut(text)?, next_prelut(text)?, next_prelut(text)?];
        let mut steps: Vec<Step> = Vec::new();
        let mut domain = Domain::UNIT;
        match step(prelut) {
            Some(Prelut::Domain(of_lut)) if is_3d => domain = of_lut,
            Some(Prelut::Domain(of_lut)) => {
                steps.extend(Shaper1d::new(of_lut, vec![[0.0; 3], [1.0; 3]]).ok().map(Step::Curve));
            }
            Some(Prelut::Step(step)) => steps.push(step),
            None => {}
        }
        text.demand("the size")?;
        if is_3d {
            let size = text::cubic_size(&text.line())?;
            let rows = text.rows(size, false, text::row)?;
            steps.push(Step::Cube { lut: from_rows(size, ORDER, rows), domain });
        } else {
            steps.push(Step::Curve(table_1d(text)?));
        }
        comments.append(&mut text.comments);
        Ok(Parsed { tables: Tables::from_steps(steps), title: None, comments, notes: Vec::new() })
    })
}

fn metadata(text: &mut Text<impl BufRead>, comments: &mut Vec<String>) -> Result<(), Problem> {
    loop {
        if !text.advance_raw()? {
            return Err(Problem::Whole(Fault::Ends("END METADATA")));
        }
        let line = text.line();
        if line.eq_ignore_ascii_case("END METADATA") {
            return Ok(());
        }
        if comments.len() < MAX_METADATA && !line.is_empty() {
            comments.push(line.into_owned());
        }
    }
}

fn next_prelut(text: &mut Text<impl BufRead>) -> Result<Vec<[f32; 2]>, Problem> {
    text.demand("the prelut of another component")?;
    prelut(text)
}

/// One component's prelut, whose first line is the current one; empty where it says nothing.
fn prelut(text: &mut Text<impl BufRead>) -> Result<Vec<[f32; 2]>, Problem> {
    let points = text::whole(&text.line(), 0, MAX_POINTS)? as usize;
    if points < 2 {
        return Ok(Vec::new());
    }
    text.demand("the inputs of the prelut")?;
    let inputs = values(&text.line(), points)?;
    if !inputs.is_sorted_by(|a, b| a < b) {
        return Err(Fault::Wanted("inputs of a prelut, each greater than the one before").into());
    }
    text.demand("the outputs of the prelut")?;
    let outputs = values(&text.line(), points)?;
    Ok(inputs.into_iter().zip(outputs).map(|(input, output)| [input, output]).collect())
}

fn values(line: &str, wanted: usize) -> Result<Vec<f32>, Fault> {
    let values = line.split_ascii_whitespace().map(text::number).collect::<Result<Vec<_>, _>>()?;
    match values.len() {
        found if found == wanted => Ok(values),
        found => Err(Fault::Numbers { what: "points of the prelut", wanted, found }),
    }
}

enum Prelut {
    Domain(Domain),
    Step(Step),
}

/// What the three preluts do, where they do something.
fn step(mut prelut: [Vec<[f32; 2]>; 3]) -> Option<Prelut> {
    // As OpenColorIO sees it: equal within a millionth.
    let same = |[x, y]: &[f32; 2]| (x - y).abs() <= 1e-6 * x.abs().max(y.abs()).max(1e-6);
    if prelut.iter().all(|points| points.iter().all(same)) {
        return None;
    }
    for points in &mut prelut {
        if points.is_empty() {
            *points = vec![[0.0, 0.0], [1.0, 1.0]];
        }
    }
    if prelut.iter().all(|points| points.len() == 2) {
        let of = |point: usize, side: usize| [0, 1, 2].map(|c| prelut[c][point][side]);
        let domain = Domain::new(of(0, 0), of(1, 0)).ok()?;
        if (of(0, 1), of(1, 1)) == ([0.0; 3], [1.0; 3]) {
            return Some(Prelut::Domain(domain));
        }
        let shaper = Shaper1d::new(domain, vec![of(0, 1), of(1, 1)]).ok()?;
        return Some(Prelut::Step(Step::Curve(shaper)));
    }
    // Inputs that rise and finite numbers were checked with their lines.
    let [r, g, b] = prelut.map(Points::new);
    Some(Prelut::Step(Step::Points(Box::new([r?, g?, b?]))))
}

fn table_1d(text: &mut Text<impl BufRead>) -> Result<Shaper1d, Problem> {
    let (min, max) = (Shaper1d::MIN_LEN as i64, Shaper1d::MAX_LEN as i64);
    let length = text::whole(&text.line(), min, max)? as usize;
    let mut entries = Vec::new();
    while entries.len() < length {
        text.demand("a row of three numbers")?;
        entries.push(text::row(&text.line())?);
    }
    if text.advance()? {
        return Err(Fault::Wanted("nothing more, for all rows of the 1D LUT are there").into());
    }
    Shaper1d::new(Domain::UNIT, entries).map_err(|_| Problem::Whole(Fault::Wanted("finite numbers")))
}

/// Writes a LUT.
///
/// # Errors
/// Where it holds NaN or infinity, or writing fails.
pub fn write(lut: &Lut3d, title: Option<&str>, comments: &[String], mut out: impl Write) -> Result<(), WriteError> {
    lut.check_finite()?;
    writeln!(out, "CSPLUTV100\n3D\n\nBEGIN METADATA")?;
    let lines = title.into_iter().chain(comments.iter().map(String::as_str)).flat_map(str::lines);
    for line in lines.map(str::trim).filter(|l| !l.is_empty() && !l.eq_ignore_ascii_case("END METADATA")) {
        let line: String = line.chars().filter(|c| !c.is_control()).take(240).collect();
        writeln!(out, "{line}")?;
    }
    writeln!(out, "END METADATA\n\n{}", "2\n0.0 1.0\n0.0 1.0\n".repeat(3))?;
    let n = lut.size();
    writeln!(out, "{n} {n} {n}")?;
    Ok(text::write_rows(&mut out, lut, ORDER, text::shortest)?)
}

#[cfg(test)]
#[path = "csp_tests.rs"]
mod tests;
