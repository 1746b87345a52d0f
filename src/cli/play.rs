//! `vglb play`: sends a recording's messages again, with their timing.

use super::output::{line, plain};
use crate::recording::{Event, ReadError, Recording};
use crate::wire::client::Client;
use crate::wire::message::MessageReader;
use crate::wire::reply::Reply;
use crate::wire::request::{Payload, Request};
use crate::wire::{WireError, WireLimits};
use anyhow::{Context, bail};
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What `play` takes.
#[derive(Args, Debug)]
pub struct Play {
    /// A recording, as `vglb record` makes it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// So many times as fast as it was recorded
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = factor)]
    speed: f64,
    /// Begin again at the end, until Ctrl-C
    #[arg(long = "loop")]
    endless: bool,
    /// Show what is in the recording, and send nothing
    #[arg(long, conflicts_with_all = ["speed", "endless", "host", "port", "timeout"])]
    list: bool,
    /// The server's host name or address
    #[arg(long, default_value = "127.0.0.1", value_name = "HOST")]
    host: String,
    /// The server's TCP port
    #[arg(long, default_value_t = 8089, value_name = "PORT")]
    port: u16,
    /// Seconds to wait for the server
    #[arg(long, default_value_t = 5.0, value_name = "SECONDS", value_parser = super::seconds)]
    timeout: f64,
}

/// Plays, and tells whether everything was accepted.
pub fn run(args: &Play) -> anyhow::Result<ExitCode> {
    let named = || args.file.display().to_string();
    if args.list {
        list(args).with_context(named)?;
        return Ok(ExitCode::SUCCESS);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    crate::texture::when_told_to_end(move || seen.store(true, Ordering::Relaxed)).context("can't watch for signals")?;
    let mut player = Player { args, stop, clients: BTreeMap::new(), sent: 0, refused: 0, passed_over: 0 };
    loop {
        let before = player.sent;
        player.once().with_context(named)?;
        if !args.endless || player.stopped() {
            break;
        }
        if player.sent == before {
            bail!("{}: there is no message in it to play over and over", named());
        }
    }
    let Player { sent, refused, passed_over, .. } = player;
    line(format_args!("{sent} messages sent, {refused} refused"))?;
    if passed_over > 0 {
        eprintln!("note: {passed_over} broken messages of the recording were not sent");
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Player<'a> {
    args: &'a Play,
    stop: Arc<AtomicBool>,
    /// A connection for each of the recording.
    clients: BTreeMap<u32, Client>,
    sent: u64,
    refused: u64,
    passed_over: u64,
}

impl Player<'_> {
    fn once(&mut self) -> anyhow::Result<()> {
        self.clients.clear();
        let recording = Recording::open(&self.args.file)?;
        let begun = Instant::now();
        // The time before the first message is nobody's wish.
        let mut first = None;
        for entry in recording {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => return told(e),
            };
            let due = (entry.at.saturating_sub(*first.get_or_insert(entry.at))).div_f64(self.args.speed);
            match entry.event {
                Event::Message(message) => {
                    if !self.wait(begun, due) {
                        return Ok(());
                    }
                    self.send(entry.connection, &message)?;
                }
                Event::Broken(_) => self.passed_over += 1,
                Event::Lost(count) => eprintln!("note: {count} messages are missing in the recording here"),
                Event::End => drop(self.clients.remove(&entry.connection)),
            }
        }
        Ok(())
    }

    fn send(&mut self, connection: u32, message: &[u8]) -> anyhow::Result<()> {
        let client = match self.clients.entry(connection) {
            std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => free.insert(Client::connect(
                &self.args.host,
                self.args.port,
                Duration::from_secs_f64(self.args.timeout),
            )?),
        };
        self.sent += 1;
        if let Reply::Error(why) = client.request(message)? {
            self.refused += 1;
            eprintln!("refused: {}", plain(&why));
        }
        Ok(())
    }

    /// Waits until it is time; `false` where it is time to end.
    fn wait(&self, begun: Instant, due: Duration) -> bool {
        while !self.stopped() {
            match due.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
                None => return true,
                // In short naps, so that Ctrl-C is heard.
                Some(left) => thread::sleep(left.min(Duration::from_millis(100))),
            }
        }
        false
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A recording whose end is missing is played as far as it goes.
fn told(error: ReadError) -> anyhow::Result<()> {
    match error {
        ReadError::CutOff { .. } | ReadError::Damaged { .. } => {
            eprintln!("note: {error}");
            Ok(())
        }
        other => Err(other.into()),
    }
}

fn list(args: &Play) -> anyhow::Result<()> {
    for entry in Recording::open(&args.file)? {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => return told(e),
        };
        let what = match &entry.event {
            Event::Message(message) => describe(message),
            Event::Broken(bytes) => format!("{} bytes of a broken message", bytes.len()),
            Event::Lost(count) => format!("{count} messages are missing"),
            Event::End => "the end of the connection".to_owned(),
        };
        line(format_args!("{:12.6} s  connection {}: {what}", entry.at.as_secs_f64(), entry.connection))?;
    }
    Ok(())
}

fn describe(message: &[u8]) -> String {
    struct Nothing;
    impl Payload for Nothing {
        fn begin(&mut self, _: &Request, _: usize) {}
        fn entries(&mut self, _: &[crate::hald::Texel]) {}
    }
    let mut request = Request::default();
    let limits = WireLimits { message_bytes: message.len(), ..WireLimits::default() };
    let mut reader = MessageReader::new(message, limits);
    let mut read = || -> Result<(), WireError> {
        match reader.next_message()? {
            Some(mut message) => request.read(&mut message, &mut Nothing),
            None => Ok(()),
        }
    };
    let bytes = message.len();
    match read() {
        Ok(()) => {
            let command = request.command().unwrap_or("no command");
            let channel = crate::sink::ChannelId::new(request.channel());
            format!("{command:?} on {channel}, {bytes} bytes ({})", request.metadata)
        }
        Err(e) => format!("{bytes} bytes: {e}"),
    }
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (1e-3..=1e6).contains(&factor) => Ok(factor),
        _ => Err("a speed is a factor from 0.001 to 1000000; 2 is twice as fast".into()),
    }
}
