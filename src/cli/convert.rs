//! `vglb convert`: LUTs from one file format or strip layout to another.

use crate::hald::{EntryOrder, Layout};
use crate::lut::file::{self, Existing, FileFormat, ReadOptions, WriteOptions};
use crate::lut::formats::three_dl::Dialect;
use crate::lut::{Bake, GridSize, RangeChange, RangeSide};
use anyhow::bail;
use std::path::PathBuf;
use std::process::ExitCode;

/// Convert a LUT between file formats, strip layouts, entry orders, grid sizes and ranges.
///
/// The formats follow from the extensions: .cube, .3dl, .spi3d, .csp, .clf, .ctf, .dat and .vlt; .exr, .tif, .png and .npy
/// as a strip or a Hald CLUT; .cc, .ccc and .cdl among each other, and into a LUT with --bake. Values keep every bit, save
/// in formats of whole numbers: .3dl, .vlt, .png.
#[derive(Clone, Debug, clap::Args)]
pub struct Convert {
    /// File to read
    #[arg(value_name = "IN")]
    pub input: PathBuf,

    /// File to write
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// Layout of the strip that is read: vglb, unreal, unity or hald-clut [default: hald-clut for a square image, else vglb]
    #[arg(long, value_name = "LAYOUT")]
    pub from_layout: Option<Layout>,

    /// Layout of the strip that is written: vglb, unreal, unity or hald-clut [default: vglb]
    #[arg(long, value_name = "LAYOUT")]
    pub layout: Option<Layout>,

    /// Order of the entries in IN, where it is not the one of its format: blue-fastest or red-fastest
    #[arg(long, value_name = "ORDER")]
    pub from_order: Option<EntryOrder>,

    /// Order of the entries in OUT, where it is not to be the one of its format: blue-fastest or red-fastest
    #[arg(long, value_name = "ORDER")]
    pub order: Option<EntryOrder>,

    /// Evaluate a 1D LUT, a domain other than 0 to 1, a CDL or other steps into one 3D LUT; precision and colours outside
    /// 0 to 1 are lost
    #[arg(long)]
    pub bake: bool,

    /// Grid size of OUT, by tetrahedral interpolation [default: IN's own; of what is baked, at least 33]
    #[arg(long, value_name = "N", value_parser = super::grid_size)]
    pub size: Option<GridSize>,

    /// Make a LUT for one range of video into one for the other: legal-to-full or full-to-legal
    #[arg(long, value_name = "CHANGE")]
    pub range: Option<RangeChange>,

    /// Side of the LUT whose range changes: both, input or output
    #[arg(long, value_name = "SIDE", default_value_t, requires = "range")]
    pub range_side: RangeSide,

    /// Bits of each number: in a .3dl 10, 12 or 16 [default: 12], in a .png 8 or 16 [default: 16], in a .tif 8, 16 or 32
    /// [default: 32]
    #[arg(long, value_name = "BITS")]
    pub depth: Option<u32>,

    /// Program that a .3dl is for: flame or lustre
    #[arg(long, value_name = "PROGRAM", default_value_t)]
    pub dialect: Dialect,

    /// The CDL to take, where IN holds several
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,

    /// Title of what is written, where its format has one [default: that of the file read]
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
    let named = |path: &PathBuf, format: FileFormat| format!("{} is a .{}", path.display(), format.extension());
    if args.from_layout.is_some() && !from.is_strip() {
        bail!("--from-layout is about strips, and {}", named(&args.input, from));
    }
    if args.layout.is_some() && !to.is_strip() {
        bail!("--layout is about strips, and {}", named(&args.output, to));
    }
    if args.title.is_some() && !to.has_title() {
        bail!("--title is about files with titles, as .cube, and {}", named(&args.output, to));
    }
    if args.id.is_some() && !from.is_cdl() {
        bail!("--id is about files of CDLs, and {}", named(&args.input, from));
    }
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    if from.is_cdl() && to.is_cdl() {
        if args.bake || args.size.is_some() || args.range.is_some() {
            bail!("--bake, --size and --range are about LUTs, and {}", named(&args.output, to));
        }
        let corrections = file::read_corrections(&args.input, args.id.as_deref())?;
        let written = file::write_corrections(&args.output, &corrections, existing)?;
        return Ok(Converted { line: format!("wrote {}: {written}", args.output.display()), notes: Vec::new() });
    }
    let options = ReadOptions {
        layout: args.from_layout,
        order: args.from_order,
        bake: if args.bake { Bake::Yes { size: args.size } } else { Bake::No },
        correction: args.id.clone(),
    };
    let mut input = file::read(&args.input, &options)?;
    if let Some(size) = args.size {
        input.lut = input.lut.resampled(size);
    }
    if let Some(change) = args.range {
        input.lut = change.apply(&input.lut, args.range_side);
    }
    let options = WriteOptions {
        layout: args.layout.unwrap_or_default(),
        order: args.order,
        depth: args.depth,
        dialect: args.dialect,
        title: args.title.clone().or(input.title),
        comments: input.comments,
        existing,
    };
    let written = file::write(&args.output, &input.lut, &options)?;
    Ok(Converted { line: format!("wrote {}: {written}", args.output.display()), notes: input.notes })
}
