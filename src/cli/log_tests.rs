//! Lines as they are written, with hostile text in them.

use super::*;
use std::io;
use std::sync::{Arc, Mutex};
use tracing::subscriber::with_default;
use tracing::{debug, error, info, warn};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(format: LogFormat, journal: bool, colours: bool, log: impl FnOnce()) -> String {
    let all = Written::default();
    let to = all.clone();
    let layer = tracing_subscriber::fmt::layer()
        .event_format(Lines { format, journal })
        .with_writer(move || to.clone())
        .with_ansi(colours);
    with_default(tracing_subscriber::registry().with(layer), log);
    String::from_utf8(all.0.lock().unwrap().clone()).unwrap()
}

/// A title as an attacker would have it: new lines, the screen cleared, a C1 escape, the line turned round.
const HOSTILE: &str = "cam\r\n<3>2026 ERROR forged\u{1b}[2J\u{9b}1A\u{202e}txt\u{2028}x\u{0}\u{7f}";
const ESCAPED: &str = r"cam\r\n<3>2026 ERROR forged\u{1b}[2J\u{9b}1A\u{202e}txt\u{2028}x\u{0}\u{7f}";

#[test]
fn an_event_is_one_line_whatever_its_text_holds() {
    let log = || {
        info!("channel {HOSTILE} began");
        warn!(title = HOSTILE, number = 7, "known as {HOSTILE:?}");
    };
    for (format, journal) in
        [(LogFormat::Human, false), (LogFormat::Human, true), (LogFormat::Json, false), (LogFormat::Json, true)]
    {
        let text = written(format, journal, false, log);
        assert_eq!(text.lines().count(), 2, "{text:?}");
        assert!(text.chars().all(|c| c == '\n' || !super::super::output::is_hidden(c)), "{text:?}");
    }
    let human = written(LogFormat::Human, true, false, log);
    let mut lines = human.lines();
    assert_eq!(lines.next().unwrap(), format!("<6>channel {ESCAPED} began"));
    assert!(lines.next().unwrap().starts_with("<4>known as \"cam"));
}

#[test]
fn json_lines_say_when_how_grave_and_what() {
    let text = written(LogFormat::Json, false, false, || {
        info!(target: EVENTS, "client {HOSTILE} \"came\"");
        error!(luts = 3u64, left = -2i64, kept = true, name = HOSTILE, "gone");
    });
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Whoever reads the message after decoding must not be fooled either.
    assert_eq!(lines[0]["message"], format!("client {ESCAPED} \"came\""));
    assert_eq!((&lines[0]["level"], &lines[0]["target"]), (&"info".into(), &EVENTS.into()));
    assert!(lines[0].get("fields").is_none());
    let time = lines[0]["time"].as_str().unwrap();
    assert!(time.len() == 27 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
    assert_eq!(lines[1]["level"], "error");
    assert_eq!(lines[1]["fields"], serde_json::json!({ "luts": 3, "left": -2, "kept": true, "name": ESCAPED }));
}

#[test]
fn the_journal_gets_the_priority_and_no_time() {
    let log = || {
        error!("a");
        warn!("b");
        info!("c");
        debug!("d");
    };
    assert_eq!(written(LogFormat::Human, true, false, log), "<3>a\n<4>b\n<6>c\n<7>d\n");
    let json = written(LogFormat::Json, true, false, log);
    assert!(json.lines().all(|line| line.starts_with('<') && line[3..].starts_with("{\"time\":")), "{json}");
}

#[test]
fn people_get_the_time_the_level_and_where_wanted_colours() {
    let plain = written(LogFormat::Human, false, false, || warn!("low"));
    assert!(plain.ends_with("Z  WARN low\n") && !plain.contains('\u{1b}'), "{plain:?}");
    let colours = written(LogFormat::Human, false, true, || warn!("low \u{1b}[2J"));
    assert!(colours.ends_with("\u{1b}[33m WARN\u{1b}[0m low \\u{1b}[2J\n"), "{colours:?}");
}
