//! Measures the server end to end, against a floor: a server that reads the bytes, does nothing with them, and answers.
//!
//! Absolute figures move with the machine. So both are measured in turn, in one run, and what counts is the ratio of
//! their medians. `docs/performance.md` says what came of it.

mod floor;
mod hot;
mod latency;
mod load;
mod page;
mod process;
mod report;
mod with_page;

use anyhow::{Context, bail};
use std::path::PathBuf;

const USAGE: &str = "usage: vglb-bench SERVER [--page] [--rounds N] [--json FILE]

Measures the program SERVER, and prints a table. Each figure is the median of N rounds (5). With --page: what LUTs lose while
a page of the panel is open.";

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next().context(USAGE)?;
    match first.to_str() {
        // What this program starts of itself.
        Some("floor") => return floor::serve(),
        Some("watch") => return latency::watch(),
        // What `cargo xtask test` has valgrind count.
        Some("hot") => {
            let luts = arguments.next().and_then(|n| n.to_str()?.parse().ok()).context("hot N")?;
            return hot::run(luts);
        }
        _ => {}
    }
    let (mut rounds, mut json, mut page) = (5, None, false);
    while let Some(option) = arguments.next() {
        if option == "--page" {
            page = true;
            continue;
        }
        let value = arguments.next().context(USAGE)?;
        match option.to_str() {
            Some("--rounds") => {
                rounds = value.to_str().and_then(|v| v.parse().ok()).filter(|n| *n > 0).context(USAGE)?;
            }
            Some("--json") => json = Some(PathBuf::from(value)),
            _ => bail!(USAGE),
        }
    }
    let run = if page { with_page::run } else { report::run };
    run(&PathBuf::from(first), rounds, json.as_deref())
}
