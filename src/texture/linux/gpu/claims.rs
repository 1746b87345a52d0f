//! What one receiver may be reading: the images that it was told of and has not released.
//!
//! - A receiver has at most two claims: on the image that it shows, and on the next one. Who has two is told of no
//!   more; once it releases one, it is told of the newest.
//! - A claim on the last image that a receiver was told of may last for ever, for that is the one it shows. The one
//!   before it is to be released within [`LIMIT`] of the moment when it was told of the next.

use std::time::{Duration, Instant};

/// How long a receiver may keep an image after it was told of the next one.
pub(in crate::texture::linux) const LIMIT: Duration = Duration::from_secs(1);

/// Claims that a receiver has at most.
const MOST: usize = 2;

/// One receiver's claims on the images of one surface, the oldest first.
#[derive(Debug, Default)]
pub(in crate::texture::linux) struct Claims {
    list: [Option<Claim>; MOST],
    /// The revision that the receiver was told of last.
    told: u64,
}

#[derive(Clone, Copy, Debug)]
struct Claim {
    slot: usize,
    revision: u64,
    /// When the receiver was told of a later one.
    superseded: Option<Instant>,
}

impl Claims {
    /// Whether the receiver can be told of this revision now: it has room for a claim, and does not know it yet.
    pub(in crate::texture::linux) fn has_room_for(&self, revision: u64) -> bool {
        self.list[MOST - 1].is_none() && revision > self.told
    }

    /// The receiver was told that this revision is in this slot.
    pub(in crate::texture::linux) fn tell(&mut self, slot: usize, revision: u64, now: Instant) {
        self.supersede(now);
        if let Some(room) = self.list.iter_mut().find(|c| c.is_none()) {
            *room = Some(Claim { slot, revision, superseded: None });
        }
        self.told = revision;
    }

    /// There is a newer image, whether or not the receiver could be told of it.
    pub(in crate::texture::linux) fn supersede(&mut self, now: Instant) {
        for claim in self.list.iter_mut().flatten() {
            claim.superseded.get_or_insert(now);
        }
    }

    /// The receiver has released a slot. `false` where it had no such claim.
    pub(in crate::texture::linux) fn release(&mut self, slot: usize, revision: u64) -> bool {
        let is_it = |c: &Option<Claim>| c.is_some_and(|c| (c.slot, c.revision) == (slot, revision));
        let Some(at) = self.list.iter().position(is_it) else { return false };
        self.list[at] = None;
        self.list[at..].rotate_left(1);
        true
    }

    /// A bit for each slot that is not to be written.
    pub(in crate::texture::linux) fn slots(&self) -> u32 {
        self.list.iter().flatten().fold(0, |slots, c| slots | 1 << c.slot)
    }

    /// When the first of the claims that have to end will have lasted too long.
    pub(in crate::texture::linux) fn due(&self) -> Option<Instant> {
        self.list.iter().flatten().filter_map(|c| c.superseded).min().map(|since| since + LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_at_a_time_and_the_next_once_one_is_released() {
        let (mut claims, now) = (Claims::default(), Instant::now());
        assert!(claims.has_room_for(1));
        claims.tell(3, 1, now);
        assert!(!claims.has_room_for(1), "it knows that one");
        assert!(claims.has_room_for(2));
        claims.tell(0, 2, now);
        assert_eq!(claims.slots(), 0b1001);
        assert!(!claims.has_room_for(3));
        assert!(claims.release(3, 1));
        assert_eq!(claims.slots(), 0b0001);
        assert!(claims.has_room_for(3));
        assert!(claims.release(0, 2));
        assert_eq!(claims.slots(), 0);
        assert!(!claims.has_room_for(2), "it has had that one");
    }

    #[test]
    fn what_was_never_claimed_is_not_released() {
        let (mut claims, now) = (Claims::default(), Instant::now());
        claims.tell(1, 5, now);
        assert!(!claims.release(1, 4) && !claims.release(2, 5));
        assert!(claims.release(1, 5));
        assert!(!claims.release(1, 5), "twice");
    }

    #[test]
    fn the_last_one_may_be_kept_for_ever_and_the_one_before_it_for_a_second() {
        let (mut claims, start) = (Claims::default(), Instant::now());
        claims.tell(0, 1, start);
        assert_eq!(claims.due(), None);
        let told = start + Duration::from_secs(60);
        claims.tell(1, 2, told);
        assert_eq!(claims.due(), Some(told + LIMIT));
        assert!(claims.release(0, 1));
        assert_eq!(claims.due(), None);
        let later = told + Duration::from_secs(5);
        claims.tell(2, 3, later);
        assert_eq!(claims.due(), Some(later + LIMIT), "the second has become the one before");
        claims.supersede(later + LIMIT);
        assert_eq!(claims.due(), Some(later + LIMIT), "the first time counts");
        assert!(claims.release(2, 3), "a receiver may release the newest first");
        assert_eq!(claims.due(), Some(later + LIMIT));
    }
}
