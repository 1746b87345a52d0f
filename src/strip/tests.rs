use super::*;
use crate::hald::Texel;
use crate::lut::GridSize;
use crate::picture::{Depth, PictureFormat};
use ::exr::prelude::{
    AnyChannel, AnyChannels, Encoding, FlatSamples, Image, LayerAttributes, SmallVec, Text, Vec2, WritableImage, f16,
};
use proptest::prelude::*;
use std::io::Cursor;

fn grid(n: u64) -> GridSize {
    GridSize::new(n).unwrap()
}

/// A frame of random bit patterns: NaN payloads, subnormals and −0.0 among them, alpha as random as the rest.
fn patterns(size: u64, layout: Layout) -> Frame {
    let shape = TextureShape::new(grid(size), layout).unwrap();
    let mut seed = size;
    let mut next = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 32) as u32
    };
    let special = [0x8000_0000, 0x0000_0001, 0x807f_ffff, 0x7f7f_ffff, 0x7f80_0000, 0x7f80_0001, 0xffc1_2345];
    let texels = (0..shape.texels())
        .map(|i| {
            let mut t: Texel = [0; 16];
            for (lane, to) in t.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                *to = special.get((i + lane) % 20).copied().unwrap_or_else(&mut next).to_le_bytes();
            }
            t
        })
        .collect();
    Frame {
        width: shape.width(),
        height: shape.height(),
        shape: Some(shape),
        format: RGBA32F,
        texels,
        ..Frame::default()
    }
}

fn exr_bytes(frame: &Frame) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    exr::write(frame, &mut out).unwrap();
    out.into_inner()
}

fn npy_bytes(frame: &Frame) -> Vec<u8> {
    let mut out = Vec::new();
    npy::write(frame, &mut out).unwrap();
    out
}

/// An array with this header text and data, as version 1.0 of the format.
fn npy_file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

fn npy_header(descr: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

fn read_strip(bytes: &[u8], layout: Layout) -> Frame {
    match npy::read(bytes, layout).unwrap() {
        npy::Array::Strip(frame) => frame,
        npy::Array::Lut(lut) => panic!("{lut:?}"),
    }
}

fn why<T: std::fmt::Debug>(result: Result<T, StripError>) -> String {
    result.expect_err("it should be refused").to_string()
}

#[test]
fn exr_and_npy_keep_every_bit() {
    for layout in Layout::ALL {
        for size in [4, 9, 16] {
            let frame = patterns(size, layout);
            assert_eq!(exr::read(Cursor::new(exr_bytes(&frame)), layout).unwrap(), frame);
            assert_eq!(read_strip(&npy_bytes(&frame), layout), frame);
        }
    }
    let frame = patterns(33, Layout::Vglb);
    assert_eq!(exr::read(Cursor::new(exr_bytes(&frame)), Layout::Vglb).unwrap(), frame);
    assert_eq!(read_strip(&npy_bytes(&frame), Layout::Vglb), frame);
}

#[test]
fn a_lut_survives_its_frame_in_every_layout() {
    let lut = Lut3d::from_fn(grid(16), |[r, g, b]| [r as f32, -(g as f32), b as f32 * 1e30]);
    for layout in Layout::ALL {
        let frame = from_lut(&lut, layout).unwrap();
        assert!(to_lut(&frame, Layout::Vglb).unwrap() == lut, "the frame says that it is {layout}");
        let nameless = Frame { shape: None, ..frame };
        assert!(to_lut(&nameless, layout).unwrap() == lut);
    }
    let frame = from_lut(&lut, Layout::Vglb).unwrap();
    // b·N + g across, r down.
    assert_eq!(crate::hald::rgb(&frame.texels[5 * 256 + 7 * 16 + 3]), [5.0, -3.0, 7e30]);
    assert!(why(from_lut(&Lut3d::identity(grid(129)), Layout::Vglb).map_err(StripError::from)).contains("N ≤ 128"));
}

#[test]
fn frames_that_contradict_themselves_are_refused() {
    let good = patterns(4, Layout::Vglb);
    for (width, height) in [(15, 4), (0, 0), (usize::MAX, 2), (4, 4)] {
        let frame = Frame { width, height, ..good.clone() };
        let want = format!("a frame of {width}×{height} holds 64 texels");
        assert_eq!(why(exr::write(&frame, Cursor::new(Vec::new()))), want);
        assert_eq!(why(npy::write(&frame, Vec::new())), want);
        assert_eq!(why(image::write(PictureFormat::Png, Depth::Eight, &frame, Cursor::new(Vec::new()))), want);
        assert_eq!(why(to_lut(&frame, Layout::Vglb)), want);
    }
}

fn exr_of(width: usize, channels: &[(&str, FlatSamples)]) -> Vec<u8> {
    let list: SmallVec<[_; 4]> =
        channels.iter().map(|(name, samples)| AnyChannel::new(*name, samples.clone())).collect();
    let height = channels[0].1.len() / width;
    let layer = ::exr::prelude::Layer::new(
        Vec2(width, height),
        LayerAttributes::default(),
        Encoding::UNCOMPRESSED,
        AnyChannels::sort(list),
    );
    let mut out = Cursor::new(Vec::new());
    Image::from_layer(layer).write().non_parallel().to_buffered(&mut out).unwrap();
    out.into_inner()
}

fn floats(values: impl Fn(usize) -> f32) -> FlatSamples {
    FlatSamples::F32((0..8).map(values).collect())
}

#[test]
fn an_exr_of_half_floats_without_alpha_is_read() {
    let half = |values: fn(usize) -> f32| FlatSamples::F16((0..8).map(|i| f16::from_f32(values(i))).collect());
    let file = exr_of(
        4,
        &[
            ("R", half(|i| i as f32 / 8.0)),
            ("G", half(|_| 6.1035156e-5)),
            ("B", half(|_| -65504.0)),
            ("Z", half(|_| 9.0)),
        ],
    );
    let frame = exr::read(Cursor::new(file), Layout::Vglb).unwrap();
    assert_eq!((frame.width, frame.height), (4, 2));
    for (i, t) in frame.texels.iter().enumerate() {
        assert_eq!(*t, crate::hald::texel([i as f32 / 8.0, 6.1035156e-5, -65504.0]));
    }
}

#[test]
fn an_exr_that_is_no_strip_is_refused() {
    let f = || floats(|i| i as f32);
    let read = |file: Vec<u8>| why(exr::read(Cursor::new(file), Layout::Vglb));
    assert_eq!(
        read(exr_of(4, &[("Y", f()), ("left.R", f())])),
        "it has no image with channels R, G and B; it has Y, left.R"
    );
    assert_eq!(
        read(exr_of(2, &[("R", f()), ("G", f()), ("B", f())])),
        "an image of 2×4 is no vglb texture; a strip is N²×N (256×16, 1089×33, 4096×64, …)"
    );
    let whole = FlatSamples::U32(vec![1; 8]);
    assert!(read(exr_of(4, &[("R", f()), ("G", whole), ("B", f())])).starts_with("its channel G holds whole numbers"));
    assert!(read(b"PK\x03\x04 no image".to_vec()).starts_with("it can't be read as OpenEXR ("));
    let frame = patterns(9, Layout::Vglb);
    let bytes = exr_bytes(&frame);
    for end in [0, 4, 100, bytes.len() / 2, bytes.len() - 1] {
        read(bytes[..end].to_vec());
    }
}

/// The header of an image of 2 billion texels, with nothing behind it.
#[test]
fn an_exr_that_claims_to_be_huge_is_refused_before_memory_is_taken() {
    let mut bytes = exr_bytes(&patterns(4, Layout::Vglb));
    let window: Vec<u8> = [0i32, 0, 15, 3].iter().flat_map(|v| v.to_le_bytes()).collect();
    let huge: Vec<u8> = [0i32, 0, 49_999, 39_999].iter().flat_map(|v| v.to_le_bytes()).collect();
    let places: Vec<_> = (0..bytes.len() - 16).filter(|i| bytes[*i..*i + 16] == window).collect();
    assert_eq!(places.len(), 2, "data window and display window");
    for at in places {
        bytes[at..at + 16].copy_from_slice(&huge);
    }
    let chunks = b"chunkCount\0int\0\x04\0\0\0";
    let at = bytes.windows(chunks.len()).position(|w| w == chunks).unwrap() + chunks.len();
    bytes[at..at + 4].copy_from_slice(&(40_000i32 / 16).to_le_bytes());
    let said = why(exr::read(Cursor::new(bytes), Layout::Vglb));
    assert!(said.starts_with("an image of 50000×40000 is no vglb texture"), "{said}");
}

#[test]
fn an_exr_says_what_it_holds() {
    let bytes = exr_bytes(&patterns(4, Layout::Unity));
    let image = ::exr::prelude::read_first_flat_layer_from_file;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let layer = image(file.path()).unwrap().layer_data;
    let names: Vec<_> = layer.channel_data.list.iter().map(|c| c.name.to_string()).collect();
    assert_eq!(names, ["A", "B", "G", "R"]);
    assert_eq!(layer.attributes.comments, Some(Text::from("3D LUT of grid size 4, layout unity, 16x4")));
}

#[test]
fn an_array_of_three_components_gets_alpha() {
    let data: Vec<u8> = (0..8 * 3).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let frame = read_strip(&npy_file(&npy_header("<f4", "False", "(2, 4, 3)"), &data), Layout::Vglb);
    for (i, t) in frame.texels.iter().enumerate() {
        assert_eq!(*t, crate::hald::texel([3 * i, 3 * i + 1, 3 * i + 2].map(|v| v as f32)));
    }
}

#[test]
fn an_array_of_four_axes_is_a_lut_indexed_by_red_green_blue() {
    let want = Lut3d::from_fn(grid(3), |[r, g, b]| [r as f32, g as f32 + 0.5, -(b as f32)]);
    let lut = |file: &[u8]| match npy::read(file, Layout::Vglb).unwrap() {
        npy::Array::Lut(lut) => lut,
        npy::Array::Strip(frame) => panic!("{frame:?}"),
    };
    let (mut c_order, mut fortran_order) = (Vec::new(), Vec::new());
    for r in 0..3 {
        for g in 0..3 {
            for b in 0..3 {
                want.at([r, g, b]).iter().for_each(|v| c_order.extend(v.to_le_bytes()));
            }
        }
    }
    for c in 0..3 {
        for b in 0..3 {
            for g in 0..3 {
                for r in 0..3 {
                    fortran_order.extend(f64::from(want.at([r, g, b])[c]).to_be_bytes());
                }
            }
        }
    }
    assert!(lut(&npy_file(&npy_header("<f4", "False", "(3, 3, 3, 3)"), &c_order)) == want);
    assert!(lut(&npy_file(&npy_header(">f8", "True", "(3, 3, 3, 3)"), &fortran_order)) == want);
}

#[test]
fn every_kind_of_number_is_read() {
    let values = [0.5f32, -0.0, 1e-45, 3e38, 1.0, 2.0, 3.0, 4.0];
    let four = |i: usize| [values[i], -values[i], 0.25, 1.0];
    let each = |to: fn(f32) -> Vec<u8>| (0..8).flat_map(four).flat_map(to).collect::<Vec<u8>>();
    for (descr, data) in [
        ("<f4", each(|v| v.to_le_bytes().to_vec())),
        (">f4", each(|v| v.to_be_bytes().to_vec())),
        ("<f8", each(|v| f64::from(v).to_le_bytes().to_vec())),
        (">f8", each(|v| f64::from(v).to_be_bytes().to_vec())),
    ] {
        let frame = read_strip(&npy_file(&npy_header(descr, "False", "(2, 4, 4)"), &data), Layout::Vglb);
        for (i, t) in frame.texels.iter().enumerate() {
            let want: Vec<u8> = four(i).iter().flat_map(|v| v.to_le_bytes()).collect();
            assert_eq!(t.as_slice(), want, "{descr}");
        }
    }
    // float64 is rounded, not cut.
    let data = 0.1f64.to_le_bytes().repeat(32);
    let frame = read_strip(&npy_file(&npy_header("<f8", "False", "(2, 4, 4)"), &data), Layout::Vglb);
    assert_eq!(crate::hald::rgb(&frame.texels[0]), [0.1; 3]);
}

#[test]
fn later_versions_of_the_npy_format_are_read() {
    let frame = patterns(2, Layout::Vglb);
    let header = npy_header("<f4", "False", "(2, 4, 4)");
    for major in [2, 3] {
        let mut file = b"\x93NUMPY".to_vec();
        file.extend([major, 0]);
        file.extend((header.len() as u32).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(frame.texels.as_flattened());
        assert_eq!(read_strip(&file, Layout::Vglb), frame);
    }
}

#[test]
fn arrays_that_are_no_strip_and_no_lut_are_refused() {
    let read = |file: &[u8]| why(npy::read(file, Layout::Vglb));
    let of_shape = |shape| read(&npy_file(&npy_header("<f4", "False", shape), &[]));
    for shape in ["()", "(64,)", "(2, 4)", "(2, 4, 1)", "(2, 4, 5)", "(2, 3, 2, 3)", "(3, 3, 3, 4)", "(1, 2, 3, 4, 5)"]
    {
        assert_eq!(
            of_shape(shape),
            format!("its shape is {shape}; a strip is (height, width, 4) or (height, width, 3), a LUT is (N, N, N, 3)")
        );
    }
    assert!(of_shape("(33, 1088, 4)").starts_with("an image of 1088×33 is no vglb texture"));
    assert!(of_shape("(257, 257, 257, 3)").starts_with("grid size 257 is out of range"));
    assert!(of_shape("(1, 1, 1, 3)").starts_with("grid size 1 is out of range"));
    assert_eq!(of_shape("(2, 4, 4)"), "it ends after 0 of the array's 128 bytes");
    assert_eq!(of_shape("(256, 256, 256, 3)"), "it ends after 0 of the array's 201326592 bytes");
    let claims = format!("({0}, {0}, {0}, 3)", u64::MAX);
    assert!(of_shape(&claims).starts_with("grid size 18446744073709551615 is out of range"), "{}", of_shape(&claims));
    assert!(of_shape(&format!("({0}, {0}, 4)", u64::MAX)).contains("is no vglb texture"));

    assert_eq!(
        read(&npy_file(&npy_header("<i4", "False", "(2, 4, 4)"), &[0; 128])),
        "its numbers are \"<i4\"; it must be an array of float32 (or float64): save it as array.astype(numpy.float32)"
    );
    assert!(read(b"").contains("it is no .npy file"));
    assert!(read(b"\x93NUMPX\x01\x00").contains("it is no .npy file"));
    assert!(read(b"\x93NUMPY\x04\x00\0\0").contains("it is version 4.0 of the .npy format"));
    assert!(read(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").contains("its header has 4294967295 bytes"));
    let bytes = npy_bytes(&patterns(4, Layout::Vglb));
    for end in [7, 9, 11, 60, 128, bytes.len() - 1] {
        read(&bytes[..end]);
    }
}

#[test]
fn whole_numbers_are_clamped_and_rounded() {
    let row = [-1.0, -0.0, 0.0, 0.4 / 255.0, 0.6 / 255.0, 0.5, 254.4 / 255.0, 254.6 / 255.0, 1.0, 7.5, f32::INFINITY];
    let mut frame = patterns(3, Layout::Vglb);
    let wanted = [0, 0, 0, 0, 1, 128, 254, 255, 255, 255, 255];
    for (i, t) in frame.texels.iter_mut().enumerate() {
        *t = crate::hald::texel([row[i % 11], f32::NAN, row[(i + 1) % 11]]);
    }
    let mut bytes = Vec::new();
    image::write(PictureFormat::Png, Depth::Eight, &frame, Cursor::new(&mut bytes)).unwrap();

    let mut reader = ::png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), (9, 3));
    assert_eq!((info.color_type, info.bit_depth), (::png::ColorType::Rgb, ::png::BitDepth::Eight));
    for (i, pixel) in pixels.chunks_exact(3).enumerate() {
        assert_eq!(pixel, [wanted[i % 11], 0, wanted[(i + 1) % 11]], "texel {i}");
    }
}

/// One byte of anything, or the bytes of an integer that sizes and offsets do not expect.
fn damage() -> impl Strategy<Value = Vec<u8>> {
    let integers = prop::sample::select(vec![i32::MIN, i32::MAX, -1, 0, 1 << 30, 1 << 24, 65536]);
    prop_oneof![any::<u8>().prop_map(|b| vec![b]), integers.prop_map(|i| i.to_le_bytes().to_vec())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is done to a good file, the readers answer.
    #[test]
    fn damaged_files_give_errors_and_no_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), damage()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let frame = patterns(4, Layout::Vglb);
        for (name, good) in [("exr", exr_bytes(&frame)), ("npy", npy_bytes(&frame))] {
            let mut bytes = good;
            for (at, in_header, with) in &edits {
                let range = if *in_header { bytes.len().min(700) } else { bytes.len() };
                let at = at.index(range);
                bytes.iter_mut().skip(at).zip(with).for_each(|(to, with)| *to = *with);
            }
            if let Some(cut) = &cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            // The answer itself can be either: not every bit of a file matters.
            let _ = match name {
                "exr" => exr::read(Cursor::new(bytes), Layout::Vglb).map(|_| ()),
                _ => npy::read(&bytes[..], Layout::Vglb).map(|_| ()),
            };
        }
    }
}
