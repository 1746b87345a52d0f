//! CDL: what the sender knows of the grade, for whoever looks at the stream.

use super::message::{Decoder, Encoder, HEADER, Kind};
use crate::lut::Cdl;

/// Bytes of the message.
pub(super) const CDL: usize = HEADER + 10 * 8;

/// The message.
pub(super) fn encode(cdl: &Cdl) -> [u8; CDL] {
    let mut bytes = [0; CDL];
    let mut e = Encoder::start(&mut bytes, Kind::Cdl);
    cdl.numbers().iter().for_each(|v| e.raw(&v.to_le_bytes()));
    bytes
}

/// What the fields after the header say; `None` where no CDL has such numbers.
pub(super) fn decode(d: &mut Decoder<'_>) -> Option<Cdl> {
    Cdl::from_numbers(std::array::from_fn(|_| f64::from_le_bytes(d.raw())))
}
