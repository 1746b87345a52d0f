//! The device that these tests run on, opened once.

use std::sync::OnceLock;
use virtual_gpu_lut_box::texture::GpuChoice;
use virtual_gpu_lut_box::texture::linux::Gpu;

/// Chooses the device; otherwise the most capable one.
const DEVICE: &str = "VGLB_TEST_GPU";

pub fn gpu() -> &'static Gpu {
    static OPEN: OnceLock<Gpu> = OnceLock::new();
    OPEN.get_or_init(|| {
        let choice = match std::env::var(DEVICE) {
            Ok(choice) => choice.parse().unwrap(),
            Err(_) => GpuChoice::Auto,
        };
        Gpu::open(&choice).unwrap_or_else(|e| {
            panic!(
                "these tests need a Vulkan device: {e}. `cargo xtask test --only vulkan` installs Mesa's, and runs them"
            )
        })
    })
}
