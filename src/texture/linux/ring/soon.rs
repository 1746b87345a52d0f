//! Has the processor fetch what is written next while it writes what comes now. A slot has mostly left the nearer caches
//! when it is written again, and the processor finishes stores in their order: it would wait for one cache line after the
//! other.

use crate::hald::{Placement, Soon, Texel};

/// As [`Placement::write`].
pub(super) fn write(place: &Placement, first: usize, entries: &[Texel], texture: &mut [Texel]) -> bool {
    place.write_and_tell(&Fetched, first, entries, texture)
}

struct Fetched;

impl Soon for Fetched {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn written_soon(&self, texel: *const Texel) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint. It reads nothing that a program could see and faults at no address, mapped or not; every x86-64
        // processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(texel.cast()) };
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn written_soon(&self, _: *const Texel) {}
}
