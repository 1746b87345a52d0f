//! The memory ring: sealed shared memory that one process writes and any number read.
//!
//! This is the only file that maps memory. A [`WriteRing`] is the sender's side, a [`ReadRing`] a receiver's; both
//! look at the same pages through mappings of their own, also where they live in the same process.
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

use super::message::Stamp;
use super::place::{CONTROL_USED, Place, SLOTS};
use super::slots::MAX_PINNED;
use crate::hald::{Texel, TextureShape};
use crate::texture::TextureError;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::mm::{MapFlags, ProtFlags};
use rustix::process::Resource;
use std::mem::offset_of;
use std::path::PathBuf;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};
use std::time::{Duration, Instant};

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

/// A surface's memory, as its sender has it.
pub(super) struct WriteRing {
    memory: OwnedFd,
    mapping: Mapping,
    place: Place,
    shape: TextureShape,
    /// A bit for each slot that a [`SlotLease`] exists for.
    leased: AtomicU32,
    /// A bit for each slot that memory was taken for.
    committed: AtomicU32,
    /// For each slot, how many [`SlotPin`]s there are.
    pins: [AtomicU32; SLOTS],
}

impl WriteRing {
    /// Memory for textures of `shape`. Slots take no memory until they are leased.
    pub(super) fn create(shape: TextureShape, surface: u64) -> Result<Arc<Self>, TextureError> {
        let place = Place::new(shape, rustix::param::page_size());
        let failed = |doing: &str, e: Errno| out_of_memory_or(shape, doing, e);
        // The kernel would not only refuse, but kill the process (SIGXFSZ).
        let limit = rustix::process::getrlimit(Resource::Fsize).current;
        if limit.is_some_and(|limit| limit < place.bytes) {
            return Err(failed("sizing shared memory within the limit on file sizes (ulimit -f)", Errno::FBIG));
        }
        let memory = memory_file().map_err(|e| failed("making shared memory (memfd_create)", e))?;
        retry_on_intr(|| rustix::fs::ftruncate(&memory, place.bytes)).map_err(|e| failed("sizing shared memory", e))?;
        allocate(memory.as_fd(), place.control_at, place.control_bytes)
            .map_err(|e| failed("taking shared memory", e))?;
        let mapping = Mapping::new(memory.as_fd(), place.bytes as usize, ProtFlags::READ | ProtFlags::WRITE)
            .map_err(|e| failed("mapping shared memory", e))?;
        // After the mapping: from here on nobody, this process included, gets another that is writable.
        rustix::fs::fcntl_add_seals(&memory, SEALS).map_err(|e| failed("sealing shared memory", e))?;

        let ring = WriteRing {
            memory,
            mapping,
            place,
            shape,
            leased: AtomicU32::new(0),
            committed: AtomicU32::new(0),
            pins: [const { AtomicU32::new(0) }; SLOTS],
        };
        let control = ring.control();
        control.magic.store(CONTROL_MAGIC, Relaxed);
        control.version.store(CONTROL_VERSION, Relaxed);
        control.surface.store(surface, Relaxed);
        Ok(Arc::new(ring))
    }

    fn control(&self) -> &Control {
        self.mapping.control(&self.place)
    }

    pub(super) fn shape(&self) -> TextureShape {
        self.shape
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn memory(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    /// A bit for each slot that is leased now.
    pub(super) fn leased(&self) -> u32 {
        self.leased.load(Acquire)
    }

    /// A bit for each slot that has memory.
    pub(super) fn committed(&self) -> u32 {
        self.committed.load(Acquire)
    }

    /// The slot for one writer alone; `None` where another has it, or it is pinned.
    pub(super) fn lease(self: &Arc<Self>, slot: usize) -> Option<SlotLease> {
        let bit = 1 << slot;
        if self.leased.fetch_or(bit, SeqCst) & bit != 0 {
            return None;
        }
        let lease = SlotLease { ring: self.clone(), slot };
        // Whoever pins looks at the two in the other order, and both with one order for all threads: of a lease and a
        // pin of the same slot, one sees the other.
        (self.pins[slot].load(SeqCst) == 0).then_some(lease)
    }

    /// A bit for each slot that is not to be written because somebody reads it.
    pub(super) fn pinned(&self) -> u32 {
        (0..SLOTS).filter(|slot| self.pins[*slot].load(Acquire) > 0).fold(0, |mask, slot| mask | 1 << slot)
    }

    /// Keeps the slot's texture from being overwritten. `None` where somebody is writing it, or where as many slots
    /// are pinned as may be.
    pub(super) fn pin(self: &Arc<Self>, slot: usize) -> Option<SlotPin> {
        let others = self.pinned() & !(1 << slot);
        if others.count_ones() >= MAX_PINNED {
            return None;
        }
        self.pins[slot].fetch_add(1, SeqCst);
        // From here on dropped again where it may not be.
        let pin = SlotPin { ring: self.clone(), slot };
        (self.leased.load(SeqCst) >> slot & 1 == 0).then_some(pin)
    }

    /// Makes the slot's texture the newest.
    pub(super) fn publish(&self, slot: usize, revision: u64) {
        self.control().published.store(revision << 8 | slot as u64, Release);
    }

    /// Says which surface the stream has moved to; 0: back to this one.
    pub(super) fn supersede(&self, by: u64) {
        self.control().superseded_by.store(by, Release);
    }
}

/// One slot of a ring, which nobody else writes while this exists. Dropping it without [`finish`](Self::finish)
/// leaves the slot without a valid texture.
pub(super) struct SlotLease {
    ring: Arc<WriteRing>,
    slot: usize,
}

impl SlotLease {
    pub(super) fn ring(&self) -> &Arc<WriteRing> {
        &self.ring
    }

    fn control(&self) -> &SlotControl {
        &self.ring.control().slots[self.slot]
    }

    /// Takes memory for the slot, where it has none yet, and marks it as being written.
    pub(super) fn open(&self) -> Result<(), TextureError> {
        let (ring, bit) = (&self.ring, 1 << self.slot);
        if ring.committed.load(Relaxed) & bit == 0 {
            // Now, so that a lack of memory is an error here and not a SIGBUS at the first write.
            allocate(ring.memory.as_fd(), ring.place.slots_at[self.slot], ring.place.slot_bytes)
                .map_err(|e| out_of_memory_or(ring.shape, "taking shared memory", e))?;
            ring.committed.fetch_or(bit, Release);
        }
        let sequence = &self.control().sequence;
        // An abandoned slot is odd already; it gets the next odd number all the same.
        sequence.store((sequence.load(Relaxed) + 1) | 1, Relaxed);
        fence(Release);
        Ok(())
    }

    /// The slot's texels. To be written after [`open`](Self::open), and before [`finish`](Self::finish).
    pub(super) fn texels(&mut self) -> &mut [Texel] {
        let ring = &*self.ring;
        // SAFETY:
        // - In bounds: `Place::new` keeps every slot, of at least `shape.bytes()`, within the memory, and the
        //   mapping covers all of it for as long as `ring`, held by `self`, lives. `Texel` is an array of bytes:
        //   any address and any content will do.
        // - Alone in this process: `lease` hands out one `SlotLease` a slot at a time, it can't be cloned, and this
        //   borrows it mutably. No slot overlaps another, or the control area.
        // - Other processes, and receivers in this one, see the pages through other mappings. Those are read-only:
        //   after the seals no writable one can be had. So nothing but this slice changes these bytes, and to this
        //   program the memory is as good as private. A reader that looks while they change copies them with
        //   atomic loads from an address that is not this one, and throws the copy away (see the sequence lock).
        unsafe {
            let at = ring.mapping.base.add(ring.place.slots_at[self.slot] as usize);
            std::slice::from_raw_parts_mut(at.cast::<Texel>().as_ptr(), ring.shape.texels())
        }
    }

    /// The texture is whole. Returns its slot, to be given to [`WriteRing::publish`].
    pub(super) fn finish(self, stamp: Stamp) -> usize {
        let control = self.control();
        control.revision.store(stamp.revision, Relaxed);
        control.monotonic_ns.store(stamp.monotonic_ns, Relaxed);
        control.realtime_ns.store(stamp.realtime_ns, Relaxed);
        control.sequence.store(control.sequence.load(Relaxed) + 1, Release);
        self.slot
    }
}

impl Drop for SlotLease {
    fn drop(&mut self) {
        self.ring.leased.fetch_and(!(1 << self.slot), Release);
    }
}

/// One slot of a ring, which nobody writes while this exists.
pub(super) struct SlotPin {
    ring: Arc<WriteRing>,
    slot: usize,
}

impl SlotPin {
    pub(super) fn shape(&self) -> TextureShape {
        self.ring.shape
    }

    /// The slot's texels.
    pub(super) fn texels(&self) -> &[Texel] {
        let ring = &*self.ring;
        // SAFETY: in bounds and mapped for as long as `self` lives, as in `SlotLease::texels`. Nobody writes these
        // bytes meanwhile: other processes can't, and of this one only who has a lease does. `pin` and `lease` see to
        // it that a slot never has both. What was written under an earlier lease is seen, for `pin` has read the bit
        // that its end cleared.
        unsafe {
            let at = ring.mapping.base.add(ring.place.slots_at[self.slot] as usize);
            std::slice::from_raw_parts(at.cast::<Texel>().as_ptr(), ring.shape.texels())
        }
    }
}

impl Drop for SlotPin {
    fn drop(&mut self) {
        self.ring.pins[self.slot].fetch_sub(1, SeqCst);
    }
}

/// A surface's memory, as a receiver has it.
pub(super) struct ReadRing {
    /// Kept for whoever wants a mapping of his own.
    memory: OwnedFd,
    mapping: Mapping,
    place: Place,
    shape: TextureShape,
    surface: u64,
}

/// A whole texture in a ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    slot: usize,
    sequence: u64,
}

impl ReadRing {
    /// Maps memory that a sender has handed over, once it has shown that it keeps the rules.
    pub(super) fn open(memory: OwnedFd, place: Place, shape: TextureShape, surface: u64) -> Result<Self, TextureError> {
        let seals = rustix::fs::fcntl_get_seals(&memory)
            .map_err(|e| TextureError::Protocol(format!("what the sender handed over is no sealed memory ({e})")))?;
        if !seals.contains(SEALS) {
            return Err(TextureError::Protocol(format!(
                "the sender's memory has the seals {seals:?}; it must have at least {SEALS:?}"
            )));
        }
        let stat = rustix::fs::fstat(&memory).map_err(|e| TextureError::io("asking for the memory's size", e))?;
        if stat.st_size as u64 != place.bytes {
            let (got, said) = (stat.st_size, place.bytes);
            return Err(TextureError::Protocol(format!("the sender's memory has {got} bytes, and it said {said}")));
        }
        let mapping = Mapping::new(memory.as_fd(), place.bytes as usize, ProtFlags::READ)
            .map_err(|e| out_of_memory_or(shape, "mapping the sender's memory", e))?;
        let ring = ReadRing { memory, mapping, place, shape, surface };
        let control = ring.control();
        let (magic, version) = (control.magic.load(Relaxed), control.version.load(Relaxed));
        if (magic, version, control.surface.load(Relaxed)) != (CONTROL_MAGIC, CONTROL_VERSION, surface) {
            return Err(TextureError::Protocol(format!(
                "the sender's memory does not begin as version {CONTROL_VERSION} of surface {surface} does"
            )));
        }
        Ok(ring)
    }

    fn control(&self) -> &Control {
        self.mapping.control(&self.place)
    }

    pub(super) fn shape(&self) -> TextureShape {
        self.shape
    }

    pub(super) fn surface(&self) -> u64 {
        self.surface
    }

    /// The newest revision in this ring; 0 where there is none.
    pub(super) fn newest(&self) -> u64 {
        let word = self.control().published.load(Relaxed);
        fence(Acquire);
        word >> 8
    }

    /// Whether the stream has moved to another surface.
    pub(super) fn superseded(&self) -> bool {
        let by = self.control().superseded_by.load(Relaxed);
        fence(Acquire);
        by != 0
    }

    /// A path by which this process can open the memory for reading, for as long as `self` lives.
    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.memory.as_raw_fd()).into()
    }

    /// Where a texture lies in the memory.
    pub(super) fn offset(&self, found: Found) -> u64 {
        self.place.slots_at[found.slot]
    }

    /// Copies the newest texture, as often as it takes for a copy that nobody wrote into, at most for `patience`.
    /// `None` where nothing is published. On an error `into` holds anything.
    pub(super) fn copy_newest(&self, into: &mut Vec<Texel>, patience: Duration) -> Result<Option<Stamp>, TextureError> {
        let copied = self.try_newest(patience, |slot| Ok(self.copy_slot(slot, into)?.map(|stamp| (stamp, ()))))?;
        Ok(copied.map(|(stamp, ())| stamp))
    }

    /// Finds the newest texture, in at most `patience`. `None` where nothing is published.
    pub(super) fn find_newest(&self, patience: Duration) -> Result<Option<(Stamp, Found)>, TextureError> {
        self.try_newest(patience, |slot| Ok(self.find(slot).filter(|(_, found)| self.is_intact(*found))))
    }

    /// Has `take` do something with the newest texture's slot, as often as it takes for it to succeed.
    fn try_newest<T>(
        &self,
        patience: Duration,
        mut take: impl FnMut(usize) -> Result<Option<(Stamp, T)>, TextureError>,
    ) -> Result<Option<(Stamp, T)>, TextureError> {
        let mut given_up_at = None;
        for attempt in 1u64.. {
            let word = self.control().published.load(Relaxed);
            fence(Acquire);
            if word == 0 {
                return Ok(None);
            }
            let slot = (word & 0xff) as usize;
            if slot >= SLOTS {
                return Err(TextureError::Protocol(format!(
                    "the sender's newest texture is in slot {slot} of {SLOTS}"
                )));
            }
            if let Some((stamp, taken)) = take(slot)?
                && stamp.revision == word >> 8
            {
                return Ok(Some((stamp, taken)));
            }
            // The slot is being written again, so a newer texture is out already, or about to be.
            let until = *given_up_at.get_or_insert_with(|| Instant::now() + patience);
            if Instant::now() >= until {
                return Err(TextureError::Broken(format!(
                    "no whole texture could be copied in {patience:?} and {attempt} attempts: the sender overwrites \
                     them faster than this program copies"
                )));
            }
            std::thread::yield_now();
        }
        Ok(None)
    }

    /// Copies one slot; `None` where it was written meanwhile.
    fn copy_slot(&self, slot: usize, into: &mut Vec<Texel>) -> Result<Option<Stamp>, TextureError> {
        let Some((stamp, found)) = self.find(slot) else { return Ok(None) };
        let more = self.shape.texels().saturating_sub(into.len());
        into.try_reserve_exact(more)
            .map_err(|e| TextureError::OutOfMemory { bytes: self.shape.bytes(), why: e.to_string() })?;
        into.resize(self.shape.texels(), [0; 16]);
        for (to, from) in into.iter_mut().zip(self.words(slot).as_chunks::<2>().0) {
            let (low, high) = to.split_at_mut(8);
            low.copy_from_slice(&from[0].load(Relaxed).to_ne_bytes());
            high.copy_from_slice(&from[1].load(Relaxed).to_ne_bytes());
        }
        Ok(self.is_intact(found).then_some(stamp))
    }

    /// The texture in a slot, where there is a whole one. What was read of it counts if it [is
    /// intact](Self::is_intact) afterwards, the stamp included.
    fn find(&self, slot: usize) -> Option<(Stamp, Found)> {
        let control = &self.control().slots[slot];
        let sequence = control.sequence.load(Relaxed);
        fence(Acquire);
        let stamp = Stamp {
            revision: control.revision.load(Relaxed),
            monotonic_ns: control.monotonic_ns.load(Relaxed),
            realtime_ns: control.realtime_ns.load(Relaxed),
        };
        (sequence & 1 == 0).then_some((stamp, Found { slot, sequence }))
    }

    /// Whether nobody has begun to write over a texture since it was found.
    pub(super) fn is_intact(&self, found: Found) -> bool {
        fence(Acquire);
        self.control().slots[found.slot].sequence.load(Relaxed) == found.sequence
    }

    /// A slot's texels, two words each.
    fn words(&self, slot: usize) -> &[AtomicU64] {
        // SAFETY: `Place::checked` keeps every slot, of at least `shape.bytes()`, within the memory and aligned to
        // 64 bytes; the memory was found to be that large, can't shrink (`SEALS`), and stays mapped as long as
        // `self` lives. The sender may write meanwhile: the loads are atomic, relaxed and of 8 bytes, which the
        // standard library allows on read-only memory too.
        unsafe {
            let at = self.mapping.base.add(self.place.slots_at[slot] as usize);
            std::slice::from_raw_parts(at.cast::<AtomicU64>().as_ptr(), self.shape.texels() * 2)
        }
    }
}

fn memory_file() -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match rustix::fs::memfd_create("virtual-gpu-lut-box", flags | MemfdFlags::NOEXEC_SEAL) {
        // Linux before 6.3 knows no executable memory files, nor ones that are not.
        Err(Errno::INVAL) => rustix::fs::memfd_create("virtual-gpu-lut-box", flags),
        made => made,
    }
}

fn allocate(memory: BorrowedFd<'_>, at: u64, bytes: u64) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::fallocate(memory, FallocateFlags::empty(), at, bytes))
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
#[path = "ring_tests.rs"]
mod tests;
