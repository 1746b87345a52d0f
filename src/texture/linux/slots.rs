//! Which slot of a ring the next texture goes into.
//!
//! - Never the newest texture's, for receivers read it.
//! - Where there are receivers, not the one before it either, for one that began with it shall finish: it has the time of
//!   one whole texture at least. So one writer goes round three slots.
//! - Without receivers two will do. The fewer are in use, the more of them stay in the processor's cache.
//! - A slot that has memory: with receivers the one longest unused, without them the one used last. A fresh one only
//!   where there is none.
//! - At most ten writers have slots, and four textures at a time are read by threads of graphics devices. Then there is
//!   always a slot left for a texture that was written elsewhere, because its writer found none free.

use super::place::SLOTS;

/// Slots that can be pinned at the same time.
pub(super) const MAX_PINNED: u32 = 4;
/// Writers that can have a slot of their own at the same time. Beside them and the pinned ones there are the newest
/// and one to copy into.
const MAX_LEASED: u32 = SLOTS as u32 - 2 - MAX_PINNED;

/// The history of one ring's slots.
#[derive(Debug, Default)]
pub(super) struct Slots {
    newest: Option<usize>,
    previous: Option<usize>,
    /// The revision last published in each slot.
    revisions: [u64; SLOTS],
}

impl Slots {
    /// The newest texture's slot.
    pub(super) fn newest(&self) -> Option<usize> {
        self.newest
    }

    /// A slot for a writer. `leased`, `pinned` and `committed` have a bit for each slot that a writer has, that is not
    /// to be written because it is being read, and that has memory. `watched`: there are receivers.
    pub(super) fn for_writer(&self, watched: bool, leased: u32, pinned: u32, committed: u32) -> Option<usize> {
        if leased.count_ones() >= MAX_LEASED {
            return None;
        }
        let taken = leased | pinned;
        let previous = self.previous.filter(|_| watched);
        let free = |slot: &usize| taken >> slot & 1 == 0 && Some(*slot) != self.newest && Some(*slot) != previous;
        let with_memory = (0..SLOTS).filter(|slot| free(slot) && committed >> slot & 1 == 1);
        let chosen = match watched {
            true => with_memory.min_by_key(|slot| self.revisions[*slot]),
            false => with_memory.max_by_key(|slot| self.revisions[*slot]),
        };
        chosen.or_else(|| (0..SLOTS).find(|slot| free(slot) && committed >> slot & 1 == 0))
    }

    /// A slot for a texture that lies ready elsewhere and only needs to be copied.
    pub(super) fn for_copy(&self, leased: u32, pinned: u32, committed: u32) -> Option<usize> {
        let taken = leased | pinned;
        let free = |slot: &usize| taken >> slot & 1 == 0 && Some(*slot) != self.newest;
        (0..SLOTS).filter(free).min_by_key(|slot| {
            // A fresh slot rather than a receiver's disappointment.
            (Some(*slot) == self.previous, committed >> slot & 1 == 0, self.revisions[*slot])
        })
    }

    /// `slot` holds the newest texture from now on.
    pub(super) fn published(&mut self, slot: usize, revision: u64) {
        self.previous = self.newest.filter(|newest| *newest != slot);
        self.newest = Some(slot);
        self.revisions[slot] = revision;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The slots of nine textures, of which some come while there are receivers.
    fn nine(watched: impl Fn(u64) -> bool) -> Vec<usize> {
        let (mut slots, mut committed, mut seen) = (Slots::default(), 0, Vec::new());
        for revision in 1..=9 {
            let slot = slots.for_writer(watched(revision), 0, 0, committed).unwrap();
            committed |= 1 << slot;
            slots.published(slot, revision);
            seen.push(slot);
        }
        seen
    }

    #[test]
    fn one_writer_goes_round_three_slots_where_there_are_receivers_and_two_where_there_are_none() {
        assert_eq!(nine(|_| true), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
        assert_eq!(nine(|_| false), [0, 1, 0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(nine(|revision| (4..7).contains(&revision)), [0, 1, 0, 2, 1, 0, 1, 0, 1], "they come, and leave");
    }

    #[test]
    fn without_receivers_the_slot_used_last_comes_first() {
        let mut slots = Slots::default();
        for (revision, slot) in [(1, 4), (2, 3), (3, 2), (4, 1)] {
            slots.published(slot, revision);
        }
        let committed = 0b11110;
        assert_eq!(slots.for_writer(false, 0, 0, committed), Some(2));
        assert_eq!(slots.for_writer(false, 1 << 2, 1 << 3, committed), Some(4), "2 is being written, 3 read");
    }

    #[test]
    fn the_slot_longest_unused_comes_first_and_memory_that_is_there_before_more() {
        let mut slots = Slots::default();
        for (revision, slot) in [(1, 4), (2, 3), (3, 2), (4, 1)] {
            slots.published(slot, revision);
        }
        let committed = 0b11110;
        assert_eq!(slots.for_writer(true, 0, 0, committed), Some(4));
        assert_eq!(slots.for_writer(true, 1 << 4, 0, committed), Some(3));
        assert_eq!(slots.for_writer(true, 1 << 4 | 1 << 3, 0, committed), Some(0), "2 was the newest before 1");
        assert_eq!(slots.for_writer(true, 1 << 4, 1 << 3, committed), Some(0), "3 is being read");
    }

    proptest! {
        /// Any number of writers begin, publish and give up in any order, while four read the newest again and again.
        #[test]
        fn there_is_always_a_slot_and_never_one_that_is_read_or_written(steps in proptest::collection::vec((any::<bool>(), 0u8..6), 1..400)) {
            let (mut slots, mut leased, mut committed, mut revision) = (Slots::default(), 0u32, 0u32, 0);
            let (mut mine, mut pins) = (Vec::new(), Vec::new());
            for (watched, step) in steps {
                let pinned = pins.iter().fold(0u32, |mask, slot| mask | 1u32 << slot);
                match step {
                    0 | 1 => {
                        let Some(slot) = slots.for_writer(watched, leased, pinned, committed) else {
                            prop_assert_eq!(leased.count_ones(), MAX_LEASED, "refused only where ten write");
                            continue;
                        };
                        let taken = leased | pinned;
                        prop_assert!(taken >> slot & 1 == 0 && slots.newest != Some(slot));
                        prop_assert!(!watched || slots.previous != Some(slot));
                        leased |= 1 << slot;
                        committed |= 1 << slot;
                        mine.push(slot);
                    }
                    2 if !mine.is_empty() => {
                        let slot = mine.remove(mine.len() / 2);
                        leased &= !(1 << slot);
                        revision += 1;
                        slots.published(slot, revision);
                    }
                    2 => {}
                    3 => pins.extend(slots.newest.filter(|_| pins.len() < MAX_PINNED as usize)),
                    4 if !pins.is_empty() => drop(pins.remove(pins.len() / 2)),
                    4 => {}
                    _ => {
                        let slot = slots.for_copy(leased, pinned, committed);
                        prop_assert!(slot.is_some());
                        let slot = slot.unwrap();
                        prop_assert!((leased | pinned) >> slot & 1 == 0 && slots.newest != Some(slot));
                        committed |= 1 << slot;
                        revision += 1;
                        slots.published(slot, revision);
                    }
                }
            }
        }
    }
}
