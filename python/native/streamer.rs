//! Channels published as textures.

use crate::arrays::LutView;
use crate::{backends, errors};
use numpy::PyReadonlyArray4;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use virtual_gpu_lut_box::channel::{ChannelSet, ChannelSettings};
use virtual_gpu_lut_box::hald::{self, Texel};
use virtual_gpu_lut_box::sink::{ChannelId, LutSink, LutWriter, Refusal};
use virtual_gpu_lut_box::wire::request::LONGEST_CHANNEL;

/// Entries that are handed on at once: few enough to stay in the fastest cache.
const PIECE: usize = 1024;

type SharedWriter = Arc<Mutex<Box<dyn LutWriter>>>;

/// Publishes each channel's LUTs as a stream of its own.
#[pyclass(frozen, module = "virtual_gpu_lut_box._native")]
pub struct Streamer {
    channels: Arc<ChannelSet>,
    /// Kept, so that a channel's memory is taken once.
    writers: Mutex<HashMap<ChannelId, SharedWriter>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streamer {
    /// What a server gives its LUTs to.
    pub fn sink(&self) -> Arc<dyn LutSink> {
        self.channels.clone()
    }

    fn writer(&self, id: &ChannelId) -> Result<SharedWriter, Refusal> {
        let mut writers = lock(&self.writers);
        if let Some(writer) = writers.get(id) {
            return Ok(writer.clone());
        }
        let bytes = id.name().map_or(0, str::len);
        if bytes > LONGEST_CHANNEL {
            return Err(Refusal::ChannelNameTooLong { bytes, limit: LONGEST_CHANNEL });
        }
        let writer = Arc::new(Mutex::new(self.channels.writer(id)?));
        writers.insert(id.clone(), writer.clone());
        Ok(writer)
    }

    fn put(&self, id: &ChannelId, lut: LutView<'_>) -> Result<u64, Refusal> {
        lut.check_finite()?;
        let writer = self.writer(id)?;
        let mut writer = lock(&writer);
        writer.begin(lut.size())?;
        let mut piece: Vec<Texel> = Vec::with_capacity(PIECE);
        let mut entries = lut.entries().peekable();
        while entries.peek().is_some() {
            piece.clear();
            piece.extend(entries.by_ref().take(PIECE).map(hald::texel));
            writer.entries(&piece);
        }
        writer.commit()
    }
}

#[pymethods]
impl Streamer {
    #[new]
    fn new(py: Python<'_>, stream_name: String, backend: &str) -> PyResult<Self> {
        let backend = py.detach(|| backends::choose(backend)).map_err(errors::texture)?;
        let settings = ChannelSettings { stream_name, ..ChannelSettings::default() };
        Ok(Streamer { channels: Arc::new(ChannelSet::new(backend, settings)), writers: Mutex::default() })
    }

    /// Publishes a LUT on a channel (`None`: the base stream), and returns its revision.
    fn publish(&self, py: Python<'_>, lut: PyReadonlyArray4<'_, f32>, channel: Option<String>) -> PyResult<u64> {
        let lut = LutView::new(&lut)?;
        let id = ChannelId::new(channel.unwrap_or_default());
        let put = py.detach(|| {
            self.put(&id, lut).inspect_err(|_| {
                // A writer that is not kept lets a channel go that never had a LUT.
                lock(&self.writers).remove(&id);
            })
        });
        put.map_err(errors::refusal)
    }

    /// The state of every channel that has had a LUT.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let channels = py.detach(|| self.channels.status());
        let entry = |status: virtual_gpu_lut_box::channel::ChannelStatus| {
            let dict = PyDict::new(py);
            dict.set_item("channel", status.id.name())?;
            dict.set_item("stream", status.stream)?;
            dict.set_item("lut_size", status.shape.map(|s| s.size().get()))?;
            dict.set_item("revision", status.revision)?;
            dict.set_item("luts", status.luts)?;
            dict.set_item("receivers", status.receivers)?;
            Ok(dict)
        };
        channels.into_iter().map(entry).collect()
    }

    /// Ends every stream.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            lock(&self.writers).clear();
            self.channels.close();
        });
    }
}
