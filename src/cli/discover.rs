//! `vglb discover`: the servers on the network that announce themselves.

use super::output::{line, plain, table};
use crate::discovery::{Found, MOST_BOXES, Search};
use anyhow::bail;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

/// What `discover` takes.
#[derive(Args, Debug)]
pub struct Discover {
    /// How long to wait for answers, in seconds, up to 3600
    #[arg(long, default_value_t = 3.0, value_name = "S", value_parser = timeout)]
    timeout: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn timeout(text: &str) -> Result<f64, String> {
    super::seconds(text).and_then(|s| if s <= 3600.0 { Ok(s) } else { Err("a search lasts up to 3600 seconds".into()) })
}

/// Lists the boxes that answer.
pub fn run(args: &Discover) -> anyhow::Result<ExitCode> {
    let search = Search::run(Duration::from_secs_f64(args.timeout))?;
    let boxes: Vec<&Found> = search.boxes().collect();
    if boxes.is_empty() && !search.faults.is_empty() {
        bail!("multicast DNS does not work here: {}", search.faults.join("; "));
    }
    if args.json {
        let rows: Vec<_> = boxes.into_iter().map(as_json).collect();
        line(format_args!("{}", serde_json::to_string_pretty(&rows)?))?;
    } else if boxes.is_empty() {
        eprintln!(
            "no box answered within {} s; a server is found where it was started with --announce, and on the same network",
            args.timeout
        );
    } else {
        let rows: Vec<_> = boxes.into_iter().map(as_row).collect();
        table(["NAME", "HOST", "ADDRESSES", "PORT", "VERSION", "STREAM", "TRANSPORT", "PANEL"], &rows)?;
    }
    if search.left_out > 0 {
        eprintln!("warning: more than {MOST_BOXES} boxes answered; the first {MOST_BOXES} are listed");
    }
    for fault in &search.faults {
        eprintln!("warning: not every network could be searched: {}", plain(fault));
    }
    Ok(ExitCode::SUCCESS)
}

fn as_row(found: &Found) -> [String; 8] {
    let said = |text: &Option<String>| text.as_deref().map_or_else(|| "?".to_owned(), plain);
    [
        plain(&found.name),
        plain(&found.host),
        plain(&found.addresses.join(" ")),
        found.port.to_string(),
        said(&found.version),
        said(&found.stream),
        said(&found.transport),
        found.panel.map_or_else(|| "-".to_owned(), |port| port.to_string()),
    ]
}

fn as_json(found: &Found) -> serde_json::Value {
    json!({
        "name": found.name,
        "host": found.host,
        "addresses": found.addresses,
        "port": found.port,
        "version": found.version,
        "stream": found.stream,
        "transport": found.transport,
        "panel_port": found.panel,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_network_cannot_move_the_cursor() {
        let evil = || "a\u{1b}[2J\n\u{202e}b".to_owned();
        let found = Found {
            name: evil(),
            host: evil(),
            addresses: vec![evil()],
            port: 1,
            version: Some(evil()),
            stream: Some(evil()),
            transport: Some(evil()),
            panel: None,
        };
        let row = as_row(&found);
        assert!(row.iter().all(|cell| cell.chars().all(|c| (' '..='~').contains(&c))), "{row:?}");
    }

    #[test]
    fn a_search_ends() {
        assert_eq!(timeout("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "nan", "inf", "3601", "soon"] {
            assert!(timeout(wrong).is_err(), "{wrong}");
        }
    }
}
