//! Text files line by line, within bounds: what every reader of a text format stands on.

use std::borrow::Cow;
use std::io::{self, BufRead};

/// Characters of a line that are shown in an error message.
const EXCERPT_CHARS: usize = 60;

/// How much text is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of one line, without its ending.
    pub line: usize,
    /// Bytes of the whole file.
    pub file: u64,
}

/// Why the next line could not be had.
#[derive(Debug)]
pub(crate) enum LinesError {
    /// The line is longer than the limit; its beginning is the current line.
    LineTooLong,
    /// The file is longer than the limit.
    FileTooLong,
    /// Reading failed.
    Io(io::Error),
}

/// Reads lines that end in LF, CRLF or CR, the last one in nothing at all. A UTF-8 byte order mark at the start is
/// left out. At no time is more than one line held.
pub(crate) struct Lines<R> {
    reader: R,
    limits: Limits,
    line: Vec<u8>,
    number: usize,
    bytes: u64,
    after_return: bool,
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R, limits: Limits) -> Self {
        Lines { reader, limits, line: Vec::new(), number: 0, bytes: 0, after_return: false }
    }

    /// Goes to the next line; false at the end of the file.
    pub fn advance(&mut self) -> Result<bool, LinesError> {
        self.line.clear();
        let mut found = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(LinesError::Io(e)),
            };
            let Some(first) = buffer.first() else { break };
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                self.reader.consume(1);
                self.bytes += 1;
                continue;
            }
            if !found {
                found = true;
                self.number += 1;
            }
            let end = buffer.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = self.limits.line - self.line.len();
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if part.len() > room {
                return Err(LinesError::LineTooLong);
            }
            self.after_return = end.is_some_and(|at| buffer[at] == b'\r');
            let taken = part.len() + usize::from(end.is_some());
            self.reader.consume(taken);
            self.bytes += taken as u64;
            if self.bytes > self.limits.file {
                return Err(LinesError::FileTooLong);
            }
            if end.is_some() {
                break;
            }
        }
        if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
        Ok(found)
    }

    /// The number of the current line; the first is 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The current line without its ending and without blanks around it. Bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.line.trim_ascii())
    }

    /// The current line as an error message may show it.
    pub fn excerpt(&self) -> String {
        excerpt(&self.text())
    }
}

/// The beginning of a text, in quotes, on one line, with nothing in it that a terminal would obey.
pub(crate) fn excerpt(text: &str) -> String {
    let shown: String = text.chars().take(EXCERPT_CHARS).collect();
    let more = if text.chars().nth(EXCERPT_CHARS).is_some() { "…" } else { "" };
    format!("{shown:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    const LIMITS: Limits = Limits { line: 40, file: 1000 };

    /// The lines with their numbers, whatever size of buffer the reader happens to have.
    fn lines(text: &[u8]) -> Vec<(usize, String)> {
        let read = |capacity| {
            let mut lines = Lines::new(BufReader::with_capacity(capacity, text), LIMITS);
            let mut all = Vec::new();
            while lines.advance().unwrap() {
                all.push((lines.number(), lines.text().into_owned()));
            }
            all
        };
        let all = read(8192);
        for capacity in 1..9 {
            assert_eq!(read(capacity), all, "with a buffer of {capacity} bytes");
        }
        all
    }

    #[test]
    fn every_line_ending_counts_once() {
        let want = [(1, "a".to_owned()), (2, String::new()), (3, "b c".to_owned())];
        for text in ["a\n\nb c\n", "a\n\nb c", "a\r\n\r\nb c\r\n", "a\r\rb c\r", "a\r\n\rb c", "a\n\r\n b c\t\r\n"] {
            assert_eq!(lines(text.as_bytes()), want, "{text:?}");
        }
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"\r\n"), [(1, String::new())]);
    }

    #[test]
    fn a_byte_order_mark_is_left_out() {
        assert_eq!(lines("\u{feff}a\n\u{feff}b".as_bytes()), [(1, "a".to_owned()), (2, "\u{feff}b".to_owned())]);
    }

    #[test]
    fn text_that_is_not_utf8_is_still_text() {
        assert_eq!(lines(b"caf\xe9"), [(1, "caf\u{fffd}".to_owned())]);
    }

    #[test]
    fn lines_and_files_beyond_the_limit_are_refused_without_being_held() {
        let endless = || BufReader::new(io::repeat(b'x'));
        let mut reader = Lines::new(endless(), LIMITS);
        assert!(matches!(reader.advance(), Err(LinesError::LineTooLong)));
        assert_eq!(reader.line.len(), 40);
        assert_eq!(reader.number(), 1);

        let mut reader = Lines::new(BufReader::new(io::repeat(b'\n')), LIMITS);
        let mut read = 0;
        while matches!(reader.advance(), Ok(true)) {
            read += 1;
        }
        assert_eq!(read, 1000);
        assert!(lines(&[b'x'; 40]).len() == 1);
    }

    #[test]
    fn excerpts_are_short_and_harmless() {
        assert_eq!(excerpt("1 2 3"), "\"1 2 3\"");
        assert_eq!(excerpt("\x1b[2J\tno\0"), r#""\u{1b}[2J\tno\0""#);
        assert_eq!(excerpt(&"ä".repeat(61)), format!("\"{}\"…", "ä".repeat(60)));
    }
}
