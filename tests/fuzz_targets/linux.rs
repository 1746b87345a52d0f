//! The Linux transport: what hostile processes at the other end of a stream's socket say, and the memory that they hand
//! over.

#[path = "../linux_transport/raw.rs"]
#[allow(dead_code, reason = "other tests need the rest")]
mod raw;

use rustix::fd::{AsFd, OwnedFd};
use rustix::net::Shutdown;
use std::path::PathBuf;
use virtual_gpu_lut_box::hald::{Layout, TextureShape};
use virtual_gpu_lut_box::lut::GridSize;
use virtual_gpu_lut_box::texture::linux::{LinuxBackend, fuzzing};
use virtual_gpu_lut_box::texture::{Frame, GpuChoice, TextureBackend, TextureReceiver, TextureSender, TextureWriter};

/// The most messages of one input.
const MOST: usize = 24;

/// Messages out of an input: for each a byte with how many descriptors come with it, its length in two bytes, and its
/// bytes.
fn messages(mut bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut messages = Vec::new();
    while let [descriptors, low, high, rest @ ..] = bytes
        && messages.len() < MOST
    {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (message, rest) = rest.split_at(length);
        messages.push((usize::from(descriptors % 4), message));
        bytes = rest;
    }
    messages
}

fn said(messages: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let one = |(descriptors, message): &(u8, Vec<u8>)| {
        let length = u16::try_from(message.len()).unwrap().to_le_bytes();
        [&[*descriptors], &length[..], message].concat()
    };
    messages.iter().flat_map(one).collect()
}

fn release() -> Vec<u8> {
    raw::message(raw::RELEASE, &[1; 24])
}

fn surface() -> Vec<u8> {
    fuzzing::ring_seed().unwrap()[..992].to_vec()
}

/// Single messages; the first byte says who they are from.
pub fn message_seeds() -> Vec<Vec<u8>> {
    let from_receiver = [raw::hello(0, 1), raw::hello(1, 3), release()];
    let from_sender =
        [surface(), raw::message(raw::FRAME, &[2; 40]), raw::message(raw::GONE, &[4, 0, 0, 0, 0, 0, 0, 0])];
    let mut images = surface();
    // Its tier, its number of images and of descriptors.
    for (at, value) in [(68, 2u32), (72, 1), (76, 1)] {
        images[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    let of = |whom: u8, message: Vec<u8>| [&[whom][..], &message].concat();
    let from_receiver = from_receiver.into_iter().map(|message| of(0, message));
    from_receiver.chain(from_sender.into_iter().chain([images]).map(|message| of(1, message))).collect()
}

/// A message is one, or is refused.
pub fn message(bytes: &[u8]) {
    match bytes.split_first() {
        Some((whom, message)) if whom % 2 == 0 => fuzzing::from_receiver(message),
        Some((_, message)) => fuzzing::from_sender(message),
        None => {}
    }
}

/// A ring, as it is handed over.
pub fn ring_seeds() -> Vec<Vec<u8>> {
    vec![fuzzing::ring_seed().unwrap()]
}

/// A ring is read within its memory, or refused.
pub fn ring(bytes: &[u8]) {
    fuzzing::ring(bytes);
}

/// All that a sender says.
pub fn sender_seeds() -> Vec<Vec<u8>> {
    let frame = raw::message(raw::FRAME, &[2; 40]);
    let gone = raw::message(raw::GONE, &[1, 0, 0, 0, 0, 0, 0, 0]);
    let unknown = raw::message(77, &[0; 20]);
    vec![
        said(&[(0, frame.clone()), (1, surface()), (0, frame.clone()), (0, gone)]),
        said(&[(0, unknown), (1, surface()), (2, surface()), (0, frame)]),
    ]
}

/// A receiver sees whole textures and an end, whatever its sender says.
pub fn sender(bytes: &[u8]) {
    fuzzing::hostile_sender(&messages(bytes));
}

/// All that a receiver says.
pub fn receiver_seeds() -> Vec<Vec<u8>> {
    vec![
        said(&[(0, raw::hello(0, 1)), (0, release()), (1, release())]),
        said(&[(0, raw::hello(1, 1))]),
        said(&[(0, raw::hello(0, 2)), (0, raw::hello(0, 1))]),
        said(&[(2, raw::hello(0, 3)), (0, release())]),
    ]
}

/// A sender with a good receiver, and room for others.
pub struct Stage {
    socket: PathBuf,
    sender: Box<dyn TextureSender>,
    writer: Box<dyn TextureWriter>,
    good: Box<dyn TextureReceiver>,
    frame: Frame,
    _folder: tempfile::TempDir,
}

fn shape() -> TextureShape {
    TextureShape::new(GridSize::MIN, Layout::Vglb).unwrap()
}

fn publish(writer: &mut dyn TextureWriter, mark: u8) {
    writer.begin(shape()).unwrap();
    writer.texels().fill([mark; 16]);
    writer.publish().unwrap();
}

impl Stage {
    pub fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("streams");
        let backend = LinuxBackend::with_directory(&path).with_gpu(GpuChoice::Off);
        let sender = backend.create_sender("s").unwrap();
        let mut writer = sender.writer().unwrap();
        publish(&mut *writer, 1);
        let good = backend.open("s").unwrap();
        Stage { socket: path.join("s.sock"), sender, writer, good, frame: Frame::default(), _folder: folder }
    }
}

/// Whatever one receiver says, it gets an end, and the others are served.
pub fn receiver(stage: &mut Stage, bytes: &[u8]) {
    let hostile: OwnedFd = raw::connect(&stage.socket);
    let all = messages(bytes);
    let mark = all.iter().flat_map(|(_, message)| *message).fold(1u8, |sum, byte| sum.wrapping_add(*byte));
    for (descriptors, message) in all {
        // An end may have come before.
        let _ = raw::send(&hostile, message, &vec![hostile.as_fd(); descriptors]);
    }
    publish(&mut *stage.writer, mark);
    let _ = rustix::net::shutdown(&hostile, Shutdown::Write);
    while let Some((answer, _)) = raw::receive(&hostile) {
        assert!([raw::SURFACE, raw::FRAME, raw::GONE].contains(&raw::kind(&answer)));
    }
    stage.good.read(&mut stage.frame).unwrap();
    assert_eq!(stage.frame.texels, vec![[mark; 16]; shape().texels()]);
    assert_eq!(stage.sender.receivers(), Some(1));
}
