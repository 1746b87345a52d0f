//! The last lines of the program's log, for the panel: what happens without being asked for, and warnings.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Lines that are kept.
const KEPT: usize = 200;
/// Bytes of a line that are kept.
const LONGEST: usize = 1000;

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Counts from 1.
    pub(super) number: u64,
    at: SystemTime,
    warning: bool,
    text: String,
}

impl Line {
    pub(super) fn json(&self) -> Value {
        json!({
            "number": self.number,
            "time": super::status::seconds(self.at),
            "level": if self.warning { "warning" } else { "info" },
            "text": self.text,
        })
    }
}

struct Log {
    lines: VecDeque<Line>,
    last: u64,
    bells: Vec<SyncSender<()>>,
}

/// A program has one log.
static LOG: Mutex<Log> = Mutex::new(Log { lines: VecDeque::new(), last: 0, bells: Vec::new() });

fn log() -> MutexGuard<'static, Log> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lines behind number `last`.
pub(super) fn after(last: u64) -> Vec<Line> {
    log().lines.iter().filter(|line| line.number > last).cloned().collect()
}

/// Rings the bell at every line, until nobody listens any more.
pub(super) fn ring(bell: SyncSender<()>) {
    log().bells.push(bell);
}

fn add(warning: bool, text: String) {
    let mut log = log();
    log.last += 1;
    let line = Line { number: log.last, at: SystemTime::now(), warning, text };
    log.lines.push_back(line);
    if log.lines.len() > KEPT {
        log.lines.pop_front();
    }
    // One that has not been heard yet need not be rung again.
    log.bells.retain(|bell| !matches!(bell.try_send(()), Err(std::sync::mpsc::TrySendError::Disconnected(()))));
}

/// Keeps lines for the panel.
pub struct KeepLines;

impl<S: Subscriber> Layer<S> for KeepLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        add(*event.metadata().level() <= Level::WARN, text.0);
    }
}

/// The text of an event, cut where it is too long.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
            let cut = (0..=LONGEST.min(self.0.len())).rev().find(|at| self.0.is_char_boundary(*at));
            self.0.truncate(cut.unwrap_or(0));
        }
    }
}
