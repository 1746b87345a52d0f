//! What hostile processes at the other end of a stream's socket can have this one read, for the fuzz targets. Each
//! panics where a message or a ring is not what it should be.

use super::message::{FromReceiver, FromSender, SURFACE, Stamp, Surface};
use super::place::Place;
use super::receiver::{self, LinuxReceiver};
use super::ring::{ReadRing, WriteRing};
use super::socket;
use crate::hald::{Layout, TextureShape};
use crate::lut::GridSize;
use crate::memory_limit::MemoryLimit;
use crate::texture::{Frame, TextureError, TextureReceiver};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::sync::Arc;
use std::time::Duration;

/// Rings larger than this are not made: their memory would take all the time.
const MOST_RING_BYTES: u64 = 4 << 20;

/// A receiver's message. One that is taken is written as what it was read from.
pub fn from_receiver(bytes: &[u8]) {
    let Ok(FromReceiver::Hello(hello)) = FromReceiver::decode(bytes) else { return };
    assert_eq!(FromReceiver::decode(&hello.encode()), Ok(FromReceiver::Hello(hello)));
}

/// A sender's message. One that is taken is written as what it was read from, and what it tells of lies in its memory.
pub fn from_sender(bytes: &[u8]) {
    match FromSender::decode(bytes) {
        Ok(FromSender::Surface(surface)) => {
            lies_within(&surface.memory, surface.shape);
            let surface = Surface { name: "s".into(), ..*surface };
            let again = FromSender::decode(&surface.encode(true));
            assert_eq!(again, Ok(FromSender::Surface(Box::new(surface))));
        }
        Ok(FromSender::Images(mut images)) => {
            assert!(images.image.memory_bytes >= images.shape.bytes() as u64);
            images.name = "s".into();
            assert_eq!(FromSender::decode(&images.encode()), Ok(FromSender::Images(images)));
        }
        _ => {}
    }
}

fn lies_within(place: &Place, shape: TextureShape) {
    let texture = shape.bytes() as u64;
    let ends = place.slots_at.map(|at| at.checked_add(texture));
    assert!(ends.iter().all(|end| end.is_some_and(|end| end <= place.bytes)), "{place:?}");
}

/// A ring that a sender hands over: its SURFACE, and then what its control area holds.
pub fn ring(bytes: &[u8]) {
    let Some((message, control)) = bytes.split_at_checked(SURFACE) else { return };
    let Ok(FromSender::Surface(surface)) = FromSender::decode(message) else { return };
    if surface.memory.bytes > MOST_RING_BYTES {
        return;
    }
    let Ok(memory) = sealed(surface.memory.bytes, surface.memory.control_at, control) else { return };
    let Ok(ring) = receiver::map(&surface, vec![memory]) else { return };
    look_at(&ring);
}

fn look_at(ring: &ReadRing) {
    let _ = (ring.newest(), ring.superseded());
    let mut texels = Vec::new();
    if let Ok(Some(_)) = ring.copy_newest(&mut texels, Duration::ZERO) {
        assert_eq!(texels.len(), ring.shape().texels());
    }
    if let Ok(Some((_, found))) = ring.find_newest(Duration::ZERO) {
        let _ = (ring.offset(found), ring.is_intact(found));
    }
}

/// Memory that can't change any more, with `content` at `at`.
fn sealed(bytes: u64, at: u64, content: &[u8]) -> rustix::io::Result<OwnedFd> {
    let memory = rustix::fs::memfd_create("fuzzed", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC)?;
    rustix::fs::ftruncate(&memory, bytes)?;
    let room = usize::try_from(bytes.saturating_sub(at)).unwrap_or(0).min(content.len());
    rustix::io::pwrite(&memory, &content[..room], at)?;
    rustix::fs::fcntl_add_seals(
        &memory,
        SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL,
    )?;
    Ok(memory)
}

/// A whole SURFACE with the control area of its ring, in which one texture is published.
pub fn ring_seed() -> Result<Vec<u8>, TextureError> {
    let (surface, ring) = published()?;
    let mut control = vec![0; 2048];
    let read = rustix::io::pread(ring.memory(), &mut control, surface.memory.control_at);
    control.truncate(read.map_err(|e| TextureError::io("reading the ring", e))?);
    Ok([&surface.encode(true)[..], &control].concat())
}

/// A ring of this process's own with one texture in it, and what receivers are told of it.
fn published() -> Result<(Surface, Arc<WriteRing>), TextureError> {
    let size = GridSize::MIN;
    let shape = TextureShape::new(size, Layout::Vglb).map_err(|e| TextureError::Protocol(e.to_string()))?;
    let ring = WriteRing::create(shape, 1, &MemoryLimit::default())?;
    let stamp = Stamp { revision: 1, monotonic_ns: 2, realtime_ns: 3 };
    if let Some(mut lease) = ring.lease(0) {
        lease.open()?;
        lease.texels().fill([0x3f; 16]);
        ring.publish(lease.finish(stamp), stamp.revision);
    }
    Ok((Surface { surface: 1, newest: stamp, shape, memory: ring.place(), name: "s".into() }, ring))
}

/// A sender that says all this to a receiver and leaves; with each message come so many descriptors of a good ring. The
/// receiver sees no more than whole textures, and gets to an end.
pub fn hostile_sender(messages: &[(usize, &[u8])]) {
    let Ok((surface, ring)) = published() else { return };
    let Ok(mapped) = map_again(&surface, &ring) else { return };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
    let Ok((sender, socket)) = pair else { return };
    let mut receiver = LinuxReceiver::new(socket, mapped);
    let mut frame = Frame::default();
    for (descriptors, message) in messages {
        // A queue that is full is the sender's own matter.
        let _ = socket::send(&sender, message, &vec![ring.memory(); *descriptors]);
        let _ = receiver.wait(Some(Duration::ZERO));
    }
    drop(sender);
    for _ in 0..2 {
        match receiver.read(&mut frame) {
            Ok(()) => assert_eq!(Some(frame.texels.len()), frame.shape.map(|shape| shape.texels())),
            Err(e) => assert!(!e.to_string().is_empty()),
        }
    }
    assert!(receiver.wait(Some(Duration::ZERO)).is_ok_and(|event| event == crate::texture::Event::Ended));
}

fn map_again(surface: &Surface, ring: &WriteRing) -> Result<ReadRing, TextureError> {
    let memory = ring.memory().as_fd().try_clone_to_owned().map_err(|e| TextureError::io("duplicating memory", e))?;
    receiver::map(surface, vec![memory])
}
