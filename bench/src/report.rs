//! The measurements, and the table that is made of them.

use crate::latency;
use crate::load::{self, Load};
use crate::process::Served;
use anyhow::Context;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use virtual_gpu_lut_box::lut::GridSize;

/// Grid size, and LUTs that take a fraction of a second to send.
const SIZES: [(u64, usize); 5] = [(17, 4000), (33, 2000), (64, 300), (65, 300), (128, 40)];
const CONNECTIONS: [usize; 2] = [1, 8];
const LATENCY_LUTS: usize = 300;

/// One round of one server.
struct Round {
    load: Load,
    cpu_per_1000: Option<f64>,
}

/// Measures the program `server`, prints what came of it, and writes it to `json`.
pub fn run(server: &Path, rounds: usize, json: Option<&Path>) -> anyhow::Result<()> {
    scratch(json, |streams| measure(server, rounds, streams))
}

/// Measures with a folder for streams, and writes what came of it to `json`.
pub fn scratch(json: Option<&Path>, measure: impl FnOnce(&Path) -> anyhow::Result<Value>) -> anyhow::Result<()> {
    let streams = std::env::temp_dir().join(format!("vglb-bench-{}", std::process::id()));
    let measured = measure(&streams);
    let _ = std::fs::remove_dir_all(&streams);
    let measured = measured?;
    if let Some(path) = json {
        let text = serde_json::to_string_pretty(&measured)?;
        std::fs::write(path, text).with_context(|| format!("can't write {}", path.display()))?;
    }
    Ok(())
}

fn measure(server: &Path, rounds: usize, streams: &Path) -> anyhow::Result<Value> {
    let mut command = Command::new(server);
    command.args(["serve", "--dashboard", "off", "--port", "0"]).env("VGLB_RUNTIME_DIR", streams);
    let server = Served::start(command)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("floor");
    let floor = Served::start(command)?;
    let idle = server.memory("VmRSS");
    println!("start to first connection {:.1} ms; idle memory {} MB", ms(server.started_in), shown(idle, 1));

    println!("\n  N conns |   LUT/s   floor ratio | p50 ms   floor | p99 ms   floor ratio | CPU s/1000   floor ratio");
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        for (n, luts) in SIZES {
            let size = GridSize::new(n)?;
            let (mut ours, mut floors) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                floors.push(round(&floor, size, connections, luts)?);
                ours.push(round(&server, size, connections, luts)?);
            }
            rows.push(row(n, connections, &ours, &floors));
        }
    }
    let size = GridSize::new(33)?;
    let times = latency::measure(server.address, streams, size, LATENCY_LUTS)?;
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("\n33³, last byte sent to texture seen in another process: p50 {:.3} ms, p99 {:.3} ms", ms(p50), ms(p99));
    let peak = server.memory("VmHWM");
    println!("peak memory {} MB", shown(peak, 0));
    Ok(json!({
        "rounds": rounds,
        "start_ms": ms(server.started_in),
        "idle_mb": idle,
        "peak_mb": peak,
        "visible_ms": { "p50": ms(p50), "p99": ms(p99) },
        "loads": rows,
    }))
}

fn round(served: &Served, size: GridSize, connections: usize, luts: usize) -> anyhow::Result<Round> {
    let before = served.cpu_seconds();
    let load = load::run(served.address, size, connections, luts.div_ceil(connections))?;
    let cpu = served.cpu_seconds().zip(before).map(|(after, before)| after - before);
    let cpu_per_1000 = cpu.map(|seconds| seconds * 1000.0 / load.luts as f64);
    Ok(Round { load, cpu_per_1000 })
}

fn row(n: u64, connections: usize, ours: &[Round], floors: &[Round]) -> Value {
    let pair = |of: &dyn Fn(&Round) -> f64| (median(ours, of), median(floors, of));
    let rate = pair(&|r| r.load.luts_per_second);
    let p50 = pair(&|r| ms(r.load.percentile(50)));
    let p99 = pair(&|r| ms(r.load.percentile(99)));
    let cpu = pair(&|r| r.cpu_per_1000.unwrap_or(f64::NAN));
    println!(
        "{n:>3} {connections:>5} | {:>7.0} {:>7.0} {:>5.2} | {:>6.2} {:>7.2} | {:>6.2} {:>7.2} {:>5.2} | {:>10.3} {:>7.3} {:>5.2}",
        rate.0,
        rate.1,
        rate.0 / rate.1,
        p50.0,
        p50.1,
        p99.0,
        p99.1,
        p99.0 / p99.1,
        cpu.0,
        cpu.1,
        cpu.0 / cpu.1
    );
    let both = |(ours, floor): (f64, f64)| json!({ "server": ours, "floor": floor, "ratio": ours / floor });
    json!({
        "n": n,
        "connections": connections,
        "luts_per_second": both(rate),
        "p50_ms": both(p50),
        "p99_ms": both(p99),
        "cpu_seconds_per_1000": both(cpu),
    })
}

/// The median of what `of` says of each round.
pub fn median<R>(rounds: &[R], of: &dyn Fn(&R) -> f64) -> f64 {
    let mut values: Vec<_> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or("?".into(), |v| format!("{v:.digits$}"))
}
