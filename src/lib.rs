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
//! | [`recording`] | what reaches a server, with its times, in a file |
//! | [`export`] | the newest LUT of every channel, as files |
//! | [`state`] | the last LUT of every channel, across a restart |
//! | [`service`] | the server as a service of the platform |
//! | [`metrics`] | counters, and their answer for Prometheus |
//! | [`http`] | a small HTTP server, bounded in every way |
//! | `dashboard` | the front panel: a web page and its API; with the feature of that name, which is on by default |
//! | [`discovery`] | boxes that announce themselves on the network, and the search for them |
//! | `cluster` | one grade on many computers, over Zenoh; with the feature of that name |
//! | [`hald`] | every index formula: entry orders and texture layouts |
//! | [`cdl_http`] | CDL values over HTTP, as disguise takes them |
//! | [`source`] | channels whose LUT comes from a file |
//! | [`watch`] | follows the LUT in a file |
//! | [`memory_limit`] | a limit on the memory that LUTs take |
//! | [`lut`] | 3D LUTs as values: grids, interpolation, CDL, files |
//! | [`texture`] | the seam to texture sharing, and its back ends |
//! | [`picture`] | pictures in files: a LUT put on them, compared, and the test pattern |
//! | [`strip`] | strips as image files |
//! | [`config`] | settings from a file, the environment and flags |
//! | [`cli`] | one file for each command |

mod atomic_file;
pub mod cdl_http;
pub mod channel;
pub mod cli;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod config;
#[cfg(feature = "dashboard")]
pub mod dashboard;
pub mod discovery;
pub mod export;
pub mod hald;
pub mod http;
pub mod lut;
pub mod memory_limit;
pub mod metrics;
pub mod picture;
mod pulse;
pub mod recording;
pub mod server;
pub mod service;
pub mod sink;
pub mod source;
pub mod state;
pub mod strip;
pub mod texture;
pub mod watch;
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

/// The log target of what is for the eyes of whoever started the program alone: it is on stderr, and not on the panel.
pub const SECRETS: &str = "vglb_secrets";
