//! An open graphics device: one queue, and memory.

use super::image::{self, HANDLE, Support};
use super::instance::Instance;
use super::{DeviceFacts, GpuError};
use ash::{khr, vk};
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a driver needs beyond Vulkan 1.1.
const EXTENSION: &CStr = khr::external_memory_fd::NAME;

/// A graphics device that can share images. What is made with it holds it.
pub(in crate::texture::linux) struct Device {
    instance: Arc<Instance>,
    physical: vk::PhysicalDevice,
    raw: ash::Device,
    queue: Mutex<vk::Queue>,
    family: u32,
    external_fd: khr::external_memory_fd::Device,
    memory: vk::PhysicalDeviceMemoryProperties,
    support: Support,
    facts: DeviceFacts,
    /// Work was submitted that never ended: nothing may be taken from the device any more, and waiting would last
    /// for ever.
    hung: AtomicBool,
}

impl Device {
    /// Whether the device can share images, and how.
    pub(super) fn check(
        instance: &Instance,
        physical: vk::PhysicalDevice,
        facts: &DeviceFacts,
    ) -> Result<Support, GpuError> {
        let unsuited = |why: String| GpuError::Unsuited { device: facts.name.clone(), why };
        if instance.version_with(physical) < vk::API_VERSION_1_1 {
            return Err(unsuited("its driver is older than Vulkan 1.1".into()));
        }
        // SAFETY: the device came from this instance.
        let extensions = unsafe { instance.raw().enumerate_device_extension_properties(physical) }
            .map_err(GpuError::in_call("listing the device's extensions"))?;
        if !extensions.iter().any(|e| e.extension_name_as_c_str() == Ok(EXTENSION)) {
            return Err(unsuited(format!("its driver has no {}", EXTENSION.to_string_lossy())));
        }
        image::probe(instance.raw(), physical).map_err(unsuited)
    }

    /// Opens a device. Takes some hundred milliseconds with some drivers.
    pub(super) fn open(
        instance: &Arc<Instance>,
        physical: vk::PhysicalDevice,
        facts: &DeviceFacts,
    ) -> Result<Arc<Self>, GpuError> {
        let support = Self::check(instance, physical, facts)?;
        let raw_instance = instance.raw();
        // SAFETY: the device came from this instance.
        let families = unsafe { raw_instance.get_physical_device_queue_family_properties(physical) };
        // Shaders check imported images, so it has to compute; then it can copy as well.
        let Some(family) = families.iter().position(|f| f.queue_flags.contains(vk::QueueFlags::COMPUTE)) else {
            let why = "it has no queue that computes".into();
            return Err(GpuError::Unsuited { device: facts.name.clone(), why });
        };
        let family = family as u32;
        let queues = [vk::DeviceQueueCreateInfo::default().queue_family_index(family).queue_priorities(&[1.0])];
        let names = [EXTENSION.as_ptr()];
        let info = vk::DeviceCreateInfo::default().queue_create_infos(&queues).enabled_extension_names(&names);
        // SAFETY: the family and the extension are the device's own, and the description outlives the call.
        let raw = unsafe { raw_instance.create_device(physical, &info, None) }
            .map_err(GpuError::in_call("opening the graphics device"))?;
        // SAFETY: the device was made with one queue of this family; the queue lives as long as it.
        let queue = unsafe { raw.get_device_queue(family, 0) };
        // SAFETY: the device came from this instance.
        let memory = unsafe { raw_instance.get_physical_device_memory_properties(physical) };
        let external_fd = khr::external_memory_fd::Device::new(raw_instance, &raw);
        Ok(Arc::new(Device {
            instance: instance.clone(),
            physical,
            raw,
            queue: Mutex::new(queue),
            family,
            external_fd,
            memory,
            support,
            facts: facts.clone(),
            hung: AtomicBool::new(false),
        }))
    }

    pub(super) fn raw(&self) -> &ash::Device {
        &self.raw
    }

    pub(super) fn raw_instance(&self) -> &ash::Instance {
        self.instance.raw()
    }

    pub(super) fn physical(&self) -> vk::PhysicalDevice {
        self.physical
    }

    pub(super) fn family(&self) -> u32 {
        self.family
    }

    pub(in crate::texture::linux) fn facts(&self) -> &DeviceFacts {
        &self.facts
    }

    pub(super) fn support(&self) -> &Support {
        &self.support
    }

    /// A memory type among those of the mask `allowed`, with the first of `wishes` that there is.
    pub(super) fn memory_type(&self, allowed: u32, wishes: &[vk::MemoryPropertyFlags]) -> Option<u32> {
        let types = self.memory.memory_types_as_slice();
        let with = |flags: &vk::MemoryPropertyFlags| {
            (0u32..).zip(types).find(|(i, t)| allowed >> i & 1 == 1 && t.property_flags.contains(*flags))
        };
        wishes.iter().find_map(with).map(|(i, _)| i)
    }

    /// Hands memory over as a descriptor.
    pub(super) fn export(&self, memory: vk::DeviceMemory) -> Result<std::os::fd::OwnedFd, GpuError> {
        let info = vk::MemoryGetFdInfoKHR::default().memory(memory).handle_type(HANDLE);
        // SAFETY: the memory is this device's, and was allocated to be exported as this kind of handle.
        let fd =
            unsafe { self.external_fd.get_memory_fd(&info) }.map_err(GpuError::in_call("exporting image memory"))?;
        // SAFETY: Vulkan has opened the descriptor for the caller, who owns it from now on.
        Ok(unsafe { std::os::fd::FromRawFd::from_raw_fd(fd) })
    }

    /// Starts recorded work; `fence` tells when it is done.
    ///
    /// # Safety
    /// The commands are recorded, and what they use stays as it is until the fence tells so, or the device
    /// [`is_hung`](Self::is_hung). The fence is not in use.
    pub(super) unsafe fn submit(&self, commands: vk::CommandBuffer, fence: vk::Fence) -> Result<(), GpuError> {
        if self.is_hung() {
            return Err(GpuError::Lost("it has not finished earlier work".into()));
        }
        let commands = [commands];
        let submits = [vk::SubmitInfo::default().command_buffers(&commands)];
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the lock keeps other threads from the queue; the rest is the caller's.
        unsafe { self.raw.queue_submit(*queue, &submits, fence) }.map_err(GpuError::in_call("starting a copy"))
    }

    /// Waits until submitted work is done, and makes its fence ready for the next.
    pub(super) fn wait(&self, fence: vk::Fence, patience: Duration) -> Result<(), GpuError> {
        let nanoseconds = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        // SAFETY: the fence is this device's, here and below.
        match unsafe { self.raw.wait_for_fences(&[fence], true, nanoseconds) } {
            Ok(()) => {}
            Err(vk::Result::TIMEOUT) => {
                self.hung.store(true, Ordering::Relaxed);
                return Err(GpuError::Lost(format!("it has not finished a copy in {patience:?}")));
            }
            Err(e) => return Err(GpuError::in_call("waiting for a copy")(e)),
        }
        // SAFETY: as above; nothing uses it any more.
        unsafe { self.raw.reset_fences(&[fence]) }.map_err(GpuError::in_call("making a fence ready"))
    }

    /// Whether work was submitted that never ended. What belongs to the device is left alone then, for the work may
    /// still use it; it goes with the process.
    pub(super) fn is_hung(&self) -> bool {
        self.hung.load(Ordering::Relaxed)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if self.is_hung() {
            // Not even the instance: it must not go before its devices.
            std::mem::forget(self.instance.clone());
            return;
        }
        // SAFETY: everything made with the device has held it, so it is gone; all work was waited for.
        unsafe { self.raw.destroy_device(None) };
    }
}
