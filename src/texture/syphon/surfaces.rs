//! The surfaces of one server, used in turn.
//!
//! Clients draw from a surface whenever they like, and nothing keeps them from it while it is being written. In byte
//! planes, a value of which half the bytes are new is any value at all. So a frame is never written into the surface
//! that clients were told of last, nor into the one before it, from which a client may still be drawing.

use super::seam::{Surface, System};
use crate::texture::TextureError;
use std::collections::VecDeque;

/// One is written, one is shown, one was shown before.
const IN_TURN: usize = 3;

/// A server's surfaces, the one shown last.
#[derive(Default)]
pub struct Surfaces {
    turn: VecDeque<Box<dyn Surface>>,
}

impl Surfaces {
    /// Writes a frame of `width`×`height` texels into a surface that nobody looks at, and returns the surface's
    /// number. `fill` gets its memory, and how many bytes each row begins after the one before.
    pub fn write(
        &mut self,
        system: &dyn System,
        (width, height): (usize, usize),
        fill: &mut dyn FnMut(&mut [u8], usize),
    ) -> Result<u32, TextureError> {
        let oldest = if self.turn.len() >= IN_TURN { self.turn.pop_front() } else { None };
        let mut surface = match oldest.filter(|s| (s.width(), s.height()) == (width, height)) {
            Some(surface) => surface,
            None => system.create_surface(width, height)?,
        };
        surface.write(fill)?;
        let number = surface.number();
        self.turn.push_back(surface);
        Ok(number)
    }
}
