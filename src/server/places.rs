//! Who gets a place where there are too few: whether a connection may be opened, and which one makes room for it.
//!
//! - Of all places, the last eighth is for origins that have none.
//! - Whoever has sent no whole request makes room first, one that is in the middle of none before the others; then whoever has sent nothing that was accepted and is idle.
//! - One that has put a LUT or CDL values into force never makes room: a wall hangs on it.
//! - An origin makes room for its own connections, and for another's only where it has more than that one.

use super::ServerConfig;
use super::origin::{Origin, reserve};
use std::collections::BTreeMap;
use std::time::Instant;

/// How a connection stands with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Standing {
    /// Has sent no whole request yet.
    New = 0,
    /// Has sent at least one whole request.
    Proven = 1,
    /// Has put a LUT or CDL values into force.
    Grading = 2,
    /// Had to make room for another.
    Displaced = 3,
}

/// A connection that has a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder {
    pub key: u64,
    pub origin: Origin,
    pub standing: Standing,
    /// Is in the middle of a request.
    pub at_work: bool,
    /// When it was opened, or last sent a whole request.
    pub active: Instant,
}

/// How many places there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub all: usize,
    pub each: usize,
}

/// What becomes of one connection more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// There is a place for it.
    Free,
    /// The limit that it goes beyond, and who makes room, the best choice first; with nobody, it is refused.
    Over { limit: String, make_room: Vec<u64> },
}

impl Places {
    pub(super) fn of(config: &ServerConfig) -> Self {
        Places { all: config.max_connections, each: config.max_connections_per_address }
    }

    /// What becomes of a connection from `newcomer`.
    pub(super) fn admit(&self, holders: &[Holder], newcomer: Origin) -> Admission {
        let mut counts: BTreeMap<Origin, usize> = BTreeMap::new();
        for holder in holders {
            *counts.entry(holder.origin).or_default() += 1;
        }
        let own = counts.get(&newcomer).copied().unwrap_or(0);
        let (all, each, reserve) = (self.all, self.each, reserve(self.all));
        if own >= each {
            let limit = format!("this server takes at most {each} connections at once from one address");
            return Admission::Over { limit, make_room: self.make_room(holders, &counts, newcomer, true) };
        }
        let free = all.saturating_sub(holders.len());
        if free > reserve || (own == 0 && free > 0) {
            return Admission::Free;
        }
        let limit = match free {
            0 => format!("this server takes at most {all} connections at once"),
            _ => format!(
                "this server takes at most {all} connections at once, the last {reserve} of them from addresses that \
                 have none"
            ),
        };
        Admission::Over { limit, make_room: self.make_room(holders, &counts, newcomer, false) }
    }

    fn make_room(
        &self,
        holders: &[Holder],
        counts: &BTreeMap<Origin, usize>,
        newcomer: Origin,
        only_own: bool,
    ) -> Vec<u64> {
        let count = |origin: Origin| counts.get(&origin).copied().unwrap_or(0);
        let own = count(newcomer);
        // A connection that has proven itself is not closed only for the two to change places.
        let may = |h: &&Holder| match h.standing {
            Standing::New => h.origin == newcomer || (!only_own && count(h.origin) > own),
            Standing::Proven => !h.at_work && (h.origin == newcomer || (!only_own && count(h.origin) > own + 1)),
            Standing::Grading | Standing::Displaced => false,
        };
        let mut room: Vec<_> = holders.iter().filter(may).collect();
        room.sort_by_key(|h| (h.standing, h.at_work, std::cmp::Reverse(count(h.origin)), h.active, h.key));
        room.into_iter().map(|h| h.key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    fn origin(n: u8) -> Origin {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, n)).into()
    }

    /// Connections as `(origin, standing)`, the one longest idle first.
    fn holders(list: &[(u8, Standing)]) -> Vec<Holder> {
        let begun = Instant::now();
        let holder = |(i, (from, standing)): (usize, &(u8, Standing))| Holder {
            key: i as u64,
            origin: origin(*from),
            standing: *standing,
            at_work: false,
            active: begun + Duration::from_secs(i as u64),
        };
        list.iter().enumerate().map(holder).collect()
    }

    fn room(places: Places, list: &[(u8, Standing)], newcomer: u8) -> Option<Vec<u64>> {
        match places.admit(&holders(list), origin(newcomer)) {
            Admission::Free => None,
            Admission::Over { make_room, .. } => Some(make_room),
        }
    }

    use Standing::{Grading, New, Proven};

    #[test]
    fn the_last_eighth_is_for_addresses_that_have_none() {
        let places = Places { all: 16, each: 16 };
        let greedy = vec![(1, Grading); 14];
        assert_eq!(room(places, &greedy[..13], 1), None);
        assert_eq!(room(places, &greedy, 1), Some(vec![]));
        assert_eq!(room(places, &greedy, 2), None);
        let says = match places.admit(&holders(&greedy), origin(1)) {
            Admission::Over { limit, .. } => limit,
            Admission::Free => String::new(),
        };
        let wanted =
            "this server takes at most 16 connections at once, the last 2 of them from addresses that have none";
        assert_eq!(says, wanted);
    }

    #[test]
    fn whoever_grades_is_never_displaced_and_whoever_was_never_accepted_is() {
        let places = Places { all: 4, each: 4 };
        assert_eq!(room(places, &[(1, Grading); 4], 2), Some(vec![]));
        assert_eq!(room(places, &[(1, Grading), (1, Proven), (1, New), (1, Grading)], 2), Some(vec![2, 1]));
        let mut busy = holders(&[(1, Grading), (1, Proven), (1, Proven), (1, Grading)]);
        busy[1].at_work = true;
        let wanted = "this server takes at most 4 connections at once".to_owned();
        assert_eq!(places.admit(&busy, origin(2)), Admission::Over { limit: wanted, make_room: vec![2] });
    }

    #[test]
    fn whoever_is_in_the_middle_of_a_first_request_makes_room_after_those_that_have_begun_none() {
        let mut list = holders(&[(1, New), (1, New), (1, New), (1, Proven)]);
        list[0].at_work = true;
        let limit = "this server takes at most 4 connections at once from one address".to_owned();
        let make_room = vec![1, 2, 0, 3];
        assert_eq!(Places { all: 8, each: 4 }.admit(&list, origin(1)), Admission::Over { limit, make_room });
    }

    #[test]
    fn room_is_made_by_whom_has_most_and_not_for_whom_has_as_much() {
        let places = Places { all: 6, each: 6 };
        let list = [(2, New), (1, New), (1, New), (1, New), (2, New), (3, Grading)];
        assert_eq!(room(places, &list, 4), Some(vec![1, 2, 3, 0, 4]));
        assert_eq!(room(places, &list, 3), Some(vec![1, 2, 3, 0, 4]));
        let list = [(2, Proven), (1, Proven), (1, Proven), (3, Proven), (3, Proven), (3, Proven)];
        assert_eq!(room(places, &list, 2), Some(vec![3, 4, 5, 0]), "1 has two, as 2 would have then");
    }

    #[test]
    fn an_address_at_its_limit_makes_room_for_itself_alone() {
        let places = Places { all: 8, each: 2 };
        assert_eq!(room(places, &[(1, New), (2, New), (2, New)], 2), Some(vec![1, 2]));
        assert_eq!(room(places, &[(1, New), (2, Grading), (2, Proven)], 2), Some(vec![2]));
        assert_eq!(room(places, &[(1, New), (2, Grading), (2, Grading)], 2), Some(vec![]));
    }

    proptest! {
        /// However many connections an attacker opens, of whatever standing, from one address: another address that has
        /// none is let in, and none of its connections that grade, or have as few as the attacker's, is closed.
        #[test]
        fn one_address_never_keeps_another_out(steps in proptest::collection::vec((0u8..2, 0u8..3, 0u8..4), 1..300)) {
            let places = Places { all: 16, each: 16 };
            let mut list: Vec<(u64, u8, Standing)> = Vec::new();
            let mut next = 0;
            for (from, grows, age) in steps {
                let begun = Instant::now();
                let now: Vec<_> = list.iter().map(|(key, from, standing)| Holder {
                    key: *key, origin: origin(*from), standing: *standing, at_work: false, active: begun,
                }).collect();
                let count = |who: u8| list.iter().filter(|(_, f, _)| *f == who).count();
                let (own, other) = (count(from), count(1 - from));
                let admitted = match places.admit(&now, origin(from)) {
                    Admission::Free => true,
                    Admission::Over { make_room, .. } => match make_room.first() {
                        Some(key) => {
                            let at = list.iter().position(|(k, ..)| k == key).unwrap();
                            prop_assert!(list[at].2 != Grading);
                            prop_assert!(list[at].1 == from || other > own);
                            list.remove(at);
                            true
                        }
                        None => false,
                    },
                };
                prop_assert!(admitted || own > 0, "an address with none is let in");
                if admitted {
                    list.push((next, from, [New, Proven, Grading][grows as usize]));
                    next += 1;
                    prop_assert!(list.len() <= 16);
                }
                if age == 0 && !list.is_empty() {
                    list.remove(0);
                }
            }
        }
    }
}
