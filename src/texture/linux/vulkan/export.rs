//! The sender's images: made to be handed over, and written from memory that the processor sees.
//!
//! Who owns an image is settled outside Vulkan: the sender writes only where no receiver has a claim, and tells of an
//! image only once its own fence has said that it is written. So an image is taken back without a transfer of
//! ownership (layout `UNDEFINED`: what is in it does not matter), and given away with one, in the layout `GENERAL`.
//!
//! What receivers do to the memory can be seen in it, but nobody here looks: it is only ever written.

use super::commands::Commands;
use super::device::Device;
use super::image::{self, HANDLE, barrier, whole_copy};
use super::memory::{Host, HostBuffer};
use super::{GpuError, ImageDescription};
use crate::hald::{Texel, TextureShape};
use ash::vk;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// Images of one shape that can be handed over, and the means to fill them.
///
/// Field order is drop order: the recordings first, which wait for the copy at work.
pub(in crate::texture::linux) struct ExportedImages {
    copies: Commands,
    _images: Vec<ExportedImage>,
    staging: HostBuffer,
    shape: TextureShape,
    description: ImageDescription,
    handles: Arc<[OwnedFd]>,
}

/// One image and its memory.
struct ExportedImage {
    device: Arc<Device>,
    image: vk::Image,
    memory: vk::DeviceMemory,
}

impl ExportedImages {
    /// Makes `count` images for textures of `shape`.
    pub(in crate::texture::linux) fn new(
        device: &Arc<Device>,
        shape: TextureShape,
        count: usize,
    ) -> Result<Self, GpuError> {
        let planned = device.support().describe(shape, &device.facts().name)?;
        let mut images = Vec::with_capacity(count);
        let mut description = planned;
        for _ in 0..count {
            let image;
            (image, description) = ExportedImage::new(device, planned)?;
            images.push(image);
        }
        let handles = images.iter().map(|i| device.export(i.memory)).collect::<Result<_, _>>()?;
        let staging = HostBuffer::new(device, shape.bytes(), vk::BufferUsageFlags::TRANSFER_SRC, Host::Writes)?;
        // SAFETY: the commands are valid (see there), and images and staging are dropped after the recordings.
        let copies = unsafe {
            Commands::record(device, count, |i, commands| {
                record_copy(device, commands, staging.raw(), images[i].image, &description);
            })
        }?;
        Ok(ExportedImages { copies, _images: images, staging, shape, description, handles })
    }

    /// What an importer has to repeat. All images are alike.
    pub(in crate::texture::linux) fn description(&self) -> &ImageDescription {
        &self.description
    }

    /// The images' memory, one descriptor each, of which importers get copies.
    pub(in crate::texture::linux) fn handles(&self) -> Arc<[OwnedFd]> {
        self.handles.clone()
    }

    /// Begins to copy a texture into an image. No receiver may have a claim on that. To be followed by
    /// [`finish`](Self::finish).
    pub(in crate::texture::linux) fn start(&mut self, image: usize, texels: &[Texel]) -> Result<(), GpuError> {
        assert_eq!(texels.len(), self.shape.texels(), "texels of another shape");
        self.copies.wait(super::PATIENCE)?;
        // SAFETY: the copy before was waited for, so the device does not read the buffer; from here on nobody writes
        // it until the next wait.
        unsafe {
            self.staging.write(texels.as_flattened());
            self.copies.start(image)
        }
    }

    /// Waits until the image can be given to receivers.
    pub(in crate::texture::linux) fn finish(&mut self, patience: Duration) -> Result<(), GpuError> {
        self.copies.wait(patience)
    }
}

/// Records the copy of a tightly packed texture into an image, which is then given away.
///
/// # Safety
/// `commands` are being recorded, for the device that the buffer and the image belong to.
unsafe fn record_copy(
    device: &Device,
    commands: vk::CommandBuffer,
    from: vk::Buffer,
    to: vk::Image,
    description: &ImageDescription,
) {
    use vk::{AccessFlags, ImageLayout, PipelineStageFlags as Stage};
    let take = [barrier(to)
        .old_layout(ImageLayout::UNDEFINED)
        .new_layout(ImageLayout::TRANSFER_DST_OPTIMAL)
        .dst_access_mask(AccessFlags::TRANSFER_WRITE)];
    // Not seen by anybody here any more: what is to come before what, the fence and the socket settle.
    let give = [barrier(to)
        .old_layout(ImageLayout::TRANSFER_DST_OPTIMAL)
        .new_layout(ImageLayout::GENERAL)
        .src_access_mask(AccessFlags::TRANSFER_WRITE)
        .src_queue_family_index(device.family())
        .dst_queue_family_index(vk::QUEUE_FAMILY_EXTERNAL)];
    let none = vk::DependencyFlags::empty();
    let raw = device.raw();
    // SAFETY: the caller's, and the image has the usage and the size that the copy needs, the buffer the bytes.
    unsafe {
        // Earlier reads and writes of this image ended before: its receivers said so, and the fence of its last copy.
        raw.cmd_pipeline_barrier(commands, Stage::TOP_OF_PIPE, Stage::TRANSFER, none, &[], &[], &take);
        let whole = [whole_copy(description)];
        raw.cmd_copy_buffer_to_image(commands, from, to, ImageLayout::TRANSFER_DST_OPTIMAL, &whole);
        raw.cmd_pipeline_barrier(commands, Stage::TRANSFER, Stage::BOTTOM_OF_PIPE, none, &[], &[], &give);
    }
}

impl ExportedImage {
    /// Makes an image with memory of its own; its description has all fields.
    fn new(device: &Arc<Device>, planned: ImageDescription) -> Result<(Self, ImageDescription), GpuError> {
        let raw = device.raw();
        let failed = GpuError::in_call("making an image to share");
        // SAFETY: the device was found to make such images, of this size, for such handles.
        let image = unsafe { image::create(raw, &planned) }.map_err(&failed)?;
        let mut made = ExportedImage { device: device.clone(), image, memory: vk::DeviceMemory::null() };
        // SAFETY: the image is this device's, here and below.
        let needs = unsafe { raw.get_image_memory_requirements(image) };
        let wishes = [vk::MemoryPropertyFlags::DEVICE_LOCAL, vk::MemoryPropertyFlags::empty()];
        let Some(memory_type) = device.memory_type(needs.memory_type_bits, &wishes) else {
            return Err(failed(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY));
        };
        let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().image(image);
        let mut export = vk::ExportMemoryAllocateInfo::default().handle_types(HANDLE);
        let info = vk::MemoryAllocateInfo::default()
            .allocation_size(needs.size)
            .memory_type_index(memory_type)
            .push_next(&mut dedicated)
            .push_next(&mut export);
        // SAFETY: as above; the memory is bound once, at its beginning, before the image is used.
        unsafe {
            made.memory = raw.allocate_memory(&info, None).map_err(&failed)?;
            raw.bind_image_memory(image, made.memory, 0).map_err(&failed)?;
        }
        let row_pitch = match vk::ImageTiling::from_raw(planned.tiling as i32) {
            vk::ImageTiling::LINEAR => {
                let first = vk::ImageSubresource::default().aspect_mask(vk::ImageAspectFlags::COLOR);
                // SAFETY: the image is this device's, and linear.
                unsafe { raw.get_image_subresource_layout(image, first) }.row_pitch as u32
            }
            _ => 0,
        };
        Ok((made, ImageDescription { memory_bytes: needs.size, memory_type, row_pitch, ..planned }))
    }
}

impl Drop for ExportedImage {
    fn drop(&mut self) {
        if self.device.is_hung() {
            return;
        }
        // SAFETY: the copies into it have ended: `ExportedImages` drops them first. What receivers have imported is
        // their own.
        unsafe {
            self.device.raw().destroy_image(self.image, None);
            self.device.raw().free_memory(self.memory, None);
        }
    }
}
