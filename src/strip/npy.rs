//! Strips and LUTs as NumPy arrays (`.npy`, versions 1.0 to 3.0 of the format).
//!
//! The header is a Python dictionary of three known keys. It is read here and not by a general reader of Python
//! literals, because sizes in it are claims: they are checked against what a LUT can be before anything is done
//! with them.

mod header;

use super::{StripError, check_texels};
use crate::hald::{Layout, Texel, TextureShape, texel};
use crate::lut::{GridSize, GridSizeError, Lut3d};
use crate::texture::{Frame, RGBA32F};
use header::{Header, Number};
use std::io::{self, BufRead, Write};

/// A NumPy array that is no strip and no LUT, or no array at all.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NpyError {
    /// The first bytes are not those of the format.
    #[error("it is no .npy file: its first bytes are not those of the format")]
    Magic,
    /// A version nobody has defined yet.
    #[error("it is version {0}.{1} of the .npy format; this program reads 1.0, 2.0 and 3.0")]
    Version(u8, u8),
    /// The header is longer than that of any plain array.
    #[error("its header has {0} bytes; that of a plain array has at most {limit}", limit = header::MAX_HEADER_BYTES)]
    HeaderTooLong(usize),
    /// The header is no dictionary with the three keys.
    #[error("its header can't be understood near {0}; it must be a dictionary of 'descr', 'fortran_order' and 'shape'")]
    Header(String),
    /// Numbers of another kind.
    #[error("its numbers are {0}; it must be an array of float32 (or float64): save it as array.astype(numpy.float32)")]
    Kind(String),
    /// A shape that is neither a strip nor a LUT.
    #[error("its shape is {0}; a strip is (height, width, 4) or (height, width, 3), a LUT is (N, N, N, 3)")]
    Shape(String),
    /// A cube of a size that no LUT has.
    #[error(transparent)]
    Size(#[from] GridSizeError),
    /// The file ends before the array does.
    #[error("it ends after {found} of the array's {expected} bytes")]
    CutOff {
        /// Bytes of numbers that are there.
        found: usize,
        /// Bytes of numbers that the header announces.
        expected: usize,
    },
}

/// What an array is.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// `(height, width, 3 or 4)`: a texture.
    Strip(Frame),
    /// `(N, N, N, 3)`, indexed `[r, g, b]`.
    Lut(Lut3d),
}

/// Writes a frame as float32 of shape `(height, width, 4)`. Every bit of every texel is kept.
pub fn write(frame: &Frame, mut out: impl Write) -> Result<(), StripError> {
    check_texels(frame)?;
    out.write_all(&header::bytes(frame.height, frame.width))?;
    out.write_all(frame.texels.as_flattened())?;
    Ok(())
}

/// Reads an array: one of three axes, the last of them 3 or 4, as a strip in `layout`, or in [the likely one](Layout::likely); one of four axes as a LUT.
/// Float32 is kept bit for bit in either byte order; float64, NumPy's default, is rounded to the nearest float32.
/// Without a fourth component, alpha is 1.0.
///
/// # Errors
/// Where the array is no such thing, which is checked before its numbers are read.
pub fn read(mut input: impl BufRead, layout: impl Into<Option<Layout>>) -> Result<Array, StripError> {
    let header = Header::read(&mut input)?;
    match *header.shape.as_slice() {
        [height, width, components @ (3 | 4)] => {
            let layout = layout.into().unwrap_or(Layout::likely(width, height));
            let shape = TextureShape::from_dimensions(width, height, layout)?;
            let values = Values::read(&mut input, &header, [height, width, components])?;
            let texels = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
            Ok(Array::Strip(Frame {
                width,
                height,
                shape: Some(shape),
                format: RGBA32F,
                texels: texels.map(|(y, x)| values.texel([y, x], components)).collect(),
                ..Frame::default()
            }))
        }
        [n, g, b, 3] if n == g && n == b => {
            let size = GridSize::new(n as u64).map_err(NpyError::from)?;
            let values = Values::read(&mut input, &header, [n, n, n, 3])?;
            Ok(Array::Lut(Lut3d::from_fn(size, |point| {
                [0, 1, 2].map(|c| values.at([point[0], point[1], point[2], c]))
            })))
        }
        _ => Err(NpyError::Shape(header.shape_text()).into()),
    }
}

/// All numbers of an array with D axes, as the file lists them.
struct Values<const D: usize> {
    values: Vec<f32>,
    strides: [usize; D],
}

impl<const D: usize> Values<D> {
    fn read(input: &mut impl BufRead, header: &Header, shape: [usize; D]) -> Result<Self, StripError> {
        let mut strides = [1; D];
        // C order: the last axis is the fastest; Fortran order: the first is.
        for i in 1..D {
            let (axis, faster) = if header.fortran_order { (i, i - 1) } else { (D - 1 - i, D - i) };
            strides[axis] = strides[faster] * shape[faster];
        }
        let count = shape.iter().product();
        Ok(Values { values: numbers(input, header.number, count)?, strides })
    }

    fn at(&self, index: [usize; D]) -> f32 {
        self.values[index.iter().zip(self.strides).map(|(i, stride)| i * stride).sum::<usize>()]
    }
}

impl Values<3> {
    fn texel(&self, [y, x]: [usize; 2], components: usize) -> Texel {
        let mut out = texel([0, 1, 2].map(|c| self.at([y, x, c])));
        if components == 4 {
            out[12..].copy_from_slice(&self.at([y, x, 3]).to_le_bytes());
        }
        out
    }
}

/// `count` numbers. Memory grows with what arrives.
fn numbers(input: &mut impl BufRead, number: Number, count: usize) -> Result<Vec<f32>, StripError> {
    const PER_READ: usize = 8192;
    let size = number.bytes();
    let mut values = Vec::new();
    let mut buffer = vec![0; PER_READ * size];
    while values.len() < count {
        let wanted = (count - values.len()).min(PER_READ) * size;
        let found = fill(input, &mut buffer[..wanted])?;
        if found < wanted {
            return Err(NpyError::CutOff { found: values.len() * size + found, expected: count * size }.into());
        }
        values.extend(buffer[..wanted].chunks_exact(size).map(|bytes| number.value(bytes)));
    }
    Ok(values)
}

/// Reads until the buffer is full or the input ends, and returns how many bytes there were.
fn fill(input: &mut impl io::Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}
