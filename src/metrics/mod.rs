//! Counters of a server, and their answer over HTTP in Prometheus' text format.
//!
//! Counting is a relaxed addition: it takes no lock and allocates nothing. What is known of channels is asked for when
//! somebody asks, and costs the path of LUTs nothing.

mod answer;
mod reason;

pub use answer::{MetricsHttp, MoreMetrics, Text};
pub use reason::Reason;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the buckets of a time, in microseconds; longer ones have a bucket of their own.
const BOUNDS_US: [u64; 16] = [
    100, 200, 400, 700, 1000, 2000, 4000, 7000, 10_000, 20_000, 40_000, 100_000, 250_000, 1_000_000, 5_000_000,
    30_000_000,
];

/// The counters of a server. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    /// Connections accepted since the server began.
    connections: AtomicU64,
    /// Bytes of messages whose LUT was put into force.
    bytes: AtomicU64,
    cdls: AtomicU64,
    refused: [AtomicU64; Reason::ALL.len()],
    whole: Histogram,
    publish: Histogram,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_ns: AtomicU64,
}

impl Histogram {
    fn record(&self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        // At its bound, a time is inside.
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}

impl Metrics {
    /// A connection was accepted.
    pub(crate) fn connected(&self) {
        self.0.connections.fetch_add(1, Relaxed);
    }

    /// A LUT that came in a message of `bytes` bytes is in force: `whole` after the message began, `publish` after its
    /// last byte had come.
    pub(crate) fn lut(&self, bytes: usize, whole: Duration, publish: Duration) {
        self.0.bytes.fetch_add(bytes as u64, Relaxed);
        self.0.whole.record(whole);
        self.0.publish.record(publish);
    }

    /// CDL values are in force.
    pub(crate) fn cdl(&self) {
        self.0.cdls.fetch_add(1, Relaxed);
    }

    /// A request was refused, or a connection refused or closed.
    pub(crate) fn refused(&self, reason: Reason) {
        self.0.refused[reason as usize].fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
