//! What the Linux transport promises of images of graphics devices. On any device with Vulkan, Mesa's llvmpipe
//! included: `cargo xtask test --only vulkan` has the environment for that.

#![cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
#![allow(clippy::unwrap_used)]

#[macro_use]
#[path = "../backend_suite/mod.rs"]
mod backend_suite;
mod child;
mod commands;
mod device;
mod figures;
mod platform;
mod processes;
#[path = "../program/mod.rs"]
mod program;
mod reading;

backend_suite!(
    #[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
    images,
    crate::platform::platform()
);
