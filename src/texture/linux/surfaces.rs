//! A stream's rings, one for each shape in use.
//!
//! The current one holds the newest texture. Others are kept as long as somebody writes into them, and the one used
//! last beyond that where it is small, so that a stream which alternates between two sizes makes no new ones.

use super::message::{Stamp, Surface};
use super::ring::{SlotLease, SlotPin, WriteRing};
use super::slots::Slots;
use crate::hald::{Texel, TextureShape};
use crate::memory_limit::MemoryLimit;
use crate::texture::TextureError;
use std::sync::Arc;

/// Bytes that a ring which nobody uses may keep.
const IDLE_BYTES: u64 = 64 << 20;

/// The rings, the one used last at the end.
#[derive(Default)]
pub(super) struct Surfaces {
    list: Vec<Entry>,
    /// The surface that holds the newest texture; 0 before the first.
    current: u64,
    last_id: u64,
}

struct Entry {
    id: u64,
    ring: Arc<WriteRing>,
    slots: Slots,
}

/// Where the newest texture has gone.
pub(super) struct Published {
    pub surface: u64,
    pub slot: usize,
    /// The surface that was current until now, where it is another one; to be told once receivers were.
    pub superseded: Option<Arc<WriteRing>>,
}

impl Entry {
    fn committed_bytes(&self) -> u64 {
        u64::from(self.ring.committed().count_ones()) * self.ring.place().slot_bytes
    }
}

impl Surfaces {
    /// A slot for a texture of `shape`; `None` where all are taken. `watched`: there are receivers. A ring that is made
    /// for it counts against `memory`.
    pub(super) fn lease(
        &mut self,
        shape: TextureShape,
        watched: bool,
        memory: &MemoryLimit,
    ) -> Result<Option<SlotLease>, TextureError> {
        let entry = self.of_shape(shape, memory)?;
        let slot = entry.slots.for_writer(watched, entry.ring.leased(), entry.ring.pinned(), entry.ring.committed());
        Ok(slot.and_then(|slot| entry.ring.lease(slot)))
    }

    /// A slot into which `texels` have been copied.
    pub(super) fn lease_for_copy(
        &mut self,
        shape: TextureShape,
        texels: &[Texel],
        memory: &MemoryLimit,
    ) -> Result<SlotLease, TextureError> {
        let entry = self.of_shape(shape, memory)?;
        let slot = entry.slots.for_copy(entry.ring.leased(), entry.ring.pinned(), entry.ring.committed());
        // `Slots` never leases so many that none is left.
        let Some(mut lease) = slot.and_then(|slot| entry.ring.lease(slot)) else {
            return Err(TextureError::Broken("every slot of the ring is being written".into()));
        };
        lease.open()?;
        lease.texels().copy_from_slice(texels);
        Ok(lease)
    }

    /// The ring for `shape`, made where there is none, at the end of the list.
    fn of_shape(&mut self, shape: TextureShape, memory: &MemoryLimit) -> Result<&mut Entry, TextureError> {
        match self.list.iter().position(|e| e.ring.shape() == shape) {
            Some(at) => self.list[at..].rotate_left(1),
            None => {
                self.drop_idle(IDLE_BYTES);
                let id = self.last_id + 1;
                let ring = match WriteRing::create(shape, id, memory) {
                    Err(TextureError::OutOfMemory { .. }) => {
                        // Nothing that can be done without shall be in the way.
                        self.drop_idle(0);
                        WriteRing::create(shape, id, memory)?
                    }
                    made => made?,
                };
                self.list.push(Entry { id, ring, slots: Slots::default() });
                self.last_id = id;
            }
        }
        let last = self.list.len() - 1;
        Ok(&mut self.list[last])
    }

    /// Makes the leased slot's texture the newest.
    pub(super) fn publish(&mut self, lease: SlotLease, stamp: Stamp) -> Result<Published, TextureError> {
        let Some(at) = self.list.iter().position(|e| Arc::ptr_eq(&e.ring, lease.ring())) else {
            // A surface with a lease is never dropped from the list while the stream lives.
            return Err(TextureError::Ended);
        };
        let before = self.ring(self.current).cloned();
        let entry = &mut self.list[at];
        let slot = lease.finish(stamp);
        entry.slots.published(slot, stamp.revision);
        entry.ring.supersede(0);
        entry.ring.publish(slot, stamp.revision);
        let surface = entry.id;
        let changed = self.current != surface;
        self.current = surface;
        self.list[at..].rotate_left(1);
        self.drop_idle(IDLE_BYTES);
        Ok(Published { surface, slot, superseded: before.filter(|_| changed) })
    }

    fn ring(&self, id: u64) -> Option<&Arc<WriteRing>> {
        self.list.iter().find(|e| e.id == id).map(|e| &e.ring)
    }

    /// A number for a surface that is none of the rings.
    pub(super) fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The newest texture's shape. `None` before the first.
    pub(super) fn newest_shape(&self) -> Option<TextureShape> {
        self.ring(self.current).map(|ring| ring.shape())
    }

    /// The newest texture, kept from being overwritten. `None` before the first, and while too many are kept.
    pub(super) fn pin_newest(&self) -> Option<SlotPin> {
        let entry = self.list.iter().find(|e| e.id == self.current)?;
        entry.ring.pin(entry.slots.newest()?)
    }

    /// The current surface's ring, and what receivers are told about it. `None` before the first texture.
    pub(super) fn current(&self, stream: &str, newest: Stamp) -> Option<(&WriteRing, Surface)> {
        let ring = self.ring(self.current)?;
        let (shape, memory) = (ring.shape(), ring.place());
        Some((ring, Surface { surface: self.current, newest, shape, memory, name: stream.to_owned() }))
    }

    /// Lets go of what nobody has used last.
    pub(super) fn let_idle_go(&mut self) {
        self.drop_idle(IDLE_BYTES);
    }

    /// Lets go of rings that nobody writes, save the current one and one of at most `small` bytes.
    fn drop_idle(&mut self, small: u64) {
        let current = self.current;
        let idle = |e: &Entry| e.id != current && e.ring.leased() == 0;
        let keep = self.list.iter().rev().find(|e| idle(e)).filter(|e| e.committed_bytes() <= small);
        let keep = keep.map(|e| e.id);
        self.list.retain(|e| !idle(e) || Some(e.id) == keep);
    }
}
