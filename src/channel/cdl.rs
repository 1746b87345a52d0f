//! What CDL values do to a channel's stream.

use super::output::{Kept, Output};
use super::writer::ChannelWriter;
use super::{Channel, ChannelSet, LutSource, lock};
use crate::hald::{self, Layout, Placement, Texel, TextureShape};
use crate::lut::{Cdl, CdlGrade, CdlSpace, CdlStyle, GridSize, Lut3d};
use crate::sink::{self, ChannelId, Refusal};
use std::fmt;
use std::str::FromStr;
use tracing::info;

/// What CDL values do to a channel's stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CdlMode {
    /// Nothing; they are kept and shown. Only a channel that has had no LUT gets them baked into one, so that a sender of
    /// CDLs alone has a stream.
    #[default]
    Record,
    /// They become the channel's LUT, in the place of the one before.
    Bake,
    /// The stream shows the CDL, then the newest LUT, as one LUT.
    Before,
    /// The stream shows the newest LUT, then the CDL, as one LUT.
    After,
}

/// A name that no mode has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no way of taking CDL values; it can be record, bake, before or after")]
pub struct UnknownCdlMode(String);

impl FromStr for CdlMode {
    type Err = UnknownCdlMode;
    fn from_str(text: &str) -> Result<Self, UnknownCdlMode> {
        match text {
            "record" => Ok(CdlMode::Record),
            "bake" => Ok(CdlMode::Bake),
            "before" => Ok(CdlMode::Before),
            "after" => Ok(CdlMode::After),
            _ => Err(UnknownCdlMode(text.to_owned())),
        }
    }
}

impl fmt::Display for CdlMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CdlMode::Record => "record",
            CdlMode::Bake => "bake",
            CdlMode::Before => "before",
            CdlMode::After => "after",
        })
    }
}

/// How a channel takes CDL values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CdlSettings {
    /// What they do to the stream.
    pub mode: CdlMode,
    /// Where they clamp.
    pub style: CdlStyle,
    /// Where they work.
    pub space: CdlSpace,
    /// The grid size at which they are baked; before a LUT, the least that both together have.
    pub size: GridSize,
}

impl Default for CdlSettings {
    fn default() -> Self {
        CdlSettings {
            mode: CdlMode::default(),
            style: CdlStyle::default(),
            space: CdlSpace::default(),
            size: GridSize::COMMON,
        }
    }
}

impl CdlSettings {
    fn grade(&self, cdl: Cdl) -> CdlGrade {
        CdlGrade { cdl, style: self.style, space: self.space }
    }

    /// Whether the stream shows a LUT and CDL values together.
    fn is_together(&self) -> bool {
        matches!(self.mode, CdlMode::Before | CdlMode::After)
    }

    /// A LUT and CDL values as one texture.
    fn together(&self, cdl: Cdl, lut: &Lut3d, layout: Layout) -> Result<Kept, Refusal> {
        let grade = self.grade(cdl);
        let both = match self.mode {
            CdlMode::After => grade.after(lut),
            // Not every layout has a texture of every grid size.
            _ => match TextureShape::new(self.size.max(lut.size()), layout) {
                Ok(shape) => grade.before(lut, shape.size()),
                Err(_) => grade.before(lut, lut.size()),
            },
        };
        both.check_finite()?;
        let shape = TextureShape::new(both.size(), layout)?;
        let mut texels = vec![Texel::default(); shape.texels()];
        Placement::write_lut(shape, &both, &mut texels);
        Ok(Kept { shape, texels })
    }
}

impl Channel {
    /// What the stream shows of a LUT that lies in `texels`; `None` where that is the LUT itself.
    pub(super) fn graded(
        &self,
        output: &Output,
        shape: TextureShape,
        texels: &[Texel],
    ) -> Result<Option<Kept>, Refusal> {
        let Some((cdl, settings)) = output.cdl else { return Ok(None) };
        settings.together(cdl, &Placement::read(shape, texels), shape.layout()).map(Some)
    }

    /// These are the channel's newest CDL values.
    fn has_cdl(&self, cdl: &Cdl) {
        lock(&self.newest).cdl = Some(*cdl);
        // A stream that has ended is on no list.
        let _ended = self.with_sender(|sender| sender.set_cdl(cdl));
    }

    /// Puts CDL values into force that go together with the channel's LUTs. Where that fails nothing has changed.
    fn grade_by(&self, cdl: Cdl, settings: &CdlSettings) -> Result<(), Refusal> {
        let mut output = lock(&self.output);
        let had_lut = lock(&self.newest).shape.is_some();
        if had_lut {
            let received = match &output.received {
                Some(kept) => kept.clone(),
                None => super::output::kept(self)?,
            };
            let lut = Placement::read(received.shape, &received.texels);
            let graded = settings.together(cdl, &lut, received.shape.layout())?;
            let former = (output.received.replace(received), output.graded.replace(graded));
            if let Err(e) = output.show(self, output.mode) {
                (output.received, output.graded) = former;
                return Err(e.into());
            }
        }
        output.cdl = Some((cdl, *settings));
        output.changes += 1;
        Ok(())
    }

    /// Shows LUTs without the CDL values that went together with them, where there are some: the channel takes values in
    /// another way now. Where that fails nothing has changed.
    fn ungrade(&self) -> Result<(), Refusal> {
        let mut output = lock(&self.output);
        let Some(cdl) = output.cdl.take() else { return Ok(()) };
        let graded = output.graded.take();
        if let Err(e) = output.show(self, output.mode) {
            (output.cdl, output.graded) = (Some(cdl), graded);
            return Err(e.into());
        }
        if output.is_direct() {
            (output.received, output.spare) = Default::default();
        }
        output.changes += 1;
        Ok(())
    }
}

impl ChannelSet {
    /// How a channel takes CDL values.
    pub fn cdl_settings(&self, id: &ChannelId) -> CdlSettings {
        self.shared.settings().cdl_of(id)
    }

    /// Takes CDL values as they come in, in the way that the channel's settings say.
    pub(super) fn take_cdl(&self, id: &ChannelId, cdl: &Cdl) -> Result<(), Refusal> {
        let mut writer = ChannelWriter::new(&self.shared, id, self.client)?;
        let channel = writer.channel.clone();
        let settings = self.cdl_settings(id);
        let has_lut = lock(&channel.newest).shape.is_some();
        match settings.is_together() {
            true => channel.grade_by(*cdl, &settings)?,
            false => channel.ungrade()?,
        }
        let bakes = settings.mode == CdlMode::Bake || !has_lut;
        if bakes {
            // Without a LUT, the values go together with one that does nothing.
            let size = settings.size;
            let lut = if settings.is_together() { Lut3d::identity(size) } else { settings.grade(*cdl).bake(size) };
            let order = self.shared.settings().order_of(id);
            let entries: Vec<_> = (0..size.entries()).map(|i| hald::texel(lut.at(order.point(size, i)))).collect();
            writer.source = LutSource::Cdl;
            let put = sink::put(&mut writer, size, &entries);
            if put.is_err() && !has_lut {
                lock(&channel.output).cdl = None;
            }
            put?;
        }
        channel.has_cdl(cdl);
        self.shared.changed(&channel);
        match settings.mode {
            CdlMode::Record if has_lut => info!("{id}: CDL recorded ({cdl}); the LUT on its stream stays"),
            CdlMode::Before if has_lut => info!("{id}: CDL put before the LUT ({cdl})"),
            CdlMode::After if has_lut => info!("{id}: CDL put after the LUT ({cdl})"),
            CdlMode::Bake => info!("{id}: CDL baked into a {}³ LUT ({cdl})", settings.size),
            _ => info!("{id}: CDL baked into a {}³ LUT ({cdl}), for the channel has no LUT yet", settings.size),
        }
        Ok(())
    }

    /// Takes CDL values that were in force before a restart, together with the LUT that the channel has again.
    pub(crate) fn restore_cdl(&self, id: &ChannelId, cdl: &Cdl) -> Result<(), Refusal> {
        let channel = ChannelWriter::new(&self.shared, id, self.client)?.channel.clone();
        let settings = self.cdl_settings(id);
        if settings.is_together() {
            channel.grade_by(*cdl, &settings)?;
        }
        channel.has_cdl(cdl);
        self.shared.changed(&channel);
        Ok(())
    }
}

#[cfg(test)]
#[path = "cdl_tests.rs"]
mod tests;
