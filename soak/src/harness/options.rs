//! The command line.

use lexopt::prelude::*;
use std::path::PathBuf;
use std::time::Duration;

pub const USAGE: &str = "\
Puts a server under clients, receivers and faults, and checks what it promises all along.

Usage: vglb-soak --program VGLB [--seconds S | --minutes M] [--seed N] [--keep]

  --program VGLB  the program to try
  --minutes M     how long (1)
  --seconds S     the same in seconds
  --seed N        what happens when; printed at the end, and other each time where it is not given
  --keep          leaves the folder with the server's logs behind
";

/// What was asked for.
pub enum Request {
    Help,
    Receive { stream: String, channel: Option<u16> },
    Soak(Options),
}

/// How to soak.
#[derive(Clone, Debug)]
pub struct Options {
    pub program: PathBuf,
    pub time: Duration,
    pub seed: u64,
    pub keep: bool,
}

pub fn parse(mut parser: lexopt::Parser) -> Result<Request, lexopt::Error> {
    let (mut program, mut time, mut seed, mut keep) = (None, Duration::from_secs(60), None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("program") => program = Some(PathBuf::from(parser.value()?)),
            Long("seconds") => time = Duration::from_secs(parser.value()?.parse()?),
            Long("minutes") => time = Duration::from_secs(60 * parser.value()?.parse::<u64>()?),
            Long("seed") => seed = Some(parser.value()?.parse()?),
            Long("keep") => keep = true,
            Long("receive") => {
                let stream = parser.value()?.string()?;
                let channel = parser.value()?.string()?;
                return Ok(Request::Receive { stream, channel: channel.parse().ok() });
            }
            other => return Err(other.unexpected()),
        }
    }
    let program = program.ok_or("--program says which server to try")?;
    Ok(Request::Soak(Options { program, time, seed: seed.unwrap_or_else(|| fastrand::u64(..)), keep }))
}
