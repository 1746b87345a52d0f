//! Which platforms hand out images of graphics devices. The only file here with a `cfg` on the operating system.

#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
#[path = "images/linux.rs"]
mod images;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64", target_endian = "little")))]
#[path = "images/nowhere.rs"]
mod images;

pub use images::{ImageFrame, ImageReceiver};

use virtual_gpu_lut_box::hald::TextureShape;

/// What an [`ImageReceiver`] has taken.
pub enum Taken {
    /// An image.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "never made where there are no images"))]
    Image(ImageFrame),
    /// Pixels, in the frame that was given.
    Pixels,
}

/// What an importer has to know of an image, in plain numbers.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    pub shape: TextureShape,
    pub revision: u64,
    pub published_monotonic_ns: u64,
    pub surface: u64,
    pub slot: u32,
    pub slots: u32,
    pub tiling: u32,
    pub usage: u32,
    pub memory_bytes: u64,
    pub offset: u64,
    pub row_pitch: u32,
    pub memory_type: u32,
    pub dedicated: bool,
    pub device: [u8; 16],
    pub driver: [u8; 16],
}
