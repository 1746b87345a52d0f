//! The command line: one file for each command. Errors of all commands end up in [`main`].
//!
//! Exit codes: 0 done; 1 it failed, and stderr says why; 2 the command line makes no sense.

pub mod log;
pub mod serve;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// Receives 3D LUTs over OpenGradeIO and publishes each as a 32-bit float GPU texture. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "virtual-gpu-lut-box", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive LUTs from a grading application and publish them (what happens without a command).
    Serve(serve::Serve),
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
        None => serve::run(&cli.serve),
        Some(Command::Serve(args)) => serve::run(&args),
    };
    done.unwrap_or_else(|e| {
        eprintln!("error: {e:#}");
        ExitCode::FAILURE
    })
}
