//! A hub and its nodes against as many plain servers, each with a connection of its own (TCP relays): all as processes on this
//! computer, over loopback.

use crate::process::{self, Served};
use crate::report::{median, scratch};
use crate::sender::{Numbered, Relays, Sender, ToHub};
use crate::watch::{Times, Watch, channel, now, stream};
use crate::{USAGE, positive};
use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long until programs that have just started know one another.
const SETTLE: Duration = Duration::from_secs(5);
/// How long the last LUT may take.
const TAIL: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);
const CHANNEL: &str = "cam";

/// What is asked for.
pub struct Options {
    pub nodes: usize,
    /// The grid size.
    pub size: u64,
    /// LUTs a second.
    pub rate: u32,
    /// LUTs a round.
    pub luts: usize,
    /// The lead that is measured beside none, in milliseconds.
    pub lead: u16,
}

impl Default for Options {
    fn default() -> Self {
        Options { nodes: 32, size: 33, rate: 24, luts: 240, lead: 20 }
    }
}

impl Options {
    /// Sets one from the command line.
    pub fn set(&mut self, option: &str, value: Option<OsString>) -> anyhow::Result<()> {
        match option {
            "--nodes" => self.nodes = usize::from(positive::<u16>(value)?),
            "--size" => self.size = positive(value)?,
            "--rate" => self.rate = positive(value)?,
            "--luts" => self.luts = usize::from(positive::<u16>(value)?),
            "--lead" => self.lead = positive(value)?,
            _ => bail!("{option} is none of the options\n\n{USAGE}"),
        }
        Ok(())
    }
}

/// How LUTs get to the nodes.
#[derive(Clone, Copy)]
enum Way {
    /// By a hub, with this lead.
    Cluster(u16),
    Relays,
}

/// One round of one way.
struct Round {
    /// LUTs seen on all nodes.
    on_all: usize,
    /// Of all LUTs on all nodes, those not seen.
    missed: usize,
    /// Of LUTs seen on all nodes, in ms, sorted: from receipt until the last node's was seen.
    last: Vec<f64>,
    /// From the first node's being seen to the last one's.
    seen: Vec<f64>,
    /// From the first node's putting it on its stream to the last one's.
    published: Vec<f64>,
    /// Processor time of a LUT in ms: of the hub or the sender, and of all nodes or servers together.
    cpu: (Option<f64>, Option<f64>),
}

/// Measures the program `server`, prints what came of it, and writes it to `json`.
pub fn run(server: &Path, rounds: usize, options: &Options, json: Option<&Path>) -> anyhow::Result<()> {
    scratch(json, |streams| measure(server, rounds, options, streams))
}

fn measure(server: &Path, rounds: usize, options: &Options, streams: &Path) -> anyhow::Result<Value> {
    let Options { nodes, size, rate, luts, lead } = *options;
    println!("{nodes} nodes, {luts} LUTs of {size}³ at {rate} a second; medians of {rounds}; times in ms");
    println!(
        "                 | on all  missed | to the last seen | first to last: published |             seen | CPU a LUT"
    );
    println!(
        "                 |                |    p50      p99 |     p50     p99  in 1 ms |     p50      p99 | sender  nodes"
    );
    // Programs make the last folder themselves.
    std::fs::create_dir_all(streams).with_context(|| format!("can't make {}", streams.display()))?;
    let ways = [("cluster", Way::Cluster(0)), ("cluster", Way::Cluster(lead)), ("relays", Way::Relays)];
    let mut measured: Vec<Vec<Round>> = ways.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for (i, (_, way)) in ways.iter().enumerate() {
            // A folder of its own: what is killed leaves its streams behind.
            let streams = streams.join(format!("{round}-{i}"));
            measured[i].push(once(server, *way, options, &streams)?);
        }
    }
    let rows =
        ways.iter().zip(&measured).map(|((name, way), rounds)| row(name, *way, luts, rounds)).collect::<Vec<_>>();
    Ok(json!({ "rounds": rounds, "nodes": nodes, "n": size, "rate": rate, "luts": luts, "ways": rows }))
}

/// The programs of one way, and what sends to them.
struct Set {
    /// The hub, where there is one; else this process sends.
    hub: Option<Served>,
    nodes: Vec<Served>,
    sender: Box<dyn Sender>,
}

impl Set {
    fn start(server: &Path, way: Way, options: &Options, streams: &Path) -> anyhow::Result<Set> {
        let command = |arguments: &[&str]| {
            let mut command = Command::new(server);
            command.args(arguments).env("VGLB_RUNTIME_DIR", streams).env("VGLB_NO_CONFIG", "true");
            command
        };
        let serve = ["serve", "--no-state", "--dashboard", "off", "--port", "0"];
        let Way::Cluster(lead) = way else {
            let node = |node| Served::start(command(&[&serve[..], &["--stream-name", &stream(node)]].concat()));
            let nodes = (0..options.nodes).map(node).collect::<anyhow::Result<Vec<_>>>()?;
            let lut = Numbered::new(options.size, None)?;
            let sender = Box::new(Relays::start(nodes.iter().map(|node| node.address), lut)?);
            return Ok(Set { hub: None, nodes, sender });
        };
        let place = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let (cluster, lead) = (format!("bench-{}", std::process::id()), lead.to_string());
        let here = ["--cluster", &cluster, "--cluster-interface", "127.0.0.1"];
        let own = ["--cluster-listen", &place, "--cluster-lead", &lead];
        let hub = Served::start(command(&[&serve[..], &here, &own].concat()))?;
        let node = |node: usize| {
            let (name, map) = (channel(node), format!("{CHANNEL}={}", channel(node)));
            let own = ["--name", &name, "--map", &map, "--cluster-connect", &place];
            Served::start_until(command(&[&["follow"], &here[..], &own].concat()), "follows cluster")
        };
        let nodes = (0..options.nodes).map(node).collect::<anyhow::Result<Vec<_>>>()?;
        let sender = Box::new(ToHub::start(hub.address, Numbered::new(options.size, Some(CHANNEL))?)?);
        Ok(Set { hub: Some(hub), nodes, sender })
    }

    /// Seconds of processor time so far: of the hub or of this process, and of all nodes.
    fn cpu(&self) -> (Option<f64>, Option<f64>) {
        let sender = self.hub.as_ref().map_or_else(|| process::cpu_seconds("self"), Served::cpu_seconds);
        (sender, self.nodes.iter().map(Served::cpu_seconds).sum())
    }
}

fn once(server: &Path, way: Way, options: &Options, streams: &Path) -> anyhow::Result<Round> {
    let mut set = Set::start(server, way, options, streams)?;
    std::thread::sleep(SETTLE);
    let watch = Watch::start(streams, options.nodes)?;
    // So that there are streams to look at.
    set.sender.send(options.luts)?;
    ensure!(
        watch.wait_for(options.luts, PATIENCE),
        "a first LUT was not on all {} streams after {PATIENCE:?}",
        options.nodes
    );
    std::thread::sleep(Duration::from_secs(1));
    let before = set.cpu();
    let begun = Instant::now();
    let mut received = Vec::with_capacity(options.luts);
    for i in 0..options.luts {
        let at = Duration::from_secs(1) * i as u32 / options.rate;
        std::thread::sleep(at.saturating_sub(begun.elapsed()));
        let sent = now();
        set.sender.send(i)?;
        received.push(if set.hub.is_some() { now() } else { sent });
    }
    watch.wait_for(options.luts - 1, TAIL);
    let after = set.cpu();
    let each = |after: Option<f64>, before: Option<f64>| Some((after? - before?) * 1e3 / options.luts as f64);
    let cpu = (each(after.0, before.0), each(after.1, before.1));
    Ok(judge(&watch, &received, options.nodes, cpu))
}

fn judge(watch: &Watch, received: &[u64], nodes: usize, cpu: (Option<f64>, Option<f64>)) -> Round {
    let mut round = Round { on_all: 0, missed: 0, last: vec![], seen: vec![], published: vec![], cpu };
    for (number, received) in received.iter().enumerate() {
        let times = watch.of(number);
        round.missed += nodes - times.len();
        if times.len() < nodes {
            continue;
        }
        round.on_all += 1;
        let seen = times.iter().map(|times| times.seen);
        round.last.extend(seen.clone().max().map(|last| ms(last.saturating_sub(*received))));
        round.seen.extend(apart(seen));
        if times.iter().all(|times| times.published.is_some()) {
            round.published.extend(apart(times.iter().filter_map(|Times { published, .. }| *published)));
        }
    }
    for times in [&mut round.last, &mut round.seen, &mut round.published] {
        times.sort_by(f64::total_cmp);
    }
    round
}

/// From the first time to the last.
fn apart(times: impl Iterator<Item = u64> + Clone) -> Option<f64> {
    Some(ms(times.clone().max()? - times.min()?))
}

fn ms(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

/// NaN where there is nothing.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// The part of all LUTs whose nodes put them on their streams within a millisecond.
fn within_1_ms(round: &Round, luts: usize) -> f64 {
    round.published.iter().filter(|apart| **apart <= 1.0).count() as f64 / luts as f64
}

fn row(name: &str, way: Way, luts: usize, rounds: &[Round]) -> Value {
    let of = |of: &dyn Fn(&Round) -> f64| median(rounds, of);
    let pair =
        |times: &dyn Fn(&Round) -> &[f64]| (of(&|r| percentile(times(r), 50)), of(&|r| percentile(times(r), 99)));
    let (on_all, missed) = (of(&|r| r.on_all as f64), of(&|r| r.missed as f64));
    let (last, seen, published) = (pair(&|r| &r.last), pair(&|r| &r.seen), pair(&|r| &r.published));
    let within = of(&|r| within_1_ms(r, luts));
    let cpu = (of(&|r| r.cpu.0.unwrap_or(f64::NAN)), of(&|r| r.cpu.1.unwrap_or(f64::NAN)));
    let lead = match way {
        Way::Cluster(lead) => Some(lead),
        Way::Relays => None,
    };
    println!(
        "{name:<8} {:>7} | {on_all:>6} {missed:>7} | {:>7.2} {:>8.2} | {:>7.3} {:>7.3} {:>6.0} % | {:>7.3} {:>8.3} | {:>6.2} {:>6.2}",
        lead.map_or("".into(), |lead| format!("+{lead} ms")),
        last.0,
        last.1,
        published.0,
        published.1,
        within * 100.0,
        seen.0,
        seen.1,
        cpu.0,
        cpu.1
    );
    let both = |(p50, p99): (f64, f64)| json!({ "p50": p50, "p99": p99 });
    json!({
        "way": name,
        "lead_ms": lead,
        "luts_on_all": on_all,
        "missed": missed,
        "to_the_last_ms": both(last),
        "first_to_last_published_ms": both(published),
        "published_within_1_ms": within,
        "first_to_last_seen_ms": both(seen),
        "cpu_ms_per_lut": { "sender": cpu.0, "nodes": cpu.1 },
    })
}
