//! The sender's side: slots that are leased, written and published.

use super::super::message::Stamp;
use super::super::place::{Place, SLOTS};
use super::super::slots::MAX_PINNED;
use super::{CONTROL_MAGIC, CONTROL_VERSION, Control, Mapping, SEALS, SlotControl, out_of_memory_or, soon};
use crate::hald::{Placement, Texel, TextureShape};
use crate::memory_limit::{Charge, MemoryLimit};
use crate::texture::TextureError;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FallocateFlags, MemfdFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::mm::ProtFlags;
use rustix::process::Resource;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, fence};
use std::sync::{Arc, Mutex, PoisonError};

/// Slots that one writer goes round. They are charged at once, so that a stream which has begun can go on.
const CHARGED_AT_ONCE: u32 = 3;

/// A surface's memory, as its sender has it.
pub(in crate::texture::linux) struct WriteRing {
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
    charge: Mutex<Charge>,
}

impl WriteRing {
    /// Memory for textures of `shape`, which counts against `limit`. Slots take none until they are leased.
    pub(in crate::texture::linux) fn create(
        shape: TextureShape,
        surface: u64,
        limit: &MemoryLimit,
    ) -> Result<Arc<Self>, TextureError> {
        let place = Place::new(shape, rustix::param::page_size());
        let charge = limit
            .take(u64::from(CHARGED_AT_ONCE) * place.slot_bytes)
            .map_err(|e| TextureError::OutOfMemory { bytes: shape.bytes(), why: e.to_string() })?;
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
            charge: Mutex::new(charge),
        };
        let control = ring.control();
        control.magic.store(CONTROL_MAGIC, Relaxed);
        control.version.store(CONTROL_VERSION, Relaxed);
        control.surface.store(surface, Relaxed);
        Ok(Arc::new(ring))
    }

    pub(super) fn control(&self) -> &Control {
        self.mapping.control(&self.place)
    }

    pub(in crate::texture::linux) fn shape(&self) -> TextureShape {
        self.shape
    }

    pub(in crate::texture::linux) fn place(&self) -> Place {
        self.place
    }

    pub(in crate::texture::linux) fn memory(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    /// A bit for each slot that is leased now.
    pub(in crate::texture::linux) fn leased(&self) -> u32 {
        self.leased.load(Acquire)
    }

    /// A bit for each slot that has memory.
    pub(in crate::texture::linux) fn committed(&self) -> u32 {
        self.committed.load(Acquire)
    }

    /// Takes memory for a slot.
    fn commit(&self, slot: usize) -> Result<(), TextureError> {
        let mut charge = self.charge.lock().unwrap_or_else(PoisonError::into_inner);
        let before = charge.bytes();
        let slots = (self.committed().count_ones() + 1).max(CHARGED_AT_ONCE);
        charge
            .resize(u64::from(slots) * self.place.slot_bytes)
            .map_err(|e| TextureError::OutOfMemory { bytes: self.shape.bytes(), why: e.to_string() })?;
        // Now, so that a lack of memory is an error here and not a SIGBUS at the first write.
        match allocate(self.memory.as_fd(), self.place.slots_at[slot], self.place.slot_bytes) {
            Ok(()) => {
                self.committed.fetch_or(1 << slot, Release);
                Ok(())
            }
            Err(e) => {
                let _less_never_fails = charge.resize(before);
                Err(out_of_memory_or(self.shape, "taking shared memory", e))
            }
        }
    }

    /// The slot for one writer alone; `None` where another has it, or it is pinned.
    pub(in crate::texture::linux) fn lease(self: &Arc<Self>, slot: usize) -> Option<SlotLease> {
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
    pub(in crate::texture::linux) fn pinned(&self) -> u32 {
        (0..SLOTS).filter(|slot| self.pins[*slot].load(Acquire) > 0).fold(0, |mask, slot| mask | 1 << slot)
    }

    /// Keeps the slot's texture from being overwritten. `None` where somebody is writing it, or where as many slots
    /// are pinned as may be.
    pub(in crate::texture::linux) fn pin(self: &Arc<Self>, slot: usize) -> Option<SlotPin> {
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
    pub(in crate::texture::linux) fn publish(&self, slot: usize, revision: u64) {
        self.control().published.store(revision << 8 | slot as u64, Release);
    }

    /// Says which surface the stream has moved to; 0: back to this one.
    pub(in crate::texture::linux) fn supersede(&self, by: u64) {
        self.control().superseded_by.store(by, Release);
    }
}

/// One slot of a ring, which nobody else writes while this exists. Dropping it without [`finish`](Self::finish)
/// leaves the slot without a valid texture.
pub(in crate::texture::linux) struct SlotLease {
    ring: Arc<WriteRing>,
    slot: usize,
}

impl SlotLease {
    pub(in crate::texture::linux) fn ring(&self) -> &Arc<WriteRing> {
        &self.ring
    }

    fn control(&self) -> &SlotControl {
        &self.ring.control().slots[self.slot]
    }

    /// Takes memory for the slot, where it has none yet, and marks it as being written.
    pub(in crate::texture::linux) fn open(&mut self) -> Result<(), TextureError> {
        let (ring, bit) = (&self.ring, 1 << self.slot);
        if ring.committed.load(Relaxed) & bit == 0 {
            ring.commit(self.slot)?;
        }
        let sequence = &self.control().sequence;
        // An abandoned slot is odd already; it gets the next odd number all the same.
        sequence.store((sequence.load(Relaxed) + 1) | 1, Relaxed);
        fence(Release);
        Ok(())
    }

    /// The slot's texels. To be written after [`open`](Self::open), and before [`finish`](Self::finish).
    pub(in crate::texture::linux) fn texels(&mut self) -> &mut [Texel] {
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

    /// Puts entries into the texture, of which the first is number `first` of the LUT. Tells whether all are finite.
    pub(in crate::texture::linux) fn write(&mut self, place: &Placement, first: usize, entries: &[Texel]) -> bool {
        soon::write(place, first, entries, self.texels())
    }

    /// The texture is whole. Returns its slot, to be given to [`WriteRing::publish`].
    pub(in crate::texture::linux) fn finish(self, stamp: Stamp) -> usize {
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
pub(in crate::texture::linux) struct SlotPin {
    ring: Arc<WriteRing>,
    slot: usize,
}

impl SlotPin {
    pub(in crate::texture::linux) fn shape(&self) -> TextureShape {
        self.ring.shape
    }

    /// The slot's texels.
    pub(in crate::texture::linux) fn texels(&self) -> &[Texel] {
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

pub(super) fn memory_file() -> Result<OwnedFd, Errno> {
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
