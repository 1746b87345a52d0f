//! The sending side of the seam.

use super::Registry;
use super::hub::HubThread;
use super::ring::SlotLease;
use super::stream::{Finished, Stream};
use crate::hald::{Placement, Texel, TextureShape};
use crate::lut::Cdl;
use crate::memory_limit::MemoryLimit;
use crate::server::Origin;
use crate::texture::buffer::Buffer;
use crate::texture::{Frame, TextureError, TextureSender, TextureWriter};
use std::sync::Arc;

/// One stream.
pub(super) struct LinuxSender {
    stream: Arc<Stream>,
    registry: Arc<Registry>,
    /// Serves the stream's receivers, and those of others: the last one to go stops it.
    hub: Arc<HubThread>,
}

impl LinuxSender {
    pub(super) fn new(stream: Arc<Stream>, registry: Arc<Registry>, hub: Arc<HubThread>) -> Self {
        hub.hub().add(stream.clone());
        LinuxSender { stream, registry, hub }
    }
}

impl TextureSender for LinuxSender {
    fn name(&self) -> &str {
        self.stream.name()
    }

    fn writer(&self) -> Result<Box<dyn TextureWriter>, TextureError> {
        self.writer_for(None)
    }

    fn writer_for(&self, client: Option<Origin>) -> Result<Box<dyn TextureWriter>, TextureError> {
        Ok(Box::new(LinuxWriter {
            stream: self.stream.clone(),
            memory: self.stream.memory().of(client),
            begun: Begun::Nothing,
            elsewhere: Buffer::default(),
        }))
    }

    fn receivers(&self) -> Option<usize> {
        Some(self.stream.receivers())
    }

    fn newest(&self, frame: &mut Frame) -> Result<bool, TextureError> {
        self.stream.newest(frame)
    }

    fn set_cdl(&self, cdl: &Cdl) {
        self.stream.set_cdl(*cdl);
    }
}

impl Drop for LinuxSender {
    fn drop(&mut self) {
        self.stream.end();
        self.hub.hub().remove(&self.stream);
        self.registry.give_back(self.stream.name());
    }
}

/// Writes textures straight into the memory that receivers have mapped.
struct LinuxWriter {
    stream: Arc<Stream>,
    memory: MemoryLimit,
    begun: Begun,
    /// Where a texture is written while all slots are taken by other writers.
    elsewhere: Buffer,
}

enum Begun {
    Nothing,
    InSlot(SlotLease),
    Elsewhere(TextureShape),
}

impl TextureWriter for LinuxWriter {
    fn begin(&mut self, shape: TextureShape) -> Result<(), TextureError> {
        self.abandon();
        self.begun = match self.stream.lease(shape, &self.memory)? {
            Some(mut lease) => {
                lease.open()?;
                self.elsewhere = Buffer::default();
                Begun::InSlot(lease)
            }
            None => {
                self.elsewhere.fit(shape, &self.memory)?;
                Begun::Elsewhere(shape)
            }
        };
        Ok(())
    }

    fn texels(&mut self) -> &mut [Texel] {
        match &mut self.begun {
            Begun::Nothing => &mut [],
            Begun::InSlot(lease) => lease.texels(),
            Begun::Elsewhere(_) => self.elsewhere.texels_mut(),
        }
    }

    fn write(&mut self, place: &Placement, first: usize, entries: &[Texel]) -> bool {
        match &mut self.begun {
            Begun::InSlot(lease) => lease.write(place, first, entries),
            Begun::Nothing | Begun::Elsewhere(_) => place.write(first, entries, self.texels()),
        }
    }

    fn publish(&mut self) -> Result<u64, TextureError> {
        match std::mem::replace(&mut self.begun, Begun::Nothing) {
            Begun::Nothing => Err(TextureError::Broken("publish was called with no texture begun".into())),
            Begun::InSlot(lease) => self.stream.publish(Finished::InSlot(lease)),
            Begun::Elsewhere(shape) => {
                self.stream.publish(Finished::Elsewhere(shape, self.elsewhere.texels(), &self.memory))
            }
        }
    }

    fn abandon(&mut self) {
        if let Begun::InSlot(lease) = std::mem::replace(&mut self.begun, Begun::Nothing) {
            drop(lease);
            // Nobody may ever send another texture, which would see to it.
            self.stream.let_idle_go();
        }
    }
}

impl Drop for LinuxWriter {
    fn drop(&mut self) {
        self.abandon();
    }
}
