use super::Vulkan;
use ash::vk;

/// A buffer that the processor can write and read.
pub struct Buffer {
    pub handle: vk::Buffer,
    memory: vk::DeviceMemory,
    size: usize,
}

/// An image of one level, in the layout `GENERAL` once it has been prepared.
pub struct Picture {
    pub handle: vk::Image,
    pub view: vk::ImageView,
    pub width: u32,
    pub height: u32,
    memory: vk::DeviceMemory,
}

/// The one level and layer of every image here.
pub const WHOLE: vk::ImageSubresourceRange = vk::ImageSubresourceRange {
    aspect_mask: vk::ImageAspectFlags::COLOR,
    base_mip_level: 0,
    level_count: 1,
    base_array_layer: 0,
    layer_count: 1,
};

impl Vulkan {
    fn allocate(
        &self,
        needs: vk::MemoryRequirements,
        wanted: vk::MemoryPropertyFlags,
    ) -> Result<vk::DeviceMemory, String> {
        let types = &self.memory_types.memory_types[..self.memory_types.memory_type_count as usize];
        let index = types
            .iter()
            .enumerate()
            .position(|(i, t)| needs.memory_type_bits & (1 << i) != 0 && t.property_flags.contains(wanted))
            .ok_or("the device has no fitting memory")?;
        let info = vk::MemoryAllocateInfo::default().allocation_size(needs.size).memory_type_index(index as u32);
        // SAFETY: the type is one that the resource allows.
        unsafe { self.device.allocate_memory(&info, None) }.map_err(|e| format!("vkAllocateMemory failed: {e}"))
    }

    /// A buffer of this many bytes.
    pub fn buffer(&self, size: usize) -> Result<Buffer, String> {
        let usage = vk::BufferUsageFlags::TRANSFER_SRC
            | vk::BufferUsageFlags::TRANSFER_DST
            | vk::BufferUsageFlags::STORAGE_BUFFER;
        let info = vk::BufferCreateInfo::default().size(size as u64).usage(usage);
        let wanted = vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT;
        // SAFETY: the memory is bound to the buffer that it was allocated for, before any use.
        unsafe {
            let handle = self.device.create_buffer(&info, None).map_err(|e| format!("vkCreateBuffer failed: {e}"))?;
            let memory = self.allocate(self.device.get_buffer_memory_requirements(handle), wanted)?;
            self.device.bind_buffer_memory(handle, memory, 0).map_err(|e| format!("vkBindBufferMemory failed: {e}"))?;
            Ok(Buffer { handle, memory, size })
        }
    }

    /// Lets `f` at the buffer's bytes.
    pub fn with_bytes<R>(&self, buffer: &Buffer, f: impl FnOnce(&mut [u8]) -> R) -> Result<R, String> {
        // SAFETY: the memory is host-visible and holds `size` bytes; nothing on the device is in flight, and the slice
        // ends before the mapping does.
        unsafe {
            let at = self
                .device
                .map_memory(buffer.memory, 0, vk::WHOLE_SIZE, vk::MemoryMapFlags::empty())
                .map_err(|e| format!("vkMapMemory failed: {e}"))?;
            let result = f(std::slice::from_raw_parts_mut(at.cast::<u8>(), buffer.size));
            self.device.unmap_memory(buffer.memory);
            Ok(result)
        }
    }

    /// An image and its view.
    pub fn image(&self, format: vk::Format, width: u32, height: u32) -> Result<Picture, String> {
        let mut usage =
            vk::ImageUsageFlags::TRANSFER_SRC | vk::ImageUsageFlags::TRANSFER_DST | vk::ImageUsageFlags::SAMPLED;
        if format == vk::Format::R32G32B32A32_SFLOAT {
            usage |= vk::ImageUsageFlags::COLOR_ATTACHMENT | vk::ImageUsageFlags::STORAGE;
        }
        let info = vk::ImageCreateInfo::default()
            .image_type(vk::ImageType::TYPE_2D)
            .format(format)
            .extent(vk::Extent3D { width, height, depth: 1 })
            .mip_levels(1)
            .array_layers(1)
            .samples(vk::SampleCountFlags::TYPE_1)
            .tiling(vk::ImageTiling::OPTIMAL)
            .usage(usage);
        // SAFETY: the memory is bound to the image that it was allocated for, before the view is made.
        unsafe {
            let handle = self.device.create_image(&info, None).map_err(|e| format!("vkCreateImage failed: {e}"))?;
            let needs = self.device.get_image_memory_requirements(handle);
            let memory = self.allocate(needs, vk::MemoryPropertyFlags::empty())?;
            self.device.bind_image_memory(handle, memory, 0).map_err(|e| format!("vkBindImageMemory failed: {e}"))?;
            let info = vk::ImageViewCreateInfo::default()
                .image(handle)
                .view_type(vk::ImageViewType::TYPE_2D)
                .format(format)
                .subresource_range(WHOLE);
            let view =
                self.device.create_image_view(&info, None).map_err(|e| format!("vkCreateImageView failed: {e}"))?;
            Ok(Picture { handle, view, width, height, memory })
        }
    }

    /// Frees what was allocated.
    pub fn free(&self, images: Vec<Picture>, buffers: Vec<Buffer>) {
        // SAFETY: nothing is in flight, and the values are consumed, so nothing uses them again.
        unsafe {
            for image in images {
                self.device.destroy_image_view(image.view, None);
                self.device.destroy_image(image.handle, None);
                self.device.free_memory(image.memory, None);
            }
            for buffer in buffers {
                self.device.destroy_buffer(buffer.handle, None);
                self.device.free_memory(buffer.memory, None);
            }
        }
    }
}
