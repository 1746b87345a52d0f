//! A writer's own memory for a texture, where it writes into none that is shared.

use super::TextureError;
use crate::hald::{Texel, TextureShape};
use crate::memory_limit::{Charge, MemoryLimit};

/// Texels in this process's memory, as many as its largest texture had.
#[derive(Default)]
pub(super) struct Buffer {
    texels: Vec<Texel>,
    charge: Charge,
}

impl Buffer {
    /// Makes it as large as a texture of `shape`. What is in it is not defined. Where that fails it is as it was.
    pub(super) fn fit(&mut self, shape: TextureShape, limit: &MemoryLimit) -> Result<(), TextureError> {
        let bytes = shape.bytes() as u64;
        let no_memory = |why: String| TextureError::OutOfMemory { bytes: shape.bytes(), why };
        if bytes > self.charge.bytes() {
            let before = self.charge.bytes();
            self.charge.resize_of(limit, bytes).map_err(|e| no_memory(e.to_string()))?;
            let reserve = shape.texels().saturating_sub(self.texels.len());
            if let Err(e) = self.texels.try_reserve_exact(reserve) {
                let _less_never_fails = self.charge.resize(before);
                return Err(no_memory(e.to_string()));
            }
        }
        self.texels.resize(shape.texels(), [0; 16]);
        Ok(())
    }

    pub(super) fn texels(&self) -> &[Texel] {
        &self.texels
    }

    pub(super) fn texels_mut(&mut self) -> &mut [Texel] {
        &mut self.texels
    }

    /// Whether it needs no more memory for a texture of `shape`.
    pub(super) fn fits(&self, shape: TextureShape) -> bool {
        self.texels.capacity() >= shape.texels()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texels.capacity() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hald::Layout;
    use crate::lut::GridSize;

    #[test]
    fn a_buffer_counts_what_its_largest_texture_took_and_refuses_what_is_too_much() {
        let shape = |n| TextureShape::new(GridSize::new(n).unwrap(), Layout::Vglb).unwrap();
        let limit = MemoryLimit::new(16 * 1000);
        let mut buffer = Buffer::default();
        buffer.fit(shape(8), &limit).unwrap();
        buffer.fit(shape(2), &limit).unwrap();
        assert_eq!((buffer.texels().len(), limit.used()), (8, 16 * 512));
        buffer.fit(shape(9), &limit).unwrap();
        let refused = buffer.fit(shape(10), &limit).map(drop);
        assert!(refused.is_ok(), "10³ is just what there is");
        let refused = buffer.fit(shape(11), &limit).unwrap_err().to_string();
        assert_eq!(
            refused,
            "no memory for a texture of 21296 bytes (5296 bytes more would go beyond the memory limit of 16000 bytes, of \
             which 16000 are in use (--memory-limit))"
        );
        assert_eq!(buffer.texels().len(), 1000);
        drop(buffer);
        assert_eq!(limit.used(), 0);
    }
}
