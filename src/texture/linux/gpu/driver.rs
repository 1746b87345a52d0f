//! What a sender needs of a graphics driver. Vulkan gives it; tests give one that fails when they want it to.

use super::super::vulkan::{self, Device, DeviceFacts, ExportedImages, GpuError, ImageDescription};
use crate::hald::{Texel, TextureShape};
use rustix::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// The drivers of this computer.
pub(in crate::texture::linux) trait Driver: Send + Sync {
    /// All devices, and for each what keeps it from sharing images, if anything does. May take a second.
    fn all_devices(&self) -> Result<Vec<(DeviceFacts, Option<GpuError>)>, GpuError>;

    /// The devices that can share images. May take a second.
    fn devices(&self) -> Result<Vec<DeviceFacts>, GpuError> {
        let suited = |(facts, fault): (DeviceFacts, Option<GpuError>)| match fault {
            None => Some(facts),
            Some(why) => {
                tracing::debug!("{why}");
                None
            }
        };
        Ok(self.all_devices()?.into_iter().filter_map(suited).collect())
    }

    /// Opens one of them. May take a second.
    fn open(&self, device: &DeviceFacts) -> Result<Box<dyn OpenDevice>, GpuError>;
}

/// An open device. Used by one thread.
pub(in crate::texture::linux) trait OpenDevice {
    /// Makes `count` images to be handed over.
    fn make(&self, shape: TextureShape, count: usize) -> Result<Box<dyn Images>, GpuError>;
}

/// Images of one shape. What receivers have imported of them outlives them.
pub(in crate::texture::linux) trait Images {
    /// What an importer has to repeat.
    fn description(&self) -> ImageDescription;

    /// The memory, a descriptor for each image.
    fn handles(&self) -> Arc<[OwnedFd]>;

    /// Begins to copy a texture into an image. The texels are not needed any more once this has returned.
    fn start(&mut self, image: usize, texels: &[Texel]) -> Result<(), GpuError>;

    /// Waits until that is done.
    fn finish(&mut self, patience: Duration) -> Result<(), GpuError>;
}

/// Vulkan.
pub(in crate::texture::linux) struct Vulkan;

impl Driver for Vulkan {
    fn all_devices(&self) -> Result<Vec<(DeviceFacts, Option<GpuError>)>, GpuError> {
        vulkan::devices()
    }

    fn open(&self, device: &DeviceFacts) -> Result<Box<dyn OpenDevice>, GpuError> {
        Ok(Box::new(vulkan::open_to_send(device)?))
    }
}

impl OpenDevice for Arc<Device> {
    fn make(&self, shape: TextureShape, count: usize) -> Result<Box<dyn Images>, GpuError> {
        Ok(Box::new(ExportedImages::new(self, shape, count)?))
    }
}

impl Images for ExportedImages {
    fn description(&self) -> ImageDescription {
        *ExportedImages::description(self)
    }

    fn handles(&self) -> Arc<[OwnedFd]> {
        ExportedImages::handles(self)
    }

    fn start(&mut self, image: usize, texels: &[Texel]) -> Result<(), GpuError> {
        ExportedImages::start(self, image, texels)
    }

    fn finish(&mut self, patience: Duration) -> Result<(), GpuError> {
        ExportedImages::finish(self, patience)
    }
}
