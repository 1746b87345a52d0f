//! Plain 8-bit images of LUT textures, for programs that can take nothing else. They hold 256 steps from 0 to 1 and
//! nothing beyond: a copy for looking at, or for hosts whose shader can't be changed.

use super::{Texel, rgb};

/// Bytes of a BGRA texel.
const BGRA_BYTES: usize = 4;

/// The nearest of the 256 steps from 0 to 1; below 0 the first, above 1 the last. Halves go up.
pub fn quantise(value: f32) -> u8 {
    // In float64 the product is exact, so that no value next to a half lands on the wrong side. `as` clamps, and
    // takes a NaN to 0.
    (f64::from(value) * 255.0).round() as u8
}

/// Writes `texels`, in rows of `width`, into a BGRA image whose rows begin `bytes_per_row` bytes apart. Alpha is 255.
///
/// # Panics
/// Where `texels` are no whole number of rows, or `image` does not hold the last row's end.
pub fn encode(width: usize, texels: &[Texel], image: &mut [u8], bytes_per_row: usize) {
    assert!(texels.len().is_multiple_of(width), "{} texels in rows of {width}", texels.len());
    for (y, row) in texels.chunks_exact(width).enumerate() {
        let out = &mut image[y * bytes_per_row..][..width * BGRA_BYTES];
        for (to, from) in out.as_chunks_mut::<BGRA_BYTES>().0.iter_mut().zip(row) {
            let [r, g, b] = rgb(from).map(quantise);
            *to = [b, g, r, 255];
        }
    }
}

/// Reads a BGRA image whose rows begin `bytes_per_row` bytes apart: byte v becomes v/255, alpha as well.
///
/// # Panics
/// Where `texels` are no whole number of rows, or `image` does not hold the last row's end.
pub fn decode(width: usize, image: &[u8], bytes_per_row: usize, texels: &mut [Texel]) {
    assert!(texels.len().is_multiple_of(width), "{} texels in rows of {width}", texels.len());
    for (y, row) in texels.chunks_exact_mut(width).enumerate() {
        let from = &image[y * bytes_per_row..][..width * BGRA_BYTES];
        for (to, [b, g, r, a]) in row.iter_mut().zip(from.as_chunks::<BGRA_BYTES>().0) {
            for (to, v) in to.as_chunks_mut::<4>().0.iter_mut().zip([r, g, b, a]) {
                *to = (f32::from(*v) / 255.0).to_le_bytes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hald::texel;

    #[test]
    fn values_are_rounded_to_the_nearest_step_and_clamped() {
        for step in 0..=255u8 {
            assert_eq!(quantise(f32::from(step) / 255.0), step);
            // The exact half-way point between two steps, (2·step + 1)/510, lies between two neighbouring floats.
            let half = ((2.0 * f64::from(step) + 1.0) / 510.0) as f32;
            let (below, above) = (half.next_down().next_down(), half.next_up().next_up());
            assert_eq!((quantise(below), quantise(above)), (step, step.saturating_add(1)), "{step}");
        }
        let beyond = [-0.0, -1e-40, -1e38, f32::MIN].map(quantise);
        assert_eq!(beyond, [0; 4]);
        assert_eq!([1.0000001, 2.0, 1e38, f32::MAX].map(quantise), [255; 4]);
    }

    #[test]
    fn channels_and_rows_are_where_they_belong() {
        let texels = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.2, 0.4, 0.6]].map(texel);
        let mut image = [9; 20];
        encode(2, &texels, &mut image, 12);
        assert_eq!(image[..8], [0, 0, 255, 255, 0, 255, 0, 255]);
        assert_eq!(image[8..12], [9; 4], "the bytes between rows stay as they were");
        assert_eq!(image[12..], [255, 0, 0, 255, 153, 102, 51, 255]);
        let mut back = [[0; 16]; 4];
        decode(2, &image, 12, &mut back);
        assert_eq!(back, texels);
    }
}
