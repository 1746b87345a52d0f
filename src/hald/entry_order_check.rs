//! Entries that look as if they were listed in the other order.

use crate::lut::GridSize;

/// How much closer a LUT must be to the identity in one entry order than in the other to say something.
const CLEAR_RATIO: f64 = 0.5;

/// In which entry order a LUT is closer to the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Clearly in its own.
    Own,
    /// Clearly with red and blue exchanged: a sign that its entries were read in the wrong order.
    Swapped,
    /// It does not tell.
    Unclear,
}

/// Compares a LUT with the identity, in both orders. Looks at up to 9³ lattice points; `at` gives R, G, B at a lattice
/// point.
pub fn likeness(size: GridSize, mut at: impl FnMut([usize; 3]) -> [f32; 3]) -> Likeness {
    let last = size.get() - 1;
    let steps = last.min(8);
    let node = |k: usize| k * last / steps;
    let (mut own, mut swapped) = (0.0f64, 0.0f64);
    for r in 0..=steps {
        for g in 0..=steps {
            for b in (0..=steps).filter(|b| *b != r) {
                let [vr, vg, vb] = at([node(r), node(g), node(b)]).map(f64::from);
                let [ir, ig, ib] = [r, g, b].map(|k| node(k) as f64 / last as f64);
                let green = (vg - ig).abs();
                own += (vr - ir).abs() + green + (vb - ib).abs();
                swapped += (vr - ib).abs() + green + (vb - ir).abs();
            }
        }
    }
    if swapped < own * CLEAR_RATIO {
        Likeness::Swapped
    } else if own < swapped * CLEAR_RATIO {
        Likeness::Own
    } else {
        Likeness::Unclear
    }
}
