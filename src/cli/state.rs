//! `vglb state`: the LUTs that are remembered for a restart.

use super::output::{line, plain, span, table};
use crate::sink::ChannelId;
use crate::state::{self, Directory, Found};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `state` takes.
#[derive(Args, Debug)]
pub struct State {
    #[command(subcommand)]
    command: Command,
    /// The directory that they are in, where it is not the usual one
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the LUTs that a server would put back on their streams
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget the LUTs of these channels, or of all and what is damaged
    Clear {
        /// Channels; "" is the one without a name. All where none is given
        channels: Vec<String>,
    },
}

/// Lists or clears.
pub fn run(args: &State) -> anyhow::Result<ExitCode> {
    let path = match &args.state_dir {
        Some(path) => path.clone(),
        None => state::default_path()?,
    };
    match &args.command {
        Command::List { json } => list(&state::scan(&path)?, *json)?,
        Command::Clear { channels } => {
            if !path.is_dir() {
                bail!("there is no directory {}", path.display());
            }
            let directory =
                Directory::open(&path, 0).context("stop the server first, for it would remember its LUTs again")?;
            let named = |found: &Found, channel: &String| {
                found.header.as_ref().is_ok_and(|h| h.channel == ChannelId::new(channel))
            };
            let files = state::scan(&path)?;
            if let Some(unknown) = channels.iter().find(|c| !files.iter().any(|f| named(f, c))) {
                bail!("no LUT of {} is remembered in {}", ChannelId::new(unknown), path.display());
            }
            let chosen = |found: &Found| channels.is_empty() || channels.iter().any(|c| named(found, c));
            let removed = directory.clear(chosen, channels.is_empty())?;
            line(format_args!("{removed} removed from {}", path.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(files: &[Found], json: bool) -> anyhow::Result<()> {
    // Whole records are read, so that what is listed is what would return.
    let checked = files.iter().map(|file| (file, file.read().map(|(header, _)| header)));
    if json {
        let rows = checked.map(|(file, header)| match header {
            Ok(h) => json!({
                "channel": h.channel.name(), "grid_size": h.size.get(), "bytes": file.bytes,
                "age_seconds": h.saved.elapsed().unwrap_or_default().as_secs_f64(), "file": file.path, "fault": null,
            }),
            Err(e) => json!({
                "channel": null, "grid_size": null, "bytes": file.bytes, "age_seconds": null, "file": file.path,
                "fault": e.to_string(),
            }),
        });
        return Ok(line(format_args!("{}", serde_json::to_string_pretty(&rows.collect::<Vec<_>>())?))?);
    }
    let rows: Vec<_> = checked
        .map(|(file, header)| {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match header {
                Ok(h) => [
                    h.channel.name().map_or_else(|| "(none)".to_owned(), plain),
                    h.size.to_string(),
                    span(h.saved.elapsed().unwrap_or_default()),
                    file.bytes.to_string(),
                    plain(&name),
                ],
                Err(e) => {
                    ["?".into(), "?".into(), "?".into(), file.bytes.to_string(), format!("{}: {e}", plain(&name))]
                }
            }
        })
        .collect();
    if rows.is_empty() {
        eprintln!("no LUT is remembered");
    } else {
        table(["CHANNEL", "N", "AGE", "BYTES", "FILE"], &rows)?;
    }
    Ok(())
}
