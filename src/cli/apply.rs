//! `vglb apply`: a LUT on a picture, without a GPU.

use super::progress::Bar;
use crate::hald::Layout;
use crate::lut::file::{self, FileFormat, ReadOptions};
use crate::lut::{Bake, Curve, GridSize, Lut3d};
use crate::picture::{self, Comparison, Existing, Grade, Interpolation, Picture, PictureFormat};
use crate::strip;
use crate::texture::{self, Event, Frame};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Put a LUT on a picture: the same arithmetic as the shaders, on the processor.
///
/// The picture keeps its format, its depth, alpha and whatever else is in its file. With --compare, the largest
/// difference from another picture is printed: a screenshot of a shader's output, or what another program made.
#[derive(Clone, Debug, clap::Args)]
pub struct Apply {
    /// Picture to read: .exr, .png (8 or 16 bits), .tif or .tiff
    #[arg(value_name = "IMAGE")]
    pub image: PathBuf,

    /// LUT: a file of any format that `vglb convert` reads, or the name of a stream, as `vglb list` shows it
    #[arg(long, value_name = "STREAM|FILE")]
    pub lut: PathBuf,

    /// Graded picture to write, in the format of IMAGE
    #[arg(long, value_name = "IMAGE", required_unless_present = "compare")]
    pub out: Option<PathBuf>,

    /// Print the largest difference of the graded picture from this one
    #[arg(long, value_name = "IMAGE")]
    pub compare: Option<PathBuf>,

    /// Fail (exit code 1) where the largest difference is above this; 1.0 is the whole range of integers
    #[arg(long, value_name = "DIFFERENCE", requires = "compare", value_parser = tolerance)]
    pub tolerance: Option<f64>,

    /// Between lattice points: tetrahedral or trilinear
    #[arg(long, value_name = "HOW", default_value_t)]
    pub interpolation: Interpolation,

    /// Curve that the LUT expects, for a picture in linear light: none, srgb, acescct, pq
    #[arg(long, value_name = "CURVE", default_value_t)]
    pub shaper_in: Curve,

    /// Curve that the LUT returns, for a picture in linear light: none, srgb, acescct, pq
    #[arg(long, value_name = "CURVE", default_value_t)]
    pub shaper_out: Curve,

    /// Luminance of linear 1.0 in cd/m², for pq
    #[arg(long, value_name = "NITS", default_value_t = 100.0, value_parser = nits)]
    pub pq_nits: f64,

    /// How much of the grade: 0 is the picture as it came, 1 the graded picture
    #[arg(long, value_name = "AMOUNT", default_value_t = 1.0, value_parser = mix)]
    pub mix: f32,

    /// Layout of a strip in a file, or of a stream that does not tell: vglb, unreal, unity or hald-clut [default: vglb]
    #[arg(long, value_name = "LAYOUT")]
    pub layout: Option<Layout>,

    /// Evaluate a file's 1D LUT, or a domain other than 0 to 1, into one 3D LUT; precision and colours outside 0 to 1
    /// are lost
    #[arg(long)]
    pub bake: bool,

    /// Grid size to bake at [default: the file's own, at least 33]
    #[arg(long, value_name = "N", requires = "bake", value_parser = super::grid_size)]
    pub size: Option<GridSize>,

    /// Where to look for a stream: auto, or a name that `vglb info` lists
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub backend: String,

    /// Replace the output if it is already there
    #[arg(long, short)]
    pub force: bool,
}

/// How long a stream that is there may take to give its texture.
const PATIENCE: Duration = Duration::from_secs(5);

fn mix(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(v) if (0.0..=1.0).contains(&v) => Ok(v),
        _ => Err("an amount is a number from 0 to 1".into()),
    }
}

fn nits(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if (1.0..=10_000.0).contains(&v) => Ok(v),
        _ => Err("a luminance is a number from 1 to 10000 cd/m²".into()),
    }
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if v >= 0.0 => Ok(v),
        _ => Err("a difference is a number, 0 or more".into()),
    }
}

/// Grades, writes and compares; prints a line on each. What a user should know of the LUT goes to stderr.
///
/// # Errors
/// Where a picture or the LUT can't be read, the output can't be written, or the pictures differ by more than asked.
/// No output is left behind where it could not be written whole.
pub fn run(args: &Apply) -> anyhow::Result<ExitCode> {
    let applied = apply(args)?;
    for note in &applied.notes {
        eprintln!("note: {note}");
    }
    for line in &applied.lines {
        super::output::line(format_args!("{line}"))?;
    }
    Ok(if applied.within_tolerance { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What grading a picture has to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// What was done.
    pub lines: Vec<String>,
    /// What a user should know of the LUT.
    pub notes: Vec<String>,
    /// Whether the difference is within `--tolerance`, where that was given.
    pub within_tolerance: bool,
}

/// Grades, writes and compares, and says what there is to say.
///
/// # Errors
/// As [`run`]'s, except that too large a difference is none.
pub fn apply(args: &Apply) -> anyhow::Result<Applied> {
    // What can be refused at once is refused before any pixel is read.
    if let Some(out) = &args.out {
        let (from, to) = (PictureFormat::of(&args.image)?, PictureFormat::of(out)?);
        if from != to {
            return Err(picture::PictureError::OtherFormat { path: out.clone(), from, to }.into());
        }
        if !args.force && out.exists() {
            return Err(file::CreateError::Exists(out.clone()).into());
        }
    }
    let (lut, notes) = read_lut(args)?;
    let bar = Bar::new();
    let mut picture = Picture::read(&args.image, &bar)?;
    let grade = Grade {
        lut: &lut,
        interpolation: args.interpolation,
        shaper_in: args.shaper_in,
        shaper_out: args.shaper_out,
        pq_nits: args.pq_nits,
        mix: args.mix,
    };
    grade.apply(&mut picture, &bar);
    let mut applied = Applied { lines: Vec::new(), notes, within_tolerance: true };
    let compared = match &args.compare {
        Some(path) => Some(compare(&picture, path, &bar)?),
        None => None,
    };
    if let Some(out) = &args.out {
        let what = describe(&picture);
        let existing = if args.force { Existing::Replace } else { Existing::Keep };
        let bytes = picture.write(out, existing, &bar)?;
        applied.lines.push(format!(
            "wrote {}: {what}, {bytes} bytes, graded with {}",
            out.display(),
            args.lut.display()
        ));
    }
    if let Some((line, difference)) = compared {
        applied.lines.push(line);
        applied.within_tolerance = args.tolerance.is_none_or(|allowed| difference <= allowed);
    }
    Ok(applied)
}

fn describe(picture: &Picture) -> String {
    let channels = if picture.channels() == 4 { "RGBA" } else { "RGB" };
    let format = picture.format().map(|f| format!(" {}", f.name())).unwrap_or_default();
    format!("{}×{}, {} {channels}{format}", picture.width(), picture.height(), picture.samples().depth())
}

/// The line on the comparison, and the largest difference.
fn compare(picture: &Picture, path: &Path, bar: &Bar) -> anyhow::Result<(String, f64)> {
    let other = Picture::read(path, bar)?;
    let Comparison { pixels, different, largest } =
        picture::compare(picture, &other).with_context(|| path.display().to_string())?;
    let found = match largest {
        None => return Ok((format!("no difference from {} in {pixels} pixels", path.display()), 0.0)),
        Some(found) => found,
    };
    let [x, y] = found.at;
    let line = format!(
        "largest difference from {}: {} in {} at x {x}, y {y} ({} here, {} there); {different} of {pixels} pixels differ",
        path.display(),
        found.difference,
        found.channel,
        found.one,
        found.other,
    );
    Ok((line, found.difference))
}

/// The LUT in a file, or on a stream, and what a user should know of it.
fn read_lut(args: &Apply) -> anyhow::Result<(Lut3d, Vec<String>)> {
    let format = FileFormat::of(&args.lut);
    // Names of streams can hold dots; a file is what exists, or ends as LUT files end.
    if format.is_ok() || args.lut.is_file() {
        if args.layout.is_some() && !format?.is_strip() {
            bail!("--layout is about strips, and {} is none", args.lut.display());
        }
        let bake = if args.bake { Bake::Yes { size: args.size } } else { Bake::No };
        let options = ReadOptions { layout: args.layout, bake, ..ReadOptions::default() };
        let read = file::read(&args.lut, &options)?;
        return Ok((read.lut, read.notes));
    }
    if args.bake {
        bail!("--bake is about files, and {} is none", args.lut.display());
    }
    let Some(stream) = args.lut.to_str() else { bail!("{} is no name of a stream", args.lut.display()) };
    Ok((receive(stream, args)?, Vec::new()))
}

fn receive(stream: &str, args: &Apply) -> anyhow::Result<Lut3d> {
    let hint = || format!("no LUT file {stream:?} (it would end in {}) and no such stream", FileFormat::list());
    let backend = texture::choose(&args.backend).with_context(hint)?;
    let mut receiver = backend.open(stream).with_context(hint)?;
    let mut frame = Frame::default();
    match receiver.wait(Some(PATIENCE))? {
        Event::Frame => receiver.read(&mut frame)?,
        Event::TimedOut => bail!("no texture on {stream:?} within {} s", PATIENCE.as_secs()),
        Event::Ended => bail!("the stream {stream:?} has ended"),
    }
    let lut = strip::to_lut(&frame, args.layout.unwrap_or_default()).with_context(|| format!("stream {stream:?}"))?;
    lut.check_finite().with_context(|| format!("stream {stream:?}"))?;
    Ok(lut)
}
