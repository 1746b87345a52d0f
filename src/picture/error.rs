use super::{Depth, MAX_PIXELS, PictureFormat};
use crate::atomic_file::CreateError;
use std::io;
use std::path::{Path, PathBuf};

/// Why a picture could not be read or written. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The extension is none of the known ones.
    #[error("{} has no extension that says its format; a picture can be .exr, .png, .tif or .tiff", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The format has no samples of this depth.
    #[error("{} can't hold {depth} samples: {name} holds {known}", path.display(), name = format.name(), known = list(format.depths()))]
    Depth {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: PictureFormat,
        /// The picture's depth.
        depth: Depth,
    },
    /// The picture comes from a file of another format.
    #[error("{} would be {}, and the picture is {}: it is written in the format that it was read in, so that nothing of it is lost", path.display(), to.name(), from.name())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The format that the picture was read in.
        from: PictureFormat,
        /// The format that was to be written.
        to: PictureFormat,
    },
    /// Something about what is in the file.
    #[error("{}: {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it is.
        why: ContentError,
    },
    /// The file could not be put in its place.
    #[error(transparent)]
    Create(#[from] CreateError),
}

/// What is wrong with a picture file's content.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The file is damaged, or uses what the decoder does not know.
    #[error("it can't be read as {format} ({why})", format = .0.name(), why = .1)]
    Decode(PictureFormat, String),
    /// The encoder failed.
    #[error("it can't be written as {format} ({why})", format = .0.name(), why = .1)]
    Encode(PictureFormat, String),
    /// A picture that can't be graded and written back as it is.
    #[error("{what}; {advice}")]
    Kind {
        /// What the picture is.
        what: String,
        /// What would be right.
        advice: &'static str,
    },
    /// Too large.
    #[error("a picture of {width}×{height} is too large: at most {} pixels are taken", MAX_PIXELS)]
    TooLarge {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ContentError {
    pub(super) fn kind(what: impl Into<String>, advice: &'static str) -> Self {
        ContentError::Kind { what: what.into(), advice }
    }

    /// Refuses sizes that would take more memory than any picture needs.
    pub(super) fn check_size(width: usize, height: usize) -> Result<(), ContentError> {
        match width.checked_mul(height) {
            Some(pixels) if pixels <= MAX_PIXELS => Ok(()),
            _ => Err(ContentError::TooLarge { width, height }),
        }
    }
}

impl PictureError {
    pub(super) fn io(path: &Path, e: io::Error) -> Self {
        PictureError::Content { path: path.to_owned(), why: ContentError::Io(e) }
    }
}

fn list(depths: &[Depth]) -> String {
    depths.iter().map(Depth::to_string).collect::<Vec<_>>().join(", ")
}
