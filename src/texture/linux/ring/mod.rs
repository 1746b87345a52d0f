//! The memory ring: sealed shared memory that one process writes and any number read.
//!
//! This is the only folder that maps memory. A [`WriteRing`] is the sender's side, a [`ReadRing`] a receiver's; both look
//! at the same pages through mappings of their own, also where they live in the same process.
//!
//! # The sequence lock
//! Each slot has a sequence number, odd while the slot is being written.
//! - The sender makes it odd (relaxed store, release fence), writes the texels, stores revision and times, makes it
//!   even (release store), and then stores `published` (release).
//! - A receiver reads `published` (acquire) and that slot's sequence number (acquire), copies, and after an acquire
//!   fence reads the sequence number again (relaxed). Where it was even and has not changed, no byte of the copy was
//!   written meanwhile.
//!
//! The fence after the odd store keeps the texel writes from becoming visible before it; the one before the second
//! look keeps the copy's reads from happening after it.

#![allow(unsafe_code)]

mod read;
mod soon;
mod write;

pub(super) use read::ReadRing;
pub(super) use write::{SlotLease, SlotPin, WriteRing};

use super::place::{CONTROL_USED, Place, SLOTS};
use crate::hald::TextureShape;
use crate::texture::TextureError;
use rustix::fd::BorrowedFd;
use rustix::fs::SealFlags;
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};
use std::mem::offset_of;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// What a receiver insists on: memory that can neither shrink under its mapping nor be written through it.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::FUTURE_WRITE).union(SealFlags::SEAL);

const CONTROL_MAGIC: u64 = u64::from_le_bytes(*b"VGLBRING");
const CONTROL_VERSION: u64 = 1;

/// The control area, in shared memory.
#[repr(C)]
struct Control {
    magic: AtomicU64,
    version: AtomicU64,
    surface: AtomicU64,
    reserved: [AtomicU64; 5],
    /// `revision << 8 | slot` of the newest texture; 0 before the first.
    published: AtomicU64,
    /// The surface that the stream has moved to; 0 while it is on this one.
    superseded_by: AtomicU64,
    reserved_too: [AtomicU64; 6],
    slots: [SlotControl; SLOTS],
}

#[repr(C)]
struct SlotControl {
    sequence: AtomicU64,
    revision: AtomicU64,
    monotonic_ns: AtomicU64,
    realtime_ns: AtomicU64,
    reserved: [AtomicU64; 4],
}

const _: () = {
    assert!(offset_of!(Control, published) == 64);
    assert!(offset_of!(Control, superseded_by) == 72);
    assert!(offset_of!(Control, slots) == 128);
    assert!(size_of::<SlotControl>() == 64);
    assert!(size_of::<Control>() as u64 == CONTROL_USED);
};

/// A shared mapping of a whole memory file.
struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a `Mapping` is an address range that stays mapped until it is dropped. Nothing about it belongs to a
// thread; what is read and written through it is settled where that is done.
unsafe impl Send for Mapping {}
// SAFETY: as above; a shared `Mapping` gives out nothing but its address.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(memory: BorrowedFd<'_>, bytes: usize, protection: ProtFlags) -> Result<Self, Errno> {
        // SAFETY: the kernel picks the address, so no existing mapping is replaced. The file is at least `bytes` long
        // and cannot shrink: `WriteRing` has just made it, and `ReadRing` checks its length and its seals first.
        let base = unsafe { rustix::mm::mmap(std::ptr::null_mut(), bytes, protection, MapFlags::SHARED, memory, 0)? };
        NonNull::new(base.cast()).map(|base| Mapping { base, bytes }).ok_or(Errno::NOMEM)
    }

    /// The control area at `place`, which was made by [`Place::new`] or [`Place::checked`] for this mapping.
    fn control(&self, place: &Place) -> &Control {
        debug_assert!(place.control_at + CONTROL_USED <= self.bytes as u64);
        // SAFETY: a `Place` keeps the control area within the memory and aligned to 64 bytes, the mapping covers the
        // memory for as long as `self` lives, and any bytes at all are valid atomics. Other processes may change
        // them at any time, which is what atomics are for. Receivers' mappings are read-only: they only ever do
        // relaxed loads of 8 bytes, which the standard library allows on such memory.
        unsafe { self.base.add(place.control_at as usize).cast().as_ref() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this range was mapped by `new`, and everything borrowed from it has borrowed `self`, or holds the
        // `Arc` of the ring that owns it.
        let unmapped = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.bytes) };
        debug_assert_eq!(unmapped, Ok(()));
    }
}

fn out_of_memory_or(shape: TextureShape, doing: &str, e: Errno) -> TextureError {
    match e {
        Errno::NOMEM | Errno::NOSPC | Errno::FBIG => {
            TextureError::OutOfMemory { bytes: shape.bytes(), why: format!("{doing}: {e}") }
        }
        _ => TextureError::io(format!("{doing} for a texture of {shape}"), e),
    }
}

#[cfg(test)]
mod tests;
