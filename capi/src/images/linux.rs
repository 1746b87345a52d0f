//! Images of graphics devices, as the Linux transport has them.

use crate::platform::{Image, Taken};
use std::os::fd::IntoRawFd;
use std::time::{Duration, SystemTime};
use virtual_gpu_lut_box::texture::linux::{self, DeviceIdentity, GpuFrame, GpuReceiver, LinuxBackend};
use virtual_gpu_lut_box::texture::{Event, Frame, TextureError};

/// Receives a stream as images of one graphics device, and as pixels where its sender has none.
pub struct ImageReceiver(GpuReceiver);

/// A texture in an image, which its sender does not overwrite while this exists.
pub struct ImageFrame(GpuFrame);

impl ImageReceiver {
    pub fn open(stream: &str, device: [u8; 16], driver: [u8; 16]) -> Result<Self, TextureError> {
        let device = DeviceIdentity { device, driver };
        LinuxBackend::default().open_on_gpu(stream, device).map(ImageReceiver)
    }

    pub fn wait(&mut self, patience: Duration) -> Result<Event, TextureError> {
        self.0.wait(Some(patience))
    }

    /// The newest texture; `None` where it was taken before.
    pub fn take(&mut self, pixels: &mut Frame) -> Result<Option<Taken>, TextureError> {
        Ok(match self.0.take(pixels)? {
            linux::Taken::Nothing => None,
            linux::Taken::Image(frame) => Some(Taken::Image(ImageFrame(frame))),
            linux::Taken::Pixels => Some(Taken::Pixels),
        })
    }
}

impl ImageFrame {
    pub fn image(&self) -> Image {
        let images = self.0.images();
        let (description, identity) = (images.description(), images.identity());
        Image {
            shape: images.shape(),
            revision: self.0.revision(),
            published_monotonic_ns: self.0.published_monotonic_ns(),
            surface: images.surface(),
            slot: self.0.image() as u32,
            slots: images.count() as u32,
            tiling: description.tiling,
            usage: description.usage,
            memory_bytes: description.memory_bytes,
            offset: description.offset,
            row_pitch: description.row_pitch,
            memory_type: description.memory_type,
            dedicated: description.dedicated,
            device: identity.device,
            driver: identity.driver,
        }
    }

    pub fn published(&self) -> Option<SystemTime> {
        self.0.published()
    }

    /// A new descriptor of the memory of one of the images: the caller's to close. `slot` is below the number of
    /// slots.
    pub fn descriptor(&self, slot: u32) -> Result<i32, TextureError> {
        self.0.images().memory(slot as usize).map(IntoRawFd::into_raw_fd)
    }
}
