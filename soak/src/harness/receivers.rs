//! Receivers: processes that look at every texture of a stream, and can be killed at any time.

use super::ledger::{Ledger, OWNED, stream_name};
use super::mark::Mark;
use anyhow::Context;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use virtual_gpu_lut_box::texture::linux::LinuxBackend;
use virtual_gpu_lut_box::texture::{Event, Frame, TextureBackend, TextureError};

/// All receivers of a soak.
pub struct Receivers {
    ledger: Arc<Ledger>,
    streams: PathBuf,
    children: Vec<Child>,
    pub killed: u64,
}

const RECEIVERS: usize = 8;

impl Receivers {
    pub fn new(ledger: &Arc<Ledger>, streams: &Path) -> Receivers {
        Receivers { ledger: ledger.clone(), streams: streams.to_owned(), children: Vec::new(), killed: 0 }
    }

    /// Starts as many as there are to be.
    pub fn fill(&mut self, random: &mut fastrand::Rng) -> anyhow::Result<()> {
        while self.children.len() < RECEIVERS {
            let channel = random.u16(..OWNED + 2);
            let mut command = Command::new(std::env::current_exe()?);
            // On a channel that several clients send on, LUTs may come in another order than they were sent in.
            let owned = if channel < OWNED { channel.to_string() } else { "any".into() };
            command.args(["--receive", &stream_name(channel), &owned]);
            command.env("VGLB_RUNTIME_DIR", &self.streams).stdin(Stdio::null()).stdout(Stdio::piped());
            let mut child = command.spawn().context("can't start a receiver")?;
            let pipe = child.stdout.take().context("a pipe")?;
            let ledger = self.ledger.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    hear(&ledger, &line);
                }
            });
            self.children.push(child);
        }
        Ok(())
    }

    /// Kills one, wherever it is.
    pub fn kill_one(&mut self, random: &mut fastrand::Rng) {
        if !self.children.is_empty() {
            let mut child = self.children.swap_remove(random.usize(..self.children.len()));
            let _ = child.kill();
            let _ = child.wait();
            self.killed += 1;
        }
    }

    pub fn kill_all(&mut self, random: &mut fastrand::Rng) {
        while !self.children.is_empty() {
            self.kill_one(random);
        }
    }

    /// Those that ended by themselves should not have.
    pub fn check(&mut self) {
        let ledger = self.ledger.clone();
        self.children.retain_mut(|child| match child.try_wait() {
            Ok(None) => true,
            ended => {
                ledger.breach(format!("a receiver ended by itself: {ended:?}"));
                false
            }
        });
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        self.kill_all(&mut fastrand::Rng::new());
    }
}

fn hear(ledger: &Ledger, line: &str) {
    match line.split_once(' ') {
        Some(("frames", number)) => {
            ledger.counts.frames.fetch_add(number.parse().unwrap_or(0), SeqCst);
        }
        // A server that was just killed, and one without descriptors, can leave a receiver without an answer.
        Some(("fault", what)) => {
            if ledger.is_settled() && !ledger.is_short_of_fds() {
                ledger.breach(format!("a receiver: {what}"));
            }
        }
        _ => ledger.breach(format!("a receiver: {line}")),
    }
}

/// The receiver's side: looks at every texture, and says what it has seen. `channel`: the only one whose LUTs, ever newer
/// ones, may be seen.
pub fn receive(stream: &str, channel: Option<u16>) -> anyhow::Result<ExitCode> {
    let backend = LinuxBackend::default();
    let mut out = std::io::stdout();
    let mut frame = Frame::default();
    loop {
        match backend.open(stream) {
            Ok(mut receiver) => {
                let (mut frames, mut last) = (0, (0, 0));
                loop {
                    let event = receiver.wait(Some(Duration::from_millis(500)));
                    let read = match event {
                        Ok(Event::Frame) => receiver.read(&mut frame),
                        Ok(Event::TimedOut) => {
                            writeln!(out, "frames {}", std::mem::take(&mut frames))?;
                            continue;
                        }
                        Ok(Event::Ended) | Err(TextureError::Ended) => break,
                        Err(e) => Err(e),
                    };
                    match read {
                        Ok(()) => {}
                        Err(TextureError::Ended) => break,
                        Err(e) => {
                            writeln!(out, "fault {stream}: {e}")?;
                            break;
                        }
                    }
                    frames += 1;
                    if let Err(why) = look(&frame, channel, &mut last) {
                        writeln!(out, "breach {stream}, revision {}: {why}", frame.revision)?;
                    }
                    if frames == 50 {
                        writeln!(out, "frames {}", std::mem::take(&mut frames))?;
                    }
                }
                writeln!(out, "frames {frames}")?;
            }
            Err(TextureError::NoSuchStream { .. }) => {
                writeln!(out, "frames 0")?;
                backend.wait_for_stream(stream, Some(Duration::from_millis(500)))?;
            }
            Err(e) => {
                writeln!(out, "fault {stream}: {e}")?;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// A texture is whole, of its channel, and newer than the one before.
fn look(frame: &Frame, channel: Option<u16>, last: &mut (u64, u32)) -> Result<(), String> {
    let mark = Mark::of(frame)?;
    let (revision, number) = *last;
    *last = (frame.revision, mark.number);
    if frame.revision <= revision {
        return Err(format!("it came after revision {revision}"));
    }
    match channel {
        Some(channel) if mark.channel != channel => Err(format!("it is of channel {}", mark.channel)),
        Some(_) if mark.number < number => Err(format!("LUT {} came after LUT {number}", mark.number)),
        _ => Ok(()),
    }
}
