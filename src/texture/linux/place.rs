//! Where things lie in a ring's memory: a control area and sixteen slots, each of which holds one texture.

use crate::hald::TextureShape;

/// Slots of a ring. Memory is taken for those only that are used: three for one writer, two where there are no receivers,
/// one more for each further writer at work at the same time.
pub(super) const SLOTS: usize = 16;

/// Bytes of the control area that have a meaning.
pub(super) const CONTROL_USED: u64 = 128 + 64 * SLOTS as u64;

/// What the control area and every slot are aligned to at least: a cache line.
const ALIGNMENT: u64 = 64;

/// Offsets and sizes in a ring's memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Size of the whole.
    pub bytes: u64,
    pub control_at: u64,
    pub control_bytes: u64,
    pub slots_at: [u64; SLOTS],
    /// Size of each slot; the texture lies at its beginning.
    pub slot_bytes: u64,
}

impl Place {
    /// The ring for textures of `shape`, where control area and slots begin on a page.
    pub(super) fn new(shape: TextureShape, page: usize) -> Self {
        let page = page as u64;
        let control_bytes = CONTROL_USED.next_multiple_of(page);
        let slot_bytes = (shape.bytes() as u64).next_multiple_of(page);
        let mut slots_at = [control_bytes; SLOTS];
        for (slot, at) in slots_at.iter_mut().enumerate() {
            *at += slot as u64 * slot_bytes;
        }
        Place { bytes: control_bytes + SLOTS as u64 * slot_bytes, control_at: 0, control_bytes, slots_at, slot_bytes }
    }

    /// A ring that somebody else has laid out, for textures of `texture` bytes; `slots` has offset and size of each.
    /// Otherwise the field that is wrong, its value, and what would be right.
    pub(super) fn checked(
        bytes: u64,
        control_at: u64,
        control_bytes: u64,
        slots: &[(u64, u64); SLOTS],
        texture: u64,
    ) -> Result<Self, (&'static str, u64, String)> {
        if bytes > isize::MAX as u64 {
            return Err(("memory size", bytes, "no memory is that large".into()));
        }
        let inside = |at: u64, size: u64| at.checked_add(size).is_some_and(|end| end <= bytes);
        let aligned = || format!("it is a multiple of {ALIGNMENT}");
        if !control_at.is_multiple_of(ALIGNMENT) {
            return Err(("control offset", control_at, aligned()));
        }
        if control_bytes < CONTROL_USED || !inside(control_at, control_bytes) {
            let right = format!("it is {CONTROL_USED} or more, and ends within the memory's {bytes} bytes");
            return Err(("control size", control_bytes, right));
        }
        let slot_bytes = slots[0].1;
        for (at, size) in slots {
            if !at.is_multiple_of(ALIGNMENT) {
                return Err(("slot offset", *at, aligned()));
            }
            if *size != slot_bytes || *size < texture || !inside(*at, *size) {
                let right = format!(
                    "all slots have the same size, {texture} or more, and end within the memory's {bytes} bytes"
                );
                return Err(("slot size", *size, right));
            }
        }
        Ok(Place { bytes, control_at, control_bytes, slots_at: slots.map(|(at, _)| at), slot_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hald::Layout;
    use crate::lut::GridSize;

    fn place(n: u64) -> Place {
        Place::new(TextureShape::new(GridSize::new(n).unwrap(), Layout::Vglb).unwrap(), 4096)
    }

    fn check(p: &Place, texture: u64) -> Result<Place, (&'static str, u64, String)> {
        Place::checked(p.bytes, p.control_at, p.control_bytes, &p.slots_at.map(|at| (at, p.slot_bytes)), texture)
    }

    #[test]
    fn what_a_sender_lays_out_a_receiver_takes() {
        for n in [2, 16, 33, 128] {
            let p = place(n);
            assert_eq!(check(&p, n * n * n * 16), Ok(p));
            assert_eq!(p.slots_at[0], 4096);
            assert_eq!(p.slots_at[15] + p.slot_bytes, p.bytes);
            assert!(p.slots_at.iter().all(|at| at.is_multiple_of(4096)));
        }
    }

    #[test]
    fn every_place_outside_the_memory_is_refused() {
        let good = place(33);
        let texture = 33 * 33 * 33 * 16;
        let check_with = |field: &str, spoil: &dyn Fn(&mut Place)| {
            let mut p = good;
            spoil(&mut p);
            assert_eq!(check(&p, texture).unwrap_err().0, field);
        };
        check_with("memory size", &|p| p.bytes = u64::MAX);
        check_with("control offset", &|p| p.control_at = 8);
        check_with("control size", &|p| p.control_bytes = 1151);
        check_with("control size", &|p| p.control_at = p.bytes);
        check_with("control size", &|p| p.control_at = u64::MAX - 63);
        check_with("slot offset", &|p| p.slots_at[7] += 16);
        check_with("slot size", &|p| p.slots_at[15] += 64);
        check_with("slot size", &|p| p.slots_at[3] = u64::MAX - 63);
        check_with("slot size", &|p| p.slot_bytes = texture - 1);
    }
}
