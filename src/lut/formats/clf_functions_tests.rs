use super::super::Parsed;
use super::super::clf::read;
use crate::lut::Tables;

fn parse(operator: &str) -> Result<Parsed, String> {
    let text = format!("<ProcessList id=\"a\" compCLFversion=\"3.0\">\n{operator}\n</ProcessList>\n");
    read("x.clf", text.as_bytes()).map_err(|e| e.to_string())
}

/// What the operator makes of a colour.
fn apply(operator: &str, rgb: [f64; 3]) -> [f32; 3] {
    match parse(operator).unwrap().tables {
        Tables::Chain(chain) => chain.apply(rgb),
        other => panic!("{other:?}"),
    }
}

fn near(got: [f32; 3], want: [f64; 3]) {
    for c in 0..3 {
        assert!((f64::from(got[c]) - want[c]).abs() < 1e-6, "{got:?}, not {want:?}");
    }
}

#[test]
fn channels_have_their_own_parameters() {
    let square = "<Exponent style=\"basicFwd\"><ExponentParams exponent=\"2\"/></Exponent>";
    near(apply(square, [0.5, -1.0, 3.0]), [0.25, 0.0, 9.0]);
    let own = "<Exponent style=\"basicMirrorRev\"><ExponentParams channel=\"R\" exponent=\"2\"/>\
               <ExponentParams channel=\"B\" exponent=\" 0.5 \"/></Exponent>";
    near(apply(own, [-0.25, -7.0, 0.5]), [-0.5, -7.0, 0.25]);
    let log = "<Log style=\"linToLog\"><LogParams base=\"10\" logSideSlope=\"0.5\" logSideOffset=\"0.25\" linSideSlope=\"2\" \
               linSideOffset=\"-1\"/></Log>";
    near(apply(log, [1.0, 5.5, 50.5]), [0.25, 0.75, 1.25]);
    near(apply("<Log style=\"log2\"/>", [8.0, 1.0, 0.5]), [3.0, 0.0, -1.0]);
    near(apply("<Log style=\"antiLog10\"/>", [-1.0, 0.0, 2.0]), [0.1, 1.0, 100.0]);
}

#[test]
fn faults_are_named_with_their_lines() {
    let exponent = |style: &str, params: &str| format!("<Exponent style=\"{style}\">\n{params}</Exponent>");
    let log = |style: &str, params: &str| format!("<Log style=\"{style}\">\n{params}</Log>");
    for (operator, want) in [
        ("<Exponent/>".to_owned(), "line 2: Exponent of style \"\" is not taken"),
        (exponent("basic", ""), "Exponent of style \"basic\" is not taken"),
        (exponent("basicFwd", ""), "line 2: here should stand an Exponent with ExponentParams"),
        (exponent("basicFwd", "<ExponentParams exponent=\"0\"/>"), "line 3: here should stand an exponent from 0.01"),
        (exponent("basicFwd", "<ExponentParams exponent=\"x\"/>"), "line 3: \"x\" is no number"),
        (exponent("basicFwd", "<ExponentParams exponent=\"1\" channel=\"A\"/>"), "the channel R, G or B"),
        (exponent("monCurveFwd", "<ExponentParams exponent=\"2\"/>"), "with an offset from 0 to 0.9"),
        (exponent("monCurveFwd", "<ExponentParams exponent=\"2\" offset=\"1\"/>"), "with an offset from 0 to 0.9"),
        (log("ln", ""), "Log of style \"ln\" is not taken"),
        (log("linToLog", ""), "line 2: here should stand a Log with LogParams"),
        (log("linToLog", "<LogParams channel=\"R\"/>"), "for all of red, green and blue"),
        (log("linToLog", "<LogParams base=\"1\"/>"), "line 3: here should stand LogParams with a base above 0"),
        (log("linToLog", "<LogParams logSideSlope=\"0\"/>"), "slopes that are not 0"),
        (log("linToLog", "<LogParams gamma=\"0.6\" refWhite=\"685\"/>"), "Log with refWhite"),
        (log("cameraLinToLog", "<LogParams/>"), "line 3: here should stand LogParams with a linSideBreak"),
        (log("cameraLinToLog", "<LogParams linSideBreak=\"-1\"/>"), "a break where there is a logarithm"),
    ] {
        let said = parse(&operator).expect_err(&operator);
        assert!(said.contains(want), "{operator:?}: {said}");
    }
}
