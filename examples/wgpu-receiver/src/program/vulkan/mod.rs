//! The sender's images, copied on the graphics device into wgpu's textures.
//!
//! An imported image could be made a texture of wgpu's (`texture_from_raw`) and bound directly. That would break the
//! transport's rules: the image is in layout `GENERAL`, owned by the external queue family, and read by others at the
//! same time, while wgpu changes the layout of what it reads (to `SHADER_READ_ONLY_OPTIMAL`) and knows no other owner.
//! So Vulkan commands take the image from its sender, copy it, and give it back, in the middle of wgpu's own. A copy of
//! half a megabyte within the device takes no time that counts, and lets go of the sender's image at once.

#![allow(unsafe_code)]

use super::device::Device;
use anyhow::Context;
use virtual_gpu_lut_box::texture::linux::ash::{self, vk};
use virtual_gpu_lut_box::texture::linux::{DeviceIdentity, GpuImages, ImportedImage};
use wgpu::hal::api::Vulkan;

/// Which device wgpu is on.
pub fn identity(device: &Device) -> anyhow::Result<DeviceIdentity> {
    // SAFETY: nothing of wgpu's is destroyed; instance and physical device belong together.
    unsafe {
        let hal = device.device.as_hal::<Vulkan>().context("wgpu's device is not on Vulkan")?;
        Ok(DeviceIdentity::of(hal.shared_instance().raw_instance(), hal.raw_physical_device())?)
    }
}

/// The images of one surface, imported into wgpu's device.
pub struct Images<'a> {
    device: &'a Device,
    surface: u64,
    images: Vec<ImportedImage>,
}

impl<'a> Images<'a> {
    /// Imports all images of a surface.
    pub fn import(device: &'a Device, images: &GpuImages) -> anyhow::Result<Self> {
        let surface = images.surface();
        // SAFETY: the device was opened with the extension, or the sender would have told of no images; it is borrowed,
        // so it outlives them; all work with them is waited for in `copy`.
        let images = unsafe {
            let hal = device.device.as_hal::<Vulkan>().context("wgpu's device is not on Vulkan")?;
            images.import(hal.shared_instance().raw_instance(), hal.raw_physical_device(), hal.raw_device())?
        };
        Ok(Images { device, surface, images })
    }

    /// The number of the surface whose images these are.
    pub fn surface(&self) -> u64 {
        self.surface
    }

    /// Copies one image into a texture of the same size, and waits until that is done.
    pub fn copy(&self, image: usize, into: &wgpu::Texture) -> anyhow::Result<()> {
        let (device, image) = (&self.device.device, &self.images[image]);
        // So that wgpu knows that the texture is written, and in which layout.
        let mut before = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let state = wgpu::TextureUses::COPY_DST;
        let transition = wgpu::wgt::TextureTransition { texture: into, selector: None, state };
        before.transition_resources(std::iter::empty(), std::iter::once(transition));

        // An encoder of its own: wgpu's commands and others do not mix in one.
        let mut copy = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        // SAFETY: the commands are recorded into an open command buffer, about an image and a texture of this device that
        // live until the wait below; the texture is in the layout that wgpu has for the state above.
        unsafe {
            let hal = device.as_hal::<Vulkan>().context("wgpu's device is not on Vulkan")?;
            let to = into.as_hal::<Vulkan>().context("wgpu's texture is not on Vulkan")?.raw_handle();
            let (raw, family) = (hal.raw_device().clone(), hal.queue_family_index());
            // wgpu's locks are not to be held while it records.
            drop(hal);
            copy.as_hal_mut::<Vulkan, _, _>(|encoder| {
                let encoder = encoder.context("wgpu's encoder is not on Vulkan")?;
                record(&raw, family, encoder.raw_handle(), image, to);
                anyhow::Ok(())
            })?;
        }
        self.device.queue.submit([before.finish(), copy.finish()]);
        self.device.wait()
    }
}

/// Records the copy of an image that belongs to its sender.
///
/// # Safety
/// `commands` are being recorded for `raw`, to which both images belong; `to` is of the same size and format, and in
/// layout `TRANSFER_DST_OPTIMAL`.
unsafe fn record(raw: &ash::Device, family: u32, commands: vk::CommandBuffer, from: &ImportedImage, to: vk::Image) {
    use vk::PipelineStageFlags as Stage;
    let description = from.description();
    let whole = vk::ImageSubresourceLayers::default().aspect_mask(vk::ImageAspectFlags::COLOR).layer_count(1);
    let extent = vk::Extent3D { width: description.width, height: description.height, depth: 1 };
    let region = [vk::ImageCopy::default().src_subresource(whole).dst_subresource(whole).extent(extent)];
    let take = [from.acquire(family, vk::AccessFlags::TRANSFER_READ)];
    let give = [from.release(family)];
    let none = vk::DependencyFlags::empty();
    let (general, written) = (vk::ImageLayout::GENERAL, vk::ImageLayout::TRANSFER_DST_OPTIMAL);
    // SAFETY: the caller's.
    unsafe {
        raw.cmd_pipeline_barrier(commands, Stage::TOP_OF_PIPE, Stage::TRANSFER, none, &[], &[], &take);
        raw.cmd_copy_image(commands, from.image(), general, to, written, &region);
        raw.cmd_pipeline_barrier(commands, Stage::TRANSFER, Stage::BOTTOM_OF_PIPE, none, &[], &[], &give);
    }
}
