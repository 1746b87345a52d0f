//! How many bytes of a message are read from its socket at once.
//!
//! Large pieces take fewer calls of the system. Small ones are still in the nearer cache when they are laid out, and let the
//! sender go on sooner. Which of them costs less differs by up to a third either way between processors, grid sizes and
//! numbers of senders. So both are tried, and what takes the threads less of the processor's time is kept.

use crate::wire::message::BUFFER_BYTES;
use cpu_time::ThreadTime;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes to read at once.
const CHOICES: [usize; 2] = [BUFFER_BYTES, 64 << 10];
/// Shorter messages are mostly there at once, and tell little.
const SHORTEST: usize = 1 << 20;
/// Messages of lengths from a power of two to the next, up to the longest LUT's.
const CLASSES: usize = 6;
/// Messages in which the choices take turns.
const TRIALS: u32 = 32;
/// After that one in so many is read the other way: other senders come, and what was right can become wrong.
const RETRY: u32 = 128;

/// What reading has cost so far.
#[derive(Debug, Default)]
pub(super) struct Pieces([Class; CLASSES]);

/// Messages of about one length.
#[derive(Debug, Default)]
struct Class {
    begun: AtomicU32,
    /// Nanoseconds for 64 KiB with each choice; 0 where it is not known.
    cost: [AtomicU32; CHOICES.len()],
}

/// A message that is being read.
pub(super) struct Reading<'a> {
    class: Option<(&'a Class, ThreadTime)>,
    choice: usize,
    length: usize,
}

impl Pieces {
    /// A message of `length` bytes begins, on this thread.
    pub(super) fn begin(&self, length: usize) -> Reading<'_> {
        let class = (length >= SHORTEST).then(|| {
            let power = (length / SHORTEST).ilog2() as usize;
            &self.0[power.min(CLASSES - 1)]
        });
        let choice = class.map_or(0, Class::choose);
        Reading { class: class.map(|class| (class, ThreadTime::now())), choice, length }
    }
}

impl Reading<'_> {
    /// Bytes to read at once.
    pub(super) fn piece(&self) -> usize {
        CHOICES[self.choice]
    }

    /// The message has been read to its end.
    pub(super) fn done(self) {
        let Some((class, begun)) = self.class else { return };
        let parts = (self.length >> 16) as u128;
        let cost = begun.elapsed().as_nanos() / parts.max(1);
        class.learn(self.choice, u32::try_from(cost).unwrap_or(u32::MAX));
    }
}

impl Class {
    /// How the next message is to be read.
    fn choose(&self) -> usize {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        if number < TRIALS {
            return number as usize % CHOICES.len();
        }
        let [large, small] = [0, 1].map(|choice| self.cost[choice].load(Ordering::Relaxed));
        let best = usize::from(small < large);
        if number.is_multiple_of(RETRY) { 1 - best } else { best }
    }

    /// Less is believed sooner than more: what interrupts a thread only ever adds.
    fn learn(&self, choice: usize, cost: u32) {
        let known = &self.cost[choice];
        let old = known.load(Ordering::Relaxed);
        let new = match old {
            0 => cost,
            _ if cost < old => old - (old - cost).div_ceil(2),
            _ => old + (cost - old) / 16,
        };
        // Two threads at once may lose one of their values, and no more.
        known.store(new, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the next `messages` are read in small pieces, which cost `costs`.
    fn small(class: &Class, messages: u32, costs: [u32; 2]) -> u32 {
        let mut small = 0;
        for _ in 0..messages {
            let choice = class.choose();
            small += choice as u32;
            class.learn(choice, costs[choice]);
        }
        small
    }

    #[test]
    fn both_are_tried_and_the_one_that_costs_less_is_kept() {
        let class = Class::default();
        assert_eq!(small(&class, TRIALS, [1000, 900]), TRIALS / 2);
        assert_eq!(small(&class, RETRY, [1000, 900]), RETRY - 1);
        let class = Class::default();
        assert_eq!(small(&class, TRIALS, [1000, 1100]), TRIALS / 2);
        assert_eq!(small(&class, RETRY, [1000, 1100]), 1);
    }

    #[test]
    fn what_costs_nothing_that_can_be_told_is_read_in_large_pieces() {
        let class = Class::default();
        small(&class, TRIALS, [0, 0]);
        assert_eq!(small(&class, RETRY, [0, 0]), 1);
    }

    #[test]
    fn first_messages_that_cost_much_more_do_not_mislead() {
        let class = Class::default();
        small(&class, 4, [20_000, 3000]);
        small(&class, TRIALS - 4, [1000, 1100]);
        assert_eq!(small(&class, RETRY, [1000, 1100]), 1);
    }

    #[test]
    fn a_choice_that_has_become_wrong_is_left() {
        let class = Class::default();
        small(&class, TRIALS, [1000, 900]);
        small(&class, 4 * RETRY, [1000, 1300]);
        assert_eq!(small(&class, RETRY, [1000, 1300]), 1);
    }

    #[test]
    fn a_short_message_is_read_in_large_pieces_and_each_length_has_its_own_choice() {
        let pieces = Pieces::default();
        for _ in 0..2 * TRIALS {
            assert_eq!(pieces.begin(33 * 33 * 33 * 16).piece(), BUFFER_BYTES);
        }
        assert_eq!(pieces.begin(64 * 64 * 64 * 16).choice, 0);
        assert_eq!(pieces.begin(65 * 65 * 65 * 16).choice, 1, "the same class");
        assert_eq!(pieces.begin(128 * 128 * 128 * 16).choice, 0);
        assert_eq!(pieces.begin(i32::MAX as usize).choice, 1, "the last class");
    }
}
