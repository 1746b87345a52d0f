//! Sending a LUT to a server.

use crate::arrays::LutView;
use crate::errors::{self, LutRefusedError};
use numpy::PyReadonlyArray4;
use pyo3::prelude::*;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use virtual_gpu_lut_box::hald::EntryOrder;
use virtual_gpu_lut_box::wire::client::Client;
use virtual_gpu_lut_box::wire::reply::Reply;

/// How often Python gets the chance to hear of Ctrl-C.
const HEARING: Duration = Duration::from_millis(50);

/// Sends a LUT, and waits for the server's reply. On a thread of its own, which Ctrl-C leaves to its time-out.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "they are one call's arguments in Python as well")]
pub fn send_lut(
    py: Python<'_>,
    lut: PyReadonlyArray4<'_, f32>,
    channel_name: Option<String>,
    host: String,
    port: u16,
    timeout: f64,
    entry_order: &str,
) -> PyResult<()> {
    let order: EntryOrder = entry_order.parse().map_err(errors::format)?;
    let time = Duration::try_from_secs_f64(timeout).map_err(errors::format)?;
    let view = LutView::new(&lut)?;
    view.check_finite().map_err(errors::format)?;
    let lut = view.to_lut();
    let (done, mut waiting) = channel();
    std::thread::Builder::new().name("vglb-send".into()).spawn(move || {
        let reply = Client::connect(&host, port, time)
            .and_then(|mut client| client.set_lut(channel_name.as_deref(), &lut, order));
        // Nobody listens any more after Ctrl-C.
        let _ = done.send(reply);
    })?;
    loop {
        let answer;
        (answer, waiting) = py.detach(move || (waiting.recv_timeout(HEARING), waiting));
        match answer {
            Ok(Ok(Reply::Ok)) => return Ok(()),
            Ok(Ok(Reply::Error(why))) => return Err(LutRefusedError::new_err(why)),
            Ok(Err(e)) => return Err(errors::client(e)),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(errors::StreamingError::new_err("the sending thread ended without a result"));
            }
        }
    }
}
