//! `vglb nodes`: who is in a cluster, and who is behind.

use super::cluster_network::NetworkArgs;
use super::output::{line, plain, span, table};
use crate::cluster::keys::Name;
use crate::cluster::observer::{self, Seen};
use crate::cluster::report::{HubChannel, HubReport, NodeChannel, NodeRow, NodeState};
use clap::Args;
use serde_json::json;
use std::cmp::Reverse;
use std::process::ExitCode;
use std::time::Duration;

/// What `nodes` takes.
#[derive(Args, Debug)]
pub struct Nodes {
    /// The cluster to look at
    #[arg(long, value_name = "NAME")]
    cluster: Name,
    /// How long to listen, in seconds, up to 3600; hubs and nodes speak twice a second
    #[arg(long, default_value_t = 2.0, value_name = "S", value_parser = time)]
    time: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    network: NetworkArgs,
}

fn time(text: &str) -> Result<f64, String> {
    super::seconds(text).and_then(|s| if s <= 3600.0 { Ok(s) } else { Err("a look lasts up to 3600 seconds".into()) })
}

/// Lists the hubs and the nodes.
pub fn run(args: &Nodes) -> anyhow::Result<ExitCode> {
    super::log::start(super::log::Detail::Quiet, super::log::LogFormat::Human);
    let seen = observer::look(&args.cluster, &args.network.network(), Duration::from_secs_f64(args.time))?;
    if args.json {
        line(format_args!("{}", serde_json::to_string_pretty(&as_json(&seen))?))?;
    } else if seen.hubs.is_empty() && seen.nodes.is_empty() {
        eprintln!("no hub and no node of cluster {} was heard within {} s", args.cluster, args.time);
    } else {
        let hubs: Vec<_> = seen.hubs.iter().flat_map(|hub| hub_rows(&seen, hub)).collect();
        table(["HUB", "PRIORITY", "VERSION", "CHANNEL", "STREAM", "N", "REVISION", "OUTPUT"], &hubs)?;
        line(format_args!(""))?;
        let nodes: Vec<_> = seen.nodes.iter().flat_map(|row| node_rows(&seen, row)).collect();
        let head =
            ["NODE", "VERSION", "CHANNEL", "STREAM", "HUB", "REVISION", "STATE", "LAG", "SKEW", "WORST", "LAST SEEN"];
        table(head, &nodes)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The hub that goes before this one on a channel, where there is one.
fn yields_to<'a>(seen: &'a Seen, hub: &HubReport, channel: &str) -> Option<&'a str> {
    let rank = |hub: &HubReport| (Reverse(hub.priority), hub.name.clone());
    let has = |other: &&HubReport| other.channels.iter().any(|c| c.channel == channel);
    let first = seen.hubs.iter().filter(has).min_by_key(|other| rank(other))?;
    (first.name != hub.name).then_some(&first.name)
}

fn output(seen: &Seen, hub: &HubReport, channel: &HubChannel) -> String {
    match yields_to(seen, hub, &channel.channel) {
        Some(other) => format!("yields to {}", plain(other)),
        None if channel.bypass => "bypass".into(),
        None if channel.hold => "hold".into(),
        None => "live".into(),
    }
}

fn hub_rows(seen: &Seen, hub: &HubReport) -> Vec<[String; 8]> {
    let begin = [plain(&hub.name), hub.priority.to_string(), plain(&hub.version)];
    let row = |rest: [String; 5]| {
        let mut cells = begin.iter().cloned().chain(rest);
        std::array::from_fn(|_| cells.next().unwrap_or_default())
    };
    let none = || row(std::array::from_fn(|_| "-".to_owned()));
    let of = |c: &HubChannel| {
        row([plain(&c.channel), plain(&c.stream), c.size.to_string(), c.revision.to_string(), output(seen, hub, c)])
    };
    if hub.channels.is_empty() { vec![none()] } else { hub.channels.iter().map(of).collect() }
}

/// The revision that the hub of a node's channel has now.
fn newest(seen: &Seen, channel: &NodeChannel) -> Option<u64> {
    let hub = seen.hubs.iter().find(|hub| hub.name == channel.hub && hub.life == channel.hub_life)?;
    hub.channels.iter().find(|c| c.channel == channel.channel).map(|c| c.revision)
}

fn ms(us: i64) -> String {
    format!("{:.1} ms", us as f64 / 1000.0)
}

fn lag(row: &NodeRow) -> String {
    match row.state {
        NodeState::InStep => "-".into(),
        _ => span(Duration::from_millis(row.behind_ms)),
    }
}

fn node_rows(seen: &Seen, row: &NodeRow) -> Vec<[String; 11]> {
    let last_seen = format!("{} ago", span(Duration::from_millis(row.unheard_ms)));
    let begin = [plain(&row.report.name), plain(&row.report.version)];
    let cells = |middle: [String; 4], skew: [String; 2]| {
        let state = [row.state.name().to_owned(), lag(row)];
        let mut all = begin.iter().cloned().chain(middle).chain(state).chain(skew).chain([last_seen.clone()]);
        std::array::from_fn(|_| all.next().unwrap_or_default())
    };
    let of = |c: &NodeChannel| {
        let revision = match newest(seen, c) {
            Some(newest) => format!("{} of {newest}", c.revision),
            None => c.revision.to_string(),
        };
        let middle = [plain(&c.channel), plain(&c.stream), plain(&c.hub), revision];
        cells(middle, [ms(c.skew_us), ms(c.worst_skew_us)])
    };
    let none = || "-".to_owned();
    match row.report.channels.is_empty() {
        true => vec![cells(std::array::from_fn(|_| none()), [none(), none()])],
        false => row.report.channels.iter().map(of).collect(),
    }
}

fn as_json(seen: &Seen) -> serde_json::Value {
    let hub_channel = |hub: &HubReport, c: &HubChannel| {
        json!({
            "channel": c.channel, "stream": c.stream, "grid_size": c.size, "revision": c.revision,
            "bypass": c.bypass, "hold": c.hold, "yields_to": yields_to(seen, hub, &c.channel),
        })
    };
    let hub = |hub: &HubReport| {
        json!({
            "name": hub.name, "version": hub.version, "priority": hub.priority,
            "channels": hub.channels.iter().map(|c| hub_channel(hub, c)).collect::<Vec<_>>(),
        })
    };
    let node_channel = |c: &NodeChannel| {
        json!({
            "channel": c.channel, "stream": c.stream, "hub": c.hub, "grid_size": c.size, "revision": c.revision,
            "newest_revision": newest(seen, c), "skew_ms": c.skew_us as f64 / 1000.0,
            "worst_skew_ms": c.worst_skew_us as f64 / 1000.0, "applied": c.applied, "skipped": c.skipped,
            "refused": c.refused, "other_hubs": c.other_hubs,
        })
    };
    let node = |row: &NodeRow| {
        json!({
            "name": row.report.name, "version": row.report.version, "state": row.state,
            "lag_seconds": row.behind_ms as f64 / 1000.0, "last_seen_seconds": row.unheard_ms as f64 / 1000.0,
            "channels": row.report.channels.iter().map(node_channel).collect::<Vec<_>>(),
        })
    };
    json!({
        "hubs": seen.hubs.iter().map(hub).collect::<Vec<_>>(),
        "nodes": seen.nodes.iter().map(node).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::report::NodeReport;

    #[test]
    fn text_of_the_network_cannot_move_the_cursor() {
        let evil = || "a\u{1b}[2J\n\u{202e}b".to_owned();
        let channel = HubChannel { channel: evil(), stream: evil(), ..HubChannel::default() };
        let hub = HubReport { name: evil(), version: evil(), channels: vec![channel], ..HubReport::default() };
        let channel = NodeChannel { channel: evil(), stream: evil(), hub: evil(), ..NodeChannel::default() };
        let report = NodeReport { name: evil(), version: evil(), channels: vec![channel], ..NodeReport::default() };
        let first = HubReport { name: "\u{1b}[2J".into(), priority: 1, ..hub.clone() };
        let seen = Seen { hubs: vec![hub, first], nodes: vec![NodeRow { report, ..NodeRow::default() }] };
        let hubs = seen.hubs.iter().flat_map(|hub| hub_rows(&seen, hub)).flatten();
        let cells: Vec<_> = hubs.chain(seen.nodes.iter().flat_map(|row| node_rows(&seen, row)).flatten()).collect();
        assert!(cells.iter().all(|cell| cell.chars().all(|c| (' '..='~').contains(&c))), "{cells:?}");
        assert!(cells.iter().any(|cell| cell.starts_with("yields to ")));
    }
}
