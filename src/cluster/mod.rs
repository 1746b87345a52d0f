//! One grade on many computers: a hub publishes the LUTs of its channels, and each node puts them on streams of its own.
//!
//! ```text
//! grading ──TCP──▶ serve --cluster          follow --cluster ──▶ Spout │ Syphon │ Linux   (render node 1)
//!                  channel ──▶ hub ──Zenoh──▶ follower ──▶ channel
//!                                        └──▶ follower ──▶ channel ──▶ …                   (render node 2)
//! ```
//!
//! Finding one another, carrying what is large, keeping the newest for who comes late and asking again for what was lost
//! is [Zenoh](https://zenoh.io)'s. Here is what is said over it:
//!
//! | key | who puts it | what it is |
//! | --- | --- | --- |
//! | `vglb/{cluster}/lut/{channel}` | hubs | a LUT as it takes effect ([`payload`]) |
//! | `vglb/{cluster}/hub/{name}` | hubs | what the hub has, and knows of the nodes ([`report`]) |
//! | `vglb/{cluster}/node/{name}` | nodes | what the node shows ([`report`]) |
//!
//! Nothing that comes from a cluster is trusted: sizes, names and counts are bounded, and values are checked as those of
//! OpenGradeIO are.

pub mod election;
pub mod keys;
pub mod payload;
pub mod selection;

/// Hubs that a node keeps apart on one channel; of more, those that are new are refused.
pub const MOST_HUBS: usize = 16;

/// Channels of a cluster that a node looks at; of more, those that are new are refused.
pub const MOST_CHANNELS: usize = 256;

mod feed;
pub mod follower;
pub mod hub;
mod inbox;
mod measured;
mod message;
pub mod observer;
pub mod report;
pub mod roster;
pub mod session;

pub use measured::{FollowerMetrics, HubMetrics};

use election::Life;
use session::ClusterError;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long a farewell may take to be gone: what lies unsent when a session ends is lost.
const FAREWELL: std::time::Duration = std::time::Duration::from_millis(100);

/// A life that begins now.
fn beginning() -> Result<Life, ClusterError> {
    let began = payload::nanoseconds(std::time::SystemTime::now());
    let id = getrandom::u64().map_err(|e| ClusterError::Zenoh(format!("the system gives no random number: {e}")))?;
    Ok(Life { began, id })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
