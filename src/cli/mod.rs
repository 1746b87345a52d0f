//! The command line: one file for each command. Errors of all commands end up in [`main`].
//!
//! Exit codes: 0 done; 1 it failed, and stderr says why; 2 the command line or the configuration makes no sense.

pub mod apply;
#[cfg(feature = "cluster")]
mod cluster_network;
pub mod config;
mod configured;
pub mod convert;
pub mod ctl;
pub mod discover;
#[cfg(feature = "cluster")]
pub mod follow;
pub mod info;
pub mod inspect;
pub mod list;
pub mod log;
#[cfg(feature = "cluster")]
pub mod nodes;
mod output;
pub mod pattern;
pub mod play;
mod progress;
pub mod receive;
mod receive_gpu;
pub mod record;
pub mod send;
pub mod serve;
pub mod service;
pub mod state;

use crate::config::{Given, Keys};
use crate::lut::GridSize;
use crate::texture::with_main_loop;
use clap::{ArgMatches, Parser, Subcommand};
use configured::{Configured, Fault};
use std::ffi::OsString;
use std::process::ExitCode;

/// The port of the front panel unless told otherwise.
const PANEL_PORT: u16 = 8090;

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
    Serve(Box<serve::Serve>),
    /// Send LUTs to a server, as a grading application would.
    Send(send::Send),
    /// List the streams on this computer.
    List(list::List),
    /// Show, and save, what another program on this computer would receive.
    Receive(receive::Receive),
    Convert(Box<convert::Convert>),
    /// Look at a running server, and control it.
    Ctl(ctl::Ctl),
    /// List the servers on the network that announce themselves (`serve --announce`).
    Discover(discover::Discover),
    /// Put the LUTs of a cluster's hub (`serve --cluster`) on streams of this computer.
    #[cfg(feature = "cluster")]
    Follow(Box<follow::Follow>),
    /// List the hubs and nodes of a cluster, and who is behind.
    #[cfg(feature = "cluster")]
    Nodes(nodes::Nodes),
    Inspect(inspect::Inspect),
    Apply(apply::Apply),
    Pattern(pattern::PatternArgs),
    /// Serve, and record every message that arrives, for `play`.
    Record(Box<record::Record>),
    /// Send a recording's messages to a server, with their timing.
    Play(play::Play),
    /// List or forget the LUTs that are remembered for a restart.
    State(state::State),
    /// Show or check the server's settings, and where they come from.
    Config(Box<config::Config>),
    /// Have the server start by itself: as a service of systemd, a launch agent, or a task at logon.
    Service(service::Service),
    /// Show what works on this computer.
    Info(info::Info),
}

/// Runs a command line, and returns the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let (cli, resolved) = match configured::parse(&arguments) {
        Ok(parsed) => parsed,
        Err(Fault::Arguments(e, places)) => {
            // Help and version come this way as well, with code 0. A closed stdout is no reason to fail.
            let _ = e.print();
            if let Some(places) = places {
                eprintln!("note: {places}");
            }
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
        Err(Fault::Together(why)) => {
            eprintln!("error: {why}");
            return ExitCode::from(2);
        }
        Err(Fault::Settings(e)) => {
            eprintln!("error: {e}");
            return ExitCode::from(2);
        }
    };
    let configured = Configured { arguments, resolved };
    let done = match cli.command {
        None if cli.info => info::run(&info::Info { gpu: cli.serve.gpu, ..info::Info::default() }),
        None => with_main_loop(|| serve::run(&cli.serve, &configured)),
        Some(Command::Serve(args)) => with_main_loop(|| serve::run(&args, &configured)),
        Some(Command::Send(args)) => send::run(&args),
        Some(Command::List(args)) => with_main_loop(|| list::run(&args)),
        Some(Command::Receive(args)) => with_main_loop(|| receive::run(&args)),
        Some(Command::Convert(args)) => convert::run(&args),
        Some(Command::Ctl(args)) => ctl::run(&args),
        Some(Command::Discover(args)) => discover::run(&args),
        #[cfg(feature = "cluster")]
        Some(Command::Follow(args)) => with_main_loop(|| follow::run(&args)),
        #[cfg(feature = "cluster")]
        Some(Command::Nodes(args)) => nodes::run(&args),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Apply(args)) => apply::run(&args),
        Some(Command::Pattern(args)) => pattern::run(&args),
        Some(Command::Record(args)) => with_main_loop(|| record::run(*args, &configured)),
        Some(Command::Play(args)) => play::run(&args),
        Some(Command::State(args)) => state::run(&args),
        Some(Command::Config(args)) => config::run(&args, &configured.resolved),
        Some(Command::Service(args)) => service::run(&args),
        Some(Command::Info(args)) => info::run(&args),
    };
    done.unwrap_or_else(|e| {
        // A cause may have several lines, as one that shows where in a file something is wrong.
        eprintln!("error: {}", sentence(&e).lines().map(output::plain).collect::<Vec<_>>().join("\n"));
        ExitCode::FAILURE
    })
}

/// What a command line says beside these variables and the text of a file, where it makes sense; otherwise what is said of
/// it, and the exit code. For the fuzz targets.
#[doc(hidden)]
pub fn understood(
    arguments: &[OsString],
    variables: &[(OsString, OsString)],
    file: &str,
) -> Result<String, (i32, String)> {
    let given = |keys: &Keys, matches: &ArgMatches| Given::beside(keys, matches, variables, file);
    match configured::parse_beside(arguments, given) {
        Ok((cli, resolved)) => Ok(format!("{cli:?} {resolved:?}")),
        Err(Fault::Arguments(e, places)) => Err((e.exit_code(), format!("{e}{}", places.unwrap_or_default()))),
        Err(Fault::Together(why)) => Err((2, why)),
        Err(Fault::Settings(e)) => Err((2, e.to_string())),
    }
}

/// Whether `serve` would take these options; otherwise what it would say.
fn check_serve(options: &[String]) -> anyhow::Result<()> {
    let words = ["virtual-gpu-lut-box", "serve"].into_iter().map(str::to_owned).chain(options.iter().cloned());
    match Cli::try_parse_from(words) {
        Ok(_) => Ok(()),
        Err(e) => anyhow::bail!("`serve` does not take these options: {e}"),
    }
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
