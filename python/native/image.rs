//! A LUT applied to a picture.

use crate::arrays::LutView;
use crate::errors;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyReadonlyArray4, PyUntypedArrayMethods};
use pyo3::prelude::*;
use virtual_gpu_lut_box::lut::Lut3d;

/// Fewer pixels than this are not worth a thread.
const PIXELS_PER_THREAD: usize = 1 << 15;

/// What a LUT makes of pixels of shape (count, 3) or (count, 4); the fourth component stays as it is.
#[pyfunction]
pub fn apply_lut<'py>(
    py: Python<'py>,
    pixels: PyReadonlyArray2<'py, f32>,
    lut: PyReadonlyArray4<'py, f32>,
    interpolation: &str,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let apply: fn(&Lut3d, [f32; 3]) -> [f32; 3] = match interpolation {
        "tetrahedral" => Lut3d::tetrahedral,
        "trilinear" => Lut3d::trilinear,
        other => {
            return Err(errors::format(format!("{other:?} is no interpolation; it can be tetrahedral, trilinear")));
        }
    };
    let view = LutView::new(&lut)?;
    view.check_finite().map_err(errors::format)?;
    let &[count, components] = pixels.shape() else { return Err(errors::format("no list of pixels")) };
    if !matches!(components, 3 | 4) {
        return Err(errors::format(format!("{components} components a pixel; it must be 3 or 4")));
    }
    let values = pixels.as_slice().map_err(errors::format)?;
    let out = py.detach(|| {
        let lut = view.to_lut();
        let mut out = values.to_vec();
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(count / PIXELS_PER_THREAD).max(1);
        std::thread::scope(|scope| {
            let mut parts = out.chunks_mut(count.div_ceil(threads).max(1) * components);
            let own = parts.next();
            for part in parts {
                scope.spawn(|| grade(&lut, apply, part, components));
            }
            if let Some(part) = own {
                grade(&lut, apply, part, components);
            }
        });
        out
    });
    PyArray1::from_vec(py, out).reshape([count, components])
}

fn grade(lut: &Lut3d, apply: fn(&Lut3d, [f32; 3]) -> [f32; 3], pixels: &mut [f32], components: usize) {
    for pixel in pixels.chunks_exact_mut(components) {
        let graded = apply(lut, [pixel[0], pixel[1], pixel[2]]);
        pixel[..3].copy_from_slice(&graded);
    }
}
