//! Reads imported images back: as a copy, and as a renderer's shader sees them.

use super::commands::Commands;
use super::device::Device;
use super::image::whole_copy;
use super::import::ImportedImage;
use super::memory::{Host, HostBuffer};
use super::shader::Fetch;
use super::{GpuError, ImageDescription, PATIENCE};
use crate::hald::Texel;
use ash::vk;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How an image is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadBy {
    /// `vkCmdCopyImageToBuffer`.
    Copy,
    /// Texel by texel, with a compute shader's texture unit.
    Fetch,
}

/// Imported images and the means to read them back into the processor's memory.
///
/// Field order is drop order: recordings, which wait for the work that runs, before what they use.
pub struct ImageReader {
    reads: Commands,
    _shader: Fetch,
    buffer: HostBuffer,
    images: Vec<ImportedImage>,
    import_time: Duration,
    texels: usize,
    device: Arc<Device>,
}

impl ImageReader {
    /// Imports images that are all alike, with one descriptor each.
    pub(super) fn new(
        device: &Arc<Device>,
        description: &ImageDescription,
        memory: Vec<OwnedFd>,
    ) -> Result<Self, GpuError> {
        let mut images = Vec::with_capacity(memory.len());
        let began = Instant::now();
        for memory in memory {
            // SAFETY: the device is open with the extension, and the reader holds it for longer than the images; all
            // work is waited for, and where it never ends the images are not dropped. That the sender keeps the rules
            // nobody can check: it runs as the same user, and was asked over its own socket.
            let imported = unsafe {
                ImportedImage::new(device.raw_instance(), device.physical(), device.raw(), description, memory)
            };
            images.push(imported?);
        }
        let import_time = began.elapsed();
        let texels = description.width as usize * description.height as usize;
        let usage = vk::BufferUsageFlags::TRANSFER_DST | vk::BufferUsageFlags::STORAGE_BUFFER;
        let buffer = HostBuffer::new(device, texels * size_of::<Texel>(), usage, Host::Reads)?;
        let shader = Fetch::new(device, &images, &buffer)?;
        // SAFETY: commands of this device about images, a buffer and a shader that are dropped after the recordings,
        // or in case of an error below, before any of them was started.
        let reads = unsafe {
            Commands::record(device, 2 * images.len(), |i, commands| {
                let (image, by) = (i / 2, if i % 2 == 0 { ReadBy::Copy } else { ReadBy::Fetch });
                record_read(device, commands, &images[image], &buffer, by, || {
                    shader.record(commands, image, description);
                });
            })
        }?;
        Ok(ImageReader { reads, _shader: shader, buffer, images, import_time, texels, device: device.clone() })
    }

    /// The images, one for each slot.
    pub fn images(&self) -> &[ImportedImage] {
        &self.images
    }

    /// How long the import of all images took.
    pub fn import_time(&self) -> Duration {
        self.import_time
    }

    /// Reads one image into `into`, whose memory is used again. The image is to be one that the sender has told of
    /// and that was not released since.
    pub fn read(&mut self, image: usize, by: ReadBy, into: &mut Vec<Texel>) -> Result<(), GpuError> {
        // SAFETY: what is recorded uses only what `self` holds; the buffer is left alone until the wait below.
        unsafe { self.reads.start(2 * image + usize::from(by == ReadBy::Fetch)) }?;
        self.reads.wait(PATIENCE)?;
        // SAFETY: the work was waited for, and has written every texel.
        let texels = unsafe { self.buffer.contents() }.as_chunks::<16>().0;
        into.clear();
        into.extend_from_slice(&texels[..self.texels]);
        Ok(())
    }
}

impl Drop for ImageReader {
    fn drop(&mut self) {
        if self.device.is_hung() {
            std::mem::forget(std::mem::take(&mut self.images));
        }
    }
}

/// Records one way of reading an image into the buffer.
///
/// # Safety
/// `commands` are being recorded for the device to which all of this belongs; `dispatch` records what is valid in
/// its place.
unsafe fn record_read(
    device: &Device,
    commands: vk::CommandBuffer,
    image: &ImportedImage,
    buffer: &HostBuffer,
    by: ReadBy,
    dispatch: impl FnOnce(),
) {
    use vk::{AccessFlags, ImageLayout, PipelineStageFlags as Stage};
    let (stage, reads, writes) = match by {
        ReadBy::Copy => (Stage::TRANSFER, AccessFlags::TRANSFER_READ, AccessFlags::TRANSFER_WRITE),
        ReadBy::Fetch => (Stage::COMPUTE_SHADER, AccessFlags::SHADER_READ, AccessFlags::SHADER_WRITE),
    };
    let (acquire, release) = ([image.acquire(device.family(), reads)], [image.release(device.family())]);
    let to_host = [vk::BufferMemoryBarrier::default()
        .buffer(buffer.raw())
        .size(vk::WHOLE_SIZE)
        .src_access_mask(writes)
        .dst_access_mask(AccessFlags::HOST_READ)
        .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)];
    let none = vk::DependencyFlags::empty();
    let raw = device.raw();
    // SAFETY: the caller's.
    unsafe {
        raw.cmd_pipeline_barrier(commands, Stage::TOP_OF_PIPE, stage, none, &[], &[], &acquire);
        match by {
            ReadBy::Copy => {
                let whole = [whole_copy(image.description())];
                raw.cmd_copy_image_to_buffer(commands, image.image(), ImageLayout::GENERAL, buffer.raw(), &whole);
            }
            ReadBy::Fetch => dispatch(),
        }
        raw.cmd_pipeline_barrier(commands, stage, Stage::HOST, none, &[], &to_host, &[]);
        raw.cmd_pipeline_barrier(commands, stage, Stage::BOTTOM_OF_PIPE, none, &[], &[], &release);
    }
}
