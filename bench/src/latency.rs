//! How long after the last byte of a LUT another process sees its texture.
//!
//! The last byte of each message is held back until everything before it has been taken. A second process waits on the
//! stream, and says for each texture that it sees when that was, by a clock that all processes share. The time before
//! the last byte is written to then is counted: a little more than the server's own part.

use crate::load;
use anyhow::{Context, ensure};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use virtual_gpu_lut_box::lut::GridSize;
use virtual_gpu_lut_box::texture::{self, Event, Frame};

const CHANNEL: &str = "bench-latency";

/// The other process: prints a line for each texture that it sees.
pub fn watch() -> anyhow::Result<()> {
    let stream = format!("vglb-lut-{CHANNEL}");
    let backend = texture::choose("auto")?;
    ensure!(backend.wait_for_stream(&stream, Some(Duration::from_secs(30)))?, "no stream {stream:?}");
    let (mut receiver, mut frame) = (backend.open(&stream)?, Frame::default());
    loop {
        match receiver.wait(None)? {
            Event::Frame => {
                let now = now();
                receiver.read(&mut frame)?;
                println!("{} {}", frame.revision, now.as_nanos());
            }
            Event::Ended => return Ok(()),
            Event::TimedOut => {}
        }
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Sends `count` LUTs, one at a time; returns the times to their being seen, sorted.
pub fn measure(to: SocketAddr, streams: &Path, size: GridSize, count: usize) -> anyhow::Result<Vec<Duration>> {
    let messages = load::messages(size, CHANNEL);
    let mut stream = load::connect(to)?;
    stream.write_all(&messages[0])?;
    load::answered(&mut stream)?;
    let mut watcher = Command::new(std::env::current_exe()?)
        .arg("watch")
        .env("VGLB_RUNTIME_DIR", streams)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut seen = BufReader::new(watcher.stdout.take().context("a pipe")?).lines();
    let mut next = |revision: usize| -> anyhow::Result<Duration> {
        loop {
            let line = seen.next().context("the watcher has ended")??;
            let (of, at) = line.split_once(' ').context("two numbers")?;
            if of.parse::<usize>()? == revision {
                return Ok(Duration::from_nanos(at.parse()?));
            }
        }
    };
    next(1)?;
    let mut times = Vec::with_capacity(count);
    for i in 0..count {
        let (last, rest) = messages[i % 2].split_last().context("a message")?;
        stream.write_all(rest)?;
        std::thread::sleep(Duration::from_millis(3));
        let sent = now();
        stream.write_all(std::slice::from_ref(last))?;
        load::answered(&mut stream)?;
        times.push(next(i + 2)?.saturating_sub(sent));
    }
    let _ = watcher.kill();
    watcher.wait()?;
    times.sort_unstable();
    Ok(times)
}
