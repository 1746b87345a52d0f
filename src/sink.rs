//! The seam between the wire and whatever wants LUTs: a [`LutSink`] gives out [`LutWriter`]s, and a writer takes one
//! LUT after another while it arrives.
//!
//! [`ChannelSet`](crate::channel::ChannelSet) is the sink that publishes textures. [`callback`] makes one of a
//! closure that gets whole LUTs.

use crate::hald::{EntryOrder, NotFiniteCount, ShapeError, Texel, rgb};
use crate::lut::{Cdl, CdlError, GridSize, GridSizeError, Lut3d, NotFinite};
use crate::memory_limit::OverLimit;
use crate::texture::TextureError;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The channel of a request: its `instance`. Requests without one share the channel with the empty name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(String);

impl ChannelId {
    /// The channel called `name`; empty for the channel of requests that name none.
    pub fn new(name: impl Into<String>) -> Self {
        ChannelId(name.into())
    }

    /// The name, or `None` for the channel of requests that name none.
    pub fn name(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&self.0)
    }

    /// The stream that carries this channel: `vglb-lut-{name}`, or `base` where the channel has no name.
    pub fn stream_name(&self, base: &str) -> String {
        match self.name() {
            Some(name) => format!("vglb-lut-{name}"),
            None => base.to_owned(),
        }
    }
}

impl fmt::Display for ChannelId {
    /// The name in quotes, with control characters escaped so that it cannot forge a line of a log, and cut where it
    /// is so long that nobody would read it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        match self.name() {
            Some(name) => match name.char_indices().nth(SHOWN) {
                Some((cut, _)) => write!(f, "channel {:?}…", &name[..cut]),
                None => write!(f, "channel {name:?}"),
            },
            None => f.write_str("the channel without a name"),
        }
    }
}

/// Why a request was refused. The text is what the client is told.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no `command`.
    #[error("the request has no \"command\"; this server knows setLUT and setCDL")]
    NoCommand,
    /// The command is none of ours.
    #[error("unknown command {0:?}; this server knows setLUT and setCDL")]
    UnknownCommand(String),
    /// The channel's name is too long.
    #[error("the channel name in \"instance\" is {bytes} bytes long; it can have at most {limit}")]
    ChannelNameTooLong {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// `setLUT` without `lutData`.
    #[error(
        "setLUT has no \"lutData\" in its \"arguments\"; it is binary data of N³ entries of 16 bytes (R, G, B, A as float32), 574992 bytes for 33³"
    )]
    NoLutData,
    /// `lutData` of a size that no LUT has.
    #[error("\"lutData\" is no LUT: {0}")]
    LutData(#[from] GridSizeError),
    /// `lutSize` contradicts `lutData`.
    #[error(
        "\"lutSize\" is {stated}, but \"lutData\" holds {actual}³ entries; leave \"lutSize\" out or make it {actual}"
    )]
    LutSize {
        /// What `lutSize` says.
        stated: f64,
        /// What `lutData` holds.
        actual: GridSize,
    },
    /// A LUT larger than this server takes.
    #[error("a LUT of grid size {size} is over this server's limit of {limit} (--max-lut-size)")]
    LutTooLarge {
        /// Its grid size.
        size: GridSize,
        /// The largest that is taken.
        limit: GridSize,
    },
    /// Values that are no numbers.
    #[error("{0}")]
    NotFinite(#[from] NotFinite),
    /// CDL values that mean nothing.
    #[error("setCDL: {0}")]
    Cdl(#[from] CdlError),
    /// CDL values that are absent.
    #[error("setCDL: {0:?} must be three numbers, as [r, g, b] or {{r, g, b}}")]
    CdlMissing(&'static str),
    /// The LUT has no texture in the layout in force.
    #[error("{0}")]
    Shape(#[from] ShapeError),
    /// One more channel than there may be.
    #[error("there are {limit} channels already, the most that this server takes; {channel} can't be added")]
    TooManyChannels {
        /// The channel.
        channel: ChannelId,
        /// The limit.
        limit: usize,
    },
    /// One more channel than one address may make.
    #[error(
        "your address has made {made} channels of this server's {limit}, the most that one may make; {channel} can't be added"
    )]
    TooManyChannelsOfAddress {
        /// The channel.
        channel: ChannelId,
        /// How many it has made.
        made: usize,
        /// How many there may be in all.
        limit: usize,
    },
    /// Two channels would be published under one name.
    #[error(
        "{channel} would be published as stream {stream:?}, which {other} has already; rename it, or start the server with another --stream-name"
    )]
    StreamNameInUse {
        /// The channel refused.
        channel: ChannelId,
        /// The channel that has the name.
        other: ChannelId,
        /// The stream's name.
        stream: String,
    },
    /// The texture could not be shared.
    #[error("{0}")]
    Texture(#[from] TextureError),
    /// There is no memory to hold the LUT until its channel is known.
    #[error("no memory for a LUT of {bytes} bytes")]
    OutOfMemory {
        /// Bytes needed.
        bytes: usize,
    },
    /// The server's memory limit is reached.
    #[error("no memory for a LUT of grid size {size}: {why}")]
    OverMemoryLimit {
        /// Its grid size.
        size: GridSize,
        /// How much there is, and is used.
        why: OverLimit,
    },
    /// The sink says no, in its own words.
    #[error("{0}")]
    Other(String),
}

/// Whatever wants LUTs. Called from many connections' threads at once.
pub trait LutSink: Send + Sync + 'static {
    /// A writer for LUTs of one channel. A connection keeps it for its later LUTs on that channel.
    fn writer(&self, channel: &ChannelId) -> Result<Box<dyn LutWriter>, Refusal>;

    /// Takes a channel's CDL values.
    fn set_cdl(&self, channel: &ChannelId, cdl: &Cdl) -> Result<(), Refusal>;

    /// The sink for what comes from this address, where it makes a difference who sends something.
    fn for_client(&self, address: IpAddr) -> Option<Arc<dyn LutSink>> {
        let _ = address;
        None
    }
}

/// Takes one LUT after another: [`begin`](Self::begin), [`entries`](Self::entries) until all are there, then
/// [`commit`](Self::commit) or [`abandon`](Self::abandon). Nothing of an abandoned LUT is ever seen.
pub trait LutWriter: Send {
    /// A LUT of this grid size comes next. One begun before is abandoned.
    fn begin(&mut self, size: GridSize) -> Result<(), Refusal>;

    /// The next entries. Tells whether the R, G and B of all of them are finite.
    fn entries(&mut self, entries: &[Texel]) -> bool;

    /// All N³ entries are there and finite: puts the LUT into force, and returns its revision in the channel.
    fn commit(&mut self) -> Result<u64, Refusal>;

    /// Forgets the LUT begun.
    fn abandon(&mut self);

    /// The order in which entries are read.
    fn order(&self) -> EntryOrder;
}

/// A sink that calls `take` with every LUT, from the thread of the connection that it came on. An `Err` is what the
/// client is told.
pub fn callback<F>(order: EntryOrder, take: F) -> impl LutSink
where
    F: Fn(&ChannelId, Lut3d) -> Result<(), String> + Send + Sync + 'static,
{
    Callback { order, take: Arc::new(take) }
}

struct Callback<F> {
    order: EntryOrder,
    take: Arc<F>,
}

struct CallbackWriter<F> {
    order: EntryOrder,
    take: Arc<F>,
    channel: ChannelId,
    size: Option<GridSize>,
    /// In the order in which they arrive.
    entries: Vec<[f32; 3]>,
    revision: u64,
}

impl<F> LutSink for Callback<F>
where
    F: Fn(&ChannelId, Lut3d) -> Result<(), String> + Send + Sync + 'static,
{
    fn writer(&self, channel: &ChannelId) -> Result<Box<dyn LutWriter>, Refusal> {
        Ok(Box::new(CallbackWriter {
            order: self.order,
            take: self.take.clone(),
            channel: channel.clone(),
            size: None,
            entries: Vec::new(),
            revision: 0,
        }))
    }

    fn set_cdl(&self, _: &ChannelId, _: &Cdl) -> Result<(), Refusal> {
        Err(Refusal::Other("this server takes LUTs only; setCDL has no effect here".into()))
    }
}

impl<F> LutWriter for CallbackWriter<F>
where
    F: Fn(&ChannelId, Lut3d) -> Result<(), String> + Send + Sync + 'static,
{
    fn begin(&mut self, size: GridSize) -> Result<(), Refusal> {
        self.size = None;
        self.entries.clear();
        self.entries
            .try_reserve_exact(size.entries())
            .map_err(|_| Refusal::OutOfMemory { bytes: size.entries() * size_of::<[f32; 3]>() })?;
        self.size = Some(size);
        Ok(())
    }

    fn entries(&mut self, entries: &[Texel]) -> bool {
        if self.size.is_none() {
            return true;
        }
        let mut seen = 0;
        self.entries.extend(entries.iter().map(|entry| {
            let [r, g, b] = rgb(entry);
            // An exponent of all ones is the only one that carries into the sign bit. No branch, so that it is quick.
            let carry = |v: f32| (v.to_bits() & 0x7fff_ffff).wrapping_add(0x0080_0000);
            seen |= carry(r) | carry(g) | carry(b);
            [r, g, b]
        }));
        seen & 0x8000_0000 == 0
    }

    fn commit(&mut self) -> Result<u64, Refusal> {
        let size = self.size.take().ok_or_else(|| Refusal::Other("no LUT was begun".into()))?;
        let entries = std::mem::take(&mut self.entries);
        if entries.len() != size.entries() {
            return Err(Refusal::Other(format!("a LUT of grid size {size} was given {} entries", entries.len())));
        }
        let lut = match self.order {
            EntryOrder::BlueFastest => Lut3d::from_entries(size, entries),
            order => Lut3d::from_fn(size, |point| entries[order.index(size, point)]),
        };
        (self.take)(&self.channel, lut).map_err(Refusal::Other)?;
        self.revision += 1;
        Ok(self.revision)
    }

    fn abandon(&mut self) {
        self.size = None;
    }

    fn order(&self) -> EntryOrder {
        self.order
    }
}

/// Feeds a whole LUT's entries to a writer, checks them, and commits.
pub fn put(writer: &mut dyn LutWriter, size: GridSize, entries: &[Texel]) -> Result<u64, Refusal> {
    writer.begin(size)?;
    if !writer.entries(entries) {
        writer.abandon();
        let mut bad = NotFiniteCount::default();
        bad.add(0, entries);
        bad.result(size, writer.order())?;
    }
    writer.commit()
}
