//! `.3dl` files, as Autodesk's Flame and Lustre have them.
//!
//! ```text
//! 3DMESH                      Lustre alone
//! Mesh 4 12                   Lustre alone: 2⁴ + 1 entries along each axis, values of 12 bits
//! 0 64 128 … 1023             the shaper: where the lattice points lie
//! red green blue              N³ lines of whole numbers, blue fastest
//! LUT8                        Lustre alone
//! gamma 1.0                   Lustre alone
//! ```
//!
//! How many bits the numbers have stands nowhere but in Lustre's `Mesh`. Without it they are guessed from the largest
//! number, as OpenColorIO does: up to 511 they have 8 bits, up to 2047 10, up to 8191 12, else 16; so a number may be up to
//! twice the largest of its depth, and a very dark LUT is taken for a brighter one. No such LUT is written.
//!
//! A shaper within 2 of even steps says nothing. Any other is a 1D LUT in front of the 3D LUT, as OpenColorIO takes it.
//! Comments (`#`) and blank lines may be anywhere. The format has no title.

use super::text::{self, Fault, Problem, TextError};
use super::{Parsed, WriteError, code};
use crate::hald::{EntryOrder, UnknownName};
use crate::lut::{Domain, GridSize, Lut3d, Shaper1d, Tables};
use std::fmt;
use std::io::{BufRead, Write};
use std::str::FromStr;

/// The order in which entries are listed.
pub const ORDER: EntryOrder = EntryOrder::BlueFastest;

/// No table of whole numbers ends below this.
const SMALLEST_MAX: i64 = 128;

/// Bits of the shaper's numbers that are written.
const SHAPER_BITS: u32 = 10;

/// Which program a `.3dl` file is written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Flame: a shaper and rows.
    #[default]
    Flame,
    /// Lustre: with `3DMESH`, `Mesh`, `LUT8` and `gamma` around them, for grid sizes 17, 33, 65 and the like.
    Lustre,
}

impl Dialect {
    /// Both dialects.
    pub const ALL: [Dialect; 2] = [Dialect::Flame, Dialect::Lustre];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::Flame => "flame",
            Dialect::Lustre => "lustre",
        }
    }
}

impl FromStr for Dialect {
    type Err = UnknownName;
    fn from_str(s: &str) -> Result<Self, UnknownName> {
        UnknownName::find("dialect of .3dl", &Self::ALL, Self::name, s)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the lines have said so far.
#[derive(Default)]
struct File {
    mesh_bits: Option<u32>,
    shaper: Option<Vec<i32>>,
    rows: Vec<[i32; 3]>,
}

/// Reads the text of a file that error messages call `name`.
///
/// # Errors
/// What is wrong, with file, line and text.
pub fn read(name: &str, input: impl BufRead) -> Result<Parsed, TextError> {
    text::parse(name, input, |text| {
        let mut file = File::default();
        while text.advance()? {
            file.line(&text.line())?;
        }
        let comments = std::mem::take(&mut text.comments);
        file.finish(comments)
    })
}

impl File {
    fn line(&mut self, line: &str) -> Result<(), Fault> {
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) || line.starts_with("3DMESH") {
            return self.keyword(line);
        }
        let mut numbers = Vec::new();
        for token in line.split_ascii_whitespace() {
            numbers.push(text::whole(token, i64::from(i32::MIN), i64::from(i32::MAX))? as i32);
        }
        match *numbers {
            [r, g, b] => {
                if self.rows.len() == GridSize::MAX.entries() {
                    return Err(Fault::TooManyRows { size: GridSize::MAX });
                }
                self.rows.push([r, g, b]);
            }
            [_, _, _, _, ..] if self.shaper.is_some() => {
                return Err(Fault::Twice("a shaper, a row of more than three numbers,"));
            }
            [_, _, _, _, ..] if numbers.len() > Shaper1d::MAX_LEN => {
                return Err(Fault::Count { what: "a shaper has at most 65536 numbers", found: numbers.len() });
            }
            [_, _, _, _, ..] => self.shaper = Some(numbers),
            _ => {
                let what = "a row is three whole numbers, red, green and blue";
                return Err(Fault::Count { what, found: numbers.len() });
            }
        }
        Ok(())
    }

    fn keyword(&mut self, line: &str) -> Result<(), Fault> {
        let words: Vec<_> = line.split_ascii_whitespace().take(4).map(str::to_ascii_lowercase).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match *words {
            ["3dmesh"] | ["gamma", _] => Ok(()),
            ["mesh", _, bits] => {
                if self.mesh_bits.is_some() {
                    return Err(Fault::Twice("Mesh"));
                }
                self.mesh_bits = Some(text::whole(bits, 8, 16)? as u32);
                Ok(())
            }
            [word] if word.strip_prefix("lut").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) => Ok(()),
            _ => Err(Fault::Wanted("3DMESH, Mesh, LUT8, gamma, or whole numbers: three in a row, or a shaper of more")),
        }
    }

    fn finish(self, comments: Vec<String>) -> Result<Parsed, Problem> {
        let mut notes = Vec::new();
        let shaper = self.shaper.map(shaper).transpose()?.flatten();
        if self.rows.is_empty() && shaper.is_none() {
            return Err(Problem::Whole(Fault::Ends("rows of three whole numbers")));
        }
        if self.rows.is_empty() {
            let tables = shaper.map(Tables::Shaper).ok_or(Problem::Whole(Fault::NoCube { found: 0 }))?;
            return Ok(Parsed { tables, title: None, comments, notes });
        }
        let size = text::size_of_rows(self.rows.len())?;
        let largest = self.rows.iter().flatten().copied().max().unwrap_or(0);
        let bits = match self.mesh_bits {
            // A Mesh that the numbers belie is a line that some program always writes.
            Some(bits) if i64::from(largest) < 1 << bits => {
                let guess = likely_bits(largest);
                if guess != bits {
                    notes.push(format!(
                        "its Mesh says {bits} bits, and its largest number is {largest}: programs that guess would take it for {guess} bits"
                    ));
                }
                bits
            }
            _ => {
                check_plausible("the 3D LUT", largest)?;
                likely_bits(largest)
            }
        };
        let scale = max_code(bits) as f32;
        let entries = self.rows.into_iter().map(|row| row.map(|v| v as f32 / scale)).collect();
        let lut = Lut3d::from_entries(size, entries);
        let tables = match shaper {
            Some(shaper) => Tables::ShapedCube { shaper, lut, domain: Domain::UNIT },
            None => Tables::plain(lut),
        };
        Ok(Parsed { tables, title: None, comments, notes })
    }
}

/// The 1D LUT that a shaper is; nothing where it is even steps.
fn shaper(numbers: Vec<i32>) -> Result<Option<Shaper1d>, Problem> {
    let largest = numbers.iter().copied().max().unwrap_or(0);
    check_plausible("the shaper", largest)?;
    let scale = max_code(likely_bits(largest)) as f32;
    let step = scale / (numbers.len() as f32 - 1.0);
    if numbers.iter().enumerate().all(|(i, v)| (i as f32 * step - *v as f32).abs() < 2.0) {
        return Ok(None);
    }
    let entries = numbers.into_iter().map(|v| [v as f32 / scale; 3]).collect();
    // The length was checked with its line, and whole numbers are finite.
    Ok(Shaper1d::new(Domain::UNIT, entries).ok())
}

fn check_plausible(what: &'static str, largest: i32) -> Result<(), Problem> {
    let max = i64::from(largest);
    if max < SMALLEST_MAX { Err(Problem::Whole(Fault::Tiny { what, max })) } else { Ok(()) }
}

/// How many bits numbers have of which this is the largest. Up to twice the largest of a depth still counts as that
/// depth; 14 bits are not in use.
fn likely_bits(largest: i32) -> u32 {
    match largest {
        ..512 => 8,
        512..2048 => 10,
        2048..8192 => 12,
        _ => 16,
    }
}

const fn max_code(bits: u32) -> u32 {
    (1 << bits) - 1
}

/// Bits that the numbers may have; the first is what other programs write.
pub const DEPTHS: [u32; 3] = [12, 10, 16];

/// Writes a LUT, with numbers of `bits` bits, to the nearest; values outside [0, 1] are clamped.
///
/// # Errors
/// Where readers would see another LUT, since it is too dark; where Lustre has no LUT of its size; where it holds NaN or
/// infinity; and where writing fails.
pub fn write(
    lut: &Lut3d,
    dialect: Dialect,
    bits: u32,
    comments: &[String],
    mut out: impl Write,
) -> Result<(), WriteError> {
    lut.check_finite()?;
    let n = lut.size().get();
    let max = max_code(bits);
    let largest = lut.entries().iter().flatten().copied().fold(f32::MIN, f32::max);
    let guessed = likely_bits(code(largest, max) as i32);
    if guessed != bits || code(largest, max) < SMALLEST_MAX as u32 {
        let sixteen = code(largest, max_code(16)) as i32;
        let advice =
            if bits != 16 && likely_bits(sixteen) == 16 { "--depth 16 would do" } else { "another format would do" };
        return Err(WriteError::Dark { largest, guessed, advice });
    }
    if dialect == Dialect::Lustre && !(n - 1).is_power_of_two() {
        let nearest = (n - 1).next_power_of_two().min(128) + 1;
        return Err(WriteError::Size {
            format: "Lustre's .3dl",
            allowed: "17, 33, 65 or 129",
            size: lut.size(),
            nearest,
        });
    }
    for line in comments.iter().flat_map(|c| c.lines()) {
        let line: String = line.chars().filter(|c| !c.is_control()).take(240).collect();
        writeln!(out, "{}", format!("# {line}").trim_end())?;
    }
    if dialect == Dialect::Lustre {
        writeln!(out, "3DMESH\nMesh {} {bits}", (n - 1).ilog2())?;
    }
    let last = (n - 1) as f64;
    let steps: Vec<_> =
        (0..n).map(|i| (i as f64 / last * f64::from(max_code(SHAPER_BITS))).round().to_string()).collect();
    // Three numbers in a line are a row of the LUT.
    if n > 3 {
        writeln!(out, "{}", steps.join(" "))?;
    }
    text::write_rows(&mut out, lut, ORDER, |rgb| {
        let [r, g, b] = rgb.map(|v| code(v, max));
        format!("{r} {g} {b}")
    })?;
    if dialect == Dialect::Lustre {
        writeln!(out, "\nLUT8\ngamma 1.0")?;
    }
    Ok(())
}
