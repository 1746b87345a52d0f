//! What the programs need of any Unix beside textures: what they are told by signals, whether their log goes to
//! systemd's journal, and what a service manager wants to hear.

mod journal;
mod notify;
mod signals;

pub use journal::stderr_is_journal;
pub use notify::{Notice, notify, watchdog_period};
pub use signals::when_told;
