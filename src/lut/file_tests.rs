use super::*;
use crate::hald::TextureShape;
use crate::lut::GridSize;
use crate::texture::Frame;
use std::fs;

fn grid(n: u64) -> GridSize {
    GridSize::new(n).unwrap()
}

/// Random finite bit patterns.
fn patterns(n: u64) -> Lut3d {
    let mut seed = n;
    Lut3d::from_fn(grid(n), |_| {
        std::array::from_fn(|_| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let bits = (seed >> 32) as u32;
            let v = f32::from_bits(if seed.is_multiple_of(7) { bits & 0x807f_ffff } else { bits });
            if v.is_finite() { v } else { -0.0 }
        })
    })
}

fn bits(lut: &Lut3d) -> Vec<u32> {
    lut.entries().iter().flatten().map(|v| v.to_bits()).collect()
}

fn why<T: std::fmt::Debug>(result: Result<T, FileError>) -> String {
    result.expect_err("it should be refused").to_string()
}

#[test]
fn every_format_that_is_read_keeps_every_bit_in_every_layout() {
    let dir = tempfile::tempdir().unwrap();
    for layout in Layout::ALL {
        for n in [4, 16, 25] {
            let lut = patterns(n);
            for (i, extension) in ["cube", "exr", "npy", "CUBE", "Exr"].into_iter().enumerate() {
                // Names that differ even where case makes no difference.
                let path = dir.path().join(format!("{layout}-{n}-{i}.{extension}"));
                write(&path, &lut, &WriteOptions { layout, ..WriteOptions::default() }).unwrap();
                let back = read(&path, &ReadOptions { layout: Some(layout), ..ReadOptions::default() }).unwrap();
                assert_eq!(bits(&back.lut), bits(&lut), "{}", path.display());
            }
        }
    }
}

#[test]
fn what_was_written_is_said() {
    let dir = tempfile::tempdir().unwrap();
    for (name, layout, want) in [
        ("a.cube", Layout::Vglb, "grid size 4, .cube text, "),
        ("a.exr", Layout::Vglb, "grid size 4, 16×4 vglb, float32 OpenEXR, "),
        ("a.npy", Layout::HaldClut, "grid size 4, 8×8 hald-clut, float32 NumPy array, "),
        ("a.png", Layout::Unity, "grid size 4, 16×4 unity, PNG of 16 bits, 142 values clamped to 0–1, "),
    ] {
        let path = dir.path().join(name);
        let written = write(&path, &patterns(4), &WriteOptions { layout, ..WriteOptions::default() }).unwrap();
        assert_eq!(written.to_string(), format!("{want}{} bytes", fs::metadata(&path).unwrap().len()));
    }
}

#[test]
fn a_received_frame_is_saved_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let lut = patterns(9);
    let mut frame = strip::from_lut(&lut, Layout::Unreal).unwrap();
    frame.texels[3][12..].copy_from_slice(&f32::NAN.to_le_bytes());
    frame.revision = 12;
    let default = WriteOptions::default();

    let cube = dir.path().join("f.cube");
    let written = write_frame(&cube, &frame, &default).unwrap();
    assert_eq!(written.size, Some(grid(9)));
    assert_eq!(bits(&read(&cube, &ReadOptions::default()).unwrap().lut), bits(&lut));

    let exr = dir.path().join("f.exr");
    let written = write_frame(&exr, &frame, &default).unwrap();
    assert_eq!((written.dimensions, written.layout), (Some([81, 9]), Some(Layout::Unreal)));
    let back = strip::exr::read(BufReader::new(File::open(&exr).unwrap()), Layout::Unreal).unwrap();
    assert_eq!(back.texels, frame.texels);

    // A transport that tells no shape: the layout comes from the options.
    let nameless = Frame { shape: None, ..frame };
    let options = WriteOptions { layout: Layout::Unreal, existing: Existing::Replace, ..default };
    write_frame(&cube, &nameless, &options).unwrap();
    assert_eq!(bits(&read(&cube, &ReadOptions::default()).unwrap().lut), bits(&lut));
    let written = write_frame(&exr, &nameless, &options).unwrap();
    assert!(written.to_string().starts_with("81×9, float32 OpenEXR, "), "{written}");
    let odd = Frame { width: 3, height: 243, ..nameless };
    assert!(why(write_frame(&cube, &odd, &options)).contains("an image of 3×243 is no unreal texture"));
}

#[test]
fn titles_and_comments_go_through_a_cube() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.cube");
    let options =
        WriteOptions { title: Some("Look 3".into()), comments: vec!["by hand".into()], ..WriteOptions::default() };
    write(&path, &patterns(2), &options).unwrap();
    let back = read(&path, &ReadOptions::default()).unwrap();
    assert_eq!((back.title, back.comments, back.notes), (options.title, options.comments, vec![]));
}

#[test]
fn video_ranges_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.cube");
    fs::write(&path, format!("LUT_OUT_VIDEO_RANGE\nLUT_3D_SIZE 2\n{}", "0 0 0\n".repeat(8))).unwrap();
    let notes = read(&path, &ReadOptions::default()).unwrap().notes;
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("LUT_OUT_VIDEO_RANGE: it is made for output in legal range"), "{notes:?}");
}

#[test]
fn baking_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shaper.cube");
    fs::write(&path, "LUT_1D_SIZE 2\n0 0 0\n2 2 2\n").unwrap();
    let said = why(read(&path, &ReadOptions::default()));
    assert!(said.starts_with(&format!("{}: it is a 1D LUT of 2 entries", path.display())), "{said}");
    assert!(said.contains("pass --bake"), "{said}");
    let bake = Bake::Yes { size: Some(grid(5)) };
    let lut = read(&path, &ReadOptions { bake, ..ReadOptions::default() }).unwrap().lut;
    assert_eq!((lut.size(), lut.at([4, 2, 1])), (grid(5), [2.0, 1.0, 0.5]));

    // With a size, a strip is evaluated at that size too.
    let path = dir.path().join("strip.exr");
    write(&path, &Lut3d::identity(grid(3)), &WriteOptions::default()).unwrap();
    assert!(read(&path, &ReadOptions { bake, ..ReadOptions::default() }).unwrap().lut == Lut3d::identity(grid(5)));
}

#[test]
fn files_that_hold_no_lut_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let read = |name: &str| why(read(&at(name), &ReadOptions::default()));

    for name in ["a", "a.txt", "a.cube.gz", ".cube"] {
        assert!(read(name).contains(&format!("{name} has no extension that says its format; it can be .cube, ")));
    }
    for name in ["none.cube", "none.exr", "none.npy", "none.png", "none.clf", "none.cc"] {
        assert!(read(name).starts_with(&format!("{}: ", at(name).display())), "{}", read(name));
    }
    let mut frame = strip::from_lut(&patterns(4), Layout::Vglb).unwrap();
    let shape = TextureShape::new(grid(4), Layout::Vglb).unwrap();
    frame.texels[shape.texel([1, 2, 3])] = crate::hald::texel([0.0, f32::INFINITY, 0.0]);
    for name in ["bad.exr", "bad.npy"] {
        write_frame(&at(name), &frame, &WriteOptions::default()).unwrap();
        let said = read(name);
        assert!(said.contains("1 of the LUT's entries is NaN or infinite, the first at r=1, g=2, b=3"), "{said}");
    }
    let said = why(write_frame(&at("bad.cube"), &frame, &WriteOptions::default()));
    assert!(said.contains("bad.cube: 1 of the LUT's entries is NaN or infinite"), "{said}");
    assert!(!at("bad.cube").exists());
}

#[test]
fn a_lut_that_has_no_strip_is_refused_and_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    for (layout, n, want) in [(Layout::HaldClut, 33, "is not"), (Layout::Vglb, 129, "a strip holds N ≤ 128")] {
        let options = WriteOptions { layout, ..WriteOptions::default() };
        let said = why(write(&dir.path().join("a.exr"), &Lut3d::identity(grid(n)), &options));
        assert!(said.contains("a.exr: ") && said.contains(want), "{said}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
