//! `.clf` files, the Academy's and ASC's Common LUT Format, and `.ctf` files, Autodesk's and OpenColorIO's variety of it.
//!
//! | element | read |
//! | --- | --- |
//! | `LUT3D` | N³ entries, blue fastest; tetrahedral, whatever interpolation it asks for |
//! | `LUT1D` | one or three curves, also `halfDomain` and `rawHalfs` |
//! | `Matrix` | 3×3 and 3×4, and CTF's 4×4 and 4×5 where they leave alpha alone |
//! | `Range` | with limits, or `noClamp` |
//! | `Exponent` | all ten styles of CLF 3 |
//! | `Log` | all eight styles of CLF 3 |
//! | `ASC_CDL` | `Fwd` and `FwdNoClamp` |
//! | `Description` | a comment; `name` of the whole is the title |
//!
//! Depths of 8i to 32f are undone. Every other operator (inverse LUTs, `IndexMap`, …) is refused by its name.
//! Written: one `LUT3D` in 32f, each number as the shortest that reads back to the same float32.

use super::clf_functions;
use super::text::{self, Fault, TextError};
use super::xml::{self, Source};
use super::{Parsed, WriteError};
use crate::hald::EntryOrder;
use crate::lut::chain::{Halves, Step};
use crate::lut::{Cdl, CdlGrade, CdlStyle, Domain, GridSize, Lut3d, Shaper1d, Tables};
use half::f16;
use roxmltree::Node;
use std::io::{BufRead, Write};

/// The order in which entries are listed.
pub const ORDER: EntryOrder = EntryOrder::BlueFastest;

/// Elements that do nothing to colours.
const DESCRIPTIONS: [&str; 4] = ["Description", "InputDescriptor", "OutputDescriptor", "Info"];

/// Reads the text of a file that error messages call `name`.
///
/// # Errors
/// What is wrong, with file and line.
pub fn read(name: &str, input: impl BufRead) -> Result<Parsed, TextError> {
    let source = Source::read(name, input)?;
    let document = source.document()?;
    let root = document.root_element();
    if root.tag_name().name() != "ProcessList" {
        return Err(source.fault(root, Fault::Wanted("ProcessList, the outermost element of a .clf or .ctf")));
    }
    let mut steps = Vec::new();
    for node in root.children().filter(Node::is_element) {
        let operator = Operator { source: &source, node };
        let step = match node.tag_name().name() {
            name if DESCRIPTIONS.contains(&name) => continue,
            "LUT3D" => operator.lut3d()?,
            "LUT1D" => operator.lut1d()?,
            "Matrix" => operator.matrix()?,
            "Range" => operator.range()?,
            "Exponent" => clf_functions::exponent(&source, node)?,
            "Log" => clf_functions::log(&source, node)?,
            "ASC_CDL" => operator.cdl()?,
            other => return Err(source.fault(node, Fault::Operator(other.escape_debug().to_string()))),
        };
        steps.push(step);
    }
    if steps.is_empty() {
        return Err(source.fault(
            root,
            Fault::Wanted("a ProcessList with LUT3D, LUT1D, Matrix, Range, Exponent, Log or ASC_CDL in it"),
        ));
    }
    Ok(Parsed {
        tables: Tables::from_steps(steps),
        title: root.attribute("name").map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned),
        comments: xml::texts(root, "Description"),
        notes: Vec::new(),
    })
}

struct Operator<'a, 'input> {
    source: &'a Source,
    node: Node<'a, 'input>,
}

impl<'a, 'input> Operator<'a, 'input> {
    fn fault(&self, fault: Fault) -> TextError {
        self.source.fault(self.node, fault)
    }

    fn child(&self, name: &'static str, wanted: &'static str) -> Result<Node<'a, 'input>, TextError> {
        xml::child(self.node, name).ok_or_else(|| self.fault(Fault::Wanted(wanted)))
    }

    /// The value that stands for 1.0 on the side that `attribute` tells of.
    fn scale(&self, attribute: &str) -> Result<f64, TextError> {
        match self.node.attribute(attribute) {
            Some("8i") => Ok(255.0),
            Some("10i") => Ok(1023.0),
            Some("12i") => Ok(4095.0),
            Some("16i") => Ok(65535.0),
            Some("16f" | "32f") | None => Ok(1.0),
            Some(other) => Err(self.fault(Fault::BitDepth(other.escape_debug().to_string()))),
        }
    }

    fn array(&self) -> Result<(Node<'a, 'input>, Vec<usize>), TextError> {
        if xml::child(self.node, "IndexMap").is_some() {
            return Err(self.fault(Fault::Operator("IndexMap".into())));
        }
        let array = self.child("Array", "an element with an Array in it")?;
        let dim = array.attribute("dim").unwrap_or_default();
        let sizes = dim.split_ascii_whitespace().map(|n| n.parse::<usize>().ok()).take(5).collect::<Option<Vec<_>>>();
        match sizes {
            Some(sizes) if !sizes.is_empty() => Ok((array, sizes)),
            _ => Err(self.source.fault(array, Fault::Wanted("an Array with a dim of whole numbers"))),
        }
    }

    fn lut3d(&self) -> Result<Step, TextError> {
        let (array, dim) = self.array()?;
        let size = match *dim {
            [r, g, b, 3] if r == g && r == b => GridSize::new(r as u64).ok(),
            _ => None,
        };
        let wanted = "dim=\"N N N 3\", N being 2 to 256";
        let size = size.ok_or_else(|| self.source.fault(array, Fault::Wanted(wanted)))?;
        let scale = self.scale("outBitDepth")?;
        let values = self.source.floats(array, size.entries() * 3, "N·N·N·3 of dim")?;
        let entries = values.as_chunks::<3>().0.iter().map(|e| e.map(|v| unscaled(v, scale))).collect();
        Ok(Step::Cube { lut: Lut3d::from_entries(size, entries), domain: Domain::UNIT })
    }

    fn lut1d(&self) -> Result<Step, TextError> {
        if self.node.attribute("hueAdjust").is_some_and(|how| how != "none") {
            return Err(self.fault(Fault::Operator("LUT1D with hueAdjust".into())));
        }
        let (array, dim) = self.array()?;
        let (length, columns) = match *dim {
            [length, columns @ (1 | 3)] if (Shaper1d::MIN_LEN..=Shaper1d::MAX_LEN).contains(&length) => {
                (length, columns)
            }
            _ => {
                let wanted = "dim=\"M 3\" or dim=\"M 1\", M being 2 to 65536";
                return Err(self.source.fault(array, Fault::Wanted(wanted)));
            }
        };
        let count = length * columns;
        let what = "of dim";
        let scale = self.scale("outBitDepth")?;
        let raw = self.node.attribute("rawHalfs") == Some("true");
        let halves = self.node.attribute("halfDomain") == Some("true");
        let values: Vec<f32> = match raw {
            true => self.source.numbers(array, count, what, |token| {
                text::whole(token, 0, 65535).map(|bits| f16::from_bits(bits as u16).to_f32())
            })?,
            // A float16 that is no number has an entry too, which may be none.
            false if halves => self.source.numbers(array, count, what, |t| {
                t.parse::<f32>().map_err(|_| Fault::Number(t.escape_debug().to_string()))
            })?,
            false => self.source.floats(array, count, what)?,
        };
        let values: Vec<f32> = values.into_iter().map(|v| if raw { v } else { unscaled(v, scale) }).collect();
        let entries: Vec<[f32; 3]> = match columns {
            1 => values.into_iter().map(|v| [v; 3]).collect(),
            _ => values.as_chunks::<3>().0.to_vec(),
        };
        let step = match halves {
            true => Halves::new(entries).map(Step::Halves),
            false => Shaper1d::new(Domain::UNIT, entries).ok().map(Step::Curve),
        };
        let wanted = match halves {
            true => "65536 entries, a finite one for every finite float16",
            false => "finite numbers",
        };
        step.ok_or_else(|| self.source.fault(array, Fault::Wanted(wanted)))
    }

    fn matrix(&self) -> Result<Step, TextError> {
        let (array, dim) = self.array()?;
        let (height, width) = match *dim {
            [h, w] | [h, w, _] if (3..=4).contains(&h) && (w == h || w == h + 1) => (h, w),
            _ => {
                let wanted = "dim=\"3 3\" or dim=\"3 4\"";
                return Err(self.source.fault(array, Fault::Wanted(wanted)));
            }
        };
        let (scale_in, scale_out) = (self.scale("inBitDepth")?, self.scale("outBitDepth")?);
        let values = self.source.numbers(array, height * width, "of dim", xml::float64)?;
        let at = |i: usize, j: usize| values[i * width + j];
        // A fourth row and column are alpha's.
        if height == 4 {
            let alone = (0..3).all(|i| at(i, 3) == 0.0 && at(3, i) == 0.0);
            let kept = at(3, 3) * scale_in / scale_out == 1.0 && (width == 4 || at(3, 4) == 0.0);
            if !alone || !kept {
                return Err(self.fault(Fault::Operator("Matrix that changes alpha".into())));
            }
        }
        let offset = |i: usize| if width > height { at(i, width - 1) / scale_out } else { 0.0 };
        Ok(Step::Matrix {
            rows: std::array::from_fn(|i| std::array::from_fn(|j| at(i, j) * (scale_in / scale_out))),
            offset: std::array::from_fn(offset),
        })
    }

    fn range(&self) -> Result<Step, TextError> {
        let (scale_in, scale_out) = (self.scale("inBitDepth")?, self.scale("outBitDepth")?);
        let value = |name: &str, scale: f64| {
            xml::child(self.node, name).map(|n| self.source.one(n).map(|v| v / scale)).transpose()
        };
        let low = (value("minInValue", scale_in)?, value("minOutValue", scale_out)?);
        let high = (value("maxInValue", scale_in)?, value("maxOutValue", scale_out)?);
        let clamps = self.node.attribute("style") != Some("noClamp");
        let (scale, offset, low, high) = match (low, high) {
            ((Some(a), Some(c)), (Some(b), Some(d))) if a < b && c <= d => {
                let scale = (d - c) / (b - a);
                (scale, c - a * scale, Some(c), Some(d))
            }
            ((Some(a), Some(c)), (None, None)) if clamps => (1.0, c - a, Some(c), None),
            ((None, None), (Some(b), Some(d))) if clamps => (1.0, d - b, None, Some(d)),
            _ => {
                let wanted = "a Range with minInValue and minOutValue, maxInValue and maxOutValue, or all four; each minimum below its maximum";
                return Err(self.fault(Fault::Wanted(wanted)));
            }
        };
        let limit = |v: Option<f64>| v.filter(|_| clamps);
        Ok(Step::Range { scale, offset, low: limit(low), high: limit(high) })
    }

    fn cdl(&self) -> Result<Step, TextError> {
        let style = match self.node.attribute("style") {
            // v1.2_… is what CTF called them first.
            Some("Fwd" | "v1.2_Fwd") | None => CdlStyle::Asc,
            Some("FwdNoClamp" | "noClampFwd") => CdlStyle::NoClamp,
            Some(other) => {
                return Err(self.fault(Fault::Operator(format!("ASC_CDL of style {}", other.escape_debug()))));
            }
        };
        let cdl = cdl_of(self.source, self.node)?;
        Ok(Step::Cdl(CdlGrade { cdl, style, ..CdlGrade::default() }))
    }
}

/// The CDL in an element with `SOPNode` and `SatNode`, each of which may be missing.
pub(super) fn cdl_of(source: &Source, node: Node<'_, '_>) -> Result<Cdl, TextError> {
    let sop = xml::child(node, "SOPNode");
    let three = |name: &str, default: f64| match sop.and_then(|sop| xml::child(sop, name)) {
        Some(node) => source.three(node),
        None => Ok([default; 3]),
    };
    let sat = xml::child(node, "SatNode").or_else(|| xml::child(node, "SATNode"));
    let saturation = match sat.and_then(|sat| xml::child(sat, "Saturation")) {
        Some(node) => source.one(node)?,
        None => 1.0,
    };
    let (slope, offset, power) = (three("Slope", 1.0)?, three("Offset", 0.0)?, three("Power", 1.0)?);
    Cdl::new(slope, offset, power, saturation).map_err(|e| {
        let (name, _) = e.component().split_once(' ').unwrap_or((e.component(), ""));
        let of = |parent: Option<Node<'_, '_>>| {
            parent?.children().find(|n| n.tag_name().name().eq_ignore_ascii_case(name)).map(|n| n.range().start)
        };
        let at = of(sop).or_else(|| of(sat)).unwrap_or(node.range().start);
        source.fault_at(at, e.into())
    })
}

fn unscaled(value: f32, scale: f64) -> f32 {
    // Whole numbers of at most 16 bits: the division is exact in its one rounding.
    if scale == 1.0 { value } else { value / scale as f32 }
}

/// Which of the two a file is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variety {
    /// CLF 3.
    Clf,
    /// CTF 1.7.
    Ctf,
}

/// Writes a LUT.
///
/// # Errors
/// Where it holds NaN or infinity, or writing fails.
pub fn write(
    lut: &Lut3d,
    variety: Variety,
    title: Option<&str>,
    comments: &[String],
    mut out: impl Write,
) -> Result<(), WriteError> {
    lut.check_finite()?;
    let version = match variety {
        Variety::Clf => "compCLFversion=\"3.0\" xmlns=\"urn:AMPAS:CLF:v3.0\"",
        Variety::Ctf => "version=\"1.7\"",
    };
    // The same LUT has the same id.
    let mut sum = crc32fast::Hasher::new();
    lut.entries().iter().flatten().for_each(|v| sum.update(&v.to_le_bytes()));
    let id = format!("lut-{}-{:08x}", lut.size(), sum.finalize());
    let name = title.map(|title| format!(" name=\"{}\"", xml::escape(title))).unwrap_or_default();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ProcessList {version} id=\"{id}\"{name}>")?;
    for comment in comments.iter().flat_map(|c| c.lines()).filter(|c| !c.trim().is_empty()) {
        writeln!(out, "    <Description>{}</Description>", xml::escape(comment.trim()))?;
    }
    let n = lut.size();
    writeln!(out, "    <LUT3D inBitDepth=\"32f\" outBitDepth=\"32f\" interpolation=\"tetrahedral\">")?;
    writeln!(out, "        <Array dim=\"{n} {n} {n} 3\">")?;
    text::write_rows(&mut out, lut, ORDER, text::shortest)?;
    writeln!(out, "        </Array>\n    </LUT3D>\n</ProcessList>")?;
    Ok(())
}

#[cfg(test)]
#[path = "clf_tests.rs"]
mod tests;
