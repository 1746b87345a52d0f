//! A progress bar for work that takes its time.

use crate::picture::{Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Work that is done sooner than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);
const STEPS: f64 = 1000.0;

/// A bar on stderr, where that is a terminal; nothing elsewhere.
pub(super) struct Bar {
    bar: ProgressBar,
    begun: Instant,
    shown: AtomicBool,
}

impl Bar {
    /// A bar that shows itself once the work has taken half a second.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(STEPS as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg:>8} [{bar:40}] {percent:>3} %") {
            bar.set_style(style.progress_chars("=> "));
        }
        Bar { bar, begun: Instant::now(), shown: AtomicBool::new(false) }
    }
}

impl Progress for Bar {
    fn at(&self, stage: Stage, part: f64) {
        if self.begun.elapsed() >= PATIENCE && !self.shown.swap(true, Ordering::Relaxed) {
            // Draws only where stderr is a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position((part * STEPS) as u64);
        self.bar.set_message(match stage {
            Stage::Reading => "reading",
            Stage::Grading => "grading",
            Stage::Writing => "writing",
        });
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
