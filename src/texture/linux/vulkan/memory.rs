//! Memory that the processor sees as well: what textures are copied from, and read back into.

use super::GpuError;
use super::device::Device;
use ash::vk;
use std::ptr::NonNull;
use std::sync::Arc;

/// A buffer in memory that stays mapped.
pub(super) struct HostBuffer {
    device: Arc<Device>,
    buffer: vk::Buffer,
    memory: vk::DeviceMemory,
    mapped: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping belongs to no thread, and Vulkan's handles may be used by any thread, one at a time.
unsafe impl Send for HostBuffer {}

/// What the processor does with a buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Writes,
    Reads,
}

impl HostBuffer {
    pub(super) fn new(
        device: &Arc<Device>,
        bytes: usize,
        usage: vk::BufferUsageFlags,
        host: Host,
    ) -> Result<Self, GpuError> {
        use vk::MemoryPropertyFlags as Flags;
        let raw = device.raw();
        let info =
            vk::BufferCreateInfo::default().size(bytes as u64).usage(usage).sharing_mode(vk::SharingMode::EXCLUSIVE);
        // SAFETY: the description is complete.
        let buffer = unsafe { raw.create_buffer(&info, None) }.map_err(GpuError::in_call("making a buffer"))?;
        // From here on dropped as a whole.
        let mut made = HostBuffer {
            device: device.clone(),
            buffer,
            memory: vk::DeviceMemory::null(),
            mapped: NonNull::dangling(),
            bytes,
        };
        // SAFETY: the buffer is this device's.
        let needs = unsafe { raw.get_buffer_memory_requirements(buffer) };
        let coherent = Flags::HOST_VISIBLE | Flags::HOST_COHERENT;
        let wishes = match host {
            Host::Writes => [coherent, coherent],
            // Without the cache every read goes over the bus on its own.
            Host::Reads => [coherent | Flags::HOST_CACHED, coherent],
        };
        // Vulkan promises a coherent type for every buffer.
        let Some(memory_type) = device.memory_type(needs.memory_type_bits, &wishes) else {
            return Err(GpuError::Unsuited {
                device: device.facts().name.clone(),
                why: "it has no memory that the processor sees".into(),
            });
        };
        let info = vk::MemoryAllocateInfo::default().allocation_size(needs.size).memory_type_index(memory_type);
        let failed = GpuError::in_call("taking memory for copies");
        // SAFETY: the type is the device's own; the memory is bound before anything uses the buffer, and mapped once.
        unsafe {
            made.memory = raw.allocate_memory(&info, None).map_err(&failed)?;
            raw.bind_buffer_memory(buffer, made.memory, 0).map_err(&failed)?;
            let mapped = raw.map_memory(made.memory, 0, vk::WHOLE_SIZE, vk::MemoryMapFlags::empty());
            let Some(mapped) = NonNull::new(mapped.map_err(&failed)?.cast()) else {
                return Err(failed(vk::Result::ERROR_MEMORY_MAP_FAILED));
            };
            made.mapped = mapped;
        }
        Ok(made)
    }

    pub(super) fn raw(&self) -> vk::Buffer {
        self.buffer
    }

    /// Copies `from` to the buffer's beginning.
    ///
    /// # Safety
    /// The device is not reading the buffer.
    pub(super) unsafe fn write(&mut self, from: &[u8]) {
        assert!(from.len() <= self.bytes, "{} bytes into a buffer of {}", from.len(), self.bytes);
        // SAFETY: the mapping covers the buffer's size, which was checked; it is nobody else's memory, so it does not
        // overlap `from`; the device leaves it alone, says the caller. The memory is coherent: nothing to flush.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), self.mapped.as_ptr(), from.len()) };
    }

    /// The buffer's contents.
    ///
    /// # Safety
    /// The device is not writing the buffer, and has written all of it before.
    pub(super) unsafe fn contents(&self) -> &[u8] {
        // SAFETY: the mapping covers the buffer's size and lives as long as `self`; the caller vouches for the device.
        unsafe { std::slice::from_raw_parts(self.mapped.as_ptr(), self.bytes) }
    }
}

impl Drop for HostBuffer {
    fn drop(&mut self) {
        if self.device.is_hung() {
            return;
        }
        // SAFETY: whoever has submitted work with the buffer has waited for it. Freeing unmaps; freeing null does
        // nothing.
        unsafe {
            self.device.raw().destroy_buffer(self.buffer, None);
            self.device.raw().free_memory(self.memory, None);
        }
    }
}
