//! How often parts of the transport have begun again after they had failed.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counted for as long as the back end exists, whatever comes and goes meanwhile.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    devices: AtomicU64,
    sockets: AtomicU64,
}

impl Restarts {
    /// A graphics device that had failed is open again.
    pub(super) fn device(&self) {
        self.devices.fetch_add(1, Ordering::Relaxed);
    }

    /// A stream's socket that had been deleted is back.
    pub(super) fn socket(&self) {
        self.sockets.fetch_add(1, Ordering::Relaxed);
    }

    /// Each part, and how often.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        vec![("device", self.devices.load(Ordering::Relaxed)), ("socket", self.sockets.load(Ordering::Relaxed))]
    }
}
