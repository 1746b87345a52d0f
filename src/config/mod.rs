//! Settings from a file, from the environment and from the command line.
//!
//! Nothing is declared here: every long flag of a clap command is a key of the file (`max-channels = 8`), a variable
//! (`VGLB_MAX_CHANNELS=8`) and a flag (`--max-channels 8`). A later one of these three comes before an earlier one. What
//! file and environment say is put in front of the command line as arguments, so that one parser checks all of it.

mod environment;
mod error;
mod file;
mod keys;
mod merge;
mod place;

pub use error::ConfigError;
pub use keys::{Key, Keys, Kind};
pub use merge::{Given, Schema, Section, Settings, resolve};

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// The flag that names a file, and its key, which only a variable or a flag can be.
pub const FILE: &str = "config";
/// The flag that has no file read.
pub const NO_FILE: &str = "no-config";
/// The table that holds a table for each channel.
pub const CHANNEL: &str = "channel";

/// Where a setting comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody has said otherwise.
    #[default]
    Default,
    /// A line of the file.
    File {
        /// The file.
        path: Arc<PathBuf>,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A flag on the command line.
    Flag(String),
}

impl Origin {
    /// What kind of place it is: `default`, `file`, `environment` or `command line`.
    pub fn kind(&self) -> &'static str {
        match self {
            Origin::Default => "default",
            Origin::File { .. } => "file",
            Origin::Variable(_) => "environment",
            Origin::Flag(_) => "command line",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Variable(name) => f.write_str(name),
            Origin::Flag(flag) => write!(f, "--{flag}"),
        }
    }
}

/// What is said about a key in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting {
    key: String,
    value: Value,
    origin: Origin,
}

/// A value as it is written, before the flag's own parser has seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// On or off.
    Switch(bool),
    /// One value.
    One(OsString),
    /// A list of them.
    Many(Vec<OsString>),
}

impl Value {
    /// The arguments that say the same.
    fn arguments(&self, key: &str) -> Vec<OsString> {
        let argument = |value: &OsString| {
            let mut argument = OsString::from(format!("--{key}="));
            argument.push(value);
            argument
        };
        match self {
            Value::Switch(true) => vec![format!("--{key}").into()],
            Value::Switch(false) => Vec::new(),
            Value::One(value) => vec![argument(value)],
            Value::Many(values) => values.iter().map(argument).collect(),
        }
    }

    /// Whether it says something that another key may contradict.
    fn says_something(&self) -> bool {
        match self {
            Value::Switch(on) => *on,
            Value::One(_) => true,
            Value::Many(values) => !values.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests;
