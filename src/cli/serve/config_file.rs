//! Where settings are read from beside the command line.

use clap::Args;
use std::path::PathBuf;

/// What `serve` takes about its configuration. It is `crate::config` that acts on it, before the rest is parsed.
#[derive(Args, Debug)]
pub struct ConfigFile {
    /// Read settings from this TOML file, where it is not the usual one; any long flag here is a key there
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Read no file
    #[arg(long)]
    no_config: bool,
}
