//! Clients that send one LUT after another, and time the answers.

use crate::floor::OK;
use anyhow::{Context, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::hald::EntryOrder;
use virtual_gpu_lut_box::lut::{GridSize, Lut3d};
use virtual_gpu_lut_box::wire::client;

const PATIENCE: Duration = Duration::from_secs(30);
const WARM_UP: usize = 4;

/// What was measured.
pub struct Load {
    pub luts: usize,
    pub luts_per_second: f64,
    /// From before a message is written to its answer, sorted.
    pub latencies: Vec<Duration>,
}

impl Load {
    pub fn percentile(&self, percent: usize) -> Duration {
        self.latencies[(self.latencies.len() * percent / 100).min(self.latencies.len() - 1)]
    }
}

/// Two grades that differ in every entry but the ends of the axes.
pub fn messages(size: GridSize, channel: &str) -> [Vec<u8>; 2] {
    let identity = Lut3d::identity(size);
    let warm = Lut3d::from_fn(size, |p| {
        let [r, g, b] = identity.at(p);
        [r.sqrt() * 1.1, g, b * 0.8]
    });
    [&identity, &warm].map(|lut| client::set_lut(Some(channel), lut, EntryOrder::BlueFastest))
}

/// `connections` clients, each with a channel of its own, send `each` LUTs.
pub fn run(to: SocketAddr, size: GridSize, connections: usize, each: usize) -> anyhow::Result<Load> {
    let start = Barrier::new(connections);
    let all = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..connections)
            .map(|i| {
                let (messages, start) = (messages(size, &format!("bench{i}")), &start);
                scope.spawn(move || one(to, &messages, each, start))
            })
            .collect();
        clients.into_iter().map(|c| c.join().expect("a client that does not panic")).collect::<anyhow::Result<Vec<_>>>()
    })?;
    let begun = all.iter().map(|(at, ..)| *at).min().context("at least one connection")?;
    let ended = all.iter().map(|(_, at, _)| *at).max().context("at least one connection")?;
    let mut latencies: Vec<_> = all.into_iter().flat_map(|(_, _, l)| l).collect();
    latencies.sort_unstable();
    let luts = latencies.len();
    Ok(Load { luts, luts_per_second: luts as f64 / (ended - begun).as_secs_f64(), latencies })
}

type Measured = (Instant, Instant, Vec<Duration>);

fn one(to: SocketAddr, messages: &[Vec<u8>; 2], each: usize, start: &Barrier) -> anyhow::Result<Measured> {
    let ready = connect(to)
        .and_then(|mut stream| (0..WARM_UP).try_for_each(|i| send(&mut stream, &messages[i % 2])).map(|()| stream));
    // In any case, or the others would wait for ever.
    start.wait();
    let mut stream = ready?;
    let begun = Instant::now();
    let mut latencies = Vec::with_capacity(each);
    for i in 0..each {
        let sent = Instant::now();
        send(&mut stream, &messages[i % 2])?;
        latencies.push(sent.elapsed());
    }
    Ok((begun, Instant::now(), latencies))
}

pub fn connect(to: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends a message, and waits for the answer that all is well.
pub fn send(stream: &mut TcpStream, message: &[u8]) -> anyhow::Result<()> {
    stream.write_all(message)?;
    answered(stream)
}

/// Reads the answer that all is well.
pub fn answered(stream: &mut TcpStream) -> anyhow::Result<()> {
    let mut reply = [0; OK.len()];
    stream.read_exact(&mut reply)?;
    ensure!(reply == OK, "the server refused a LUT");
    Ok(())
}
