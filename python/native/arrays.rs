//! LUTs and textures as numpy arrays, and back.
//!
//! A LUT is an array of shape (N, N, N, 3) or (N, N, N, 4), indexed `[r, g, b]`: in memory that is the library's own
//! order, blue fastest. A texture is (height, width, 4), row 0 at the top.

use crate::errors;
use numpy::{PyArray1, PyArray3, PyArray4, PyArrayMethods, PyReadonlyArray3, PyReadonlyArray4, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use virtual_gpu_lut_box::hald::{self, EntryOrder, Layout, Placement, Texel, TextureShape};
use virtual_gpu_lut_box::lut::{GridSize, Lut3d, NotFinite};

/// A LUT in an array's memory: N³ entries of three or four float32, of which the fourth is not looked at.
#[derive(Clone, Copy)]
pub struct LutView<'a> {
    size: GridSize,
    values: &'a [f32],
    components: usize,
}

impl<'a> LutView<'a> {
    /// The LUT in `array`, if its shape is one of a LUT's.
    pub fn new(array: &'a PyReadonlyArray4<'_, f32>) -> PyResult<Self> {
        let shape = array.shape();
        let wanted = |n: usize| shape[..3] == [n; 3] && matches!(shape[3], 3 | 4);
        if !wanted(shape[0]) {
            return Err(errors::format(format!("an array of shape {shape:?} is no LUT")));
        }
        let size = GridSize::new(shape[0] as u64).map_err(errors::format)?;
        let values = array.as_slice().map_err(errors::format)?;
        Ok(LutView { size, values, components: shape[3] })
    }

    /// The grid size N.
    pub fn size(&self) -> GridSize {
        self.size
    }

    /// The entries' R, G and B.
    pub fn entries(&self) -> impl Iterator<Item = [f32; 3]> + 'a {
        self.values.chunks_exact(self.components).map(|entry| [entry[0], entry[1], entry[2]])
    }

    /// A LUT of its own.
    pub fn to_lut(self) -> Lut3d {
        Lut3d::from_entries(self.size, self.entries().collect())
    }

    /// Which entries are not finite, if any.
    pub fn check_finite(&self) -> Result<(), NotFinite> {
        // Without a branch, since nearly always all are: an exponent of all ones is the only one that carries into the
        // sign bit. An alpha that is not finite, which does not matter, is sorted out below.
        let carry = |v: &f32| (v.to_bits() & 0x7fff_ffff).wrapping_add(0x0080_0000);
        if self.values.iter().fold(0, |seen, v| seen | carry(v)) & 0x8000_0000 == 0 {
            return Ok(());
        }
        let mut bad = self.entries().enumerate().filter(|(_, rgb)| rgb.iter().any(|v| !v.is_finite()));
        let Some((first, _)) = bad.next() else { return Ok(()) };
        Err(NotFinite { count: 1 + bad.count(), first: EntryOrder::BlueFastest.point(self.size, first) })
    }
}

/// A LUT as an array that takes over its memory.
pub fn from_lut(py: Python<'_>, lut: Lut3d) -> PyResult<Bound<'_, PyArray4<f32>>> {
    let n = lut.size().get();
    PyArray1::from_vec(py, lut.into_entries().into_flattened()).reshape([n, n, n, 3])
}

/// A texture as an array that takes over its memory.
pub fn from_texels(
    py: Python<'_>,
    texels: Vec<Texel>,
    width: usize,
    height: usize,
) -> PyResult<Bound<'_, PyArray3<f32>>> {
    let bytes = PyArray1::from_vec(py, texels.into_flattened());
    let floats = bytes.call_method1("view", (numpy::dtype::<f32>(py),))?;
    floats.cast_into::<PyArray1<f32>>()?.reshape([height, width, 4])
}

/// R, G, B and A as they lie in a texture.
pub fn texel(rgba: &[f32; 4]) -> Texel {
    let mut bytes = [0; 16];
    for (to, value) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(rgba) {
        *to = value.to_le_bytes();
    }
    bytes
}

/// The texture's shape for a LUT of grid size `size`.
pub fn shape(size: u64, layout: &str) -> PyResult<TextureShape> {
    let layout: Layout = layout.parse().map_err(errors::format)?;
    let size = GridSize::new(size).map_err(errors::format)?;
    TextureShape::new(size, layout).map_err(errors::format)
}

/// Width and height of the texture of a LUT.
#[pyfunction]
pub fn texture_size(size: u64, layout: &str) -> PyResult<(usize, usize)> {
    shape(size, layout).map(|s| (s.width(), s.height()))
}

/// The texture of a LUT: alpha is 1, every other bit goes through.
#[pyfunction]
pub fn lut_to_hald<'py>(
    py: Python<'py>,
    lut: PyReadonlyArray4<'py, f32>,
    layout: &str,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let lut = LutView::new(&lut)?;
    let shape = shape(lut.size().get() as u64, layout)?;
    let texels = py.detach(|| {
        let mut texels = vec![[0; 16]; shape.texels()];
        for (i, rgb) in lut.entries().enumerate() {
            texels[shape.texel(EntryOrder::BlueFastest.point(shape.size(), i))] = hald::texel(rgb);
        }
        texels
    });
    from_texels(py, texels, shape.width(), shape.height())
}

/// The LUT in a texture of shape (height, width, 3) or (height, width, 4).
#[pyfunction]
pub fn hald_to_lut<'py>(
    py: Python<'py>,
    hald: PyReadonlyArray3<'py, f32>,
    layout: &str,
) -> PyResult<Bound<'py, PyArray4<f32>>> {
    let [height, width, components] = *hald.shape() else { return Err(errors::format("no texture")) };
    let layout: Layout = layout.parse().map_err(errors::format)?;
    let shape = TextureShape::from_dimensions(width, height, layout).map_err(errors::format)?;
    let values = hald.as_slice().map_err(errors::format)?;
    let lut = py.detach(|| {
        let pixels = values.chunks_exact(components.max(3));
        let texels: Vec<Texel> = pixels.map(|p| hald::texel([p[0], p[1], p[2]])).collect();
        (texels.len() == shape.texels()).then(|| Placement::read(shape, &texels))
    });
    from_lut(py, lut.ok_or_else(|| errors::format(format!("{components} components a texel; it must be 3 or 4")))?)
}

/// `lutData` as an array of shape (N, N, N, 4), its entries blue fastest.
#[pyfunction]
pub fn lut_from_wire<'py>(py: Python<'py>, data: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyArray4<f32>>> {
    let bytes = data.as_bytes();
    let n = GridSize::from_rgba_bytes(bytes.len()).map_err(errors::format)?.get();
    let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|v| f32::from_le_bytes(*v)).collect();
    let array = PyArray1::from_vec(py, values).reshape([n, n, n, 4])?;
    let check = array.readonly();
    LutView::new(&check)?.check_finite().map_err(errors::format)?;
    drop(check);
    Ok(array)
}
