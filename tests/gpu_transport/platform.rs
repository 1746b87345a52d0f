//! The Linux back end with every texture received as an image, in the shape that the suite of all back ends wants.
//!
//! A texture reaches images a moment after it was published. The suite reads what was published last; so here a
//! reader knows the newest revision from the writer, waits for its image, and gives back what is in that.

use crate::backend_suite::{PATIENCE, Platform};
use crate::reading::Reading;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::hald::{Texel, TextureShape};
use virtual_gpu_lut_box::lut::Cdl;
use virtual_gpu_lut_box::texture::linux::{LinuxBackend, ReadBy};
use virtual_gpu_lut_box::texture::{
    Event, Frame, StreamInfo, TextureBackend, TextureError, TextureReceiver, TextureSender, TextureWriter,
};

pub fn platform() -> Platform {
    let directory = tempfile::tempdir().unwrap();
    let linux = LinuxBackend::with_directory(directory.path().join("streams"));
    let backend = Arc::new(Images { linux: Arc::new(linux), newest: Mutex::default() });
    Platform { backend, receiver_limit: Some(64), annotates: true, keep: Box::new(directory) }
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
        let inner = Reading::open(&self.linux, stream)?;
        Ok(Box::new(Receiver { inner, newest: self.newest(stream), read: 0, reads: 0 }))
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

    fn newest(&self, frame: &mut Frame) -> Result<bool, TextureError> {
        self.inner.newest(frame)
    }

    fn set_cdl(&self, cdl: &Cdl) {
        self.inner.set_cdl(cdl);
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
    inner: Reading,
    newest: Arc<AtomicU64>,
    read: u64,
    reads: usize,
}

impl TextureReceiver for Receiver {
    fn wait(&mut self, timeout: Option<Duration>) -> Result<Event, TextureError> {
        let until = timeout.and_then(|t| Instant::now().checked_add(t));
        loop {
            // Ended comes before what is still unread.
            if !self.inner.step(Duration::from_millis(1))? {
                return Ok(Event::Ended);
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
        let mut patience = Duration::ZERO;
        // Once at least: the stream may have ended, and its images with it.
        while self.inner.step(patience)? {
            if self.inner.frame.as_ref().is_some_and(|f| f.revision() >= wanted) {
                self.reads += 1;
                let by = if self.reads.is_multiple_of(2) { ReadBy::Fetch } else { ReadBy::Copy };
                *into = self.inner.read_again(by)?;
                self.read = into.revision;
                return Ok(());
            }
            assert!(Instant::now() < until, "no image of revision {wanted}");
            patience = Duration::from_millis(20);
        }
        Err(TextureError::Ended)
    }
}
