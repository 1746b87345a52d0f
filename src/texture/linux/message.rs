//! The messages on a stream's socket: fixed little-endian structures. `docs/transport.md` has them as tables.
//!
//! Nothing here touches the system. Every field that comes from outside is bounded here; what depends on the memory
//! that comes with a message (its size, its seals) is checked where that memory is mapped.

use super::cdl_message;
use super::gpu::ImageSurface;
use super::place::{Place, SLOTS};
use super::vulkan::DeviceIdentity;
use crate::hald::{Layout, TextureShape};
use crate::lut::{Cdl, GridSize};

/// The first four bytes of every message.
pub(super) const MAGIC: [u8; 4] = *b"VGLB";
/// The version of the transport.
pub(super) const VERSION: u16 = 1;
/// No message is longer, in this version or a later one.
pub(super) const MAX_MESSAGE: usize = 2048;
/// The memory ring, as a bit of HELLO's tiers and as SURFACE's tier.
pub(super) const TIER_MEMORY: u32 = 1;
/// Images of a graphics device, likewise.
pub(super) const TIER_IMAGES: u32 = 2;
/// `VK_FORMAT_R32G32B32A32_SFLOAT`.
pub(super) const FORMAT_RGBA32F: u32 = 109;
/// HELLO's flag for a look at the stream: SURFACE comes without memory, and the connection ends.
pub(super) const INSPECT: u32 = 1;

/// Bytes of the part that all messages begin with.
pub(super) const HEADER: usize = 16;
pub(super) const HELLO: usize = 64;
pub(super) const SURFACE: usize = 992;
/// Where SURFACE has its tier.
const TIER_AT: usize = 68;
pub(super) const FRAME: usize = 56;
pub(super) const RELEASE: usize = 40;
pub(super) const GONE: usize = 24;

/// Room for the stream's name in SURFACE.
pub(super) const NAME_BYTES: usize = 200;

/// What a message is, as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Kind {
    Hello = 1,
    Surface = 2,
    Frame = 3,
    Release = 4,
    Gone = 5,
    Cdl = 6,
}

/// Receiver to sender, first: what the receiver wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    pub flags: u32,
    /// A bit for each tier that the receiver can use.
    pub tiers: u32,
    /// The receiver's device and driver; zero where it has none.
    pub device: DeviceIdentity,
}

/// Sender to receiver: where the stream's textures are from now on. The first answer to HELLO, and again whenever the
/// shape changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Surface {
    pub surface: u64,
    /// The newest texture when this was sent.
    pub newest: Stamp,
    pub shape: TextureShape,
    pub memory: Place,
    /// The stream's name, for people.
    pub name: String,
}

/// A texture's number and when it was published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub revision: u64,
    /// `CLOCK_MONOTONIC` in nanoseconds.
    pub monotonic_ns: u64,
    /// `CLOCK_REALTIME` in nanoseconds.
    pub realtime_ns: u64,
}

/// Sender to receiver: a new texture is there. For the memory ring a doorbell: its control page says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub surface: u64,
    pub stamp: Stamp,
    pub slot: u32,
}

/// Receiver to sender: done with a slot. Without effect in the memory ring; a graphics device's image is written again
/// only after all who were told of it have released it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Release {
    pub surface: u64,
    pub revision: u64,
    pub slot: u32,
}

/// Why a sender ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Reason {
    StreamEnded = 1,
    TooManyReceivers = 2,
    NotPermitted = 3,
    BadMessage = 4,
    OtherVersion = 5,
    NoHello = 6,
    NoCommonTier = 7,
    HeldTooLong = 8,
}

/// Sender to receiver, last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone {
    /// `None` for a reason that this version does not know.
    pub reason: Option<Reason>,
    /// A number that goes with the reason: the limit, or the sender's version.
    pub detail: u32,
}

/// What a sender says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FromSender {
    Surface(Box<Surface>),
    Images(Box<ImageSurface>),
    Frame(Frame),
    Gone(Gone),
    /// The newest CDL values; `None` where no CDL has such numbers.
    Cdl(Option<Cdl>),
    /// A message of a later version that may be left unread.
    Unknown(u16),
}

/// What a receiver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FromReceiver {
    Hello(Hello),
    Release(Release),
}

/// Bytes that are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageError {
    #[error("a message of {0} bytes; the shortest has {HEADER}, the longest {MAX_MESSAGE}")]
    Length(usize),
    #[error("a message that begins with {0:02x?} in place of \"VGLB\"")]
    Magic([u8; 4]),
    #[error("a message of transport version {0}; this program speaks version {VERSION}")]
    Version(u16),
    #[error("a message of {got} bytes whose header says {said}")]
    SaidLength { got: usize, said: u32 },
    #[error("a message of type {kind} with {got} bytes; it has at least {least}")]
    TooShort { kind: u16, got: usize, least: usize },
    #[error("a message of type {0}, which a receiver does not send")]
    Kind(u16),
    #[error("a SURFACE whose {field} is {value}; {right}")]
    Surface { field: &'static str, value: u64, right: String },
}

impl Reason {
    const ALL: [Reason; 8] = [
        Reason::StreamEnded,
        Reason::TooManyReceivers,
        Reason::NotPermitted,
        Reason::BadMessage,
        Reason::OtherVersion,
        Reason::NoHello,
        Reason::NoCommonTier,
        Reason::HeldTooLong,
    ];
}

impl Gone {
    pub(super) fn new(reason: Reason, detail: u32) -> Self {
        Gone { reason: Some(reason), detail }
    }

    /// The reason as a clause: "the sender … because {clause}".
    pub(super) fn why(&self) -> String {
        let detail = self.detail;
        match self.reason {
            Some(Reason::StreamEnded) => "the stream has ended".into(),
            Some(Reason::TooManyReceivers) => format!("it has {detail} receivers already, as many as it takes"),
            Some(Reason::NotPermitted) => "it runs as another user, and serves its own user's programs only".into(),
            Some(Reason::BadMessage) => "it did not understand what this program sent".into(),
            Some(Reason::OtherVersion) => {
                format!("it speaks version {detail} of the transport, and this program version {VERSION}")
            }
            Some(Reason::NoHello) => format!("it heard nothing from this program for {detail} ms"),
            Some(Reason::NoCommonTier) => "it has no textures of the kind that this program takes; images need a graphics device and driver that both use, and that the sender was not kept from".into(),
            Some(Reason::HeldTooLong) => {
                format!("this program has kept a texture for more than {detail} ms after it was told of a newer one")
            }
            None => "it gave a reason that this program does not know".into(),
        }
    }
}

/// Writes fields one after the other.
pub(super) struct Encoder<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Encoder<'_> {
    pub(super) fn start(bytes: &mut [u8], kind: Kind) -> Encoder<'_> {
        let length = bytes.len() as u32;
        let mut e = Encoder { bytes, at: 0 };
        e.raw(&MAGIC);
        e.raw(&VERSION.to_le_bytes());
        e.raw(&(kind as u16).to_le_bytes());
        e.u32(length);
        e.u32(0);
        e
    }

    pub(super) fn raw(&mut self, field: &[u8]) {
        self.bytes[self.at..self.at + field.len()].copy_from_slice(field);
        self.at += field.len();
    }

    pub(super) fn u32(&mut self, v: u32) {
        self.raw(&v.to_le_bytes());
    }

    pub(super) fn u64(&mut self, v: u64) {
        self.raw(&v.to_le_bytes());
    }
}

/// Reads fields one after the other, from bytes whose length was checked.
pub(super) struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Decoder<'a> {
    pub(super) fn raw<const N: usize>(&mut self) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&self.bytes[self.at..self.at + N]);
        self.at += N;
        field
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.raw())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.raw())
    }
}

/// Checks what all messages have in common; the type, and the fields after the header.
fn open(bytes: &[u8]) -> Result<(u16, Decoder<'_>), MessageError> {
    if !(HEADER..=MAX_MESSAGE).contains(&bytes.len()) {
        return Err(MessageError::Length(bytes.len()));
    }
    let mut d = Decoder { bytes, at: 0 };
    let magic = d.raw();
    if magic != MAGIC {
        return Err(MessageError::Magic(magic));
    }
    let version = u16::from_le_bytes(d.raw());
    if version != VERSION {
        return Err(MessageError::Version(version));
    }
    let kind = u16::from_le_bytes(d.raw());
    let (said, _reserved) = (d.u32(), d.u32());
    if said as usize != bytes.len() {
        return Err(MessageError::SaidLength { got: bytes.len(), said });
    }
    Ok((kind, d))
}

fn at_least(d: &Decoder<'_>, kind: Kind, least: usize) -> Result<(), MessageError> {
    match d.bytes.len() {
        got if got < least => Err(MessageError::TooShort { kind: kind as u16, got, least }),
        _ => Ok(()),
    }
}

impl FromReceiver {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let (kind, mut d) = open(bytes)?;
        match kind {
            k if k == Kind::Hello as u16 => {
                at_least(&d, Kind::Hello, HELLO)?;
                let (flags, tiers) = (d.u32(), d.u32());
                let device = DeviceIdentity { device: d.raw(), driver: d.raw() };
                Ok(FromReceiver::Hello(Hello { flags, tiers, device }))
            }
            k if k == Kind::Release as u16 => {
                at_least(&d, Kind::Release, RELEASE)?;
                Ok(FromReceiver::Release(Release { surface: d.u64(), revision: d.u64(), slot: d.u32() }))
            }
            other => Err(MessageError::Kind(other)),
        }
    }
}

impl FromSender {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let (kind, mut d) = open(bytes)?;
        match kind {
            k if k == Kind::Surface as u16 => {
                at_least(&d, Kind::Surface, SURFACE)?;
                if bytes[TIER_AT..].starts_with(&TIER_IMAGES.to_le_bytes()) {
                    return Ok(FromSender::Images(Box::new(ImageSurface::decode(&mut d)?)));
                }
                Ok(FromSender::Surface(Box::new(Surface::decode(&mut d)?)))
            }
            k if k == Kind::Frame as u16 => {
                at_least(&d, Kind::Frame, FRAME)?;
                let (surface, revision, monotonic_ns) = (d.u64(), d.u64(), d.u64());
                let (slot, _reserved, realtime_ns) = (d.u32(), d.u32(), d.u64());
                Ok(FromSender::Frame(Frame { surface, stamp: Stamp { revision, monotonic_ns, realtime_ns }, slot }))
            }
            k if k == Kind::Gone as u16 => {
                at_least(&d, Kind::Gone, GONE)?;
                let (reason, detail) = (d.u32(), d.u32());
                Ok(FromSender::Gone(Gone { reason: Reason::ALL.into_iter().find(|r| *r as u32 == reason), detail }))
            }
            k if k == Kind::Cdl as u16 => {
                at_least(&d, Kind::Cdl, cdl_message::CDL)?;
                Ok(FromSender::Cdl(cdl_message::decode(&mut d)))
            }
            other => Ok(FromSender::Unknown(other)),
        }
    }
}

impl Hello {
    pub(super) fn encode(&self) -> [u8; HELLO] {
        let mut bytes = [0; HELLO];
        let mut e = Encoder::start(&mut bytes, Kind::Hello);
        e.u32(self.flags);
        e.u32(self.tiers);
        e.raw(&self.device.device);
        e.raw(&self.device.driver);
        bytes
    }
}

impl Frame {
    pub(super) fn encode(&self) -> [u8; FRAME] {
        let mut bytes = [0; FRAME];
        let mut e = Encoder::start(&mut bytes, Kind::Frame);
        e.u64(self.surface);
        e.u64(self.stamp.revision);
        e.u64(self.stamp.monotonic_ns);
        e.u32(self.slot);
        e.u32(0);
        e.u64(self.stamp.realtime_ns);
        bytes
    }
}

impl Release {
    pub(super) fn encode(&self) -> [u8; RELEASE] {
        let mut bytes = [0; RELEASE];
        let mut e = Encoder::start(&mut bytes, Kind::Release);
        e.u64(self.surface);
        e.u64(self.revision);
        e.u32(self.slot);
        bytes
    }
}

impl Gone {
    pub(super) fn encode(&self) -> [u8; GONE] {
        let mut bytes = [0; GONE];
        let mut e = Encoder::start(&mut bytes, Kind::Gone);
        e.u32(self.reason.map_or(0, |r| r as u32));
        e.u32(self.detail);
        bytes
    }
}

impl Surface {
    /// The message; `with_memory` tells whether the memory comes with it.
    pub(super) fn encode(&self, with_memory: bool) -> [u8; SURFACE] {
        let mut bytes = [0; SURFACE];
        let mut e = Encoder::start(&mut bytes, Kind::Surface);
        e.u64(self.surface);
        e.u64(self.newest.revision);
        e.u64(self.newest.monotonic_ns);
        e.u64(self.newest.realtime_ns);
        e.u32(self.shape.size().get() as u32);
        e.u32(self.shape.width() as u32);
        e.u32(self.shape.height() as u32);
        e.u32(layout_code(self.shape.layout()));
        e.u32(FORMAT_RGBA32F);
        e.u32(TIER_MEMORY);
        e.u32(SLOTS as u32);
        e.u32(u32::from(with_memory));
        e.u64(self.memory.bytes);
        e.u64(self.memory.control_at);
        e.u64(self.memory.control_bytes);
        // Device and driver, for tier 2.
        e.raw(&[0; 32]);
        let name = &self.name.as_bytes()[..self.name.len().min(NAME_BYTES)];
        e.u32(name.len() as u32);
        e.u32(0);
        for slot in 0..SLOTS {
            e.u64(self.memory.slots_at[slot]);
            e.u64(self.memory.slot_bytes);
            e.u32((self.shape.width() * 16) as u32);
            // Which of the descriptors; tiling, usage and memory type, for tier 2; reserved.
            e.raw(&[0; 20]);
        }
        e.raw(name);
        bytes
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, MessageError> {
        let surface = d.u64();
        let newest = Stamp { revision: d.u64(), monotonic_ns: d.u64(), realtime_ns: d.u64() };
        let shape = decode_shape([d.u32(), d.u32(), d.u32(), d.u32()])?;
        expect("format", d.u32(), FORMAT_RGBA32F, "109, R32G32B32A32_SFLOAT, is the only one")?;
        expect("tier", d.u32(), TIER_MEMORY, "1, the memory ring, and 2, images, are known")?;
        expect("slot count", d.u32(), SLOTS as u32, "tier 1 has 16")?;
        let descriptors = d.u32();
        if descriptors > 1 {
            return Err(refuse("number of descriptors", descriptors.into(), "tier 1 has 1, or 0 in a look".into()));
        }
        let (bytes, control_at, control_bytes) = (d.u64(), d.u64(), d.u64());
        let _device_and_driver: [u8; 32] = d.raw();
        let (name_bytes, _reserved) = (d.u32() as usize, d.u32());
        if name_bytes > NAME_BYTES {
            return Err(refuse("name length", name_bytes as u64, format!("at most {NAME_BYTES} fit")));
        }
        let mut slots = [(0, 0); SLOTS];
        for slot in &mut slots {
            *slot = (d.u64(), d.u64());
            expect("row pitch", d.u32(), (shape.width() * 16) as u32, "rows are tightly packed, 16 bytes a texel")?;
            expect("descriptor of a slot", d.u32(), 0, "tier 1 has one")?;
            let _for_tier_2: [u8; 16] = d.raw();
        }
        let memory = Place::checked(bytes, control_at, control_bytes, &slots, shape.bytes() as u64)
            .map_err(|(field, value, right)| refuse(field, value, right))?;
        let name: [u8; NAME_BYTES] = d.raw();
        Ok(Surface { surface, newest, shape, memory, name: String::from_utf8_lossy(&name[..name_bytes]).into_owned() })
    }
}

pub(super) fn refuse(field: &'static str, value: u64, right: String) -> MessageError {
    MessageError::Surface { field, value, right }
}

pub(super) fn expect(field: &'static str, value: u32, wanted: u32, right: &str) -> Result<(), MessageError> {
    if value == wanted { Ok(()) } else { Err(refuse(field, value.into(), right.to_owned())) }
}

pub(super) fn layout_code(layout: Layout) -> u32 {
    match layout {
        Layout::Vglb => 0,
        Layout::Unreal => 1,
        Layout::Unity => 2,
        Layout::HaldClut => 3,
    }
}

pub(super) fn decode_shape([n, width, height, layout]: [u32; 4]) -> Result<TextureShape, MessageError> {
    let known = Layout::ALL.into_iter().find(|l| layout_code(*l) == layout);
    let layout = known.ok_or_else(|| refuse("layout", layout.into(), "0 to 3 are known".into()))?;
    let size = GridSize::new(n.into()).map_err(|e| refuse("grid size", n.into(), e.to_string()))?;
    let shape = TextureShape::new(size, layout).map_err(|e| refuse("grid size", n.into(), e.to_string()))?;
    expect("width", width, shape.width() as u32, &format!("a texture of {shape} has another"))?;
    expect("height", height, shape.height() as u32, &format!("a texture of {shape} has another"))?;
    Ok(shape)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
