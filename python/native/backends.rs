//! Which ways of sharing textures there are, and what is being shared.

use crate::errors;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use virtual_gpu_lut_box::texture::{self, TextureBackend, TextureError};

/// Back ends that were asked for before. One of each kind in a process: streams in `memory` are only seen by those
/// who share it, and opening a graphics device again for each stream would be waste.
static CHOSEN: Mutex<Option<HashMap<&'static str, Arc<dyn TextureBackend>>>> = Mutex::new(None);

/// The back end called `name`; for `auto` the platform's own.
pub fn choose(name: &str) -> Result<Arc<dyn TextureBackend>, TextureError> {
    let mut chosen = CHOSEN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = chosen.get_or_insert_default();
    if let Some(backend) = known.get(name) {
        return Ok(backend.clone());
    }
    let backend = texture::choose(name)?;
    let backend = known.entry(backend.name()).or_insert(backend).clone();
    if name == "auto" {
        known.insert("auto", backend.clone());
    }
    Ok(backend)
}

/// The name of the platform's own back end.
#[pyfunction]
pub fn default_backend(py: Python<'_>) -> PyResult<&'static str> {
    py.detach(|| choose("auto")).map(|b| b.name()).map_err(errors::texture)
}

/// Why a back end can't be used here, or `None`.
#[pyfunction]
pub fn backend_problem(py: Python<'_>, name: &str) -> Option<String> {
    py.detach(|| choose(name)).err().map(|e| e.to_string())
}

/// Every stream that can be received on this computer now.
#[pyfunction]
pub fn list_streams<'py>(py: Python<'py>, backend: &str) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let streams = py.detach(|| choose(backend)?.streams()).map_err(errors::texture)?;
    let entry = |stream: texture::StreamInfo| {
        let dict = PyDict::new(py);
        dict.set_item("name", stream.name)?;
        dict.set_item("width", stream.width)?;
        dict.set_item("height", stream.height)?;
        dict.set_item("lut_size", stream.shape.map(|s| s.size().get()))?;
        dict.set_item("layout", stream.shape.map(|s| s.layout().name()))?;
        dict.set_item("format", stream.format)?;
        dict.set_item("revision", stream.revision)?;
        dict.set_item("published", stream.published.map(epoch_seconds))?;
        dict.set_item("sender", stream.sender)?;
        dict.set_item("cdl", stream.cdl.map(|cdl| (cdl.slope(), cdl.offset(), cdl.power(), cdl.saturation())))?;
        Ok(dict)
    };
    streams.into_iter().map(entry).collect()
}

/// A time as Python's `time.time()` gives it.
pub fn epoch_seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |t| t.as_secs_f64())
}
