//! A receiver of images that knows `docs/transport.md` and nothing of the sender's code: every number here stands in
//! that page's tables.

use crate::backend_suite::{PATIENCE, marked, publish, shape};
use crate::device::gpu;
use crate::processes::Streams;
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, sockopt,
};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::texture::linux::{DeviceIdentity, ImageDescription, ImageReader, ReadBy};

const HELLO: u16 = 1;
const SURFACE: u16 = 2;
const FRAME: u16 = 3;
const RELEASE: u16 = 4;
const GONE: u16 = 5;
/// The reason in GONE for who kept an image for too long.
const HELD_TOO_LONG: u32 = 8;

struct Message {
    kind: u16,
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

impl Message {
    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes[at..][..4].try_into().unwrap())
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes[at..][..8].try_into().unwrap())
    }
}

struct Receiver(OwnedFd);

impl Receiver {
    /// Connects, and says HELLO.
    fn new(streams: &Streams, tiers: u32, device: DeviceIdentity) -> Self {
        let flags = SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE)).unwrap();
        let address = SocketAddrUnix::new(streams.path().join("s.sock")).unwrap();
        rustix::net::connect(&socket, &address).unwrap();
        let receiver = Receiver(socket);
        let mut body = Vec::new();
        body.extend_from_slice(&0u32.to_le_bytes());
        body.extend_from_slice(&tiers.to_le_bytes());
        body.extend_from_slice(&device.device);
        body.extend_from_slice(&device.driver);
        body.extend_from_slice(&[0; 8]);
        receiver.say(HELLO, &body, 64);
        receiver
    }

    fn say(&self, kind: u16, body: &[u8], length: u32) {
        let mut bytes = b"VGLB\x01\x00".to_vec();
        bytes.extend_from_slice(&kind.to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(body);
        assert_eq!(bytes.len(), length as usize);
        rustix::net::send(&self.0, &bytes, SendFlags::NOSIGNAL).unwrap();
    }

    fn release(&self, frame: &Message) {
        let body = [&frame.bytes[16..32], &frame.bytes[40..44], &[0; 4]].concat();
        self.say(RELEASE, &body, 40);
    }

    fn hear(&self) -> Message {
        let mut bytes = vec![0; 2048];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut into = [IoSliceMut::new(&mut bytes)];
        let got = rustix::net::recvmsg(self.0.as_fd(), &mut into, &mut control, RecvFlags::CMSG_CLOEXEC);
        let length = got.expect("a message within a minute").bytes;
        let mut descriptors = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(come) = message {
                descriptors.extend(come);
            }
        }
        bytes.truncate(length);
        assert_eq!(bytes[..6], *b"VGLB\x01\x00");
        let kind = u16::from_le_bytes([bytes[6], bytes[7]]);
        let message = Message { kind, bytes, descriptors };
        assert_eq!(message.u32(8) as usize, length);
        message
    }

    /// The next message, which must be of this kind. `None` where this program was kept from running for a second,
    /// and so was sent away.
    fn expect(&self, kind: u16) -> Option<Message> {
        let message = self.hear();
        if (message.kind, kind == GONE) == (GONE, false) && message.u32(16) == HELD_TOO_LONG {
            return None;
        }
        assert_eq!(message.kind, kind, "{:?}", message.bytes);
        Some(message)
    }
}

/// Imports what SURFACE describes.
fn import(surface: Message, n: u64) -> ImageReader {
    let shape = shape(n);
    assert_eq!(surface.bytes.len(), 992);
    assert_eq!([48, 52, 56, 60].map(|at| surface.u32(at)), [n as u32, shape.width() as u32, shape.height() as u32, 0]);
    assert_eq!([64, 68].map(|at| surface.u32(at)), [109, 2], "format and tier");
    let identity = gpu().facts().identity;
    assert_eq!((&surface.bytes[104..120], &surface.bytes[120..136]), (&identity.device[..], &identity.driver[..]));
    assert_eq!((surface.u32(136), &surface.bytes[784..785]), (1, &b"s"[..]), "the name");
    let slots = surface.u32(72) as usize;
    assert_eq!((surface.u32(76) as usize, surface.descriptors.len()), (slots, slots));
    let mut all = (0..slots).map(|slot| {
        let at = 144 + 40 * slot;
        assert_eq!(surface.u32(at + 20) as usize, slot, "the number of the descriptor");
        ImageDescription {
            width: surface.u32(52),
            height: surface.u32(56),
            offset: surface.u64(at),
            memory_bytes: surface.u64(at + 8),
            row_pitch: surface.u32(at + 16),
            tiling: surface.u32(at + 24),
            usage: surface.u32(at + 28),
            memory_type: surface.u32(at + 32),
            dedicated: surface.u32(at + 36) & 1 == 1,
        }
    });
    let first = all.next().unwrap();
    assert!(all.all(|other| other == first));
    assert!(surface.bytes[144 + 40 * slots..784].iter().all(|b| *b == 0), "slots that are not there");
    gpu().import(&first, surface.descriptors).unwrap()
}

fn assert_holds(images: &mut ImageReader, frame: &Message, n: u64, mark: u64) {
    assert_eq!((frame.bytes.len(), frame.u64(24)), (56, mark), "the revision");
    for by in [ReadBy::Copy, ReadBy::Fetch] {
        let mut texels = Vec::new();
        images.read(frame.u32(40) as usize, by, &mut texels).unwrap();
        assert!(texels == marked(mark, shape(n).texels()), "{by:?}: the bits differ");
    }
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn the_document_is_enough_to_receive_images() {
    let began = Instant::now();
    while receive_by_the_document().is_none() {
        assert!(began.elapsed() < PATIENCE, "sent away again and again");
    }
}

fn receive_by_the_document() -> Option<()> {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 5);
    let mut update =
        |n: u64, mark: u64| assert_eq!(publish(&mut *writer, shape(n), &marked(mark, shape(n).texels())), mark);
    let receiver = Receiver::new(&streams, 2, gpu().facts().identity);
    let surface = receiver.expect(SURFACE)?;
    let number = surface.u64(16);
    let mut images = import(surface, 5);
    let first = receiver.expect(FRAME)?;
    assert_eq!(first.u64(16), number);
    assert_holds(&mut images, &first, 5, 1);
    update(5, 2);
    let second = receiver.expect(FRAME)?;
    assert_ne!(first.u32(40), second.u32(40), "the first is still claimed");
    // With two claims there is no FRAME; with one less the newest comes, and none in between.
    for mark in 3..20 {
        update(5, mark);
    }
    assert_holds(&mut images, &first, 5, 1);
    assert_holds(&mut images, &second, 5, 2);
    receiver.release(&first);
    let mut newest = receiver.expect(FRAME)?;
    // The sender's device may have been behind.
    while newest.u64(24) < 19 {
        receiver.release(&newest);
        newest = receiver.expect(FRAME)?;
    }
    assert_holds(&mut images, &newest, 5, 19);
    assert_holds(&mut images, &second, 5, 2);
    // Another size: another surface, with its number in every FRAME.
    update(6, 20);
    let surface = receiver.expect(SURFACE)?;
    assert_ne!(surface.u64(16), number);
    let mut images = import(surface, 6);
    let frame = receiver.expect(FRAME)?;
    assert_holds(&mut images, &frame, 6, 20);
    Some(())
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn who_sits_on_images_is_sent_away_with_the_reason_that_the_document_gives() {
    let streams = Streams::new();
    let (sender, mut writer) = streams.sender("s", 5);
    let receiver = Receiver::new(&streams, 2, gpu().facts().identity);
    receiver.expect(SURFACE).unwrap();
    let began = Instant::now();
    let (mut mark, mut kept) = (1, 0);
    while sender.receivers() == Some(1) {
        assert!(began.elapsed() < PATIENCE);
        mark += 1;
        publish(&mut *writer, shape(5), &marked(mark, shape(5).texels()));
        std::thread::sleep(Duration::from_millis(20));
    }
    let gone = loop {
        let message = receiver.hear();
        match message.kind {
            FRAME => kept += 1,
            _ => break message,
        }
    };
    assert!(kept <= 2, "{kept} claims");
    assert_eq!((gone.kind, gone.u32(16), gone.u32(20)), (GONE, HELD_TOO_LONG, 1000));
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn a_receiver_with_another_driver_gets_memory_or_the_reason_why_not() {
    let streams = Streams::new();
    let (_sender, _writer) = streams.sender("s", 5);
    let other = DeviceIdentity { driver: [0xab; 16], ..gpu().facts().identity };
    let gone = Receiver::new(&streams, 2, other).expect(GONE).unwrap();
    assert_eq!(gone.u32(16), 7);
    let surface = Receiver::new(&streams, 3, other).expect(SURFACE).unwrap();
    assert_eq!((surface.u32(68), surface.u32(72), surface.descriptors.len()), (1, 16, 1), "the memory ring");
}
