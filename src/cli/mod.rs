//! The command line: one file for each command. Errors of all commands end up in [`main`].
//!
//! Exit codes: 0 done; 1 it failed, and stderr says why; 2 the command line makes no sense.

pub mod apply;
pub mod convert;
pub mod info;
pub mod list;
pub mod log;
mod output;
pub mod pattern;
mod progress;
pub mod receive;
mod receive_gpu;
pub mod send;
pub mod serve;
pub mod state;

use crate::lut::GridSize;
use crate::texture::with_main_loop;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// Receives 3D LUTs over OpenGradeIO and publishes each as a 32-bit float GPU texture. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "virtual-gpu-lut-box", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Show what works on this computer, and exit (same as the command `info`)
    #[arg(long)]
    info: bool,
    #[command(flatten)]
    serve: serve::Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive LUTs from a grading application and publish them (what happens without a command).
    Serve(serve::Serve),
    /// Send LUTs to a server, as a grading application would.
    Send(send::Send),
    /// List the streams on this computer.
    List(list::List),
    /// Show, and save, what another program on this computer would receive.
    Receive(receive::Receive),
    Convert(convert::Convert),
    Apply(apply::Apply),
    Pattern(pattern::PatternArgs),
    /// List or forget the LUTs that are remembered for a restart.
    State(state::State),
    /// Show what works on this computer.
    Info(info::Info),
}

/// Runs a command line, and returns the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version come this way as well, with code 0. A closed stdout is no reason to fail.
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    let done = match cli.command {
        None if cli.info => info::run(&info::Info { gpu: cli.serve.gpu, ..info::Info::default() }),
        None => with_main_loop(|| serve::run(&cli.serve)),
        Some(Command::Serve(args)) => with_main_loop(|| serve::run(&args)),
        Some(Command::Send(args)) => send::run(&args),
        Some(Command::List(args)) => with_main_loop(|| list::run(&args)),
        Some(Command::Receive(args)) => with_main_loop(|| receive::run(&args)),
        Some(Command::Convert(args)) => convert::run(&args),
        Some(Command::Apply(args)) => apply::run(&args),
        Some(Command::Pattern(args)) => pattern::run(&args),
        Some(Command::State(args)) => state::run(&args),
        Some(Command::Info(args)) => info::run(&args),
    };
    done.unwrap_or_else(|e| {
        eprintln!("error: {}", sentence(&e));
        ExitCode::FAILURE
    })
}

/// An error and its causes in one line. Errors that name their cause themselves do not have it said twice.
fn sentence(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, next| match said.as_str() {
        "" => next,
        _ if said.ends_with(&next) => said,
        _ => format!("{said}: {next}"),
    })
}

/// A grid size on the command line.
fn grid_size(text: &str) -> Result<GridSize, String> {
    let n = text.parse().map_err(|_| "a grid size is a whole number".to_owned())?;
    GridSize::new(n).map_err(|e| e.to_string())
}

/// A time in seconds on the command line.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(s) if s > 0.0 && s <= 1e9 => Ok(s),
        _ => Err("a time is a number of seconds above 0".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_cause_is_said_once() {
        let inner = || std::io::Error::other("no room");
        let named = crate::texture::TextureError::io("can't open /a", inner());
        let error = Err::<(), _>(named).context("can't share textures").unwrap_err();
        assert_eq!(sentence(&error), "can't share textures: can't open /a: no room");
        let plain = Err::<(), _>(inner()).context("can't watch for signals").unwrap_err();
        assert_eq!(sentence(&plain), "can't watch for signals: no room");
    }
}
