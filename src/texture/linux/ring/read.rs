//! A receiver's side: the newest texture, copied or found where it lies.

use super::super::message::Stamp;
use super::super::place::{Place, SLOTS};
use super::{CONTROL_MAGIC, CONTROL_VERSION, Control, Mapping, SEALS, out_of_memory_or};
use crate::hald::{Texel, TextureShape};
use crate::texture::TextureError;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::mm::ProtFlags;
use std::path::PathBuf;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::atomic::{AtomicU64, fence};
use std::time::{Duration, Instant};

/// A surface's memory, as a receiver has it.
pub(in crate::texture::linux) struct ReadRing {
    /// Kept for whoever wants a mapping of his own.
    memory: OwnedFd,
    mapping: Mapping,
    place: Place,
    shape: TextureShape,
    surface: u64,
}

/// A whole texture in a ring.
#[derive(Clone, Copy, Debug)]
pub(in crate::texture::linux) struct Found {
    slot: usize,
    sequence: u64,
}

impl ReadRing {
    /// Maps memory that a sender has handed over, once it has shown that it keeps the rules.
    pub(in crate::texture::linux) fn open(
        memory: OwnedFd,
        place: Place,
        shape: TextureShape,
        surface: u64,
    ) -> Result<Self, TextureError> {
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

    pub(in crate::texture::linux) fn shape(&self) -> TextureShape {
        self.shape
    }

    pub(in crate::texture::linux) fn surface(&self) -> u64 {
        self.surface
    }

    /// The newest revision in this ring; 0 where there is none.
    pub(in crate::texture::linux) fn newest(&self) -> u64 {
        let word = self.control().published.load(Relaxed);
        fence(Acquire);
        word >> 8
    }

    /// Whether the stream has moved to another surface.
    pub(in crate::texture::linux) fn superseded(&self) -> bool {
        let by = self.control().superseded_by.load(Relaxed);
        fence(Acquire);
        by != 0
    }

    /// A path by which this process can open the memory for reading, for as long as `self` lives.
    pub(in crate::texture::linux) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.memory.as_raw_fd()).into()
    }

    /// Where a texture lies in the memory.
    pub(in crate::texture::linux) fn offset(&self, found: Found) -> u64 {
        self.place.slots_at[found.slot]
    }

    /// Copies the newest texture, as often as it takes for a copy that nobody wrote into, at most for `patience`.
    /// `None` where nothing is published. On an error `into` holds anything.
    pub(in crate::texture::linux) fn copy_newest(
        &self,
        into: &mut Vec<Texel>,
        patience: Duration,
    ) -> Result<Option<Stamp>, TextureError> {
        let copied = self.try_newest(patience, |slot| Ok(self.copy_slot(slot, into)?.map(|stamp| (stamp, ()))))?;
        Ok(copied.map(|(stamp, ())| stamp))
    }

    /// Finds the newest texture, in at most `patience`. `None` where nothing is published.
    pub(in crate::texture::linux) fn find_newest(
        &self,
        patience: Duration,
    ) -> Result<Option<(Stamp, Found)>, TextureError> {
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
    pub(super) fn copy_slot(&self, slot: usize, into: &mut Vec<Texel>) -> Result<Option<Stamp>, TextureError> {
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
    pub(in crate::texture::linux) fn is_intact(&self, found: Found) -> bool {
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
