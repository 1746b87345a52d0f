//! What outlives the server: the last good LUT of every channel, kept in a directory and put back on its stream before
//! the port is opened.
//!
//! A [`Keeper`] puts itself between the wire and the channels. It copies entries while they arrive, hands a committed
//! LUT over by exchanging two buffers, and writes it on a thread of its own; neither the texture nor the reply waits
//! for the disk. Of LUTs that follow each other quickly, the latest is written.

mod directory;
mod keeper;
mod record;

pub use directory::{Directory, ENVIRONMENT, Found, StateError, default_path, scan};
pub use keeper::Keeper;
pub use record::{Header, Listing, RecordError, VERSION};
