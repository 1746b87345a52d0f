//! LUT files of other programs, one file for each format, read and written. `.cube` has its module beside this one.
//!
//! | module | files | entries listed | numbers |
//! | --- | --- | --- | --- |
//! | [`three_dl`] | `.3dl`, Flame's and Lustre's | blue fastest | whole, 8 to 16 bits |
//! | [`csp`] | `.csp`, cineSpace's | red fastest | decimal |
//! | [`clf`] | `.clf` and `.ctf`, the Common LUT Format | blue fastest | decimal |
//! | [`spi3d`] | `.spi3d`, Sony Imageworks' | with their indices | decimal |
//! | [`dat`] | `.dat`, da Vinci's | blue fastest | decimal |
//! | [`vlt`] | `.vlt`, Panasonic's | red fastest | whole, 12 bits |
//! | [`asc_cdl`] | `.cc`, `.ccc` and `.cdl`, the ASC's | – | decimal |
//!
//! Every reader takes any text, from a file or from memory, and holds no more than what has arrived: a size that a file
//! claims allocates nothing. What is wrong is said with the line it is on.

pub mod asc_cdl;
pub mod clf;
mod clf_functions;
pub mod csp;
pub mod dat;
pub mod spi3d;
mod text;
pub mod three_dl;
pub mod vlt;
mod xml;

pub use text::{Fault, MAX_FILE_BYTES, TextError};

use super::{GridSize, Lut3d, NotFinite, Tables};
use crate::hald::EntryOrder;
use std::io;

/// What a LUT file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// Its tables.
    pub tables: Tables,
    /// Its title.
    pub title: Option<String>,
    /// Its comments, one for each line.
    pub comments: Vec<String>,
    /// What a user should know that the tables do not show.
    pub notes: Vec<String>,
}

/// Why a LUT could not be written in a format.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The LUT holds NaN or infinity, which no reader takes.
    #[error(transparent)]
    NotFinite(#[from] NotFinite),
    /// The format has a few grid sizes only.
    #[error("{format} has grid size {allowed}, and this LUT has {size}; --size {nearest} resamples it")]
    Size {
        /// The format.
        format: &'static str,
        /// The sizes that it has.
        allowed: &'static str,
        /// The LUT's.
        size: GridSize,
        /// One that would do.
        nearest: usize,
    },
    /// A `.cc` with other than one CDL.
    #[error("a .cc holds one CDL, and here are {0}; --id picks one, and .ccc and .cdl hold any number")]
    NotOne(usize),
    /// Readers would take the numbers for those of another depth.
    #[error(
        "its largest value is {largest}: readers of .3dl files guess from the largest number how many bits there are, and would take this LUT for a brighter one of {guessed} bits; {advice}"
    )]
    Dark {
        /// The LUT's largest value.
        largest: f32,
        /// The bits that readers would see.
        guessed: u32,
        /// What would do.
        advice: &'static str,
    },
    /// Writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The nearest whole number for a value from 0 to 1; what lies outside is clamped.
fn code(value: f32, max: u32) -> u32 {
    // A float32 times a number of 16 bits is exact in float64, so this rounds once. The cast takes NaN to 0.
    (f64::from(value.clamp(0.0, 1.0)) * f64::from(max)).round() as u32
}

/// How many components the writers of whole-number formats clamp.
pub fn out_of_range(lut: &Lut3d) -> usize {
    lut.entries().iter().flatten().filter(|v| !(0.0..=1.0).contains(*v)).count()
}

/// A LUT from exactly as many rows as it has entries.
fn from_rows(size: GridSize, order: EntryOrder, rows: Vec<[f32; 3]>) -> Lut3d {
    match order {
        EntryOrder::BlueFastest => Lut3d::from_entries(size, rows),
        EntryOrder::RedFastest => Lut3d::from_fn(size, |point| rows[order.index(size, point)]),
    }
}

#[cfg(test)]
mod tests;
