//! The one kind of image that is shared, and whether a device can share it.

use super::{GpuError, ImageDescription};
use crate::hald::TextureShape;
use ash::vk;

/// The format of all textures.
pub(super) const FORMAT: vk::Format = vk::Format::R32G32B32A32_SFLOAT;
/// The kind of handle that memory is handed over as.
pub(super) const HANDLE: vk::ExternalMemoryHandleTypeFlags = vk::ExternalMemoryHandleTypeFlags::OPAQUE_FD;
/// The whole image.
pub(super) const WHOLE: vk::ImageSubresourceRange = vk::ImageSubresourceRange {
    aspect_mask: vk::ImageAspectFlags::COLOR,
    base_mip_level: 0,
    level_count: 1,
    base_array_layer: 0,
    layer_count: 1,
};
/// The whole image, for copies.
pub(super) const LAYERS: vk::ImageSubresourceLayers = vk::ImageSubresourceLayers {
    aspect_mask: vk::ImageAspectFlags::COLOR,
    mip_level: 0,
    base_array_layer: 0,
    layer_count: 1,
};

/// What images are made for: receivers sample them and copy from them.
fn usage() -> vk::ImageUsageFlags {
    vk::ImageUsageFlags::TRANSFER_DST | vk::ImageUsageFlags::TRANSFER_SRC | vk::ImageUsageFlags::SAMPLED
}

/// How a device shares images.
#[derive(Clone, Copy)]
pub(super) struct Support {
    tiling: vk::ImageTiling,
    max_width: u32,
    max_height: u32,
}

/// Asks a device whether and how it shares images; otherwise what it lacks.
pub(super) fn probe(instance: &ash::Instance, device: vk::PhysicalDevice) -> Result<Support, String> {
    // What a device lays out for itself it reads fastest.
    let mut why = Vec::new();
    for (tiling, name) in [(vk::ImageTiling::OPTIMAL, "optimal"), (vk::ImageTiling::LINEAR, "linear")] {
        match probe_tiling(instance, device, tiling) {
            Ok(support) => return Ok(support),
            Err(e) => why.push(format!("{name} tiling: {e}")),
        }
    }
    Err(why.join("; "))
}

fn probe_tiling(
    instance: &ash::Instance,
    device: vk::PhysicalDevice,
    tiling: vk::ImageTiling,
) -> Result<Support, String> {
    let mut external = vk::PhysicalDeviceExternalImageFormatInfo::default().handle_type(HANDLE);
    let info = vk::PhysicalDeviceImageFormatInfo2::default()
        .format(FORMAT)
        .ty(vk::ImageType::TYPE_2D)
        .tiling(tiling)
        .usage(usage())
        .push_next(&mut external);
    let mut shared = vk::ExternalImageFormatProperties::default();
    let mut properties = vk::ImageFormatProperties2::default().push_next(&mut shared);
    // SAFETY: the device came from this instance, and both have Vulkan 1.1, which has these structures.
    unsafe { instance.get_physical_device_image_format_properties2(device, &info, &mut properties) }
        .map_err(|e| format!("no such images ({e})"))?;
    let extent = properties.image_format_properties.max_extent;
    let features = shared.external_memory_properties.external_memory_features;
    let needed = vk::ExternalMemoryFeatureFlags::EXPORTABLE | vk::ExternalMemoryFeatureFlags::IMPORTABLE;
    match features.contains(needed) {
        true => Ok(Support { tiling, max_width: extent.width, max_height: extent.height }),
        false => Err("its memory can't be handed over as an opaque descriptor".into()),
    }
}

impl Support {
    /// The image for textures of `shape`; memory is described once it is allocated.
    pub(super) fn describe(&self, shape: TextureShape, device: &str) -> Result<ImageDescription, GpuError> {
        let (width, height) = (shape.width() as u32, shape.height() as u32);
        if width > self.max_width || height > self.max_height {
            let limit = self.max_width.min(self.max_height);
            return Err(GpuError::TooLarge { device: device.to_owned(), limit, width, height });
        }
        Ok(ImageDescription {
            width,
            height,
            tiling: self.tiling.as_raw() as u32,
            usage: usage().as_raw(),
            memory_bytes: 0,
            offset: 0,
            memory_type: 0,
            row_pitch: 0,
            dedicated: true,
        })
    }
}

/// Makes the image that a description describes, without memory.
///
/// # Safety
/// The device takes external memory as opaque descriptors, and images of this size, tiling and usage.
pub(super) unsafe fn create(device: &ash::Device, description: &ImageDescription) -> Result<vk::Image, vk::Result> {
    let mut external = vk::ExternalMemoryImageCreateInfo::default().handle_types(HANDLE);
    let info = vk::ImageCreateInfo::default()
        .image_type(vk::ImageType::TYPE_2D)
        .format(FORMAT)
        .extent(extent(description))
        .mip_levels(1)
        .array_layers(1)
        .samples(vk::SampleCountFlags::TYPE_1)
        .tiling(vk::ImageTiling::from_raw(description.tiling as i32))
        .usage(vk::ImageUsageFlags::from_raw(description.usage))
        .sharing_mode(vk::SharingMode::EXCLUSIVE)
        .initial_layout(vk::ImageLayout::UNDEFINED)
        .push_next(&mut external);
    // SAFETY: the structures are complete and outlive the call; the caller vouches for the rest.
    unsafe { device.create_image(&info, None) }
}

pub(super) fn extent(description: &ImageDescription) -> vk::Extent3D {
    vk::Extent3D { width: description.width, height: description.height, depth: 1 }
}

/// Tightly packed rows in a buffer, and the whole image.
pub(super) fn whole_copy(description: &ImageDescription) -> vk::BufferImageCopy {
    vk::BufferImageCopy::default().image_subresource(LAYERS).image_extent(extent(description))
}

/// A change of an image's owner or layout.
pub(super) fn barrier(image: vk::Image) -> vk::ImageMemoryBarrier<'static> {
    vk::ImageMemoryBarrier::default()
        .image(image)
        .subresource_range(WHOLE)
        .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
}
