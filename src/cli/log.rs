//! What is logged, on stderr: one event a line, whatever its text holds.
//!
//! Much of what is logged comes from others: channels' names, addresses, what a peer calls itself. Characters that end a
//! line, move the cursor or turn the direction of writing are escaped in all of it, in both formats.

use super::output::escape;
use super::serve::kept_lines;
use crate::{EVENTS, SECRETS, texture};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::fmt::{self, Debug, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Registry, reload};

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

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Time, level and text.
    #[default]
    Human,
    /// One JSON object a line, with `time`, `level`, `message`, and whatever else an event has.
    Json,
}

/// What a program that runs on takes about its log.
#[derive(Args, Debug)]
pub struct LogArgs {
    /// Log each LUT, and each decision (debug logging)
    #[arg(long, short)]
    verbose: bool,
    /// Log operational details
    #[arg(long)]
    info_logging: bool,
    /// How a line of the log is written
    #[arg(long, default_value = "human", value_name = "FORMAT")]
    log_format: LogFormat,
}

impl LogArgs {
    /// How much is logged.
    pub fn detail(&self) -> Detail {
        match (self.verbose, self.info_logging) {
            (true, _) => Detail::Debug,
            (false, true) => Detail::Info,
            (false, false) => Detail::Quiet,
        }
    }

    /// Starts the log.
    pub fn start(&self) -> Log {
        start(self.detail(), self.log_format)
    }

    /// Whether a machine reads stderr: then nothing may be written to it that is no line of the log.
    pub fn is_for_machines(&self) -> bool {
        self.log_format == LogFormat::Json || texture::stderr_is_journal()
    }
}

/// The log that was started.
pub struct Log(reload::Handle<Targets, Registry>);

impl Log {
    /// Logs so much from now on.
    pub fn set(&self, detail: Detail) {
        // It fails only where this process has a log of another's.
        let _ = self.0.reload(filter(detail));
    }
}

/// What goes to stderr.
fn filter(detail: Detail) -> Targets {
    let own = match detail {
        Detail::Quiet => LevelFilter::WARN,
        Detail::Info => LevelFilter::INFO,
        Detail::Debug => LevelFilter::DEBUG,
    };
    // Zenoh warns of every connection that is tried again.
    let zenoh = if detail == Detail::Quiet { LevelFilter::ERROR } else { LevelFilter::WARN };
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("zenoh", zenoh)
        .with_target("virtual_gpu_lut_box", own)
        .with_target(EVENTS, LevelFilter::INFO)
        .with_target(SECRETS, LevelFilter::INFO)
}

/// Sends this crate's log to stderr. Only the first call of a process has an effect.
pub fn start(detail: Detail, format: LogFormat) -> Log {
    let (filter, handle) = reload::Layer::new(filter(detail));
    let lines = Lines { format, journal: texture::stderr_is_journal() };
    let lines =
        tracing_subscriber::fmt::layer().event_format(lines).with_writer(std::io::stderr).with_ansi(in_colour());
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).with(kept_lines()).try_init();
    Log(handle)
}

/// Whether stderr shows colours: not where it goes into a file, where `NO_COLOR` is set, or in an old Windows console,
/// which would show the codes instead. A newer one has to be asked first.
fn in_colour() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stderr())
        && !anstyle_query::no_color()
        && anstyle_query::windows::enable_ansi_colors() != Some(false)
}

/// Writes events as lines.
struct Lines {
    format: LogFormat,
    /// For systemd's journal: the priority stands in front (sd-daemon(3)), and people get the time from the journal.
    journal: bool,
}

/// How levels are called in JSON, shown to people (with the code of the colour), and known to the journal.
fn names(level: Level) -> (&'static str, &'static str, u8, u8) {
    match level {
        Level::ERROR => ("error", "ERROR", 31, 3),
        Level::WARN => ("warn", " WARN", 33, 4),
        Level::INFO => ("info", " INFO", 32, 6),
        Level::DEBUG => ("debug", "DEBUG", 34, 7),
        Level::TRACE => ("trace", "TRACE", 35, 7),
    }
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut content = Content::default();
        event.record(&mut content);
        let (name, shown, colour, priority) = names(*event.metadata().level());
        if self.journal {
            write!(to, "<{priority}>")?;
        }
        match self.format {
            LogFormat::Json => {
                let mut time = String::new();
                SystemTime.format_time(&mut Writer::new(&mut time))?;
                let target = event.metadata().target();
                let line = JsonLine { time: time.trim_end(), level: name, target, content: &content };
                writeln!(to, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
            }
            LogFormat::Human if self.journal => writeln!(to, "{content}"),
            LogFormat::Human if to.has_ansi_escapes() => {
                to.write_str("\x1b[2m")?;
                SystemTime.format_time(&mut to)?;
                writeln!(to, "\x1b[0m \x1b[{colour}m{shown}\x1b[0m {content}")
            }
            LogFormat::Human => {
                SystemTime.format_time(&mut to)?;
                writeln!(to, " {shown} {content}")
            }
        }
    }
}

/// A line of the log in JSON.
#[derive(Serialize)]
struct JsonLine<'a> {
    /// RFC 3339, UTC.
    time: &'a str,
    level: &'a str,
    target: &'a str,
    #[serde(flatten)]
    content: &'a Content,
}

/// What an event says, escaped.
#[derive(Default, Serialize)]
struct Content {
    message: String,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    fields: serde_json::Map<String, serde_json::Value>,
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.fields.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

impl Content {
    fn set(&mut self, field: &Field, value: serde_json::Value) {
        self.fields.insert(field.name().to_owned(), value);
    }
}

impl Visit for Content {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Rust's own Debug leaves much as it is, where a type writes itself.
        let mut text = String::new();
        let _ = write!(Escaping(&mut text), "{value:?}");
        match field.name() {
            "message" => self.message = text,
            _ => self.set(field, text.into()),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }
}

/// Escapes what is written through it.
struct Escaping<'a>(&'a mut String);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(text, self.0);
        Ok(())
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
