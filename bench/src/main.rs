//! Measures the server end to end, against a floor: a server that reads the bytes, does nothing with them, and answers.
//!
//! Absolute figures move with the machine. So both are measured in turn, in one run, and what counts is the ratio of
//! their medians. `docs/performance.md` says what came of it.

mod cluster;
mod floor;
mod hot;
mod latency;
mod load;
mod page;
mod process;
mod report;
mod sender;
mod watch;
mod with_page;

use anyhow::{Context, bail};
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

const USAGE: &str = "\
usage: vglb-bench SERVER [--rounds N] [--json FILE]
       vglb-bench SERVER --page [--rounds N] [--json FILE]
       vglb-bench SERVER --cluster [--nodes N] [--size N] [--rate N] [--luts N] [--lead MS] [--rounds N] [--json FILE]

Measures the program SERVER, and prints a table. Each figure is the median of N rounds (5). With --page: what LUTs lose while
a page of the panel is open. With --cluster: a hub and 32 nodes, 240 LUTs of 33³ at 24 a second, without a lead and with one
of 20 ms, against as many servers with a connection each; SERVER has to be built with the feature `cluster`.";

/// What is measured.
enum What {
    Server,
    Page,
    Cluster(cluster::Options),
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next().context(USAGE)?;
    let mut number = |what| arguments.next().and_then(|n| n.to_str()?.parse().ok()).context(what);
    match first.to_str() {
        // What this program starts of itself.
        Some("floor") => return floor::serve(),
        Some("watch") => return latency::watch(),
        Some("watch-nodes") => return watch::run(number("watch-nodes N")?),
        // What `cargo xtask test` has valgrind count.
        Some("hot") => return hot::run(number("hot N")?),
        _ => {}
    }
    let (mut rounds, mut json, mut what) = (5, None, What::Server);
    while let Some(option) = arguments.next() {
        match option.to_str() {
            Some("--page") => what = What::Page,
            Some("--cluster") => what = What::Cluster(cluster::Options::default()),
            Some("--json") => json = Some(PathBuf::from(arguments.next().context(USAGE)?)),
            Some("--rounds") => rounds = positive(arguments.next())?,
            Some(option) => match &mut what {
                What::Cluster(options) => options.set(option, arguments.next())?,
                _ => bail!(USAGE),
            },
            None => bail!(USAGE),
        }
    }
    let (server, json) = (PathBuf::from(first), json.as_deref());
    match what {
        What::Server => report::run(&server, rounds, json),
        What::Page => with_page::run(&server, rounds, json),
        What::Cluster(options) => cluster::run(&server, rounds, &options, json),
    }
}

/// A whole number from 1.
fn positive<T: FromStr + PartialOrd + From<u8>>(value: Option<OsString>) -> anyhow::Result<T> {
    let number = value.as_ref().and_then(|v| v.to_str()?.parse().ok()).filter(|n| *n >= T::from(1));
    number.with_context(|| format!("{:?} is no whole number from 1\n\n{USAGE}", value.unwrap_or_default()))
}
