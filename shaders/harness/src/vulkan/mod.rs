//! Vulkan, without a window.

#![allow(unsafe_code)]

mod memory;
mod run;
mod two_passes;

pub use run::{Binding, Stage};
pub use two_passes::TwoPasses;

use ash::vk;

/// A device, one queue of it and a command buffer. Everything runs one after the other.
pub struct Vulkan {
    _entry: ash::Entry,
    instance: ash::Instance,
    device: ash::Device,
    memory_types: vk::PhysicalDeviceMemoryProperties,
    queue: vk::Queue,
    pool: vk::CommandPool,
    commands: vk::CommandBuffer,
    /// The device, as the driver names it.
    pub name: String,
}

impl Vulkan {
    /// The first device whose name contains `wanted`; tests ask for the software renderer `llvmpipe`.
    ///
    /// # Errors
    /// What is missing.
    pub fn new(wanted: &str) -> Result<Self, String> {
        let failed = |call: &'static str| move |e: vk::Result| format!("{call} failed: {e}");
        // SAFETY: the Vulkan loader's initialisers are those of the system's graphics stack, made to be loaded so.
        let entry = unsafe { ash::Entry::load() }.map_err(|e| format!("libvulkan.so.1 cannot be loaded: {e}"))?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: `info` and what it points to outlive the call.
        let instance = unsafe { entry.create_instance(&info, None) }.map_err(failed("vkCreateInstance"))?;
        // SAFETY: the instance is alive.
        let devices = unsafe { instance.enumerate_physical_devices() }.map_err(failed("vkEnumeratePhysicalDevices"))?;
        let named = devices.into_iter().map(|physical| {
            // SAFETY: the device is one of this instance's.
            let properties = unsafe { instance.get_physical_device_properties(physical) };
            let name = properties.device_name_as_c_str().map(|n| n.to_string_lossy().into_owned());
            (physical, name.unwrap_or_default())
        });
        let named: Vec<_> = named.collect();
        let Some((physical, name)) = named.iter().find(|(_, name)| name.contains(wanted)).cloned() else {
            let seen: Vec<_> = named.into_iter().map(|(_, name)| name).collect();
            return Err(format!("no Vulkan device is called {wanted:?}; found: {}", seen.join(", ")));
        };
        // SAFETY: the device is one of this instance's.
        let families = unsafe { instance.get_physical_device_queue_family_properties(physical) };
        let both = vk::QueueFlags::GRAPHICS | vk::QueueFlags::COMPUTE;
        let family = families
            .iter()
            .position(|f| f.queue_flags.contains(both))
            .ok_or("the device has no queue for graphics and compute")? as u32;
        let queues = [vk::DeviceQueueCreateInfo::default().queue_family_index(family).queue_priorities(&[1.0])];
        let mut rendering = vk::PhysicalDeviceDynamicRenderingFeatures::default().dynamic_rendering(true);
        let info = vk::DeviceCreateInfo::default().queue_create_infos(&queues).push_next(&mut rendering);
        // SAFETY: `info` and what it points to outlive the call; the device is one of this instance's.
        let device = unsafe { instance.create_device(physical, &info, None) }.map_err(failed("vkCreateDevice"))?;
        // SAFETY: the queue is the one that was asked for, and the pool is alive while its buffer is.
        let (queue, pool, commands) = unsafe {
            let queue = device.get_device_queue(family, 0);
            let info = vk::CommandPoolCreateInfo::default()
                .queue_family_index(family)
                .flags(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER);
            let pool = device.create_command_pool(&info, None).map_err(failed("vkCreateCommandPool"))?;
            let info = vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
            let commands = device.allocate_command_buffers(&info).map_err(failed("vkAllocateCommandBuffers"))?[0];
            (queue, pool, commands)
        };
        // SAFETY: the device is one of this instance's.
        let memory_types = unsafe { instance.get_physical_device_memory_properties(physical) };
        Ok(Vulkan { _entry: entry, instance, device, memory_types, queue, pool, commands, name })
    }

    /// The device that tests run on: the software renderer, or the one that `VGLB_TEST_DEVICE` names.
    ///
    /// # Panics
    /// Where there is none: the tests need Debian's `libvulkan1 mesa-vulkan-drivers`, or the like.
    pub fn for_tests() -> Self {
        Vulkan::new(&crate::test_device())
            .unwrap_or_else(|e| panic!("{e}\nThese tests need Mesa's lavapipe (libvulkan1 mesa-vulkan-drivers)."))
    }

    /// Records commands, runs them and waits until they are done.
    fn submit(&self, record: impl FnOnce(&ash::Device, vk::CommandBuffer)) -> Result<(), String> {
        let failed = |call: &'static str| move |e: vk::Result| format!("{call} failed: {e}");
        let begin = vk::CommandBufferBeginInfo::default().flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        // SAFETY: nothing is in flight, since every submission is waited for; so the buffer may be recorded anew.
        unsafe {
            self.device.begin_command_buffer(self.commands, &begin).map_err(failed("vkBeginCommandBuffer"))?;
            record(&self.device, self.commands);
            self.device.end_command_buffer(self.commands).map_err(failed("vkEndCommandBuffer"))?;
            let buffers = [self.commands];
            let submit = vk::SubmitInfo::default().command_buffers(&buffers);
            self.device.queue_submit(self.queue, &[submit], vk::Fence::null()).map_err(failed("vkQueueSubmit"))?;
            self.device.queue_wait_idle(self.queue).map_err(failed("vkQueueWaitIdle"))
        }
    }
}

impl Drop for Vulkan {
    fn drop(&mut self) {
        // SAFETY: nothing is in flight, and all that was made from the device is gone.
        unsafe {
            self.device.destroy_command_pool(self.pool, None);
            self.device.destroy_device(None);
            self.instance.destroy_instance(None);
        }
    }
}
