//! Vulkan itself, opened at run time, and the devices that it knows.

use super::{DeviceFacts, DeviceIdentity, DeviceKind, GpuError};
use ash::{ext, vk};
use std::ffi::{CStr, c_void};
use std::io::Write;
use std::sync::Arc;

/// Set to anything, this environment variable has every Vulkan call checked by the Khronos validation layer, which
/// must be installed. Its first complaint ends the process: for tests.
pub const VALIDATION: &str = "VGLB_VULKAN_VALIDATION";

const VALIDATION_LAYER: &CStr = c"VK_LAYER_KHRONOS_validation";

/// The least version with external memory in its core.
const OLDEST: u32 = vk::API_VERSION_1_1;

/// A Vulkan instance.
pub(super) struct Instance {
    /// Keeps the loader's library open.
    _entry: ash::Entry,
    raw: ash::Instance,
    /// What the instance was made for: no device offers more through it.
    version: u32,
    messenger: Option<(ext::debug_utils::Instance, vk::DebugUtilsMessengerEXT)>,
}

impl Instance {
    /// Opens the Vulkan loader. Takes as long as the installed drivers take to come up: up to a second was seen.
    pub(super) fn open() -> Result<Arc<Self>, GpuError> {
        // SAFETY: the loader is the system's own; as with every shared library, it is trusted to be what its name
        // says. `Instance` keeps it open for as long as anything came out of it.
        let entry = unsafe { ash::Entry::load() }.map_err(|e| {
            GpuError::NoVulkan(format!("there is no Vulkan loader on this computer that can be opened ({e})"))
        })?;
        // SAFETY: no further conditions.
        let offered = unsafe { entry.try_enumerate_instance_version() }
            .map_err(GpuError::in_call("asking for the Vulkan version"))?
            .unwrap_or(vk::API_VERSION_1_0);
        if offered < OLDEST {
            let (major, minor) = (vk::api_version_major(offered), vk::api_version_minor(offered));
            return Err(GpuError::NoVulkan(format!("Vulkan here has version {major}.{minor}; sharing needs 1.1")));
        }
        let version = offered.min(vk::API_VERSION_1_2);
        let validation = std::env::var_os(VALIDATION).is_some();
        let raw = create(&entry, version, validation)?;
        let mut instance = Instance { _entry: entry, raw, version, messenger: None };
        if validation {
            let debug = ext::debug_utils::Instance::new(&instance._entry, &instance.raw);
            // SAFETY: the extension was enabled, the description is complete, and the callback lives for ever.
            let messenger = unsafe { debug.create_debug_utils_messenger(&messenger(), None) }
                .map_err(GpuError::in_call("watching the validation layer"))?;
            instance.messenger = Some((debug, messenger));
        }
        Ok(Arc::new(instance))
    }

    pub(super) fn raw(&self) -> &ash::Instance {
        &self.raw
    }

    /// All devices that can be told apart from others, in Vulkan's order.
    pub(super) fn devices(&self) -> Result<Vec<(vk::PhysicalDevice, DeviceFacts)>, GpuError> {
        // SAFETY: the instance is alive.
        let physical = unsafe { self.raw.enumerate_physical_devices() }
            .map_err(GpuError::in_call("listing the graphics devices"))?;
        Ok(physical.into_iter().enumerate().map(|(index, device)| (device, self.facts(index, device))).collect())
    }

    fn facts(&self, index: usize, device: vk::PhysicalDevice) -> DeviceFacts {
        // SAFETY: the device came from this instance, here and below.
        let basic = unsafe { self.raw.get_physical_device_properties(device) };
        let name = text(&basic.device_name);
        let kind = match basic.device_type {
            vk::PhysicalDeviceType::DISCRETE_GPU => DeviceKind::Discrete,
            vk::PhysicalDeviceType::INTEGRATED_GPU => DeviceKind::Integrated,
            vk::PhysicalDeviceType::VIRTUAL_GPU => DeviceKind::Virtual,
            vk::PhysicalDeviceType::CPU => DeviceKind::Software,
            _ => DeviceKind::Other,
        };
        let (major, minor) = (vk::api_version_major(basic.api_version), vk::api_version_minor(basic.api_version));
        if basic.api_version < OLDEST {
            let driver = format!("Vulkan {major}.{minor}");
            return DeviceFacts { index, name, driver, kind, identity: DeviceIdentity::default() };
        }
        let mut id = vk::PhysicalDeviceIDProperties::default();
        let mut of_driver = vk::PhysicalDeviceDriverProperties::default();
        let mut all = vk::PhysicalDeviceProperties2::default().push_next(&mut id);
        let told = self.version.min(basic.api_version) >= vk::API_VERSION_1_2;
        if told {
            all = all.push_next(&mut of_driver);
        }
        // SAFETY: every structure in the chain belongs to a version that the device and the instance have.
        unsafe { self.raw.get_physical_device_properties2(device, &mut all) };
        let driver = match told {
            true => format!("{} {}", text(&of_driver.driver_name), text(&of_driver.driver_info)),
            false => format!("driver version {:#x}, Vulkan {major}.{minor}", basic.driver_version),
        };
        let identity = DeviceIdentity { device: id.device_uuid, driver: id.driver_uuid };
        DeviceFacts { index, name, driver: driver.trim_end().to_owned(), kind, identity }
    }

    /// The newest Vulkan version that may be used with this device.
    pub(super) fn version_with(&self, device: vk::PhysicalDevice) -> u32 {
        // SAFETY: the device came from this instance.
        self.version.min(unsafe { self.raw.get_physical_device_properties(device) }.api_version)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: whatever was made with the instance holds it, so all of it is gone, save the messenger.
        unsafe {
            if let Some((debug, messenger)) = self.messenger.take() {
                debug.destroy_debug_utils_messenger(messenger, None);
            }
            self.raw.destroy_instance(None);
        }
    }
}

fn create(entry: &ash::Entry, version: u32, validation: bool) -> Result<ash::Instance, GpuError> {
    let application = vk::ApplicationInfo::default().application_name(c"virtual-gpu-lut-box").api_version(version);
    let (layers, extensions) = ([VALIDATION_LAYER.as_ptr()], [ext::debug_utils::NAME.as_ptr()]);
    let mut messenger = messenger();
    let synchronisation = [vk::ValidationFeatureEnableEXT::SYNCHRONIZATION_VALIDATION];
    let mut features = vk::ValidationFeaturesEXT::default().enabled_validation_features(&synchronisation);
    let mut info = vk::InstanceCreateInfo::default().application_info(&application);
    if validation {
        info = info.enabled_layer_names(&layers).enabled_extension_names(&extensions);
        info = info.push_next(&mut messenger).push_next(&mut features);
    }
    // SAFETY: everything that the description points to outlives the call.
    unsafe { entry.create_instance(&info, None) }.map_err(|result| match result {
        vk::Result::ERROR_INCOMPATIBLE_DRIVER => {
            GpuError::NoVulkan("Vulkan has no driver on this computer (VK_ERROR_INCOMPATIBLE_DRIVER)".into())
        }
        vk::Result::ERROR_LAYER_NOT_PRESENT => GpuError::NoVulkan(format!(
            "{VALIDATION} is set, and the validation layer is not installed (Debian: vulkan-validationlayers)"
        )),
        other => GpuError::NoVulkan(format!("Vulkan does not start on this computer: {other}")),
    })
}

fn messenger() -> vk::DebugUtilsMessengerCreateInfoEXT<'static> {
    use vk::{DebugUtilsMessageSeverityFlagsEXT as Severity, DebugUtilsMessageTypeFlagsEXT as Type};
    vk::DebugUtilsMessengerCreateInfoEXT::default()
        .message_severity(Severity::WARNING | Severity::ERROR)
        .message_type(Type::VALIDATION)
        .pfn_user_callback(Some(complain))
}

/// What the validation layer has to say is a fault in this program, and whoever looks for those shall not miss it.
unsafe extern "system" fn complain(
    _severity: vk::DebugUtilsMessageSeverityFlagsEXT,
    _kind: vk::DebugUtilsMessageTypeFlagsEXT,
    data: *const vk::DebugUtilsMessengerCallbackDataEXT<'_>,
    _user: *mut c_void,
) -> vk::Bool32 {
    // SAFETY: the layer hands over a valid structure, or none, for the length of this call.
    let message = unsafe { data.as_ref().and_then(|d| d.message_as_c_str()) };
    let message = message.unwrap_or(c"(no message)").to_string_lossy();
    // Not `eprintln`, which test programs keep to themselves until a test has ended.
    let _ = writeln!(std::io::stderr(), "Vulkan validation: {message}");
    std::process::abort()
}

/// A name in a fixed field.
fn text(field: &[std::ffi::c_char]) -> String {
    let bytes: Vec<u8> = field.iter().take_while(|c| **c != 0).map(|c| *c as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
