//! Sends one stream: each texture goes out through one server or two, in the encodings asked for.

use super::Encoding;
use super::seam::System;
use super::server::Server;
use super::surfaces::Surfaces;
use crate::hald::byte_planes::BytePlanes;
use crate::hald::{Texel, TextureShape, eight_bit};
use crate::lut::Cdl;
use crate::memory_limit::MemoryLimit;
use crate::server::Origin;
use crate::texture::buffer::Buffer;
use crate::texture::claim::Claim;
use crate::texture::{Frame, TextureError, TextureSender, TextureWriter};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sends one stream, until it is dropped.
pub struct SyphonSender {
    stream: Arc<Stream>,
    /// Lets go of the name.
    _claim: Claim,
}

struct Stream {
    system: Arc<dyn System>,
    name: String,
    memory: MemoryLimit,
    state: Mutex<State>,
}

struct State {
    feeds: Vec<Feed>,
    /// As it was published, before it was encoded.
    newest: Option<(TextureShape, Buffer)>,
    revision: u64,
    ended: bool,
}

/// One server, in one encoding. It starts with the first texture.
struct Feed {
    name: String,
    encoding: Encoding,
    surfaces: Surfaces,
    server: Option<Server>,
}

impl Feed {
    /// Puts a texture into a surface that nobody looks at yet; returns its number.
    fn prepare(&mut self, system: &dyn System, shape: TextureShape, texels: &[Texel]) -> Result<u32, TextureError> {
        match self.encoding {
            Encoding::BytePlanes => {
                let planes = BytePlanes::new(shape);
                let size = (planes.width(), planes.image_height());
                self.surfaces.write(system, size, &mut |image, row| planes.encode(texels, image, row))
            }
            Encoding::EightBit => {
                let size = (shape.width(), shape.height());
                self.surfaces.write(system, size, &mut |image, row| eight_bit::encode(size.0, texels, image, row))
            }
        }
    }

    fn announce(&mut self, system: &Arc<dyn System>, surface: u32) -> Result<(), TextureError> {
        match &self.server {
            Some(server) => server.publish(surface),
            None => self.server = Some(Server::start(system.clone(), &self.name, surface)?),
        }
        Ok(())
    }
}

impl SyphonSender {
    /// A stream with a server for each name and encoding. `claim` is dropped with it.
    pub fn new(
        system: Arc<dyn System>,
        name: &str,
        servers: Vec<(String, Encoding)>,
        memory: MemoryLimit,
        claim: Claim,
    ) -> Self {
        let feed = |(name, encoding)| Feed { name, encoding, surfaces: Surfaces::default(), server: None };
        let feeds = servers.into_iter().map(feed).collect();
        let state = State { feeds, newest: None, revision: 0, ended: false };
        let stream = Stream { system, name: name.to_owned(), memory, state: Mutex::new(state) };
        SyphonSender { stream: Arc::new(stream), _claim: claim }
    }
}

impl Stream {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends `texels` and keeps them; gives another buffer in their place. Returns the revision.
    fn publish(&self, shape: TextureShape, buffer: &mut Buffer) -> Result<u64, TextureError> {
        let mut state = self.lock();
        if state.ended {
            return Err(TextureError::Ended);
        }
        let texels = buffer.texels();
        // All surfaces first: where one can't be had, nobody has heard of anything.
        let surfaces = state.feeds.iter_mut().map(|feed| feed.prepare(&*self.system, shape, texels));
        let surfaces = surfaces.collect::<Result<Vec<_>, _>>()?;
        for (feed, surface) in state.feeds.iter_mut().zip(surfaces) {
            feed.announce(&self.system, surface)?;
        }
        state.revision += 1;
        let newest = std::mem::take(buffer);
        if let Some((_, old)) = state.newest.replace((shape, newest)) {
            *buffer = old;
        }
        Ok(state.revision)
    }
}

impl TextureSender for SyphonSender {
    fn name(&self) -> &str {
        &self.stream.name
    }

    fn writer(&self) -> Result<Box<dyn TextureWriter>, TextureError> {
        self.writer_for(None)
    }

    fn writer_for(&self, client: Option<Origin>) -> Result<Box<dyn TextureWriter>, TextureError> {
        Ok(Box::new(SyphonWriter {
            stream: self.stream.clone(),
            memory: self.stream.memory.of(client),
            shape: None,
            texels: Buffer::default(),
        }))
    }

    fn receivers(&self) -> Option<usize> {
        Some(self.stream.lock().feeds.iter().filter_map(|feed| feed.server.as_ref()).map(Server::clients).sum())
    }

    fn newest(&self, frame: &mut Frame) -> Result<bool, TextureError> {
        let state = self.stream.lock();
        let Some((shape, texels)) = &state.newest else { return Ok(false) };
        frame.fill(*shape, state.revision, None, texels.texels());
        Ok(true)
    }

    fn set_cdl(&self, cdl: &Cdl) {
        self.stream.lock().feeds.iter().filter_map(|feed| feed.server.as_ref()).for_each(|server| server.set_cdl(cdl));
    }
}

impl Drop for SyphonSender {
    fn drop(&mut self) {
        let mut state = self.stream.lock();
        state.ended = true;
        // Servers before surfaces: nobody is told of a surface that is gone.
        state.feeds.iter_mut().for_each(|feed| feed.server = None);
        state.feeds.clear();
        state.newest = None;
    }
}

/// Takes a texture in memory of this process; publishing turns it into bytes in a surface.
struct SyphonWriter {
    stream: Arc<Stream>,
    memory: MemoryLimit,
    shape: Option<TextureShape>,
    texels: Buffer,
}

impl TextureWriter for SyphonWriter {
    fn begin(&mut self, shape: TextureShape) -> Result<(), TextureError> {
        self.shape = None;
        self.texels.fit(shape, &self.memory)?;
        self.shape = Some(shape);
        Ok(())
    }

    fn texels(&mut self) -> &mut [Texel] {
        if self.shape.is_some() { self.texels.texels_mut() } else { &mut [] }
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
