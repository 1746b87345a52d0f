//! The newest LUT of a channel, for whoever wants to look at it, keep it or pass it on.

use crate::hald::{self, EntryOrder, Placement, Texel, TextureShape};
use crate::lut::{Cdl, GridSize, Lut3d, interpolate};
use std::time::SystemTime;

/// Where a channel's LUT came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LutSource {
    /// It was sent.
    #[default]
    Sent,
    /// It was baked from CDL values.
    Cdl,
    /// It was read from a file.
    File,
    /// It came from a hub of a cluster.
    Cluster,
}

/// The newest LUT that a channel has received. It need not be the one on the stream: that may be held, or bypassed.
#[derive(Clone, Debug)]
pub struct Received {
    /// How many LUTs the channel had received. This is the last of them, or a later one.
    pub number: u64,
    /// When it was received.
    pub at: SystemTime,
    /// Where it came from.
    pub source: LutSource,
    /// The channel's newest CDL values.
    pub cdl: Option<Cdl>,
    /// How its texels lie.
    pub shape: TextureShape,
    /// Its texels, as they are published: every bit of R, G and B as received, alpha 1.0.
    pub texels: Vec<Texel>,
}

impl Received {
    /// Its grid size.
    pub fn size(&self) -> GridSize {
        self.shape.size()
    }

    /// It as a LUT.
    pub fn lut(&self) -> Lut3d {
        Placement::read(self.shape, &self.texels)
    }

    /// What it makes of the colour `rgb`, as [`Lut3d::tetrahedral`] says.
    pub fn tetrahedral(&self, rgb: [f32; 3]) -> [f32; 3] {
        interpolate::tetrahedral(self.size(), rgb, |point| hald::rgb(&self.texels[self.shape.texel(point)]))
    }

    /// Its entries, listed in `order`.
    pub fn entries(&self, order: EntryOrder) -> impl Iterator<Item = Texel> {
        let size = self.size();
        (0..size.entries()).map(move |i| self.texels[self.shape.texel(order.point(size, i))])
    }
}
