//! A back end whose calls fail, or panic, when a test says so.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::sync::{Arc, Mutex};
use virtual_gpu_lut_box::hald::{Texel, TextureShape};
use virtual_gpu_lut_box::lut::Cdl;
use virtual_gpu_lut_box::texture::memory::MemoryBackend;
use virtual_gpu_lut_box::texture::{
    Frame, StreamInfo, TextureBackend, TextureError, TextureReceiver, TextureSender, TextureWriter,
};

/// What goes wrong, until it is told otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// There is no memory for a texture.
    NoMemory,
    /// Publishing fails.
    Publish,
    /// Taking memory for a texture panics.
    PanicInBegin,
    /// Publishing panics, with every lock held that is held then.
    PanicInPublish,
    /// Making a stream panics.
    PanicInCreate,
    /// A stream takes its time to end.
    SlowEnd,
}

/// Textures in this process's memory, and faults.
#[derive(Clone, Default)]
pub struct FaultyBackend {
    pub inner: MemoryBackend,
    fault: Arc<Mutex<Fault>>,
}

impl FaultyBackend {
    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn is(&self, fault: Fault) -> bool {
        *self.fault.lock().unwrap() == fault
    }

    /// What a stream shows.
    pub fn shown(&self, stream: &str) -> Vec<u8> {
        let mut frame = Frame::default();
        self.inner.open(stream).unwrap().read(&mut frame).unwrap();
        frame.texels.into_flattened()
    }
}

impl TextureBackend for FaultyBackend {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn description(&self) -> &'static str {
        "for tests"
    }

    fn check(&self) -> Result<(), TextureError> {
        Ok(())
    }

    fn create_sender(&self, stream: &str) -> Result<Box<dyn TextureSender>, TextureError> {
        assert!(!self.is(Fault::PanicInCreate), "a fault in a back end, made by a test");
        let sender = self.inner.create_sender(stream)?;
        Ok(Box::new(FaultySender { sender, backend: self.clone() }))
    }

    fn streams(&self) -> Result<Vec<StreamInfo>, TextureError> {
        self.inner.streams()
    }

    fn open(&self, stream: &str) -> Result<Box<dyn TextureReceiver>, TextureError> {
        self.inner.open(stream)
    }
}

struct FaultySender {
    sender: Box<dyn TextureSender>,
    backend: FaultyBackend,
}

impl Drop for FaultySender {
    fn drop(&mut self) {
        if self.backend.is(Fault::SlowEnd) {
            std::thread::sleep(std::time::Duration::from_millis(3));
        }
    }
}

impl TextureSender for FaultySender {
    fn name(&self) -> &str {
        self.sender.name()
    }

    fn writer(&self) -> Result<Box<dyn TextureWriter>, TextureError> {
        Ok(Box::new(FaultyWriter { writer: self.sender.writer()?, backend: self.backend.clone() }))
    }

    fn receivers(&self) -> Option<usize> {
        self.sender.receivers()
    }

    fn newest(&self, frame: &mut Frame) -> Result<bool, TextureError> {
        self.sender.newest(frame)
    }

    fn set_cdl(&self, cdl: &Cdl) {
        self.sender.set_cdl(cdl);
    }
}

struct FaultyWriter {
    writer: Box<dyn TextureWriter>,
    backend: FaultyBackend,
}

impl TextureWriter for FaultyWriter {
    fn begin(&mut self, shape: TextureShape) -> Result<(), TextureError> {
        assert!(!self.backend.is(Fault::PanicInBegin), "a fault in a back end, made by a test");
        if self.backend.is(Fault::NoMemory) {
            return Err(TextureError::OutOfMemory { bytes: shape.bytes(), why: "made by a test".into() });
        }
        self.writer.begin(shape)
    }

    fn texels(&mut self) -> &mut [Texel] {
        self.writer.texels()
    }

    fn publish(&mut self) -> Result<u64, TextureError> {
        assert!(!self.backend.is(Fault::PanicInPublish), "a fault in a back end, made by a test");
        if self.backend.is(Fault::Publish) {
            return Err(TextureError::Broken("publishing fails, made by a test".into()));
        }
        self.writer.publish()
    }

    fn abandon(&mut self) {
        self.writer.abandon();
    }
}
