//! `.cc`, `.ccc` and `.cdl` files: the ASC's XML for CDLs.
//!
//! | extension | outermost element | holds |
//! | --- | --- | --- |
//! | `.cc` | `ColorCorrection` | one CDL |
//! | `.ccc` | `ColorCorrectionCollection` | any number of `ColorCorrection`s |
//! | `.cdl` | `ColorDecisionList` | the same, each in a `ColorDecision` |
//!
//! The outermost element says which of them a file is, whatever its extension. Both spellings `SatNode` and `SATNode` are
//! read; a missing `SOPNode` or `SatNode` changes nothing. Elements that nobody knows are left alone, as the ASC asks.

use super::WriteError;
use super::clf::cdl_of;
use super::text::{Fault, TextError};
use super::xml::{self, Source};
use crate::lut::Cdl;
use std::io::{BufRead, Write};

/// One CDL of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// Its `id`.
    pub id: Option<String>,
    /// Its descriptions.
    pub descriptions: Vec<String>,
    /// The ten numbers.
    pub cdl: Cdl,
}

/// Which of the three a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `.cc`
    Correction,
    /// `.ccc`
    Collection,
    /// `.cdl`
    DecisionList,
}

/// More CDLs than any film has shots.
const MAX_CORRECTIONS: usize = 100_000;

/// Reads the text of a file that error messages call `name`: one CDL or more.
///
/// # Errors
/// What is wrong, with file and line.
pub fn read(name: &str, input: impl BufRead) -> Result<Vec<Correction>, TextError> {
    let source = Source::read(name, input)?;
    let document = source.document()?;
    let root = document.root_element();
    let outermost = root.tag_name().name();
    if !["ColorCorrection", "ColorCorrectionCollection", "ColorDecisionList"].contains(&outermost) {
        let wanted = "ColorCorrection, ColorCorrectionCollection or ColorDecisionList as the outermost element";
        return Err(source.fault(root, Fault::Wanted(wanted)));
    }
    let mut corrections = Vec::new();
    for node in root.descendants().filter(|n| n.is_element() && n.tag_name().name() == "ColorCorrection") {
        if corrections.len() == MAX_CORRECTIONS {
            return Err(source.fault(node, Fault::Wanted("at most 100000 ColorCorrections")));
        }
        let mut descriptions = xml::texts(node, "Description");
        descriptions.extend(xml::child(node, "SOPNode").iter().flat_map(|sop| xml::texts(*sop, "Description")));
        let id = node.attribute("id").map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned);
        corrections.push(Correction { id, descriptions, cdl: cdl_of(&source, node)? });
    }
    if corrections.is_empty() {
        return Err(source.fault(root, Fault::Wanted("a ColorCorrection in it")));
    }
    Ok(corrections)
}

/// Writes CDLs; each number as the shortest that reads back to the same float64.
///
/// # Errors
/// Where a `.cc` is to hold other than one, or writing fails.
pub fn write(kind: Kind, corrections: &[Correction], mut out: impl Write) -> Result<(), WriteError> {
    let [open, close, indent] = match kind {
        Kind::Correction if corrections.len() != 1 => return Err(WriteError::NotOne(corrections.len())),
        Kind::Correction => ["", "", ""],
        Kind::Collection => {
            ["<ColorCorrectionCollection xmlns=\"urn:ASC:CDL:v1.01\">\n", "</ColorCorrectionCollection>\n", "    "]
        }
        Kind::DecisionList => {
            ["<ColorDecisionList xmlns=\"urn:ASC:CDL:v1.01\">\n", "</ColorDecisionList>\n", "        "]
        }
    };
    write!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{open}")?;
    for Correction { id, descriptions, cdl } in corrections {
        if kind == Kind::DecisionList {
            writeln!(out, "    <ColorDecision>")?;
        }
        let id = id.as_ref().map(|id| format!(" id=\"{}\"", xml::escape(id))).unwrap_or_default();
        let namespace = if kind == Kind::Correction { " xmlns=\"urn:ASC:CDL:v1.01\"" } else { "" };
        writeln!(out, "{indent}<ColorCorrection{namespace}{id}>")?;
        for text in descriptions {
            writeln!(out, "{indent}    <Description>{}</Description>", xml::escape(text))?;
        }
        let three = |[r, g, b]: [f64; 3]| format!("{r:?} {g:?} {b:?}");
        writeln!(out, "{indent}    <SOPNode>")?;
        for (name, numbers) in [("Slope", cdl.slope()), ("Offset", cdl.offset()), ("Power", cdl.power())] {
            writeln!(out, "{indent}        <{name}>{}</{name}>", three(numbers))?;
        }
        writeln!(out, "{indent}    </SOPNode>\n{indent}    <SatNode>")?;
        writeln!(out, "{indent}        <Saturation>{:?}</Saturation>", cdl.saturation())?;
        writeln!(out, "{indent}    </SatNode>\n{indent}</ColorCorrection>")?;
        if kind == Kind::DecisionList {
            writeln!(out, "    </ColorDecision>")?;
        }
    }
    write!(out, "{close}")?;
    Ok(())
}

#[cfg(test)]
#[path = "asc_cdl_tests.rs"]
mod tests;
