//! Why a graphics device could not do something.

use crate::texture::TextureError;
use ash::vk;

/// What went wrong on the way through Vulkan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// This computer has no Vulkan, or no driver for it.
    #[error("{0}")]
    NoVulkan(String),
    /// There is Vulkan, but not this device.
    #[error("{0}")]
    NoDevice(String),
    /// The device is there, and can't share float32 images.
    #[error("{device} can't share float32 images: {why}")]
    Unsuited {
        /// Its name.
        device: String,
        /// What it lacks.
        why: String,
    },
    /// A texture that the device does not take.
    #[error("{device} takes images of at most {limit} texels a side, and this texture has {width}×{height}")]
    TooLarge {
        /// Its name.
        device: String,
        /// The most texels a side.
        limit: u32,
        /// Width asked for.
        width: u32,
        /// Height asked for.
        height: u32,
    },
    /// The device is gone: it was reset, unplugged, or does not answer any more.
    #[error("the graphics device is lost: {0}")]
    Lost(String),
    /// Vulkan refused something else.
    #[error("{doing}: {result}")]
    Vulkan {
        /// What was being done.
        doing: &'static str,
        /// What the driver said.
        result: vk::Result,
    },
    /// What another process handed over can't be imported.
    #[error("{0}")]
    Import(String),
}

impl GpuError {
    /// An error of a Vulkan call, with what was being done.
    pub(super) fn in_call(doing: &'static str) -> impl Fn(vk::Result) -> GpuError {
        move |result| match result {
            vk::Result::ERROR_DEVICE_LOST => GpuError::Lost(format!("{doing}: {result}")),
            _ => GpuError::Vulkan { doing, result },
        }
    }
}

impl From<GpuError> for TextureError {
    fn from(e: GpuError) -> Self {
        match e {
            GpuError::NoVulkan(_) | GpuError::NoDevice(_) | GpuError::Unsuited { .. } | GpuError::TooLarge { .. } => {
                TextureError::Unavailable(e.to_string())
            }
            GpuError::Import(why) => TextureError::Protocol(why),
            GpuError::Lost(_) | GpuError::Vulkan { .. } => TextureError::Broken(e.to_string()),
        }
    }
}
