use super::*;
use crate::lut::{GridSize, Lut3d};
use crate::strip;
use std::io::Cursor;

/// Exact in 16 bits, and in 8 where `max` is 255.
fn lut(n: u64, max: u16) -> Lut3d {
    Lut3d::from_fn(GridSize::new(n).unwrap(), |[r, g, b]| {
        [r * 977 + g, g * 1999 + b, b * 131 + 7 * r].map(|v| (v as u16 % max) as f32 / f32::from(max))
    })
}

fn written(format: PictureFormat, depth: Depth, frame: &Frame) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    write(format, depth, frame, &mut out).unwrap();
    out.into_inner()
}

#[test]
fn every_depth_keeps_what_it_holds_in_every_layout() {
    for (format, depth, max) in [
        (PictureFormat::Png, Depth::Eight, 255),
        (PictureFormat::Png, Depth::Sixteen, 65535),
        (PictureFormat::Tiff, Depth::Eight, 255),
        (PictureFormat::Tiff, Depth::Sixteen, 65535),
        (PictureFormat::Tiff, Depth::Float, 65535),
    ] {
        for layout in Layout::ALL {
            let lut = lut(16, max);
            let bytes = written(format, depth, &strip::from_lut(&lut, layout).unwrap());
            let back = read(format, Cursor::new(&bytes), layout).unwrap();
            assert!(strip::to_lut(&back, layout).unwrap() == lut, "{format:?} {depth} {layout}");
            // Without being told: a square image is a Hald CLUT.
            if matches!(layout, Layout::Vglb | Layout::HaldClut) {
                let back = read(format, Cursor::new(&bytes), None).unwrap();
                assert_eq!(back.shape.unwrap().layout(), layout);
            }
        }
    }
}

/// ImageMagick's `hald:2`: 8×8 pixels, red runs fastest.
#[test]
fn an_identity_hald_clut_is_the_identity() {
    let pixels = (0..64).flat_map(|p| [p % 4, p / 4 % 4, p / 16].map(|v| v as f32 / 3.0));
    let picture = Picture::rgb(8, 8, Samples::from_values(pixels, Depth::Sixteen)).unwrap();
    let mut out = Cursor::new(Vec::new());
    picture.write_to(PictureFormat::Png, &mut out, &()).unwrap();
    let frame = read(PictureFormat::Png, Cursor::new(out.into_inner()), None).unwrap();
    assert!(strip::to_lut(&frame, Layout::Vglb).unwrap() == Lut3d::identity(GridSize::new(4).unwrap()));
}

#[test]
fn float_tiff_keeps_every_bit_and_alpha_is_read() {
    let values = (0..256u32).map(|i| f32::from_bits(i.wrapping_mul(0x0101_6b43) & 0xbfff_ffff));
    let values: Vec<f32> = values.collect();
    let picture = Picture::rgba(16, 4, Samples::Float(values.clone())).unwrap();
    let mut out = Cursor::new(Vec::new());
    picture.write_to(PictureFormat::Tiff, &mut out, &()).unwrap();
    let frame = read(PictureFormat::Tiff, Cursor::new(out.into_inner()), Layout::Unreal).unwrap();
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    assert_eq!(frame.texels.as_flattened(), bytes);
}

#[test]
fn images_that_are_no_strip_are_refused_by_their_size() {
    let picture = |w: usize, h: usize| {
        let samples = Samples::from_values(std::iter::repeat_n(0.5, w * h * 3), Depth::Eight);
        let mut out = Cursor::new(Vec::new());
        Picture::rgb(w, h, samples).unwrap().write_to(PictureFormat::Png, &mut out, &()).unwrap();
        out.into_inner()
    };
    let why = |bytes: &[u8]| read(PictureFormat::Png, Cursor::new(bytes), None).unwrap_err().to_string();
    assert!(why(&picture(9, 9)).contains("an image of 9×9 is no hald-clut texture; a Hald CLUT is L³×L³"));
    assert!(why(&picture(17, 4)).contains("an image of 17×4 is no vglb texture; a strip is N²×N"));
    assert!(why(b"GIF89a").contains("it can't be read as PNG"));
    let whole = picture(16, 4);
    for end in 0..whole.len() {
        let _ = read(PictureFormat::Png, Cursor::new(&whole[..end]), None);
    }
    // A header that claims much: the pixels are not there.
    let mut claims = whole.clone();
    claims[16..24].copy_from_slice(&[0, 0, 64, 0, 0, 0, 0, 128]);
    let _ = why(&claims);
}
