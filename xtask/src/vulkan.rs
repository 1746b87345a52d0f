//! The suite of images that go from process to process, on Mesa's lavapipe and under Vulkan's validation layer.

use crate::command::Failure;
use crate::machine::Machine;
use crate::need::Need;
use crate::suite;
use std::path::PathBuf;

/// Where drivers are described, as Mesa installs itself.
const DRIVERS: &str = "/usr/share/vulkan/icd.d";

/// What checks every call of Vulkan.
pub const VALIDATION_LAYER: Need = Need::System {
    what: "Vulkan's validation layer",
    found: |machine| {
        let files = "ls /usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json";
        machine.program("sh", "-c").arg(files).succeeds()
    },
    debian: &["vulkan-validationlayers"],
    elsewhere: "install Vulkan's validation layers with your package manager",
};

/// Runs everything that needs a Vulkan device. A complaint of the layer ends the process that made it, and with that
/// the suite.
pub fn test(machine: &Machine) -> Result<(), Failure> {
    let driver = lavapipe()?;
    // Of the library what needs a device: other back ends have tests of their own that are not for here.
    for targets in ["--lib -- --ignored texture::linux::", "--test gpu_transport -- --ignored"] {
        suite::test(machine, targets)
            .env("VGLB_VULKAN_VALIDATION", "1")
            .env("VK_DRIVER_FILES", &driver)
            // As loaders before 1.3.207 call it.
            .env("VK_ICD_FILENAMES", &driver)
            .run()?;
    }
    Ok(())
}

/// The file that names lavapipe: with it alone no other driver is looked for.
pub fn lavapipe() -> Result<PathBuf, Failure> {
    let folder = PathBuf::from(DRIVERS);
    let entries = std::fs::read_dir(&folder).map_err(Failure::file(&folder))?;
    let found = entries.flatten().map(|e| e.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lvp_icd") && name.ends_with(".json")
    });
    found.ok_or_else(|| Failure::Missing {
        what: format!("lavapipe in {DRIVERS}"),
        remedy: "install mesa-vulkan-drivers, or what your system calls it".into(),
    })
}
