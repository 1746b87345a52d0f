//! `vglb record`: a server that records what reaches it.

use super::configured::Configured;
use super::serve::{self, Serve};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `record` takes.
#[derive(Args, Debug)]
pub struct Record {
    /// The recording to make; there must be no such file yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    pub(super) serve: Serve,
}

impl Record {
    /// The server that records.
    pub(super) fn into_server(self) -> Serve {
        let mut serve = self.serve;
        serve.inputs.record = Some(self.file);
        serve
    }
}

/// Serves, and records.
pub(super) fn run(args: Record, configured: &Configured) -> anyhow::Result<ExitCode> {
    serve::run(&args.into_server(), configured)
}
