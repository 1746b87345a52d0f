//! Why settings can't be used.

use super::Origin;
use std::io;
use std::path::PathBuf;

/// Settings that can't be used. The text names the place.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration file {} can't be read: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// The file is far larger than any configuration.
    #[error("the configuration file {} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that it may have.
        limit: u64,
    },
    /// The file is no TOML.
    #[error("{place}: column {column}: this is no TOML: {why}")]
    Syntax {
        /// The line.
        place: Origin,
        /// The column, from 1.
        column: usize,
        /// What the parser said.
        why: String,
    },
    /// A key that there is not.
    #[error("{place}: there is no setting {key:?}{}", did_you_mean(.nearest.as_deref()))]
    UnknownKey {
        /// Where it stands.
        place: Origin,
        /// The key.
        key: String,
        /// The key that is most like it.
        nearest: Option<String>,
    },
    /// A variable that begins like ours and is none.
    #[error(
        "there is no setting for the environment variable {name}{}",
        did_you_mean(.nearest.as_deref())
    )]
    UnknownVariable {
        /// Its name.
        name: String,
        /// The variable that is most like it.
        nearest: Option<String>,
    },
    /// A value of another kind.
    #[error("{place}: {key} {expected}, and not {given}")]
    Kind {
        /// Where it stands.
        place: Origin,
        /// The key.
        key: String,
        /// What it has to be, as `is true or false`.
        expected: String,
        /// What it is.
        given: String,
    },
    /// A value that the setting can't have.
    #[error("{place}: {key} can't be {value}: {why}")]
    Value {
        /// Where it stands.
        place: Origin,
        /// The key.
        key: String,
        /// The value, or stars where it is a secret.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// Two settings that contradict each other.
    #[error("{place}: {key} contradicts {other}, which is set by {other_place}; only one of them can be")]
    Contradiction {
        /// Where the one stands.
        place: Origin,
        /// Its key.
        key: String,
        /// The other's key.
        other: String,
        /// Where it stands.
        other_place: Origin,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; the nearest is {name}")).unwrap_or_default()
}
