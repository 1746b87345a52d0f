//! Stores that go past the processor's cache, for textures that would not stay in it anyway: what is written next needs
//! not be read first, and what the cache holds (the socket's buffer) stays there.

use crate::hald::{LineStore, Placement, Texel, TextureShape};

/// Textures of this many bytes and more are written past the cache. A writer goes round three slots: smaller ones stay
/// in the second and third level of common processors, where a store past them costs more than one into them.
const FROM_BYTES: usize = 4 << 20;

/// Whether it pays for textures of `shape`.
///
/// Only whole cache lines are worth it, and four rows of entries fill some where each begins on one: for grid sizes that
/// four divides.
pub(super) fn pays(shape: TextureShape) -> bool {
    cfg!(target_arch = "x86_64") && shape.bytes() >= FROM_BYTES && shape.size().get().is_multiple_of(4)
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
impl LineStore for PastCache {
    #[inline(always)]
    fn store(&mut self, line: &mut [Texel; 4], texels: [Texel; 4]) {
        use std::arch::x86_64::{__m128i, _mm_stream_si128};
        if !line.as_ptr().cast::<__m128i>().is_aligned() {
            *line = texels;
            return;
        }
        // SAFETY: the two have the same size, and every bit pattern is a vector.
        let vectors: [__m128i; 4] = unsafe { std::mem::transmute(texels) };
        let to = line.as_mut_ptr().cast::<__m128i>();
        for (i, vector) in vectors.into_iter().enumerate() {
            // SAFETY: `to` is aligned, and the four vectors lie within `line`, which is borrowed mutably. Such stores may
            // overtake others, and none may look at the memory before a fence of this thread: `write`, which alone makes a
            // `PastCache`, has it dropped, with a fence, before its caller has the texture back.
            unsafe { _mm_stream_si128(to.add(i), vector) };
        }
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
impl LineStore for PastCache {
    fn store(&mut self, line: &mut [Texel; 4], texels: [Texel; 4]) {
        *line = texels;
    }
}
