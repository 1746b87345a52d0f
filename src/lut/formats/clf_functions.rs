//! `Exponent` and `Log` of `.clf` and `.ctf` files.

use super::text::{Fault, TextError};
use super::xml::{self, Source};
use crate::lut::chain::Step;
use crate::lut::transfer::{BelowZero, Exponent, ExponentCurve, Log};
use roxmltree::Node;

/// The elements of this name, and which of red, green and blue each is for: all three where it does not say.
fn params<'a, 'input>(
    source: &Source,
    node: Node<'a, 'input>,
    name: &'static str,
) -> Result<[Option<Node<'a, 'input>>; 3], TextError> {
    let mut of = [None; 3];
    for params in node.children().filter(|n| n.is_element() && n.tag_name().name() == name) {
        match params.attribute("channel") {
            None => of = [Some(params); 3],
            Some("R") => of[0] = Some(params),
            Some("G") => of[1] = Some(params),
            Some("B") => of[2] = Some(params),
            Some(_) => return Err(source.fault(params, Fault::Wanted("the channel R, G or B, or none for all three"))),
        }
    }
    Ok(of)
}

fn number(source: &Source, node: Node<'_, '_>, name: &str) -> Result<Option<f64>, TextError> {
    node.attribute(name).map(|text| xml::float64(text.trim()).map_err(|e| source.fault(node, e))).transpose()
}

fn style(node: Node<'_, '_>, element: &str) -> Fault {
    let style = node.attribute("style").unwrap_or_default();
    Fault::Operator(format!("{element} of style \"{}\"", style.escape_debug()))
}

/// An `Exponent`.
pub(super) fn exponent(source: &Source, node: Node<'_, '_>) -> Result<Step, TextError> {
    let (is_basic, reverse, below_zero) = match node.attribute("style") {
        Some("basicFwd") => (true, false, BelowZero::Natural),
        Some("basicRev") => (true, true, BelowZero::Natural),
        Some("basicMirrorFwd") => (true, false, BelowZero::Mirrored),
        Some("basicMirrorRev") => (true, true, BelowZero::Mirrored),
        Some("basicPassThruFwd") => (true, false, BelowZero::Kept),
        Some("basicPassThruRev") => (true, true, BelowZero::Kept),
        Some("monCurveFwd") => (false, false, BelowZero::Natural),
        Some("monCurveRev") => (false, true, BelowZero::Natural),
        Some("monCurveMirrorFwd") => (false, false, BelowZero::Mirrored),
        Some("monCurveMirrorRev") => (false, true, BelowZero::Mirrored),
        _ => return Err(source.fault(node, style(node, "Exponent"))),
    };
    let of = params(source, node, "ExponentParams")?;
    if of.iter().all(Option::is_none) {
        return Err(source.fault(node, Fault::Wanted("an Exponent with ExponentParams in it")));
    }
    let one = |params: Option<Node<'_, '_>>| {
        // A component that is not spoken of stays as it is.
        let Some(params) = params else {
            return Ok(Exponent {
                curve: ExponentCurve::Basic { exponent: 1.0 },
                reverse,
                below_zero: BelowZero::Kept,
            });
        };
        let wanted = "an exponent from 0.01 to 100; of a monCurve from 1 to 10, with an offset from 0 to 0.9";
        let wrong = || source.fault(params, Fault::Wanted(wanted));
        let exponent = number(source, params, "exponent")?.ok_or_else(wrong)?;
        let curve = match (is_basic, number(source, params, "offset")?) {
            (true, _) if (0.01..=100.0).contains(&exponent) => ExponentCurve::Basic { exponent },
            (false, Some(offset)) if (1.0..=10.0).contains(&exponent) && (0.0..=0.9).contains(&offset) => {
                ExponentCurve::Monitor { exponent, offset }
            }
            _ => return Err(wrong()),
        };
        Ok(Exponent { curve, reverse, below_zero })
    };
    let [r, g, b] = of;
    Ok(Step::Exponent(Box::new([one(r)?, one(g)?, one(b)?])))
}

/// A `Log`.
pub(super) fn log(source: &Source, node: Node<'_, '_>) -> Result<Step, TextError> {
    let (is_camera, reverse) = match node.attribute("style") {
        Some("log10") => return Ok(Step::Log(Box::new([Log::plain(10.0, false); 3]))),
        Some("antiLog10") => return Ok(Step::Log(Box::new([Log::plain(10.0, true); 3]))),
        Some("log2") => return Ok(Step::Log(Box::new([Log::plain(2.0, false); 3]))),
        Some("antiLog2") => return Ok(Step::Log(Box::new([Log::plain(2.0, true); 3]))),
        Some("linToLog") => (false, false),
        Some("logToLin") => (false, true),
        Some("cameraLinToLog") => (true, false),
        Some("cameraLogToLin") => (true, true),
        _ => return Err(source.fault(node, style(node, "Log"))),
    };
    let one = |params: Option<Node<'_, '_>>| {
        let params = params.ok_or_else(|| {
            source.fault(node, Fault::Wanted("a Log with LogParams in it, for all of red, green and blue"))
        })?;
        if params.attribute("refWhite").is_some() || params.attribute("gamma").is_some() {
            return Err(source.fault(params, Fault::Operator("Log with refWhite, gamma and the like".into())));
        }
        let value = |name, otherwise| number(source, params, name).map(|v| v.unwrap_or(otherwise));
        let toe = match (is_camera, number(source, params, "linSideBreak")?) {
            (false, _) => None,
            (true, Some(at)) => Some((at, number(source, params, "linearSlope")?)),
            (true, None) => return Err(source.fault(params, Fault::Wanted("LogParams with a linSideBreak"))),
        };
        let log = Log {
            base: value("base", 2.0)?,
            log_slope: value("logSideSlope", 1.0)?,
            log_offset: value("logSideOffset", 0.0)?,
            linear_slope: value("linSideSlope", 1.0)?,
            linear_offset: value("linSideOffset", 0.0)?,
            toe,
            reverse,
        };
        let wanted = "LogParams with a base above 0 that is not 1, slopes that are not 0, and a break where there is a logarithm";
        if log.is_sound() { Ok(log) } else { Err(source.fault(params, Fault::Wanted(wanted))) }
    };
    let [r, g, b] = params(source, node, "LogParams")?;
    Ok(Step::Log(Box::new([one(r)?, one(g)?, one(b)?])))
}

#[cfg(test)]
#[path = "clf_functions_tests.rs"]
mod tests;
