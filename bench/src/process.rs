//! A server under measurement, as a process.

use anyhow::{Context, bail};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A server that runs; killed with the value.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
    /// From before its start to the first connection that it took.
    pub started_in: Duration,
    /// The lines that it prints, from where they have not been waited for.
    told: Receiver<String>,
}

/// How long a line may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

impl Served {
    /// Starts `command`, and waits for the line in which it says where it listens.
    pub fn start(command: Command) -> anyhow::Result<Served> {
        let begun = Instant::now();
        let mut served = Served::spawn(command)?;
        loop {
            let line = served.wait_for("listening on ")?;
            let address = line.split("listening on ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
            if let Some(address) = address {
                served.address = address;
                std::net::TcpStream::connect(address)?;
                served.started_in = begun.elapsed();
                return Ok(served);
            }
        }
    }

    /// Starts `command`, which listens nowhere, and waits for a line that holds `text`.
    pub fn start_until(command: Command, text: &str) -> anyhow::Result<Served> {
        let served = Served::spawn(command)?;
        served.wait_for(text)?;
        Ok(served)
    }

    fn spawn(mut command: Command) -> anyhow::Result<Served> {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("can't start a server")?;
        let (out, err) = (child.stdout.take().context("a pipe")?, child.stderr.take().context("a pipe")?);
        let (tell, told) = channel();
        for pipe in [Box::new(out) as Box<dyn std::io::Read + Send>, Box::new(err)] {
            let tell = tell.clone();
            std::thread::spawn(move || {
                // On to the end, or the server would wait for somebody to read.
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    let _ = tell.send(line);
                }
            });
        }
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Ok(Served { child, address, started_in: Duration::ZERO, told })
    }

    /// Waits for a line that holds `text`.
    pub fn wait_for(&self, text: &str) -> anyhow::Result<String> {
        let mut before = String::new();
        loop {
            match self.told.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return Ok(line),
                Ok(line) => before = before + "\n" + &line,
                Err(_) => bail!("the server did not print {text:?}, but:{before}"),
            }
        }
    }

    /// Seconds of processor time so far, where the system tells.
    pub fn cpu_seconds(&self) -> Option<f64> {
        cpu_seconds(&self.child.id().to_string())
    }

    /// `VmRSS` or `VmHWM` in MB, where the system tells.
    pub fn memory(&self, field: &str) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':'))?;
        Some(line.split_whitespace().next()?.parse::<f64>().ok()? * 1024.0 / 1e6)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of processor time so far of a process, by its number or `self`, where the system tells.
pub fn cpu_seconds(process: &str) -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before may hold anything; the fields after it are numbered from 3.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    Some((ticks(14)? + ticks(15)?) / TICKS_PER_SECOND)
}
