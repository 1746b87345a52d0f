//! The hub: publishes what a server's channels show, and keeps an eye on the nodes.
//!
//! It works on threads of its own. What takes LUTs in does no more for it than to say that something has changed; of LUTs
//! that come faster than they can be sent, the newest goes.

use super::election::{Claim, Life};
use super::keys::{self, Name};
use super::payload::{self, Header};
use super::report::{self, HubChannel, HubReport, NodeReport, NodeState, PERIOD};
use super::roster::{Change, Roster};
use super::session::{self, ClusterError, Network};
use super::{FAREWELL, MOST_CHANNELS, MOST_HUBS, beginning, lock};
use crate::channel::{ChannelSet, LutSource, OutputMode, Received, Waker};
use crate::hald;
use crate::lut::{GridSize, Lut3d};
use crate::sink::ChannelId;
use crate::texture::TextureError;
use crate::{EVENTS, VERSION};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};
use tracing::{info, warn};
use zenoh::qos::{CongestionControl, Priority};
use zenoh::sample::{Locality, Sample};
use zenoh::{Session, Wait};
use zenoh_ext::{AdvancedPublisher, AdvancedPublisherBuilderExt, CacheConfig, MissDetectionConfig};

/// What a hub is.
#[derive(Clone, Debug)]
pub struct HubSettings {
    /// The cluster.
    pub cluster: Name,
    /// Its name.
    pub name: Name,
    /// Of several hubs, the one with the highest goes first.
    pub priority: u32,
    /// From when a LUT is published until it takes effect.
    pub lead: Duration,
    /// Where the cluster is.
    pub network: Network,
    /// The largest LUT.
    pub limit: GridSize,
}

/// A hub that runs, until it is dropped.
pub struct Hub {
    shared: Arc<Shared>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// What is known of a hub's cluster.
struct Shared {
    stop: AtomicBool,
    roster: Mutex<Roster>,
    /// Other hubs, and when they were heard.
    hubs: Mutex<BTreeMap<String, (HubReport, Instant)>>,
    published: AtomicU64,
    bytes: AtomicU64,
    failed: AtomicU64,
}

/// Counts of a hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubCounts {
    /// LUTs published.
    pub published: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// LUTs that could not be.
    pub failed: u64,
    /// Nodes in step.
    pub in_step: usize,
    /// Nodes that show an older LUT.
    pub behind: usize,
    /// Nodes of which nothing is heard.
    pub silent: usize,
    /// Other hubs of the cluster.
    pub other_hubs: usize,
}

impl Hub {
    /// Publishes what `channels` show from now on, and what they show already.
    pub fn start(channels: &ChannelSet, settings: HubSettings) -> Result<Hub, ClusterError> {
        let session = session::open(&settings.network, settings.limit)?;
        let life = beginning()?;
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            roster: Mutex::new(Roster::new(settings.name.as_str().to_owned(), life.id)),
            hubs: Mutex::default(),
            published: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        });
        listen(&session, &settings.cluster, &shared)?;
        let changes = channels.changes();
        let waker = changes.waker();
        let work = Work {
            channels: channels.clone(),
            settings,
            life,
            session,
            shared: shared.clone(),
            sent: BTreeMap::new(),
            told: BTreeMap::new(),
            warned: None,
        };
        let thread = thread::Builder::new().name("vglb-hub".into()).spawn(move || work.run(changes));
        Ok(Hub { shared, waker, thread: Some(thread.map_err(ClusterError::Thread)?) })
    }

    /// A way to its counts, after its end as well.
    pub fn counts(&self) -> impl Fn() -> HubCounts + Send + Sync + 'static {
        let shared = self.shared.clone();
        move || {
            let roster = lock(&shared.roster);
            let now = Instant::now();
            let is_there = |heard: &Instant| now.saturating_duration_since(*heard) < super::election::SILENT;
            HubCounts {
                published: shared.published.load(Relaxed),
                bytes: shared.bytes.load(Relaxed),
                failed: shared.failed.load(Relaxed),
                in_step: roster.count(NodeState::InStep),
                behind: roster.count(NodeState::Behind),
                silent: roster.count(NodeState::Silent),
                other_hubs: lock(&shared.hubs).values().filter(|(_, heard)| is_there(heard)).count(),
            }
        }
    }

    /// Says goodbye, and ends.
    pub fn stop(&mut self) {
        self.shared.stop.store(true, Relaxed);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Listens to what nodes and other hubs say, for as long as the session lasts.
fn listen(session: &Session, cluster: &Name, shared: &Arc<Shared>) -> Result<(), ClusterError> {
    let its = shared.clone();
    let node = move |sample: Sample| {
        let Some(report) = report::read::<NodeReport>(&sample.payload().to_bytes()) else { return };
        if let Some(change) = lock(&its.roster).heard(report, Instant::now()) {
            say(&change);
        }
    };
    let nodes = session.declare_subscriber(keys::of_all_nodes(cluster)).allowed_origin(Locality::Remote);
    nodes.callback(node).background().wait()?;
    let its = shared.clone();
    let hub = move |sample: Sample| {
        let Some(report) = report::read::<HubReport>(&sample.payload().to_bytes()) else { return };
        let mut hubs = lock(&its.hubs);
        if report.leaving {
            hubs.remove(&report.name);
        } else if hubs.len() < MOST_HUBS || hubs.contains_key(&report.name) {
            hubs.insert(report.name.clone(), (report, Instant::now()));
        }
    };
    let hubs = session.declare_subscriber(keys::of_all_hubs(cluster)).allowed_origin(Locality::Remote);
    hubs.callback(hub).background().wait()?;
    Ok(())
}

fn say(change: &Change) {
    match change {
        Change::Came(name) => info!(target: EVENTS, "node {name:?} is there"),
        Change::Left(name) => info!(target: EVENTS, "node {name:?} has left"),
        Change::Is(name, NodeState::InStep) => info!(target: EVENTS, "node {name:?} is in step again"),
        Change::Is(name, NodeState::Behind) => warn!("node {name:?} is behind: it shows an older LUT than it should"),
        Change::Is(name, NodeState::Silent) => warn!("node {name:?} is silent: nothing is heard of it"),
    }
}

/// The hub's thread.
struct Work {
    channels: ChannelSet,
    settings: HubSettings,
    life: Life,
    session: Session,
    shared: Arc<Shared>,
    sent: BTreeMap<ChannelId, Sent>,
    /// Other hubs' channels that were spoken of, and whether that hub goes first.
    told: BTreeMap<(String, String), bool>,
    warned: Option<Instant>,
}

/// What was published of a channel.
struct Sent {
    publisher: AdvancedPublisher<'static>,
    stream: String,
    revision: u64,
    /// Number of the LUT, its output, grid size and checksum.
    what: Option<(u64, OutputMode, GridSize, u32)>,
}

impl Work {
    fn run(mut self, mut changes: crate::channel::Changes) {
        let mut next = Instant::now();
        while !self.shared.stop.load(Relaxed) && !changes.is_closed() {
            for id in changes.wait(Some(next.saturating_duration_since(Instant::now()))) {
                if let Err(why) = self.publish(&id) {
                    self.shared.failed.fetch_add(1, Relaxed);
                    // Most likely the next LUT fails as well, and there may be many a second.
                    if self.warned.is_none_or(|at| at.elapsed() > Duration::from_secs(10)) {
                        self.warned = Some(Instant::now());
                        warn!("{id} is not published in the cluster: {why}");
                    }
                }
            }
            if Instant::now() >= next {
                next = Instant::now() + PERIOD;
                lock(&self.shared.roster).judge(Instant::now()).iter().for_each(say);
                self.tell_of_others();
                self.report(false);
            }
        }
        self.report(true);
        thread::sleep(FAREWELL);
        self.sent.clear();
        if let Err(e) = self.session.close().wait() {
            info!("the cluster's session did not end as it should: {e}");
        }
    }

    /// What nodes are to show of a channel, with the output that is the reason. `None` where nothing is, or not yet.
    fn shown(&self, id: &ChannelId, mode: OutputMode) -> Result<Option<Received>, TextureError> {
        match mode {
            // The pattern that says which wall it is does not travel: that would say it of all walls.
            OutputMode { identify: true, hold: true, bypass: false } if self.sent.contains_key(id) => Ok(None),
            OutputMode { hold: true, bypass: false, identify: false } => self.channels.shown(id),
            _ => self.channels.newest_graded(id),
        }
    }

    fn publish(&mut self, id: &ChannelId) -> Result<(), String> {
        let Some(asked) = self.channels.output(id) else { return Ok(()) };
        let mode = OutputMode { identify: false, ..asked };
        let Some(lut) = self.shown(id, asked).map_err(|e| e.to_string())? else { return Ok(()) };
        let Received { number, source, .. } = lut;
        if !self.sent.contains_key(id) {
            let publisher = self.publisher(id).map_err(|e| e.to_string())?;
            let stream = self.channels.stream(id);
            self.sent.insert(id.clone(), Sent { publisher, stream, revision: 0, what: None });
        }
        let Some(sent) = self.sent.get_mut(id) else { return Ok(()) };
        let now = payload::nanoseconds(SystemTime::now());
        let claim = Claim {
            hub: self.settings.name.clone(),
            life: self.life,
            priority: self.settings.priority,
            revision: sent.revision + 1,
        };
        let header = Header {
            claim,
            size: lut.size(),
            order: self.channels.order(id),
            source,
            bypass: mode.bypass,
            hold: mode.hold,
            effective: now.saturating_add(u64::try_from(self.settings.lead.as_nanos()).unwrap_or(u64::MAX)),
        };
        let bytes = encoded(&header, &lut);
        let what = (number, mode, header.size, payload::checksum(&bytes).unwrap_or(0));
        let same = sent.what.is_some_and(|before| {
            // While the stream stays as it is, LUTs that come change nothing.
            let is_kept = mode.bypass || mode.hold;
            (before.1, before.2, before.3) == (what.1, what.2, what.3) && (is_kept || before.0 == number)
        });
        if same {
            return Ok(());
        }
        let length = bytes.len() as u64;
        let at = Instant::now() + self.settings.lead;
        // Before it is out: whoever is quick must not be judged by what came before.
        lock(&self.shared.roster).published(id.name().unwrap_or(""), sent.revision + 1, at);
        sent.revision += 1;
        sent.publisher.put(bytes).wait().map_err(|e| e.to_string())?;
        sent.what = Some(what);
        self.shared.published.fetch_add(1, Relaxed);
        self.shared.bytes.fetch_add(length, Relaxed);
        Ok(())
    }

    /// What publishes a channel: it keeps the newest LUT for nodes that come late, and says twice a second which that is,
    /// so that a node that has missed it asks for it.
    fn publisher(&self, id: &ChannelId) -> Result<AdvancedPublisher<'static>, ClusterError> {
        if self.sent.len() >= MOST_CHANNELS {
            return Err(ClusterError::Zenoh(format!("a hub has at most {MOST_CHANNELS} channels")));
        }
        let publisher = self.session.declare_publisher(keys::of_channel(&self.settings.cluster, id));
        // A node that does not keep up must not hold up the others: it asks again for what it did not get.
        let publisher = publisher.congestion_control(CongestionControl::Drop).priority(Priority::Data);
        let publisher = publisher
            .cache(CacheConfig::default().max_samples(1))
            .sample_miss_detection(MissDetectionConfig::default().heartbeat(PERIOD))
            .publisher_detection();
        Ok(publisher.wait()?)
    }

    /// Says, once, which of several hubs goes first on a channel.
    fn tell_of_others(&mut self) {
        let now = Instant::now();
        let mut hubs = lock(&self.shared.hubs);
        hubs.retain(|_, (_, heard)| now.saturating_duration_since(*heard) < super::election::SILENT);
        let mut there = BTreeMap::new();
        for (name, (report, _)) in hubs.iter() {
            let own = self.settings.name.as_str();
            let theirs = (std::cmp::Reverse(report.priority), name.as_str());
            let is_first = theirs < (std::cmp::Reverse(self.settings.priority), own);
            for channel in &report.channels {
                if self.sent.keys().any(|id| id.name().unwrap_or("") == channel.channel) {
                    there.insert((name.clone(), channel.channel.clone()), is_first);
                }
            }
        }
        drop(hubs);
        for ((hub, channel), is_first) in &there {
            if self.told.get(&(hub.clone(), channel.clone())) == Some(is_first) {
                continue;
            }
            let (id, own) = (ChannelId::new(&**channel), self.settings.priority);
            match is_first {
                _ if hub == self.settings.name.as_str() => {
                    warn!("another hub is called {hub:?} as well, and has {id}; nodes take the one that began last");
                }
                true => warn!("{id} comes from hub {hub:?} as well, which goes first; this one has priority {own}"),
                false => warn!("{id} comes from hub {hub:?} as well; this one, with priority {own}, goes first"),
            }
        }
        self.told = there;
    }

    fn report(&self, leaving: bool) {
        let channel = |(id, sent): (&ChannelId, &Sent)| {
            let (_, mode, size, _) = sent.what?;
            Some(HubChannel {
                channel: id.name().unwrap_or("").to_owned(),
                stream: sent.stream.clone(),
                revision: sent.revision,
                size: size.get(),
                bypass: mode.bypass,
                hold: mode.hold,
            })
        };
        let report = HubReport {
            name: self.settings.name.as_str().to_owned(),
            began: self.life.began,
            life: self.life.id,
            version: VERSION.to_owned(),
            priority: self.settings.priority,
            leaving,
            channels: self.sent.iter().filter_map(channel).collect(),
            nodes: lock(&self.shared.roster).rows(Instant::now()),
        };
        let key = keys::of_hub(&self.settings.cluster, &self.settings.name);
        let put = self.session.put(key, report::write(&report)).priority(Priority::InteractiveHigh);
        if let Err(e) = put.congestion_control(CongestionControl::Drop).wait() {
            info!("the cluster was not told of this hub: {e}");
        }
    }
}

/// A LUT as it is published: the identity where the hub shows that.
fn encoded(header: &Header, lut: &Received) -> Vec<u8> {
    if header.bypass {
        let identity = Lut3d::identity(header.size);
        let points = (0..header.size.entries()).map(|i| header.order.point(header.size, i));
        let header = Header { source: LutSource::Sent, ..header.clone() };
        return payload::encode(&header, points.map(|p| hald::texel(identity.at(p))));
    }
    payload::encode(header, lut.entries(header.order))
}
