//! LUTs as the textures that a host sees.

use virtual_gpu_lut_box::hald::{Layout, Placement, Texel, TextureShape, rgb};
use virtual_gpu_lut_box::lut::Lut3d;

/// A texture's contents.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// Four float32 a texel.
    Float(Vec<[f32; 4]>),
    /// Four bytes a texel, in the order R, G, B, A.
    Bytes(Vec<[u8; 4]>),
}

/// A texture, row 0 first.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Width in texels.
    pub width: usize,
    /// Height in texels.
    pub height: usize,
    /// The texels, row by row.
    pub pixels: Pixels,
}

impl Image {
    /// A picture of float32 texels.
    ///
    /// # Panics
    /// Where there are not `width`·`height` texels.
    pub fn float(width: usize, height: usize, texels: Vec<[f32; 4]>) -> Self {
        assert_eq!(texels.len(), width * height);
        Image { width, height, pixels: Pixels::Float(texels) }
    }

    /// The plain texture of a LUT, as the box publishes it.
    ///
    /// # Panics
    /// Where the layout does not take the LUT's grid size.
    pub fn plain(lut: &Lut3d, layout: Layout) -> Self {
        let shape = TextureShape::new(lut.size(), layout).unwrap_or_else(|e| panic!("{e}"));
        let mut texture: Vec<Texel> = vec![[0; 16]; shape.texels()];
        Placement::write_lut(shape, lut, &mut texture);
        let texels = texture.iter().map(|t| {
            let [r, g, b] = rgb(t);
            [r, g, b, 1.0]
        });
        Image::float(shape.width(), shape.height(), texels.collect())
    }

    /// The byte planes of a LUT: four times the plain texture's height, plane p of byte p, the lowest first, alpha 255.
    ///
    /// # Panics
    /// Where the layout does not take the LUT's grid size.
    pub fn planes(lut: &Lut3d, layout: Layout) -> Self {
        let plain = Image::plain(lut, layout);
        let Pixels::Float(texels) = &plain.pixels else { unreachable!("a plain texture is float") };
        let mut bytes = Vec::with_capacity(texels.len() * 4);
        for plane in 0..4 {
            bytes.extend(texels.iter().map(|t| {
                let [r, g, b] = [t[0], t[1], t[2]].map(|v| v.to_le_bytes()[plane]);
                [r, g, b, 255]
            }));
        }
        Image { width: plain.width, height: plain.height * 4, pixels: Pixels::Bytes(bytes) }
    }

    /// The same with its last row first.
    pub fn upside_down(&self) -> Self {
        fn turn<T: Clone>(texels: &[T], width: usize) -> Vec<T> {
            texels.chunks(width).rev().flatten().cloned().collect()
        }
        let pixels = match &self.pixels {
            Pixels::Float(t) => Pixels::Float(turn(t, self.width)),
            Pixels::Bytes(t) => Pixels::Bytes(turn(t, self.width)),
        };
        Image { width: self.width, height: self.height, pixels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luts;

    #[test]
    fn byte_planes_hold_every_bit() {
        let lut = luts::wild(16);
        let planes = Image::planes(&lut, Layout::Vglb);
        assert_eq!((planes.width, planes.height), (256, 64));
        let Pixels::Bytes(bytes) = &planes.pixels else { panic!("bytes") };
        let (x, y) = (5 * 16 + 7, 3);
        let at = |plane: usize| bytes[(plane * 16 + y) * 256 + x];
        let red = f32::from_le_bytes([at(0)[0], at(1)[0], at(2)[0], at(3)[0]]);
        assert_eq!(red.to_bits(), lut.at([3, 7, 5])[0].to_bits());
        assert!(bytes.iter().all(|t| t[3] == 255));
    }
}
