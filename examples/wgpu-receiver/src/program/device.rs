//! wgpu's device.

use anyhow::{Context, bail};

/// A device on Vulkan, with its queue.
pub struct Device {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    adapter: wgpu::Adapter,
}

impl Device {
    /// Opens the device that has `wanted` in its name; without that, the one that wgpu prefers.
    pub fn open(wanted: Option<&str>) -> anyhow::Result<Self> {
        pollster::block_on(Self::open_now(wanted))
    }

    async fn open_now(wanted: Option<&str>) -> anyhow::Result<Self> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::VULKAN,
            // With WGPU_VALIDATION=1 in the environment the validation layer watches.
            flags: wgpu::InstanceFlags::empty().with_env(),
            memory_budget_thresholds: wgpu::MemoryBudgetThresholds::default(),
            backend_options: wgpu::BackendOptions::default(),
            display: None,
        });
        let adapter = match wanted {
            None => {
                let options = wgpu::RequestAdapterOptions {
                    power_preference: wgpu::PowerPreference::HighPerformance,
                    ..Default::default()
                };
                instance.request_adapter(&options).await.context("wgpu finds no Vulkan device")?
            }
            Some(wanted) => named(instance.enumerate_adapters(wgpu::Backends::VULKAN).await, wanted)?,
        };
        // The extension VK_KHR_external_memory_fd, where the device has it.
        let features = adapter.features() & wgpu::Features::VULKAN_EXTERNAL_MEMORY_FD;
        let description = wgpu::DeviceDescriptor {
            required_features: features,
            // Strips are up to 16384 texels wide.
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) = adapter.request_device(&description).await.context("the device can't be opened")?;
        Ok(Device { device, queue, adapter })
    }

    /// The device and its driver, for people.
    pub fn name(&self) -> String {
        let info = self.adapter.get_info();
        format!("{}, {} {}", info.name, info.driver, info.driver_info)
    }

    /// Whether it imports memory of other processes.
    pub fn imports(&self) -> bool {
        self.device.features().contains(wgpu::Features::VULKAN_EXTERNAL_MEMORY_FD)
    }

    /// Waits until all work is done.
    pub fn wait(&self) -> anyhow::Result<()> {
        self.device.poll(wgpu::PollType::wait_indefinitely()).context("waiting for the device")?;
        Ok(())
    }
}

fn named(all: Vec<wgpu::Adapter>, wanted: &str) -> anyhow::Result<wgpu::Adapter> {
    let names: Vec<_> = all.iter().map(|adapter| adapter.get_info().name).collect();
    match names.iter().position(|name| name.to_lowercase().contains(&wanted.to_lowercase())) {
        Some(at) => Ok(all.into_iter().nth(at).context("one of them")?),
        None => bail!("no Vulkan device has {wanted:?} in its name; there is {}", names.join(", ")),
    }
}
