//! A receiver of images that reads them back.

use crate::backend_suite::PATIENCE;
use crate::device::gpu;
use std::sync::Arc;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::hald::Texel;
use virtual_gpu_lut_box::texture::linux::{GpuFrame, GpuReceiver, ImageReader, LinuxBackend, ReadBy, Taken};
use virtual_gpu_lut_box::texture::{Event, Frame, RGBA32F, TextureError};

pub struct Reading {
    backend: Arc<LinuxBackend>,
    stream: String,
    pub receiver: GpuReceiver,
    /// The newest image that was taken.
    pub frame: Option<GpuFrame>,
    /// The imported images, and of which surface they are.
    images: Option<(u64, ImageReader)>,
}

impl Reading {
    pub fn open(backend: &Arc<LinuxBackend>, stream: &str) -> Result<Self, TextureError> {
        let receiver = backend.open_on_gpu(stream, gpu().facts().identity)?;
        Ok(Reading { backend: backend.clone(), stream: stream.to_owned(), receiver, frame: None, images: None })
    }

    /// Waits a while for an image, and takes it. `false` where the stream has ended.
    pub fn step(&mut self, patience: Duration) -> Result<bool, TextureError> {
        match self.try_to_step(patience) {
            // Who is kept from running for a second is sent away, and may come again.
            Err(TextureError::Refused { .. }) => {
                match self.backend.open_images(&self.stream, gpu().facts().identity) {
                    Ok(receiver) => self.receiver = receiver,
                    Err(TextureError::NoSuchStream { .. }) => return Ok(false),
                    Err(e) => return Err(e),
                }
                Ok(true)
            }
            step => step,
        }
    }

    fn try_to_step(&mut self, patience: Duration) -> Result<bool, TextureError> {
        if self.receiver.wait(Some(patience))? == Event::Ended {
            return Ok(false);
        }
        // Pixels come as long as there are no images yet.
        if let Taken::Image(frame) = self.receiver.take(&mut Frame::default())? {
            self.frame = Some(frame);
        }
        Ok(true)
    }

    /// The texture of this revision, or of a later one.
    pub fn read_from(&mut self, revision: u64, by: ReadBy) -> Result<Frame, TextureError> {
        self.await_image(revision)?;
        self.read_again(by)
    }

    /// Waits for an image of this revision, or of a later one.
    pub fn await_image(&mut self, revision: u64) -> Result<(), TextureError> {
        let until = Instant::now() + PATIENCE;
        while self.frame.as_ref().is_none_or(|f| f.revision() < revision) {
            assert!(Instant::now() < until, "no image of revision {revision}");
            if !self.step(Duration::from_millis(100))? {
                return Err(TextureError::Ended);
            }
        }
        Ok(())
    }

    /// The time since the image that was taken last was published.
    pub fn age(&self) -> Duration {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let now = Duration::new(now.tv_sec as u64, now.tv_nsec as u32);
        now - Duration::from_nanos(self.frame.as_ref().unwrap().published_monotonic_ns())
    }

    /// Imports the images that it is one of, where that was not done; how long that took.
    pub fn import(&mut self) -> Result<Duration, TextureError> {
        let images = self.frame.as_ref().unwrap().images();
        if self.images.as_ref().is_none_or(|(surface, _)| *surface != images.surface()) {
            let reader = gpu().import(images.description(), images.all_memory()?)?;
            self.images = Some((images.surface(), reader));
        }
        Ok(self.images.as_ref().unwrap().1.import_time())
    }

    /// The texels of the image that was taken last.
    pub fn read_into(&mut self, by: ReadBy, texels: &mut Vec<Texel>) -> Result<(), TextureError> {
        self.import()?;
        let image = self.frame.as_ref().unwrap().image();
        Ok(self.images.as_mut().unwrap().1.read(image, by, texels)?)
    }

    /// The image that was taken last.
    pub fn read_again(&mut self, by: ReadBy) -> Result<Frame, TextureError> {
        let mut texels = Vec::new();
        self.read_into(by, &mut texels)?;
        let frame = self.frame.as_ref().unwrap();
        let shape = frame.images().shape();
        Ok(Frame {
            width: shape.width(),
            height: shape.height(),
            shape: Some(shape),
            revision: frame.revision(),
            published: frame.published(),
            format: RGBA32F,
            texels,
        })
    }
}
