use super::*;
use crate::lut::Bake;

fn parse(text: &str) -> Result<Parsed, String> {
    read("x.clf", text.as_bytes()).map_err(|e| e.to_string())
}

fn list(operators: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<ProcessList id=\"a\" compCLFversion=\"3.0\">\n{operators}\n</ProcessList>\n")
}

fn tables(operators: &str) -> Tables {
    parse(&list(operators)).unwrap().tables
}

fn steps(operators: &str) -> Vec<Step> {
    match tables(operators) {
        Tables::Chain(chain) => chain.into_steps(),
        other => panic!("{other:?}"),
    }
}

/// Blue is fastest.
const IDENTITY: &str = "<LUT3D inBitDepth=\"32f\" outBitDepth=\"32f\"><Array dim=\"2 2 2 3\">
0 0 0  0 0 1  0 1 0  0 1 1
1 0 0  1 0 1  1 1 0  1 1 1
</Array></LUT3D>";

#[test]
fn a_lut3d_alone_is_a_plain_lut() {
    let parsed = parse(
        &list(&format!("<Description>one</Description><Info><x/></Info>{IDENTITY}<Description> </Description>"))
            .replace("id=", "name=\" A &amp; B \" id="),
    );
    let parsed = parsed.unwrap();
    assert_eq!((parsed.title.as_deref(), parsed.comments), (Some("A & B"), vec!["one".to_owned()]));
    assert_eq!(parsed.tables, Tables::plain(Lut3d::identity(GridSize::MIN)));
}

#[test]
fn whole_numbers_are_divided_by_their_depth() {
    let tens = IDENTITY.replace("outBitDepth=\"32f\"", "outBitDepth=\"10i\"").replace('1', "512");
    let tens = tens.replace("5120i", "10i");
    let lut = tables(&tens).into_lut(Bake::No).unwrap();
    assert_eq!(lut.at([1, 0, 0]), [512.0 / 1023.0, 0.0, 0.0]);
}

#[test]
fn steps_that_do_nothing_are_left_out() {
    let matrix = "<Matrix><Array dim=\"3 3\">1 0 0 0 1 0 0 0 1</Array></Matrix>";
    let range = "<Range><minInValue>0</minInValue><maxInValue>1</maxInValue><minOutValue>0</minOutValue>\
                 <maxOutValue>1</maxOutValue></Range>";
    assert!(matches!(tables(&format!("{matrix}{range}{matrix}{IDENTITY}{matrix}")), Tables::Cube { .. }));
    assert!(matches!(tables(&format!("{IDENTITY}{range}")), Tables::Chain(_)), "a clamp behind the LUT is one");
    let curve = "<LUT1D><Array dim=\"2 1\">0 0.5</Array></LUT1D>";
    assert!(matches!(tables(&format!("{range}{curve}{range}{IDENTITY}")), Tables::ShapedCube { .. }));
    assert!(matches!(tables(curve), Tables::Shaper(_)));
}

#[test]
fn a_matrix_of_every_shape_is_one_of_3_by_3_with_an_offset() {
    let want = Step::Matrix { rows: [[0.5, 0.25, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]], offset: [0.125, 0.0, -1.0] };
    for (dim, numbers) in [
        ("3 4", "0.5 0.25 0 0.125  0 1 0 0  0 0 2 -1"),
        ("3 4 3", "0.5 0.25 0 0.125  0 1 0 0  0 0 2 -1"),
        ("4 5 4", "0.5 0.25 0 0 0.125  0 1 0 0 0  0 0 2 0 -1  0 0 0 1 0"),
    ] {
        let text =
            format!("<Matrix inBitDepth=\"32f\" outBitDepth=\"32f\"><Array dim=\"{dim}\">{numbers}</Array></Matrix>");
        assert_eq!(steps(&text), std::slice::from_ref(&want), "{dim}");
    }
    let scaled = "<Matrix inBitDepth=\"8i\" outBitDepth=\"16i\"><Array dim=\"3 4\">257 0 0 65535  0 257 0 0  0 0 257 0</Array></Matrix>";
    let [Step::Matrix { rows, offset }] = steps(scaled)[..] else { panic!() };
    assert!((rows[0][0] - 1.0).abs() < 1e-12 && offset == [1.0, 0.0, 0.0]);
}

#[test]
fn ranges_scale_and_clamp_as_they_say() {
    let range = |attributes: &str, [a, b, c, d]: [Option<f64>; 4]| {
        let of = |name: &str, v: Option<f64>| v.map(|v| format!("<{name}> {v} </{name}>")).unwrap_or_default();
        let parts = of("minInValue", a) + &of("maxInValue", b) + &of("minOutValue", c) + &of("maxOutValue", d);
        steps(&format!("<Range {attributes}>{parts}</Range>"))[0].apply([-1.0, 0.5, 2.0])
    };
    assert_eq!(range("", [Some(0.0), Some(1.0), Some(0.25), Some(0.75)]), [0.25, 0.5, 0.75]);
    assert_eq!(range("style=\"noClamp\"", [Some(0.0), Some(1.0), Some(0.25), Some(0.75)]), [-0.25, 0.5, 1.25]);
    assert_eq!(range("", [Some(0.0), None, Some(0.0), None]), [0.0, 0.5, 2.0]);
    assert_eq!(range("", [None, Some(1.0), None, Some(1.5)]), [-0.5, 1.0, 1.5]);
    assert_eq!(range("inBitDepth=\"8i\"", [Some(0.0), Some(255.0), Some(0.0), Some(2.0)]), [0.0, 1.0, 2.0]);
}

#[test]
fn cdls_are_of_two_styles() {
    let cdl = |style: &str| {
        let text = format!(
            "<ASC_CDL {style}><SOPNode><Slope>2 1 1</Slope><Offset>0 0 0.5</Offset><Power>1 2 1</Power></SOPNode></ASC_CDL>"
        );
        steps(&text)[0].apply([0.75, 0.5, 0.75])
    };
    assert_eq!(cdl("style=\"Fwd\""), [1.0, 0.25, 1.0]);
    assert_eq!(cdl("style=\"FwdNoClamp\""), [1.5, 0.25, 1.25]);
}

#[test]
fn a_lut1d_may_be_over_float16() {
    let numbers: String = (0..=u16::MAX).map(|bits| format!("{bits} ")).collect();
    let text = format!("<LUT1D halfDomain=\"true\" rawHalfs=\"true\"><Array dim=\"65536 1\">{numbers}</Array></LUT1D>");
    // The largest float16 and everything else stand for themselves; so do infinities and NaN, which nothing reaches.
    let got = steps(&text)[0].apply([0.3, -1000.25, 1e9]);
    assert!((got[0] - 0.3).abs() < 1e-12 && (got[1] + 1000.25).abs() < 1e-9 && got[2] == 65504.0, "{got:?}");
}

#[test]
fn what_is_written_is_read_and_says_where_it_comes_from() {
    let mut lut = Lut3d::identity(GridSize::MIN);
    lut.entries_mut()[3] = [-0.0, 1e-45, 3e38];
    for (variety, head) in
        [(Variety::Clf, "<ProcessList compCLFversion=\"3.0\""), (Variety::Ctf, "<ProcessList version=\"1.7\"")]
    {
        let mut out = Vec::new();
        write(&lut, variety, Some("A \"<look>\" & more\u{7}"), &["one\ntwo & three".into()], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(head), "{text}");
        let parsed = parse(&text).unwrap();
        assert_eq!(parsed.title.as_deref(), Some("A \"<look>\" & more"));
        assert_eq!(parsed.comments, ["one", "two & three"]);
        let back = parsed.tables.into_lut(Bake::No).unwrap();
        let bits = |lut: &Lut3d| lut.entries().iter().flatten().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&lut));
    }
}

#[test]
fn faults_are_named_with_their_lines() {
    let entities = "<!DOCTYPE a [<!ENTITY b \"c\">]>\n<ProcessList>&b;</ProcessList>";
    for (text, want) in [
        (String::new(), "x.clf, line 1: it is no XML that can be read"),
        ("<ProcessList>\n<LUT3D></a>\n".into(), "x.clf, line 2: it is no XML that can be read"),
        (entities.into(), "it is no XML that can be read"),
        ("<a/>".into(), "x.clf, line 1: here should stand ProcessList"),
        (list(""), "line 2: here should stand a ProcessList with LUT3D"),
        (list("<Gamma/>"), "line 3: Gamma is not taken; LUT3D, LUT1D, Matrix, Range, Exponent, Log and ASC_CDL are"),
        (list("<LUT3D/>"), "line 3: here should stand an element with an Array"),
        (list(&IDENTITY.replace("2 2 2 3", "2 2 3 3")), "line 3: here should stand dim=\"N N N 3\""),
        (
            list(&IDENTITY.replace("2 2 2 3", "256 256 256 3")),
            "there should be 50331648 numbers (N·N·N·3 of dim), and here are 24",
        ),
        (
            list(&IDENTITY.replace("\n1 0 0", "\n1 0 zero")),
            "line 5: \"zero\" is no number; numbers look like 0.25, -1 or 1e-3; the line is \"1 0 zero  1 0 1",
        ),
        (list(&IDENTITY.replace("outBitDepth=\"32f\"", "outBitDepth=\"9i\"")), "9i is no bit depth; it can be 8i"),
        (list("<LUT1D hueAdjust=\"dw3\"><Array dim=\"2 1\">0 1</Array></LUT1D>"), "LUT1D with hueAdjust is not taken"),
        (list("<LUT1D halfDomain=\"true\"><Array dim=\"2 1\">0 1</Array></LUT1D>"), "here should stand 65536 entries"),
        (
            list("<Matrix><Array dim=\"4 4\">1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 2</Array></Matrix>"),
            "Matrix that changes alpha is not taken",
        ),
        (list("<Range><minInValue>0</minInValue></Range>"), "here should stand a Range with minInValue"),
        (list("<ASC_CDL style=\"Rev\"/>"), "ASC_CDL of style Rev is not taken"),
        (list("<ASC_CDL><SOPNode><Power>1 0 1</Power></SOPNode></ASC_CDL>"), "the CDL's power of green is 0"),
    ] {
        let said = parse(&text).expect_err(&text);
        assert!(said.contains(want), "{text:?}: {said}");
    }
    let said = read("x.clf", &b"<a>\n\xff</a>"[..]).unwrap_err().to_string();
    assert!(said.starts_with("x.clf, line 2: it is no XML that can be read (it is not UTF-8)"), "{said}");
}

#[test]
fn deep_and_wide_documents_are_no_trouble() {
    let deep = "<a>".repeat(200_000) + &"</a>".repeat(200_000);
    let _ = parse(&list(&deep));
    assert!(parse(&list(&"<Info/>".repeat(1 << 20))).unwrap_err().contains("it is no XML that can be read"));
}
