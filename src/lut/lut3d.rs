use super::GridSize;
use crate::hald::EntryOrder;

/// A 3D LUT: N³ RGB triplets, **blue fastest**: the entry for lattice point `(r, g, b)` stands at
/// `b + N·(g + N·r)`. Values are float32, not limited to [0, 1].
#[derive(Clone, PartialEq)]
pub struct Lut3d {
    size: GridSize,
    entries: Vec<[f32; 3]>,
}

/// A LUT that holds NaN or infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{count} of the LUT's entries {are} NaN or infinite, the first at r={}, g={}, b={}; every R, G and B must be a finite number", first[0], first[1], first[2], are = if *.count == 1 { "is" } else { "are" })]
pub struct NotFinite {
    /// How many entries have a component that is not finite.
    pub count: usize,
    /// Lattice indices `[r, g, b]` of the first such entry.
    pub first: [usize; 3],
}

impl Lut3d {
    /// A LUT from its entries, blue fastest.
    ///
    /// # Panics
    /// Where the number of entries is not N³: that is the caller's mistake, not a property of data.
    pub fn from_entries(size: GridSize, entries: Vec<[f32; 3]>) -> Self {
        assert_eq!(entries.len(), size.entries(), "a LUT of grid size {size} has N³ entries");
        Lut3d { size, entries }
    }

    /// A LUT of zeros; `None` where there is no memory for it.
    pub fn zeroed(size: GridSize) -> Option<Self> {
        let mut entries = Vec::new();
        entries.try_reserve_exact(size.entries()).ok()?;
        entries.resize(size.entries(), [0.0; 3]);
        Some(Lut3d { size, entries })
    }

    /// A LUT computed at every lattice point; `f` gets `[r, g, b]`, each from 0 to N−1.
    pub fn from_fn(size: GridSize, mut f: impl FnMut([usize; 3]) -> [f32; 3]) -> Self {
        let n = size.get();
        let mut entries = Vec::with_capacity(size.entries());
        for r in 0..n {
            for g in 0..n {
                for b in 0..n {
                    entries.push(f([r, g, b]));
                }
            }
        }
        Lut3d { size, entries }
    }

    /// The LUT that returns its input: each entry is its lattice point over N−1.
    pub fn identity(size: GridSize) -> Self {
        let last = (size.get() - 1) as f32;
        Self::from_fn(size, |point| point.map(|i| i as f32 / last))
    }

    /// The grid size N.
    pub fn size(&self) -> GridSize {
        self.size
    }

    /// The entry at a lattice point.
    ///
    /// # Panics
    /// Where an index is N or more.
    pub fn at(&self, [r, g, b]: [usize; 3]) -> [f32; 3] {
        let n = self.size.get();
        assert!(r < n && g < n && b < n, "lattice point ({r}, {g}, {b}) is outside a LUT of grid size {n}");
        self.entries[EntryOrder::BlueFastest.index(self.size, [r, g, b])]
    }

    /// All entries, blue fastest.
    pub fn entries(&self) -> &[[f32; 3]] {
        &self.entries
    }

    /// All entries, blue fastest, to change in place.
    pub fn entries_mut(&mut self) -> &mut [[f32; 3]] {
        &mut self.entries
    }

    /// All entries, blue fastest, as a list of their own.
    pub fn into_entries(self) -> Vec<[f32; 3]> {
        self.entries
    }

    /// The LUT whose entry for `(r, g, b)` is this one's for `(b, g, r)`: what comes of reading a list of entries in the
    /// other order.
    pub fn with_red_and_blue_axes_swapped(&self) -> Self {
        Self::from_fn(self.size, |[r, g, b]| self.at([b, g, r]))
    }

    /// Whether every value is finite; otherwise how many entries are not, and which is the first.
    pub fn check_finite(&self) -> Result<(), NotFinite> {
        let bad = |e: &[f32; 3]| e.iter().any(|v| !v.is_finite());
        let Some(first) = self.entries.iter().position(bad) else { return Ok(()) };
        let count = self.entries[first..].iter().filter(|e| bad(e)).count();
        Err(NotFinite { count, first: EntryOrder::BlueFastest.point(self.size, first) })
    }
}

impl std::fmt::Debug for Lut3d {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let last = self.entries[self.entries.len() - 1];
        write!(f, "Lut3d({n}³, {:?} … {last:?})", self.entries[0], n = self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_blue_fastest() {
        let lut = Lut3d::from_fn(GridSize::new(3).unwrap(), |[r, g, b]| [r as f32, g as f32, b as f32]);
        assert_eq!(lut.entries()[1], [0.0, 0.0, 1.0]);
        assert_eq!(lut.entries()[3], [0.0, 1.0, 0.0]);
        assert_eq!(lut.entries()[9], [1.0, 0.0, 0.0]);
        assert_eq!(lut.at([2, 1, 0]), [2.0, 1.0, 0.0]);
    }

    #[test]
    fn values_that_are_not_finite_are_counted_and_the_first_is_named() {
        let mut lut = Lut3d::identity(GridSize::new(4).unwrap());
        assert_eq!(lut.check_finite(), Ok(()));
        lut.entries_mut()[EntryOrder::BlueFastest.index(GridSize::new(4).unwrap(), [1, 3, 2])][1] = f32::NAN;
        lut.entries_mut()[63] = [f32::INFINITY; 3];
        assert_eq!(lut.check_finite(), Err(NotFinite { count: 2, first: [1, 3, 2] }));
    }
}
