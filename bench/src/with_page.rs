//! What an open page of the panel costs LUTs: the same load with a page open and with none, in turn.

use crate::load;
use crate::page::Page;
use crate::process::Served;
use crate::report::{median, scratch};
use anyhow::Context;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use virtual_gpu_lut_box::lut::GridSize;

const SIZES: [u64; 3] = [17, 33, 65];
/// A round takes a second or so: a page looks up to a dozen times in that time.
const ROUND_SECONDS: f64 = 1.0;
/// LUTs on each connection by which to tell how many that are.
const TRIED: usize = 50;
const CONNECTIONS: [usize; 2] = [1, 8];
/// What is wanted.
const GOAL: f64 = 0.95;

struct Round {
    luts_per_second: f64,
    p99_ms: f64,
    looks: u64,
}

/// Measures the program `server`, prints what came of it, and writes it to `json`.
pub fn run(server: &Path, rounds: usize, json: Option<&Path>) -> anyhow::Result<()> {
    scratch(json, |streams| measure(server, rounds, streams))
}

fn measure(server: &Path, rounds: usize, streams: &Path) -> anyhow::Result<Value> {
    let mut command = Command::new(server);
    command.args(["serve", "--no-state", "--dashboard", "127.0.0.1:0", "--port", "0"]);
    command.env("VGLB_RUNTIME_DIR", streams).env("VGLB_NO_CONFIG", "true");
    let server = Served::start(command)?;
    let line = server.wait_for("the panel is at http://")?;
    let panel = line.split("http://").nth(1).and_then(|rest| rest.trim_end_matches('/').parse().ok());
    let panel = panel.with_context(|| format!("no address in {line:?}"))?;

    println!("  N conns |   LUT/s   with a page  ratio (wanted {GOAL}) | p99 ms   with a page | looks a round");
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        for n in SIZES {
            let size = GridSize::new(n)?;
            // So that there is a LUT to look at, and memory is warm.
            let tried = load::run(server.address, size, connections, TRIED)?;
            let each = ((tried.luts_per_second * ROUND_SECONDS) as usize).div_ceil(connections).max(TRIED);
            let once = |page: bool| -> anyhow::Result<Round> {
                let page = if page { Some(Page::open(panel, "vglb-lut-bench0")?) } else { None };
                let before = page.as_ref().map_or(0, Page::looks);
                let load = load::run(server.address, size, connections, each)?;
                let looks = page.as_ref().map_or(0, Page::looks) - before;
                page.map_or(Ok(()), Page::close)?;
                let p99_ms = load.percentile(99).as_secs_f64() * 1e3;
                Ok(Round { luts_per_second: load.luts_per_second, p99_ms, looks })
            };
            let (mut without, mut with) = (Vec::new(), Vec::new());
            for round in 0..rounds {
                // Each goes first in turn: what drifts favours neither.
                for page in [round % 2 == 1, round % 2 == 0] {
                    if page { &mut with } else { &mut without }.push(once(page)?);
                }
            }
            rows.push(row(n, connections, &without, &with));
        }
    }
    Ok(json!({ "rounds": rounds, "wanted": GOAL, "loads": rows }))
}

fn row(n: u64, connections: usize, without: &[Round], with: &[Round]) -> Value {
    let pair = |of: &dyn Fn(&Round) -> f64| (median(without, of), median(with, of));
    let rate = pair(&|r| r.luts_per_second);
    let p99 = pair(&|r| r.p99_ms);
    let looks = median(with, &|r: &Round| r.looks as f64);
    println!(
        "{n:>3} {connections:>5} | {:>7.0} {:>13.0} {:>6.3}                | {:>6.2} {:>13.2} | {looks:>6.0}",
        rate.0,
        rate.1,
        rate.1 / rate.0,
        p99.0,
        p99.1
    );
    let both = |(without, with): (f64, f64)| json!({ "without": without, "with": with, "ratio": with / without });
    json!({
        "n": n,
        "connections": connections,
        "luts_per_second": both(rate),
        "p99_ms": both(p99),
        "looks": looks,
    })
}
