use super::{NpyError, StripError, fill};
use std::io::BufRead;

/// NumPy's own reader takes no more unless it is told to.
pub(super) const MAX_HEADER_BYTES: usize = 10_000;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The most axes that any array here has, with room for an error message about others.
const MAX_AXES: usize = 32;

/// What the array's numbers are in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    F32Little,
    F32Big,
    F64Little,
    F64Big,
}

impl Number {
    pub fn bytes(self) -> usize {
        match self {
            Number::F32Little | Number::F32Big => 4,
            Number::F64Little | Number::F64Big => 8,
        }
    }

    /// The number in exactly [`bytes`](Self::bytes) bytes.
    pub fn value(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Number::F32Little, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            (Number::F32Big, &[a, b, c, d]) => f32::from_be_bytes([a, b, c, d]),
            (Number::F64Little, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32,
            (Number::F64Big, &[a, b, c, d, e, f, g, h]) => f64::from_be_bytes([a, b, c, d, e, f, g, h]) as f32,
            _ => unreachable!("{} bytes for {self:?}", bytes.len()),
        }
    }

    fn from_descr(descr: &str) -> Option<Self> {
        match descr {
            "<f4" => Some(Number::F32Little),
            ">f4" => Some(Number::F32Big),
            "<f8" => Some(Number::F64Little),
            ">f8" => Some(Number::F64Big),
            _ => None,
        }
    }
}

/// An array's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub number: Number,
    pub fortran_order: bool,
    pub shape: Vec<usize>,
}

impl Header {
    /// Reads the header, and leaves `input` at the first number.
    pub fn read(input: &mut impl BufRead) -> Result<Self, StripError> {
        let mut start = [0; 8];
        if fill(input, &mut start)? < start.len() || &start[..6] != MAGIC {
            return Err(NpyError::Magic.into());
        }
        let length_bytes = match (start[6], start[7]) {
            (1, 0) => 2,
            (2 | 3, 0) => 4,
            (major, minor) => return Err(NpyError::Version(major, minor).into()),
        };
        let mut length = [0; 4];
        let cut_off = || NpyError::Header("the end of the file".into()).into();
        if fill(input, &mut length[..length_bytes])? < length_bytes {
            return Err(cut_off());
        }
        let length = u32::from_le_bytes(length) as usize;
        if length > MAX_HEADER_BYTES {
            return Err(NpyError::HeaderTooLong(length).into());
        }
        let mut text = vec![0; length];
        if fill(input, &mut text)? < length {
            return Err(cut_off());
        }
        Ok(Self::parse(&String::from_utf8_lossy(&text))?)
    }

    fn parse(text: &str) -> Result<Self, NpyError> {
        let mut rest = Rest(text);
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        rest.expect("{")?;
        while !rest.take("}") {
            let key = rest.string()?;
            rest.expect(":")?;
            match key {
                "descr" if descr.is_none() => descr = Some(rest.descr()?),
                "fortran_order" if fortran_order.is_none() => fortran_order = Some(rest.boolean()?),
                "shape" if shape.is_none() => shape = Some(rest.tuple()?),
                _ => return Err(NpyError::Header(format!("{:?}", short(key)))),
            }
            if !rest.take(",") {
                rest.expect("}")?;
                break;
            }
        }
        if !rest.0.trim().is_empty() {
            return Err(rest.fault());
        }
        match (descr, fortran_order, shape) {
            (Some(number), Some(fortran_order), Some(shape)) => Ok(Header { number, fortran_order, shape }),
            _ => Err(NpyError::Header("its end".into())),
        }
    }

    /// The shape as Python writes it.
    pub fn shape_text(&self) -> String {
        match self.shape.as_slice() {
            [one] => format!("({one},)"),
            axes => format!("({})", axes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// The text not read yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Goes past `token`, and blanks before it, if it is next.
    fn take(&mut self, token: &str) -> bool {
        let found = self.0.trim_start().strip_prefix(token);
        if let Some(rest) = found {
            self.0 = rest;
        }
        found.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), NpyError> {
        if self.take(token) { Ok(()) } else { Err(self.fault()) }
    }

    fn fault(&self) -> NpyError {
        match self.0.trim() {
            "" => NpyError::Header("its end".into()),
            text => NpyError::Header(format!("{:?}", short(text))),
        }
    }

    /// A string in either kind of quotes. None that is wanted has an escape in it.
    fn string(&mut self) -> Result<&'a str, NpyError> {
        for quote in ["'", "\""] {
            let before = self.0;
            if self.take(quote) {
                let Some((string, rest)) = self.0.split_once(quote) else {
                    self.0 = before;
                    return Err(self.fault());
                };
                self.0 = rest;
                return Ok(string);
            }
        }
        Err(self.fault())
    }

    fn descr(&mut self) -> Result<Number, NpyError> {
        // Records are described by a list.
        if self.0.trim_start().starts_with('[') {
            return Err(NpyError::Kind("records".into()));
        }
        let descr = self.string()?;
        Number::from_descr(descr).ok_or_else(|| NpyError::Kind(format!("{:?}", short(descr))))
    }

    fn boolean(&mut self) -> Result<bool, NpyError> {
        if self.take("True") { Ok(true) } else { self.expect("False").map(|()| false) }
    }

    fn tuple(&mut self) -> Result<Vec<usize>, NpyError> {
        let mut axes = Vec::new();
        self.expect("(")?;
        while !self.take(")") {
            if axes.len() == MAX_AXES {
                return Err(self.fault());
            }
            axes.push(self.integer()?);
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(axes)
    }

    fn integer(&mut self) -> Result<usize, NpyError> {
        let text = self.0.trim_start();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let value = text[..end].parse().map_err(|_| self.fault())?;
        self.0 = &text[end..];
        Ok(value)
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The header of a little-endian float32 array of shape `(height, width, 4)`, padded as NumPy does, so that the
/// numbers begin at a multiple of 64 bytes.
pub(super) fn bytes(height: usize, width: usize) -> Vec<u8> {
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({height}, {width}, 4), }}");
    let before = MAGIC.len() + 4;
    let total = (before + dictionary.len() + 1).next_multiple_of(64);
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend(((total - before) as u16).to_le_bytes());
    bytes.extend(dictionary.as_bytes());
    bytes.resize(total - 1, b' ');
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Header, NpyError> {
        Header::parse(text)
    }

    #[test]
    fn headers_as_numpy_writes_them() {
        let want = Header { number: Number::F32Little, fortran_order: false, shape: vec![33, 1089, 4] };
        for text in [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (33, 1089, 4), }          \n",
            "{'descr':'<f4','fortran_order':False,'shape':(33,1089,4)}",
            "{ \"shape\" : ( 33 , 1089, 4, ) , \"fortran_order\" : False, \"descr\" : \"<f4\" }",
        ] {
            assert_eq!(parse(text), Ok(want.clone()), "{text}");
        }
        let other = parse("{'descr': '>f8', 'fortran_order': True, 'shape': (5,), }").unwrap();
        assert_eq!(other, Header { number: Number::F64Big, fortran_order: true, shape: vec![5] });
        assert_eq!(other.shape_text(), "(5,)");
        assert_eq!(parse("{'descr': '<f4', 'fortran_order': True, 'shape': ()}").unwrap().shape_text(), "()");
    }

    #[test]
    fn what_is_not_understood_is_shown() {
        let near = |text: &str| match parse(text) {
            Err(NpyError::Header(near)) => near,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(near(""), "its end");
        assert_eq!(near("{}"), "its end");
        assert_eq!(near("{'descr': '<f4', 'shape': (1,)}"), "its end");
        assert_eq!(near("{'descr': '<f4', 'descr': '<f4'}"), "\"descr\"");
        assert_eq!(near("{'descr': '<f4"), "\"'<f4\"");
        assert_eq!(near("{'shape': (-1, 2)}"), "\"-1, 2)}\"");
        assert_eq!(near("{'shape': (99999999999999999999999,)}"), "\"99999999999999999999999,)}\"");
        assert_eq!(near("{'shape': (2 2)}"), "\"2)}\"");
        assert_eq!(near("{'fortran_order': Maybe}"), "\"Maybe}\"");
        assert_eq!(near("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x"), "\"x\"");
        assert!(near(&"{".repeat(9000)).len() < 60);
        near(&format!("{{'shape': ({}", "1,".repeat(4000)));
        near(&format!("{{'shape': {}", "(".repeat(9000)));
    }

    #[test]
    fn numbers_of_another_kind_are_named() {
        for (descr, kind) in [("'<i4'", "\"<i4\""), ("'|O'", "\"|O\""), ("[('r', '<f4')]", "records")] {
            let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}");
            assert_eq!(parse(&text), Err(NpyError::Kind(kind.into())));
        }
    }

    #[test]
    fn a_written_header_ends_at_a_multiple_of_64() {
        for (height, width) in [(2, 4), (33, 1089), (128, 16384)] {
            let bytes = bytes(height, width);
            assert_eq!(bytes.len() % 64, 0);
            assert_eq!(bytes.last(), Some(&b'\n'));
            let header = Header::read(&mut &bytes[..]).unwrap();
            assert_eq!(header.shape, [height, width, 4]);
        }
    }
}
