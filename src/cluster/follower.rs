//! The node's side: takes LUTs from the cluster, and puts each on a channel of its own when it takes effect.

use super::election::{Life, SILENT, Verdict};
use super::feed::Feed;
use super::inbox::{Inbox, Mail};
use super::keys::{self, Name};
use super::message::{self, Message};
use super::payload::{self, Header};
use super::report::{self, HubReport, NodeChannel, NodeReport, PERIOD};
use super::selection::Selection;
use super::session::{self, ClusterError, Network};
use super::{FAREWELL, MOST_CHANNELS, MOST_HUBS, beginning, lock};
use crate::channel::ChannelSet;
use crate::lut::GridSize;
use crate::sink::ChannelId;
use crate::{EVENTS, VERSION};
use std::collections::{BTreeMap, VecDeque};
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

impl Work {
    fn run(&mut self) {
        loop {
            let next = self.feeds.values().filter_map(Feed::next).min();
            let Some(mail) = self.inbox.wait(next, SILENT) else { return };
            lock(&self.status).overrun += mail.overrun;
            self.hear(&mail);
            for (channel, messages) in mail.messages {
                self.take(&channel, messages);
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

    /// Messages of a channel have come.
    fn take(&mut self, channel: &ChannelId, messages: VecDeque<ZBytes>) {
        let Some(target) = self.settings.selection.target(channel) else { return };
        let (now, clock) = (Instant::now(), payload::nanoseconds(SystemTime::now()));
        for read in message::read(messages, self.settings.limit, clock) {
            let message = match read {
                Ok(message) => message,
                Err(why) => {
                    lock(&self.status).refused += 1;
                    self.complain("payload", || format!("{channel} stays as it is: the cluster sent {why}"));
                    continue;
                }
            };
            if self.is_followed(channel, &target) && self.is_taken(channel, message.header(), now) {
                self.queue(channel, message, (now, clock));
            }
        }
    }

    /// Whether there is a feed of this channel, or there may be one.
    fn is_followed(&mut self, channel: &ChannelId, target: &ChannelId) -> bool {
        if self.feeds.contains_key(channel) {
            return true;
        }
        if self.feeds.len() >= MOST_CHANNELS {
            lock(&self.status).refused += 1;
            self.complain("channels", || format!("{channel} is not followed: there are {MOST_CHANNELS} already"));
            return false;
        }
        let report = NodeChannel {
            channel: channel.name().unwrap_or("").to_owned(),
            stream: self.channels.stream(target),
            ..NodeChannel::default()
        };
        self.feeds.insert(channel.clone(), Feed::new(target.clone(), report));
        true
    }

    /// Whether a LUT is the newest of the hub that goes first.
    fn is_taken(&mut self, channel: &ChannelId, header: &Header, now: Instant) -> bool {
        let Some(feed) = self.feeds.get_mut(channel) else { return false };
        let former = feed.election.leader().map(|(hub, _)| hub.clone());
        let verdict = feed.election.offer(&header.claim, now);
        let hub = &header.claim.hub;
        match verdict {
            Verdict::NotNewer | Verdict::FormerLife => {
                debug!("{channel}: hub {hub} has sent what is not newer");
                return false;
            }
            Verdict::TooManyHubs => {
                self.complain("hubs", || format!("{channel}: hub {hub} is left out: there are too many"));
                return false;
            }
            Verdict::Accepted | Verdict::Outranked => {
                if self.hubs.len() < MOST_HUBS {
                    self.hubs.insert(hub.clone(), now);
                }
                feed.tell_of_others(channel, now);
                feed.note(now, &self.status);
            }
        }
        if verdict == Verdict::Accepted && former.as_ref() != Some(hub) {
            info!(target: EVENTS, "{channel} is followed from hub {hub}, priority {}", header.claim.priority);
        }
        verdict == Verdict::Accepted
    }

    /// A LUT that was taken waits for its time.
    fn queue(&mut self, channel: &ChannelId, message: Message, (now, clock): (Instant, u64)) {
        let Some(feed) = self.feeds.get_mut(channel) else { return };
        let lut = match message {
            Message::Lut(lut) => lut,
            Message::PassedOver(_) => return feed.passed_over(),
        };
        match message::ahead(lut.header(), clock) {
            Ok(ahead) => feed.queue(lut, now + ahead),
            Err(ahead) => {
                let hub = lut.header().claim.hub.clone();
                feed.queue(lut, now);
                self.complain("clock", || {
                    format!(
                        "{channel}: a LUT is to take effect in {ahead:.1?}, and is shown at once; are the clocks of hub {hub} \
                         and of this computer synchronised?"
                    )
                });
            }
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
