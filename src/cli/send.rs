//! `vglb send`: plays the part of the grading application.

mod watch;

use super::output::{line, plain};
use crate::hald::{EntryOrder, Layout};
use crate::lut::file::{self, ReadOptions};
use crate::lut::{Bake, GridSize, Lut3d, moving_grade};
use crate::wire::client::{Client, set_lut};
use crate::wire::reply::Reply;
use anyhow::{Context, bail};
use clap::{ArgGroup, Args};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What `send` takes.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").required(true).args(["file", "identity", "moving"]))]
pub struct Send {
    /// A LUT file to send, of any format that `vglb convert` reads
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Send the file again whenever it changes, until Ctrl-C
    #[arg(long, requires = "file")]
    watch: bool,
    /// Evaluate a file's 1D LUT, or a domain other than 0 to 1, into one 3D LUT
    #[arg(long, requires = "file")]
    bake: bool,
    /// Grid size to bake at (default: the file's own, at least 33)
    #[arg(long, value_name = "N", requires = "bake", value_parser = super::grid_size)]
    size: Option<GridSize>,
    /// Layout of a strip file: vglb, unreal, unity, hald-clut [default: hald-clut for a square image, else vglb]
    #[arg(long, value_name = "LAYOUT")]
    from_layout: Option<Layout>,
    /// Send the identity LUT of this grid size
    #[arg(long, value_name = "N", value_parser = super::grid_size)]
    identity: Option<GridSize>,
    /// Send a test grade of this grid size that moves, until Ctrl-C or --count
    #[arg(long, value_name = "N", value_parser = super::grid_size, num_args = 0..=1, default_missing_value = "33")]
    moving: Option<GridSize>,
    /// LUTs per second of a moving grade
    #[arg(long, default_value_t = 24.0, value_name = "RATE", value_parser = rate)]
    rate: f64,
    /// How many LUTs to send (default: 1; of a moving grade or a watched file, no end)
    #[arg(long, value_name = "COUNT")]
    count: Option<u64>,
    /// The channel; without it the LUT goes to the server's base stream
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// The server's host name or address
    #[arg(long, default_value = "127.0.0.1", value_name = "HOST")]
    host: String,
    /// The server's TCP port
    #[arg(long, default_value_t = 8089, value_name = "PORT")]
    port: u16,
    /// The order in which to list entries: blue-fastest, red-fastest
    #[arg(long, default_value = "blue-fastest", value_name = "ORDER")]
    entry_order: EntryOrder,
    /// Seconds to wait for the server
    #[arg(long, default_value_t = 5.0, value_name = "SECONDS", value_parser = super::seconds)]
    timeout: f64,
}

/// Sends, and tells whether everything was accepted.
pub fn run(args: &Send) -> anyhow::Result<ExitCode> {
    if let (true, Some(file)) = (args.watch, &args.file) {
        return watch::run(args, file, read_options(args));
    }
    let mut client = Client::connect(&args.host, args.port, Duration::from_secs_f64(args.timeout))?;
    let mut tally = Tally::default();
    if let Some(size) = args.moving {
        send_moving(args, size, &mut client, &mut tally)?;
        tally.show()?;
    } else {
        let (lut, what) = still(args)?;
        let message = set_lut(args.channel.as_deref(), &lut, args.entry_order);
        for _ in 0..args.count.unwrap_or(1) {
            let took = tally.send(&mut client, &message)?;
            if let Some(took) = took {
                line(format_args!("accepted: {what}{} in {:.2} ms", on(args), took.as_secs_f64() * 1e3))?;
            }
        }
    }
    Ok(if tally.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The LUT that does not move, and what to call it.
fn still(args: &Send) -> anyhow::Result<(Lut3d, String)> {
    if let Some(size) = args.identity {
        return Ok((Lut3d::identity(size), format!("{size}³ identity")));
    }
    let Some(file) = &args.file else { bail!("nothing to send: name a LUT file, --identity N or --moving") };
    let read = file::read(file, &read_options(args))?;
    for note in &read.notes {
        eprintln!("note: {note}");
    }
    let what = format!("{} ({}³)", file.display(), read.lut.size());
    Ok((read.lut, what))
}

fn read_options(args: &Send) -> ReadOptions {
    let bake = if args.bake { Bake::Yes { size: args.size } } else { Bake::No };
    ReadOptions { bake, layout: args.from_layout, ..ReadOptions::default() }
}

fn send_moving(args: &Send, size: GridSize, client: &mut Client, tally: &mut Tally) -> anyhow::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    crate::texture::when_told_to_end(move || seen.store(true, Ordering::Relaxed)).context("can't watch for signals")?;
    let begun = Instant::now();
    let mut shown = begun;
    let count = args.count.unwrap_or(u64::MAX);
    line(format_args!("sending a moving {size}³ grade{}, {} LUT/s; Ctrl-C ends it", on(args), args.rate))?;
    for i in 0..count {
        let due = Duration::from_secs_f64(i as f64 / args.rate);
        while begun.elapsed() < due && !stop.load(Ordering::Relaxed) {
            // In short naps, so that Ctrl-C is heard at low rates too.
            thread::sleep((due - begun.elapsed().min(due)).min(Duration::from_millis(100)));
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let lut = moving_grade(size, due.as_secs_f64());
        tally.send(client, &set_lut(args.channel.as_deref(), &lut, args.entry_order))?;
        if shown.elapsed() > Duration::from_secs(1) {
            tally.show()?;
            shown = Instant::now();
        }
    }
    Ok(())
}

fn on(args: &Send) -> String {
    args.channel.as_ref().map_or_else(String::new, |c| format!(" on channel {c:?}"))
}

/// What the server said, and how long it took.
#[derive(Default)]
struct Tally {
    accepted: u64,
    refused: u64,
    slowest: Duration,
    total: Duration,
}

impl Tally {
    /// Sends one message; `None` where it was refused. The time is from the first byte sent to the whole reply.
    fn send(&mut self, client: &mut Client, message: &[u8]) -> anyhow::Result<Option<Duration>> {
        let begun = Instant::now();
        match client.request(message)? {
            Reply::Ok => {
                let took = begun.elapsed();
                self.accepted += 1;
                self.total += took;
                self.slowest = self.slowest.max(took);
                Ok(Some(took))
            }
            Reply::Error(why) => {
                self.refused += 1;
                eprintln!("refused: {}", plain(&why));
                Ok(None)
            }
        }
    }

    fn show(&self) -> anyhow::Result<()> {
        let mean = self.total.as_secs_f64() * 1e3 / self.accepted.max(1) as f64;
        let slowest = self.slowest.as_secs_f64() * 1e3;
        let (accepted, refused) = (self.accepted, self.refused);
        line(format_args!(
            "{accepted} accepted, {refused} refused; latency mean {mean:.2} ms, slowest {slowest:.2} ms"
        ))?;
        Ok(())
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e6 => Ok(rate),
        _ => Err("a rate is a number of LUTs per second above 0, up to 1000000".into()),
    }
}
