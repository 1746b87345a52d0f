//! A stream as the texture seam wants it: the sender, and writers that fill buffers of their own.

use super::keeper::Keeper;
use super::stream::Stream;
use crate::hald::{Texel, TextureShape};
use crate::texture::claim::Claim;
use crate::texture::{TextureError, TextureSender, TextureWriter};
use std::sync::Arc;

/// A Spout sender. Other programs see it from its first publication until it is dropped.
pub struct SpoutSender {
    stream: Arc<Stream>,
    keeper: Arc<Keeper>,
    /// Gives the stream's name free among this back end's senders.
    _claim: Claim,
}

impl SpoutSender {
    pub fn new(stream: Arc<Stream>, keeper: Arc<Keeper>, claim: Claim) -> Self {
        SpoutSender { stream, keeper, _claim: claim }
    }
}

impl TextureSender for SpoutSender {
    fn name(&self) -> &str {
        self.stream.name()
    }

    fn writer(&self) -> Result<Box<dyn TextureWriter>, TextureError> {
        Ok(Box::new(SpoutWriter { stream: self.stream.clone(), shape: None, texels: Vec::new() }))
    }

    /// Spout does not tell.
    fn receivers(&self) -> Option<usize> {
        None
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
    shape: Option<TextureShape>,
    texels: Vec<Texel>,
}

impl TextureWriter for SpoutWriter {
    fn begin(&mut self, shape: TextureShape) -> Result<(), TextureError> {
        self.shape = None;
        if self.texels.capacity() < shape.texels()
            && let Some(spare) = self.stream.take_spare()
        {
            self.texels = spare;
        }
        let more = shape.texels().saturating_sub(self.texels.len());
        self.texels
            .try_reserve_exact(more)
            .map_err(|e| TextureError::OutOfMemory { bytes: shape.bytes(), why: e.to_string() })?;
        self.texels.resize(shape.texels(), [0; 16]);
        self.shape = Some(shape);
        Ok(())
    }

    fn texels(&mut self) -> &mut [Texel] {
        match self.shape {
            Some(_) => &mut self.texels,
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
