//! Boxes on a network find each other by multicast DNS (DNS-SD, `_vglb._tcp.local.`): a server announces itself where it
//! was asked to, and [`Search`] lists who does. Nothing runs, and nothing is sent, until one of them is started.

mod announce;
mod record;
mod search;

pub use announce::{Announcement, Announcer, Reach};
pub use record::{Described, Found, InstanceName};
pub use search::{MOST_BOXES, Search};

/// What the boxes are called among the services of a network.
pub const SERVICE: &str = "_vglb._tcp.local.";

/// Why a server can't be announced, or nothing can be searched for.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// Multicast DNS itself.
    #[error("multicast DNS does not work here: {0}")]
    Mdns(#[from] mdns_sd::Error),
    /// The thread that tells of faults.
    #[error("can't start a thread for multicast DNS: {0}")]
    Thread(#[from] std::io::Error),
    /// A search that ended before its time.
    #[error("the search ended before its time: more answers came than could be read")]
    Ended,
}
