//! What outlives the server: the last good LUT of every channel, kept in a directory and put back on its stream before
//! the port is opened.
//!
//! A [`Keeper`] waits for changes of the channels on a thread of its own, reads a changed channel's newest LUT from its
//! texture and writes it; neither the texture nor the reply waits for the disk. Of LUTs that follow each other quickly,
//! the latest is written.

mod directory;
mod keeper;
mod presets;
mod record;

pub use directory::{Directory, ENVIRONMENT, Found, StateError, default_path, scan};
pub use keeper::Keeper;
pub use presets::{LONGEST_NAME, MOST_PRESETS, Preset, PresetError, Presets, Start};
pub use record::{Header, Listing, RecordError, VERSION};
