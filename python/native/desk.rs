//! Where connections leave LUTs for Python's callback thread, and wait for its answer.
//!
//! One thread, a Python one, takes LUTs from here and calls the callback: it has no frame of ours below it while the
//! callback runs, and the connections' threads never touch the interpreter.

use crate::arrays;
use numpy::PyArray4;
use pyo3::prelude::*;
use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use virtual_gpu_lut_box::lut::Lut3d;
use virtual_gpu_lut_box::sink::ChannelId;

/// What a client is told whose LUT is on the desk when the server stops.
const STOPPED: &str = "the server was stopped before its callback was done with the LUT";

type Answer = Result<(), String>;

struct Job {
    channel: ChannelId,
    lut: Lut3d,
    answer: SyncSender<Answer>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Of the LUT that the callback has now.
    pending: Option<SyncSender<Answer>>,
    closed: bool,
}

/// The desk itself, shared by a server's connections and its callback thread.
#[derive(Default)]
pub struct Tray {
    state: Mutex<State>,
    changed: Condvar,
}

impl Tray {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a LUT, and waits until the callback is done with it.
    pub fn hand_in(&self, channel: &ChannelId, lut: Lut3d) -> Answer {
        let (answer, answered) = sync_channel(1);
        let mut state = self.lock();
        if state.closed {
            return Err(STOPPED.into());
        }
        state.waiting.push_back(Job { channel: channel.clone(), lut, answer });
        drop(state);
        self.changed.notify_one();
        answered.recv().unwrap_or_else(|_| Err(STOPPED.into()))
    }

    /// Waits for the next LUT; `None` once the desk is closed.
    fn take(&self) -> Option<(ChannelId, Lut3d)> {
        let waiting = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let mut state = self.changed.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner);
        let job = state.waiting.pop_front()?;
        state.pending = Some(job.answer);
        Some((job.channel, job.lut))
    }

    fn answer(&self, answer: Answer) {
        if let Some(pending) = self.lock().pending.take() {
            // The connection may be gone.
            let _ = pending.send(answer);
        }
    }

    /// Tells every connection that waits here that nothing will come of it.
    fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
        state.pending = None;
        drop(state);
        self.changed.notify_all();
    }
}

/// Where a server's LUTs wait for Python.
#[pyclass(frozen, module = "virtual_gpu_lut_box._native")]
#[derive(Default)]
pub struct Desk {
    pub tray: Arc<Tray>,
}

#[pymethods]
impl Desk {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Waits for the next LUT: the array and its channel. `None` once the desk is closed.
    #[allow(clippy::type_complexity, reason = "a pair, as Python sees it")]
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<(Bound<'py, PyArray4<f32>>, Option<String>)>> {
        let Some((channel, lut)) = py.detach(|| self.tray.take()) else { return Ok(None) };
        Ok(Some((arrays::from_lut(py, lut)?, channel.name().map(str::to_owned))))
    }

    /// What became of the LUT taken last: `None`, or a sentence for the client.
    fn answer(&self, error: Option<String>) {
        self.tray.answer(error.map_or(Ok(()), Err));
    }

    /// Ends `take`, and every client's waiting.
    fn close(&self) {
        self.tray.close();
    }
}
