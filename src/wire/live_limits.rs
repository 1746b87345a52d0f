//! Limits that may change while connections are open.

use super::WireLimits;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What connections' readers look at between two messages. Where nothing has changed that costs the reading of a number.
#[derive(Debug, Default)]
pub struct LiveLimits {
    limits: Mutex<WireLimits>,
    changes: AtomicU64,
}

impl LiveLimits {
    /// These, until they are changed.
    pub fn new(limits: WireLimits) -> Self {
        LiveLimits { limits: Mutex::new(limits), changes: AtomicU64::new(0) }
    }

    /// The limits now.
    pub fn get(&self) -> WireLimits {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Others, for messages that begin from now on.
    pub fn set(&self, limits: WireLimits) {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// How often they were changed.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}
