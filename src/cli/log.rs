//! What is logged, on stderr.

use crate::EVENTS;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Warnings, and one line when a client comes or goes, a stream starts, or a size changes.
    #[default]
    Quiet,
    /// Everything of operational interest.
    Info,
    /// Each LUT, and every decision.
    Debug,
}

/// Sends this crate's log to stderr. Only the first call of a process has an effect.
pub fn start(detail: Detail) {
    let own = match detail {
        Detail::Quiet => LevelFilter::WARN,
        Detail::Info => LevelFilter::INFO,
        Detail::Debug => LevelFilter::DEBUG,
    };
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("virtual_gpu_lut_box", own)
        .with_target(EVENTS, LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(in_colour()).with_target(false);
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}

/// Whether stderr shows colours: not where it goes into a file, where `NO_COLOR` is set, or in an old Windows console,
/// which would show the codes instead. A newer one has to be asked first.
fn in_colour() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stderr())
        && !anstyle_query::no_color()
        && anstyle_query::windows::enable_ansi_colors() != Some(false)
}
