use super::*;
use crate::lut::{Bake, GridSize};

fn parse(text: &str) -> Result<Parsed, String> {
    read("x.csp", text.as_bytes()).map_err(|e| e.to_string())
}

const IDLE: &str = "2\n0.0 1.0\n0.0 1.0\n";
/// Red is fastest: the first two rows differ in red.
const EIGHT: &str = "0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n";

fn file(prelut: &str) -> String {
    format!("CSPLUTV100\n3D\n\n{prelut}\n2 2 2\n{EIGHT}")
}

#[test]
fn a_file_as_cinespace_writes_it() {
    let text = "CSPLUTV100\r\n3D\r\n\r\nBEGIN METADATA\r\nby hand\r\n\r\nsecond\r\nEND METADATA\r\n\r\n".to_owned()
        + &IDLE.repeat(3)
        + "\r\n2 2 2\r\n"
        + EIGHT;
    let parsed = parse(&text).unwrap();
    assert_eq!(parsed.comments, ["by hand", "second"]);
    assert_eq!(parsed.tables, Tables::plain(Lut3d::identity(GridSize::MIN)));
    let mut out = Vec::new();
    write(&Lut3d::identity(GridSize::MIN), Some("Title"), &["a\nb".into(), "END METADATA".into()], &mut out).unwrap();
    let written = String::from_utf8(out).unwrap();
    assert_eq!(parse(&written).unwrap().comments, ["Title", "a", "b"]);
    assert_eq!(parse(&written).unwrap().tables, parsed.tables);
}

#[test]
fn idle_preluts_say_nothing() {
    for prelut in [IDLE.repeat(3), "0\n1\n0\n".into(), format!("3\n0 0.5 1\n0 0.5 1\n0\n{IDLE}")] {
        assert!(matches!(parse(&file(&prelut)).unwrap().tables, Tables::Cube { domain: Domain::UNIT, .. }), "{prelut}");
    }
}

#[test]
fn a_prelut_of_two_points_is_a_domain_or_a_line() {
    let tables = parse(&file(&format!("2\n-1 3\n0 1\n{IDLE}2\n0 2\n0 1\n"))).unwrap().tables;
    let Tables::Cube { domain, .. } = tables else { panic!("{tables:?}") };
    assert_eq!((domain.min(), domain.max()), ([-1.0, 0.0, 0.0], [3.0, 1.0, 2.0]));
    let tables = parse(&file(&"2\n0 1\n0.25 0.5\n".repeat(3))).unwrap().tables;
    let Tables::ShapedCube { shaper, .. } = tables else { panic!("{tables:?}") };
    assert_eq!(shaper.entries(), [[0.25; 3], [0.5; 3]]);
}

#[test]
fn a_prelut_of_more_points_is_a_curve_that_is_baked_on_request() {
    let tables = parse(&file(&format!("3\n0 0.5 1\n0 0.25 1\n{IDLE}{IDLE}"))).unwrap().tables;
    let said = tables.clone().into_lut(Bake::No).unwrap_err().to_string();
    assert!(said.starts_with("it is curves through 3, 2 and 2 points, a 3D LUT of 2³, and what is needed"), "{said}");
    let lut = tables.into_lut(Bake::Yes { size: Some(GridSize::new(5).unwrap()) }).unwrap();
    assert_eq!((lut.at([2, 2, 0]), lut.at([4, 0, 4])), ([0.25, 0.5, 0.0], [1.0, 0.0, 1.0]));
}

#[test]
fn a_1d_file_is_a_curve() {
    let text = format!("CSPLUTV100\n1D\n{}3\n0 0 0\n0.25 0.5 0.75\n1 1 1\n", IDLE.repeat(3));
    let tables = parse(&text).unwrap().tables;
    let Tables::Shaper(shaper) = tables else { panic!("{tables:?}") };
    assert_eq!(shaper.entries()[1], [0.25, 0.5, 0.75]);
    let wide = text.replacen(IDLE, "2\n0 2\n0 1\n", 3);
    let lut = parse(&wide).unwrap().tables.into_lut(Bake::Yes { size: Some(GridSize::MIN) }).unwrap();
    assert_eq!(lut.at([1, 1, 1]), [0.25, 0.5, 0.75]);
}

#[test]
fn faults_are_named_with_their_lines() {
    let head = "CSPLUTV100\n3D\n";
    for (text, want) in [
        ("CSP\n".to_owned(), "x.csp, line 1: here should stand CSPLUTV100; the line is \"CSP\""),
        ("CSPLUTV100\n4D\n".into(), "line 2: here should stand 3D or 1D"),
        (format!("{head}BEGIN METADATA\n"), "x.csp: it ends where END METADATA should follow"),
        (format!("{head}two\n"), "line 3: \"two\" is no whole number from 0 to 65536"),
        (format!("{head}2\n0 1 2\n0 1\n"), "line 4: there should be 2 numbers (points of the prelut), and here are 3"),
        (format!("{head}3\n0 1 1\n0 1 2\n"), "line 4: here should stand inputs of a prelut, each greater"),
        (format!("{head}2\n0 1\n0 nan\n"), "line 5: \"nan\" is no finite float32"),
        (format!("{head}{IDLE}"), "x.csp: it ends where the prelut of another component should follow"),
        (format!("{head}{}2 2 3\n", IDLE.repeat(3)), "line 12: the sizes \"2 2 3\" differ"),
        (file(&IDLE.repeat(3)) + "0 0 0\n", "line 23: this is row 9"),
        (file(&IDLE.repeat(3)).replace("1 1 1\n", ""), "x.csp: it has 7 rows of numbers"),
        ("CSPLUTV100\n1D\n0\n0\n0\n2\n0 0 0\n1 1 1\n1 1 1\n".into(), "line 9: here should stand nothing more"),
        ("CSPLUTV100\n1D\n0\n0\n0\n65537\n".into(), "line 6: \"65537\" is no whole number from 2 to 65536"),
    ] {
        let said = parse(&text).expect_err(&text);
        assert!(said.contains(want), "{text:?}: {said}");
    }
}
