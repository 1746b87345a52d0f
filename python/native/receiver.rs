//! One stream's textures, received.

use crate::{arrays, backends, errors};
use numpy::PyArray3;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::texture::{self, Event, Frame, TextureBackend, TextureError, TextureReceiver};

/// Receives one stream, whenever it is there.
#[pyclass(frozen, module = "virtual_gpu_lut_box._native")]
pub struct Receiver {
    backend: Arc<dyn TextureBackend>,
    stream: String,
    connection: Mutex<Option<Box<dyn TextureReceiver>>>,
}

impl Receiver {
    fn lock(&self) -> MutexGuard<'_, Option<Box<dyn TextureReceiver>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for(&self, time: Duration) -> Result<&'static str, TextureError> {
        let until = Instant::now() + time;
        let mut connection = self.lock();
        if connection.is_none() {
            *connection = match self.backend.open(&self.stream) {
                Ok(receiver) => Some(receiver),
                Err(TextureError::NoSuchStream { .. }) => {
                    drop(connection);
                    self.backend.wait_for_stream(&self.stream, Some(time))?;
                    return Ok("absent");
                }
                Err(e) => return Err(e),
            };
        }
        let Some(receiver) = &mut *connection else { return Ok("absent") };
        Ok(match receiver.wait(Some(until.saturating_duration_since(Instant::now())))? {
            Event::Frame => "texture",
            Event::TimedOut => "nothing",
            Event::Ended => {
                *connection = None;
                "ended"
            }
        })
    }

    /// Does something with the connection, which is made where there is none, and given up where it fails.
    fn with<T>(
        &self,
        act: impl FnOnce(&mut dyn TextureReceiver) -> Result<T, TextureError>,
    ) -> Result<T, TextureError> {
        let mut connection = self.lock();
        let receiver = match &mut *connection {
            Some(receiver) => receiver,
            none => none.insert(self.backend.open(&self.stream)?),
        };
        let done = act(receiver.as_mut());
        if done.is_err() {
            *connection = None;
        }
        done
    }
}

fn about<'py>(py: Python<'py>, frame: &Frame) -> PyResult<Bound<'py, PyDict>> {
    let about = PyDict::new(py);
    about.set_item("lut_size", frame.shape.map(|s| s.size().get()))?;
    about.set_item("layout", frame.shape.map(|s| s.layout().name()))?;
    about.set_item("format", frame.format)?;
    about.set_item("revision", frame.revision)?;
    about.set_item("published", frame.published.map(backends::epoch_seconds))?;
    Ok(about)
}

/// A texture in its sender's memory. Python maps that memory: there, whoever looks at an array keeps its memory.
#[pyclass(frozen, module = "virtual_gpu_lut_box._native")]
pub struct InPlace(texture::InPlace);

#[pymethods]
impl InPlace {
    /// What can be opened and mapped for as long as this lives.
    #[getter]
    fn path(&self) -> &Path {
        &self.0.file
    }

    /// Where the texture begins, in bytes.
    #[getter]
    fn offset(&self) -> u64 {
        self.0.offset
    }

    #[getter]
    fn width(&self) -> usize {
        self.0.frame.width
    }

    #[getter]
    fn height(&self) -> usize {
        self.0.frame.height
    }

    /// Whether the sender has not begun to write over it.
    fn is_intact(&self) -> bool {
        self.0.is_intact()
    }
}

#[pymethods]
impl Receiver {
    #[new]
    fn new(py: Python<'_>, stream: String, backend: &str) -> PyResult<Self> {
        let backend = py.detach(|| backends::choose(backend)).map_err(errors::texture)?;
        Ok(Receiver { backend, stream, connection: Mutex::new(None) })
    }

    /// Waits at most `seconds` for something to happen: `"texture"`, `"nothing"`, `"ended"`, or `"absent"` where the
    /// stream is not, or was not, there.
    fn wait(&self, py: Python<'_>, seconds: f64) -> PyResult<&'static str> {
        let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        py.detach(|| self.wait_for(time)).map_err(errors::texture)
    }

    /// The newest texture, and what is known of it. `None` where the stream has ended.
    #[allow(clippy::type_complexity, reason = "a pair, as Python sees it")]
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Option<(Bound<'py, PyArray3<f32>>, Bound<'py, PyDict>)>> {
        let read = |receiver: &mut dyn TextureReceiver| {
            let mut frame = Frame::default();
            receiver.read(&mut frame).map(|()| frame)
        };
        let frame = match py.detach(|| self.with(read)) {
            Ok(frame) => frame,
            Err(TextureError::Ended) => return Ok(None),
            Err(e) => return Err(errors::texture(e)),
        };
        let about = about(py, &frame)?;
        Ok(Some((arrays::from_texels(py, frame.texels, frame.width, frame.height)?, about)))
    }

    /// Where the newest texture lies in memory that can be mapped, and what is known of it. `None` where the platform
    /// has no such memory, or the stream has ended.
    #[allow(clippy::type_complexity, reason = "a pair, as Python sees it")]
    fn in_place<'py>(&self, py: Python<'py>) -> PyResult<Option<(InPlace, Bound<'py, PyDict>)>> {
        match py.detach(|| self.with(|receiver| receiver.in_place())) {
            Ok(Some(found)) => {
                let about = about(py, &found.frame)?;
                Ok(Some((InPlace(found), about)))
            }
            Ok(None) | Err(TextureError::Ended) => Ok(None),
            Err(e) => Err(errors::texture(e)),
        }
    }

    /// Lets go of the stream.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.lock().take()));
    }
}
