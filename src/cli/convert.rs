//! `vglb convert`: LUTs from one file format or strip layout to another.

use crate::hald::Layout;
use crate::lut::file::{self, Existing, FileFormat, ReadOptions, WriteOptions};
use crate::lut::{Bake, GridSize};
use anyhow::bail;
use std::path::PathBuf;
use std::process::ExitCode;

/// Convert a LUT between .cube, .exr and .npy files and strip layouts.
///
/// The formats follow from the extensions. A .cube holds a 3D LUT; an .exr or .npy holds a float32 strip, the texture
/// that other programs would see. Values keep every bit. A .png can be written as an 8-bit preview.
#[derive(Clone, Debug, clap::Args)]
pub struct Convert {
    /// File to read: .cube, .exr or .npy
    #[arg(value_name = "IN")]
    pub input: PathBuf,

    /// File to write: .cube, .exr, .npy, or .png as an 8-bit preview
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// Layout of the strip that is read: vglb, unreal, unity or hald-clut [default: vglb]
    #[arg(long, value_name = "LAYOUT")]
    pub from_layout: Option<Layout>,

    /// Layout of the strip that is written: vglb, unreal, unity or hald-clut [default: vglb]
    #[arg(long, value_name = "LAYOUT")]
    pub layout: Option<Layout>,

    /// Evaluate a 1D LUT, or a domain other than 0 to 1, into one 3D LUT; precision and colours outside 0 to 1 are lost
    #[arg(long)]
    pub bake: bool,

    /// Grid size to bake at [default: the file's own, at least 33]
    #[arg(long, value_name = "N", requires = "bake", value_parser = super::grid_size)]
    pub size: Option<GridSize>,

    /// Title of the .cube that is written [default: that of the file read]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// Replace OUT if it is already there
    #[arg(long, short)]
    pub force: bool,
}

/// Converts, and prints one line on what was written. What a user should know of the input goes to stderr.
///
/// # Errors
/// Where the input holds no LUT, the output can't hold it, is already there without `force`, or an option has nothing
/// to act on. No output is left behind then.
pub fn run(args: &Convert) -> anyhow::Result<ExitCode> {
    let converted = convert(args)?;
    for note in &converted.notes {
        eprintln!("note: {note}");
    }
    super::output::line(format_args!("{}", converted.line))?;
    Ok(ExitCode::SUCCESS)
}

/// What a conversion has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// What was written.
    pub line: String,
    /// What a user should know of the input.
    pub notes: Vec<String>,
}

/// Converts, and says what there is to say.
///
/// # Errors
/// As [`run`]'s.
pub fn convert(args: &Convert) -> anyhow::Result<Converted> {
    let (from, to) = (FileFormat::of(&args.input)?, FileFormat::of(&args.output)?);
    if args.from_layout.is_some() && !from.is_strip() {
        bail!("--from-layout is about strips, and {} is a .{}", args.input.display(), from.extension());
    }
    if args.layout.is_some() && !to.is_strip() {
        bail!("--layout is about strips, and {} is a .{}", args.output.display(), to.extension());
    }
    if args.title.is_some() && to != FileFormat::Cube {
        bail!("--title is about .cube files, and {} is a .{}", args.output.display(), to.extension());
    }
    let bake = if args.bake { Bake::Yes { size: args.size } } else { Bake::No };
    let input = file::read(&args.input, &ReadOptions { layout: args.from_layout.unwrap_or_default(), bake })?;
    let options = WriteOptions {
        layout: args.layout.unwrap_or_default(),
        title: args.title.clone().or(input.title),
        comments: input.comments,
        existing: if args.force { Existing::Replace } else { Existing::Keep },
    };
    let written = file::write(&args.output, &input.lut, &options)?;
    Ok(Converted { line: format!("wrote {}: {written}", args.output.display()), notes: input.notes })
}
