//! `vglb inspect`: what is in a LUT file.

use super::output::line;
use crate::hald::{EntryOrder, Layout};
use crate::lut::file::{self, FileFormat, LutFile, ReadOptions};
use crate::lut::{Bake, Distance, Monotony, Neutral, Survey};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what a LUT file holds and does: size, range, greys, whether more in gives more out, and how far it is from the
/// identity.
///
/// A file that is no plain 3D LUT (a 1D LUT, a CDL, …) is evaluated into one for that.
#[derive(Clone, Debug, clap::Args)]
pub struct Inspect {
    /// File to look at, of any format that `vglb convert` reads
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// As JSON, for scripts
    #[arg(long)]
    pub json: bool,

    /// Layout of a strip: vglb, unreal, unity or hald-clut [default: hald-clut for a square image, else vglb]
    #[arg(long, value_name = "LAYOUT")]
    pub from_layout: Option<Layout>,

    /// Order of the entries, where it is not the one of the format: blue-fastest or red-fastest
    #[arg(long, value_name = "ORDER")]
    pub from_order: Option<EntryOrder>,

    /// The CDL to take, where there are several
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}

/// Prints it.
///
/// # Errors
/// Where the file holds no LUT.
pub fn run(args: &Inspect) -> anyhow::Result<ExitCode> {
    let (format, read) = look(args)?;
    if args.json {
        line(format_args!("{}", serde_json::to_string_pretty(&as_json(format, &read))?))?;
    } else {
        for text in lines(args, format, &read) {
            line(format_args!("{text}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the file.
///
/// # Errors
/// As [`run`]'s.
pub fn look(args: &Inspect) -> anyhow::Result<(FileFormat, LutFile)> {
    let options = ReadOptions {
        layout: args.from_layout,
        order: args.from_order,
        bake: Bake::Yes { size: None },
        correction: args.id.clone(),
    };
    Ok((FileFormat::of(&args.file)?, file::read(&args.file, &options)?))
}

const COMPONENTS: [&str; 3] = ["red", "green", "blue"];

/// Everything there is to say, as JSON.
pub fn as_json(format: FileFormat, read: &LutFile) -> Value {
    let Survey { size, min, max, out_of_range, neutral, monotony, identity } = Survey::of(&read.lut);
    let Neutral { black, middle, white, cast, cast_at, falls } = neutral;
    json!({
        "format": format.extension(),
        "title": read.title,
        "comments": read.comments,
        "notes": read.notes,
        "holds": read.holds,
        "grid_size": size.get(),
        "entries": size.entries(),
        "min": min,
        "max": max,
        "entries_out_of_range": out_of_range,
        "neutral": {
            "black": black,
            "middle": middle,
            "white": white,
            "largest_cast": cast,
            "largest_cast_at": cast_at,
            "falling_steps": falls,
        },
        "monotonic": {
            "falling_steps": monotony.falls,
            "steps": monotony.steps,
            "largest_fall": monotony.largest,
            "component": monotony.at.map(|(c, _)| COMPONENTS[c]),
            "at": monotony.at.map(|(_, point)| point),
        },
        "identity": {
            "largest_difference": identity.largest,
            "at": identity.at,
            "mean_difference": identity.mean,
            "rms_difference": identity.rms,
        },
    })
}

/// Everything there is to say, for people.
fn lines(args: &Inspect, format: FileFormat, read: &LutFile) -> Vec<String> {
    let Survey { size, min, max, out_of_range, neutral, monotony, identity } = Survey::of(&read.lut);
    let title = read.title.as_ref().map(|title| format!(", {title:?}")).unwrap_or_default();
    let plain = format!("a 3D LUT of {size}³");
    let evaluated = if read.holds == plain { "" } else { ", evaluated below" };
    let mut lines = vec![
        format!("{}: .{}{title}", args.file.display(), format.extension()),
        row("holds", format!("{}{evaluated}", read.holds)),
        row("grid size", format!("{size}, {} entries", size.entries())),
    ];
    for (c, name) in COMPONENTS.into_iter().enumerate() {
        lines.push(row(name, format!("{} to {}", min[c], max[c])));
    }
    lines.push(row("outside 0–1", format!("{out_of_range} of {} entries", size.entries())));
    for (name, [r, g, b]) in [("black", neutral.black), ("middle grey", neutral.middle), ("white", neutral.white)] {
        lines.push(row(name, format!("{r} {g} {b}")));
    }
    lines.push(row("greys", greys(&neutral)));
    lines.push(row("rising", rising(&monotony)));
    lines.push(row("identity", distance(&identity)));
    let shown = read.comments.iter().map(|c| row("comment", c.escape_debug().to_string()));
    lines.extend(shown.chain(read.notes.iter().map(|note| row("note", note.clone()))));
    lines
}

fn row(name: &str, text: String) -> String {
    format!("  {name:<12} {text}")
}

fn greys(neutral: &Neutral) -> String {
    let cast = match neutral.cast {
        0.0 => "stay grey".to_owned(),
        cast => format!("get a cast of up to {cast}, at {}", neutral.cast_at),
    };
    format!("{cast}; {}", falls(&neutral.falls, "along the grey axis"))
}

fn rising(monotony: &Monotony) -> String {
    let found = falls(&monotony.falls, "along its own axis");
    match monotony.at {
        None => found,
        Some((c, [r, g, b])) => format!(
            "{found}, of {} steps; most {} behind r={r}, g={g}, b={b}, by {}",
            monotony.steps, COMPONENTS[c], monotony.largest
        ),
    }
}

fn falls(falls: &[usize; 3], where_: &str) -> String {
    let counts: Vec<_> = COMPONENTS
        .into_iter()
        .zip(falls)
        .filter(|(_, count)| **count > 0)
        .map(|(name, count)| format!("{name} falls in {count} {}", if *count == 1 { "step" } else { "steps" }))
        .collect();
    if counts.is_empty() { format!("nothing falls {where_}") } else { format!("{} {where_}", counts.join(", ")) }
}

fn distance(distance: &Distance) -> String {
    let [r, g, b] = distance.at;
    match distance.largest {
        0.0 => "it is the identity".to_owned(),
        largest => format!(
            "differs by up to {largest} (r={r}, g={g}, b={b}), {:.6} on average, {:.6} root mean square",
            distance.mean, distance.rms
        ),
    }
}
