//! The Linux back end with every texture received as an image, in the shape that the suite of all back ends wants.
//!
//! A texture reaches images a moment after it was published. The suite reads what was published last; so here a
//! reader knows the newest revision from the writer, waits for its image, and gives back what is in that.

use crate::backend_suite::{PATIENCE, Platform};
use crate::device::gpu;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::hald::{Texel, TextureShape};
use virtual_gpu_lut_box::texture::linux::{GpuFrame, GpuReceiver, ImageReader, LinuxBackend, ReadBy, Taken};
use virtual_gpu_lut_box::texture::{
    Event, Frame, RGBA32F, StreamInfo, TextureBackend, TextureError, TextureReceiver, TextureSender, TextureWriter,
};

pub fn platform() -> Platform {
    let directory = tempfile::tempdir().unwrap();
    let linux = LinuxBackend::with_directory(directory.path().join("streams"));
    let backend = Arc::new(Images { linux: Arc::new(linux), newest: Mutex::default() });
    Platform { backend, receiver_limit: Some(64), keep: Box::new(directory) }
}

struct Images {
    linux: Arc<LinuxBackend>,
    /// Of each stream.
    newest: Mutex<HashMap<String, Arc<AtomicU64>>>,
}

impl Images {
    fn newest(&self, stream: &str) -> Arc<AtomicU64> {
        self.newest.lock().unwrap().entry(stream.to_owned()).or_default().clone()
    }
}

impl TextureBackend for Images {
    fn name(&self) -> &'static str {
        self.linux.name()
    }

    fn description(&self) -> &'static str {
        self.linux.description()
    }

    fn check(&self) -> Result<(), TextureError> {
        self.linux.check()
    }

    fn create_sender(&self, stream: &str) -> Result<Box<dyn TextureSender>, TextureError> {
        let inner = self.linux.create_sender(stream)?;
        let newest = self.newest(stream);
        newest.store(0, Ordering::Release);
        Ok(Box::new(Sender { inner, newest }))
    }

    fn streams(&self) -> Result<Vec<StreamInfo>, TextureError> {
        self.linux.streams()
    }

    fn open(&self, stream: &str) -> Result<Box<dyn TextureReceiver>, TextureError> {
        let inner = self.linux.open_on_gpu(stream, gpu().facts().identity)?;
        let (linux, newest, stream) = (self.linux.clone(), self.newest(stream), stream.to_owned());
        Ok(Box::new(Receiver { linux, stream, inner, newest, images: None, frame: None, read: 0, reads: 0 }))
    }
}

struct Sender {
    inner: Box<dyn TextureSender>,
    newest: Arc<AtomicU64>,
}

impl TextureSender for Sender {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn writer(&self) -> Result<Box<dyn TextureWriter>, TextureError> {
        Ok(Box::new(Writer { inner: self.inner.writer()?, newest: self.newest.clone() }))
    }

    fn receivers(&self) -> Option<usize> {
        self.inner.receivers()
    }
}

struct Writer {
    inner: Box<dyn TextureWriter>,
    newest: Arc<AtomicU64>,
}

impl TextureWriter for Writer {
    fn begin(&mut self, shape: TextureShape) -> Result<(), TextureError> {
        self.inner.begin(shape)
    }

    fn texels(&mut self) -> &mut [Texel] {
        self.inner.texels()
    }

    fn publish(&mut self) -> Result<u64, TextureError> {
        let revision = self.inner.publish()?;
        self.newest.fetch_max(revision, Ordering::AcqRel);
        Ok(revision)
    }

    fn abandon(&mut self) {
        self.inner.abandon();
    }
}

struct Receiver {
    linux: Arc<LinuxBackend>,
    stream: String,
    inner: GpuReceiver,
    newest: Arc<AtomicU64>,
    /// The imported images, and of which surface they are.
    images: Option<(u64, ImageReader)>,
    frame: Option<GpuFrame>,
    read: u64,
    reads: usize,
}

impl Receiver {
    /// Waits a while for an image, and takes it. `false` where the stream has ended.
    fn step(&mut self, patience: Duration) -> Result<bool, TextureError> {
        let event = match self.inner.wait(Some(patience)) {
            // Who looks too seldom is sent away, and may come again.
            Err(TextureError::Refused { .. }) => {
                self.inner = self.linux.open_on_gpu(&self.stream, gpu().facts().identity)?;
                self.inner.wait(Some(patience))?
            }
            event => event?,
        };
        if let Taken::Image(frame) = self.inner.take(&mut Frame::default())? {
            self.frame = Some(frame);
        }
        Ok(event != Event::Ended)
    }
}

impl TextureReceiver for Receiver {
    fn wait(&mut self, timeout: Option<Duration>) -> Result<Event, TextureError> {
        let until = timeout.and_then(|t| Instant::now().checked_add(t));
        loop {
            // Ended comes before what is still unread.
            match self.step(Duration::from_millis(1)) {
                Ok(true) => {}
                Ok(false) | Err(TextureError::Ended) => return Ok(Event::Ended),
                Err(e) => return Err(e),
            }
            if self.newest.load(Ordering::Acquire) > self.read {
                return Ok(Event::Frame);
            }
            if until.is_some_and(|at| Instant::now() >= at) {
                return Ok(Event::TimedOut);
            }
        }
    }

    fn read(&mut self, into: &mut Frame) -> Result<(), TextureError> {
        let (wanted, until) = (self.newest.load(Ordering::Acquire), Instant::now() + PATIENCE);
        while self.frame.as_ref().is_none_or(|f| f.revision() < wanted) {
            assert!(Instant::now() < until, "no image of revision {wanted}");
            self.step(Duration::from_millis(20))?;
        }
        // The stream may have ended, and the image with it.
        self.step(Duration::ZERO)?;
        let frame = self.frame.as_ref().unwrap();
        let images = frame.images();
        if self.images.as_ref().is_none_or(|(surface, _)| *surface != images.surface()) {
            let reader = gpu().import(images.description(), images.all_memory()?)?;
            self.images = Some((images.surface(), reader));
        }
        let (_, reader) = self.images.as_mut().unwrap();
        self.reads += 1;
        let by = if self.reads.is_multiple_of(2) { ReadBy::Fetch } else { ReadBy::Copy };
        reader.read(frame.image(), by, &mut into.texels)?;
        let shape = images.shape();
        (into.width, into.height, into.shape) = (shape.width(), shape.height(), Some(shape));
        (into.revision, into.published, into.format) = (frame.revision(), frame.published(), RGBA32F);
        self.read = frame.revision();
        Ok(())
    }
}
