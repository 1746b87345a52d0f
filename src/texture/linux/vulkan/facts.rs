//! What is told of graphics devices and of images, in plain numbers: all that crosses from one process to another.

use super::GpuError;
use ash::vk;
use std::fmt;

/// Which device and which driver: images can be shared where both are the same on both sides.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct DeviceIdentity {
    /// Vulkan's and OpenGL's `deviceUUID`; CUDA's UUID of the device.
    pub device: [u8; 16],
    /// Vulkan's and OpenGL's `driverUUID`. Zero where the API has none, as CUDA: then the device decides alone.
    pub driver: [u8; 16],
}

impl DeviceIdentity {
    /// The identity of a Vulkan device, for a renderer that has one: to be handed to
    /// [`LinuxBackend::open_on_gpu`](crate::texture::linux::LinuxBackend::open_on_gpu).
    ///
    /// # Errors
    /// [`GpuError::Unsuited`] where the device is older than Vulkan 1.1, and has none.
    ///
    /// # Safety
    /// `physical` came from `instance`, which was made for Vulkan 1.1 or newer.
    pub unsafe fn of(instance: &ash::Instance, physical: vk::PhysicalDevice) -> Result<Self, GpuError> {
        // SAFETY: the caller's.
        let basic = unsafe { instance.get_physical_device_properties(physical) };
        if basic.api_version < vk::API_VERSION_1_1 {
            let device = basic.device_name_as_c_str().unwrap_or_default().to_string_lossy().into_owned();
            return Err(GpuError::Unsuited { device, why: "its driver is older than Vulkan 1.1".into() });
        }
        let mut id = vk::PhysicalDeviceIDProperties::default();
        let mut all = vk::PhysicalDeviceProperties2::default().push_next(&mut id);
        // SAFETY: the caller's; device and instance have Vulkan 1.1, to which both structures belong.
        unsafe { instance.get_physical_device_properties2(physical, &mut all) };
        Ok(DeviceIdentity { device: id.device_uuid, driver: id.driver_uuid })
    }

    /// Whether images of a device with `self`'s identity can be taken by a receiver that calls itself `wanted`.
    pub(in crate::texture::linux) fn serves(&self, wanted: &DeviceIdentity) -> bool {
        self.device == wanted.device && (self.driver == wanted.driver || wanted.driver == [0; 16])
    }

    /// Whether it names a device at all.
    pub(in crate::texture::linux) fn is_known(&self) -> bool {
        self.device != [0; 16]
    }
}

impl fmt::Debug for DeviceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        write!(f, "device {}, driver {}", hex(&self.device), hex(&self.driver))
    }
}

/// What kind of device it is, the most capable kind first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceKind {
    /// A graphics card.
    Discrete,
    /// A part of the processor.
    Integrated,
    /// A virtual machine's.
    Virtual,
    /// Something else.
    Other,
    /// No hardware: the processor draws.
    Software,
}

/// What is known of a graphics device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceFacts {
    /// Its number in Vulkan's order, from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Its driver's name and version.
    pub driver: String,
    /// What kind of device it is.
    pub kind: DeviceKind,
    /// Which device and driver it is.
    pub identity: DeviceIdentity,
}

/// An image in another process, described as its exporter has made it.
///
/// An importer makes the same image: Vulkan's format 109 (`R32G32B32A32_SFLOAT`), 2D, one mip level, one layer, one
/// sample, no flags, exclusive, of layout `UNDEFINED` at first, for external handles of the type `OPAQUE_FD`, with
/// the fields below. Pixels lie in it as in the memory ring: row 0 is the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageDescription {
    /// Width in texels.
    pub width: u32,
    /// Height in texels.
    pub height: u32,
    /// `VkImageTiling`: 0 optimal, 1 linear.
    pub tiling: u32,
    /// `VkImageUsageFlags`.
    pub usage: u32,
    /// Size of the memory allocation, in bytes.
    pub memory_bytes: u64,
    /// Where the image begins in it, in bytes.
    pub offset: u64,
    /// The memory type's index, the same in all processes that use this device.
    pub memory_type: u32,
    /// Bytes from one row to the next where the tiling is linear; 0 where it is optimal.
    pub row_pitch: u32,
    /// Whether the memory is a dedicated allocation of the image (`VkMemoryDedicatedAllocateInfo`).
    pub dedicated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_serves_its_own_driver_and_those_who_do_not_know_theirs() {
        let ours = DeviceIdentity { device: [1; 16], driver: [2; 16] };
        assert!(ours.serves(&ours));
        assert!(ours.serves(&DeviceIdentity { driver: [0; 16], ..ours }));
        assert!(!ours.serves(&DeviceIdentity { driver: [3; 16], ..ours }));
        assert!(!ours.serves(&DeviceIdentity { device: [3; 16], ..ours }));
        assert!(!DeviceIdentity::default().is_known());
    }
}
