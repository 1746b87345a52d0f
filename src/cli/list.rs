//! `vglb list`: the streams on this computer.

use super::output::{line, plain, span, table};
use crate::texture::{self, StreamInfo};
use clap::Args;
use serde_json::json;
use std::process::ExitCode;
use std::time::SystemTime;

/// What `list` takes.
#[derive(Args, Debug)]
pub struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Where to look: auto, or a name that `vglb info` lists
    #[arg(long, default_value = "auto", value_name = "NAME")]
    backend: String,
}

/// Lists the streams.
pub fn run(args: &List) -> anyhow::Result<ExitCode> {
    let streams = texture::choose_to_list(&args.backend)?.streams()?;
    if args.json {
        let rows: Vec<_> = streams.iter().map(as_json).collect();
        line(format_args!("{}", serde_json::to_string_pretty(&rows)?))?;
    } else if streams.is_empty() {
        eprintln!("nothing is being streamed on this computer");
    } else {
        let rows: Vec<_> = streams.iter().map(as_row).collect();
        table(["STREAM", "N", "SIZE", "LAYOUT", "FORMAT", "REVISION", "AGE", "SENDER", "CDL"], &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn as_row(stream: &StreamInfo) -> [String; 9] {
    let unknown = || "?".to_owned();
    [
        plain(&stream.name),
        stream.shape.map_or_else(unknown, |s| s.size().to_string()),
        format!("{}×{}", stream.width, stream.height),
        stream.shape.map_or_else(unknown, |s| s.layout().to_string()),
        stream.format.to_owned(),
        stream.revision.map_or_else(unknown, |r| r.to_string()),
        stream.published.map_or_else(unknown, |t| span(t.elapsed().unwrap_or_default())),
        stream.sender.as_deref().map_or_else(unknown, plain),
        stream.cdl.map_or_else(|| "-".to_owned(), |cdl| cdl.to_string()),
    ]
}

fn as_json(stream: &StreamInfo) -> serde_json::Value {
    let seconds = |t: SystemTime| t.elapsed().unwrap_or_default().as_secs_f64();
    json!({
        "name": stream.name,
        "grid_size": stream.shape.map(|s| s.size().get()),
        "width": stream.width,
        "height": stream.height,
        "layout": stream.shape.map(|s| s.layout().name()),
        "format": stream.format,
        "revision": stream.revision,
        "age_seconds": stream.published.map(seconds),
        "sender": stream.sender,
        "cdl": stream.cdl.map(|cdl| json!({
            "slope": cdl.slope(), "offset": cdl.offset(), "power": cdl.power(), "saturation": cdl.saturation(),
        })),
    })
}
