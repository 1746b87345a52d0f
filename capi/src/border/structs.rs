//! Structures and codes. Their layout is the library's binary interface: a change is a new `VGLB_ABI_VERSION`.

use super::pointers::Sized32;
use std::ffi::{c_char, c_void};

/// The version of this binary interface: of the functions, and of the sizes and fields of the structures.
pub const VGLB_ABI_VERSION: u32 = 1;

/// For `VglbOpenOptions.flags`: take textures as images of the graphics device whose UUIDs are given, wherever the
/// sender can, and as pixels otherwise. See `VglbFrameInfo.kind`.
pub const VGLB_OPEN_IMAGES: u32 = 1;

/// What came of a call. 0 and above is no error; below 0 `vglb_last_error()` says what was wrong.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VglbStatus {
    /// It is done.
    Ok = 0,
    /// Nothing happened in the time given.
    TimedOut = 1,
    /// The stream has ended. Close the receiver; `vglb_wait_for_stream` waits for the stream to return.
    Ended = 2,
    /// An argument makes no sense: NULL, no UTF-8, out of range.
    ErrorInvalidArgument = -1,
    /// A `struct_size` is not the one of this library's structure.
    ErrorStructSize = -2,
    /// The program was compiled for another `VGLB_ABI_VERSION`.
    ErrorAbiVersion = -3,
    /// A handle is NULL, was given back, or is a handle of something else.
    ErrorInvalidHandle = -4,
    /// Another thread waits on the same receiver.
    ErrorBusy = -5,
    /// There is no stream of that name.
    ErrorNoSuchStream = -6,
    /// Textures can't be shared on this computer, or not in the way asked for.
    ErrorUnavailable = -7,
    /// The sender has refused this receiver, or sent it away for holding an image too long.
    ErrorRefused = -8,
    /// There is no memory for the texture.
    ErrorOutOfMemory = -9,
    /// The sender does not keep to the transport's rules. Close the receiver.
    ErrorProtocol = -10,
    /// The operating system refused something.
    ErrorSystem = -11,
    /// The frame is of the other kind: see `VglbFrameInfo.kind`.
    ErrorWrongKind = -12,
    /// Something does not work that should: the sender, the computer or this library.
    ErrorBroken = -13,
}

/// How a LUT of grid size N lies in its texture. With lattice indices r, g, b from 0 to N-1, x to the right and y down:
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VglbLayout {
    /// The transport does not tell.
    Unknown = -1,
    /// x = b*N + g, y = r
    Vglb = 0,
    /// x = b*N + r, y = g
    Unreal = 1,
    /// x = b*N + r, y = N-1-g
    Unity = 2,
    /// With p = r + N*(g + N*b) and the texture's width W: x = p mod W, y = p div W
    HaldClut = 3,
}

/// Where a frame's texels are.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VglbKind {
    /// In memory: `vglb_frame_pixels`.
    Pixels = 0,
    /// In an image of a graphics device: `vglb_frame_image`.
    Image = 1,
}

/// How the texels of a texture are stored.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VglbFormat {
    /// Four 32-bit floats a texel: R, G, B, A. The value is that of Vulkan's VK_FORMAT_R32G32B32A32_SFLOAT.
    Rgba32Float = 109,
    /// Something else, on a transport that other programs send through too. Pixels are converted to 32-bit floats.
    Other = 0,
}

/// A list of streams. A handle: never look behind it, it points to nothing.
pub struct VglbStreams {
    _none: [u8; 0],
}

/// A stream being received. A handle: never look behind it, it points to nothing.
pub struct VglbReceiver {
    _none: [u8; 0],
}

/// A texture that was received. A handle: never look behind it, it points to nothing.
pub struct VglbFrame {
    _none: [u8; 0],
}

/// How to open a stream. Set all to 0, then `struct_size`, then what is wanted.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VglbOpenOptions {
    /// To be set to sizeof(VglbOpenOptions).
    pub struct_size: u32,
    /// 0, or VGLB_OPEN_IMAGES.
    pub flags: u32,
    /// With VGLB_OPEN_IMAGES: VkPhysicalDeviceIDProperties::deviceUUID, GL_DEVICE_UUID_EXT or cudaDeviceProp::uuid of
    /// the device that is to import.
    pub device_uuid: [u8; 16],
    /// With VGLB_OPEN_IMAGES: VkPhysicalDeviceIDProperties::driverUUID or GL_DRIVER_UUID_EXT. All 0 where the API has
    /// none (CUDA): then the device decides alone.
    pub driver_uuid: [u8; 16],
}

/// ASC CDL values; those of three numbers are for red, green and blue.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VglbCdl {
    /// 0 or more.
    pub slope: [f64; 3],
    /// Added after the slope.
    pub offset: [f64; 3],
    /// More than 0.
    pub power: [f64; 3],
    /// 0 or more.
    pub saturation: f64,
}

/// What is known of a stream.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VglbStreamInfo {
    /// To be set to sizeof(VglbStreamInfo).
    pub struct_size: u32,
    /// Width of the newest texture in texels.
    pub width: u32,
    /// Height in texels.
    pub height: u32,
    /// The LUT's grid size N, 2 to 128; 0 where the transport does not tell.
    pub grid_size: u32,
    /// How the LUT lies in the texture.
    pub layout: VglbLayout,
    /// How texels are stored on the transport.
    pub format: VglbFormat,
    /// The newest revision; 0 where the transport has none.
    pub revision: u64,
    /// When the newest texture was published, in nanoseconds since 1970-01-01 UTC; 0 where the transport does not tell.
    pub published_realtime_ns: u64,
    /// The stream's name, UTF-8. The list's: valid until vglb_streams_free.
    pub name: *const c_char,
    /// The process that sends it, for people; NULL where the transport does not tell. The list's, as `name`.
    pub sender: *const c_char,
    /// The newest CDL values that the stream's channel was sent; NULL where there are none. The list's, as `name`.
    pub cdl: *const VglbCdl,
}

/// What is known of a texture.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VglbFrameInfo {
    /// To be set to sizeof(VglbFrameInfo).
    pub struct_size: u32,
    /// Where its texels are.
    pub kind: VglbKind,
    /// Width in texels.
    pub width: u32,
    /// Height in texels.
    pub height: u32,
    /// The LUT's grid size N, 2 to 128; 0 where the transport does not tell.
    pub grid_size: u32,
    /// How the LUT lies in the texture.
    pub layout: VglbLayout,
    /// The sender's revision: 1, 2, 3, and so on. Where the transport has none, a number that changes with every
    /// texture.
    pub revision: u64,
    /// When it was published, in nanoseconds since 1970-01-01 UTC; 0 where the transport does not tell.
    pub published_realtime_ns: u64,
    /// The same by CLOCK_MONOTONIC; 0 where it is not known: it is for images alone.
    pub published_monotonic_ns: u64,
}

/// A texture's texels in memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VglbPixels {
    /// To be set to sizeof(VglbPixels).
    pub struct_size: u32,
    /// Bytes from one row to the next: width * 16, for rows are tightly packed.
    pub row_pitch: u32,
    /// Bytes in all: width * height * 16.
    pub bytes: u64,
    /// Rows from the top down, each of `width` texels of four 32-bit floats R, G, B, A, in the processor's byte order.
    /// To be read only, by any thread, until vglb_release of the frame. Aligned to 16 bytes.
    pub data: *const c_void,
}

/// A texture's image on a graphics device, described as its sender has made it. An importer makes the same, 2D, with
/// one mip level, one layer and one sample: see docs/transport.md, "Importing". All images of one surface are alike.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VglbImage {
    /// To be set to sizeof(VglbImage).
    pub struct_size: u32,
    /// Which image of the surface holds this texture, from 0.
    pub slot: u32,
    /// The set of images that the stream's textures are in, by a number that no other set of the stream has. Import
    /// when it changes: all slots, each once. Keep them until it changes again.
    pub surface: u64,
    /// How many images the surface has.
    pub slots: u32,
    /// VkFormat: 109, VK_FORMAT_R32G32B32A32_SFLOAT; GL_RGBA32F.
    pub format: VglbFormat,
    /// Width in texels.
    pub width: u32,
    /// Height in texels.
    pub height: u32,
    /// VkImageTiling: 0 optimal, 1 linear.
    pub tiling: u32,
    /// VkImageUsageFlags.
    pub usage: u32,
    /// Size of the memory allocation in bytes: VkMemoryAllocateInfo::allocationSize, and the size for
    /// glImportMemoryFdEXT.
    pub memory_bytes: u64,
    /// Where the image begins in the memory, in bytes.
    pub offset: u64,
    /// Bytes from one row to the next where the tiling is linear; 0 where it is optimal.
    pub row_pitch: u32,
    /// VkMemoryAllocateInfo::memoryTypeIndex.
    pub memory_type_index: u32,
    /// 1 where the memory is a dedicated allocation of the image (VkMemoryDedicatedAllocateInfo), else 0.
    pub dedicated: u32,
    /// VkExternalMemoryHandleTypeFlagBits of the descriptors: 1, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT.
    pub handle_type: u32,
    /// The sender's device. The importer's must be the same.
    pub device_uuid: [u8; 16],
    /// The sender's driver. The importer's must be the same, where its API has one.
    pub driver_uuid: [u8; 16],
}

macro_rules! sized {
    ($($name:ident),*) => {$(
        // SAFETY: `repr(C)` with a `u32` in front. Of those that are read, only sizes and bytes are fields; those with
        // enums and pointers are only ever written.
        unsafe impl Sized32 for $name {
            const NAME: &'static str = stringify!($name);
            fn sized(self, size: u32) -> Self {
                $name { struct_size: size, ..self }
            }
        }
    )*};
}

sized!(VglbOpenOptions, VglbStreamInfo, VglbFrameInfo, VglbPixels, VglbImage);

/// Without gaps: whatever is copied was written.
const _: () = {
    assert!(size_of::<VglbOpenOptions>() == 40);
    assert!(size_of::<VglbStreamInfo>() == 40 + 3 * size_of::<usize>());
    assert!(size_of::<VglbCdl>() == 80);
    assert!(size_of::<VglbFrameInfo>() == 48);
    assert!(size_of::<VglbImage>() == 104);
};
