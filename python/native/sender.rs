//! One stream of textures, sent as they are.

use crate::{arrays, backends, errors};
use numpy::{PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};
use virtual_gpu_lut_box::hald::{Layout, TextureShape};
use virtual_gpu_lut_box::texture::{TextureError, TextureSender, TextureWriter};

/// A stream, and the way to write it. The writer goes first when both are dropped.
struct Open {
    writer: Box<dyn TextureWriter>,
    sender: Box<dyn TextureSender>,
}

/// Sends textures of one shape.
#[pyclass(frozen, module = "virtual_gpu_lut_box._native")]
pub struct Sender {
    shape: TextureShape,
    open: Mutex<Option<Open>>,
}

impl Sender {
    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, pixels: &[[f32; 4]]) -> Result<u64, TextureError> {
        let mut open = self.lock();
        let writer = &mut open.as_mut().ok_or(TextureError::Ended)?.writer;
        writer.begin(self.shape)?;
        for (to, pixel) in writer.texels().iter_mut().zip(pixels) {
            *to = arrays::texel(pixel);
        }
        writer.publish()
    }
}

#[pymethods]
impl Sender {
    /// Starts a stream of textures of `width`×`height` texels, which must be a LUT's.
    #[new]
    fn new(py: Python<'_>, backend: &str, stream: &str, width: usize, height: usize) -> PyResult<Self> {
        let strip = TextureShape::from_dimensions(width, height, Layout::Vglb);
        let shape = strip
            .or_else(|error| TextureShape::from_dimensions(width, height, Layout::HaldClut).map_err(|_| error))
            .map_err(errors::format)?;
        let open = py.detach(|| {
            let sender = backends::choose(backend)?.create_sender(stream)?;
            Ok(Open { writer: sender.writer()?, sender })
        });
        Ok(Sender { shape, open: Mutex::new(Some(open.map_err(errors::texture)?)) })
    }

    /// Publishes a texture of shape (height, width, 4), and returns its revision.
    fn send(&self, py: Python<'_>, texture: PyReadonlyArray3<'_, f32>) -> PyResult<u64> {
        if texture.shape() != [self.shape.height(), self.shape.width(), 4] {
            return Err(errors::format(format!(
                "an array of shape {:?} is no texture of {}",
                texture.shape(),
                self.shape
            )));
        }
        let (pixels, _) = texture.as_slice().map_err(errors::format)?.as_chunks::<4>();
        py.detach(|| self.write(pixels)).map_err(errors::texture)
    }

    /// The name under which receivers find it.
    #[getter]
    fn name(&self) -> Option<String> {
        self.lock().as_ref().map(|open| open.sender.name().to_owned())
    }

    /// Ends the stream.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.lock().take()));
    }
}
