//! Vulkan: images of float32 texels that are handed from one process to another.
//!
//! Design decisions:
//! - Vulkan is opened at run time. Without its loader, a driver, or a device that shares such images, everything
//!   here is an error that says so, and textures go through memory alone.
//! - Images are R32G32B32A32_SFLOAT, each with memory of its own (a dedicated allocation), handed over as opaque
//!   descriptors. They mean something only to the same driver and device in the other process.
//! - There are no semaphores: a sender waits for its own fence before it tells of an image, a receiver for its own
//!   before it gives one back.
//! - All copies are recorded once, and staging stays mapped: an update allocates nothing.
//! - All of a device's errors end in dropping it; whoever used it opens it anew.
//!
//! | file | job |
//! | --- | --- |
//! | `facts` | devices and images in plain numbers |
//! | `instance` | the loader, the devices, the validation layer for tests |
//! | `device` | one open device |
//! | `gpu` | the devices there are, and one opened to receive |
//! | `image` | the one kind of image, and whether a device can share it |
//! | `memory` | buffers that the processor sees |
//! | `commands` | recorded work and its fence |
//! | `export` | the sender's images |
//! | `handed` | a descriptor in a driver's hands |
//! | `import` | the receiver's images, in any program's device |
//! | `reader`, `shader` | imported images read back, as a copy and through a shader |

#![allow(unsafe_code)]

mod commands;
mod device;
mod error;
mod export;
mod facts;
mod gpu;
mod handed;
mod image;
mod import;
mod instance;
mod memory;
mod reader;
mod shader;

pub use error::GpuError;
pub use facts::{DeviceFacts, DeviceIdentity, DeviceKind, ImageDescription};
pub use gpu::{Gpu, devices};
pub use import::ImportedImage;
pub use instance::VALIDATION;
pub use reader::{ImageReader, ReadBy};

pub(super) use device::Device;
pub(super) use export::ExportedImages;
pub(super) use gpu::open_to_send;

use std::time::Duration;

/// How long a device may take to read an image back. The largest takes a hundredth of a second with hardware; one that
/// takes so long does not answer any more.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
#[path = "roundtrip_tests.rs"]
mod roundtrip;
#[cfg(test)]
#[path = "validation_tests.rs"]
mod validation;
