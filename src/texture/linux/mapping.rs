//! A ring's memory as this process sees it, and the control area in it. This is the only file that maps memory.

#![allow(unsafe_code)]

use super::place::{CONTROL_USED, Place, SLOTS};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};
use std::mem::offset_of;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

pub(super) const CONTROL_MAGIC: u64 = u64::from_le_bytes(*b"VGLBRING");
pub(super) const CONTROL_VERSION: u64 = 1;

/// The control area, in shared memory.
#[repr(C)]
pub(super) struct Control {
    pub(super) magic: AtomicU64,
    pub(super) version: AtomicU64,
    pub(super) surface: AtomicU64,
    reserved: [AtomicU64; 5],
    /// `revision << 8 | slot` of the newest texture; 0 before the first.
    pub(super) published: AtomicU64,
    /// The surface that the stream has moved to; 0 while it is on this one.
    pub(super) superseded_by: AtomicU64,
    reserved_too: [AtomicU64; 6],
    pub(super) slots: [SlotControl; SLOTS],
}

#[repr(C)]
pub(super) struct SlotControl {
    pub(super) sequence: AtomicU64,
    pub(super) revision: AtomicU64,
    pub(super) monotonic_ns: AtomicU64,
    pub(super) realtime_ns: AtomicU64,
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
pub(super) struct Mapping {
    pub(super) base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a `Mapping` is an address range that stays mapped until it is dropped. Nothing about it belongs to a
// thread; what is read and written through it is settled where that is done.
unsafe impl Send for Mapping {}
// SAFETY: as above; a shared `Mapping` gives out nothing but its address.
unsafe impl Sync for Mapping {}

impl Mapping {
    pub(super) fn new(memory: BorrowedFd<'_>, bytes: usize, protection: ProtFlags) -> Result<Self, Errno> {
        // SAFETY: the kernel picks the address, so no existing mapping is replaced. The file is at least `bytes` long
        // and cannot shrink: `WriteRing` has just made it, and `ReadRing` checks its length and its seals first.
        let base = unsafe { rustix::mm::mmap(std::ptr::null_mut(), bytes, protection, MapFlags::SHARED, memory, 0)? };
        NonNull::new(base.cast()).map(|base| Mapping { base, bytes }).ok_or(Errno::NOMEM)
    }

    /// The control area at `place`, which was made by [`Place::new`] or [`Place::checked`] for this mapping.
    pub(super) fn control(&self, place: &Place) -> &Control {
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
