//! Images of graphics devices beside the memory ring.
//!
//! A receiver that names its device in HELLO is told of images on it, once they are there; until then, and while the
//! device fails, it is told of the memory ring. Publishing knows nothing of all this, save that it wakes a thread.
//!
//! | file | job |
//! | --- | --- |
//! | `driver` | what is needed of a graphics driver |
//! | `devices` | the devices in use, and what a receiver can have |
//! | `worker` | a device's thread: copies, and tells |
//! | `side` | what a stream shares through one device |
//! | `claims` | which images a receiver may be reading |
//! | `image_message` | SURFACE for images |
//! | `receiver` | the receiving side |
//! | `probe` | images compared with the memory ring |

mod claims;
mod devices;
mod driver;
mod image_message;
mod probe;
mod receiver;
mod side;
mod worker;

pub(super) use claims::{Claims, LIMIT as CLAIM_LIMIT};
pub(super) use devices::{Devices, Offer};
pub(super) use driver::{Driver, Vulkan};
pub(super) use image_message::ImageSurface;
pub(super) use probe::Probe;
pub(super) use side::{Copy, Fresh, Next, Sides};

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub use receiver::{GpuFrame, GpuImages, GpuReceiver, Taken};
