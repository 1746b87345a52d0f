use super::*;

fn parse(text: &str) -> Result<Vec<Correction>, String> {
    read("x.ccc", text.as_bytes()).map_err(|e| e.to_string())
}

const CC: &str = "<ColorCorrection id=\"a1\">
  <Description>day</Description>
  <Unknown>kept out</Unknown>
  <SOPNode><Description>hand</Description><Slope>1.0 1.0 .9</Slope><Offset>-.03 -2e-2 0</Offset><Power>1.25 1 1e0</Power></SOPNode>
  <SATNode><Saturation> 1.7 </Saturation></SATNode>
</ColorCorrection>";

fn a1() -> Correction {
    Correction {
        id: Some("a1".into()),
        descriptions: vec!["day".into(), "hand".into()],
        cdl: Cdl::new([1.0, 1.0, 0.9], [-0.03, -0.02, 0.0], [1.25, 1.0, 1.0], 1.7).unwrap(),
    }
}

#[test]
fn all_three_kinds_are_read() {
    assert_eq!(parse(CC).unwrap(), [a1()]);
    let two = format!("{CC}<ColorCorrection><SatNode><Saturation>0.5</Saturation></SatNode></ColorCorrection>");
    let half = Cdl::new([1.0; 3], [0.0; 3], [1.0; 3], 0.5).unwrap();
    let want = [a1(), Correction { id: None, descriptions: vec![], cdl: half }];
    let collection =
        format!("<ColorCorrectionCollection xmlns=\"urn:ASC:CDL:v1.01\">{two}</ColorCorrectionCollection>");
    assert_eq!(parse(&collection).unwrap(), want);
    let list = format!("<ColorDecisionList><ColorDecision>{two}</ColorDecision></ColorDecisionList>");
    assert_eq!(parse(&list).unwrap(), want);
}

#[test]
fn all_three_kinds_are_written() {
    let exact = Cdl::new([0.1, 1.0 / 3.0, 2.0], [-1e-12, 0.0, 1e9], [0.7, 1.0, 3.0], 0.1 + 0.2).unwrap();
    let two = [a1(), Correction { id: Some("<&\">".into()), descriptions: vec![], cdl: exact }];
    for kind in [Kind::Collection, Kind::DecisionList] {
        let mut out = Vec::new();
        write(kind, &two, &mut out).unwrap();
        assert_eq!(parse(std::str::from_utf8(&out).unwrap()).unwrap(), two, "{kind:?}");
    }
    let mut out = Vec::new();
    assert!(
        write(Kind::Correction, &two, &mut out)
            .unwrap_err()
            .to_string()
            .contains("a .cc holds one CDL, and here are 2")
    );
    assert!(out.is_empty());
    write(Kind::Correction, &two[1..], &mut out).unwrap();
    assert_eq!(parse(std::str::from_utf8(&out).unwrap()).unwrap(), two[1..]);
}

#[test]
fn faults_are_named_with_their_lines() {
    for (text, want) in [
        (
            CC.replace("1.25 1 1e0", "1.25 1"),
            "x.ccc, line 4: there should be 3 numbers (red, green and blue), and here are 2",
        ),
        (CC.replace("1.25 1 1e0", "1.25 0 1"), "x.ccc, line 4: the CDL's power of green is 0; it must be more than 0"),
        (CC.replace(" 1.7 ", "much"), "line 5: \"much\" is no number"),
        (CC.replace(" 1.7 ", "inf"), "line 5: \"inf\" is no finite"),
        (CC.replace(" 1.7 ", "-1"), "line 5: the CDL's saturation is -1; it must be 0 or more"),
        ("<ColorDecisionList/>".into(), "line 1: here should stand a ColorCorrection"),
        ("<html/>".into(), "line 1: here should stand ColorCorrection, ColorCorrectionCollection or"),
    ] {
        let said = parse(&text).expect_err(&text);
        assert!(said.contains(want), "{text:?}: {said}");
    }
}
