//! A small HTTP/1.1 server for the panel, for metrics and for whatever else is asked for over HTTP.
//!
//! Requests are parsed by `httparse`; the rest is bounded: bytes and time of a head, bytes and time of a body,
//! connections, connections of one address, and all bodies together. Each connection has a thread. Who may connect is said by the
//! [`Access`] that the LUT server has. Bodies come with a `Content-Length`; chunked ones are
//! refused.
//!
//! A [`Handler`] sees a request twice: its head before its body is read, to refuse it or to say how long the body may be,
//! and then the whole.

mod connection;
mod doors;
mod request;
mod response;
mod script;
mod serve;

pub use request::{Head, Request};
pub use response::{Body, Response};
#[doc(hidden)]
pub use script::answers;
pub use serve::{HttpServer, StopSignal};

use crate::memory_limit::MemoryLimit;
use crate::server::Access;
use std::time::Duration;

/// Where to listen, and what is taken.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// A host name or an address.
    pub host: String,
    /// The TCP port; 0 lets the system choose.
    pub port: u16,
    /// Who may connect.
    pub access: Access,
    /// The most connections at once.
    pub max_connections: usize,
    /// The most connections at once from one address.
    pub max_connections_per_address: usize,
    /// What one request may be.
    pub limits: HttpLimits,
    /// What requests' bodies count against while they are read and answered, each for its sender's address.
    pub memory: MemoryLimit,
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig {
            host: "127.0.0.1".into(),
            port: 0,
            access: Access::default(),
            max_connections: 64,
            max_connections_per_address: 32,
            limits: HttpLimits::default(),
            memory: MemoryLimit::default(),
        }
    }
}

/// What one request may be.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Bytes of the request line and the headers.
    pub head_bytes: usize,
    /// From a head's first byte to its last.
    pub head_time: Duration,
    /// From the head's end to the body's.
    pub body_time: Duration,
    /// How long a connection may wait for its next request.
    pub idle_time: Duration,
    /// How long a peer may take none of an answer.
    pub write_time: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits {
            head_bytes: 16 << 10,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(60),
            idle_time: Duration::from_secs(20),
            write_time: Duration::from_secs(10),
        }
    }
}

/// Answers requests. Called from many connections' threads at once.
pub trait Handler: Send + Sync + 'static {
    /// Looks at a request before its body is read: the most bytes that the body may have, or the answer that refuses it.
    fn admit(&self, head: &Head) -> Result<usize, Response>;

    /// Answers a request.
    fn handle(&self, request: &Request) -> Response;
}

#[cfg(test)]
mod tests;
