//! Channels: one stream of textures for each, under a name that no other channel has.

mod cdl;
mod changes;
mod output;
mod received;
mod settings;
mod writer;

pub use cdl::{CdlMode, CdlSettings, UnknownCdlMode};
pub use changes::{Changes, Waker};
pub use output::{OutputError, OutputMode};
pub use received::{LutSource, Received};
pub use settings::{ChannelSettings, OwnSettings};

use crate::hald::{EntryOrder, Texel, TextureShape};
use crate::lut::{Cdl, GridSize};
use crate::server::Origin;
use crate::server::origin::reserve;
use crate::sink::{ChannelId, LutSink, LutWriter, Refusal};
use crate::texture::{Frame, TextureBackend, TextureError, TextureSender};
use changes::Signal;
use output::{Kept, Output};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use writer::ChannelWriter;

/// All channels of a server: a [`LutSink`] that publishes each LUT as a texture. Clones are of the same channels.
#[derive(Clone)]
pub struct ChannelSet {
    shared: Arc<Shared>,
    /// Whose requests come through this one.
    client: Option<Origin>,
}

struct Shared {
    backend: Arc<dyn TextureBackend>,
    settings: RwLock<Arc<ChannelSettings>>,
    /// Changes of the settings.
    reconfigured: AtomicU64,
    channels: Mutex<BTreeMap<ChannelId, Arc<Channel>>>,
    signal: Signal,
}

/// One channel and its stream.
struct Channel {
    id: ChannelId,
    /// Who made it, where a client did.
    maker: Option<Origin>,
    /// `None` once the channel is forgotten: its stream's name is free then, whoever still looks at the channel.
    sender: RwLock<Option<Box<dyn TextureSender>>>,
    /// Writers that exist; a channel that never had a LUT goes with the last of them.
    writers: AtomicUsize,
    order_warned: AtomicBool,
    luts: AtomicU64,
    bytes: AtomicU64,
    /// From the begin of the newest LUT to its being in force, in nanoseconds.
    latency: AtomicU64,
    /// Changes so far, of all that a [`ChannelStatus`] says.
    changes: AtomicU64,
    newest: Mutex<Newest>,
    /// Locked before `newest`, where both are.
    output: Mutex<Output>,
}

#[derive(Clone, Copy, Default)]
struct Newest {
    shape: Option<TextureShape>,
    revision: u64,
    at: Option<SystemTime>,
    received: Option<(GridSize, SystemTime, LutSource)>,
    cdl: Option<Cdl>,
}

impl Newest {
    /// A texture of `shape` is on the stream. Two writers may say so in another order than they have published.
    fn published(&mut self, shape: TextureShape, revision: u64) {
        if revision > self.revision {
            (self.shape, self.revision, self.at) = (Some(shape), revision, Some(SystemTime::now()));
        }
    }
}

/// A channel's state, as it was when asked.
#[derive(Clone, Debug)]
pub struct ChannelStatus {
    /// The channel.
    pub id: ChannelId,
    /// The stream's name, as receivers see it.
    pub stream: String,
    /// The newest texture's shape.
    pub shape: Option<TextureShape>,
    /// The newest texture's revision.
    pub revision: u64,
    /// When the newest texture was published.
    pub updated: Option<SystemTime>,
    /// The grid size of the newest LUT received: the stream may show another.
    pub size: Option<GridSize>,
    /// When the newest LUT was received.
    pub received: Option<SystemTime>,
    /// Where the newest LUT came from.
    pub source: LutSource,
    /// What the stream shows.
    pub output: OutputMode,
    /// LUTs received since the channel began.
    pub luts: u64,
    /// Bytes of those LUTs' entries.
    pub bytes: u64,
    /// Connected receivers, where the platform tells.
    pub receivers: Option<usize>,
    /// Connections that may send this channel's LUTs.
    pub writers: usize,
    /// What the newest LUT took from its first entry to its being in force.
    pub latency: Option<Duration>,
    /// The newest CDL values.
    pub cdl: Option<Cdl>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ChannelSet {
    /// Channels published through `backend`.
    pub fn new(backend: Arc<dyn TextureBackend>, settings: ChannelSettings) -> Self {
        ChannelSet {
            shared: Arc::new(Shared {
                backend,
                settings: RwLock::new(Arc::new(settings)),
                reconfigured: AtomicU64::new(0),
                channels: Mutex::default(),
                signal: Signal::default(),
            }),
            client: None,
        }
    }

    /// The state of every channel that has had a LUT, by name.
    pub fn status(&self) -> Vec<ChannelStatus> {
        let channels: Vec<_> = lock(&self.shared.channels).values().cloned().collect();
        let status = channels.iter().filter_map(|channel| {
            let output = lock(&channel.output).mode;
            let newest = *lock(&channel.newest);
            let (stream, receivers) = channel.with_sender(|s| (s.name().to_owned(), s.receivers())).ok()?;
            newest.shape.map(|shape| ChannelStatus {
                id: channel.id.clone(),
                stream,
                shape: Some(shape),
                revision: newest.revision,
                updated: newest.at,
                size: newest.received.map(|(size, ..)| size),
                received: newest.received.map(|(_, at, _)| at),
                source: newest.received.map(|(.., source)| source).unwrap_or_default(),
                output,
                luts: channel.luts.load(Ordering::Relaxed),
                bytes: channel.bytes.load(Ordering::Relaxed),
                receivers,
                writers: channel.writers.load(Ordering::Relaxed),
                latency: Some(channel.latency.load(Ordering::Relaxed)).filter(|ns| *ns > 0).map(Duration::from_nanos),
                cdl: newest.cdl,
            })
        });
        status.collect()
    }

    /// The same channels; those that it makes count as made from this address.
    pub fn of_client(&self, address: IpAddr) -> ChannelSet {
        ChannelSet { shared: self.shared.clone(), client: Some(address.into()) }
    }

    /// Gives a channel a LUT that did not come through a connection. Its entries are listed in the order of that
    /// channel.
    pub fn put(&self, id: &ChannelId, source: LutSource, size: GridSize, entries: &[Texel]) -> Result<u64, Refusal> {
        let mut writer = ChannelWriter::new(&self.shared, id, self.client)?;
        writer.source = source;
        crate::sink::put(&mut writer, size, entries)
    }

    /// A writer for LUTs of a channel that do not come through a connection.
    #[cfg(feature = "cluster")]
    pub(crate) fn writer_from(&self, id: &ChannelId, source: LutSource) -> Result<Box<dyn LutWriter>, Refusal> {
        let mut writer = ChannelWriter::new(&self.shared, id, self.client)?;
        writer.source = source;
        Ok(Box::new(writer))
    }

    /// What a channel's stream shows. `None` where there is no such channel.
    #[cfg(feature = "cluster")]
    pub(crate) fn output(&self, id: &ChannelId) -> Option<OutputMode> {
        let channel = lock(&self.shared.channels).get(id).cloned()?;
        let mode = lock(&channel.output).mode;
        Some(mode)
    }

    /// The stream of the channel without a name.
    pub fn base_stream(&self) -> String {
        self.shared.settings().stream_name.clone()
    }

    /// The order in which a channel's entries are read.
    pub fn order(&self, id: &ChannelId) -> EntryOrder {
        self.shared.settings().order_of(id)
    }

    /// The name of a channel's stream, whether there is one or not.
    pub fn stream(&self, id: &ChannelId) -> String {
        self.shared.settings().stream_of(id)
    }

    /// The newest LUT received on a channel, whatever its stream shows. `None` where there is none.
    ///
    /// It is read from the texture when it is asked for: receiving LUTs costs nothing for it.
    pub fn newest(&self, id: &ChannelId) -> Result<Option<Received>, TextureError> {
        let channel = lock(&self.shared.channels).get(id).cloned();
        channel.map_or(Ok(None), |channel| channel.newest_lut())
    }

    /// The LUT that a channel's stream shows while it is live: the newest one received, together with the channel's CDL
    /// values where these go before or after it. As [`newest`](Self::newest) in everything else.
    pub fn newest_graded(&self, id: &ChannelId) -> Result<Option<Received>, TextureError> {
        let Some(channel) = lock(&self.shared.channels).get(id).cloned() else { return Ok(None) };
        let graded = {
            let output = lock(&channel.output);
            output.graded.clone().map(|kept| (channel.luts.load(Ordering::Relaxed), kept))
        };
        match graded {
            Some((number, kept)) => Ok(channel.received(number, kept)),
            None => channel.newest_lut(),
        }
    }

    /// What a channel's stream shows now. As [`newest`](Self::newest) in everything else.
    pub fn shown(&self, id: &ChannelId) -> Result<Option<Received>, TextureError> {
        let Some(channel) = lock(&self.shared.channels).get(id).cloned() else { return Ok(None) };
        let number = channel.luts.load(Ordering::Relaxed);
        match channel.newest_frame()? {
            Some(kept) => Ok(channel.received(number, kept)),
            None => Ok(None),
        }
    }

    /// What shares the textures.
    pub fn backend(&self) -> &dyn TextureBackend {
        &*self.shared.backend
    }

    /// How channels are published.
    pub fn settings(&self) -> Arc<ChannelSettings> {
        self.shared.settings()
    }

    /// Publishes channels as these settings say: layouts and orders from each channel's next LUT on, CDL settings from its
    /// next CDL values on, limits from the next channel on. Streams keep their names, whatever the settings say.
    pub fn reconfigure(&self, settings: ChannelSettings) {
        let mut now = self.shared.settings.write().unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(settings.with_names_of(&now));
        self.shared.reconfigured.fetch_add(1, Ordering::Release);
    }

    /// The changes of all channels.
    pub fn changes(&self) -> Changes {
        Changes::new(self.shared.clone())
    }

    /// Shows the identity on a channel's stream, or no longer.
    pub fn set_bypass(&self, id: &ChannelId, on: bool) -> Result<(), OutputError> {
        self.shared.set_output(id, |mode| mode.bypass = on)
    }

    /// Keeps a channel's stream as it is, or no longer.
    pub fn set_hold(&self, id: &ChannelId, on: bool) -> Result<(), OutputError> {
        self.shared.set_output(id, |mode| mode.hold = on)
    }

    /// Shows the identity on a channel's stream where it does not, and the other way round. Tells whether it does now.
    pub fn toggle_bypass(&self, id: &ChannelId) -> Result<bool, OutputError> {
        let mut on = false;
        self.shared.set_output(id, |mode| {
            mode.bypass = !mode.bypass;
            on = mode.bypass;
        })?;
        Ok(on)
    }

    /// Keeps a channel's stream as it is where it is not kept, and the other way round. Tells whether it is kept now.
    pub fn toggle_hold(&self, id: &ChannelId) -> Result<bool, OutputError> {
        let mut on = false;
        self.shared.set_output(id, |mode| {
            mode.hold = !mode.hold;
            on = mode.hold;
        })?;
        Ok(on)
    }

    /// Shows a moving pattern on a channel's stream for `time`, so that whoever looks sees which wall it is.
    pub fn identify(&self, id: &ChannelId, time: Duration) -> Result<(), OutputError> {
        self.shared.identify(id, time)
    }

    /// Ends every stream, and frees its name. A LUT that is still under way is refused.
    pub fn close(&self) {
        for channel in std::mem::take(&mut *lock(&self.shared.channels)).into_values() {
            channel.end_stream();
        }
        self.shared.signal.close();
    }
}

impl Shared {
    fn settings(&self) -> Arc<ChannelSettings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The channel called `id`, made for `client` where it is new, with one more writer counted.
    fn open(&self, id: &ChannelId, client: Option<Origin>) -> Result<Arc<Channel>, Refusal> {
        let mut channels = lock(&self.channels);
        let channel = match channels.get(id) {
            Some(channel) => channel.clone(),
            None => {
                self.check_limits(&channels, id, client)?;
                let settings = self.settings();
                let stream = settings.stream_of(id);
                let same = |other: &&ChannelId| settings.stream_of(other) == stream;
                if let Some(other) = channels.keys().find(same) {
                    return Err(Refusal::StreamNameInUse { channel: id.clone(), other: other.clone(), stream });
                }
                let channel = Arc::new(Channel {
                    id: id.clone(),
                    maker: client,
                    sender: RwLock::new(Some(self.backend.create_sender(&stream)?)),
                    writers: AtomicUsize::new(0),
                    order_warned: AtomicBool::new(false),
                    luts: AtomicU64::new(0),
                    bytes: AtomicU64::new(0),
                    latency: AtomicU64::new(0),
                    changes: AtomicU64::new(0),
                    newest: Mutex::default(),
                    output: Mutex::default(),
                });
                channels.insert(id.clone(), channel.clone());
                channel
            }
        };
        // Under the map's lock, so that it cannot meet the last writer's leaving.
        channel.writers.fetch_add(1, Ordering::Relaxed);
        Ok(channel)
    }

    /// Whether there may be one channel more. The last eighth of them is for origins that have made none, so that one
    /// client can't keep the others out; what the server makes by itself may take it.
    fn check_limits(
        &self,
        channels: &BTreeMap<ChannelId, Arc<Channel>>,
        id: &ChannelId,
        client: Option<Origin>,
    ) -> Result<(), Refusal> {
        let settings = self.settings();
        let limit = settings.max_channels;
        let free = limit.saturating_sub(channels.len());
        if free == 0 {
            return Err(Refusal::TooManyChannels { channel: id.clone(), limit });
        }
        let Some(client) = client else { return Ok(()) };
        let made = channels.values().filter(|channel| channel.maker == Some(client)).count();
        if made >= settings.max_channels_per_address || (made > 0 && free <= reserve(limit)) {
            return Err(Refusal::TooManyChannelsOfAddress { channel: id.clone(), made, limit });
        }
        Ok(())
    }

    /// One writer fewer; a channel that never had a LUT is forgotten with its last writer.
    fn leave(&self, channel: &Arc<Channel>) {
        let mut channels = lock(&self.channels);
        let last = channel.writers.fetch_sub(1, Ordering::Relaxed) == 1;
        if last
            && lock(&channel.newest).shape.is_none()
            && channels.get(&channel.id).is_some_and(|c| Arc::ptr_eq(c, channel))
        {
            channels.remove(&channel.id);
            // Under the map's lock: whoever makes the channel anew finds the name free.
            channel.end_stream();
        }
    }
}

impl Shared {
    /// Tells whoever waits for changes. To be called without the locks of the channel.
    fn changed(&self, channel: &Channel) {
        channel.changes.fetch_add(1, Ordering::SeqCst);
        self.signal.wake();
    }
}

impl Channel {
    /// Ends the stream: its name is free once this returns.
    fn end_stream(&self) {
        *self.sender.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Does something with the stream, unless it has ended.
    fn with_sender<T>(&self, f: impl FnOnce(&dyn TextureSender) -> T) -> Result<T, TextureError> {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        sender.as_deref().map(f).ok_or(TextureError::Ended)
    }

    fn newest_lut(&self) -> Result<Option<Received>, TextureError> {
        // Whoever reads the stream's texture does so without the lock, and again where the output has changed meanwhile.
        loop {
            let (before, number) = {
                let output = lock(&self.output);
                let number = self.luts.load(Ordering::Relaxed);
                if let Some(kept) = &output.received {
                    return Ok(self.received(number, kept.clone()));
                }
                (output.changes, number)
            };
            let Some(kept) = self.newest_frame()? else { return Ok(None) };
            if lock(&self.output).changes == before {
                return Ok(self.received(number, kept));
            }
        }
    }

    /// The texture that the stream shows now.
    fn newest_frame(&self) -> Result<Option<Kept>, TextureError> {
        let mut frame = Frame::default();
        let there = self.with_sender(|sender| sender.newest(&mut frame))??;
        Ok(frame.shape.filter(|_| there).map(|shape| Kept { shape, texels: frame.texels }))
    }

    fn received(&self, number: u64, Kept { shape, texels }: Kept) -> Option<Received> {
        let Newest { received, cdl, .. } = *lock(&self.newest);
        let (_, at, source) = received?;
        Some(Received { number, at, source, cdl, shape, texels })
    }
}

impl LutSink for ChannelSet {
    fn writer(&self, id: &ChannelId) -> Result<Box<dyn LutWriter>, Refusal> {
        Ok(Box::new(ChannelWriter::new(&self.shared, id, self.client)?))
    }

    /// Takes the values as the channel's [`CdlSettings`] say.
    fn set_cdl(&self, id: &ChannelId, cdl: &Cdl) -> Result<(), Refusal> {
        self.take_cdl(id, cdl)
    }

    /// The same channels; those that it makes count as made from this address.
    fn for_client(&self, address: IpAddr) -> Option<Arc<dyn LutSink>> {
        Some(Arc::new(self.of_client(address)))
    }
}

#[cfg(test)]
mod tests;
