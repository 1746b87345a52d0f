//! Files: what comes back from them, what is carried along, and what is refused.

use super::error::ContentError;
use super::*;
use crate::lut::{GridSize, Lut3d};
use ::exr::prelude::{
    AnyChannel, AnyChannels, AttributeValue, Compression, Encoding, FlatSamples, Image, Layer, LayerAttributes,
    SmallVec, Text, Vec2, WritableImage,
};
use half::f16;
use proptest::prelude::*;
use std::io::Cursor;
use std::sync::LazyLock;

fn value(i: usize) -> f32 {
    (i * 7919 % 1013) as f32 / 1012.0
}

fn picture(depth: Depth, channels: usize) -> Picture {
    let (width, height) = (37, 11);
    let samples = Samples::from_values((0..width * height * channels).map(value), depth);
    Picture::new(width, height, channels, samples, Rest::New).unwrap()
}

fn bits(samples: &Samples) -> Vec<u32> {
    match samples {
        Samples::Eight(v) => v.iter().map(|v| u32::from(*v)).collect(),
        Samples::Sixteen(v) => v.iter().map(|v| u32::from(*v)).collect(),
        Samples::Half(v) => v.iter().map(|v| u32::from(v.to_bits())).collect(),
        Samples::Float(v) => v.iter().map(|v| v.to_bits()).collect(),
    }
}

fn same(a: &Picture, b: &Picture) -> bool {
    (a.width, a.height, a.channels, a.samples.depth()) == (b.width, b.height, b.channels, b.samples.depth())
        && bits(&a.samples) == bits(&b.samples)
}

fn shift() -> Lut3d {
    Lut3d::from_fn(GridSize::new(5).unwrap(), |p| p.map(|i| i as f32 / 8.0 + 0.25))
}

/// Reads, grades and writes, as `vglb apply` does.
fn graded(path: &Path) -> Picture {
    let mut picture = Picture::read(path, &()).unwrap();
    Grade::new(&shift()).apply(&mut picture, &());
    let want = picture.clone();
    picture.write(path, Existing::Replace, &()).unwrap();
    let back = Picture::read(path, &()).unwrap();
    assert!(same(&back, &want), "what was graded is what is in the file");
    back
}

fn said<T: std::fmt::Debug>(result: Result<T, PictureError>) -> String {
    result.expect_err("it should be refused").to_string()
}

#[test]
fn every_format_gives_back_every_depth_it_holds_bit_by_bit() {
    let dir = tempfile::tempdir().unwrap();
    for (extension, format) in [
        ("exr", PictureFormat::Exr),
        ("png", PictureFormat::Png),
        ("tif", PictureFormat::Tiff),
        ("TIFF", PictureFormat::Tiff),
    ] {
        for depth in Depth::ALL {
            for channels in [3, 4] {
                let path = dir.path().join(format!("{}-{channels}.{extension}", depth.name()));
                let new = picture(depth, channels);
                if !format.depths().contains(&depth) {
                    let said = said(new.write(&path, Existing::Keep, &()));
                    assert!(said.contains(&format!("can't hold {depth} samples: {} holds ", format.name())), "{said}");
                    continue;
                }
                let bytes = new.clone().write(&path, Existing::Keep, &()).unwrap();
                assert_eq!(std::fs::metadata(&path).unwrap().len(), bytes);
                let back = Picture::read(&path, &()).unwrap();
                assert!(same(&back, &new), "{}", path.display());
                assert_eq!(back.format(), Some(format));
                // Once more from what was read, with all that the file says.
                let again = path.with_extension(format!("again.{extension}"));
                back.clone().write(&again, Existing::Keep, &()).unwrap();
                assert!(same(&Picture::read(&again, &()).unwrap(), &new));
            }
        }
    }
}

#[test]
fn floats_keep_their_odd_bits_in_exr_and_tiff() {
    let odd = [0x8000_0000, 1, 0x807f_ffff, 0x7f80_0000, 0xff80_0000, 0x7fc0_1234, 0x7e96_7699, 0x3f80_0001, 0];
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.exr", "a.tif"] {
        let path = dir.path().join(name);
        let new = Picture::rgb(3, 1, Samples::Float(odd.map(f32::from_bits).to_vec())).unwrap();
        new.write(&path, Existing::Keep, &()).unwrap();
        assert_eq!(bits(&Picture::read(&path, &()).unwrap().samples), odd, "{name}");
    }
}

/// One layer with what production files have: half colours, a float depth, an attribute, a crop window.
fn production_exr(path: &Path, compression: Compression) {
    let count = 8 * 4;
    let halves = |k: usize| FlatSamples::F16((0..count).map(|i| f16::from_f32(value(i * 3 + k))).collect());
    let list: SmallVec<[_; 4]> = [
        AnyChannel::new("R", halves(0)),
        AnyChannel::new("G", halves(1)),
        AnyChannel::new("B", halves(2)),
        AnyChannel::new("A", halves(9)),
        AnyChannel::new("Z", FlatSamples::F32((0..count).map(|i| 1e30 / (i + 1) as f32).collect())),
        AnyChannel::new("id", FlatSamples::U32((0..count as u32).collect())),
    ]
    .into_iter()
    .collect();
    let mut attributes = LayerAttributes { layer_position: Vec2(-3, 5), ..LayerAttributes::default() };
    attributes.other.insert(Text::from("slate"), AttributeValue::Text(Text::from("A001C004")));
    let encoding = Encoding { compression, ..Encoding::SMALL_LOSSLESS };
    let layer = Layer::new(Vec2(8, 4), attributes, encoding, AnyChannels::sort(list));
    Image::from_layer(layer).write().to_file(path).unwrap();
}

#[test]
fn an_exr_keeps_its_other_channels_and_attributes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    production_exr(&path, Compression::PIZ);
    let read = |path: &Path| ::exr::prelude::read_first_flat_layer_from_file(path).unwrap();
    let (before, picture) = (read(&path), Picture::read(&path, &()).unwrap());
    assert_eq!((picture.channels(), picture.samples().depth()), (4, Depth::Half));
    graded(&path);
    let after = read(&path);
    assert_eq!(after.attributes, before.attributes);
    assert_eq!(after.layer_data.attributes, before.layer_data.attributes);
    assert_eq!(after.layer_data.encoding, before.layer_data.encoding);
    for (a, b) in after.layer_data.channel_data.list.iter().zip(&before.layer_data.channel_data.list) {
        let colour = ["R", "G", "B"].iter().any(|name| a.name.eq(name));
        assert_eq!((&a.name, a.sampling, a.quantize_linearly), (&b.name, b.sampling, b.quantize_linearly));
        assert_eq!(a.sample_data == b.sample_data, !colour, "{}", a.name);
    }
}

#[test]
fn colours_that_were_compressed_with_loss_are_not_once_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    production_exr(&path, Compression::B44);
    graded(&path);
    let layer = ::exr::prelude::read_first_flat_layer_from_file(&path).unwrap().layer_data;
    assert_eq!(layer.encoding.compression, Compression::ZIP16);
}

fn exr_of(path: &Path, channels: &[(&str, FlatSamples)]) {
    let list: SmallVec<[_; 4]> = channels.iter().map(|(n, s)| AnyChannel::new(*n, s.clone())).collect();
    let size = Vec2(2, channels[0].1.len() / 2);
    let layer = Layer::new(size, LayerAttributes::default(), Encoding::UNCOMPRESSED, AnyChannels::sort(list));
    Image::from_layer(layer).write().to_file(path).unwrap();
}

#[test]
fn exr_channels_of_different_kinds_keep_their_kinds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    let half = FlatSamples::F16([0.0, 0.25, 0.5, 1.0].map(f16::from_f32).to_vec());
    let float = FlatSamples::F32(vec![0.1, 0.2, 0.3, 0.4]);
    exr_of(&path, &[("R", half.clone()), ("G", float.clone()), ("B", half), ("A", FlatSamples::U32(vec![7; 4]))]);
    let picture = Picture::read(&path, &()).unwrap();
    assert_eq!((picture.channels(), picture.samples().depth()), (3, Depth::Float));
    let mut picture = picture;
    Grade::new(&Lut3d::identity(GridSize::new(2).unwrap())).apply(&mut picture, &());
    picture.write(&path, Existing::Replace, &()).unwrap();
    let layer = ::exr::prelude::read_first_flat_layer_from_file(&path).unwrap().layer_data;
    let list = &layer.channel_data.list;
    assert_eq!(list[0].sample_data, FlatSamples::U32(vec![7; 4]), "alpha in whole numbers is carried along");
    assert!(matches!(&list[1].sample_data, FlatSamples::F16(_)) && matches!(&list[3].sample_data, FlatSamples::F16(_)));
    assert_eq!(list[2].sample_data, float);
}

#[test]
fn an_exr_without_colours_is_refused_with_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.exr");
    let float = || FlatSamples::F32(vec![0.5; 4]);
    exr_of(&path, &[("Y", float()), ("left.R", float())]);
    assert!(said(Picture::read(&path, &())).contains("it has no layer with channels R, G and B, but Y, left.R"));
    exr_of(&path, &[("R", float()), ("G", FlatSamples::U32(vec![1; 4])), ("B", float())]);
    assert!(said(Picture::read(&path, &())).contains("its channel G is whole numbers"));
}

fn png_file(
    path: &Path,
    colour: ::png::ColorType,
    depth: ::png::BitDepth,
    set: impl FnOnce(&mut ::png::Info<'static>),
) {
    let mut info = ::png::Info::with_size(2, 2);
    info.color_type = colour;
    info.bit_depth = depth;
    set(&mut info);
    let bytes = (info.raw_row_length() - 1) * info.height as usize;
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ::png::Encoder::with_info(file, info).unwrap().write_header().unwrap();
    writer.write_image_data(&vec![0; bytes]).unwrap();
}

#[test]
fn a_png_keeps_what_it_says_of_its_colours() {
    use ::png::text_metadata::TEXtChunk;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    png_file(&path, ::png::ColorType::Rgba, ::png::BitDepth::Sixteen, |info| {
        info.icc_profile = Some(b"a profile".to_vec().into());
        info.pixel_dims = Some(::png::PixelDimensions { xppu: 300, yppu: 200, unit: ::png::Unit::Meter });
        info.uncompressed_latin1_text.push(TEXtChunk::new("Comment", "slate A001"));
    });
    graded(&path);
    let decoder = ::png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&path).unwrap()));
    let reader = decoder.read_info().unwrap();
    let info = reader.info();
    assert_eq!(info.icc_profile.as_deref(), Some(&b"a profile"[..]));
    assert_eq!(info.pixel_dims.map(|d| (d.xppu, d.yppu)), Some((300, 200)));
    assert_eq!(info.uncompressed_latin1_text[0].text, "slate A001");
}

#[test]
fn pngs_that_cannot_stay_what_they_are_are_refused() {
    use ::png::{BitDepth, ColorType};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    png_file(&path, ColorType::Grayscale, BitDepth::Eight, |_| {});
    assert!(said(Picture::read(&path, &())).contains("it is grey; save it as RGB"));
    png_file(&path, ColorType::Indexed, BitDepth::Two, |info| info.palette = Some(vec![0; 12].into()));
    assert!(said(Picture::read(&path, &())).contains("its colours are a palette's; save it as RGB"));
    png_file(&path, ColorType::Rgb, BitDepth::Eight, |info| info.trns = Some(vec![0; 6].into()));
    assert!(said(Picture::read(&path, &())).contains("one of its colours stands for transparency"));
    std::fs::write(&path, b"GIF89a").unwrap();
    assert!(said(Picture::read(&path, &())).contains("a.png: it can't be read as PNG ("));
}

#[test]
fn a_tiff_keeps_what_it_says_of_its_samples() {
    use ::tiff::encoder::{Compression, TiffEncoder, colortype::RGBA16};
    use ::tiff::tags::Tag;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tif");
    let mut out = TiffEncoder::new(std::fs::File::create(&path).unwrap()).unwrap().with_compression(Compression::Lzw);
    let mut image = out.new_image::<RGBA16>(5, 3).unwrap();
    image.encoder().write_tag(Tag::ExtraSamples, &[1u16][..]).unwrap();
    image.encoder().write_tag(Tag::Orientation, 6u16).unwrap();
    image.encoder().write_tag(Tag::ImageDescription, "slate A001").unwrap();
    image.encoder().write_tag(Tag::IccProfile, &b"a profile"[..]).unwrap();
    image.write_data(&(0..60).map(|i| i * 1000).collect::<Vec<u16>>()).unwrap();
    drop(out);
    graded(&path);
    let mut decoder = ::tiff::decoder::Decoder::new(std::fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(decoder.get_tag_u16_vec(Tag::ExtraSamples).unwrap(), [1]);
    assert_eq!(decoder.get_tag_u32(Tag::Orientation).unwrap(), 6);
    assert_eq!(decoder.get_tag_ascii_string(Tag::ImageDescription).unwrap(), "slate A001");
    assert_eq!(decoder.get_tag_u8_vec(Tag::IccProfile).unwrap(), b"a profile");
    assert_eq!(decoder.get_tag_u32(Tag::Compression).unwrap(), 5);
}

#[test]
fn tiffs_that_cannot_stay_what_they_are_are_refused() {
    use ::tiff::encoder::{TiffEncoder, colortype};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tif");
    let encoder = || TiffEncoder::new(std::fs::File::create(&path).unwrap()).unwrap();
    encoder().write_image::<colortype::Gray8>(2, 2, &[0; 4]).unwrap();
    assert!(said(Picture::read(&path, &())).contains("its samples are Gray(8); a TIFF can have 8 or 16 bits"));
    encoder().write_image::<colortype::RGB32>(2, 2, &[0; 12]).unwrap();
    assert!(said(Picture::read(&path, &())).contains("its samples are numbers of another width"));
    let mut two = encoder();
    two.write_image::<colortype::RGB8>(2, 2, &[0; 12]).unwrap();
    two.write_image::<colortype::RGB8>(2, 2, &[0; 12]).unwrap();
    drop(two);
    assert!(said(Picture::read(&path, &())).contains("it holds several images"));
}

#[test]
fn a_picture_is_written_in_the_format_that_it_was_read_in() {
    let dir = tempfile::tempdir().unwrap();
    let (png, tif) = (dir.path().join("a.png"), dir.path().join("a.tif"));
    picture(Depth::Eight, 3).write(&png, Existing::Keep, &()).unwrap();
    let said = said(Picture::read(&png, &()).unwrap().write(&tif, Existing::Keep, &()));
    assert!(said.contains("a.tif would be TIFF, and the picture is PNG"), "{said}");
    assert!(!tif.exists());
}

#[test]
fn claims_of_huge_pictures_are_refused_before_memory_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    let mut info = ::png::Info::with_size(1 << 20, 1 << 20);
    info.color_type = ::png::ColorType::Rgba;
    let writer = ::png::Encoder::with_info(std::fs::File::create(&path).unwrap(), info).unwrap().write_header();
    drop(writer);
    let text = said(Picture::read(&path, &()));
    assert!(text.contains("a picture of 1048576×1048576 is too large") || text.contains("can't be read"), "{text}");
    assert!(matches!(ContentError::check_size(1 << 20, 1 << 20), Err(ContentError::TooLarge { .. })));
    assert!(ContentError::check_size(16384, 16384).is_ok());
}

static FILES: LazyLock<Vec<(&'static str, Vec<u8>)>> = LazyLock::new(|| {
    let mut files = Vec::new();
    for (name, depth) in [("exr", Depth::Half), ("png", Depth::Sixteen), ("tif", Depth::Float), ("tif", Depth::Eight)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(format!("a.{name}"));
        picture(depth, 4).write(&path, Existing::Keep, &()).unwrap();
        files.push((name, std::fs::read(path).unwrap()));
    }
    files
});

fn read_bytes(name: &str, bytes: Vec<u8>) -> Result<Picture, ContentError> {
    match name {
        "exr" => exr::read(Cursor::new(bytes), &()),
        "png" => png::read(Cursor::new(bytes), &()),
        _ => tiff::read(Cursor::new(bytes)),
    }
}

#[test]
fn files_that_end_early_are_refused() {
    for (name, bytes) in &*FILES {
        for end in [0, 3, 9, 40, bytes.len() / 2] {
            assert!(read_bytes(name, bytes[..end].to_vec()).is_err(), "{name} of {end} bytes");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is done to a good file, the readers answer.
    #[test]
    fn damaged_files_give_errors_and_no_panic(
        which in 0usize..4,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), any::<u8>()), 1..6),
    ) {
        let (name, mut bytes) = FILES[which].clone();
        for (at, in_header, with) in edits {
            let range = if in_header { bytes.len().min(400) } else { bytes.len() };
            bytes[at.index(range)] = with;
        }
        // The answer itself can be either: not every bit of a file matters.
        let _ = read_bytes(name, bytes).map(|_| ());
    }
}
