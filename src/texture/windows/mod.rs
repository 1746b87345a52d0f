//! What this program needs of Windows: for Spout the named objects of the session and Direct3D 11, and to hear when it
//! is to end.
//!
//! Design decisions:
//! - Only this module calls Windows. It does what [`spout::seam`](super::spout::seam) asks, and decides nothing.
//! - One Direct3D device, without a thread of its own: its immediate context is kept behind a lock, which is held
//!   while commands are handed over and never while the graphics processor works on them.

mod adapters;
mod direct3d;
mod ending;
mod objects;

pub use direct3d::Direct3d;
pub use ending::when_told_to_end;
pub use objects::SessionObjects;

use super::spout::SpoutBackend;

impl SpoutBackend {
    /// Spout on this computer. `adapter` is the graphics adapter to use: its number in the list that
    /// [`details`](super::TextureBackend::details) gives, a part of its name, or `warp` for the one that computes in
    /// software. `None` is the system's choice, or WARP where there is no adapter.
    pub fn with_adapter(adapter: Option<String>) -> Self {
        SpoutBackend::new(SessionObjects, Direct3d::new(adapter))
    }
}
