//! Sends one stream: each texture goes out through one server or two, in the encodings asked for.

use super::Encoding;
use super::seam::System;
use super::server::Server;
use super::surfaces::Surfaces;
use crate::hald::byte_planes::BytePlanes;
use crate::hald::{Texel, TextureShape, eight_bit};
use crate::texture::claim::Claim;
use crate::texture::{TextureError, TextureSender, TextureWriter};
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
    state: Mutex<State>,
}

struct State {
    feeds: Vec<Feed>,
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
    pub fn new(system: Arc<dyn System>, name: &str, servers: Vec<(String, Encoding)>, claim: Claim) -> Self {
        let feed = |(name, encoding)| Feed { name, encoding, surfaces: Surfaces::default(), server: None };
        let state = State { feeds: servers.into_iter().map(feed).collect(), revision: 0, ended: false };
        let stream = Stream { system, name: name.to_owned(), state: Mutex::new(state) };
        SyphonSender { stream: Arc::new(stream), _claim: claim }
    }
}

impl Stream {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, shape: TextureShape, texels: &[Texel]) -> Result<u64, TextureError> {
        let mut state = self.lock();
        if state.ended {
            return Err(TextureError::Ended);
        }
        // All surfaces first: where one can't be had, nobody has heard of anything.
        let surfaces = state.feeds.iter_mut().map(|feed| feed.prepare(&*self.system, shape, texels));
        let surfaces = surfaces.collect::<Result<Vec<_>, _>>()?;
        for (feed, surface) in state.feeds.iter_mut().zip(surfaces) {
            feed.announce(&self.system, surface)?;
        }
        state.revision += 1;
        Ok(state.revision)
    }
}

impl TextureSender for SyphonSender {
    fn name(&self) -> &str {
        &self.stream.name
    }

    fn writer(&self) -> Result<Box<dyn TextureWriter>, TextureError> {
        Ok(Box::new(SyphonWriter { stream: self.stream.clone(), shape: None, texels: Vec::new() }))
    }

    fn receivers(&self) -> Option<usize> {
        Some(self.stream.lock().feeds.iter().filter_map(|feed| feed.server.as_ref()).map(Server::clients).sum())
    }
}

impl Drop for SyphonSender {
    fn drop(&mut self) {
        let mut state = self.stream.lock();
        state.ended = true;
        // Servers before surfaces: nobody is told of a surface that is gone.
        state.feeds.iter_mut().for_each(|feed| feed.server = None);
        state.feeds.clear();
    }
}

/// Takes a texture in memory of this process; publishing turns it into bytes in a surface.
struct SyphonWriter {
    stream: Arc<Stream>,
    shape: Option<TextureShape>,
    texels: Vec<Texel>,
}

impl TextureWriter for SyphonWriter {
    fn begin(&mut self, shape: TextureShape) -> Result<(), TextureError> {
        self.shape = None;
        let more = shape.texels().saturating_sub(self.texels.len());
        let no_memory = |why: String| TextureError::OutOfMemory { bytes: shape.bytes(), why };
        self.texels.try_reserve_exact(more).map_err(|e| no_memory(e.to_string()))?;
        self.texels.resize(shape.texels(), [0; 16]);
        self.shape = Some(shape);
        Ok(())
    }

    fn texels(&mut self) -> &mut [Texel] {
        if self.shape.is_some() { &mut self.texels } else { &mut [] }
    }

    fn publish(&mut self) -> Result<u64, TextureError> {
        let Some(shape) = self.shape.take() else {
            return Err(TextureError::Broken("publish was called with no texture begun".into()));
        };
        self.stream.publish(shape, &self.texels)
    }

    fn abandon(&mut self) {
        self.shape = None;
    }
}
