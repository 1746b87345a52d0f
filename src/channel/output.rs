//! What a channel's stream shows: the newest LUT, or, while somebody wishes it, another.
//!
//! - Live: the newest LUT received, or, where the channel's CDL values go before or after it, both together.
//! - Hold: the LUT that was newest when the hold began.
//! - Bypass: the identity, of the newest LUT's grid size, so that receivers see pictures without a grade. It goes before
//!   a hold.
//! - Identify: a pattern that nobody takes for a grade, for as long as it lasts; before everything else.
//!
//! LUTs are received in all of them, and the newest is on the stream as soon as it is live again.

use super::{CdlSettings, Channel, Shared, lock};
use crate::hald::{Placement, Texel, TextureShape};
use crate::lut::{Cdl, Lut3d};
use crate::sink::ChannelId;
use crate::texture::TextureError;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};
use tracing::warn;

/// How often the pattern of [`identify`](super::ChannelSet::identify) moves.
const STEP: Duration = Duration::from_millis(100);

/// What was wished for a channel's stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputMode {
    /// The stream shows the identity.
    pub bypass: bool,
    /// The stream stays with the LUT that it had.
    pub hold: bool,
    /// The stream shows a moving pattern at present.
    pub identify: bool,
}

impl OutputMode {
    /// Whether the newest LUT is what the stream shows.
    pub fn is_live(&self) -> bool {
        *self == OutputMode::default()
    }
}

/// Why an output could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// There is no such channel, or it has had no LUT.
    #[error("there is no {0} with a LUT")]
    NoSuchChannel(ChannelId),
    /// The texture could not be published.
    #[error(transparent)]
    Texture(#[from] TextureError),
}

/// A texture that is kept beside the stream.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) shape: TextureShape,
    pub(super) texels: Vec<Texel>,
}

/// A channel's wishes, and what they keep off the stream.
#[derive(Default)]
pub(super) struct Output {
    pub(super) mode: OutputMode,
    /// The newest LUT received, where the stream does not show it.
    pub(super) received: Option<Kept>,
    /// CDL values that go together with the LUTs, and how.
    pub(super) cdl: Option<(Cdl, CdlSettings)>,
    /// They together with the newest LUT.
    pub(super) graded: Option<Kept>,
    /// Memory for the next `received`.
    pub(super) spare: Vec<Texel>,
    /// What a hold shows.
    frozen: Option<Kept>,
    /// Counts the changes of what is above.
    pub(super) changes: u64,
    /// Which `identify` is the last one.
    pattern: u64,
}

impl Output {
    /// Whether the stream shows the newest LUT received as it is.
    pub(super) fn is_direct(&self) -> bool {
        self.mode.is_live() && self.cdl.is_none()
    }

    /// Changes the wishes, and the stream with them. Where that fails nothing has changed.
    fn set(&mut self, channel: &Channel, change: impl FnOnce(&mut OutputMode)) -> Result<bool, OutputError> {
        let mut mode = self.mode;
        change(&mut mode);
        if mode == self.mode {
            return Ok(false);
        }
        if self.is_direct() {
            self.received = Some(kept(channel)?);
        }
        let former = self.frozen.clone();
        match (self.mode.hold, mode.hold) {
            (false, true) => self.frozen = self.graded.clone().or_else(|| self.received.clone()),
            (true, false) => self.frozen = None,
            _ => {}
        }
        if let Err(e) = self.show(channel, mode) {
            self.frozen = former;
            if self.is_direct() {
                self.received = None;
            }
            return Err(e.into());
        }
        self.mode = mode;
        if self.is_direct() {
            (self.received, self.spare) = Default::default();
        }
        self.changes += 1;
        Ok(true)
    }

    /// Puts on the stream what `mode` says.
    pub(super) fn show(&self, channel: &Channel, mode: OutputMode) -> Result<(), TextureError> {
        let Some(received) = &self.received else { return Ok(()) };
        let shown = match mode {
            OutputMode { identify: true, .. } => return Ok(()),
            OutputMode { bypass: true, .. } => {
                let lut = Lut3d::identity(received.shape.size());
                return publish(channel, received.shape, |texels| Placement::write_lut(received.shape, &lut, texels));
            }
            OutputMode { hold: true, .. } => self.frozen.as_ref().unwrap_or(received),
            _ => self.graded.as_ref().unwrap_or(received),
        };
        publish(channel, shown.shape, |texels| texels.copy_from_slice(&shown.texels))
    }
}

impl Shared {
    /// Changes what a channel's stream shows.
    pub(super) fn set_output(&self, id: &ChannelId, change: impl FnOnce(&mut OutputMode)) -> Result<(), OutputError> {
        let channel = self.with_lut(id)?;
        let changed = lock(&channel.output).set(&channel, change)?;
        if changed {
            self.changed(&channel);
        }
        Ok(())
    }

    /// Shows the pattern, from a thread that ends with it.
    pub(super) fn identify(self: &Arc<Self>, id: &ChannelId, time: Duration) -> Result<(), OutputError> {
        let channel = self.with_lut(id)?;
        let (pattern, shape) = {
            let mut output = lock(&channel.output);
            output.set(&channel, |mode| mode.identify = true)?;
            output.pattern += 1;
            (output.pattern, output.received.as_ref().map(|kept| kept.shape))
        };
        self.changed(&channel);
        let Some(shape) = shape else { return Ok(()) };
        let (shared, shown) = (Arc::downgrade(self), Arc::downgrade(&channel));
        drop(channel);
        let thread = thread::Builder::new()
            .name("vglb-identify".into())
            .spawn(move || show_pattern(&shared, &shown, pattern, shape, time));
        thread.map(drop).map_err(|e| {
            let _ = self.set_output(id, |mode| mode.identify = false);
            TextureError::io("starting a thread for the pattern", e).into()
        })
    }

    fn with_lut(&self, id: &ChannelId) -> Result<Arc<Channel>, OutputError> {
        let channel = lock(&self.channels).get(id).cloned();
        channel
            .filter(|channel| lock(&channel.newest).shape.is_some())
            .ok_or_else(|| OutputError::NoSuchChannel(id.clone()))
    }
}

fn show_pattern(shared: &Weak<Shared>, channel: &Weak<Channel>, pattern: u64, shape: TextureShape, time: Duration) {
    let begun = Instant::now();
    loop {
        let left = time.saturating_sub(begun.elapsed());
        let (Some(shared), Some(channel)) = (shared.upgrade(), channel.upgrade()) else { return };
        let mut output = lock(&channel.output);
        if output.pattern != pattern || !output.mode.identify {
            return;
        }
        let phase = (begun.elapsed().as_millis() / STEP.as_millis()) as usize;
        let shown = match left.is_zero() {
            true => output.set(&channel, |mode| mode.identify = false).map(drop),
            false => publish(&channel, shape, |texels| write_pattern(shape, phase, texels)).map_err(OutputError::from),
        };
        if let Err(e) = shown {
            warn!("{}: {e}", channel.id);
            if left.is_zero() {
                // The next LUT is on the stream again.
                output.mode.identify = false;
                if output.is_direct() {
                    output.received = None;
                }
                output.changes += 1;
            }
        }
        drop(output);
        if left.is_zero() {
            return shared.changed(&channel);
        }
        drop((shared, channel));
        thread::sleep(left.min(STEP));
    }
}

/// Bands of black and white that run through the tones, whatever the picture.
fn write_pattern(shape: TextureShape, phase: usize, texels: &mut [Texel]) {
    const BANDS: usize = 8;
    let n = shape.size().get();
    let lut = Lut3d::from_fn(shape.size(), |[r, g, b]| {
        let band = (r + g + b) * BANDS / (3 * n) + phase;
        [(band % 2) as f32; 3]
    });
    Placement::write_lut(shape, &lut, texels);
}

/// The texture that the stream shows now.
pub(super) fn kept(channel: &Channel) -> Result<Kept, TextureError> {
    channel.newest_frame()?.ok_or(TextureError::Ended)
}

fn publish(channel: &Channel, shape: TextureShape, fill: impl FnOnce(&mut [Texel])) -> Result<(), TextureError> {
    let mut writer = channel.with_sender(|sender| sender.writer())??;
    writer.begin(shape)?;
    fill(writer.texels());
    let revision = writer.publish()?;
    lock(&channel.newest).published(shape, revision);
    Ok(())
}
