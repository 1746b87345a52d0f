//! The node's side: takes LUTs from the cluster, and puts each on a channel of its own when it takes effect.

use super::election::{Election, Life, SILENT, Verdict};
use super::inbox::{Inbox, Mail};
use super::keys::{self, Name};
use super::payload::{self, Header};
use super::report::{self, HubReport, NodeChannel, NodeReport, PERIOD};
use super::selection::Selection;
use super::session::{self, ClusterError, Network};
use super::{FAREWELL, MOST_CHANNELS, MOST_HUBS, beginning, lock};
use crate::channel::{ChannelSet, LutSource};
use crate::hald::Texel;
use crate::lut::GridSize;
use crate::sink::{ChannelId, LutWriter};
use crate::{EVENTS, VERSION};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};
use tracing::{debug, info, warn};
use zenoh::bytes::ZBytes;
use zenoh::qos::{CongestionControl, Priority};
use zenoh::sample::Sample;
use zenoh::{Session, Wait};
use zenoh_ext::{AdvancedSubscriber, AdvancedSubscriberBuilderExt, HistoryConfig, RecoveryConfig};

/// A LUT that is to take effect later than this from now comes from a clock that is not this one's: it is shown at once.
pub const MOST_LEAD: Duration = Duration::from_secs(2);
/// LUTs of a channel that wait for their time.
const MOST_WAITING: usize = 64;
/// Bytes of them.
const MOST_WAITING_BYTES: usize = 256 << 20;
/// Times of which the largest is told.
const SKEWS: usize = 64;
/// Entries that are written at once.
const CHUNK: usize = 4096;
/// How long what was lost may take to be sent again.
const QUERY_TIME: Duration = Duration::from_secs(3);
/// The same complaint is made again after this.
const WARN_GAP: Duration = Duration::from_secs(10);

/// What a node is.
#[derive(Clone, Debug)]
pub struct FollowerSettings {
    /// The cluster.
    pub cluster: Name,
    /// Its name.
    pub name: Name,
    /// The channels it follows.
    pub selection: Selection,
    /// Where the cluster is.
    pub network: Network,
    /// The largest LUT it takes.
    pub limit: GridSize,
}

/// A node that follows, until it is dropped.
pub struct Follower {
    inbox: Arc<Inbox>,
    status: Arc<Mutex<Status>>,
    session: Session,
    subscriber: Option<AdvancedSubscriber<()>>,
    threads: Vec<JoinHandle<()>>,
}

/// What a node has done, for its reports and metrics.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Each channel.
    pub channels: BTreeMap<ChannelId, NodeChannel>,
    /// Messages that are no LUT, or of more channels than there may be.
    pub refused: u64,
    /// Messages passed over, for newer ones had come before they were looked at.
    pub overrun: u64,
}

impl Follower {
    /// Puts the cluster's LUTs on `channels` from now on, and at once those that it has.
    pub fn start(channels: &ChannelSet, settings: FollowerSettings) -> Result<Follower, ClusterError> {
        let session = session::open(&settings.network, settings.limit)?;
        let life = beginning()?;
        let (inbox, status) = (Arc::new(Inbox::default()), Arc::<Mutex<Status>>::default());
        let its = inbox.clone();
        let hubs = session.declare_subscriber(keys::of_all_hubs(&settings.cluster));
        let heard = move |sample: Sample| {
            let Some(report) = report::read::<HubReport>(&sample.payload().to_bytes()) else { return };
            let life = Life { began: report.began, id: report.life };
            its.heard(Name::of(&report.name), life);
        };
        hubs.callback(heard).background().wait()?;
        let its = inbox.clone();
        let take = move |sample: Sample| {
            if let Some(channel) = keys::channel(sample.key_expr().as_str()) {
                its.put(channel, sample.payload().clone());
            }
        };
        let subscriber = session.declare_subscriber(keys::of_all_channels(&settings.cluster));
        let subscriber = subscriber
            .callback(take)
            .history(HistoryConfig::default().detect_late_publishers().max_samples(1))
            .recovery(RecoveryConfig::default().heartbeat())
            .query_timeout(QUERY_TIME)
            .wait()?;
        let mut work = Work {
            channels: channels.clone(),
            settings: settings.clone(),
            inbox: inbox.clone(),
            status: status.clone(),
            feeds: BTreeMap::new(),
            hubs: BTreeMap::new(),
            alone: None,
            warned: BTreeMap::new(),
        };
        let mut follower = Follower {
            inbox: inbox.clone(),
            status: status.clone(),
            session,
            subscriber: Some(subscriber),
            threads: vec![],
        };
        follower.spawn("vglb-follow", move || work.run())?;
        let reports = Reports { session: follower.session.clone(), settings, life, inbox, status };
        follower.spawn("vglb-report", move || reports.run())?;
        Ok(follower)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), ClusterError> {
        let thread = thread::Builder::new().name(name.into()).spawn(run).map_err(ClusterError::Thread)?;
        self.threads.push(thread);
        Ok(())
    }

    /// A way to what it has done, after its end as well.
    pub fn status(&self) -> impl Fn() -> Status + Send + Sync + 'static {
        let status = self.status.clone();
        move || lock(&status).clone()
    }

    /// Says goodbye, and ends. The channels keep their LUTs.
    pub fn stop(&mut self) {
        self.inbox.stop();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        if let Some(subscriber) = self.subscriber.take() {
            thread::sleep(FAREWELL);
            drop(subscriber);
            if let Err(e) = self.session.close().wait() {
                info!("the cluster's session did not end as it should: {e}");
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The thread that tells the cluster of this node.
struct Reports {
    session: Session,
    settings: FollowerSettings,
    life: Life,
    inbox: Arc<Inbox>,
    status: Arc<Mutex<Status>>,
}

impl Reports {
    fn run(&self) {
        let mut stopped = false;
        loop {
            let report = NodeReport {
                name: self.settings.name.as_str().to_owned(),
                life: self.life.id,
                version: VERSION.to_owned(),
                leaving: stopped,
                channels: lock(&self.status).channels.values().filter(|c| c.applied > 0).cloned().collect(),
            };
            let key = keys::of_node(&self.settings.cluster, &self.settings.name);
            let put = self.session.put(key, report::write(&report)).priority(Priority::InteractiveHigh);
            if let Err(e) = put.congestion_control(CongestionControl::Drop).wait() {
                debug!("the cluster was not told of this node: {e}");
            }
            if stopped {
                return;
            }
            stopped = self.inbox.wait_for_stop(PERIOD);
        }
    }
}

/// The thread that puts LUTs on streams.
struct Work {
    channels: ChannelSet,
    settings: FollowerSettings,
    inbox: Arc<Inbox>,
    status: Arc<Mutex<Status>>,
    /// By the channel's name in the cluster.
    feeds: BTreeMap<ChannelId, Feed>,
    hubs: BTreeMap<Name, Instant>,
    /// Since when no hub has been heard, once that was said.
    alone: Option<Instant>,
    /// What was complained of.
    warned: BTreeMap<&'static str, Instant>,
}

/// A channel of the cluster, on its way to one of the node's.
struct Feed {
    target: ChannelId,
    election: Election,
    writer: Option<Box<dyn LutWriter>>,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// The first of those that wait lies in the writer.
    prepared: bool,
    /// Hubs that were said not to be followed.
    told: BTreeSet<Name>,
    skews: VecDeque<i64>,
    report: NodeChannel,
}

/// A LUT that takes effect at `due`.
struct Waiting {
    header: Header,
    message: ZBytes,
    due: Instant,
}

impl Work {
    fn run(&mut self) {
        loop {
            let next = self.feeds.values().filter_map(|feed| feed.waiting.front()).map(|w| w.due).min();
            let Some(mail) = self.inbox.wait(next, SILENT) else { return };
            lock(&self.status).overrun += mail.overrun;
            self.hear(&mail);
            for (channel, message) in mail.messages {
                self.take(channel, message);
            }
            for id in self.feeds.keys().cloned().collect::<Vec<_>>() {
                self.show(&id);
            }
        }
    }

    /// Hubs have said that they are there, or none has for some time.
    fn hear(&mut self, mail: &Mail) {
        let now = Instant::now();
        for (hub, life) in &mail.hubs {
            self.hubs.insert(hub.clone(), now);
            self.feeds.values_mut().for_each(|feed| feed.election.heard(hub, *life, now));
        }
        let there = self.hubs.len();
        self.hubs.retain(|_, heard| now.saturating_duration_since(*heard) < SILENT);
        match (self.hubs.is_empty(), self.alone) {
            (true, None) if there > 0 => {
                self.alone = Some(now);
                warn!("no hub of cluster {} is heard any more; every stream keeps its LUT", self.settings.cluster);
            }
            (false, Some(since)) => {
                self.alone = None;
                info!(target: EVENTS, "a hub is heard again, after {:.0?}", now.saturating_duration_since(since));
            }
            _ => {}
        }
    }

    /// Complains, but not without end of the same.
    fn complain(&mut self, of: &'static str, text: impl FnOnce() -> String) {
        if self.warned.get(of).is_none_or(|at| at.elapsed() >= WARN_GAP) {
            self.warned.insert(of, Instant::now());
            warn!("{}", text());
        }
    }

    /// A message has come.
    fn take(&mut self, channel: ChannelId, message: ZBytes) {
        let Some(target) = self.settings.selection.target(&channel) else { return };
        let (now, clock) = (Instant::now(), payload::nanoseconds(SystemTime::now()));
        let header = match payload::decode(&message.to_bytes(), self.settings.limit) {
            Ok((header, _)) => header,
            Err(why) => {
                lock(&self.status).refused += 1;
                return self.complain("payload", || format!("{channel} stays as it is: the cluster sent {why}"));
            }
        };
        if !self.feeds.contains_key(&channel) {
            if self.feeds.len() >= MOST_CHANNELS {
                lock(&self.status).refused += 1;
                return self
                    .complain("channels", || format!("{channel} is not followed: there are {MOST_CHANNELS} already"));
            }
            let report = NodeChannel {
                channel: channel.name().unwrap_or("").to_owned(),
                stream: self.channels.stream(&target),
                ..NodeChannel::default()
            };
            self.feeds.insert(channel.clone(), Feed::new(target, report));
        }
        let Some(feed) = self.feeds.get_mut(&channel) else { return };
        let former = feed.election.leader().map(|(hub, _)| hub.clone());
        let verdict = feed.election.offer(&header.claim, now);
        let hub = header.claim.hub.clone();
        match verdict {
            Verdict::NotNewer | Verdict::FormerLife => {
                return debug!("{channel}: hub {hub} has sent what is not newer");
            }
            Verdict::TooManyHubs => {
                return self.complain("hubs", || format!("{channel}: hub {hub} is left out: there are too many"));
            }
            Verdict::Accepted | Verdict::Outranked => {
                if self.hubs.len() < MOST_HUBS {
                    self.hubs.insert(hub.clone(), now);
                }
                feed.tell_of_others(&channel, now);
                feed.note(now, &self.status);
            }
        }
        if verdict == Verdict::Outranked {
            return;
        }
        if former.as_ref() != Some(&hub) {
            info!(target: EVENTS, "{channel} is followed from hub {hub}, priority {}", header.claim.priority);
        }
        let ahead = Duration::from_nanos(header.effective.saturating_sub(clock));
        let due = match ahead <= MOST_LEAD {
            true => now + ahead,
            false => {
                self.complain("clock", || {
                    format!(
                        "{channel}: a LUT is to take effect in {ahead:.1?}, and is shown at once; are the clocks of hub {hub} \
                         and of this computer synchronised?"
                    )
                });
                now
            }
        };
        if let Some(feed) = self.feeds.get_mut(&channel) {
            feed.queue(Waiting { header, message, due });
        }
    }

    /// Prepares what is next on a channel, and shows what is due.
    fn show(&mut self, id: &ChannelId) {
        let Some(feed) = self.feeds.get_mut(id) else { return };
        match feed.show(&self.channels) {
            Ok(false) => {}
            Ok(true) => feed.note(Instant::now(), &self.status),
            Err(why) => {
                feed.report.refused += 1;
                feed.note(Instant::now(), &self.status);
                self.complain("refusal", || format!("{id} stays as it is: a LUT of the cluster was refused: {why}"));
            }
        }
    }
}

impl Feed {
    fn new(target: ChannelId, report: NodeChannel) -> Self {
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

    fn queue(&mut self, waiting: Waiting) {
        self.bytes += waiting.message.len();
        self.waiting.push_back(waiting);
        while self.waiting.len() > 1 && (self.waiting.len() > MOST_WAITING || self.bytes > MOST_WAITING_BYTES) {
            self.pass_over();
        }
    }

    /// The first of those that wait is not shown any more.
    fn pass_over(&mut self) {
        self.pop();
        self.report.skipped += 1;
    }

    fn pop(&mut self) {
        if std::mem::take(&mut self.prepared)
            && let Some(writer) = &mut self.writer
        {
            writer.abandon();
        }
        if let Some(gone) = self.waiting.pop_front() {
            self.bytes -= gone.message.len();
        }
    }

    /// Tells whether a LUT was put on the stream; the error says why one was not.
    fn show(&mut self, channels: &ChannelSet) -> Result<bool, String> {
        let mut shown = false;
        loop {
            // Of those that are due, the newest.
            let now = Instant::now();
            let due = self.waiting.iter().filter(|waiting| waiting.due <= now).count();
            (1..due).for_each(|_| self.pass_over());
            let Some(next) = self.waiting.front() else { return Ok(shown) };
            let due = next.due;
            if !std::mem::replace(&mut self.prepared, true)
                && let Err(why) = self.prepare(channels)
            {
                // A writer that failed may have lost its stream.
                self.writer = None;
                self.pop();
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
        let Some(Waiting { header, message, .. }) = self.waiting.front() else { return Ok(()) };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let writer = channels.writer_from(&self.target, LutSource::Cluster).map_err(|e| e.to_string())?;
                self.writer.insert(writer)
            }
        };
        let bytes = message.to_bytes();
        // It was read before, whole.
        let (_, values) = payload::decode(&bytes, header.size).map_err(|e| e.to_string())?;
        writer.begin(header.size).map_err(|e| e.to_string())?;
        let (size, order) = (header.size, writer.order());
        let mut chunk: Vec<Texel> = Vec::with_capacity(CHUNK.min(size.entries()));
        for begin in (0..size.entries()).step_by(CHUNK) {
            chunk.clear();
            let indices = begin..(begin + CHUNK).min(size.entries());
            match order == header.order {
                true => chunk.extend(indices.map(|i| payload::entry(values, i))),
                false => chunk
                    .extend(indices.map(|i| payload::entry(values, header.order.index(size, order.point(size, i))))),
            }
            if !writer.entries(&chunk) {
                return Err("it has values that are NaN or infinite".into());
            }
        }
        Ok(())
    }

    /// Puts what was prepared on the stream.
    fn commit(&mut self) -> Result<bool, String> {
        self.prepared = false;
        let (Some(writer), Some(shown)) = (&mut self.writer, self.waiting.pop_front()) else { return Ok(false) };
        self.bytes -= shown.message.len();
        if let Err(why) = writer.commit() {
            self.writer = None;
            return Err(why.to_string());
        }
        let applied = payload::nanoseconds(SystemTime::now());
        let header = shown.header;
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
    fn tell_of_others(&mut self, channel: &ChannelId, now: Instant) {
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
    fn note(&mut self, now: Instant, status: &Mutex<Status>) {
        self.report.other_hubs = self.election.others(now).iter().map(|hub| hub.as_str().to_owned()).collect();
        lock(status).channels.insert(ChannelId::new(&*self.report.channel), self.report.clone());
    }
}
