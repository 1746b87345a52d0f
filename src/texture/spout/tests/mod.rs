//! Spout with objects and devices that exist in memory only, and that fail on purpose.

mod fake_graphics;
mod fake_objects;
mod receiving;
mod sending;
mod trouble;

use super::SpoutBackend;
use super::sender_info::{self, SenderInfo};
use super::sender_names::SenderNames;
use crate::hald::{Layout, Texel, TextureShape};
use crate::lut::GridSize;
use crate::texture::{Frame, TextureBackend, TextureError, TextureReceiver, TextureSender, TextureWriter};
use fake_graphics::Adapter;
use fake_objects::{Process, Session};
use std::time::{Duration, Instant};

/// A computer with one adapter and one session.
#[derive(Clone, Default)]
struct Computer {
    session: Session,
    adapter: Adapter,
}

impl Computer {
    /// A program that uses Spout, and the process that it runs in.
    fn program(&self) -> (SpoutBackend, Process) {
        let process = self.session.process();
        (SpoutBackend::new(process.clone(), self.adapter.clone()), process)
    }

    fn listed(&self) -> Vec<String> {
        let Some(list) = self.session.memory("SpoutSenderNames") else { return Vec::new() };
        SenderNames::parse(&list).iter().map(|name| String::from_utf8(name.to_vec()).unwrap()).collect()
    }

    fn active(&self) -> String {
        let name = self.session.memory("ActiveSenderName").unwrap();
        String::from_utf8(name.split(|b| *b == 0).next().unwrap().to_vec()).unwrap()
    }

    fn info(&self, sender: &str) -> Option<SenderInfo> {
        let bytes = self.session.memory(sender)?;
        Some(SenderInfo::from_bytes(bytes.first_chunk::<{ sender_info::SIZE }>().unwrap()))
    }

    /// What a receiver finds in a sender's texture.
    fn texture(&self, sender: &str) -> Option<Vec<u8>> {
        self.adapter.bytes(self.info(sender)?.share_handle)
    }
}

fn shape(n: u64) -> TextureShape {
    TextureShape::new(GridSize::new(n).unwrap(), Layout::Vglb).unwrap()
}

/// Texels of every kind of float: random bits, negative zero, a subnormal, a NaN.
fn texels(shape: TextureShape, seed: u32) -> Vec<Texel> {
    let special = [0x8000_0000u32, 1, 0x7fc0_0001, 0x7e96_7699];
    let lane = |i: usize| match special.get(i) {
        Some(bits) => bits.wrapping_add(seed & 1),
        None => (i as u32 ^ seed).wrapping_mul(0x9e37_79b9).rotate_left(seed % 31),
    };
    let texel = |t: usize| {
        let mut texel = [0; 16];
        for (i, to) in texel.chunks_mut(4).enumerate() {
            to.copy_from_slice(&lane(4 * t + i).to_le_bytes());
        }
        texel
    };
    (0..shape.texels()).map(texel).collect()
}

fn write(writer: &mut dyn TextureWriter, shape: TextureShape, texels: &[Texel]) -> Result<u64, TextureError> {
    writer.begin(shape)?;
    writer.texels().copy_from_slice(texels);
    writer.publish()
}

/// A sender that has published one LUT of grid size 2.
fn sender(backend: &SpoutBackend, stream: &str) -> (Box<dyn TextureSender>, Box<dyn TextureWriter>) {
    let sender = backend.create_sender(stream).unwrap();
    let mut writer = sender.writer().unwrap();
    assert_eq!(write(&mut *writer, shape(2), &texels(shape(2), 1)).unwrap(), 1);
    (sender, writer)
}

fn read(receiver: &mut dyn TextureReceiver) -> Frame {
    let mut frame = Frame::default();
    receiver.read(&mut frame).unwrap();
    frame
}

/// Waits until something is so. Generous: only a failing test waits for long.
fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < end, "{what}: not so after a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
}

// The promises of every back end, kept here by one program that sends and receives.
crate::backend_suite!(promises, {
    let (backend, _) = crate::texture::spout::tests::Computer::default().program();
    crate::backend_suite::Platform {
        backend: std::sync::Arc::new(backend),
        receiver_limit: None,
        annotates: false,
        keep: Box::new(()),
    }
});
