use super::three_dl::Dialect;
use super::*;
use crate::lut::file::{self, FileFormat, ReadOptions, WriteOptions};
use crate::lut::{Bake, Domain};
use proptest::prelude::*;
use std::io::Cursor;
use std::path::Path;

const TEXT: [FileFormat; 7] = [
    FileFormat::ThreeDl,
    FileFormat::Spi3d,
    FileFormat::Csp,
    FileFormat::Clf,
    FileFormat::Ctf,
    FileFormat::Dat,
    FileFormat::Vlt,
];

fn parse(format: FileFormat, text: impl AsRef<[u8]>) -> Result<Parsed, String> {
    let name = format!("x.{}", format.extension());
    file::parse(format, Path::new(&name), Cursor::new(text), &ReadOptions::default()).map_err(|e| e.to_string())
}

fn read(format: FileFormat, text: impl AsRef<[u8]>) -> Lut3d {
    parse(format, text).unwrap().tables.into_lut(Bake::No).unwrap()
}

fn why(format: FileFormat, text: impl AsRef<[u8]>) -> String {
    parse(format, text).expect_err("it should be refused")
}

fn written(format: FileFormat, lut: &Lut3d, options: &WriteOptions) -> Result<String, String> {
    let name = format!("x.{}", format.extension());
    let mut out = Cursor::new(Vec::new());
    file::write_to(format, Path::new(&name), &mut out, lut, options).map_err(|e| e.to_string())?;
    Ok(String::from_utf8(out.into_inner()).unwrap())
}

fn text(format: FileFormat, lut: &Lut3d) -> String {
    written(format, lut, &WriteOptions::default()).unwrap()
}

fn bits(lut: &Lut3d) -> Vec<[u32; 3]> {
    lut.entries().iter().map(|e| e.map(f32::to_bits)).collect()
}

fn grid(n: usize) -> GridSize {
    GridSize::new(n as u64).unwrap()
}

/// Different in every entry and component, and exact in whole numbers of `max`.
fn coded(n: usize, max: u32) -> Lut3d {
    Lut3d::from_fn(grid(n), |[r, g, b]| {
        let steps = [r * 7 + g, g * 5 + b, b * 3 + 2 * r].map(|v| v as u32 * 131 % (max + 1));
        if [r, g, b] == [n - 1; 3] { [1.0; 3] } else { steps.map(|v| v as f32 / max as f32) }
    })
}

#[test]
fn a_3dl_as_flame_writes_it() {
    let mut lines = String::from("# a comment\n\n0 341 682 1023\n");
    for i in 0..64 {
        lines += &format!("{} {} {}\n", i * 65, 4095 - i, i);
    }
    let parsed = parse(FileFormat::ThreeDl, &lines).unwrap();
    assert_eq!((parsed.comments, parsed.notes), (vec!["a comment".to_owned()], vec![]));
    let lut = parsed.tables.into_lut(Bake::No).unwrap();
    assert_eq!(lut.at([0, 0, 1]), [65.0 / 4095.0, 4094.0 / 4095.0, 1.0 / 4095.0]);
    assert_eq!(lut.at([1, 0, 0])[0], 16.0 * 65.0 / 4095.0);
    assert_eq!(lut.at([0, 1, 0])[0], 4.0 * 65.0 / 4095.0);
}

#[test]
fn a_3dl_as_lustre_writes_it_says_its_depth() {
    let dark = "0 0 0\n".repeat(7) + "900 800 700\n";
    let lustre = format!("#Tokens required\n3DMESH\nMesh 0 12\n\n{dark}\n#Tokens required\n\nLUT8\ngamma 1.0\n");
    let parsed = parse(FileFormat::ThreeDl, lustre).unwrap();
    assert!(parsed.notes[0].contains("Mesh says 12 bits") && parsed.notes[0].contains("10 bits"), "{:?}", parsed.notes);
    assert_eq!(parsed.tables.into_lut(Bake::No).unwrap().at([1, 1, 1])[0], 900.0 / 4095.0);
    assert_eq!(read(FileFormat::ThreeDl, dark).at([1, 1, 1])[0], 900.0 / 1023.0);
    // A Mesh that the numbers belie.
    let wide = "3DMESH\nMesh 0 12\n".to_owned() + &"0 0 0\n".repeat(7) + "65535 0 0\n";
    assert_eq!(read(FileFormat::ThreeDl, wide).at([1, 1, 1])[0], 1.0);
}

#[test]
fn the_depth_of_a_3dl_follows_from_its_largest_number() {
    for (largest, max) in [(128, 255), (511, 255), (512, 1023), (2047, 1023), (2048, 4095), (8191, 4095), (8192, 65535)]
    {
        let lut = read(FileFormat::ThreeDl, "0 0 0\n".repeat(7) + &format!("{largest} 0 -5\n"));
        assert_eq!(lut.at([1, 1, 1]), [largest as f32 / max as f32, 0.0, -5.0 / max as f32], "{largest}");
    }
}

#[test]
fn a_shaper_is_a_1d_lut_where_its_steps_are_not_even() {
    let rows = "0 0 0\n".repeat(7) + "4095 0 0\n";
    let Tables::ShapedCube { shaper, domain, .. } =
        parse(FileFormat::ThreeDl, format!("0 100 300 1023\n{rows}")).unwrap().tables
    else {
        panic!("a shaper is lost")
    };
    assert_eq!((shaper.domain(), domain), (Domain::UNIT, Domain::UNIT));
    assert_eq!(shaper.entries().iter().map(|e| e[0]).collect::<Vec<_>>(), [0.0, 100.0 / 1023.0, 300.0 / 1023.0, 1.0]);
    for even in ["0 341 682 1023", "0 340 683 1023", "0 21845 43690 65535", "0 85 170 255"] {
        assert!(matches!(parse(FileFormat::ThreeDl, format!("{even}\n{rows}")).unwrap().tables, Tables::Cube { .. }));
    }
}

#[test]
fn entries_of_a_spi3d_may_come_in_any_order() {
    let lut = coded(5, 4095);
    let text = text(FileFormat::Spi3d, &lut);
    assert!(text.starts_with("SPILUT 1.0\n3 3\n5 5 5\n0 0 0 "), "{text}");
    let mut lines: Vec<_> = text.lines().collect();
    lines[3..].reverse();
    lines[3..].rotate_left(17);
    let shuffled = lines.join("\r\n") + "\nand whatever may follow";
    assert_eq!(bits(&read(FileFormat::Spi3d, shuffled)), bits(&lut));
    lines[20] = lines[21];
    let said = why(FileFormat::Spi3d, lines.join("\n"));
    assert!(said.starts_with("x.spi3d, line 22: the entry r=") && said.contains("was already given"), "{said}");
}

#[test]
fn a_dat_has_33_entries_where_it_does_not_say() {
    let lut = Lut3d::from_fn(grid(33), |[r, g, b]| [r as f32, g as f32, b as f32]);
    let text = text(FileFormat::Dat, &lut);
    assert!(text.starts_with("0.0 0.0 0.0\n0.0 0.0 1.0\n"), "blue is fastest");
    assert_eq!(bits(&read(FileFormat::Dat, &text)), bits(&lut));
    assert_eq!(bits(&read(FileFormat::Dat, format!("# a\n3dlutsize 33\n\n{text}"))), bits(&lut));
    let small = super::tests::text(FileFormat::Dat, &coded(4, 255));
    assert!(small.starts_with("3DLUTSIZE 4\n\n"), "{small}");
}

#[test]
fn a_vlt_as_panasonic_writes_it() {
    let text = text(FileFormat::Vlt, &Lut3d::identity(grid(17)));
    let head = "# panasonic vlt file version 1.0\n# source vlt file \"\"\nLUT_3D_SIZE 17\n\n0 0 0\n256 0 0\n512 0 0\n";
    assert!(text.starts_with(head), "{text}");
    let named = text.replace("\"\"", "\"look.vlt\"") + "# mine\n";
    let parsed = parse(FileFormat::Vlt, named).unwrap();
    assert_eq!((parsed.title.as_deref(), parsed.comments), (Some("look.vlt"), vec!["mine".to_owned()]));
    assert_eq!(parsed.tables.into_lut(Bake::No).unwrap().at([1, 0, 0]), [256.0 / 4095.0, 0.0, 0.0]);
}

#[test]
fn whole_numbers_come_back_as_they_went() {
    for (format, n, depth, max) in [
        (FileFormat::Vlt, 17, None, 4095),
        (FileFormat::ThreeDl, 17, None, 4095),
        (FileFormat::ThreeDl, 2, Some(10), 1023),
        (FileFormat::ThreeDl, 33, Some(16), 65535),
        (FileFormat::ThreeDl, 3, Some(12), 4095),
    ] {
        for dialect in Dialect::ALL {
            let lut = coded(n, max);
            let options =
                WriteOptions { depth, dialect, comments: vec!["two\nlines".into()], ..WriteOptions::default() };
            let text = written(format, &lut, &options).unwrap();
            let back = parse(format, &text).unwrap();
            assert_eq!(bits(&back.tables.into_lut(Bake::No).unwrap()), bits(&lut), "{format:?} {n}");
            if format == FileFormat::ThreeDl {
                assert_eq!(back.comments, ["two", "lines"]);
                assert_eq!(text.contains("\nMesh "), dialect == Dialect::Lustre);
            }
        }
    }
}

#[test]
fn luts_that_readers_would_take_for_others_are_not_written() {
    let dim = |v: f32| Lut3d::from_fn(grid(17), |_| [v; 3]);
    let say = |lut: &Lut3d, depth, dialect| {
        written(FileFormat::ThreeDl, lut, &WriteOptions { depth, dialect, ..WriteOptions::default() })
    };
    let said = say(&dim(0.45), None, Dialect::Flame).unwrap_err();
    assert!(said.contains("its largest value is 0.45") && said.contains("of 10 bits; --depth 16 would do"), "{said}");
    assert!(say(&dim(0.45), Some(16), Dialect::Flame).is_ok());
    assert!(say(&dim(0.0), Some(16), Dialect::Flame).unwrap_err().ends_with("another format would do"));
    let said = say(&Lut3d::identity(grid(20)), None, Dialect::Lustre).unwrap_err();
    assert!(said.contains("has grid size 17, 33, 65 or 129, and this LUT has 20; --size 33"), "{said}");
    let mut bad = dim(1.0);
    bad.entries_mut()[1][1] = f32::NAN;
    for format in TEXT {
        assert!(written(format, &bad, &WriteOptions::default()).unwrap_err().contains("NaN"));
    }
}

#[test]
fn what_is_clamped_is_counted() {
    let lut = Lut3d::from_fn(grid(17), |[r, g, b]| if r + g + b == 0 { [-0.5, 2.0, 0.0] } else { [1.0, 1.0, 0.5] });
    for format in [FileFormat::ThreeDl, FileFormat::Vlt] {
        let mut out = Cursor::new(Vec::new());
        let said = file::write_to(format, Path::new("x"), &mut out, &lut, &WriteOptions::default()).unwrap();
        assert_eq!(said.clamped, 2);
        assert!(said.to_string().contains("text of 12 bits, 2 values clamped to 0–1"), "{said}");
        assert_eq!(read(format, out.into_inner()).at([0, 0, 0]), [0.0, 1.0, 0.0]);
    }
}

#[test]
fn entries_may_be_listed_in_the_other_order() {
    let lut = coded(17, 4095);
    for format in FileFormat::ALL.into_iter().filter(|format| format.order().is_some()) {
        for order in EntryOrder::ALL {
            let other = written(format, &lut, &WriteOptions { order: Some(order), ..WriteOptions::default() }).unwrap();
            assert_eq!(other == text(format, &lut), Some(order) == format.order(), "{format:?} {order}");
            let options = ReadOptions { order: Some(order), ..ReadOptions::default() };
            let back = file::read_bytes(format, Path::new("x"), other.as_bytes(), &options).unwrap();
            assert_eq!(bits(&back.lut), bits(&lut), "{format:?} {order}");
        }
    }
}

#[test]
fn faults_are_named_with_their_lines() {
    let zeros = "0 0 0\n".repeat(8);
    let indexed = "0 0 0 0 0 0\n";
    for (format, text, want) in [
        (FileFormat::ThreeDl, "3DMESH\nMesh 4\n".into(), "x.3dl, line 2: here should stand 3DMESH, Mesh, LUT8"),
        (FileFormat::ThreeDl, "0 0.5 0\n".into(), "x.3dl, line 1: \"0.5\" is no whole number from -2147483648"),
        (
            FileFormat::ThreeDl,
            "0 1 2 3\n4 5 6 7\n".into(),
            "line 2: a shaper, a row of more than three numbers, was already given; the line is \"4 5 6 7\"",
        ),
        (
            FileFormat::ThreeDl,
            "0 0\n".into(),
            "line 1: a row is three whole numbers, red, green and blue, and here are 2",
        ),
        (FileFormat::ThreeDl, zeros.clone(), "x.3dl: the largest number of the 3D LUT is 0; "),
        (
            FileFormat::ThreeDl,
            format!("{zeros}255 255 255\n"),
            "x.3dl: it has 9 rows of three numbers, which is no cube number",
        ),
        (FileFormat::ThreeDl, String::new(), "x.3dl: it ends where rows of three whole numbers should follow"),
        (FileFormat::ThreeDl, "0 85 170 255\n".into(), "x.3dl: it ends where"),
        (FileFormat::ThreeDl, "Mesh 1 12\nMesh 1 12\n".into(), "line 2: Mesh was already given"),
        (FileFormat::Spi3d, "LUT\n".into(), "x.spi3d, line 1: here should stand SPILUT 1.0; the line is \"LUT\""),
        (FileFormat::Spi3d, "SPILUT 1.0\n1 1\n".into(), "line 2: here should stand 3 3"),
        (FileFormat::Spi3d, "SPILUT 1.0\n3 3\n2 2 3\n".into(), "line 3: the sizes \"2 2 3\" differ"),
        (FileFormat::Spi3d, "SPILUT 1.0\n3 3\n1 1 1\n".into(), "line 3: \"1\" is no size of a LUT; it has 2 to 256"),
        (FileFormat::Spi3d, "SPILUT 1.0\n3 3\n".into(), "x.spi3d: it ends where the size should follow"),
        (
            FileFormat::Spi3d,
            format!("SPILUT 1.0\n3 3\n2 2 2\n{indexed}0 0 2 0 0 0\n"),
            "line 5: \"2\" is no whole number from 0 to 1",
        ),
        (FileFormat::Spi3d, format!("SPILUT 1.0\n3 3\n2 2 2\n{indexed}0 0 1 0 0\n"), "line 5: an entry is six numbers"),
        (
            FileFormat::Spi3d,
            format!("SPILUT 1.0\n3 3\n256 256 256\n{indexed}"),
            "x.spi3d: it has 1 rows of numbers, and a LUT of grid size 256 needs 16777216",
        ),
        (FileFormat::Dat, "3DLUTSIZE 2\n0 0 inf\n".into(), "x.dat, line 2: \"inf\" is no finite float32"),
        (FileFormat::Dat, "3DLUTSIZE two\n".into(), "line 1: \"two\" is no size of a LUT"),
        (
            FileFormat::Dat,
            format!("3DLUTSIZE 2\n{zeros}0 0 0\n"),
            "line 10: this is row 9, and a LUT of grid size 2 has only 8",
        ),
        (FileFormat::Dat, zeros.clone(), "x.dat: it has 8 rows of numbers, and a LUT of grid size 33 needs 35937"),
        (
            FileFormat::Dat,
            "0 0 0\n3DLUTSIZE 2\n".into(),
            "line 2: here should stand 3DLUTSIZE N, once, in the first line",
        ),
        (FileFormat::Vlt, zeros.clone(), "x.vlt, line 1: here should stand LUT_3D_SIZE 17"),
        (FileFormat::Vlt, "LUT_3D_SIZE 2\n0 0 4096\n".into(), "line 2: \"4096\" is no whole number from 0 to 4095"),
        (FileFormat::Vlt, "LUT_3D_SIZE 2\n0 0 0 0\n".into(), "line 2: a row is three whole numbers"),
        (FileFormat::Vlt, String::new(), "x.vlt: it ends where LUT_3D_SIZE 17 should follow"),
    ] {
        let said = why(format, &text);
        assert!(said.contains(want), "{text:?}: {said}");
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused_or_whole() {
    for format in TEXT {
        let n = if format == FileFormat::Vlt { 17 } else { 2 };
        let whole = text(format, &coded(n, 4095));
        let step = (whole.len() / 500).max(1);
        for end in (0..whole.trim_end().len()).step_by(step) {
            match parse(format, &whole[..end]) {
                Err(_) => {}
                // Only the last number may have lost digits.
                Ok(_) => assert!(end + 12 > whole.trim_end().len(), "{format:?} cut at {end} of {}", whole.len()),
            }
        }
    }
}

fn finite() -> impl Strategy<Value = f32> {
    prop_oneof![any::<u32>().prop_map(f32::from_bits), -2.0f32..2.0, Just(-0.0), Just(1e38), Just(1e-45)]
        .prop_filter("finite", |v| v.is_finite())
}

fn lut() -> impl Strategy<Value = Lut3d> {
    (2usize..6).prop_flat_map(|n| {
        prop::collection::vec([finite(), finite(), finite()], n * n * n)
            .prop_map(move |entries| Lut3d::from_entries(grid(n), entries))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn decimal_formats_keep_every_bit(lut in lut()) {
        for format in [FileFormat::Spi3d, FileFormat::Dat, FileFormat::Csp, FileFormat::Clf, FileFormat::Ctf] {
            prop_assert_eq!(bits(&read(format, text(format, &lut))), bits(&lut));
        }
    }

    #[test]
    fn nonsense_is_never_a_panic(
        pieces in prop::collection::vec(
            prop_oneof![
                Just("3DMESH\n".to_owned()), Just("Mesh 1 12\n".to_owned()), Just("SPILUT 1.0\n3 3\n".to_owned()),
                Just("2 2 2\n".to_owned()), Just("0 0 1 1 1 1\n".to_owned()), Just("LUT_3D_SIZE 2\n".to_owned()),
                Just("3DLUTSIZE 2\n".to_owned()), Just("4095 0 0\n".to_owned()), Just("-2147483648 1 2 3\n".to_owned()),
                Just("256 256 256\n".to_owned()), Just("CSPLUTV100\n3D\n".to_owned()),
                Just("<ProcessList>".to_owned()), Just("<LUT1D><Array dim=\"2 1\">".to_owned()),
                Just("</Array></LUT1D></ProcessList>".to_owned()), "\\PC{0,12}\n", "[0-9 .e+-]{0,20}\n",
            ],
            0..24,
        ),
    ) {
        for format in TEXT {
            let _ = parse(format, pieces.concat()).map(|parsed| parsed.tables.into_lut(Bake::Yes { size: Some(grid(2)) }));
        }
    }

    #[test]
    fn bytes_are_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for format in TEXT {
            let _ = parse(format, &bytes);
        }
    }
}
