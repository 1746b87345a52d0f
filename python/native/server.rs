//! The TCP server: in front of a desk, where Python takes the LUTs, or of textures, where Python has no part in it.

use crate::desk::Desk;
use crate::errors;
use crate::streamer::Streamer;
use pyo3::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use virtual_gpu_lut_box::hald::EntryOrder;
use virtual_gpu_lut_box::server::{self, Access, ServerConfig};
use virtual_gpu_lut_box::sink::{self, LutSink};

/// A running server.
#[pyclass(frozen, module = "virtual_gpu_lut_box._native")]
pub struct Server {
    server: Mutex<Option<server::Server>>,
    addresses: Vec<(String, u16)>,
}

impl Server {
    fn start(py: Python<'_>, host: String, port: u16, sink: Arc<dyn LutSink>) -> PyResult<Self> {
        let config = ServerConfig { host, port, access: Access::anyone(), ..ServerConfig::default() };
        let server = py.detach(|| server::Server::start(&config, sink)).map_err(|e| errors::start(py, e))?;
        let addresses = server.addresses().iter().map(|a| (a.ip().to_string(), a.port())).collect();
        Ok(Server { server: Mutex::new(Some(server)), addresses })
    }

    fn lock(&self) -> MutexGuard<'_, Option<server::Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Server {
    /// Listens, and leaves every LUT on `desk`.
    #[staticmethod]
    fn deliver(py: Python<'_>, host: String, port: u16, desk: &Desk) -> PyResult<Self> {
        let tray = desk.tray.clone();
        let sink = sink::callback(EntryOrder::BlueFastest, move |channel, lut| tray.hand_in(channel, lut));
        Self::start(py, host, port, Arc::new(sink))
    }

    /// Listens, and publishes every LUT through `streamer`.
    #[staticmethod]
    fn publish(py: Python<'_>, host: String, port: u16, streamer: &Streamer) -> PyResult<Self> {
        Self::start(py, host, port, streamer.sink())
    }

    /// The addresses listened on, as IP address and port.
    #[getter]
    fn addresses(&self) -> Vec<(String, u16)> {
        self.addresses.clone()
    }

    /// Frees the port; connections go on.
    fn stop_accepting(&self, py: Python<'_>) {
        py.detach(|| {
            if let Some(server) = &mut *self.lock() {
                server.stop_accepting();
            }
        });
    }

    /// Stops, and tells whether every request that had arrived was finished in time.
    fn stop(&self, py: Python<'_>) -> bool {
        py.detach(|| self.lock().as_mut().is_none_or(server::Server::stop))
    }

    /// Lets go of it without stopping it: in a forked child its threads do not exist, and can't be waited for.
    fn forget(&self) {
        // Not waiting for the lock: whoever had it at the time of the fork is not here either.
        if let Ok(mut server) = self.server.try_lock() {
            std::mem::forget(server.take());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Stopping may wait for the callback's thread, which needs the interpreter.
        Python::attach(|py| self.stop(py));
    }
}
