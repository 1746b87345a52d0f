//! Which of a LUT's values are no numbers.

use super::{EntryOrder, Texel, rgb};
use crate::lut::{GridSize, NotFinite};

/// Counts the entries of a list that are not finite, and remembers the first.
#[derive(Clone, Copy, Debug, Default)]
pub struct NotFiniteCount {
    count: usize,
    first: usize,
}

impl NotFiniteCount {
    /// Takes the next entries, of which the first is number `first` of the list.
    pub fn add(&mut self, first: usize, entries: &[Texel]) {
        for (i, e) in entries.iter().enumerate() {
            if rgb(e).iter().any(|v| !v.is_finite()) {
                if self.count == 0 {
                    self.first = first + i;
                }
                self.count += 1;
            }
        }
    }

    /// What was found, if anything.
    pub fn result(&self, size: GridSize, order: EntryOrder) -> Result<(), NotFinite> {
        match self.count {
            0 => Ok(()),
            count => Err(NotFinite { count, first: order.point(size, self.first) }),
        }
    }
}
