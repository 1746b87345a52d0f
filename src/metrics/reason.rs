//! Why something was refused, as few words as a metric has room for.

use crate::sink::Refusal;
use crate::wire::WireError;

/// Why a request or a connection was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A command that is none of ours, or none.
    Command,
    /// `lutData` is missing, is no LUT, or contradicts `lutSize`.
    LutData,
    /// A LUT larger than is taken, or than a texture.
    LutTooLarge,
    /// Values that are no numbers.
    NotFinite,
    /// CDL values that mean nothing.
    Cdl,
    /// A channel's name that is too long or has its stream's name in use already, or more channels than there may be.
    Channel,
    /// The texture could not be published.
    Texture,
    /// No memory.
    Memory,
    /// Something else.
    Other,
    /// A connection closed for what was no message.
    Malformed,
    /// A connection closed for its silence or slowness.
    TooSlow,
    /// A connection that ended in the middle of a message, or failed.
    Broken,
    /// A connection from an address that is not let in.
    Address,
    /// A connection over a limit, or one that had to make room.
    Connections,
}

impl Reason {
    /// All of them.
    pub const ALL: [Reason; 14] = [
        Reason::Command,
        Reason::LutData,
        Reason::LutTooLarge,
        Reason::NotFinite,
        Reason::Cdl,
        Reason::Channel,
        Reason::Texture,
        Reason::Memory,
        Reason::Other,
        Reason::Malformed,
        Reason::TooSlow,
        Reason::Broken,
        Reason::Address,
        Reason::Connections,
    ];

    /// Its name in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Command => "command",
            Reason::LutData => "lut_data",
            Reason::LutTooLarge => "lut_too_large",
            Reason::NotFinite => "not_finite",
            Reason::Cdl => "cdl",
            Reason::Channel => "channel",
            Reason::Texture => "texture",
            Reason::Memory => "memory",
            Reason::Other => "other",
            Reason::Malformed => "malformed",
            Reason::TooSlow => "too_slow",
            Reason::Broken => "broken",
            Reason::Address => "address",
            Reason::Connections => "connections",
        }
    }
}

impl From<&Refusal> for Reason {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NoCommand | Refusal::UnknownCommand(_) => Reason::Command,
            Refusal::NoLutData | Refusal::LutData(_) | Refusal::LutSize { .. } => Reason::LutData,
            Refusal::LutTooLarge { .. } | Refusal::Shape(_) => Reason::LutTooLarge,
            Refusal::NotFinite(_) => Reason::NotFinite,
            Refusal::Cdl(_) | Refusal::CdlMissing(_) => Reason::Cdl,
            Refusal::ChannelNameTooLong { .. }
            | Refusal::TooManyChannels { .. }
            | Refusal::TooManyChannelsOfAddress { .. }
            | Refusal::StreamNameInUse { .. } => Reason::Channel,
            Refusal::Texture(_) => Reason::Texture,
            Refusal::OutOfMemory { .. } | Refusal::OverMemoryLimit { .. } => Reason::Memory,
            _ => Reason::Other,
        }
    }
}

impl From<&WireError> for Reason {
    fn from(error: &WireError) -> Self {
        match error {
            WireError::Malformed(_) => Reason::Malformed,
            WireError::Silent { .. } | WireError::Idle { .. } | WireError::TooSlow { .. } => Reason::TooSlow,
            _ => Reason::Broken,
        }
    }
}
