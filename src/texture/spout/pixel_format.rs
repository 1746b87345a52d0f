//! The texel formats that Spout senders use, and their values as float32.
//!
//! Values are the stored ones: an integer of n bits is divided by 2ⁿ − 1, as Direct3D defines UNORM, and what an
//! `_SRGB` format says of their transfer function is not undone. Where a format has no alpha, alpha is 1.0.

use super::dxgi_names::dxgi_name;
use crate::hald::{Texel, texel};
use half::f16;

/// How DXGI numbers [`RGBA32F`](crate::texture::RGBA32F).
pub const DXGI_RGBA32F: u32 = 2;

/// A texel format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelFormat {
    /// Its usual name.
    pub name: &'static str,
    /// Bytes of a texel.
    pub bytes: usize,
    coding: Coding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Float32,
    Float16,
    Unorm16,
    Rgb10A2,
    Rgba8,
    Bgra8,
    Bgrx8,
}

impl PixelFormat {
    /// The format with this DXGI number, if it is one that can be read.
    pub fn from_dxgi(number: u32) -> Option<Self> {
        let (bytes, coding) = match number {
            DXGI_RGBA32F => (16, Coding::Float32),
            10 => (8, Coding::Float16),
            11 => (8, Coding::Unorm16),
            24 => (4, Coding::Rgb10A2),
            // Formats of 8 bits that leave the values' meaning open are used for UNORM.
            27..=29 => (4, Coding::Rgba8),
            87 | 90 | 91 => (4, Coding::Bgra8),
            88 | 92 | 93 => (4, Coding::Bgrx8),
            _ => return None,
        };
        Some(PixelFormat { name: dxgi_name(number)?, bytes, coding })
    }

    /// The name for a number in a sender's block, whether the format can be read or not. Senders that use Direct3D 9 put
    /// its numbers there, or 0.
    pub fn announced_name(number: u32) -> &'static str {
        match number {
            0 | 21 => "B8G8R8A8_UNORM",
            22 => "B8G8R8X8_UNORM",
            _ => dxgi_name(number).unwrap_or("unknown"),
        }
    }

    /// Appends a row's texels. Bytes behind the last whole texel are left out.
    pub fn append(self, row: &[u8], texels: &mut Vec<Texel>) {
        match self.coding {
            Coding::Float32 => texels.extend_from_slice(row.as_chunks::<16>().0),
            Coding::Float16 => texels.extend(row.as_chunks::<8>().0.iter().map(|t| rgba(shorts(t).map(half)))),
            Coding::Unorm16 => texels.extend(row.as_chunks::<8>().0.iter().map(|t| rgba(shorts(t).map(unorm16)))),
            Coding::Rgb10A2 => texels.extend(row.as_chunks::<4>().0.iter().map(|t| rgb10_a2(u32::from_le_bytes(*t)))),
            Coding::Rgba8 => texels.extend(row.as_chunks::<4>().0.iter().map(|t| rgba(t.map(unorm8)))),
            Coding::Bgra8 => texels.extend(row.as_chunks::<4>().0.iter().map(|[b, g, r, a]| {
                rgba([*r, *g, *b, *a].map(unorm8)) //
            })),
            Coding::Bgrx8 => texels.extend(row.as_chunks::<4>().0.iter().map(|[b, g, r, _]| {
                texel([*r, *g, *b].map(unorm8)) //
            })),
        }
    }
}

fn shorts(bytes: &[u8; 8]) -> [u16; 4] {
    [0, 2, 4, 6].map(|i| u16::from_le_bytes([bytes[i], bytes[i + 1]]))
}

fn half(bits: u16) -> f32 {
    f16::from_bits(bits).to_f32()
}

fn unorm16(value: u16) -> f32 {
    f32::from(value) / 65535.0
}

fn unorm8(value: u8) -> f32 {
    f32::from(value) / 255.0
}

fn rgb10_a2(bits: u32) -> Texel {
    let ten = |shift: u32| (bits >> shift & 0x3ff) as f32 / 1023.0;
    rgba([ten(0), ten(10), ten(20), (bits >> 30) as f32 / 3.0])
}

fn rgba([r, g, b, a]: [f32; 4]) -> Texel {
    let mut out = texel([r, g, b]);
    out[12..].copy_from_slice(&a.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(number: u32, row: &[u8]) -> Vec<[f32; 4]> {
        let format = PixelFormat::from_dxgi(number).unwrap();
        let mut texels = Vec::new();
        format.append(row, &mut texels);
        assert_eq!(texels.len(), row.len() / format.bytes);
        let value = |t: &Texel, i: usize| f32::from_le_bytes(*t[4 * i..].first_chunk().unwrap());
        texels.iter().map(|t| [0, 1, 2, 3].map(|i| value(t, i))).collect()
    }

    #[test]
    fn float32_keeps_every_bit() {
        let row: Vec<u8> = (0..=255).collect();
        let mut texels = Vec::new();
        PixelFormat::from_dxgi(2).unwrap().append(&row, &mut texels);
        assert_eq!(texels.as_flattened(), row);
    }

    #[test]
    fn integers_become_their_share_of_the_largest() {
        assert_eq!(read(28, &[0, 51, 255, 102]), [[0.0, 0.2, 1.0, 0.4]]);
        assert_eq!(read(29, &[0, 51, 255, 102]), [[0.0, 0.2, 1.0, 0.4]]);
        assert_eq!(read(87, &[0, 51, 255, 102]), [[1.0, 0.2, 0.0, 0.4]]);
        assert_eq!(read(88, &[0, 51, 255, 102]), [[1.0, 0.2, 0.0, 1.0]], "X is no alpha");
        assert_eq!(read(11, &[0, 0, 0xff, 0xff, 0x33, 0x33, 0x66, 0x66]), [[0.0, 1.0, 0.2, 0.4]]);
        for (unorm, open) in [(28, 27), (87, 90), (88, 92)] {
            assert_eq!(read(open, &[0, 51, 255, 102]), read(unorm, &[0, 51, 255, 102]), "{open}");
        }
        let packed = (1023u32 | 341 << 10 | 2 << 30).to_le_bytes();
        assert_eq!(read(24, &packed), [[1.0, 1.0 / 3.0, 0.0, 2.0 / 3.0]]);
    }

    #[test]
    fn half_floats_keep_their_value_and_sign() {
        let row = [0x00, 0x3c, 0x00, 0x80, 0x01, 0x00, 0xff, 0x7b];
        let got = read(10, &row)[0];
        assert_eq!(got, [1.0, -0.0, 2f32.powi(-24), 65504.0]);
        assert_eq!(got[1].to_bits(), 0x8000_0000);
    }

    #[test]
    fn a_format_is_named_even_where_it_cannot_be_read() {
        assert_eq!(PixelFormat::from_dxgi(98), None);
        assert_eq!(PixelFormat::announced_name(98), "BC7_UNORM");
        assert_eq!(PixelFormat::announced_name(1000), "unknown");
        assert_eq!(PixelFormat::announced_name(0), "B8G8R8A8_UNORM", "a Direct3D 9 sender");
        assert_eq!(PixelFormat::announced_name(2), "R32G32B32A32_FLOAT");
    }
}
