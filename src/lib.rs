//! A virtual LUT box: 3D LUTs arrive over the network, each leaves as a 32-bit float texture that any program on
//! the same computer can use.
//!
//! ```text
//! Livegrade ──TCP──▶ wire ──▶ LutSink ──▶ channel ──▶ hald layout ──▶ texture sender ──▶ Spout │ Syphon │ Linux
//!                    BSON,    checked     latest      one pass into   one back end
//!                    limits   values      per name    mapped memory   a platform
//! ```
//!
//! # Layout
//!
//! | module | job |
//! | --- | --- |
//! | [`wire`] | OpenGradeIO on the wire: bounded BSON, requests, replies, a client |
//! | [`server`] | accepting connections, limits, draining |
//! | [`sink`] | the seam between the wire and whatever wants LUTs |
//! | [`channel`] | one stream for each channel: names, revisions, counters |
//! | [`state`] | the last LUT of every channel, across a restart |
//! | [`hald`] | every index formula: entry orders and texture layouts |
//! | [`lut`] | 3D LUTs as values: grids, interpolation, CDL, files |
//! | [`texture`] | the seam to texture sharing, and its back ends |
//! | [`picture`] | pictures in files: a LUT put on them, compared, and the test pattern |
//! | [`strip`] | strips as image files |
//! | [`cli`] | one file for each command |

mod atomic_file;
pub mod channel;
pub mod cli;
pub mod hald;
pub mod lut;
pub mod picture;
pub mod server;
pub mod sink;
pub mod state;
pub mod strip;
pub mod texture;
pub mod wire;

// The promises of every back end, for back ends whose other side is imitated here and not elsewhere.
#[cfg(test)]
#[macro_use]
#[path = "../tests/backend_suite/mod.rs"]
mod backend_suite;
#[cfg(test)]
extern crate self as virtual_gpu_lut_box;

/// The version of this crate, as `--version` prints it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The log target of the events that are shown unless the user asks for more: a client comes or goes, a stream
/// starts, a size changes.
pub const EVENTS: &str = "vglb_events";
