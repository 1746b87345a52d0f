//! What is said of a lack that may come and go many times a second.

use std::fmt;
use std::time::{Duration, Instant};

/// It is said at most once in this time that something is lacking.
const SAID_AGAIN: Duration = Duration::from_secs(10);
/// So long without a lack, and it is over.
const CALM: Duration = Duration::from_secs(1);

/// Whether something is lacking, and whether the log says so.
#[derive(Default)]
pub(super) struct Shortage {
    /// When it last lacked.
    last: Option<Instant>,
    /// There was enough, after it had last lacked.
    enough: bool,
    /// What the log says: when that was written, and whether the lack is over.
    said: Option<Said>,
    /// How often it began to lack, and the log did not say so.
    unsaid: u64,
}

struct Said {
    lacking: Instant,
    over: bool,
}

/// Behind a line: how often there would have been one before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsaid(u64);

impl fmt::Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(" (and once more since this was last said)"),
            more => write!(f, " (and {more} more times since this was last said)"),
        }
    }
}

impl Shortage {
    /// It lacks. Whether that is to be said, and what to put behind it.
    pub(super) fn lacks(&mut self, now: Instant) -> Option<Unsaid> {
        let begins = self.last.is_none() || self.enough;
        self.last = Some(now);
        self.enough = false;
        let due = match &self.said {
            None => true,
            Some(said) => now.saturating_duration_since(said.lacking) >= SAID_AGAIN && (begins || said.over),
        };
        if due {
            self.said = Some(Said { lacking: now, over: false });
            // One that began unsaid, and is said now, was not left out.
            let unsaid = std::mem::take(&mut self.unsaid);
            return Some(Unsaid(if begins { unsaid } else { unsaid.saturating_sub(1) }));
        }
        self.unsaid += u64::from(begins);
        None
    }

    /// There was enough.
    pub(super) fn suffices(&mut self) {
        self.enough = self.last.is_some();
    }

    /// When it is over, if nothing lacks until then, and the log is to say so.
    pub(super) fn over_at(&self) -> Option<Instant> {
        let unfinished = self.said.as_ref().is_some_and(|said| !said.over);
        self.last.filter(|_| self.enough && unfinished).map(|last| last + CALM)
    }

    /// Whether it is to be said that it is over, and what to put behind that.
    pub(super) fn is_over(&mut self, now: Instant) -> Option<Unsaid> {
        self.over_at().filter(|at| *at <= now)?;
        self.last = None;
        self.enough = false;
        if let Some(said) = &mut self.said {
            said.over = true;
        }
        Some(Unsaid(std::mem::take(&mut self.unsaid)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What would be in the log, with the seconds.
    struct Log(Shortage, Instant, Vec<String>);

    impl Log {
        fn new() -> Self {
            Log(Shortage::default(), Instant::now(), Vec::new())
        }

        fn at(&self, ms: u64) -> Instant {
            self.1 + Duration::from_millis(ms)
        }

        fn lacks(&mut self, ms: u64) {
            let line = self.0.lacks(self.at(ms)).map(|unsaid| format!("{ms} lacks{unsaid}"));
            self.2.extend(line);
        }

        fn suffices(&mut self, ms: u64) {
            self.0.suffices();
            self.look(ms);
        }

        fn look(&mut self, ms: u64) {
            let line = self.0.is_over(self.at(ms)).map(|unsaid| format!("{ms} over{unsaid}"));
            self.2.extend(line);
        }
    }

    #[test]
    fn a_lack_that_lasts_is_said_once_and_once_more_when_it_is_over() {
        let mut log = Log::new();
        for ms in (0..3_600_000).step_by(200) {
            log.lacks(ms);
            log.look(ms + 1);
        }
        log.suffices(3_600_000);
        let over = log.0.over_at().unwrap();
        assert_eq!(over, log.at(3_600_800), "a second after it last lacked");
        log.look(3_600_799);
        log.look(3_600_800);
        log.look(3_700_000);
        assert_eq!(log.2, ["0 lacks", "3600800 over"]);
        assert_eq!(log.0.over_at(), None, "nothing is waited for any more");
    }

    #[test]
    fn a_lack_that_comes_and_goes_is_said_once_in_ten_seconds_with_a_count() {
        let mut log = Log::new();
        for ms in (0..35_000).step_by(200) {
            log.lacks(ms);
            log.suffices(ms + 100);
        }
        log.look(40_000);
        let more = " (and 49 more times since this was last said)";
        let lines = [
            "0 lacks".to_owned(),
            format!("10000 lacks{more}"),
            format!("20000 lacks{more}"),
            format!("30000 lacks{more}"),
            "40000 over (and 24 more times since this was last said)".to_owned(),
        ];
        assert_eq!(log.2, lines);
    }

    #[test]
    fn a_lack_that_comes_back_soon_is_said_once_its_time_has_come_if_it_lasts() {
        let mut log = Log::new();
        log.lacks(0);
        log.suffices(1500);
        // It comes back, and goes before that can be said.
        log.lacks(2000);
        log.suffices(4000);
        assert_eq!(log.0.over_at(), None, "that it is over was said already");
        // And again, for long.
        for ms in (5000..20_000).step_by(200) {
            log.lacks(ms);
        }
        log.suffices(21_000);
        assert_eq!(
            log.2,
            ["0 lacks", "1500 over", "10000 lacks (and once more since this was last said)", "21000 over"]
        );
    }
}
