//! `vglb convert`: what arrives in the output, what is said about it, and what is refused.

#![allow(clippy::unwrap_used)]

use clap::Parser;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use virtual_gpu_lut_box::cli::convert::{Convert, Converted, convert};
use virtual_gpu_lut_box::lut::cube::CubeFile;
use virtual_gpu_lut_box::lut::file::{self, ReadOptions};
use virtual_gpu_lut_box::lut::{Bake, GridSize, Lut3d};

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    convert: Convert,
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Runs `convert`, with the first two words as names of files in this place.
    fn convert(&self, words: &str) -> Result<Converted, String> {
        let words = words.split(' ').enumerate().map(|(i, word)| match i {
            0 | 1 => self.path(word).into_os_string(),
            _ => word.into(),
        });
        let command =
            Command::try_parse_from(std::iter::once("convert".into()).chain(words)).map_err(|e| e.to_string())?;
        convert(&command.convert).map_err(|e| e.to_string())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn cube(path: &Path) -> Lut3d {
    CubeFile::read(path).unwrap().tables.into_lut(Bake::No).unwrap()
}

fn bits(lut: &Lut3d) -> Vec<u32> {
    lut.entries().iter().flatten().map(|v| v.to_bits()).collect()
}

/// A .cube of grid size 4 whose values are as awkward as float32 gets.
const AWKWARD: [&str; 6] = ["-0.0", "1e-45", "-1.1754942e-38", "3.4028235e38", "0.1", "-7.25"];

fn awkward() -> String {
    let rows: String = (0..64).map(|i| format!("{} {} {i}\n", AWKWARD[i % 6], AWKWARD[i / 6 % 6])).collect();
    format!("# made by hand\nTITLE \"Awkward\"\nLUT_3D_SIZE 4\n{rows}")
}

#[test]
fn a_lut_goes_round_all_formats_and_layouts_and_comes_back_to_the_bit() {
    let place = Place::new();
    let source = place.file("source.cube", &awkward());
    place.convert("source.cube a.exr").unwrap();
    place.convert("a.exr b.npy --layout unity").unwrap();
    place.convert("b.npy c.exr --from-layout unity --layout hald-clut").unwrap();
    place.convert("c.exr d.npy --from-layout hald-clut --layout unreal").unwrap();
    let said = place.convert("d.npy end.cube --from-layout unreal --title Back").unwrap();
    assert_eq!(bits(&cube(&place.path("end.cube"))), bits(&cube(&source)));
    let bytes = fs::metadata(place.path("end.cube")).unwrap().len();
    let end = place.path("end.cube");
    assert_eq!(said.line, format!("wrote {}: grid size 4, .cube text, {bytes} bytes", end.display()));
    assert_eq!(CubeFile::read(&end).unwrap().title.as_deref(), Some("Back"));
}

#[test]
fn a_cube_keeps_its_title_and_comments() {
    let place = Place::new();
    place.file("source.cube", &awkward());
    place.convert("source.cube out.cube").unwrap();
    let out = CubeFile::read(&place.path("out.cube")).unwrap();
    assert_eq!((out.title.as_deref(), out.comments), (Some("Awkward"), vec!["made by hand".to_owned()]));
}

#[test]
fn a_strip_is_described() {
    let place = Place::new();
    place.file("source.cube", &awkward());
    let line = |words| place.convert(words).unwrap().line;
    assert!(line("source.cube a.exr").contains("a.exr: grid size 4, 16×4 vglb, float32 OpenEXR, "));
    assert!(line("source.cube a.npy --layout hald-clut").contains("a.npy: grid size 4, 8×8 hald-clut, float32 NumPy"));
    assert!(line("source.cube a.png").contains("16×4 vglb, PNG of 16 bits, "));
}

#[test]
fn a_file_that_is_there_is_replaced_only_by_force() {
    let place = Place::new();
    place.file("source.cube", &awkward());
    place.file("out.cube", "mine");
    let said = place.convert("source.cube out.cube").unwrap_err();
    assert_eq!(
        said,
        format!("{} is already there, and is replaced only with --force", place.path("out.cube").display())
    );
    assert_eq!(fs::read_to_string(place.path("out.cube")).unwrap(), "mine");
    place.convert("source.cube out.cube --force").unwrap();
    assert_eq!(cube(&place.path("out.cube")).size().get(), 4);
    // Onto itself, too: it has been read by then.
    place.convert("out.cube out.cube --force --title Same").unwrap();
    assert_eq!(CubeFile::read(&place.path("out.cube")).unwrap().title.as_deref(), Some("Same"));
    assert_eq!(place.names(), ["out.cube", "source.cube"]);
}

#[test]
fn a_shaper_is_baked_on_request_and_refused_otherwise() {
    let place = Place::new();
    // The shaper halves, and the cube is the identity.
    let identity: String = (0..8).map(|i| format!("{} {} {}\n", i & 1, i >> 1 & 1, i >> 2)).collect();
    place.file("shaped.cube", &format!("LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n0 0 0\n0.5 0.5 0.5\n{identity}"));
    let said = place.convert("shaped.cube out.exr").unwrap_err();
    assert!(said.contains("shaped.cube: it has a 1D LUT of 2 entries in front of its 3D LUT"), "{said}");
    assert!(said.contains("pass --bake to have it evaluated into one of grid size 33"), "{said}");
    assert_eq!(place.names(), ["shaped.cube"]);

    let said = place.convert("shaped.cube out.exr --bake").unwrap();
    assert!(said.line.contains("grid size 33, 1089×33 vglb"), "{}", said.line);
    let baked = file::read(&place.path("out.exr"), &ReadOptions::default()).unwrap().lut;
    assert_eq!((baked.at([32, 16, 8]), baked.at([0, 0, 0])), ([0.5, 0.25, 0.125], [0.0; 3]));

    place.convert("shaped.cube small.cube --bake --size 5").unwrap();
    assert_eq!(cube(&place.path("small.cube")).at([4, 2, 1]), [0.5, 0.25, 0.125]);
}

#[test]
fn notes_are_passed_on() {
    let place = Place::new();
    place.file("legal.cube", &awkward().replace("TITLE", "LUT_IN_VIDEO_RANGE\nTITLE"));
    let notes = place.convert("legal.cube out.exr").unwrap().notes;
    assert!(notes.len() == 1 && notes[0].contains("it is made for input in legal range"), "{notes:?}");
}

#[test]
fn requests_that_make_no_sense_are_refused_and_leave_nothing() {
    let place = Place::new();
    place.file("source.cube", &awkward());
    place.file("broken.cube", "LUT_3D_SIZE 2\n0 0 zero\n");
    for (words, want) in [
        ("source.cube out.txt", "out.txt has no extension that says its format; it can be .cube, .3dl, .spi3d, "),
        ("source.cube out.cc", "out.cc: a .cc holds CDLs, ten numbers each, and a LUT can't be said in them"),
        ("source.cube out.ccc", "out.ccc: a .ccc holds CDLs"),
        ("source.cube out.cube --id a", "--id is about files of CDLs, and "),
        ("source.cube out.cube --range-side input", "--range"),
        ("source.cube out.cube --range wide", "it can be legal-to-full, full-to-legal"),
        ("source.cube out.png --depth 12", "a .png can't have 12 bits; it can have 16, 8"),
        ("missing.cube out.exr", "missing.cube: "),
        ("broken.cube out.exr", "broken.cube, line 2: \"zero\" is no number"),
        ("source.cube out.exr --from-layout unity", "--from-layout is about strips, and "),
        ("source.cube out.cube --layout unity", "--layout is about strips, and "),
        ("source.cube out.exr --title x", "--title is about files with titles, as .cube, and "),
        (
            "source.cube out.exr --layout sideways",
            "\"sideways\" is no layout; it can be vglb, unreal, unity, hald-clut",
        ),
        ("source.cube out.exr --bake --size 1", "grid size 1 is out of range"),
        ("source.cube out.exr --bake --size many", "a grid size is a whole number"),
        ("source.cube out.exr --depth 12", "a .exr can't have 12 bits"),
        ("source.cube out.3dl --depth 14", "a .3dl can't have 14 bits; it can have 12, 10, 16"),
        ("source.cube out.exr --order red-fastest", "a .exr has one order of entries and no other"),
        ("source.cube out.vlt", "out.vlt: .vlt has grid size 17, and this LUT has 4; --size 17 resamples it"),
        ("source.cube out.3dl --dialect smoke", "it can be flame, lustre"),
        ("source.cube no/such/out.exr", "out.exr can't be written: "),
    ] {
        let said = place.convert(words).unwrap_err();
        assert!(said.contains(want), "{words}: {said}");
    }
    assert_eq!(place.names(), ["broken.cube", "source.cube"]);
}

#[test]
fn a_lut_too_large_for_a_strip_is_refused_with_the_limit() {
    let place = Place::new();
    let lut = Lut3d::identity(GridSize::new(129).unwrap());
    let mut text = Vec::new();
    CubeFile::new(lut).write(&mut text).unwrap();
    fs::write(place.path("large.cube"), text).unwrap();
    let said = place.convert("large.cube out.exr").unwrap_err();
    assert!(said.contains("a strip holds N ≤ 128"), "{said}");
    place.convert("large.cube out.exr --bake --size 4").unwrap();
}

const TWO_CDLS: &str = "<ColorCorrectionCollection>
<ColorCorrection id=\"a\"><SOPNode><Slope>1 1 1</Slope><Offset>0 0 0</Offset><Power>2 1 1</Power></SOPNode></ColorCorrection>
<ColorCorrection id=\"b\"><SatNode><Saturation>0</Saturation></SatNode></ColorCorrection>
</ColorCorrectionCollection>";

#[test]
fn cdls_become_each_other_and_luts() {
    let place = Place::new();
    place.file("two.ccc", TWO_CDLS);
    place.convert("two.ccc two.cdl").unwrap();
    let said = place.convert("two.cdl one.cc").unwrap_err();
    assert!(said.contains("one.cc: a .cc holds one CDL, and here are 2; --id picks one"), "{said}");
    place.convert("two.cdl one.cc --id a").unwrap();
    let said = place.convert("two.ccc out.cube --bake").unwrap_err();
    assert!(
        said.contains("it holds 2 CDLs, and one is wanted; `vglb convert --id ID` picks one of \"a\", \"b\""),
        "{said}"
    );
    let said = place.convert("two.ccc out.cube --bake --id c").unwrap_err();
    assert!(said.contains("it holds no CDL with the id \"c\", but \"a\", \"b\""), "{said}");
    let said = place.convert("one.cc out.cube").unwrap_err();
    assert!(said.contains("it is a CDL (slope 1.0000 1.0000 1.0000, ") && said.contains("pass --bake"), "{said}");
    place.convert("one.cc out.cube --bake --size 3").unwrap();
    assert_eq!(cube(&place.path("out.cube")).at([1, 1, 2]), [0.25, 0.5, 1.0]);
    place.convert("two.cdl grey.cube --bake --size 3 --id b").unwrap();
    let [r, g, b] = cube(&place.path("grey.cube")).at([2, 0, 0]);
    assert!(r == g && g == b && (r - 0.2126).abs() < 1e-6);
}

#[test]
fn sizes_and_ranges_change_on_request() {
    let place = Place::new();
    let mut text = Vec::new();
    CubeFile::new(Lut3d::identity(GridSize::new(9).unwrap())).write(&mut text).unwrap();
    fs::write(place.path("identity.cube"), text).unwrap();
    place.convert("identity.cube seventeen.vlt --size 17").unwrap();
    place.convert("seventeen.vlt five.cube --size 5").unwrap();
    let five = cube(&place.path("five.cube"));
    assert_eq!(five.size().get(), 5);
    assert!((five.at([1, 2, 3])[0] - 0.25).abs() < 1.0 / 4095.0);
    place.convert("identity.cube legal.cube --range full-to-legal --range-side output").unwrap();
    let legal = cube(&place.path("legal.cube"));
    assert_eq!(legal.at([0, 8, 0]), [64.0 / 1023.0, 940.0 / 1023.0, 64.0 / 1023.0].map(|v: f64| v as f32));
    place.convert("legal.cube full.cube --range legal-to-full --range-side output").unwrap();
    assert!((cube(&place.path("full.cube")).at([4, 4, 4])[0] - 0.5).abs() < 1e-6);
}

#[test]
fn a_lut_goes_round_every_format_that_keeps_every_bit() {
    let place = Place::new();
    let source = place.file("0.cube", &awkward());
    let names =
        ["0.cube", "1.csp", "2.clf", "3.tiff", "4.ctf", "5.spi3d", "6.dat", "7.tif --layout hald-clut", "8.cube"];
    for pair in names.windows(2) {
        let from = pair[0].split(' ').next().unwrap();
        place.convert(&format!("{from} {}", pair[1])).unwrap();
    }
    assert_eq!(bits(&cube(&place.path("8.cube"))), bits(&cube(&source)));
}
