//! OpenGradeIO on the wire.
//!
//! A message is one BSON document; BSON's own length prefix frames it. [`message`] reads documents a field at a time
//! with every length checked, so that nothing is allocated on the word of a peer and `lutData` can be handed on while
//! it arrives. [`request`] knows what the fields mean, [`reply`] what is answered, and [`client`] is the other side.
//!
//! `docs/protocol.md` describes the protocol.

pub mod client;
pub mod document;
mod live_limits;
pub mod message;
pub mod reply;
pub mod request;

pub use live_limits::LiveLimits;

use crate::lut::GridSize;
use std::io;
use std::time::Duration;

/// What a peer may ask for, in bytes and seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireLimits {
    /// The longest message in bytes, its length prefix included. Default: what a 128³ LUT needs, 32 MiB + 64 KiB.
    pub message_bytes: usize,
    /// How long a peer may be silent in the middle of a message.
    pub silence: Duration,
    /// The largest LUT taken. Default: any that a texture holds.
    pub lut_size: GridSize,
    /// How long a peer may be silent between messages. Default: for ever.
    pub idle: Option<Duration>,
    /// How long one message may take in all, however steadily it trickles in.
    pub message_time: Duration,
}

impl WireLimits {
    /// The read time-out that a source has to have.
    pub fn tick(&self) -> Duration {
        // A silent client's message may not take longer than one that trickles.
        let within = self.silence.min(self.message_time);
        self.idle.map_or(within, |idle| idle.min(within))
    }
}

impl Default for WireLimits {
    fn default() -> Self {
        WireLimits {
            message_bytes: (32 << 20) + (64 << 10),
            silence: Duration::from_secs(30),
            lut_size: GridSize::MAX,
            idle: None,
            message_time: Duration::from_secs(300),
        }
    }
}

/// Why no further message can be read from a connection.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The peer closed the connection in the middle of a message.
    #[error("the connection was closed in the middle of a message, after {received} of {length} bytes")]
    Truncated {
        /// Bytes that arrived.
        received: usize,
        /// Bytes that the message claims.
        length: usize,
    },
    /// The peer fell silent in the middle of a message.
    #[error("no data for {} s in the middle of a message, after {received} of {length} bytes", silence.as_secs_f32())]
    Silent {
        /// Bytes that arrived.
        received: usize,
        /// Bytes that the message claims.
        length: usize,
        /// The limit.
        silence: Duration,
    },
    /// The peer was silent between messages.
    #[error("nothing was sent for {} s; this server closes connections that are silent for so long", limit.as_secs_f32())]
    Idle {
        /// The limit.
        limit: Duration,
    },
    /// The message takes too long in all.
    #[error("a message took longer than {} s: {received} of {length} bytes arrived", limit.as_secs_f32())]
    TooSlow {
        /// Bytes that arrived.
        received: usize,
        /// Bytes that the message claims.
        length: usize,
        /// The limit.
        limit: Duration,
    },
    /// The message cannot be framed, or is no BSON document, or a field has a type it cannot have.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

/// A message from which no next message can be found, or whose fields have impossible types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A BSON document is at least 5 bytes long.
    #[error("a message length of {0} bytes is impossible: a BSON document has at least 5")]
    Length(i32),
    /// Longer than this server takes.
    #[error("a message of {length} bytes is over this server's limit of {limit} bytes")]
    TooLong {
        /// Bytes claimed.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The bytes are not BSON.
    #[error("the message is not a BSON document: {what} at byte {at}")]
    NotBson {
        /// What is wrong.
        what: String,
        /// Offset in the message.
        at: usize,
    },
    /// Documents inside documents inside documents.
    #[error("the message nests documents more than {0} deep")]
    TooDeep(usize),
    /// A known field of a type it cannot have.
    #[error("field {field:?} is {found}; it must be {wanted}")]
    WrongType {
        /// The field.
        field: &'static str,
        /// The BSON type found.
        found: &'static str,
        /// The BSON types that would be right.
        wanted: &'static str,
    },
    /// A known field that stands there twice.
    #[error("field {0:?} stands in the message twice")]
    Twice(&'static str),
}

#[cfg(test)]
mod tests;
