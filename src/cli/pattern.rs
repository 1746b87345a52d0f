//! `vglb pattern`: a test picture.

use super::progress::Bar;
use crate::lut::GridSize;
use crate::picture::{Depth, Existing, Pattern, PictureFormat};
use std::path::PathBuf;
use std::process::ExitCode;

/// Write a test picture: an orientation pixel, ramps, colours out of range, all lattice points, a field of colours.
///
/// The same options give the same picture on every computer. What lies where is written in docs/pictures.md.
#[derive(Clone, Debug, clap::Args)]
pub struct PatternArgs {
    /// File to write: .exr, .png, .tif or .tiff
    #[arg(long, value_name = "IMAGE")]
    pub out: PathBuf,

    /// Grid size whose lattice points are in the picture
    #[arg(long, value_name = "N", default_value = "33", value_parser = super::grid_size)]
    pub grid_size: GridSize,

    /// Width in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = Pattern::DEFAULT_WIDTH)]
    pub width: usize,

    /// Height in pixels [default: 1080, or what the lattice points need]
    #[arg(long, value_name = "PIXELS")]
    pub height: Option<usize>,

    /// Samples: 8, 16, half, float [default: float for .exr, 16 otherwise]
    #[arg(long, value_name = "DEPTH")]
    pub depth: Option<Depth>,

    /// Replace IMAGE if it is already there
    #[arg(long, short)]
    pub force: bool,
}

/// Writes the picture, and prints one line on it.
///
/// # Errors
/// Where the pattern does not fit the picture, the format has no such samples, or the file can't be written.
pub fn run(args: &PatternArgs) -> anyhow::Result<ExitCode> {
    super::output::line(format_args!("{}", pattern(args)?))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the picture, and says what was written.
///
/// # Errors
/// As [`run`]'s.
pub fn pattern(args: &PatternArgs) -> anyhow::Result<String> {
    let format = PictureFormat::of(&args.out)?;
    let usual = if format == PictureFormat::Exr { Depth::Float } else { Depth::Sixteen };
    let depth = args.depth.unwrap_or(usual);
    let pattern = Pattern::new(args.width, args.height, args.grid_size, depth)?;
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let bytes = pattern.picture().write(&args.out, existing, &Bar::new())?;
    let patches = pattern.patch_row().map(|y| format!("out of range from row {y}, ")).unwrap_or_default();
    Ok(format!(
        "wrote {}: {}×{}, {depth} {}, {bytes} bytes; ramps from row {}, {patches}lattice points of grid size {} from row {}, field from row {}",
        args.out.display(),
        pattern.width(),
        pattern.height(),
        format.name(),
        pattern.ramp_row(),
        args.grid_size,
        pattern.lattice_row(),
        pattern.field_row(),
    ))
}
