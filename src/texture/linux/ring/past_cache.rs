//! Stores that go past the processor's cache, for slots that are not in it any more: what is written over needs not be
//! read first, and what the cache holds (the socket's buffer) stays there.

use crate::hald::{Placement, RunStore, Texel};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A slot is taken to have left the cache where this process has written so many bytes of texture since. Less than that
/// stays in the second and third level of common processors, where a store past them costs more than one into them.
const FORGOTTEN_AFTER: u64 = 8 << 20;

/// Bytes of texture that this process has begun to write.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// When a slot was written last, by the bytes written until then.
#[derive(Debug, Default)]
pub(super) struct LastWritten(AtomicU64);

impl LastWritten {
    /// The slot is written again now, with `bytes` bytes. Tells whether it pays to go past the cache.
    pub(super) fn again(&self, bytes: usize) -> bool {
        let now = WRITTEN.fetch_add(bytes as u64, Relaxed);
        let before = self.0.swap(now, Relaxed);
        cfg!(target_arch = "x86_64") && now - before >= FORGOTTEN_AFTER
    }
}

/// As [`Placement::write`].
pub(super) fn write(place: &Placement, first: usize, entries: &[Texel], texture: &mut [Texel]) -> bool {
    let mut store = PastCache(());
    place.write_by(&mut store, first, entries, texture)
    // Here `store` is dropped, while the texture is still borrowed: everything stored is in order before anybody looks.
}

/// Only [`write`] makes one. Dropping it puts the stores in order with later ones.
struct PastCache(());

#[cfg(target_arch = "x86_64")]
impl RunStore for PastCache {
    const PREFERS_LONG_RUNS: bool = true;

    #[inline(always)]
    fn store<const N: usize>(&mut self, run: &mut [Texel; N], texels: [Texel; N]) {
        let into_line = run.as_ptr().addr() / size_of::<Texel>() % 4;
        // One copy of the code for each, or copying the ends would be calls.
        match into_line {
            0 => stream::<N, 0>(run, &texels),
            1 => stream::<N, 3>(run, &texels),
            2 => stream::<N, 2>(run, &texels),
            _ => stream::<N, 1>(run, &texels),
        }
    }
}

/// Only whole cache lines are worth it: those go past the cache, the `HEAD` texels before them and what is left after them
/// do not. To be called by a [`PastCache`] alone.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn stream<const N: usize, const HEAD: usize>(run: &mut [Texel; N], texels: &[Texel; N]) {
    use std::arch::x86_64::{__m128i, _mm_stream_si128};
    let lines = (N - HEAD) / 4;
    let tail = HEAD + 4 * lines;
    for (i, texel) in texels.iter().enumerate() {
        let to = std::ptr::from_mut(&mut run[i]).cast::<__m128i>();
        if i < HEAD || i >= tail || !to.is_aligned() {
            run[i] = *texel;
            continue;
        }
        // SAFETY: a texel has the size of a vector, and every bit pattern is one.
        let vector: __m128i = unsafe { std::mem::transmute(*texel) };
        // SAFETY: `to` is a texel borrowed mutably, at an address that suits a vector. Such stores may overtake others, and
        // nobody may look at the memory before a fence of this thread: `write`, which alone makes a `PastCache`, has it
        // dropped, with a fence, before its caller has the texture back.
        unsafe { _mm_stream_si128(to, vector) };
    }
}

#[cfg(target_arch = "x86_64")]
impl Drop for PastCache {
    fn drop(&mut self) {
        // SAFETY: every x86-64 processor has it, and it touches nothing.
        unsafe { std::arch::x86_64::_mm_sfence() };
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl RunStore for PastCache {
    const PREFERS_LONG_RUNS: bool = false;

    fn store<const N: usize>(&mut self, run: &mut [Texel; N], texels: [Texel; N]) {
        *run = texels;
    }
}
