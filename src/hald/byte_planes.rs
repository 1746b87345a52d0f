//! Byte planes: float32 images on a transport of 8-bit images, with every bit.
//!
//! An image of W×H float texels becomes one of W×4H BGRA texels. Plane p, 0 to 3, is its rows p·H to p·H + H − 1; it
//! holds byte p of each float, the least significant first, with R, G and B in the channels R, G and B:
//!
//! | byte | B | G | R | A |
//! | --- | --- | --- | --- | --- |
//! | texel (x, p·H + y) | byte p of B(x, y) | byte p of G(x, y) | byte p of R(x, y) | 255 |
//!
//! Alpha is 255, so that a program that multiplies by it changes nothing; the floats' own alpha is 1.0 and not carried.
//! A strip of grid size N becomes N²×4N: 1089×132 for 33, 4096×256 for 64, 16384×512 for 128.

use super::{Layout, Texel, TextureShape, rgb, texel};

/// How many planes there are: one for each byte of a float32.
pub const PLANES: usize = 4;

/// Bytes of a BGRA texel.
const BGRA_BYTES: usize = 4;

/// The byte planes of float images of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BytePlanes {
    width: usize,
    height: usize,
}

impl BytePlanes {
    /// The byte planes of a LUT's texture. They fit a texture as well, whatever the shape.
    pub fn new(shape: TextureShape) -> Self {
        BytePlanes { width: shape.width(), height: shape.height() }
    }

    /// The byte planes that an 8-bit image of `width`×`height` texels holds, if its size is that of a LUT's texture
    /// in four planes: N²×4N, or L³×4L³ for a Hald CLUT. No image is both a LUT's texture and byte planes.
    pub fn from_image(width: usize, height: usize) -> Option<Self> {
        let plane = height / PLANES;
        let is_lut = Layout::ALL.iter().any(|layout| TextureShape::from_dimensions(width, plane, *layout).is_ok());
        (is_lut && height.is_multiple_of(PLANES)).then_some(BytePlanes { width, height: plane })
    }

    /// Width of both images, in texels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height of the float image, in texels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Height of the 8-bit image, in texels.
    pub fn image_height(&self) -> usize {
        self.height * PLANES
    }

    /// Writes the bytes of `texels`, row by row, into an 8-bit image whose rows begin `bytes_per_row` bytes apart.
    ///
    /// # Panics
    /// Where `texels` are not width·height, or `image` does not hold the last row's end.
    pub fn encode(&self, texels: &[Texel], image: &mut [u8], bytes_per_row: usize) {
        assert_eq!(texels.len(), self.width * self.height, "a float image of {}×{}", self.width, self.height);
        let (plane_bytes, row_bytes) = (self.height * bytes_per_row, self.width * BGRA_BYTES);
        for (plane, shift) in (0..PLANES).map(|p| (p * plane_bytes, 8 * p as u32)) {
            for (y, row) in texels.chunks_exact(self.width).enumerate() {
                let out = &mut image[plane + y * bytes_per_row..][..row_bytes];
                for (to, from) in out.as_chunks_mut::<BGRA_BYTES>().0.iter_mut().zip(row) {
                    let [r, g, b] = rgb(from).map(|v| (v.to_bits() >> shift) as u8);
                    *to = [b, g, r, 255];
                }
            }
        }
    }

    /// Puts the floats of an 8-bit image together again; alpha becomes 1.0.
    ///
    /// # Panics
    /// Where `texels` are not width·height, or `image` does not hold the last row's end.
    pub fn decode(&self, image: &[u8], bytes_per_row: usize, texels: &mut [Texel]) {
        assert_eq!(texels.len(), self.width * self.height, "a float image of {}×{}", self.width, self.height);
        let row_bytes = self.width * BGRA_BYTES;
        for (y, row) in texels.chunks_exact_mut(self.width).enumerate() {
            let planes: [&[[u8; BGRA_BYTES]]; PLANES] =
                std::array::from_fn(|p| image[(p * self.height + y) * bytes_per_row..][..row_bytes].as_chunks().0);
            for (x, to) in row.iter_mut().enumerate() {
                *to = texel([2, 1, 0].map(|channel| f32::from_le_bytes(planes.map(|plane| plane[x][channel]))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hald::MAX_TEXTURE_SIDE;
    use crate::lut::GridSize;
    use proptest::prelude::*;

    fn shapes() -> impl Iterator<Item = TextureShape> {
        let sizes = (GridSize::MIN.get()..=GridSize::MAX.get()).map(|n| GridSize::new(n as u64).unwrap());
        sizes.flat_map(|n| Layout::ALL.map(|layout| TextureShape::new(n, layout))).flatten()
    }

    /// Every texel's lanes are random bits; about one in three is a special value.
    fn random_texels(count: usize, mut seed: u64) -> Vec<Texel> {
        const SPECIAL: [u32; 8] =
            [0, 0x8000_0000, 1, 0x807f_ffff, 0x0080_0000, 0x7f7f_ffff, 0xff7f_ffff, 1e38f32.to_bits()];
        let mut next = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 32) as u32
        };
        let mut lane = || if next() % 3 == 0 { SPECIAL[next() as usize % SPECIAL.len()] } else { next() };
        (0..count).map(|_| texel([lane(), lane(), lane()].map(f32::from_bits))).collect()
    }

    #[test]
    fn sizes_are_the_documented_ones_and_always_fit() {
        let strip = |n| BytePlanes::new(TextureShape::new(GridSize::new(n).unwrap(), Layout::Vglb).unwrap());
        let size = |n| (strip(n).width(), strip(n).image_height());
        assert_eq!([size(33), size(64), size(128)], [(1089, 132), (4096, 256), (16384, 512)]);
        assert!(shapes().all(|s| BytePlanes::new(s).image_height() <= MAX_TEXTURE_SIDE));
    }

    #[test]
    fn byte_planes_are_told_from_plain_textures_by_their_size() {
        for shape in shapes() {
            let planes = BytePlanes::new(shape);
            assert_eq!(BytePlanes::from_image(planes.width(), planes.image_height()), Some(planes), "{shape}");
            assert_eq!(BytePlanes::from_image(shape.width(), shape.height()), None, "{shape} is plain");
        }
        for (width, height) in [(1920, 1080), (0, 0), (4, 8 + 1), (1089, 133), (1089, 136), (16641, 516)] {
            assert_eq!(BytePlanes::from_image(width, height), None, "{width}×{height}");
        }
    }

    /// The formulas of this module's table, texel by texel, in an image with padded rows.
    #[test]
    fn each_byte_is_where_the_table_says() {
        let planes = BytePlanes { width: 9, height: 3 };
        let texels = random_texels(27, 7);
        let bytes_per_row = 9 * 4 + 28;
        let mut image = vec![0xaa; 12 * bytes_per_row];
        planes.encode(&texels, &mut image, bytes_per_row);
        for (p, y, x) in (0..4).flat_map(|p| (0..3).flat_map(move |y| (0..9).map(move |x| (p, y, x)))) {
            let at = (p * 3 + y) * bytes_per_row + 4 * x;
            let float = &texels[y * 9 + x];
            assert_eq!(image[at..at + 4], [float[8 + p], float[4 + p], float[p], 255], "plane {p}, ({x}, {y})");
        }
        let padding = image.chunks_exact(bytes_per_row).all(|row| row[36..].iter().all(|b| *b == 0xaa));
        assert!(padding, "the bytes between rows stay as they were");
    }

    #[test]
    fn every_bit_comes_back_at_every_grid_size() {
        // Each in its full width; whole ones where they are small, for every row is like the first two.
        for n in 2..=128 {
            let planes = BytePlanes { width: n * n, height: if n <= 17 || n == 33 { n } else { 2 } };
            let texels = random_texels(planes.width() * planes.height(), n as u64);
            let mut image = vec![0; planes.width() * 4 * planes.image_height()];
            planes.encode(&texels, &mut image, planes.width() * 4);
            let mut back = vec![[0; 16]; texels.len()];
            planes.decode(&image, planes.width() * 4, &mut back);
            assert!(back == texels, "{n}");
        }
    }

    proptest! {
        /// As the shaders do it: four 8-bit fetches, each scaled to 0…1 by the device and back by `round(c·255)`.
        #[test]
        fn normalised_fetches_give_the_bits(bits in any::<[u32; 3]>()) {
            let planes = BytePlanes { width: 1, height: 1 };
            let mut image = [0; 16];
            planes.encode(&[texel(bits.map(f32::from_bits))], &mut image, 4);
            let fetch = |p: usize, channel: usize| (f32::from(image[4 * p + channel]) / 255.0 * 255.0).round() as u32;
            let back = [2, 1, 0].map(|c| fetch(0, c) | fetch(1, c) << 8 | fetch(2, c) << 16 | fetch(3, c) << 24);
            prop_assert_eq!(back, bits);
        }
    }
}
