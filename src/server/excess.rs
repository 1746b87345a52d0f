//! How many connections beyond a limit are answered. Each costs a sentence, or a thread that takes another's place, and
//! whoever comes after it waits that long.
//!
//! Each origin has its own allowance. What it opens beyond that is closed without a word: next to nothing for the server,
//! so that no other origin waits behind a flood.

use super::origin::Origin;
use std::collections::BTreeMap;
use std::time::Instant;

/// Connections beyond a limit that an origin may have answered at once: more than a program opens that has gone wrong
/// once, and than keep anybody waiting for long.
const AT_ONCE: u32 = 512;
/// One more is answered after so many milliseconds.
const EARNED_MS: u128 = 1;
/// Origins that are told apart. Where there are more, the one longest quiet is forgotten.
const MOST_ORIGINS: usize = 256;

/// What each origin may still have answered.
#[derive(Default)]
pub(super) struct Excess(BTreeMap<Origin, Allowance>);

struct Allowance {
    left: u32,
    since: Instant,
}

impl Excess {
    /// Whether one more connection of `origin` beyond a limit is answered.
    pub(super) fn may(&mut self, origin: Origin, now: Instant) -> bool {
        if self.0.len() >= MOST_ORIGINS
            && !self.0.contains_key(&origin)
            && let Some(oldest) = self.0.iter().min_by_key(|(_, a)| a.since).map(|(origin, _)| *origin)
        {
            self.0.remove(&oldest);
        }
        let allowance = self.0.entry(origin).or_insert(Allowance { left: AT_ONCE, since: now });
        let earned = now.saturating_duration_since(allowance.since).as_millis() / EARNED_MS;
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            allowance.left = allowance.left.saturating_add(earned).min(AT_ONCE);
            allowance.since = now;
        }
        let may = allowance.left > 0;
        allowance.left -= u32::from(may);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;
    use std::time::Duration;

    #[test]
    fn a_flood_is_answered_for_a_while_and_takes_no_answer_from_another_address() {
        let mut excess = Excess::default();
        let origin = |n| Origin::from(IpAddr::from([10, 0, 0, n]));
        let begun = Instant::now();
        let mut answered = |n, ms, times: usize| {
            let at = begun + Duration::from_millis(ms);
            (0..times).filter(|_| excess.may(origin(n), at)).count()
        };
        assert_eq!(answered(1, 0, 500), 500, "as many as one program opens by mistake");
        assert_eq!(answered(1, 0, 10_000), 12);
        assert_eq!(answered(2, 0, 500), 500);
        assert_eq!(answered(1, 1, 100), 1);
        assert_eq!(answered(1, 101, 10_000), 100);
        assert_eq!(answered(1, 1_000_000, 10_000), 512);
    }

    #[test]
    fn many_addresses_take_no_more_memory_than_some() {
        let mut excess = Excess::default();
        for i in 0..1000u32 {
            assert!(excess.may(Origin::from(IpAddr::from(i.to_be_bytes())), Instant::now()));
        }
        assert_eq!(excess.0.len(), MOST_ORIGINS);
    }
}
