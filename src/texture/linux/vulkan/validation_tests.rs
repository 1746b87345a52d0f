//! Whether the validation layer would report a fault of ours: faults are planted for it, each in a process of its own.

use super::commands::Commands;
use super::instance::VALIDATION;
use super::memory::{Host, HostBuffer};
use super::{Gpu, open_to_send};
use crate::texture::GpuChoice;
use ash::vk;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

const FAULT: &str = "VGLB_TEST_FAULT";

/// The faults, and how the layer calls them.
const FAULTS: [(&str, &str); 3] = [
    ("a buffer of no size", "VUID-VkBufferCreateInfo-size-00912"),
    ("two copies to one place, none before the other", "SYNC-HAZARD-WRITE-AFTER-WRITE"),
    ("a buffer that outlives its device", "VUID-vkDestroyDevice-device-00378"),
];

/// Not a test: where the other process begins.
#[test]
#[ignore = "is the other process of the test below"]
fn other_process() {
    let Ok(fault) = std::env::var(FAULT) else { return };
    let gpu = Gpu::open(&GpuChoice::Auto).unwrap();
    let device = open_to_send(gpu.facts()).unwrap();
    let raw = device.raw();
    match FAULTS.iter().position(|(name, _)| *name == fault) {
        Some(0) => {
            let info = vk::BufferCreateInfo::default().usage(vk::BufferUsageFlags::TRANSFER_SRC);
            // SAFETY: breaks a rule on purpose; without the layer drivers make an empty buffer, or refuse.
            let _ = unsafe { raw.create_buffer(&info, None) };
        }
        Some(1) => {
            let buffer = |usage| HostBuffer::new(&device, 256, usage, Host::Writes).unwrap();
            let from = buffer(vk::BufferUsageFlags::TRANSFER_SRC);
            let to = buffer(vk::BufferUsageFlags::TRANSFER_DST);
            let whole = [vk::BufferCopy::default().size(256)];
            // SAFETY: the commands are valid one by one, and never run.
            let recorded = unsafe {
                Commands::record(&device, 1, |_, commands| {
                    raw.cmd_copy_buffer(commands, from.raw(), to.raw(), &whole);
                    raw.cmd_copy_buffer(commands, from.raw(), to.raw(), &whole);
                })
            };
            drop(recorded.unwrap());
        }
        Some(2) => {
            let info = vk::BufferCreateInfo::default().size(256).usage(vk::BufferUsageFlags::TRANSFER_SRC);
            // SAFETY: the description is complete; the buffer is never used.
            unsafe { raw.create_buffer(&info, None) }.unwrap();
        }
        _ => panic!("{fault:?} is no fault that can be planted"),
    }
}

fn plant(fault: &str, validate: bool) -> Output {
    let path = module_path!().split_once("::").unwrap().1;
    let mut other = Command::new(std::env::current_exe().unwrap());
    other.args(["--exact", &format!("{path}::other_process"), "--ignored", "--nocapture", "--test-threads=1"]);
    other.env(FAULT, fault).env_remove(VALIDATION);
    if validate {
        other.env(VALIDATION, "1");
    }
    other.output().unwrap()
}

#[test]
#[ignore = "needs a Vulkan device and its validation layer: cargo xtask test --only vulkan"]
fn planted_faults_are_reported_and_end_the_process() {
    const SIGABRT: i32 = 6;
    for (fault, name) in FAULTS {
        let out = plant(fault, true);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.signal(), Some(SIGABRT), "{fault}: {said}");
        let reported = said.lines().any(|line| line.starts_with("Vulkan validation: ") && line.contains(name));
        assert!(reported, "{fault}: {said}");
        // It is the layer that finds it, and not the driver.
        let out = plant(fault, false);
        assert!(out.status.success(), "{fault}: {}", String::from_utf8_lossy(&out.stderr));
        assert!(String::from_utf8_lossy(&out.stdout).contains("1 passed"), "nothing ran");
    }
}
