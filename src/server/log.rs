//! Lines of the log that clients cause, so that a flood of them is no flood of the log.
//!
//! Each origin has its own allowance: whoever floods hides nobody else's lines.

use super::origin::Origin;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Lines that an origin may cause at once by being refused. After that, one a second.
pub(crate) const REFUSALS: u32 = 16;
/// The same, by coming and going.
pub(super) const EVENTS: u32 = 64;
/// Origins that are told apart. Where there are more, the one longest quiet is forgotten.
const MOST_ORIGINS: usize = 256;

/// What each origin may still cause.
pub(crate) struct ClientLog {
    burst: u32,
    origins: Mutex<BTreeMap<Origin, Allowance>>,
}

#[derive(Clone, Copy)]
struct Allowance {
    lines: u32,
    since: Instant,
    unlogged: u64,
}

/// Behind a line: how many there would have been before it.
pub(crate) struct Unlogged(u64);

impl fmt::Display for Unlogged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(" (and 1 more line about this address before)"),
            more => write!(f, " (and {more} more lines about this address before)"),
        }
    }
}

impl ClientLog {
    /// Each origin may cause so many lines at once, and one a second after that.
    pub(crate) fn new(burst: u32) -> Self {
        ClientLog { burst, origins: Mutex::default() }
    }

    /// Whether a line about `origin` may be written now, and what to put behind it.
    pub(crate) fn may(&self, origin: Origin) -> Option<Unlogged> {
        self.may_at(origin, Instant::now())
    }

    fn may_at(&self, origin: Origin, now: Instant) -> Option<Unlogged> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        if origins.len() >= MOST_ORIGINS
            && !origins.contains_key(&origin)
            && let Some(oldest) = origins.iter().min_by_key(|(_, a)| a.since).map(|(origin, _)| *origin)
        {
            origins.remove(&oldest);
        }
        let allowance = origins.entry(origin).or_insert(Allowance { lines: self.burst, since: now, unlogged: 0 });
        let earned = now.saturating_duration_since(allowance.since).as_secs();
        if earned > 0 {
            let lines = u64::from(allowance.lines).saturating_add(earned);
            allowance.lines = u32::try_from(lines).unwrap_or(u32::MAX).min(self.burst);
            allowance.since = now;
        }
        if allowance.lines == 0 {
            allowance.unlogged += 1;
            return None;
        }
        allowance.lines -= 1;
        Some(Unlogged(std::mem::take(&mut allowance.unlogged)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;
    use std::time::Duration;

    #[test]
    fn a_flood_is_cut_to_one_line_a_second_and_hides_nobody_else() {
        let log = ClientLog::new(REFUSALS);
        let origin = |n| Origin::from(IpAddr::from([10, 0, 0, n]));
        let begun = Instant::now();
        let said = |n, second, times: usize| -> Vec<String> {
            let at = begun + Duration::from_secs(second);
            (0..times).filter_map(|_| log.may_at(origin(n), at)).map(|u| u.to_string()).collect()
        };
        assert_eq!(said(1, 0, 1000), vec![""; 16]);
        assert_eq!(said(2, 0, 1), [""]);
        assert_eq!(said(1, 1, 1000), [" (and 984 more lines about this address before)"]);
        assert_eq!(said(1, 2, 1), [" (and 999 more lines about this address before)"]);
        assert_eq!(said(1, 1000, 20).len(), 16);
        assert_eq!(said(1, 1001, 1), [" (and 4 more lines about this address before)"]);
    }

    #[test]
    fn many_addresses_take_no_more_memory_than_some() {
        let log = ClientLog::new(REFUSALS);
        for i in 0..1000u32 {
            assert!(log.may(Origin::from(IpAddr::from(i.to_be_bytes()))).is_some());
        }
        assert_eq!(log.origins.lock().unwrap().len(), MOST_ORIGINS);
    }
}
