//! The receiver's images: another process's memory, as an image of one's own device.

use super::handed::Handed;
use super::image::{self, FORMAT, HANDLE, barrier};
use super::{DeviceIdentity, GpuError, ImageDescription};
use crate::texture::linux::GpuImages;
use ash::vk;
use std::os::fd::OwnedFd;

/// An image whose memory a sender in another process writes. Dropping it lets go of the memory.
pub struct ImportedImage {
    device: ash::Device,
    image: vk::Image,
    memory: vk::DeviceMemory,
    description: ImageDescription,
}

impl GpuImages {
    /// Imports all images into a renderer's own Vulkan device, in their order. To be done once, and again only for
    /// other [`GpuImages`]. Where it fails, the textures can be had through memory all the same:
    /// [`open`](crate::texture::TextureBackend::open).
    ///
    /// # Errors
    /// [`GpuError::Import`] where the device is another than the sender's, and as [`ImportedImage::new`].
    ///
    /// # Safety
    /// - `device` was made from `physical`, that from `instance`, with `VK_KHR_external_memory_fd` enabled and
    ///   Vulkan 1.1 or newer.
    /// - `device` outlives the images, and all work with an image has ended when it is dropped.
    pub unsafe fn import(
        &self,
        instance: &ash::Instance,
        physical: vk::PhysicalDevice,
        device: &ash::Device,
    ) -> Result<Vec<ImportedImage>, GpuError> {
        // SAFETY: the caller's, here and below.
        let own = unsafe { DeviceIdentity::of(instance, physical) }?;
        if !self.identity().serves(&own) {
            return Err(GpuError::Import(format!("the images are of {:?}, and this is {own:?}", self.identity())));
        }
        let handles = self.all_memory().map_err(|e| GpuError::Import(e.to_string()))?;
        // SAFETY: the descriptors came with this description, from a sender on the same device, as was just compared.
        let import = |memory| unsafe { ImportedImage::new(instance, physical, device, self.description(), memory) };
        handles.into_iter().map(import).collect()
    }
}

impl ImportedImage {
    /// Imports an image that a sender has described, with the descriptor of its memory, into a device of the
    /// caller's. The device must have the identity that the sender has told
    /// ([`GpuImages::identity`](crate::texture::linux::GpuImages::identity)).
    ///
    /// Before each use the image is to be acquired ([`acquire`](Self::acquire)), and released after it
    /// ([`release`](Self::release)). It is to be read only, in layout `GENERAL`: other receivers read it at the same
    /// time.
    ///
    /// # Errors
    /// [`GpuError::Import`] where the device makes no such image, or makes it otherwise than the sender's;
    /// [`GpuError::Vulkan`] where the driver refuses the memory.
    ///
    /// # Safety
    /// - `device` was made from `physical`, that from `instance`, with `VK_KHR_external_memory_fd` enabled and
    ///   Vulkan 1.1 or newer.
    /// - `memory` came with `description` from a sender that keeps the transport's rules.
    /// - `device` outlives the image, and all work with the image has ended when it is dropped.
    pub unsafe fn new(
        instance: &ash::Instance,
        physical: vk::PhysicalDevice,
        device: &ash::Device,
        description: &ImageDescription,
        memory: OwnedFd,
    ) -> Result<Self, GpuError> {
        // SAFETY: the caller's; the device is asked before it is made to do something.
        let image = unsafe {
            check(instance, physical, description)?;
            image::create(device, description)
        }
        .map_err(GpuError::in_call("making the image to import"))?;
        let mut made = ImportedImage {
            device: device.clone(),
            image,
            memory: vk::DeviceMemory::null(),
            description: *description,
        };
        // SAFETY: the image is this device's.
        let needs = unsafe { device.get_image_memory_requirements(image) };
        if needs.size != description.memory_bytes || needs.memory_type_bits >> description.memory_type & 1 == 0 {
            return Err(GpuError::Import(format!(
                "this driver lays such an image out in {} bytes of the memory types {:#b}, and the sender in {} bytes \
                 of type {}: the drivers differ",
                needs.size, needs.memory_type_bits, description.memory_bytes, description.memory_type
            )));
        }
        let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().image(image);
        let handed = Handed::new(memory).map_err(|e| GpuError::Import(format!("duplicating a descriptor: {e}")))?;
        let mut import = vk::ImportMemoryFdInfoKHR::default().handle_type(HANDLE).fd(handed.descriptor());
        let mut info = vk::MemoryAllocateInfo::default()
            .allocation_size(description.memory_bytes)
            .memory_type_index(description.memory_type)
            .push_next(&mut import);
        if description.dedicated {
            info = info.push_next(&mut dedicated);
        }
        let failed = GpuError::in_call("importing the sender's memory");
        // SAFETY: the descriptor is open, and memory of this kind, says the caller; size and type are the exporter's.
        made.memory = unsafe { device.allocate_memory(&info, None) }.map_err(&failed)?;
        handed.taken();
        // SAFETY: both are this device's; size and type were checked above, the offset is 0.
        unsafe { device.bind_image_memory(image, made.memory, description.offset) }.map_err(&failed)?;
        Ok(made)
    }

    /// The image: `VK_FORMAT_R32G32B32A32_SFLOAT`, in layout `GENERAL`. It lives as long as `self`.
    pub fn image(&self) -> vk::Image {
        self.image
    }

    /// The memory behind it. It lives as long as `self`.
    pub fn memory(&self) -> vk::DeviceMemory {
        self.memory
    }

    /// The barrier that takes the image from its sender, for `vkCmdPipelineBarrier` on a queue of `family`, from stage
    /// `TOP_OF_PIPE` to the one that reads. `reads` is how: `SHADER_READ`, `TRANSFER_READ`.
    pub fn acquire(&self, family: u32, reads: vk::AccessFlags) -> vk::ImageMemoryBarrier<'static> {
        self.handover(vk::QUEUE_FAMILY_EXTERNAL, family).dst_access_mask(reads)
    }

    /// The barrier that gives the image back, from the stage that has read it to `BOTTOM_OF_PIPE`. Once the fence of
    /// this work has said that it is done, the frame can be dropped.
    pub fn release(&self, family: u32) -> vk::ImageMemoryBarrier<'static> {
        self.handover(family, vk::QUEUE_FAMILY_EXTERNAL)
    }

    fn handover(&self, from: u32, to: u32) -> vk::ImageMemoryBarrier<'static> {
        let (general, barrier) = (vk::ImageLayout::GENERAL, barrier(self.image));
        barrier.old_layout(general).new_layout(general).src_queue_family_index(from).dst_queue_family_index(to)
    }

    /// What the sender has said of it.
    pub fn description(&self) -> &ImageDescription {
        &self.description
    }
}

impl Drop for ImportedImage {
    fn drop(&mut self) {
        // SAFETY: the device is alive and does nothing with the image any more: whoever called `new` sees to it.
        unsafe {
            self.device.destroy_image(self.image, None);
            self.device.free_memory(self.memory, None);
        }
    }
}

/// What comes from another process is checked before the driver sees it.
///
/// # Safety
/// `physical` belongs to `instance`, and both have Vulkan 1.1.
unsafe fn check(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
    description: &ImageDescription,
) -> Result<(), GpuError> {
    let refuse = |why: String| Err(GpuError::Import(why));
    let tiling = match description.tiling {
        0 => vk::ImageTiling::OPTIMAL,
        1 => vk::ImageTiling::LINEAR,
        other => return refuse(format!("the sender's image has tiling {other}; 0 and 1 are known")),
    };
    // SAFETY: the caller's.
    let types = unsafe { instance.get_physical_device_memory_properties(physical) }.memory_type_count;
    if description.memory_type >= types || description.offset != 0 {
        return refuse(format!(
            "the sender's image lies at {} in memory of type {}; it lies at 0, and this device has {types} types",
            description.offset, description.memory_type
        ));
    }
    let mut external = vk::PhysicalDeviceExternalImageFormatInfo::default().handle_type(HANDLE);
    let usage = vk::ImageUsageFlags::from_raw(description.usage);
    let info = vk::PhysicalDeviceImageFormatInfo2::default()
        .format(FORMAT)
        .ty(vk::ImageType::TYPE_2D)
        .tiling(tiling)
        .usage(usage)
        .push_next(&mut external);
    let mut shared = vk::ExternalImageFormatProperties::default();
    let mut properties = vk::ImageFormatProperties2::default().push_next(&mut shared);
    // SAFETY: the caller's; the structures are Vulkan 1.1's.
    let asked = unsafe { instance.get_physical_device_image_format_properties2(physical, &info, &mut properties) };
    let extent = properties.image_format_properties.max_extent;
    let (width, height) = (description.width, description.height);
    let importable = vk::ExternalMemoryFeatureFlags::IMPORTABLE;
    if asked.is_err() || !shared.external_memory_properties.external_memory_features.contains(importable) {
        let (tiling, usage) = (description.tiling, description.usage);
        return refuse(format!("this device imports no float32 images of tiling {tiling} and usage {usage:#x}"));
    }
    if width == 0 || height == 0 || width > extent.width || height > extent.height {
        let (w, h) = (extent.width, extent.height);
        return refuse(format!("the sender's image has {width}×{height}; this device takes 1×1 to {w}×{h}"));
    }
    Ok(())
}
