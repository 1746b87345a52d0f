//! The library's log, on its way to Python's `logging`.
//!
//! The threads that log never touch the interpreter: they leave records in a bounded queue, from which Python takes
//! them. What Python does not want is dropped before it is put into words.

use crate::backends::epoch_seconds;
use pyo3::prelude::*;
use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use virtual_gpu_lut_box::EVENTS;

/// Records kept for Python; further ones are counted, and that number is logged in their place.
const CAPACITY: usize = 4096;

/// A record as Python gets it: logger, level, text, file, line, thread, seconds since 1970.
type Record = (String, u8, String, String, u32, String, f64);

/// The lowest level, as Python counts them, that is kept.
static LEVEL: AtomicU8 = AtomicU8::new(WARNING);
static INSTALLED: AtomicBool = AtomicBool::new(false);
static QUEUE: Queue = Queue { state: Mutex::new(State::EMPTY), changed: Condvar::new() };

const WARNING: u8 = 30;

/// A level as Python counts them.
fn number(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 40,
        Level::WARN => WARNING,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

/// The logger of events with this target, or `None` where they are not the library's.
fn logger(target: &str) -> Option<String> {
    if target == EVENTS {
        return Some("virtual_gpu_lut_box.events".into());
    }
    target.starts_with("virtual_gpu_lut_box").then(|| target.replace("::", "."))
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    records: VecDeque<Record>,
    dropped: u64,
    /// Whether somebody takes records while they come.
    open: bool,
}

impl State {
    const EMPTY: State = State { records: VecDeque::new(), dropped: 0, open: false };
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, record: Record) {
        let mut state = self.lock();
        if state.records.len() >= CAPACITY {
            state.dropped += 1;
            return;
        }
        state.records.push_back(record);
        drop(state);
        self.changed.notify_one();
    }

    /// What is there, after waiting for it at most `time`; `None` once it is closed and empty.
    fn take(&self, time: Duration) -> Option<Vec<Record>> {
        let waiting = |state: &mut State| state.records.is_empty() && state.open;
        let waited = self.changed.wait_timeout_while(self.lock(), time, waiting);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let mut records: Vec<_> = state.records.drain(..).collect();
        match std::mem::take(&mut state.dropped) {
            0 => {}
            count => {
                let text = format!("{count} more log records came faster than Python took them, and are lost");
                let (module, file) = (module_path!().replace("::", "."), file!().to_owned());
                let now = epoch_seconds(SystemTime::now());
                records.push((module, WARNING, text, file, line!(), thread_name(), now));
            }
        }
        (state.open || !records.is_empty()).then_some(records)
    }
}

fn thread_name() -> String {
    std::thread::current().name().unwrap_or("vglb").to_owned()
}

/// Puts the library's events into the queue.
struct Forward;

impl<S: Subscriber> Layer<S> for Forward {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // The level may change at any time, so each event asks.
        if logger(metadata.target()).is_some() { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        number(metadata.level()) >= LEVEL.load(Ordering::Relaxed)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let Some(logger) = logger(metadata.target()) else { return };
        let mut text = Text::default();
        event.record(&mut text);
        let file = metadata.file().unwrap_or_default().to_owned();
        let time = epoch_seconds(SystemTime::now());
        let line = metadata.line().unwrap_or(0);
        QUEUE.put((logger, number(metadata.level()), text.0, file, line, thread_name(), time));
    }
}

/// An event's message, and its other fields behind it.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

/// Begins to take the log, and to keep `next_log_records` waiting for more.
#[pyfunction]
pub fn open_log() {
    if !INSTALLED.swap(true, Ordering::SeqCst) {
        // Fails only where the command line runs in this process, and has the log already.
        let _ = tracing_subscriber::registry().with(Forward).try_init();
    }
    QUEUE.lock().open = true;
}

/// Ends the waiting.
#[pyfunction]
pub fn close_log() {
    QUEUE.lock().open = false;
    QUEUE.changed.notify_all();
}

/// The records there are, after waiting for them at most `seconds`; `None` once the log is closed and none is left.
#[pyfunction]
pub fn next_log_records(py: Python<'_>, seconds: f64) -> Option<Vec<Record>> {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    py.detach(|| QUEUE.take(time))
}

/// Sets the lowest level that is kept, as Python counts them.
#[pyfunction]
pub fn set_log_level(level: u8) {
    LEVEL.store(level, Ordering::Relaxed);
}
