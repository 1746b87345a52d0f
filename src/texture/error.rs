use crate::hald::ShapeError;
use std::io;

/// Why a texture could not be shared or received.
#[derive(Debug, thiserror::Error)]
pub enum TextureError {
    /// This way of sharing does not exist on this computer. Not a fault.
    #[error("{0}")]
    Unavailable(String),
    /// The LUT has no texture in this layout.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The platform cannot carry a stream of this name.
    #[error("the stream name {stream:?} can't be used: {why}")]
    InvalidName {
        /// The name.
        stream: String,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// Another living sender has the name.
    #[error("the stream {stream:?} is already published by {owner}")]
    NameTaken {
        /// The name.
        stream: String,
        /// Who has it.
        owner: String,
    },
    /// There is nothing to receive under this name.
    #[error("there is no stream {stream:?}; {present}")]
    NoSuchStream {
        /// The name.
        stream: String,
        /// The streams there are, as a clause.
        present: String,
    },
    /// The sender refused this receiver.
    #[error("the sender of {stream:?} refused this receiver: {why}")]
    Refused {
        /// The stream.
        stream: String,
        /// What it said.
        why: String,
    },
    /// There is no memory for another texture.
    #[error("no memory for a texture of {bytes} bytes ({why})")]
    OutOfMemory {
        /// Bytes asked for.
        bytes: usize,
        /// What the system said.
        why: String,
    },
    /// The stream has ended.
    #[error("the stream has ended")]
    Ended,
    /// The other side does not keep to the transport's rules.
    #[error("{0}")]
    Protocol(String),
    /// An operating system call failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, with names.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// The back end does not work, though the platform has it.
    #[error("{0}")]
    Broken(String),
}

impl TextureError {
    /// An operating system error with what was being done.
    pub fn io(doing: impl Into<String>, source: impl Into<io::Error>) -> Self {
        TextureError::Io { doing: doing.into(), source: source.into() }
    }

    /// The clause of [`NoSuchStream`](Self::NoSuchStream) that names what there is.
    pub fn no_such_stream(stream: &str, present: &[String]) -> Self {
        let present = match present {
            [] => "nothing is being streamed on this computer".to_owned(),
            names => format!("there {} {}", if names.len() == 1 { "is" } else { "are" }, names.join(", ")),
        };
        TextureError::NoSuchStream { stream: stream.to_owned(), present }
    }
}
