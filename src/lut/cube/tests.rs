use super::*;
use crate::lut::{Bake, Domain, GridSize, Shaper1d};
use proptest::prelude::*;

fn parse(text: impl AsRef<[u8]>) -> Result<CubeFile, CubeError> {
    CubeFile::parse("x.cube", text.as_ref())
}

fn read(text: &str) -> CubeFile {
    parse(text).unwrap_or_else(|e| panic!("{e}"))
}

fn why(text: impl AsRef<[u8]>) -> String {
    parse(text).expect_err("it should be refused").to_string()
}

fn written(file: &CubeFile) -> String {
    let mut text = Vec::new();
    file.write(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn plain(file: CubeFile) -> Lut3d {
    file.tables.into_lut(Bake::No).unwrap()
}

fn bits(lut: &Lut3d) -> Vec<[u32; 3]> {
    lut.entries().iter().map(|e| e.map(f32::to_bits)).collect()
}

/// N³ rows in which red is the number of the row.
fn rows(n: usize) -> String {
    (0..n * n * n).map(|i| format!("{i} 0.5 -1\n")).collect()
}

/// Eight rows, all different in every column, with what each must become: red is fastest.
const EIGHT: &str = "0 10 20\n1 11 21\n2 12 22\n3 13 23\n4 14 24\n5 15 25\n6 16 26\n7 17 27\n";

fn assert_is_eight(lut: &Lut3d) {
    assert_eq!(lut.size().get(), 2);
    for (point, row) in [([0, 0, 0], 0.0), ([1, 0, 0], 1.0), ([0, 1, 0], 2.0), ([0, 0, 1], 4.0), ([1, 1, 0], 3.0)] {
        assert_eq!(lut.at(point), [row, row + 10.0, row + 20.0], "{point:?}");
    }
}

#[test]
fn a_file_as_adobe_writes_it() {
    let file = read(&format!(
        "#Created by: somebody\n#  indented\n#\nTITLE \"A look, \"quoted\" & so on\"\n\n#LUT size\nLUT_3D_SIZE 2\n\n#data domain\nDOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0\n\n#LUT data points\n{EIGHT}"
    ));
    assert_eq!(file.title.as_deref(), Some("A look, \"quoted\" & so on"));
    assert_eq!(file.comments, ["Created by: somebody", " indented", "", "LUT size", "data domain", "LUT data points"]);
    assert!(!file.input_video_range && !file.output_video_range);
    assert_is_eight(&plain(file));
}

#[test]
fn a_file_as_resolve_writes_it() {
    let file =
        read(&format!("LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0.0 1.0\nLUT_IN_VIDEO_RANGE\nLUT_OUT_VIDEO_RANGE\n{EIGHT}"));
    assert_eq!(file.title, None);
    assert!(file.input_video_range && file.output_video_range);
    assert_is_eight(&plain(file));
}

#[test]
fn line_endings_marks_blanks_and_case_do_not_matter() {
    let text = format!("TITLE x\nlut_3d_size\t 2 \n#c\n\n{EIGHT}");
    let want = read(&text);
    assert_eq!(want.title.as_deref(), Some("x"));
    let crlf = text.replace('\n', "\r\n");
    for other in [
        crlf.clone(),
        text.replace('\n', "\r"),
        format!("\u{feff}{crlf}"),
        text.trim_end().to_owned(),
        text.replace(' ', " \t "),
        text.replace('\n', "  \n\n"),
        text.replace("16 26\n", "16 26\n\n"),
    ] {
        assert_eq!(read(&other), want, "{other:?}");
    }
}

#[test]
fn numbers_in_every_spelling() {
    let text = "LUT_3D_SIZE 2\n1e-3 1E3 +1.5\n.5 5. -0\n1.17549421e-38 1e-45 -3.4028235e38\n0.1 0.30000001192092896 1.0e+00\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n";
    let lut = plain(read(text));
    let at = |p| lut.at(p).map(f32::to_bits);
    let want = |v: [f32; 3]| v.map(f32::to_bits);
    assert_eq!(at([0, 0, 0]), want([0.001, 1000.0, 1.5]));
    assert_eq!(at([1, 0, 0]), want([0.5, 5.0, -0.0]));
    assert_eq!(at([0, 1, 0]), [0x007f_ffff, 1, f32::MIN.to_bits()]);
    assert_eq!(at([1, 1, 0]), want([0.1, 0.3, 1.0]));
}

#[test]
fn a_1d_part_comes_before_the_3d_part() {
    let file = read(&format!(
        "LUT_3D_SIZE 2\nLUT_1D_SIZE 3\nLUT_1D_INPUT_RANGE -1 3\nLUT_3D_INPUT_RANGE 0 4\n7 8 9\n4 5 6\n1 2 3\n{EIGHT}"
    ));
    let Tables::ShapedCube { shaper, lut, domain } = file.tables else { panic!("{file:?}") };
    assert_eq!(shaper.domain(), Domain::new([-1.0; 3], [3.0; 3]).unwrap());
    assert_eq!(shaper.entries(), [[7.0, 8.0, 9.0], [4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]);
    assert_eq!(domain, Domain::new([0.0; 3], [4.0; 3]).unwrap());
    assert_is_eight(&lut);
}

#[test]
fn a_1d_file_has_its_domain_in_either_dialect() {
    for (domain, min, max) in [
        ("LUT_1D_INPUT_RANGE -0.5 2", [-0.5; 3], [2.0; 3]),
        ("DOMAIN_MAX 2 3 4\nDOMAIN_MIN -0.5 0 1", [-0.5, 0.0, 1.0], [2.0, 3.0, 4.0]),
        ("DOMAIN_MAX 2 3 4", [0.0; 3], [2.0, 3.0, 4.0]),
        ("LUT_3D_INPUT_RANGE 0.0 1.0", [0.0; 3], [1.0; 3]),
    ] {
        let file = read(&format!("LUT_1D_SIZE 2\n{domain}\n0 1 2\n3 4 5\n"));
        let Tables::Shaper(shaper) = file.tables else { panic!("{file:?}") };
        assert_eq!(shaper.domain(), Domain::new(min, max).unwrap(), "{domain}");
        assert_eq!(shaper.entries(), [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
    }
}

#[test]
fn a_domain_is_kept() {
    let iridas = read(&format!("LUT_3D_SIZE 2\nDOMAIN_MIN 0 1 0\nDOMAIN_MAX 2 2 1\n{EIGHT}"));
    let Tables::Cube { domain, lut } = iridas.tables else { panic!("{iridas:?}") };
    assert_eq!((domain.min(), domain.max()), ([0.0, 1.0, 0.0], [2.0, 2.0, 1.0]));
    assert_is_eight(&lut);
    for same in ["LUT_3D_INPUT_RANGE -1 8", "DOMAIN_MIN -1 -1 -1\nLUT_3D_INPUT_RANGE -1 8\nDOMAIN_MAX 8 8 8"] {
        let Tables::Cube { domain, .. } = read(&format!("LUT_3D_SIZE 2\n{same}\n{EIGHT}")).tables else { panic!() };
        assert_eq!(domain.uniform(), Some([-1.0, 8.0]), "{same}");
    }
}

#[test]
fn lines_that_are_wrong_are_named_with_file_number_and_text() {
    let head = "TITLE \"t\"\nLUT_3D_SIZE 2\n";
    for (text, want) in [
        (
            format!("{head}0 0\n"),
            r#"x.cube, line 3: a row is three numbers, red, green and blue, and here are 2; the line is "0 0""#,
        ),
        (
            format!("{head}0 0 0 0\n"),
            r#"line 3: a row is three numbers, red, green and blue, and here are 4; the line is "0 0 0 0""#,
        ),
        (
            format!("{head}0,5 0 0\n"),
            r#"line 3: "0,5" is no number; numbers look like 0.25, -1 or 1e-3; the line is "0,5 0 0""#,
        ),
        (format!("{head}0 0x10 0\n"), r#"line 3: "0x10" is no number"#),
        (format!("{head}0 nan 0\n"), r#"line 3: "nan" is no finite float32; every value must be between"#),
        (format!("{head}inf 0 0\n"), r#"line 3: "inf" is no finite float32"#),
        (format!("{head}0 -Infinity 0\n"), r#"line 3: "-Infinity" is no finite float32"#),
        (format!("{head}0 0 1e39\n"), r#"line 3: "1e39" is no finite float32"#),
        (format!("{head}{EIGHT}1 2 3\n"), "line 11: this is row 9, and LUT_3D_SIZE 2 has only 8; the line is"),
        (
            format!("{head}LUT_4D_SIZE 3\n"),
            r#"line 3: this is neither a keyword of .cube files nor a row of three numbers; the line is "LUT_4D_SIZE 3""#,
        ),
        (format!("{head}@ 1 2\n"), r#"line 3: "@" is no number"#),
        (format!("{head}\n\nLUT_3D_SIZE 2\n"), "line 5: LUT_3D_SIZE was already given in line 2"),
        (format!("{head}title x\n"), "line 3: TITLE was already given in line 1"),
        (format!("{head}0 0 0\nDOMAIN_MIN 0 0 0\n"), "line 4: DOMAIN_MIN must stand before the first row of numbers"),
        (format!("{head}DOMAIN_MIN 0 0\n"), "line 3: DOMAIN_MIN takes 3 numbers, and here are 2"),
        (format!("{head}LUT_3D_INPUT_RANGE 0 1 2\n"), "line 3: LUT_3D_INPUT_RANGE takes 2 numbers, and here are 3"),
        (format!("{head}LUT_3D_INPUT_RANGE 0 NaN\n"), "line 3: \"NaN\" is no finite float32"),
        (format!("{head}LUT_IN_VIDEO_RANGE 1\n"), "line 3: LUT_IN_VIDEO_RANGE stands alone on its line"),
        (
            "0 0 0\n".into(),
            "line 1: a row of numbers comes before LUT_3D_SIZE or LUT_1D_SIZE has said how many there are",
        ),
        ("\r\n0 0\u{1b}[2J 0\r\n".into(), r#"line 2: "0\u{1b}[2J" is no number"#),
    ] {
        let said = why(&text);
        assert!(said.starts_with("x.cube, line ") && said.contains(want), "{text:?}: {said}");
    }
}

#[test]
fn sizes_out_of_range_are_refused() {
    for size in ["1", "0", "257", "-2", "2.0", "2 2", "", "99999999999999999999999"] {
        let said = why(format!("LUT_3D_SIZE {size}\n0 0 0\n"));
        assert!(
            said.contains("line 1: LUT_3D_SIZE takes one whole number from 2 to 256; the line is \"LUT_3D_SIZE"),
            "{said}"
        );
    }
    for size in ["1", "65537", "x"] {
        let said = why(format!("LUT_1D_SIZE {size}\n0 0 0\n"));
        assert!(said.contains("line 1: LUT_1D_SIZE takes one whole number from 2 to 65536"), "{said}");
    }
}

#[test]
fn ranges_that_another_program_could_take_differently_are_refused() {
    for (head, want) in [
        (
            "LUT_3D_SIZE 2\nLUT_1D_INPUT_RANGE 0 1.095",
            "line 2: LUT_1D_INPUT_RANGE is about a table that this file does not have; write LUT_3D_INPUT_RANGE, or take the line out",
        ),
        (
            "LUT_1D_SIZE 8\nLUT_3D_INPUT_RANGE 0 2",
            "line 2: LUT_3D_INPUT_RANGE is about a table that this file does not have; write LUT_1D_INPUT_RANGE",
        ),
        (
            "DOMAIN_MAX 2 2 2\nLUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0 3",
            "line 3: LUT_3D_INPUT_RANGE and DOMAIN_MAX in line 1 give one table two different domains",
        ),
        (
            "LUT_3D_INPUT_RANGE 0 3\nLUT_3D_SIZE 2\nDOMAIN_MAX 2 2 2",
            "line 3: DOMAIN_MAX and LUT_3D_INPUT_RANGE in line 1 give one table",
        ),
        ("LUT_3D_SIZE 2\nDOMAIN_MIN 0 0 1", "line 2: a domain from (0, 0, 1) to (1, 1, 1) is empty"),
        ("LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 1 -1", "line 2: a domain from (1, 1, 1) to (-1, -1, -1) is empty"),
        (
            "LUT_1D_SIZE 2\nLUT_3D_SIZE 2\nDOMAIN_MAX 2 2 2",
            "line 3: DOMAIN_MAX does not say which of the file's two tables it is about",
        ),
    ] {
        // Whether or not a row follows: the keywords alone decide.
        for rest in ["", EIGHT] {
            let said = why(format!("{head}\n{rest}"));
            assert!(said.contains(want), "{said}");
        }
    }
    // A default range says nothing, so it harms nothing.
    read(&format!("LUT_3D_SIZE 2\nLUT_1D_INPUT_RANGE 0 1\n{EIGHT}"));
    read(&format!("LUT_1D_SIZE 2\nLUT_3D_SIZE 2\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 1 1\n0 0 0\n1 1 1\n{EIGHT}"));
}

#[test]
fn files_that_end_too_early_say_how_many_rows_there_are() {
    let cut = rows(3).lines().take(26).collect::<Vec<_>>().join("\n");
    assert_eq!(
        why(format!("LUT_3D_SIZE 3\n{cut}")),
        "x.cube: it has 26 rows of numbers, and LUT_3D_SIZE 3 needs 27; the file looks cut off"
    );
    assert_eq!(
        why(format!("LUT_1D_SIZE 4\nLUT_3D_SIZE 3\n{cut}")),
        "x.cube: it has 26 rows of numbers, and LUT_1D_SIZE 4 with LUT_3D_SIZE 3 needs 31; the file looks cut off"
    );
    assert!(why("LUT_3D_SIZE 256\n").contains("it has 0 rows of numbers, and LUT_3D_SIZE 256 needs 16777216"));
    for empty in ["", "\n\n", "# nothing\nTITLE \"x\"\n"] {
        assert_eq!(why(empty), "x.cube: there is neither LUT_3D_SIZE nor LUT_1D_SIZE in it; this is not a .cube file");
    }
}

#[test]
fn files_of_another_kind_are_refused_briefly() {
    let binary: Vec<u8> = (0..=255u8).cycle().take(100_000).collect();
    assert!(why(&binary).len() < 600, "{}", why(&binary));
    let one_line = vec![b'1'; MAX_LINE_BYTES + 1];
    let said = why(&one_line);
    assert!(said.contains("line 1: the line is longer than 4096 bytes; this is not a .cube file"), "{said}");
    assert!(said.len() < 300, "{said}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing.cube");
    let said = CubeFile::read(&path).unwrap_err().to_string();
    assert!(said.starts_with(&format!("{}: ", path.display())), "{said}");
    assert!(CubeFile::read(dir.path()).is_err());
}

#[test]
fn comments_without_end_are_not_kept_without_end() {
    let comment = format!("# {}\n", "x".repeat(1000));
    let file = read(&format!("{}LUT_3D_SIZE 2\n{EIGHT}", comment.repeat(1000)));
    assert_eq!(file.comments.len(), MAX_COMMENT_BYTES / 1001);
}

#[test]
fn a_written_file_looks_like_this() {
    let mut lut = plain(read(&format!("LUT_3D_SIZE 2\n{EIGHT}")));
    lut.entries_mut()[0] = [-0.0, 1e-45, 3e38];
    let mut file = CubeFile::new(lut);
    file.title = Some("Look".into());
    file.comments = vec!["one".into(), String::new()];
    assert_eq!(
        written(&file),
        "TITLE \"Look\"\n# one\n#\nLUT_3D_SIZE 2\n-0.0 1e-45 3e38\n1.0 11.0 21.0\n2.0 12.0 22.0\n3.0 13.0 23.0\n4.0 14.0 24.0\n5.0 15.0 25.0\n6.0 16.0 26.0\n7.0 17.0 27.0\n"
    );
}

#[test]
fn titles_and_comments_cannot_add_lines() {
    let mut file = CubeFile::new(Lut3d::identity(GridSize::MIN));
    file.title = Some("a\"\nLUT_3D_SIZE 3\r\u{85}\u{2028}b\0".into());
    file.comments = vec!["c\n0 0 0\r\n1 1 1\rLUT_1D_SIZE 2\u{1b}[2J".into(), "ü".repeat(200)];
    let text = written(&file);
    let back = read(&text);
    assert_eq!(back.title.as_deref(), Some("a' LUT_3D_SIZE 3   b"));
    assert_eq!(back.comments[..4], ["c", "0 0 0", "1 1 1", "LUT_1D_SIZE 2 [2J"]);
    assert_eq!(back.comments[4..].concat(), "ü".repeat(200));
    assert_eq!(back.tables, file.tables);
    file.title = Some("é".repeat(500));
    let text = written(&file);
    assert!(text.lines().all(|l| l.len() <= 250), "{text}");
    assert_eq!(read(&text).title, Some("é".repeat(120)));
}

/// OpenColorIO refuses `TITLE` in a file with two tables.
#[test]
fn a_file_with_two_tables_has_its_title_as_a_comment() {
    let shaper = Shaper1d::new(Domain::new([-1.0; 3], [1.0; 3]).unwrap(), vec![[0.0; 3], [0.5; 3]]).unwrap();
    let mut file = CubeFile::new(Lut3d::identity(GridSize::MIN));
    file.title = Some("Look".into());
    file.tables = Tables::ShapedCube { shaper, lut: Lut3d::identity(GridSize::MIN), domain: Domain::UNIT };
    let text = written(&file);
    let head =
        "# Look\nLUT_1D_SIZE 2\nLUT_3D_SIZE 2\nLUT_1D_INPUT_RANGE -1.0 1.0\n0.0 0.0 0.0\n0.5 0.5 0.5\n0.0 0.0 0.0\n";
    assert!(text.starts_with(head), "{text}");
}

#[test]
fn what_no_reader_would_take_is_not_written() {
    let mut lut = Lut3d::identity(GridSize::MIN);
    lut.entries_mut()[3][1] = f32::NAN;
    let said = CubeFile::new(lut.clone()).write(Vec::new()).unwrap_err().to_string();
    assert!(said.starts_with("1 of the LUT's entries is NaN or infinite"), "{said}");
    let uneven = Domain::new([0.0; 3], [1.0, 2.0, 1.0]).unwrap();
    let shaper = Shaper1d::new(uneven, vec![[0.0; 3], [1.0; 3]]).unwrap();
    let mut file = CubeFile::new(Lut3d::identity(GridSize::MIN));
    file.tables = Tables::ShapedCube { shaper, lut: Lut3d::identity(GridSize::MIN), domain: Domain::UNIT };
    let said = file.write(Vec::new()).unwrap_err().to_string();
    assert!(said.contains("has the domain (0, 0, 0) to (1, 2, 1)"), "{said}");
}

/// Any finite float32, by its bits, so that subnormals, −0.0 and ±3e38 are as likely as anything.
fn finite() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |v| v.is_finite()),
        2 => 0.0f32..1.0,
        1 => (0u32..0x0080_0000, any::<bool>()).prop_map(|(b, minus)| f32::from_bits(b | u32::from(minus) << 31)),
        1 => Just(-0.0),
    ]
}

fn domain(uniform: bool) -> impl Strategy<Value = Domain> {
    let ends = (finite(), finite()).prop_filter_map("a range", |(a, b)| (a < b).then_some([a, b]));
    let each = prop::array::uniform3(ends);
    prop_oneof![
        Just(Domain::UNIT),
        each.prop_map(move |mut e| {
            if uniform {
                e = [e[0]; 3];
            }
            Domain::new(e.map(|e| e[0]), e.map(|e| e[1])).unwrap()
        })
    ]
}

fn cube() -> impl Strategy<Value = Lut3d> {
    (2u64..6).prop_flat_map(|n| {
        let size = GridSize::new(n).unwrap();
        prop::collection::vec(prop::array::uniform3(finite()), size.entries())
            .prop_map(move |entries| Lut3d::from_entries(size, entries))
    })
}

fn shaper(uniform: bool) -> impl Strategy<Value = Shaper1d> {
    (domain(uniform), prop::collection::vec(prop::array::uniform3(finite()), 2..40))
        .prop_map(|(domain, entries)| Shaper1d::new(domain, entries).unwrap())
}

fn tables() -> impl Strategy<Value = Tables> {
    prop_oneof![
        (cube(), domain(false)).prop_map(|(lut, domain)| Tables::Cube { lut, domain }),
        shaper(false).prop_map(Tables::Shaper),
        (shaper(true), cube(), domain(true)).prop_map(|(shaper, lut, domain)| Tables::ShapedCube {
            shaper,
            lut,
            domain
        }),
    ]
}

/// Every value of the tables, as bits: `==` would take −0.0 for 0.0.
fn all_bits(tables: &Tables) -> Vec<[u32; 3]> {
    let of_domain = |d: Domain| [d.min().map(f32::to_bits), d.max().map(f32::to_bits)];
    let (shaper, cube) = tables.parts();
    let mut all = Vec::new();
    if let Some(s) = shaper {
        all.extend(of_domain(s.domain()));
        all.extend(s.entries().iter().map(|e| e.map(f32::to_bits)));
    }
    if let Some((lut, domain)) = cube {
        all.extend(of_domain(domain));
        all.extend(bits(lut));
    }
    all
}

proptest! {
    #[test]
    fn what_is_written_reads_back_to_the_same_bits(
        title in prop::option::of("[ -~äö]{0,60}"),
        comments in prop::collection::vec("[ -~äö]{0,60}", 0..4),
        flags in any::<[bool; 2]>(),
        tables in tables(),
    ) {
        let mut file = CubeFile {
            title: title.map(|t| t.replace('"', "'").trim().to_owned()),
            comments: comments.iter().map(|c| c.trim_end().to_owned()).collect(),
            input_video_range: flags[0],
            output_video_range: flags[1],
            tables,
        };
        let text = written(&file);
        let back = read(&text);
        if let (Some(title), Tables::ShapedCube { .. }) = (&file.title, &file.tables) {
            file.comments.insert(0, title.clone());
            file.title = None;
        }
        prop_assert_eq!(all_bits(&back.tables), all_bits(&file.tables));
        prop_assert_eq!(&back, &file);
    }

    /// Whatever is done to a good file, the reader answers; and a value that it takes is finite.
    #[test]
    fn damaged_files_give_errors_and_no_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..5u8, any::<u8>()), 1..8),
    ) {
        let mut text = format!("TITLE \"t\"\n# c\nLUT_1D_SIZE 2\nLUT_3D_SIZE 2\nLUT_1D_INPUT_RANGE 0 1\n0 0 0\n1 1 1\n{EIGHT}").into_bytes();
        for (at, what, byte) in edits {
            let i = at.index(text.len().max(1));
            match what {
                _ if text.is_empty() => text.push(byte),
                0 => text[i] = byte,
                1 => text.insert(i, byte),
                2 => { text.remove(i); }
                3 => text.truncate(i),
                _ => { let again = text[i..].to_vec(); text.extend(again); }
            }
        }
        match parse(&text) {
            Ok(file) => {
                let lut = file.tables.into_lut(Bake::Yes { size: Some(GridSize::MIN) }).unwrap();
                prop_assert!(lut.check_finite().is_ok());
            }
            Err(e) => prop_assert!(e.to_string().starts_with("x.cube") && e.to_string().len() < 1000),
        }
    }
}
