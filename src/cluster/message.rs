//! LUTs as they come from the cluster: of those that come together, the ones that can be seen are put together and checked,
//! each once.

use super::follower::MOST_LEAD;
use super::payload::{Head, Header, LONGEST_HEADER, PayloadError};
use crate::lut::GridSize;
use std::borrow::Cow;
use std::io::Read;
use std::time::Duration;
use zenoh::bytes::ZBytes;

/// A LUT that was put together and checked.
#[derive(Debug)]
pub struct Lut {
    head: Head,
    /// In one piece.
    bytes: ZBytes,
}

/// A message that is one of a LUT.
#[derive(Debug)]
pub enum Message {
    /// To be shown.
    Lut(Lut),
    /// There is a newer one that takes effect no later: its values were not looked at.
    PassedOver(Header),
}

impl Lut {
    /// What it says.
    pub fn header(&self) -> &Header {
        &self.head.header
    }

    /// How many bytes it takes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Has `look` look at the bytes of its values.
    pub fn values<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        look(self.head.values(&self.bytes.to_bytes()))
    }

    /// Puts a message together and checks it.
    fn check(head: Head, message: ZBytes) -> Result<Lut, PayloadError> {
        let bytes = match message.to_bytes() {
            Cow::Borrowed(_) => None,
            Cow::Owned(joined) => Some(ZBytes::from(joined)),
        };
        let bytes = bytes.unwrap_or(message);
        head.check(&bytes.to_bytes())?;
        Ok(Lut { head, bytes })
    }
}

impl Message {
    /// What it says.
    pub fn header(&self) -> &Header {
        match self {
            Message::Lut(lut) => lut.header(),
            Message::PassedOver(header) => header,
        }
    }
}

/// How long from `clock` (in nanoseconds since 1970) a LUT takes effect, and whether that is so far ahead that its clock can't
/// be this one: then it does at once.
pub fn ahead(header: &Header, clock: u64) -> Result<Duration, Duration> {
    let ahead = Duration::from_nanos(header.effective.saturating_sub(clock));
    if ahead <= MOST_LEAD { Ok(ahead) } else { Err(ahead) }
}

/// Whether nothing is seen of `older` since `newer` is there.
fn hides(newer: &Header, older: &Header, clock: u64) -> bool {
    let takes = |header: &Header| ahead(header, clock).unwrap_or_default();
    let (a, b) = (&newer.claim, &older.claim);
    (&a.hub, a.life, a.priority) == (&b.hub, b.life, b.priority)
        && a.revision > b.revision
        && takes(newer) <= takes(older)
}

/// Reads the messages of one channel that came together by `clock`, oldest first, and leaves them in that order.
pub fn read(
    messages: impl IntoIterator<Item = ZBytes>,
    limit: GridSize,
    clock: u64,
) -> Vec<Result<Message, PayloadError>> {
    let heads: Vec<_> = messages.into_iter().map(|message| (head(&message, limit), message)).collect();
    let mut read: Vec<Result<Message, PayloadError>> = Vec::with_capacity(heads.len());
    // The newest first: only what is known to be good hides what came before it.
    for (head, message) in heads.into_iter().rev() {
        let newer = |head: &Head| {
            let luts = read.iter().flatten().filter_map(|m| if let Message::Lut(lut) = m { Some(lut) } else { None });
            luts.map(Lut::header).any(|newer| hides(newer, &head.header, clock))
        };
        read.push(match head {
            Ok(head) if newer(&head) => Ok(Message::PassedOver(head.header)),
            Ok(head) => Lut::check(head, message).map(Message::Lut),
            Err(why) => Err(why),
        });
    }
    read.reverse();
    read
}

/// Reads what stands before the values, wherever Zenoh has cut the message.
fn head(message: &ZBytes, limit: GridSize) -> Result<Head, PayloadError> {
    let mut start = Vec::with_capacity(LONGEST_HEADER);
    // Reading from memory does not fail.
    let _ = message.reader().take(LONGEST_HEADER as u64).read_to_end(&mut start);
    Head::read(&start, message.len(), limit)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::channel::LutSource;
    use crate::cluster::election::{Claim, Life};
    use crate::cluster::payload;
    use crate::hald::{EntryOrder, texel};
    use std::io::Write;

    const NOW: u64 = 1 << 60;
    const SECOND: u64 = 1_000_000_000;

    fn bytes(hub: &str, revision: u64, effective: u64) -> Vec<u8> {
        let claim = Claim { hub: hub.parse().unwrap(), life: Life { began: 1, id: 1 }, priority: 0, revision };
        let (size, order) = (GridSize::new(17).unwrap(), EntryOrder::BlueFastest);
        let header = Header { claim, size, order, source: LutSource::Sent, bypass: false, hold: false, effective };
        payload::encode(&header, (0..size.entries()).map(|i| texel([i as f32, revision as f32, -0.0])))
    }

    /// A LUT whose green is its revision.
    pub fn lut(revision: u64) -> Lut {
        match read([ZBytes::from(bytes("a", revision, NOW))], GridSize::COMMON, NOW).remove(0) {
            Ok(Message::Lut(lut)) => lut,
            other => panic!("{other:?}"),
        }
    }

    /// As Zenoh puts together what came in parts.
    fn in_parts(bytes: &[u8]) -> ZBytes {
        let mut writer = ZBytes::writer();
        for part in bytes.chunks(50) {
            let mut message = ZBytes::writer();
            message.write_all(part).unwrap();
            writer.append(message.finish());
        }
        writer.finish()
    }

    fn damaged(mut bytes: Vec<u8>) -> Vec<u8> {
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    }

    /// L for a LUT, - for one passed over and X for one refused, with their revisions.
    fn said(messages: &[Vec<u8>]) -> String {
        let all = read(messages.iter().map(|bytes| in_parts(bytes)), GridSize::COMMON, NOW);
        let one = |message: &Result<Message, PayloadError>| match message {
            Ok(Message::Lut(lut)) => format!("L{}", lut.header().claim.revision),
            Ok(Message::PassedOver(header)) => format!("-{}", header.claim.revision),
            Err(_) => "X".to_owned(),
        };
        all.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_came_in_parts_is_in_one_and_the_same() {
        let sent = bytes("a", 1, NOW);
        let parts = in_parts(&sent);
        assert!(matches!(parts.to_bytes(), Cow::Owned(_)), "it is in one part, and the test shows nothing");
        let Ok(Message::Lut(lut)) = read([parts], GridSize::COMMON, NOW).remove(0) else { panic!("it was not taken") };
        assert!(matches!(lut.bytes.to_bytes(), Cow::Borrowed(_)), "it would be put together again");
        let (header, values) = payload::decode(&sent, GridSize::COMMON).unwrap();
        assert_eq!((lut.header(), lut.len()), (&header, sent.len()));
        lut.values(|got| assert!(got == values));
    }

    #[test]
    fn of_those_that_take_effect_at_once_only_the_newest_is_looked_at() {
        assert_eq!(said(&[bytes("a", 1, NOW - 5), bytes("a", 2, NOW - 9), bytes("a", 3, NOW)]), "-1 -2 L3");
        assert_eq!(said(&[damaged(bytes("a", 1, 0)), bytes("a", 2, 0)]), "-1 L2", "it was looked at");
        // From another clock: at once, too.
        assert_eq!(said(&[bytes("a", 1, 0), bytes("a", 2, NOW + 100 * SECOND)]), "-1 L2");
    }

    #[test]
    fn what_takes_effect_before_a_newer_one_is_kept() {
        assert_eq!(said(&[bytes("a", 1, NOW + 1), bytes("a", 2, NOW + 2)]), "L1 L2");
        assert_eq!(said(&[bytes("a", 1, NOW + 2), bytes("a", 2, NOW + 2), bytes("a", 3, NOW + 3)]), "-1 L2 L3");
        assert_eq!(said(&[bytes("a", 1, NOW + 3), bytes("a", 2, NOW + 4), bytes("a", 3, NOW + 2)]), "-1 -2 L3");
    }

    #[test]
    fn what_is_damaged_hides_nothing() {
        assert_eq!(said(&[bytes("a", 1, 0), bytes("a", 2, 0), damaged(bytes("a", 3, 0))]), "-1 L2 X");
        assert_eq!(said(&[bytes("a", 1, 0)[..99].to_vec(), bytes("a", 2, 0), vec![]]), "X L2 X");
    }

    #[test]
    fn one_hub_hides_nothing_of_another_and_nothing_that_is_not_older() {
        assert_eq!(said(&[bytes("a", 1, 0), bytes("b", 2, 0), bytes("a", 3, 0)]), "-1 L2 L3");
        assert_eq!(said(&[bytes("a", 2, 0), bytes("a", 2, 0), bytes("a", 1, 0)]), "L2 L2 L1");
    }
}
