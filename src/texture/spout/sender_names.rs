//! The block `SpoutSenderNames`: the list of all senders, in slots of 256 bytes.
//!
//! Each slot holds a name that ends with a zero byte; the names are sorted bytewise and stand without gaps, and a
//! slot that begins with zero ends the list.

use std::collections::BTreeSet;

/// Bytes of a slot.
pub const SLOT: usize = 256;

/// Slots of a list where the registry says nothing else.
pub const DEFAULT_SLOTS: usize = 64;

/// Slots of a list made by the programs that fixed their number.
pub const LEGACY_SLOTS: usize = 10;

/// A list of [`LEGACY_SLOTS`] fills part of one page of memory, and its size can only be asked for in pages. No
/// other list is as small.
const LEGACY_REGION: usize = 4096;

/// The names of all senders, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderNames(BTreeSet<Vec<u8>>);

impl SenderNames {
    /// Reads the list out of the block's memory.
    ///
    /// Stops as every reader of the list does at a slot whose first byte is zero or no ASCII.
    pub fn parse(region: &[u8]) -> Self {
        let slots = region.as_chunks::<SLOT>().0;
        let used = slots.iter().take_while(|slot| (1..0x80).contains(&slot[0]));
        SenderNames(used.map(|slot| terminated(slot).to_vec()).collect())
    }

    /// How many senders a block of `region` bytes has room for, where each program may look at `max_senders` only.
    pub fn capacity(region: usize, max_senders: usize) -> usize {
        let slots = if region <= LEGACY_REGION { LEGACY_SLOTS.min(region / SLOT) } else { region / SLOT };
        slots.min(max_senders)
    }

    /// The list's slots as they stand in the block: names in order, each filled up with zeros, then zeros to the end
    /// of a region of `region` bytes. Names for which there is no room are left out.
    pub fn to_bytes(&self, region: usize) -> Vec<u8> {
        let mut bytes = vec![0; region - region % SLOT];
        for (slot, name) in bytes.as_chunks_mut::<SLOT>().0.iter_mut().zip(&self.0) {
            let length = name.len().min(SLOT - 1);
            slot[..length].copy_from_slice(&name[..length]);
        }
        bytes
    }

    /// Adds a name at its place.
    pub fn insert(&mut self, name: &[u8]) {
        self.0.insert(name.to_vec());
    }

    /// Takes a name out; tells whether it was in.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        self.0.remove(name)
    }

    /// Takes out every name for which `alive` says no, and returns those.
    pub fn drop_orphans(&mut self, mut alive: impl FnMut(&[u8]) -> bool) -> Vec<Vec<u8>> {
        let orphans: Vec<_> = self.0.iter().filter(|name| !alive(name)).cloned().collect();
        for name in &orphans {
            self.0.remove(name);
        }
        orphans
    }

    /// Whether a name is in the list.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.0.contains(name)
    }

    /// `wanted` where it is free, otherwise the first free one of `wanted_1`, `wanted_2`, ….
    pub fn free_name(&self, wanted: &[u8]) -> Vec<u8> {
        let numbered = |n: usize| [wanted, format!("_{n}").as_bytes()].concat();
        // One of the first len + 1 names is free, for there are only len taken.
        std::iter::once(wanted.to_vec())
            .chain((1..).map(numbered))
            .find(|name| !self.contains(name))
            .unwrap_or_else(|| wanted.to_vec())
    }

    /// The names in the list's order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// What stands before the first zero byte, as much as fits a slot together with that zero.
pub fn terminated(slot: &[u8]) -> &[u8] {
    let limit = &slot[..slot.len().min(SLOT - 1)];
    limit.split(|byte| *byte == 0).next().unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(names: &[&[u8]], slots: usize) -> Vec<u8> {
        let mut bytes = vec![0; slots * SLOT];
        for (slot, name) in bytes.chunks_mut(SLOT).zip(names) {
            slot[..name.len()].copy_from_slice(name);
        }
        bytes
    }

    fn names(list: &SenderNames) -> Vec<String> {
        list.iter().map(|n| String::from_utf8_lossy(n).into_owned()).collect()
    }

    #[test]
    fn a_list_of_two_has_these_very_bytes() {
        let mut list = SenderNames::default();
        list.insert(b"b");
        list.insert(b"LUT A");
        let bytes = list.to_bytes(64 * 256);
        assert_eq!(bytes.len(), 16384);
        assert_eq!(&bytes[..6], b"LUT A\0");
        assert_eq!(&bytes[256..258], b"b\0");
        let written: Vec<_> = (0..16384).filter(|i| bytes[*i] != 0).collect();
        assert_eq!(written, [0, 1, 2, 3, 4, 256]);
    }

    #[test]
    fn names_stand_sorted_bytewise_and_without_gaps() {
        let mut list = SenderNames::parse(&region(&[b"b", b"a", b"Z"], 64));
        list.insert(b"a_1");
        assert_eq!(names(&list), ["Z", "a", "a_1", "b"]);
        assert!(list.remove(b"a"));
        assert!(!list.remove(b"a"));
        assert_eq!(list.to_bytes(64 * SLOT), region(&[b"Z", b"a_1", b"b"], 64));
    }

    #[test]
    fn reading_ends_at_an_empty_slot_at_a_byte_outside_ascii_and_at_the_regions_end() {
        assert_eq!(names(&SenderNames::parse(&region(&[b"a", b"", b"b"], 64))), ["a"]);
        assert_eq!(names(&SenderNames::parse(&region(&[b"a", b"\xe9t\xe9", b"b"], 64))), ["a"]);
        assert_eq!(SenderNames::parse(&region(&[b"a", b"caf\xe9"], 2)).len(), 2, "only the first byte counts");
        let cut = &region(&[b"a", b"b", b"c"], 3)[..2 * SLOT + 100];
        assert_eq!(names(&SenderNames::parse(cut)), ["a", "b"]);
        assert_eq!(SenderNames::parse(&[]).len(), 0);
    }

    #[test]
    fn a_slot_without_its_zero_gives_255_bytes() {
        let list = SenderNames::parse(&[b'x'; 2 * SLOT]);
        assert_eq!(names(&list), ["x".repeat(255)]);
        assert_eq!(list.to_bytes(SLOT)[SLOT - 1], 0);
    }

    #[test]
    fn a_list_of_ten_slots_is_never_filled_beyond_them() {
        assert_eq!(SenderNames::capacity(10 * SLOT, 64), 10);
        assert_eq!(SenderNames::capacity(4096, 64), 10, "ten slots, rounded up to a page");
        assert_eq!(SenderNames::capacity(16384, 64), 64);
        assert_eq!(SenderNames::capacity(128 * SLOT, 64), 64, "others read no further than their setting");
        assert_eq!(SenderNames::capacity(64 * SLOT, 128), 64, "an existing list keeps its size");
        assert_eq!(SenderNames::capacity(300, 64), 1);
    }

    #[test]
    fn a_taken_name_gets_the_first_free_number() {
        let mut list = SenderNames::default();
        assert_eq!(list.free_name(b"x"), b"x");
        list.insert(b"x");
        assert_eq!(list.free_name(b"x"), b"x_1");
        list.insert(b"x_1");
        list.insert(b"x_3");
        assert_eq!(list.free_name(b"x"), b"x_2");
    }

    #[test]
    fn orphans_leave_the_list() {
        let mut list = SenderNames::parse(&region(&[b"a", b"b", b"c"], 64));
        assert_eq!(list.drop_orphans(|name| name == b"b"), [b"a", b"c"]);
        assert_eq!(names(&list), ["b"]);
    }
}
