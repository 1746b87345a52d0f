//! The receiving side: textures as images of one's own device, with the memory ring to go on with.

use super::super::directory::Directory;
use super::super::message::{Frame as Told, Hello, Release, Stamp, TIER_IMAGES, TIER_MEMORY};
use super::super::receiver::{ANSWER_PATIENCE, Heard, greet, hear, map, wall_clock};
use super::super::ring::ReadRing;
use super::super::socket;
use super::super::vulkan::{DeviceIdentity, ImageDescription};
use super::image_message::ImageSurface;
use crate::hald::TextureShape;
use crate::texture::{Event, Frame, RGBA32F, TextureError};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How long to try for a whole texture out of the memory ring.
const COPY_PATIENCE: Duration = Duration::from_secs(2);
/// How long a sender may take to open its device for a receiver that takes images only.
const IMAGES_PATIENCE: Duration = Duration::from_secs(10);
/// Messages taken from a sender at a time. One that keeps the rules never has so many on the way.
const MESSAGES_A_TURN: usize = 256;

/// A connection to one stream whose textures are images of one's own graphics device.
///
/// It can be used by any thread, one at a time. What it hands out can outlive it.
pub struct GpuReceiver {
    stream: String,
    socket: Arc<OwnedFd>,
    source: Source,
    /// The revision taken last from this source.
    taken: u64,
    /// Why there is nothing more to come, once that is so.
    end: Option<End>,
    /// Pixels are of no use to it.
    images_only: bool,
}

enum Source {
    Ring(ReadRing),
    /// The newest frame is here until it is taken, or superseded.
    Images(Arc<GpuImages>, Option<GpuFrame>),
}

#[derive(Clone)]
enum End {
    Over,
    SentAway(String),
}

/// Images that a stream's textures are in, until it has others.
pub struct GpuImages {
    surface: u64,
    shape: TextureShape,
    identity: DeviceIdentity,
    description: ImageDescription,
    memory: Vec<OwnedFd>,
}

/// A texture in an image. Until this is dropped the sender writes into other images.
///
/// It is to be dropped after all of the device's work with the image has ended, and within a second of the moment
/// when the next one can be taken: a receiver that keeps one for longer is sent away.
pub struct GpuFrame {
    images: Arc<GpuImages>,
    socket: Arc<OwnedFd>,
    slot: usize,
    stamp: Stamp,
}

/// What was taken from a stream.
pub enum Taken {
    /// Nothing is newer than what was taken before, nor in other images.
    Nothing,
    /// An image of one's own device.
    Image(GpuFrame),
    /// The sender has no such images, or not now: the texture was copied into the [`Frame`] that was given.
    Pixels,
}

impl GpuReceiver {
    pub(in crate::texture::linux) fn open(
        directory: &Directory,
        stream: &str,
        device: DeviceIdentity,
        images_only: bool,
    ) -> Result<Option<Self>, TextureError> {
        let (tiers, patience) = match images_only {
            true => (TIER_IMAGES, IMAGES_PATIENCE),
            false => (TIER_MEMORY | TIER_IMAGES, ANSWER_PATIENCE),
        };
        let hello = Hello { flags: 0, tiers, device };
        let Some((socket, answer)) = greet(directory, stream, &hello, patience)? else { return Ok(None) };
        let source = match answer {
            Heard::Images(surface, memory) => Source::Images(Arc::new(GpuImages::new(*surface, memory)?), None),
            Heard::Surface(surface, memory) if !images_only => Source::Ring(map(&surface, memory)?),
            _ => {
                return Err(TextureError::Protocol(
                    "the sender did not answer with a surface of the kind that was asked for".into(),
                ));
            }
        };
        let (stream, socket) = (stream.to_owned(), Arc::new(socket));
        Ok(Some(GpuReceiver { stream, socket, source, taken: 0, end: None, images_only }))
    }

    /// Whether textures come as images now.
    pub fn has_images(&self) -> bool {
        matches!(self.source, Source::Images(..))
    }

    /// The stream's name.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// A descriptor that is readable when there may be something new, for `poll` and its like. It is not to be read.
    pub fn readiness(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Waits for a texture newer than the last one taken, or for the same one in other images, at most `timeout` (`None`: for ever).
    ///
    /// # Errors
    /// [`TextureError::Refused`] where the sender has sent this receiver away: it has kept an image for too long, or takes
    /// images only and there will be none any more.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Event, TextureError> {
        // A time-out too long to be a time is none.
        let until = timeout.and_then(|t| Instant::now().checked_add(t));
        loop {
            self.catch_up()?;
            match &self.end {
                Some(End::Over) => return Ok(Event::Ended),
                Some(End::SentAway(why)) => return Err(self.refused(why)),
                None => {}
            }
            let newest = match &self.source {
                Source::Ring(ring) => ring.newest(),
                Source::Images(_, frame) => frame.as_ref().map_or(0, |f| f.stamp.revision),
            };
            if newest > self.taken {
                return Ok(Event::Frame);
            }
            let time_is_up = until.is_some_and(|at| Instant::now() >= at);
            if time_is_up || !self.wait_readable(until)? {
                return Ok(Event::TimedOut);
            }
        }
    }

    /// Takes the newest texture, where it was not taken before: as an image, or else as pixels in `pixels`.
    ///
    /// # Errors
    /// [`TextureError::Ended`] where the stream has ended.
    pub fn take(&mut self, pixels: &mut Frame) -> Result<Taken, TextureError> {
        self.catch_up()?;
        match &self.end {
            Some(End::Over) => return Err(TextureError::Ended),
            Some(End::SentAway(why)) => return Err(self.refused(why)),
            None => {}
        }
        match &mut self.source {
            Source::Images(_, newest) => Ok(match newest.take_if(|f| f.stamp.revision > self.taken) {
                Some(frame) => {
                    self.taken = frame.stamp.revision;
                    Taken::Image(frame)
                }
                None => Taken::Nothing,
            }),
            Source::Ring(ring) if ring.newest() <= self.taken => Ok(Taken::Nothing),
            Source::Ring(ring) => {
                let stamp = ring.copy_newest(&mut pixels.texels, COPY_PATIENCE)?.ok_or(TextureError::Ended)?;
                let shape = ring.shape();
                (pixels.width, pixels.height, pixels.shape) = (shape.width(), shape.height(), Some(shape));
                (pixels.revision, pixels.published) = (stamp.revision, wall_clock(stamp.realtime_ns));
                pixels.format = RGBA32F;
                self.taken = stamp.revision;
                Ok(Taken::Pixels)
            }
        }
    }

    fn refused(&self, why: &str) -> TextureError {
        TextureError::Refused { stream: self.stream.clone(), why: why.to_owned() }
    }

    fn wait_readable(&self, until: Option<Instant>) -> Result<bool, TextureError> {
        socket::wait_readable(&*self.socket, until).map_err(|e| TextureError::io("waiting for the sender", e))
    }

    /// Takes all messages that are there.
    fn catch_up(&mut self) -> Result<(), TextureError> {
        for _ in 0..MESSAGES_A_TURN {
            if self.end.is_some() {
                break;
            }
            // Whatever can't be understood ends the connection: what comes after it would mean nothing.
            let understood = hear(&self.socket).and_then(|heard| heard.map_or(Ok(false), |h| self.heed(h)));
            if !understood.inspect_err(|_| self.end = Some(End::Over))? {
                break;
            }
        }
        Ok(())
    }

    fn heed(&mut self, heard: Heard) -> Result<bool, TextureError> {
        match heard {
            Heard::Surface(..) if self.images_only => {
                return Err(TextureError::Protocol("the sender told of memory, and was asked for images".into()));
            }
            Heard::Surface(surface, memory) => self.change_source(Source::Ring(map(&surface, memory)?)),
            Heard::Images(surface, memory) => {
                self.change_source(Source::Images(Arc::new(GpuImages::new(*surface, memory)?), None));
            }
            Heard::Frame(told) => self.heed_frame(&told)?,
            Heard::Gone(gone) => {
                use super::super::message::Reason::{HeldTooLong, NoCommonTier};
                let sent_away = gone.filter(|g| matches!(g.reason, Some(HeldTooLong | NoCommonTier)));
                self.end = Some(sent_away.map_or(End::Over, |g| End::SentAway(g.why())));
            }
            Heard::Cdl(_) | Heard::Other => {}
        }
        Ok(true)
    }

    fn change_source(&mut self, source: Source) {
        self.source = source;
        // The same texture elsewhere is news as well.
        self.taken = 0;
    }

    fn heed_frame(&mut self, told: &Told) -> Result<(), TextureError> {
        let Source::Images(images, newest) = &mut self.source else { return Ok(()) };
        // One of a surface before this, sent while the sender was about to change.
        if told.surface != images.surface {
            return Ok(());
        }
        let (slot, count) = (told.slot as usize, images.memory.len());
        if slot >= count {
            return Err(TextureError::Protocol(format!("the sender's newest texture is in image {slot} of {count}")));
        }
        // The one before it is released, unless it was taken.
        *newest = Some(GpuFrame { images: images.clone(), socket: self.socket.clone(), slot, stamp: told.stamp });
        Ok(())
    }
}

impl GpuImages {
    fn new(surface: ImageSurface, memory: Vec<OwnedFd>) -> Result<Self, TextureError> {
        if memory.len() != surface.slots {
            let (count, said) = (memory.len(), surface.slots);
            return Err(TextureError::Protocol(format!("the sender sent {count} descriptors for {said} images")));
        }
        let ImageSurface { surface, shape, device: identity, image: description, .. } = surface;
        Ok(GpuImages { surface, shape, identity, description, memory })
    }

    /// A number that no other images of the stream have.
    pub fn surface(&self) -> u64 {
        self.surface
    }

    /// The shape of the textures in the images.
    pub fn shape(&self) -> TextureShape {
        self.shape
    }

    /// The sender's device and driver: an importer's must be the same.
    pub fn identity(&self) -> DeviceIdentity {
        self.identity
    }

    /// What an importer has to repeat, for each of the images.
    pub fn description(&self) -> &ImageDescription {
        &self.description
    }

    /// How many images there are.
    pub fn count(&self) -> usize {
        self.memory.len()
    }

    /// The memory of one image, to be imported once: a new descriptor, which the import takes over.
    ///
    /// # Errors
    /// [`TextureError::Io`] where this process can have no more descriptors.
    ///
    /// # Panics
    /// Where there is no such image.
    pub fn memory(&self, image: usize) -> Result<OwnedFd, TextureError> {
        let memory = &self.memory[image];
        match with_own_position(memory) {
            Ok(Some(own)) => Ok(own),
            _ => memory.try_clone().map_err(|e| TextureError::io("duplicating an image's descriptor", e)),
        }
    }

    /// The memory of all images, each as by [`memory`](Self::memory).
    pub fn all_memory(&self) -> Result<Vec<OwnedFd>, TextureError> {
        (0..self.count()).map(|image| self.memory(image)).collect()
    }
}

/// The same memory by a descriptor that shares no position with others; `None` where it is no file.
///
/// Mesa's drivers in software hand out files, and begin an import by going to the file's start and reading there. All
/// receivers' descriptors come from the sender's one, and have one position: of two that import at a time, one would read at
/// the wrong place and refuse the memory.
fn with_own_position(memory: &OwnedFd) -> Result<Option<OwnedFd>, Errno> {
    if FileType::from_raw_mode(rustix::fs::fstat(memory)?.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
    rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).map(Some)
}

impl GpuFrame {
    /// The images of which it is one.
    pub fn images(&self) -> &Arc<GpuImages> {
        &self.images
    }

    /// Which one, from 0.
    pub fn image(&self) -> usize {
        self.slot
    }

    /// The sender's revision.
    pub fn revision(&self) -> u64 {
        self.stamp.revision
    }

    /// When it was published, by the clock that only rises (`CLOCK_MONOTONIC`), in nanoseconds.
    pub fn published_monotonic_ns(&self) -> u64 {
        self.stamp.monotonic_ns
    }

    /// When it was published, by the wall clock.
    pub fn published(&self) -> Option<SystemTime> {
        wall_clock(self.stamp.realtime_ns)
    }
}

impl Drop for GpuFrame {
    fn drop(&mut self) {
        let (surface, revision, slot) = (self.images.surface, self.stamp.revision, self.slot as u32);
        let release = Release { surface, revision, slot };
        // A sender that is gone, or does not read, needs none.
        let _ = socket::send(&*self.socket, &release.encode(), &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, SeekFrom};

    /// A fault that was found: two receivers that imported at a time moved each other's position.
    #[test]
    fn reading_memory_that_was_handed_out_moves_nobody_elses_position() {
        let memory = rustix::fs::memfd_create("a test's", MemfdFlags::CLOEXEC).unwrap();
        rustix::io::write(&memory, b"a header").unwrap();
        rustix::fs::seek(&memory, SeekFrom::Start(0)).unwrap();
        let own = with_own_position(&memory).unwrap().unwrap();
        let mut bytes = [0; 8];
        assert_eq!((rustix::io::read(&own, &mut bytes), &bytes), (Ok(8), b"a header"));
        assert_eq!(rustix::fs::tell(&memory), Ok(0));
        // It is the same memory, to be written as well.
        rustix::io::pwrite(&own, b"A", 0).unwrap();
        rustix::io::pread(&memory, &mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"A header");
    }

    #[test]
    fn what_is_no_file_is_duplicated() {
        let device = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()).unwrap();
        assert!(with_own_position(&device).unwrap().is_none());
    }
}
