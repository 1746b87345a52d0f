//! Channels: one stream of textures for each, under a name that no other channel has.

use crate::hald::{self, EntryOrder, Layout, Placement, Texel, TextureShape};
use crate::lut::{Cdl, GridSize};
use crate::sink::{ChannelId, LutSink, LutWriter, Refusal};
use crate::texture::{TextureBackend, TextureError, TextureSender, TextureWriter};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;
use tracing::{info, warn};

/// The grid size at which CDL values are baked for a channel that has no LUT.
pub const CDL_GRID_SIZE: u64 = 33;

/// How channels are published.
#[derive(Clone, Debug)]
pub struct ChannelSettings {
    /// The stream of requests that name no channel.
    pub stream_name: String,
    /// How LUTs lie in the textures.
    pub layout: Layout,
    /// The order in which entries are read from the wire.
    pub order: EntryOrder,
    /// The most channels that there can be at once.
    pub max_channels: usize,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        ChannelSettings {
            stream_name: "OpenGradeIO-LUT".into(),
            layout: Layout::default(),
            order: EntryOrder::default(),
            max_channels: 64,
        }
    }
}

/// All channels of a server: a [`LutSink`] that publishes each LUT as a texture.
pub struct ChannelSet {
    shared: Arc<Shared>,
}

struct Shared {
    backend: Arc<dyn TextureBackend>,
    settings: ChannelSettings,
    channels: Mutex<BTreeMap<ChannelId, Arc<Channel>>>,
}

/// One channel and its stream.
struct Channel {
    id: ChannelId,
    sender: Box<dyn TextureSender>,
    /// Writers that exist; a channel that never had a LUT goes with the last of them.
    writers: AtomicUsize,
    order_warned: AtomicBool,
    luts: AtomicU64,
    bytes: AtomicU64,
    newest: Mutex<Newest>,
}

#[derive(Clone, Copy, Default)]
struct Newest {
    shape: Option<TextureShape>,
    revision: u64,
    at: Option<SystemTime>,
    cdl: Option<Cdl>,
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
    /// LUTs published since the channel began.
    pub luts: u64,
    /// Bytes of those LUTs' entries.
    pub bytes: u64,
    /// Connected receivers, where the platform tells.
    pub receivers: Option<usize>,
    /// The newest CDL values.
    pub cdl: Option<Cdl>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ChannelSet {
    /// Channels published through `backend`.
    pub fn new(backend: Arc<dyn TextureBackend>, settings: ChannelSettings) -> Self {
        ChannelSet { shared: Arc::new(Shared { backend, settings, channels: Mutex::default() }) }
    }

    /// The state of every channel that has had a LUT, by name.
    pub fn status(&self) -> Vec<ChannelStatus> {
        let channels: Vec<_> = lock(&self.shared.channels).values().cloned().collect();
        let status = channels.iter().filter_map(|channel| {
            let newest = *lock(&channel.newest);
            newest.shape.map(|shape| ChannelStatus {
                id: channel.id.clone(),
                stream: channel.sender.name().to_owned(),
                shape: Some(shape),
                revision: newest.revision,
                updated: newest.at,
                luts: channel.luts.load(Ordering::Relaxed),
                bytes: channel.bytes.load(Ordering::Relaxed),
                receivers: channel.sender.receivers(),
                cdl: newest.cdl,
            })
        });
        status.collect()
    }

    /// Ends every stream, once the last connection has let go of its writers.
    pub fn close(&self) {
        lock(&self.shared.channels).clear();
    }
}

impl Shared {
    /// The channel called `id`, made where it is new, with one more writer counted.
    fn open(&self, id: &ChannelId) -> Result<Arc<Channel>, Refusal> {
        let mut channels = lock(&self.channels);
        let channel = match channels.get(id) {
            Some(channel) => channel.clone(),
            None => {
                let limit = self.settings.max_channels;
                if channels.len() >= limit {
                    return Err(Refusal::TooManyChannels { channel: id.clone(), limit });
                }
                let stream = id.stream_name(&self.settings.stream_name);
                let same = |other: &&ChannelId| other.stream_name(&self.settings.stream_name) == stream;
                if let Some(other) = channels.keys().find(same) {
                    return Err(Refusal::StreamNameInUse { channel: id.clone(), other: other.clone(), stream });
                }
                let channel = Arc::new(Channel {
                    id: id.clone(),
                    sender: self.backend.create_sender(&stream)?,
                    writers: AtomicUsize::new(0),
                    order_warned: AtomicBool::new(false),
                    luts: AtomicU64::new(0),
                    bytes: AtomicU64::new(0),
                    newest: Mutex::default(),
                });
                channels.insert(id.clone(), channel.clone());
                channel
            }
        };
        // Under the map's lock, so that it cannot meet the last writer's leaving.
        channel.writers.fetch_add(1, Ordering::Relaxed);
        Ok(channel)
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
        }
    }
}

impl LutSink for ChannelSet {
    fn writer(&self, id: &ChannelId) -> Result<Box<dyn LutWriter>, Refusal> {
        Ok(Box::new(ChannelWriter::new(&self.shared, id)?))
    }

    /// Records the values. They change the stream only where the channel has had no LUT yet: then they are baked
    /// into one of 33³.
    fn set_cdl(&self, id: &ChannelId, cdl: &Cdl) -> Result<(), Refusal> {
        let mut writer = ChannelWriter::new(&self.shared, id)?;
        let has_lut = {
            let mut newest = lock(&writer.channel.newest);
            newest.cdl = Some(*cdl);
            newest.shape.is_some()
        };
        if has_lut {
            info!("{id}: CDL recorded ({cdl}); the LUT on its stream stays");
            return Ok(());
        }
        let (size, entries) = baked(cdl, self.shared.settings.order)?;
        crate::sink::put(&mut writer, size, &entries)?;
        info!("{id}: CDL baked into a {size}³ LUT ({cdl}), for the channel has no LUT yet");
        Ok(())
    }
}

/// CDL values as the LUT that a channel without one gets, its entries listed in `order`.
pub(crate) fn baked(cdl: &Cdl, order: EntryOrder) -> Result<(GridSize, Vec<Texel>), Refusal> {
    let size = GridSize::new(CDL_GRID_SIZE)?;
    let lut = cdl.bake(size);
    Ok((size, (0..size.entries()).map(|i| hald::texel(lut.at(order.point(size, i)))).collect()))
}

struct ChannelWriter {
    shared: Weak<Shared>,
    channel: Arc<Channel>,
    writer: Option<Box<dyn TextureWriter>>,
    layout: Layout,
    order: EntryOrder,
    begun: Option<Placement>,
    next: usize,
}

impl ChannelWriter {
    fn new(shared: &Arc<Shared>, id: &ChannelId) -> Result<Self, Refusal> {
        let mut writer = ChannelWriter {
            channel: shared.open(id)?,
            shared: Arc::downgrade(shared),
            writer: None,
            layout: shared.settings.layout,
            order: shared.settings.order,
            begun: None,
            next: 0,
        };
        // Only now: if it fails, dropping `writer` takes it off the channel's count.
        writer.writer = Some(writer.channel.sender.writer()?);
        Ok(writer)
    }

    fn texture(&mut self) -> Result<&mut Box<dyn TextureWriter>, TextureError> {
        self.writer.as_mut().ok_or(TextureError::Ended)
    }

    /// Warns, once per channel, of a LUT that looks as if its entries were listed in the other order.
    fn check_order(&mut self, shape: TextureShape) {
        if self.channel.order_warned.load(Ordering::Relaxed) {
            return;
        }
        let Some(writer) = &mut self.writer else { return };
        let texels = writer.texels();
        if hald::looks_swapped(shape.size(), |point| hald::rgb(&texels[shape.texel(point)]))
            && !self.channel.order_warned.swap(true, Ordering::Relaxed)
        {
            warn!(
                "{}: this LUT is far closer to the identity when its entries are read {other} than {own}; \
                 if reds and blues look exchanged, start the server with --entry-order {other}",
                self.channel.id,
                other = self.order.other(),
                own = self.order,
            );
        }
    }

    fn note(&self, shape: TextureShape, revision: u64) {
        let channel = &self.channel;
        channel.luts.fetch_add(1, Ordering::Relaxed);
        channel.bytes.fetch_add(shape.bytes() as u64, Ordering::Relaxed);
        let former = {
            let mut newest = lock(&channel.newest);
            let former = newest.shape;
            if revision > newest.revision {
                newest.shape = Some(shape);
                newest.revision = revision;
                newest.at = Some(SystemTime::now());
            }
            former
        };
        let stream = channel.sender.name();
        match former {
            None => info!(target: crate::EVENTS, "stream {stream:?} started: {shape}"),
            Some(f) if f != shape => info!(target: crate::EVENTS, "stream {stream:?} is now {shape}"),
            Some(_) => {}
        }
    }
}

impl LutWriter for ChannelWriter {
    fn begin(&mut self, size: GridSize) -> Result<(), Refusal> {
        let shape = TextureShape::new(size, self.layout)?;
        self.texture()?.begin(shape)?;
        self.begun = Some(Placement::new(shape, self.order));
        self.next = 0;
        Ok(())
    }

    fn entries(&mut self, entries: &[Texel]) -> bool {
        let (Some(place), Some(writer)) = (&self.begun, &mut self.writer) else { return true };
        let finite = place.write(self.next, entries, writer.texels());
        self.next += entries.len();
        finite
    }

    fn commit(&mut self) -> Result<u64, Refusal> {
        let Some(place) = self.begun.take() else { return Err(Refusal::Other("no LUT was begun".into())) };
        let shape = place.shape();
        debug_assert_eq!(self.next, shape.texels());
        self.check_order(shape);
        let revision = self.texture()?.publish()?;
        self.note(shape, revision);
        Ok(revision)
    }

    fn abandon(&mut self) {
        self.begun = None;
        if let Some(writer) = &mut self.writer {
            writer.abandon();
        }
    }

    fn order(&self) -> EntryOrder {
        self.order
    }
}

impl Drop for ChannelWriter {
    fn drop(&mut self) {
        self.writer = None;
        if let Some(shared) = self.shared.upgrade() {
            shared.leave(&self.channel);
        }
    }
}

#[cfg(test)]
#[path = "channel_tests.rs"]
mod tests;
