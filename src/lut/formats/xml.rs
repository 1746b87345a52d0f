//! XML formats: documents with the lines of their faults.

use super::text::{Fault, MAX_FILE_BYTES, TextError, number};
use crate::lut::lines::excerpt;
use roxmltree::{Document, Node, ParsingOptions};
use std::io::{BufRead, Read};

/// More elements, texts and comments than any LUT file has.
const MAX_NODES: u32 = 1 << 20;

/// A document's text, and what error messages call it.
pub(super) struct Source {
    name: String,
    text: String,
}

impl Source {
    /// The whole text.
    pub fn read(name: &str, input: impl BufRead) -> Result<Self, TextError> {
        let whole = |fault| TextError::File { file: name.to_owned(), fault };
        let mut bytes = Vec::new();
        input.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| whole(e.into()))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(whole(Fault::TooLarge));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source { name: name.to_owned(), text }),
            Err(e) => {
                let at = e.utf8_error().valid_up_to();
                let line = e.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
                let text = excerpt("");
                Err(TextError::Line { file: name.to_owned(), line, text, fault: Fault::Xml("it is not UTF-8".into()) })
            }
        }
    }

    /// The document. Entities of its own, which a LUT has no use for, are refused.
    pub fn document(&self) -> Result<Document<'_>, TextError> {
        let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
        Document::parse_with_options(&self.text, options).map_err(|e| {
            let line = e.pos().row as usize;
            let text = excerpt(self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim());
            TextError::Line { file: self.name.clone(), line, text, fault: Fault::Xml(e.to_string()) }
        })
    }

    /// A fault at a byte of the text.
    pub fn fault_at(&self, at: usize, fault: Fault) -> TextError {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |i| i + 1);
        let text = excerpt(self.text[begin..].lines().next().unwrap_or_default().trim());
        TextError::Line { file: self.name.clone(), line, text, fault }
    }

    /// A fault of an element.
    pub fn fault(&self, node: Node<'_, '_>, fault: Fault) -> TextError {
        self.fault_at(node.range().start, fault)
    }

    /// The numbers in an element, which must be `count`.
    pub fn numbers<T>(
        &self,
        node: Node<'_, '_>,
        count: usize,
        what: &'static str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Result<Vec<T>, TextError> {
        let mut numbers = Vec::new();
        let mut found = 0;
        for child in node.children().filter(Node::is_text) {
            let range = child.range();
            let text = &self.text[range.clone()];
            for token in text.split_ascii_whitespace() {
                if found < count {
                    let at = range.start + (token.as_ptr() as usize - text.as_ptr() as usize);
                    numbers.push(parse(token).map_err(|fault| self.fault_at(at, fault))?);
                }
                found += 1;
            }
        }
        if found == count { Ok(numbers) } else { Err(self.fault(node, Fault::Numbers { what, wanted: count, found })) }
    }

    /// Three numbers in an element.
    pub fn three(&self, node: Node<'_, '_>) -> Result<[f64; 3], TextError> {
        let numbers = self.numbers(node, 3, "red, green and blue", float64)?;
        // As many as were asked for.
        Ok(std::array::from_fn(|i| numbers.get(i).copied().unwrap_or_default()))
    }

    /// The number in an element.
    pub fn one(&self, node: Node<'_, '_>) -> Result<f64, TextError> {
        Ok(self.numbers(node, 1, "one number", float64)?.first().copied().unwrap_or_default())
    }

    /// The float32 numbers in an element.
    pub fn floats(&self, node: Node<'_, '_>, count: usize, what: &'static str) -> Result<Vec<f32>, TextError> {
        self.numbers(node, count, what, number)
    }
}

/// A finite number.
pub(super) fn float64(token: &str) -> Result<f64, Fault> {
    match token.parse::<f64>() {
        Ok(v) if v.is_finite() => Ok(v),
        Ok(_) => Err(Fault::NotFinite(excerpt(token))),
        Err(_) => Err(Fault::Number(excerpt(token))),
    }
}

/// The child of this name.
pub(super) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|n| n.is_element() && n.tag_name().name() == name)
}

/// The texts of the children of this name.
pub(super) fn texts(node: Node<'_, '_>, name: &str) -> Vec<String> {
    let children = node.children().filter(|n| n.is_element() && n.tag_name().name() == name);
    children.filter_map(|n| n.text()).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// Text as it may stand in an element or in quotes; characters that XML does not have become blanks.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
