//! The LUTs of one channel of the cluster that wait for their time, and how each comes on a channel of the node.

use super::election::Election;
use super::follower::Status;
use super::keys::Name;
use super::lock;
use super::message::Lut;
use super::payload;
use super::report::NodeChannel;
use crate::channel::{ChannelSet, LutSource};
use crate::hald::Texel;
use crate::sink::{ChannelId, LutWriter};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::{Instant, SystemTime};
use tracing::warn;

/// LUTs of a channel that wait for their time.
const MOST_WAITING: usize = 64;
/// Bytes of them.
const MOST_WAITING_BYTES: usize = 256 << 20;
/// Times of which the largest is told.
const SKEWS: usize = 64;
/// Entries that are written at once.
const CHUNK: usize = 4096;

/// A channel of the cluster, on its way to one of the node's.
pub struct Feed {
    /// Whose LUTs are taken.
    pub election: Election,
    /// What was done.
    pub report: NodeChannel,
    target: ChannelId,
    writer: Option<Box<dyn LutWriter>>,
    /// Each takes effect later than the one before it.
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// The first of those that wait lies in the writer.
    prepared: bool,
    /// Hubs that were said not to be followed.
    told: BTreeSet<Name>,
    skews: VecDeque<i64>,
}

/// A LUT that takes effect at `due`.
struct Waiting {
    lut: Lut,
    due: Instant,
}

impl Feed {
    pub fn new(target: ChannelId, report: NodeChannel) -> Self {
        Feed {
            target,
            election: Election::default(),
            writer: None,
            waiting: VecDeque::new(),
            bytes: 0,
            prepared: false,
            told: BTreeSet::new(),
            skews: VecDeque::new(),
            report,
        }
    }

    /// When the next LUT takes effect.
    pub fn next(&self) -> Option<Instant> {
        self.waiting.front().map(|waiting| waiting.due)
    }

    /// A LUT that was accepted takes effect at `due`.
    pub fn queue(&mut self, lut: Lut, due: Instant) {
        // What is older and takes effect later is not seen any more.
        while self.waiting.back().is_some_and(|older| older.due >= due) {
            self.pop_back();
            self.passed_over();
        }
        self.bytes += lut.len();
        self.waiting.push_back(Waiting { lut, due });
        while self.waiting.len() > 1 && (self.waiting.len() > MOST_WAITING || self.bytes > MOST_WAITING_BYTES) {
            self.pop_front();
            self.passed_over();
        }
    }

    /// A LUT is not shown, for there is a newer one.
    pub fn passed_over(&mut self) {
        self.report.skipped += 1;
    }

    fn pop_front(&mut self) {
        self.abandon();
        if let Some(gone) = self.waiting.pop_front() {
            self.bytes -= gone.lut.len();
        }
    }

    fn pop_back(&mut self) {
        if self.waiting.len() == 1 {
            self.abandon();
        }
        if let Some(gone) = self.waiting.pop_back() {
            self.bytes -= gone.lut.len();
        }
    }

    /// The first of those that wait does not lie in the writer any more.
    fn abandon(&mut self) {
        if std::mem::take(&mut self.prepared)
            && let Some(writer) = &mut self.writer
        {
            writer.abandon();
        }
    }

    /// Tells whether a LUT was put on the stream; the error says why one was not.
    pub fn show(&mut self, channels: &ChannelSet) -> Result<bool, String> {
        let mut shown = false;
        loop {
            // Of those that are due, the newest.
            let now = Instant::now();
            let due = self.waiting.iter().filter(|waiting| waiting.due <= now).count();
            for _ in 1..due {
                self.pop_front();
                self.passed_over();
            }
            let Some(due) = self.next() else { return Ok(shown) };
            if !std::mem::replace(&mut self.prepared, true)
                && let Err(why) = self.prepare(channels)
            {
                // A writer that failed may have lost its stream.
                self.writer = None;
                self.pop_front();
                return Err(why);
            }
            if due > Instant::now() {
                return Ok(shown);
            }
            shown |= self.commit()?;
        }
    }

    /// Writes the first of those that wait where no receiver sees it yet.
    fn prepare(&mut self, channels: &ChannelSet) -> Result<(), String> {
        let Some(Waiting { lut, .. }) = self.waiting.front() else { return Ok(()) };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let writer = channels.writer_from(&self.target, LutSource::Cluster).map_err(|e| e.to_string())?;
                self.writer.insert(writer)
            }
        };
        let header = lut.header();
        writer.begin(header.size).map_err(|e| e.to_string())?;
        let (size, order) = (header.size, writer.order());
        let mut chunk: Vec<Texel> = Vec::with_capacity(CHUNK.min(size.entries()));
        lut.values(|values| {
            for begin in (0..size.entries()).step_by(CHUNK) {
                chunk.clear();
                let indices = begin..(begin + CHUNK).min(size.entries());
                match order == header.order {
                    true => chunk.extend(payload::entries(values, indices)),
                    false => chunk.extend(
                        indices.map(|i| payload::entry(values, header.order.index(size, order.point(size, i)))),
                    ),
                }
                if !writer.entries(&chunk) {
                    return Err("it has values that are NaN or infinite".into());
                }
            }
            Ok(())
        })
    }

    /// Puts what was prepared on the stream.
    fn commit(&mut self) -> Result<bool, String> {
        self.prepared = false;
        let (Some(writer), Some(shown)) = (&mut self.writer, self.waiting.pop_front()) else { return Ok(false) };
        self.bytes -= shown.lut.len();
        if let Err(why) = writer.commit() {
            self.writer = None;
            return Err(why.to_string());
        }
        let applied = payload::nanoseconds(SystemTime::now());
        let header = shown.lut.header();
        let skew = (i128::from(applied) - i128::from(header.effective)) / 1000;
        let skew = skew.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        if self.skews.len() == SKEWS {
            self.skews.pop_front();
        }
        self.skews.push_back(skew);
        let report = &mut self.report;
        report.hub = header.claim.hub.as_str().to_owned();
        report.hub_life = header.claim.life.id;
        report.revision = header.claim.revision;
        report.size = header.size.get();
        report.skew_us = skew;
        report.worst_skew_us = self.skews.iter().copied().max_by_key(|skew| skew.unsigned_abs()).unwrap_or(skew);
        report.applied += 1;
        Ok(true)
    }

    /// Says, once, which hubs are not followed.
    pub fn tell_of_others(&mut self, channel: &ChannelId, now: Instant) {
        let others = self.election.others(now);
        self.told.retain(|hub| others.contains(hub));
        let Some((leader, priority)) = self.election.leader() else { return };
        for other in others {
            if self.told.insert(other.clone()) {
                warn!("{channel} comes from two hubs: {leader}, with priority {priority}, goes before {other}");
            }
        }
    }

    /// Makes known what is new of this channel.
    pub fn note(&mut self, now: Instant, status: &Mutex<Status>) {
        self.report.other_hubs = self.election.others(now).iter().map(|hub| hub.as_str().to_owned()).collect();
        lock(status).channels.insert(ChannelId::new(&*self.report.channel), self.report.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelSettings;
    use crate::cluster::message::tests::lut;
    use crate::hald::Placement;
    use crate::texture::memory::MemoryBackend;
    use crate::texture::{Frame, TextureBackend};
    use std::sync::Arc;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    struct Node {
        feed: Feed,
        channels: ChannelSet,
        backend: MemoryBackend,
    }

    impl Node {
        fn new() -> Node {
            let backend = MemoryBackend::default();
            let channels = ChannelSet::new(Arc::new(backend.clone()), ChannelSettings::default());
            Node { feed: Feed::new(ChannelId::new("a"), NodeChannel::default()), channels, backend }
        }

        /// Revision on the stream: by the report, by the texture; and how many were passed over.
        fn shows(&mut self) -> (u64, f32, u64) {
            self.feed.show(&self.channels).unwrap();
            let mut frame = Frame::default();
            let value = self.backend.open("vglb-lut-a").ok().and_then(|mut receiver| {
                receiver.read(&mut frame).ok()?;
                Some(Placement::read(frame.shape?, &frame.texels).at([0; 3])[1])
            });
            (self.feed.report.revision, value.unwrap_or(-1.0), self.feed.report.skipped)
        }
    }

    #[test]
    fn of_those_that_are_due_the_newest_is_shown_and_the_others_are_counted() {
        let (mut node, now) = (Node::new(), Instant::now());
        for i in 1..=3 {
            node.feed.queue(lut(i), now - HOUR + Duration::from_secs(i));
        }
        node.feed.queue(lut(4), now + HOUR);
        assert_eq!(node.shows(), (3, 3.0, 2));
        assert_eq!((node.feed.report.applied, node.feed.next()), (1, Some(now + HOUR)));
        assert_eq!(node.shows(), (3, 3.0, 2), "the fourth was shown before its time");
    }

    #[test]
    fn one_that_is_prepared_gives_way_to_a_newer_one_that_takes_effect_no_later() {
        let (mut node, now) = (Node::new(), Instant::now());
        node.feed.queue(lut(1), now + HOUR);
        node.feed.queue(lut(2), now + HOUR + HOUR);
        assert_eq!(node.shows().0, 0);
        assert!(node.feed.prepared);
        node.feed.queue(lut(3), now);
        assert_eq!(node.shows(), (3, 3.0, 2));
        assert_eq!((node.feed.next(), node.feed.bytes), (None, 0));
    }

    #[test]
    fn luts_without_end_take_no_memory_without_end() {
        let (mut node, now) = (Node::new(), Instant::now());
        for i in 1..=100 {
            node.feed.queue(lut(i), now + HOUR + Duration::from_secs(i));
        }
        assert_eq!((node.feed.waiting.len(), node.feed.report.skipped), (MOST_WAITING, 36));
        assert_eq!(node.feed.bytes, MOST_WAITING * lut(1).len());
    }
}
