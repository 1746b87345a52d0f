//! Writes one connection's LUTs into a channel.

use super::output::Kept;
use super::received::LutSource;
use super::{Channel, Shared, lock};
use crate::hald::{self, EntryOrder, Layout, Likeness, Placement, Texel, TextureShape};
use crate::lut::GridSize;
use crate::server::Origin;
use crate::sink::{ChannelId, LutWriter, Refusal};
use crate::texture::{TextureError, TextureWriter};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Instant, SystemTime};
use tracing::{info, warn};

/// So many LUTs are looked at for their entries' order, and after that one in as many.
const LOOKED_AT: u32 = 16;

/// A [`LutWriter`] for one channel.
pub(super) struct ChannelWriter {
    shared: Weak<Shared>,
    pub(super) channel: Arc<Channel>,
    writer: Option<Box<dyn TextureWriter>>,
    layout: Layout,
    order: EntryOrder,
    /// Changes of the settings that these two are from.
    reconfigured: u64,
    begun: Option<Placement>,
    begun_at: Instant,
    next: usize,
    /// A LUT that came this way was clearly listed in the order in force: no later one is suspected.
    order_proven: bool,
    /// LUTs that came this way and did not tell in which order they are listed.
    unclear: u32,
    /// Where its LUTs come from.
    pub(super) source: LutSource,
}

impl ChannelWriter {
    /// For LUTs of `client`, where a client sends them.
    pub(super) fn new(shared: &Arc<Shared>, id: &ChannelId, client: Option<Origin>) -> Result<Self, Refusal> {
        let reconfigured = shared.reconfigured.load(Ordering::Acquire);
        let settings = shared.settings();
        let mut writer = ChannelWriter {
            channel: shared.open(id, client)?,
            shared: Arc::downgrade(shared),
            writer: None,
            layout: settings.layout_of(id),
            order: settings.order_of(id),
            reconfigured,
            begun: None,
            begun_at: Instant::now(),
            next: 0,
            order_proven: false,
            unclear: 0,
            source: LutSource::Sent,
        };
        // Only now: if it fails, dropping `writer` takes it off the channel's count.
        writer.writer = Some(writer.channel.with_sender(|sender| sender.writer_for(client))??);
        Ok(writer)
    }

    fn texture(&mut self) -> Result<&mut Box<dyn TextureWriter>, TextureError> {
        self.writer.as_mut().ok_or(TextureError::Ended)
    }

    /// Takes over settings that have changed.
    fn renew(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let reconfigured = shared.reconfigured.load(Ordering::Acquire);
        if reconfigured == self.reconfigured {
            return;
        }
        self.reconfigured = reconfigured;
        let settings = shared.settings();
        self.layout = settings.layout_of(&self.channel.id);
        let order = settings.order_of(&self.channel.id);
        if order != self.order {
            self.order = order;
            (self.order_proven, self.unclear) = (false, 0);
            self.channel.order_warned.store(false, Ordering::Relaxed);
        }
    }

    /// Warns, once per channel, of a LUT that looks as if its entries were listed in the other order.
    fn check_order(&mut self, shape: TextureShape) {
        if self.order_proven || self.channel.order_warned.load(Ordering::Relaxed) {
            return;
        }
        // Whoever grades in the wrong order for long is told soon enough, and every other LUT costs nothing.
        if self.unclear >= LOOKED_AT && !self.unclear.is_multiple_of(LOOKED_AT) {
            self.unclear = self.unclear.wrapping_add(1);
            return;
        }
        let Some(writer) = &mut self.writer else { return };
        let texels = writer.texels();
        match hald::likeness(shape.size(), |point| hald::rgb(&texels[shape.texel(point)])) {
            Likeness::Own => self.order_proven = true,
            Likeness::Swapped if !self.channel.order_warned.swap(true, Ordering::Relaxed) => warn!(
                "{}: this LUT is far closer to the identity when its entries are read {other} than {own}; \
                 if reds and blues look exchanged, start the server with --entry-order {other}",
                self.channel.id,
                other = self.order.other(),
                own = self.order,
            ),
            Likeness::Swapped | Likeness::Unclear => self.unclear = self.unclear.wrapping_add(1),
        }
    }

    /// Publishes the LUT begun, or keeps it beside the stream where that shows something else. Returns the revision
    /// that the stream has now.
    fn publish(&mut self, shape: TextureShape) -> Result<u64, Refusal> {
        let channel = self.channel.clone();
        let writer = self.texture()?;
        // Held until the texture is out: then a LUT and another output can't overtake one another.
        let mut output = lock(&channel.output);
        if output.is_direct() {
            let revision = writer.publish()?;
            self.note(shape, Some(revision));
            return Ok(revision);
        }
        let graded = match channel.graded(&output, shape, writer.texels()) {
            Ok(graded) => graded,
            Err(refusal) => {
                writer.abandon();
                return Err(refusal);
            }
        };
        let mut texels = std::mem::take(&mut output.spare);
        texels.clear();
        texels.extend_from_slice(writer.texels());
        writer.abandon();
        let former = lock(&channel.newest).shape;
        let shown = graded.as_ref().map_or(shape, |graded| graded.shape);
        let before = (output.received.replace(Kept { shape, texels }), std::mem::replace(&mut output.graded, graded));
        if output.mode.is_live()
            && let Err(e) = output.show(&channel, output.mode)
        {
            // What was refused is not the newest LUT.
            (output.received, output.graded) = before;
            return Err(e.into());
        }
        output.spare = before.0.map(|kept| kept.texels).unwrap_or_default();
        output.changes += 1;
        if output.mode.is_live() {
            self.announce(former, shown);
        }
        self.note(shape, None);
        Ok(lock(&channel.newest).revision)
    }

    /// Counts a LUT of `shape`, and logs what is new of its stream. `revision` is that of its texture, if it has one.
    fn note(&self, shape: TextureShape, revision: Option<u64>) {
        let channel = &self.channel;
        channel.luts.fetch_add(1, Ordering::Relaxed);
        channel.bytes.fetch_add(shape.bytes() as u64, Ordering::Relaxed);
        let former = {
            let mut newest = lock(&channel.newest);
            newest.received = Some((shape.size(), SystemTime::now(), self.source));
            let former = newest.shape;
            match revision {
                Some(revision) => newest.published(shape, revision),
                None => return,
            }
            former
        };
        self.announce(former, shape);
    }

    /// Logs what is new of the stream.
    fn announce(&self, former: Option<TextureShape>, shape: TextureShape) {
        // Of most LUTs nothing is new, and then no name is copied.
        if former == Some(shape) {
            return;
        }
        let Ok(stream) = self.channel.with_sender(|sender| sender.name().to_owned()) else { return };
        match former {
            None => info!(target: crate::EVENTS, "stream {stream:?} started: {shape}"),
            Some(_) => info!(target: crate::EVENTS, "stream {stream:?} is now {shape}"),
        }
    }
}

impl LutWriter for ChannelWriter {
    fn begin(&mut self, size: GridSize) -> Result<(), Refusal> {
        self.renew();
        let shape = TextureShape::new(size, self.layout)?;
        self.begun_at = Instant::now();
        self.texture()?.begin(shape)?;
        self.begun = Some(Placement::new(shape, self.order));
        self.next = 0;
        Ok(())
    }

    fn entries(&mut self, entries: &[Texel]) -> bool {
        let (Some(place), Some(writer)) = (&self.begun, &mut self.writer) else { return true };
        let finite = writer.write(place, self.next, entries);
        self.next += entries.len();
        finite
    }

    fn commit(&mut self) -> Result<u64, Refusal> {
        let Some(place) = self.begun.take() else { return Err(Refusal::Other("no LUT was begun".into())) };
        let shape = place.shape();
        debug_assert_eq!(self.next, shape.texels());
        self.check_order(shape);
        let revision = self.publish(shape)?;
        self.channel.latency.store(self.begun_at.elapsed().as_nanos() as u64, Ordering::Relaxed);
        if let Some(shared) = self.shared.upgrade() {
            shared.changed(&self.channel);
        }
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
