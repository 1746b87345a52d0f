//! Which slot of a ring the next texture goes into.
//!
//! - Never the newest texture's, for receivers read it.
//! - Not the one before it either, for a receiver that began with it shall finish: it has the time of one whole
//!   texture at least. So one writer goes round three slots.
//! - A slot that has memory, the one longest unused first; a fresh one only where there is none.
//! - At most 14 writers have slots. Then there is always one left for a texture that was written elsewhere, because
//!   its writer found no slot free.

use super::place::SLOTS;

/// Writers that can have a slot of their own at the same time.
const MAX_LEASED: u32 = SLOTS as u32 - 2;

/// The history of one ring's slots.
#[derive(Debug, Default)]
pub(super) struct Slots {
    newest: Option<usize>,
    previous: Option<usize>,
    /// The revision last published in each slot.
    revisions: [u64; SLOTS],
}

impl Slots {
    /// A slot for a writer. `leased` and `committed` have a bit for each slot that a writer has, and that has memory.
    pub(super) fn for_writer(&self, leased: u32, committed: u32) -> Option<usize> {
        if leased.count_ones() >= MAX_LEASED {
            return None;
        }
        let free = |slot: &usize| leased >> slot & 1 == 0 && Some(*slot) != self.newest && Some(*slot) != self.previous;
        (0..SLOTS)
            .filter(|slot| free(slot) && committed >> slot & 1 == 1)
            .min_by_key(|slot| self.revisions[*slot])
            .or_else(|| (0..SLOTS).find(|slot| free(slot) && committed >> slot & 1 == 0))
    }

    /// A slot for a texture that lies ready elsewhere and only needs to be copied.
    pub(super) fn for_copy(&self, leased: u32, committed: u32) -> Option<usize> {
        let free = |slot: &usize| leased >> slot & 1 == 0 && Some(*slot) != self.newest;
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

    #[test]
    fn one_writer_goes_round_three_slots() {
        let (mut slots, mut committed, mut seen) = (Slots::default(), 0, Vec::new());
        for revision in 1..=9 {
            let slot = slots.for_writer(0, committed).unwrap();
            committed |= 1 << slot;
            slots.published(slot, revision);
            seen.push(slot);
        }
        assert_eq!(seen, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn the_slot_longest_unused_comes_first_and_memory_that_is_there_before_more() {
        let mut slots = Slots::default();
        for (revision, slot) in [(1, 4), (2, 3), (3, 2), (4, 1)] {
            slots.published(slot, revision);
        }
        let committed = 0b11110;
        assert_eq!(slots.for_writer(0, committed), Some(4));
        assert_eq!(slots.for_writer(1 << 4, committed), Some(3));
        assert_eq!(slots.for_writer(1 << 4 | 1 << 3, committed), Some(0), "2 was the newest before 1");
    }

    proptest! {
        /// Any number of writers begin, publish and give up in any order.
        #[test]
        fn there_is_always_a_slot_and_never_one_that_is_read_or_written(steps in proptest::collection::vec(0u8..4, 1..400)) {
            let (mut slots, mut leased, mut committed, mut revision) = (Slots::default(), 0u32, 0u32, 0);
            let mut mine = Vec::new();
            for step in steps {
                match step {
                    0 | 1 => {
                        let Some(slot) = slots.for_writer(leased, committed) else {
                            prop_assert_eq!(leased.count_ones(), MAX_LEASED, "refused only where 14 write");
                            continue;
                        };
                        prop_assert!(leased >> slot & 1 == 0 && ![slots.newest, slots.previous].contains(&Some(slot)));
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
                    _ => {
                        let slot = slots.for_copy(leased, committed);
                        prop_assert!(slot.is_some());
                        let slot = slot.unwrap();
                        prop_assert!(leased >> slot & 1 == 0 && slots.newest != Some(slot));
                        committed |= 1 << slot;
                        revision += 1;
                        slots.published(slot, revision);
                    }
                }
            }
        }
    }
}
