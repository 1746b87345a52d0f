//! Receives the frames of one server.

use super::client::{Client, Heard};
use super::seam::System;
use crate::hald::byte_planes::BytePlanes;
use crate::hald::{Texel, eight_bit};
use crate::texture::{Event, Frame, TextureError, TextureReceiver};
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

/// The format of plain images.
pub const BGRA8: &str = "B8G8R8A8_UNORM";

/// The format of images that hold the bytes of floats.
pub const BGRA8_PLANES: &str = "R32G32B32_FLOAT as byte planes in B8G8R8A8_UNORM";

/// How often a frame is copied once more because it changed meanwhile. A sender of this program never writes the
/// surface that it shows; others do.
const ATTEMPTS: usize = 5;

/// How long a server may take to say which surface replaces one that is gone.
const SURFACE_PATIENCE: Duration = Duration::from_secs(1);

/// Receives from one server.
pub struct SyphonReceiver {
    system: Arc<dyn System>,
    client: Client,
    /// Frames announced when one was last read.
    read: u64,
    image: Vec<u8>,
}

impl SyphonReceiver {
    /// Receives over a connection that is interested in frames.
    pub fn new(system: Arc<dyn System>, client: Client) -> Self {
        SyphonReceiver { system, client, read: 0, image: Vec::new() }
    }

    /// Copies the newest surface; returns its width and height, and how many frames had been announced before.
    fn copy(&mut self) -> Result<((usize, usize), u64), TextureError> {
        let mut attempts = 0;
        loop {
            let heard = self.client.heard();
            let number = heard.surface.filter(|_| !heard.ended).ok_or(TextureError::Ended)?;
            let Some(surface) = self.system.find_surface(number) else {
                self.wait_for_another(number)?;
                continue;
            };
            let whole = surface.read(&mut self.image)?;
            attempts += 1;
            if whole || attempts == ATTEMPTS {
                if !whole {
                    warn!("this frame may be made of two: its sender was writing it each time that it was read");
                }
                return Ok(((surface.width(), surface.height()), heard.frames));
            }
        }
    }

    /// A surface is gone where the server has a new one, and says so in a moment, or is gone itself.
    fn wait_for_another(&self, number: u32) -> Result<(), TextureError> {
        let (heard, _) = self.client.wait(Some(SURFACE_PATIENCE), |h| h.ended || h.surface != Some(number));
        if heard.ended || heard.surface == Some(number) { Err(TextureError::Ended) } else { Ok(()) }
    }
}

impl TextureReceiver for SyphonReceiver {
    fn wait(&mut self, timeout: Option<Duration>) -> Result<Event, TextureError> {
        let read = self.read;
        let is_new = |heard: &Heard| heard.frames > read && heard.surface.is_some();
        let (heard, enough) = self.client.wait(timeout, |heard| heard.ended || is_new(heard));
        Ok(match enough {
            true if heard.ended => Event::Ended,
            true => Event::Frame,
            false => Event::TimedOut,
        })
    }

    fn read(&mut self, frame: &mut Frame) -> Result<(), TextureError> {
        let ((width, height), frames) = self.copy()?;
        frame.format = decode(&self.image, (width, height), frame)?;
        frame.shape = None;
        frame.published = None;
        // Late ones were announced a frame already; one that was not gets a number all the same.
        frame.revision = frames.max(1);
        self.read = frames;
        Ok(())
    }
}

/// Width and height of what is received from an image of this size: of the floats where it is byte planes.
pub fn frame_size(width: usize, height: usize) -> (usize, usize) {
    (width, BytePlanes::from_image(width, height).map_or(height, |planes| planes.height()))
}

/// What an image of this size holds, by its format's name.
pub fn format(width: usize, height: usize) -> &'static str {
    if BytePlanes::from_image(width, height).is_some() { BGRA8_PLANES } else { BGRA8 }
}

/// Puts an image's texels into `frame`: the floats where it is byte planes, else its own values.
fn decode(image: &[u8], (width, height): (usize, usize), frame: &mut Frame) -> Result<&'static str, TextureError> {
    if width == 0 || image.len() != width * height * 4 {
        return Err(TextureError::Protocol(format!("a surface of {width}×{height} texels in {} bytes", image.len())));
    }
    (frame.width, frame.height) = frame_size(width, height);
    resize(&mut frame.texels, frame.width * frame.height)?;
    match BytePlanes::from_image(width, height) {
        Some(planes) => planes.decode(image, width * 4, &mut frame.texels),
        None => eight_bit::decode(width, image, width * 4, &mut frame.texels),
    }
    Ok(format(width, height))
}

fn resize(texels: &mut Vec<Texel>, count: usize) -> Result<(), TextureError> {
    let more = count.saturating_sub(texels.len());
    let bytes = count * size_of::<Texel>();
    texels.try_reserve_exact(more).map_err(|e| TextureError::OutOfMemory { bytes, why: e.to_string() })?;
    texels.resize(count, [0; 16]);
    Ok(())
}
