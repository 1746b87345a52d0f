//! `vglb apply` and `vglb pattern`, as a user runs them: what is in the files, what is said, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{Place, stderr, stdout};
use std::path::Path;
use std::process::Output;
use virtual_gpu_lut_box::hald::Layout;
use virtual_gpu_lut_box::lut::file::{self, WriteOptions};
use virtual_gpu_lut_box::lut::{GridSize, Lut3d};
use virtual_gpu_lut_box::picture::{Depth, Existing, Pattern, Picture, Samples};

/// One unit in the last place of 1.0.
const ULP: f64 = f32::EPSILON as f64;

fn grid(n: u64) -> GridSize {
    GridSize::new(n).unwrap()
}

/// A LUT that crosses its channels over and leaves [0, 1] on both sides.
fn crossing(n: u64) -> Lut3d {
    let last = (n - 1) as f32;
    Lut3d::from_fn(grid(n), |[r, g, b]| [1.5 * (b as f32 / last) - 0.25, r as f32 / last, 1.0 - g as f32 / last])
}

fn save(place: &Place, name: &str, lut: &Lut3d, layout: Layout) {
    let options = WriteOptions { layout, existing: Existing::Replace, ..WriteOptions::default() };
    file::write(&place.path().join(name), lut, &options).unwrap();
}

/// Runs the program in the place's folder, so that names of files are short.
fn run(place: &Place, words: &str) -> Output {
    place.command(&words.split(' ').collect::<Vec<_>>()).current_dir(place.path()).output().unwrap()
}

/// Runs it to a good end, and returns what it said.
fn ok(place: &Place, words: &str) -> String {
    let output = run(place, words);
    assert_eq!(stderr(&output), "", "{words}: no bar where stderr is no terminal, and no complaint");
    assert!(output.status.success(), "{words}");
    stdout(&output)
}

fn refused(place: &Place, words: &str) -> String {
    let output = run(place, words);
    assert_eq!(output.status.code(), Some(1), "{words}: {}", stderr(&output));
    stderr(&output)
}

fn floats(path: &Path) -> Vec<f32> {
    let picture = Picture::read(path, &()).unwrap();
    let Samples::Float(values) = picture.samples() else { panic!("{} is float32", path.display()) };
    values.clone()
}

#[test]
fn the_identity_gives_the_picture_back() {
    let place = Place::new();
    for n in [2, 16, 17, 33, 64, 65] {
        save(&place, "identity.cube", &Lut3d::identity(grid(n)), Layout::Vglb);
        ok(&place, &format!("pattern --out in.exr --grid-size {n} --force"));
        ok(&place, "apply in.exr --lut identity.cube --out out.exr --force");
        let (before, after) = (floats(&place.path().join("in.exr")), floats(&place.path().join("out.exr")));
        let pattern = Pattern::new(Pattern::DEFAULT_WIDTH, None, grid(n), Depth::Float).unwrap();
        let lattice = pattern.lattice_row() * 1920 * 3..(pattern.lattice_row() * 1920 + grid(n).entries()) * 3;
        for (i, (before, after)) in before.iter().zip(&after).enumerate() {
            let wanted = if before.is_nan() { 0.0 } else { before.clamp(0.0, 1.0) };
            let apart = (f64::from(*after) - f64::from(wanted)).abs();
            assert!(apart <= 2.0 * ULP, "N = {n}, sample {i}: {before} became {after}");
            if lattice.contains(&i) {
                assert_eq!(after.to_bits(), before.to_bits(), "N = {n}, lattice point {}", (i - lattice.start) / 3);
            }
        }
    }
}

#[test]
fn every_layout_and_file_format_of_a_lut_gives_the_same_bits() {
    let place = Place::new();
    let lut = crossing(16);
    ok(&place, "pattern --out in.exr --width 256 --height 256 --grid-size 16");
    save(&place, "lut.cube", &lut, Layout::Vglb);
    ok(&place, "apply in.exr --lut lut.cube --out want.exr");
    let want: Vec<u32> = floats(&place.path().join("want.exr")).iter().map(|v| v.to_bits()).collect();
    for layout in Layout::ALL {
        for name in ["lut.exr", "lut.npy"] {
            save(&place, name, &lut, layout);
            ok(&place, &format!("apply in.exr --lut {name} --layout {layout} --out got.exr --force"));
            let got = floats(&place.path().join("got.exr"));
            assert!(got.iter().map(|v| v.to_bits()).eq(want.iter().copied()), "{name} as {layout}");
        }
    }
}

#[test]
fn integer_pictures_keep_their_depth_and_come_out_rounded() {
    let place = Place::new();
    let lut = crossing(33);
    save(&place, "lut.cube", &lut, Layout::Vglb);
    for (name, depth) in [("a.png", "8"), ("b.png", "16"), ("c.tif", "8"), ("d.tiff", "16")] {
        ok(&place, &format!("pattern --out {name} --depth {depth} --width 640 --height 480"));
        let before = Picture::read(&place.path().join(name), &()).unwrap();
        let said = ok(&place, &format!("apply {name} --lut lut.cube --out out-{name}"));
        assert!(said.contains(&format!("wrote out-{name}: 640×480, {depth}-bit RGB ")), "{said}");
        let after = Picture::read(&place.path().join(format!("out-{name}")), &()).unwrap();
        assert_eq!(after.samples().depth().name(), depth);
        let most = if depth == "8" { 255.0f64 } else { 65535.0 };
        for i in 0..640 * 480 {
            let rgb = [0, 1, 2].map(|c| before.samples().value(3 * i + c));
            for (c, want) in lut.tetrahedral(rgb).into_iter().enumerate() {
                let got = f64::from(after.samples().value(3 * i + c)) * most;
                let apart = (got - f64::from(want).clamp(0.0, 1.0) * most).abs();
                assert!(apart <= 0.51, "{name}, pixel {i}: {got} for {want}");
            }
        }
    }
}

#[test]
fn a_pattern_is_the_same_every_time() {
    let place = Place::new();
    for name in ["a.exr", "a.png", "a.tif"] {
        let said = ok(&place, &format!("pattern --out {name}"));
        assert!(
            said.contains(&format!("wrote {name}: 1920×1080, ")) && said.contains("lattice points of grid size 33")
        );
        let first = std::fs::read(place.path().join(name)).unwrap();
        ok(&place, &format!("pattern --out {name} --force"));
        assert!(std::fs::read(place.path().join(name)).unwrap() == first, "{name}");
    }
}

#[test]
fn a_comparison_tells_the_largest_difference_and_its_place() {
    let place = Place::new();
    save(&place, "identity.cube", &Lut3d::identity(grid(2)), Layout::Vglb);
    ok(&place, "pattern --out a.png --depth 8 --width 64 --height 320 --grid-size 17");
    assert_eq!(
        ok(&place, "apply a.png --lut identity.cube --compare a.png"),
        "no difference from a.png in 20480 pixels\n"
    );
    let mut samples = match Picture::read(&place.path().join("a.png"), &()).unwrap().samples() {
        Samples::Eight(v) => v.clone(),
        other => panic!("{:?}", other.depth()),
    };
    // The field's first pixel of row 300 is (0, g, 1).
    samples[(300 * 64) * 3 + 2] = 204;
    let other = Picture::rgb(64, 320, Samples::Eight(samples)).unwrap();
    other.write(&place.path().join("b.png"), Existing::Keep, &()).unwrap();
    let said = ok(&place, "apply a.png --lut identity.cube --compare b.png");
    let want = "in B at x 0, y 300 (1 here, 0.8 there); 1 of 20480 pixels differ\n";
    assert!(said.starts_with("largest difference from b.png: 0.19") && said.ends_with(want), "{said}");
    assert!(run(&place, "apply a.png --lut identity.cube --compare b.png --tolerance 0.21").status.success());
    let output = run(&place, "apply a.png --lut identity.cube --compare b.png --tolerance 0.1");
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), ""));
}

#[test]
fn mix_shapers_and_interpolation_are_as_asked() {
    let place = Place::new();
    let lut = crossing(17);
    save(&place, "lut.cube", &lut, Layout::Vglb);
    let pixel = |words: &str| {
        let picture = Picture::rgb(1, 1, Samples::Float(vec![0.18, 0.4, 0.9])).unwrap();
        picture.write(&place.path().join("in.exr"), Existing::Replace, &()).unwrap();
        ok(&place, &format!("apply in.exr --lut lut.cube --out out.exr --force{words}"));
        floats(&place.path().join("out.exr"))
    };
    let near = |got: &[f32], want: [f64; 3]| {
        assert!(got.iter().zip(want).all(|(g, w)| (f64::from(*g) - w).abs() < 2e-6), "{got:?} {want:?}");
    };
    let graded = [1.5 * 0.9 - 0.25, 0.18, 0.6];
    near(&pixel(""), graded);
    near(&pixel(" --interpolation trilinear"), graded);
    assert_eq!(pixel(" --mix 0"), [0.18, 0.4, 0.9]);
    near(&pixel(" --mix 0.25"), [0.75 * 0.18 + 0.25 * 1.1, 0.75 * 0.4 + 0.25 * 0.18, 0.75 * 0.9 + 0.25 * 0.6]);
    let srgb = |v: f64| 1.055 * v.powf(1.0 / 2.4) - 0.055;
    near(&pixel(" --shaper-in srgb"), [1.5 * srgb(0.9) - 0.25, srgb(0.18), 1.0 - srgb(0.4)]);
    let coded = |v: f64| (v.log2() + 9.72) / 17.52;
    near(&pixel(" --shaper-in acescct"), [1.5 * coded(0.9) - 0.25, coded(0.18), 1.0 - coded(0.4)]);
    // 10,000 cd/m² is PQ's 1.0.
    near(&pixel(" --shaper-out pq --pq-nits 10000")[..0], graded);
}

#[test]
fn what_makes_no_sense_is_refused_and_leaves_nothing() {
    let place = Place::new();
    save(&place, "lut.cube", &crossing(5), Layout::Vglb);
    ok(&place, "pattern --out a.png --width 64 --height 140 --grid-size 2");
    std::fs::write(place.path().join("notes.txt"), "no LUT").unwrap();
    for (words, want) in [
        ("apply a.png --lut lut.cube --out b.tif", "b.tif would be TIFF, and the picture is PNG"),
        ("apply a.png --lut lut.cube --out a.png", "a.png is already there, and is replaced only with --force"),
        (
            "apply a.jpg --lut lut.cube --out b.jpg",
            "a.jpg has no extension that says its format; a picture can be .exr",
        ),
        ("apply none.png --lut lut.cube --out b.png", "none.png: "),
        ("apply a.png --lut none.cube --out b.png", "none.cube: "),
        ("apply a.png --lut notes.txt --out b.png", "notes.txt has no extension that says its format"),
        ("apply a.png --lut lut.cube --layout unity --out b.png", "--layout is about strips, and lut.cube is none"),
        ("apply a.png --lut lut.cube --compare lut.cube", "lut.cube has no extension that says its format; a picture"),
        ("pattern --out b.png --depth half", "b.png can't hold float16 samples: PNG holds 8-bit, 16-bit"),
        ("pattern --out b.exr --depth 8", "b.exr can't hold 8-bit samples: OpenEXR holds float16, float32"),
        ("pattern --out b.png --height 100", "a height of 100 is out of range"),
    ] {
        let said = refused(&place, words);
        assert!(said.contains(want), "{words}: {said}");
    }
    for words in [
        "apply a.png --lut lut.cube",
        "apply a.png --lut lut.cube --out b.png --mix 1.5",
        "apply a.png --lut lut.cube --out b.png --shaper-in log",
        "apply a.png --lut lut.cube --out b.png --tolerance 1",
        "pattern --out b.png --depth 12",
    ] {
        assert_eq!(run(&place, words).status.code(), Some(2), "{words}");
    }
    let mut names: Vec<_> =
        std::fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|n| n != "streams");
    names.sort();
    assert_eq!(names, ["a.png", "lut.cube", "notes.txt"]);
}
