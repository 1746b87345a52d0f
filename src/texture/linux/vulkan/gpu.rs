//! The devices of this computer, and one of them opened to receive.

use super::device::Device;
use super::instance::Instance;
use super::{DeviceFacts, GpuError, ImageDescription, ImageReader};
use crate::texture::GpuChoice;
use ash::vk;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Every graphics device of this computer, and for each what keeps it from sharing images, if anything does.
pub fn devices() -> Result<Vec<(DeviceFacts, Option<GpuError>)>, GpuError> {
    let instance = Instance::open()?;
    let devices = instance.devices()?;
    if devices.is_empty() {
        return Err(GpuError::NoVulkan("Vulkan knows no graphics device on this computer".into()));
    }
    let with_fault = |(physical, facts): (vk::PhysicalDevice, DeviceFacts)| {
        let fault = Device::check(&instance, physical, &facts).err();
        (facts, fault)
    };
    Ok(devices.into_iter().map(with_fault).collect())
}

/// A graphics device opened to receive: it imports images and reads them back.
///
/// For programs that only want to look. Renderers import into their own device:
/// [`ImportedImage::new`](super::ImportedImage::new).
pub struct Gpu {
    device: Arc<Device>,
}

impl Gpu {
    /// Opens the device that the choice means; for `auto` the most capable one that shares images.
    pub fn open(choice: &GpuChoice) -> Result<Self, GpuError> {
        let instance = Instance::open()?;
        let mut all = instance.devices()?;
        all.sort_by_key(|(_, facts)| facts.kind);
        let mut faults = Vec::new();
        for (physical, facts) in all.iter().filter(|(_, facts)| choice.allows(facts.index, &facts.name)) {
            match Device::open(&instance, *physical, facts) {
                Ok(device) => return Ok(Gpu { device }),
                Err(e) => faults.push(e),
            }
        }
        Err(match (faults.len(), choice) {
            (1, _) => faults.remove(0),
            (0, GpuChoice::Off) => GpuError::NoDevice("graphics devices are switched off".into()),
            (0, _) => {
                all.sort_by_key(|(_, facts)| facts.index);
                let names = all.iter().map(|(_, f)| format!("{} ({})", f.name, f.index)).collect::<Vec<_>>();
                let known =
                    if names.is_empty() { "there is none".into() } else { format!("there is {}", names.join(", ")) };
                GpuError::NoDevice(format!("no graphics device is meant by {:?}; {known}", choice.to_string()))
            }
            _ => {
                let faults = faults.iter().map(GpuError::to_string).collect::<Vec<_>>();
                GpuError::NoDevice(format!("no graphics device can share images: {}", faults.join("; ")))
            }
        })
    }

    /// What is known of the device.
    pub fn facts(&self) -> &DeviceFacts {
        self.device.facts()
    }

    /// Imports a sender's images: what one [`GpuImages`](crate::texture::linux::GpuImages) tells, with a descriptor
    /// for each image.
    pub fn import(&self, description: &ImageDescription, memory: Vec<OwnedFd>) -> Result<ImageReader, GpuError> {
        ImageReader::new(&self.device, description, memory)
    }
}

/// Opens the device of exactly this identity, to send.
pub(in crate::texture::linux) fn open_to_send(wanted: &DeviceFacts) -> Result<Arc<Device>, GpuError> {
    let instance = Instance::open()?;
    let found = instance.devices()?.into_iter().find(|(_, facts)| facts.identity == wanted.identity);
    let Some((physical, facts)) = found else {
        return Err(GpuError::Lost(format!("{} is not there any more", wanted.name)));
    };
    Device::open(&instance, physical, &facts)
}
