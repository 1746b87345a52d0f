//! Surfaces: images that the programs of this computer share, on the processor and on the graphics device.

#![allow(unsafe_code)]

use crate::texture::TextureError;
use crate::texture::syphon::seam::Surface;
use objc2_core_foundation::{CFBoolean, CFDictionary, CFNumber, CFRetained, CFString, CFType};
#[allow(deprecated)]
use objc2_io_surface::kIOSurfaceIsGlobal;
use objc2_io_surface::{
    IOSurfaceLockOptions, IOSurfaceRef, kIOSurfaceBytesPerElement, kIOSurfaceHeight, kIOSurfacePixelFormat,
    kIOSurfaceWidth,
};
use std::{ptr, slice};

/// 'BGRA': 8 bits for each of blue, green, red and alpha.
const BGRA: i32 = i32::from_be_bytes(*b"BGRA");

/// Bytes of a texel.
const TEXEL_BYTES: usize = 4;

struct IoSurface(CFRetained<IOSurfaceRef>);

// SAFETY: the functions of IOSurface may be called from any thread. Its memory is reached through `&self` for reading
// and `&mut self` for writing only.
unsafe impl Send for IoSurface {}

/// Makes a surface that every program can look up by its number.
pub fn create(width: usize, height: usize) -> Result<Box<dyn Surface>, TextureError> {
    // Apple calls global surfaces insecure, for every program can look at them: they are what Syphon is made of.
    #[allow(deprecated)]
    // SAFETY: constants of IOSurface, which live as long as the program.
    let keys: [&CFString; 5] = unsafe {
        [kIOSurfaceIsGlobal, kIOSurfaceWidth, kIOSurfaceHeight, kIOSurfaceBytesPerElement, kIOSurfacePixelFormat]
    };
    let [width_number, height_number, element, format] =
        [width as i64, height as i64, TEXEL_BYTES as i64, BGRA.into()].map(CFNumber::new_i64);
    let values: [&CFType; 5] = [CFBoolean::new(true), &width_number, &height_number, &element, &format];
    let properties = CFDictionary::from_slices(&keys, &values);
    // SAFETY: the properties are of the types that IOSurface documents for them.
    let surface = unsafe { IOSurfaceRef::new(properties.as_opaque()) };
    let bytes = width * height * TEXEL_BYTES;
    let refused = || TextureError::OutOfMemory { bytes, why: "macOS makes no such surface".into() };
    Ok(Box::new(IoSurface(surface.ok_or_else(refused)?)))
}

/// Looks up a surface by its number.
pub fn find(number: u32) -> Option<Box<dyn Surface>> {
    let surface = IOSurfaceRef::lookup(number)?;
    Some(Box::new(IoSurface(surface)))
}

/// A surface whose memory may be used, until this is dropped.
struct Locked<'a> {
    surface: &'a IOSurfaceRef,
    options: IOSurfaceLockOptions,
    /// Changes with each write by anybody.
    seed: u32,
}

impl<'a> Locked<'a> {
    fn new(surface: &'a IOSurfaceRef, options: IOSurfaceLockOptions) -> Result<Self, TextureError> {
        let mut seed = 0;
        // SAFETY: the seed has its place.
        match unsafe { surface.lock(options, &mut seed) } {
            0 => Ok(Locked { surface, options, seed }),
            error => Err(TextureError::Broken(format!("macOS does not lock the surface (error {error:#x})"))),
        }
    }

    /// Where the rows begin, and how many bytes after each other.
    fn rows(&self) -> Result<(*mut u8, usize), TextureError> {
        let (width, height) = (self.surface.width(), self.surface.height());
        let (row, element) = (self.surface.bytes_per_row(), self.surface.bytes_per_element());
        // Another program's surface may be anything.
        let fits = element == TEXEL_BYTES
            && width.checked_mul(TEXEL_BYTES).is_some_and(|used| used <= row)
            && row.checked_mul(height).is_some_and(|all| all <= self.surface.alloc_size());
        if !fits {
            return Err(TextureError::Protocol(format!(
                "a surface of {width}×{height} texels of {element} bytes in rows of {row} bytes is no BGRA image"
            )));
        }
        Ok((self.surface.base_address().as_ptr().cast(), row))
    }

    /// Ends the use of the memory, and tells whether nobody wrote it meanwhile.
    fn unlock(self) -> bool {
        let (surface, options, before) = (self.surface, self.options, self.seed);
        std::mem::forget(self);
        let mut after = before;
        // SAFETY: it was locked with the same options; the seed has its place.
        unsafe { surface.unlock(options, &mut after) };
        before == after
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // SAFETY: it was locked with the same options; the seed is not wanted.
        unsafe { self.surface.unlock(self.options, ptr::null_mut()) };
    }
}

impl Surface for IoSurface {
    fn number(&self) -> u32 {
        self.0.id()
    }

    fn width(&self) -> usize {
        self.0.width()
    }

    fn height(&self) -> usize {
        self.0.height()
    }

    fn write(&mut self, fill: &mut dyn FnMut(&mut [u8], usize)) -> Result<(), TextureError> {
        let locked = Locked::new(&self.0, IOSurfaceLockOptions::empty())?;
        let (base, row) = locked.rows()?;
        // SAFETY: the surface is locked, and `rows` has seen that its memory holds so many bytes. This process makes no
        // other reference to them, for `self` is borrowed mutably. Others may look at them, and see bytes.
        let memory = unsafe { slice::from_raw_parts_mut(base, row * self.0.height()) };
        fill(memory, row);
        Ok(())
    }

    fn read(&self, image: &mut Vec<u8>) -> Result<bool, TextureError> {
        let locked = Locked::new(&self.0, IOSurfaceLockOptions::ReadOnly)?;
        let (base, row) = locked.rows()?;
        let (used, height) = (self.0.width() * TEXEL_BYTES, self.0.height());
        image.clear();
        let no_memory = |why: String| TextureError::OutOfMemory { bytes: used * height, why };
        image.try_reserve_exact(used * height).map_err(|e| no_memory(e.to_string()))?;
        for y in 0..height {
            // SAFETY: `rows` has seen that the memory holds so many rows; `image` has room for them, and is no part of
            // it. No reference is made to bytes that another program may write meanwhile: they are copied.
            unsafe { ptr::copy_nonoverlapping(base.add(y * row), image.as_mut_ptr().add(y * used), used) };
        }
        // SAFETY: all of these bytes were just written.
        unsafe { image.set_len(used * height) };
        Ok(locked.unlock())
    }
}
