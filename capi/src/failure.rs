//! What went wrong, as a code for programs and a sentence for people.

use crate::border::VglbStatus;
use virtual_gpu_lut_box::texture::TextureError;

/// A call that failed.
#[derive(Debug)]
pub struct Failure {
    pub status: VglbStatus,
    pub sentence: String,
}

impl Failure {
    pub fn new(status: VglbStatus, sentence: impl Into<String>) -> Self {
        Failure { status, sentence: sentence.into() }
    }

    /// An argument that makes no sense.
    pub fn argument(sentence: impl Into<String>) -> Self {
        Failure::new(VglbStatus::ErrorInvalidArgument, sentence)
    }
}

impl From<TextureError> for Failure {
    fn from(error: TextureError) -> Self {
        let status = match &error {
            TextureError::Unavailable(_) => VglbStatus::ErrorUnavailable,
            TextureError::InvalidName { .. } => VglbStatus::ErrorInvalidArgument,
            TextureError::NoSuchStream { .. } => VglbStatus::ErrorNoSuchStream,
            TextureError::Refused { .. } => VglbStatus::ErrorRefused,
            TextureError::OutOfMemory { .. } => VglbStatus::ErrorOutOfMemory,
            TextureError::Ended => VglbStatus::Ended,
            TextureError::Protocol(_) => VglbStatus::ErrorProtocol,
            TextureError::Io { .. } => VglbStatus::ErrorSystem,
            // The two that only a sender meets are of no back end that receives.
            TextureError::Shape(_) | TextureError::NameTaken { .. } | TextureError::Broken(_) => {
                VglbStatus::ErrorBroken
            }
        };
        Failure { status, sentence: error.to_string() }
    }
}
