//! A stream as the texture seam wants it: the sender, and writers that fill buffers of their own.

use super::keeper::Keeper;
use super::stream::Stream;
use crate::hald::{Texel, TextureShape};
use crate::lut::Cdl;
use crate::memory_limit::MemoryLimit;
use crate::server::Origin;
use crate::texture::buffer::Buffer;
use crate::texture::claim::Claim;
use crate::texture::{Frame, TextureError, TextureSender, TextureWriter};
use std::sync::Arc;

/// A Spout sender. Other programs see it from its first publication until it is dropped.
pub struct SpoutSender {
    stream: Arc<Stream>,
    keeper: Arc<Keeper>,
    memory: MemoryLimit,
    /// Gives the stream's name free among this back end's senders.
    _claim: Claim,
}

impl SpoutSender {
    pub fn new(stream: Arc<Stream>, keeper: Arc<Keeper>, memory: MemoryLimit, claim: Claim) -> Self {
        SpoutSender { stream, keeper, memory, _claim: claim }
    }
}

impl TextureSender for SpoutSender {
    fn name(&self) -> &str {
        self.stream.name()
    }

    fn writer(&self) -> Result<Box<dyn TextureWriter>, TextureError> {
        self.writer_for(None)
    }

    fn writer_for(&self, client: Option<Origin>) -> Result<Box<dyn TextureWriter>, TextureError> {
        Ok(Box::new(SpoutWriter {
            stream: self.stream.clone(),
            memory: self.memory.of(client),
            shape: None,
            texels: Buffer::default(),
        }))
    }

    /// Spout does not tell.
    fn receivers(&self) -> Option<usize> {
        None
    }

    fn newest(&self, frame: &mut Frame) -> Result<bool, TextureError> {
        Ok(self.stream.newest(frame))
    }

    fn set_cdl(&self, cdl: &Cdl) {
        self.stream.set_cdl(cdl);
    }
}

impl Drop for SpoutSender {
    fn drop(&mut self) {
        self.stream.end();
        self.keeper.nudge();
    }
}

struct SpoutWriter {
    stream: Arc<Stream>,
    memory: MemoryLimit,
    shape: Option<TextureShape>,
    texels: Buffer,
}

impl TextureWriter for SpoutWriter {
    fn begin(&mut self, shape: TextureShape) -> Result<(), TextureError> {
        self.shape = None;
        if !self.texels.fits(shape)
            && let Some(spare) = self.stream.take_spare()
        {
            self.texels = spare;
        }
        self.texels.fit(shape, &self.memory)?;
        self.shape = Some(shape);
        Ok(())
    }

    fn texels(&mut self) -> &mut [Texel] {
        match self.shape {
            Some(_) => self.texels.texels_mut(),
            None => &mut [],
        }
    }

    fn publish(&mut self) -> Result<u64, TextureError> {
        let Some(shape) = self.shape.take() else {
            return Err(TextureError::Broken("publish was called with no texture begun".into()));
        };
        self.stream.publish(shape, &mut self.texels)
    }

    fn abandon(&mut self) {
        self.shape = None;
    }
}

impl Drop for SpoutWriter {
    fn drop(&mut self) {
        self.stream.give_spare(std::mem::take(&mut self.texels));
    }
}
