//! Writing results to stdout.

use std::fmt;
use std::io::{self, Write};

/// Writes a line to stdout. Where nobody reads it any more (`vglb list | head -1`), the program has nothing left to do.
pub(super) fn line(text: fmt::Arguments<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        done => done,
    }
}

/// Writes rows as a table, its columns as wide as their widest cell.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let show = |cells: [&str; N]| {
        let padded: String = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        line(format_args!("{}", padded.trim_end()))
    };
    show(head)?;
    rows.iter().try_for_each(|row| show(row.each_ref().map(String::as_str)))
}

/// A duration as people say it: `0.4 ms`, `3.2 s`, `5 min`, `2 h`, `3 d`.
pub(super) fn span(duration: std::time::Duration) -> String {
    let s = duration.as_secs_f64();
    match s {
        _ if s < 1.0 => format!("{:.1} ms", s * 1e3),
        _ if s < 100.0 => format!("{s:.1} s"),
        _ if s < 6000.0 => format!("{:.0} min", s / 60.0),
        _ if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        _ => format!("{:.0} d", s / 86_400.0),
    }
}

/// Text of others on one line, with everything escaped that would do something to the terminal or the text around it.
pub(super) fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    escape(text, &mut escaped);
    escaped
}

/// Appends text of others, as [`plain`] writes it.
pub(super) fn escape(text: &str, to: &mut String) {
    for c in text.chars() {
        match is_hidden(c) {
            true => to.extend(c.escape_default()),
            false => to.push(c),
        }
    }
}

/// Whether a character ends a line, moves the cursor, or changes the direction of writing.
pub(super) fn is_hidden(c: char) -> bool {
    let turns =
        |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn spans_read_well_at_every_length() {
        let said: Vec<_> =
            [0.0004, 0.25, 3.25, 150.0, 7200.0, 300_000.0].map(|s| span(Duration::from_secs_f64(s))).into();
        assert_eq!(said, ["0.4 ms", "250.0 ms", "3.2 s", "2 min", "2 h", "3 d"]);
    }

    #[test]
    fn names_of_streams_cannot_move_the_cursor() {
        assert_eq!(plain("cam “A”\n\u{1b}[2J"), "cam “A”\\n\\u{1b}[2J");
        assert_eq!(plain("a\u{202e}b\u{2028}c\u{85}"), "a\\u{202e}b\\u{2028}c\\u{85}");
    }
}
