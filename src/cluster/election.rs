//! Whose LUTs a node takes on one channel: of the hubs that are there, those of the one with the highest priority.
//!
//! - A hub is known by its name. One that begins again under its name is in another life; its revisions begin again, and it
//!   is taken at once.
//! - Within a life, revisions rise. What is not newer than what was had is not taken.
//! - Of several hubs, the one with the highest priority is followed; among equals, the one whose name comes first.
//! - A hub that has fallen silent keeps its LUT on the stream: a wall does not change because a program has ended. The next
//!   LUT of another hub is taken then.

use super::MOST_HUBS;
use super::keys::Name;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A hub of which nothing has been heard for so long stands in nobody's way.
pub const SILENT: Duration = Duration::from_secs(3);

/// One run of a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it began, in nanoseconds since 1970, as its computer's clock said.
    pub began: u64,
    /// A random number, which tells two apart that began at the same time.
    pub id: u64,
}

/// What a LUT says about where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The hub.
    pub hub: Name,
    /// Its life.
    pub life: Life,
    /// Its priority.
    pub priority: u32,
    /// Its revision of the channel, which rises within a life.
    pub revision: u64,
}

/// What becomes of a LUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the channel's newest.
    Accepted,
    /// A newer one of this hub's life was had, or this one.
    NotNewer,
    /// The hub has begun again since.
    FormerLife,
    /// Another hub goes first.
    Outranked,
    /// There are more hubs than are kept apart.
    TooManyHubs,
}

/// The hubs of one channel.
#[derive(Debug, Default)]
pub struct Election {
    candidates: BTreeMap<Name, Candidate>,
    leader: Option<Name>,
}

#[derive(Debug)]
struct Candidate {
    life: Life,
    priority: u32,
    revision: u64,
    heard: Instant,
}

impl Candidate {
    fn is_silent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.heard) >= SILENT
    }
}

impl Election {
    /// Judges a LUT that has come.
    pub fn offer(&mut self, claim: &Claim, now: Instant) -> Verdict {
        if let Some(known) = self.candidates.get(&claim.hub) {
            let same = known.life == claim.life;
            if same && claim.revision <= known.revision {
                return Verdict::NotNewer;
            }
            // A clock that was set back must not keep a hub out for ever.
            if !same && claim.life.began <= known.life.began && !known.is_silent(now) {
                return Verdict::FormerLife;
            }
        } else if self.candidates.len() >= MOST_HUBS {
            self.candidates.retain(|name, known| !known.is_silent(now) || self.leader.as_ref() == Some(name));
            if self.candidates.len() >= MOST_HUBS {
                return Verdict::TooManyHubs;
            }
        }
        let Claim { life, priority, revision, .. } = *claim;
        self.candidates.insert(claim.hub.clone(), Candidate { life, priority, revision, heard: now });
        let rank = |name: &Name, priority: u32| (Reverse(priority), name.clone());
        let others = self.candidates.iter().filter(|(name, c)| **name != claim.hub && !c.is_silent(now));
        match others.min_by_key(|(name, c)| rank(name, c.priority)) {
            Some((name, c)) if rank(name, c.priority) < rank(&claim.hub, priority) => Verdict::Outranked,
            _ => {
                self.leader = Some(claim.hub.clone());
                Verdict::Accepted
            }
        }
    }

    /// A hub has said that it is there.
    pub fn heard(&mut self, hub: &Name, life: Life, now: Instant) {
        if let Some(known) = self.candidates.get_mut(hub).filter(|known| known.life == life) {
            known.heard = now;
        }
    }

    /// The hub whose LUT was taken last, and its priority.
    pub fn leader(&self) -> Option<(&Name, u32)> {
        let (name, leader) = self.candidates.get_key_value(self.leader.as_ref()?)?;
        Some((name, leader.priority))
    }

    /// The hubs that are there and not followed.
    pub fn others(&self, now: Instant) -> Vec<Name> {
        let others = self.candidates.iter().filter(|(name, c)| self.leader.as_ref() != Some(name) && !c.is_silent(now));
        others.map(|(name, _)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(hub: &str, began: u64, priority: u32, revision: u64) -> Claim {
        Claim { hub: hub.parse().unwrap(), life: Life { began, id: began }, priority, revision }
    }

    #[test]
    fn revisions_never_go_back_within_a_life() {
        let (mut election, now) = (Election::default(), Instant::now());
        assert_eq!(election.offer(&claim("a", 1, 0, 5), now), Verdict::Accepted);
        for old in [5, 4, 0] {
            assert_eq!(election.offer(&claim("a", 1, 0, old), now), Verdict::NotNewer);
        }
        assert_eq!(election.offer(&claim("a", 1, 0, 7), now), Verdict::Accepted);
    }

    #[test]
    fn a_hub_that_began_again_is_taken_at_once_and_its_former_life_no_longer() {
        let (mut election, now) = (Election::default(), Instant::now());
        election.offer(&claim("a", 1, 0, 500), now);
        assert_eq!(election.offer(&claim("a", 2, 0, 1), now), Verdict::Accepted);
        assert_eq!(election.offer(&claim("a", 1, 0, 501), now), Verdict::FormerLife);
        // Its clock was set back before it began once more.
        assert_eq!(election.offer(&claim("a", 1, 0, 1), now + SILENT), Verdict::Accepted);
    }

    #[test]
    fn the_highest_priority_wins_and_then_the_name() {
        let (mut election, now) = (Election::default(), Instant::now());
        assert_eq!(election.offer(&claim("b", 1, 5, 1), now), Verdict::Accepted);
        assert_eq!(election.offer(&claim("c", 1, 5, 1), now), Verdict::Outranked);
        assert_eq!(election.offer(&claim("a", 1, 4, 1), now), Verdict::Outranked);
        assert_eq!(election.others(now), ["a", "c"].map(|n| n.parse().unwrap()));
        assert_eq!(election.offer(&claim("d", 1, 6, 1), now), Verdict::Accepted);
        assert_eq!(election.offer(&claim("b", 1, 5, 2), now), Verdict::Outranked);
        assert_eq!(election.leader(), Some((&"d".parse().unwrap(), 6)));
        assert_eq!(election.offer(&claim("a", 1, 6, 2), now), Verdict::Accepted, "its priority was raised");
    }

    #[test]
    fn a_silent_hub_gives_way_and_comes_back() {
        let (mut election, now) = (Election::default(), Instant::now());
        election.offer(&claim("main", 1, 9, 1), now);
        assert_eq!(election.offer(&claim("spare", 1, 0, 1), now), Verdict::Outranked);
        let later = now + SILENT;
        election.heard(&"main".parse().unwrap(), Life { began: 1, id: 1 }, later);
        assert_eq!(election.offer(&claim("spare", 1, 0, 2), later), Verdict::Outranked, "it has said it is there");
        election.heard(&"main".parse().unwrap(), Life { began: 2, id: 2 }, later + SILENT);
        let later = later + SILENT;
        assert_eq!(election.offer(&claim("spare", 1, 0, 3), later), Verdict::Accepted);
        assert_eq!(election.offer(&claim("main", 1, 9, 2), later), Verdict::Accepted);
    }

    #[test]
    fn hubs_without_end_take_no_memory_without_end() {
        let (mut election, now) = (Election::default(), Instant::now());
        for i in 0..100 {
            election.offer(&claim(&format!("hub {i:03}"), 1, 0, 1), now);
        }
        assert_eq!(election.candidates.len(), MOST_HUBS);
        assert_eq!(election.offer(&claim("zz", 1, 9, 1), now), Verdict::TooManyHubs);
        assert_eq!(election.offer(&claim("zz", 1, 9, 1), now + SILENT), Verdict::Accepted);
        assert_eq!(election.candidates.len(), 2, "the one followed, and the new one");
    }
}
