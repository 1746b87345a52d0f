//! Recordings: the messages that reached a server, with their times, in a file.
//!
//! | module | job |
//! | --- | --- |
//! | [`mod@format`] | the file's records, and how messages are packed |
//! | [`mod@write`] | a thread that writes while a server runs |
//! | [`mod@tap`] | listens in on a connection |
//! | [`mod@read`] | reads a recording back |
//!
//! `docs/recording.md` describes the file.

pub mod format;
pub mod read;
pub mod tap;
pub mod write;

pub use format::{Entry, Event};
pub use read::{ReadError, Recording};
pub use tap::Tapped;
pub use write::Recorder;

#[cfg(test)]
mod tests;
