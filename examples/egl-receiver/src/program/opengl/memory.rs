//! `GL_EXT_memory_object` and `GL_EXT_memory_object_fd`, which glow does not have.

use anyhow::anyhow;
use std::ffi::{c_int, c_uint, c_void};
use std::mem::transmute;
use virtual_gpu_lut_box::texture::linux::DeviceIdentity;

const DEVICE_UUID: c_uint = 0x9597;
const DRIVER_UUID: c_uint = 0x9598;
pub const DEDICATED_MEMORY_OBJECT: c_uint = 0x9581;
pub const HANDLE_TYPE_OPAQUE_FD: c_uint = 0x9586;
pub const TEXTURE_TILING: c_uint = 0x9580;
pub const OPTIMAL_TILING: c_uint = 0x9584;
pub const LINEAR_TILING: c_uint = 0x9585;

type GetUnsignedByte = unsafe extern "system" fn(c_uint, *mut u8);
type GetUnsignedByteAt = unsafe extern "system" fn(c_uint, c_uint, *mut u8);
type Create = unsafe extern "system" fn(c_int, *mut c_uint);
type Delete = unsafe extern "system" fn(c_int, *const c_uint);
type Parameter = unsafe extern "system" fn(c_uint, c_uint, *const c_int);
type ImportFd = unsafe extern "system" fn(c_uint, u64, c_uint, c_int);
type TexStorage2d = unsafe extern "system" fn(c_uint, c_int, c_uint, c_int, c_int, c_uint, u64);

/// The extensions' functions.
pub struct MemoryObjects {
    get_unsigned_byte: GetUnsignedByte,
    get_unsigned_byte_at: GetUnsignedByteAt,
    pub create: Create,
    pub delete: Delete,
    pub parameter: Parameter,
    pub import_fd: ImportFd,
    pub tex_storage_2d: TexStorage2d,
}

impl MemoryObjects {
    /// Finds the functions.
    ///
    /// # Safety
    /// `function` tells functions of a current context that has both extensions.
    pub unsafe fn load(function: impl Fn(&str) -> *const c_void) -> anyhow::Result<Self> {
        let find = |name: &str| match function(name) {
            null if null.is_null() => Err(anyhow!("the driver has no {name}")),
            found => Ok(found),
        };
        type Found = *const c_void;
        // SAFETY: the extensions give the functions of these names these signatures; null is no function, and was sorted out.
        unsafe {
            Ok(MemoryObjects {
                get_unsigned_byte: transmute::<Found, GetUnsignedByte>(find("glGetUnsignedBytevEXT")?),
                get_unsigned_byte_at: transmute::<Found, GetUnsignedByteAt>(find("glGetUnsignedBytei_vEXT")?),
                create: transmute::<Found, Create>(find("glCreateMemoryObjectsEXT")?),
                delete: transmute::<Found, Delete>(find("glDeleteMemoryObjectsEXT")?),
                parameter: transmute::<Found, Parameter>(find("glMemoryObjectParameterivEXT")?),
                import_fd: transmute::<Found, ImportFd>(find("glImportMemoryFdEXT")?),
                tex_storage_2d: transmute::<Found, TexStorage2d>(find("glTexStorageMem2DEXT")?),
            })
        }
    }

    /// The device's and the driver's UUID.
    ///
    /// # Safety
    /// The context is current.
    pub unsafe fn identity(&self) -> DeviceIdentity {
        let mut identity = DeviceIdentity::default();
        // SAFETY: the caller's; OpenGL writes 16 bytes to each. A context is on one device, or on several that work as
        // one; the first is told.
        unsafe {
            (self.get_unsigned_byte_at)(DEVICE_UUID, 0, identity.device.as_mut_ptr());
            (self.get_unsigned_byte)(DRIVER_UUID, identity.driver.as_mut_ptr());
        }
        identity
    }
}
