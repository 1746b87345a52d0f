//! One stream being received.

use crate::border::VglbStatus;
use crate::failure::Failure;
use crate::platform::{ImageFrame, ImageReceiver, Taken};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::texture::{self, Event, Frame, TextureError, TextureReceiver};

/// How soon a wait notices that its receiver was closed.
const NOTICE: Duration = Duration::from_millis(100);

/// Buffers kept for the next textures; a program rarely holds more than two.
const SPARES: usize = 2;

/// A connection to a stream.
pub struct Receiver {
    source: Mutex<Source>,
    closed: AtomicBool,
    spares: Arc<Spares>,
}

enum Source {
    Pixels(Box<dyn TextureReceiver>),
    Images(Box<ImageReceiver>),
}

/// Frames whose buffers can be used again.
#[derive(Default)]
struct Spares(Mutex<Vec<Frame>>);

/// A texture that a program holds. It outlives its receiver.
pub struct Held {
    content: Content,
    spares: Arc<Spares>,
}

/// Where the texture is.
pub enum Content {
    Pixels(Frame),
    Image(ImageFrame),
}

/// What came of a wait.
pub enum Waited {
    Texture(Held),
    Ended,
    TimedOut,
}

impl Receiver {
    /// Receives pixels.
    pub fn of_pixels(stream: &str) -> Result<Self, Failure> {
        let source = texture::choose("auto")?.open(stream)?;
        Ok(Receiver::new(Source::Pixels(source)))
    }

    /// Receives images of a graphics device, and pixels where there are none.
    pub fn of_images(stream: &str, device: [u8; 16], driver: [u8; 16]) -> Result<Self, Failure> {
        let source = ImageReceiver::open(stream, device, driver)?;
        Ok(Receiver::new(Source::Images(Box::new(source))))
    }

    fn new(source: Source) -> Self {
        Receiver { source: Mutex::new(source), closed: AtomicBool::new(false), spares: Arc::default() }
    }

    /// Has a wait of another thread end.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Waits for a texture that was not handed out yet, at most `timeout` (`None`: for ever).
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Waited, Failure> {
        let mut source = match self.source.try_lock() {
            Ok(source) => source,
            Err(TryLockError::Poisoned(source)) => source.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let why = "another thread waits on this receiver; one thread at a time can";
                return Err(Failure::new(VglbStatus::ErrorBusy, why));
            }
        };
        // A time-out too long to be a time is none.
        let until = timeout.and_then(|t| Instant::now().checked_add(t));
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Err(Failure::new(VglbStatus::ErrorInvalidHandle, "the receiver was closed by another thread"));
            }
            let left = until.map_or(NOTICE, |at| at.saturating_duration_since(Instant::now()));
            match source.wait(left.min(NOTICE))? {
                Event::Ended => return Ok(Waited::Ended),
                Event::Frame => match self.take(&mut source) {
                    Ok(Some(held)) => return Ok(Waited::Texture(held)),
                    Ok(None) => {}
                    Err(TextureError::Ended) => return Ok(Waited::Ended),
                    Err(e) => return Err(e.into()),
                },
                Event::TimedOut => {}
            }
            if until.is_some_and(|at| Instant::now() >= at) {
                return Ok(Waited::TimedOut);
            }
        }
    }

    /// The newest texture.
    fn take(&self, source: &mut Source) -> Result<Option<Held>, TextureError> {
        let mut frame = self.spares.take();
        let taken = match source {
            Source::Pixels(receiver) => receiver.read(&mut frame).map(|()| Some(Taken::Pixels)),
            Source::Images(receiver) => receiver.take(&mut frame),
        }?;
        let content = match taken {
            None => return Ok(None),
            Some(Taken::Image(image)) => Content::Image(image),
            Some(Taken::Pixels) => Content::Pixels(frame),
        };
        Ok(Some(Held { content, spares: self.spares.clone() }))
    }
}

impl Source {
    fn wait(&mut self, patience: Duration) -> Result<Event, TextureError> {
        match self {
            Source::Pixels(receiver) => receiver.wait(Some(patience)),
            Source::Images(receiver) => receiver.wait(patience),
        }
    }
}

impl Spares {
    fn take(&self) -> Frame {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn keep(&self, frame: Frame) {
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < SPARES {
            spares.push(frame);
        }
    }
}

impl Held {
    pub fn content(&self) -> &Content {
        &self.content
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Content::Pixels(frame) = &mut self.content {
            self.spares.keep(std::mem::take(frame));
        }
    }
}
