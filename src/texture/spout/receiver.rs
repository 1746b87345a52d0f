//! Receiving any Spout sender's texture.
//!
//! Spout has nothing to wait on, so the sender's block and frame count are looked at again and again. Where a sender
//! does not count its frames, its texture itself is. Looking at a frame count changes it for a moment, so that is done
//! under the access mutex, as senders and other receivers do: or two at a time would see a number that is not there.

use super::block::Block;
use super::current_device::{self, CurrentDevice, texture_error};
use super::dxgi_names::dxgi_name;
use super::frame_count::FrameCount;
use super::lock;
use super::pixel_format::PixelFormat;
use super::registration::access_name;
use super::seam::{Device, DeviceError, ReceivedTexture, SharedMutex, SharedObjects};
use super::sender_info::SenderInfo;
use super::stream_name::readable;
use crate::hald::Texel;
use crate::texture::{Event, Frame, TextureError, TextureReceiver};
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How often a sender is looked at.
const POLL: Duration = Duration::from_millis(4);

/// How often a sender is looked at whose texture must be copied for it.
const POLL_TEXTURE: Duration = Duration::from_millis(33);

/// How often a texture that can't be opened is tried again: a sender that has just replaced it has told so by then.
const OPEN_ATTEMPTS: u32 = 5;

/// Receives one sender's textures.
pub struct SpoutReceiver {
    objects: Arc<dyn SharedObjects>,
    device: Arc<CurrentDevice>,
    name: Vec<u8>,
    access_name: Vec<u8>,
    access: Option<Arc<dyn SharedMutex>>,
    frames: Option<FrameCount>,
    source: Option<Source>,
    last: Option<Seen>,
    /// Revisions of a sender that counts no frames.
    changes: u64,
    texels: Vec<Texel>,
}

/// The sender's texture, opened here.
struct Source {
    texture: Box<dyn ReceivedTexture>,
    device: Arc<dyn Device>,
    share_handle: u32,
}

/// What was read last.
struct Seen {
    info: SenderInfo,
    number: Option<u32>,
    /// Of a sender that counts no frames, a number that differs where its texels do.
    content: u64,
}

/// A texture as it was copied.
struct Copied {
    number: Option<u32>,
    width: usize,
    height: usize,
    format: &'static str,
}

impl SpoutReceiver {
    pub fn new(objects: Arc<dyn SharedObjects>, device: Arc<CurrentDevice>, name: Vec<u8>) -> Self {
        SpoutReceiver {
            access_name: access_name(&name),
            objects,
            device,
            name,
            access: None,
            frames: None,
            source: None,
            last: None,
            changes: 0,
            texels: Vec::new(),
        }
    }

    /// What the sender says of itself; `None` where it is gone.
    fn info(&self) -> Result<Option<SenderInfo>, TextureError> {
        let Some(block) = Block::open(&*self.objects, &self.name)? else { return Ok(None) };
        let held = block.lock()?;
        block.info(&held).map(Some)
    }

    /// The sender makes these two after its block, so they may not be there at the first look.
    fn open_objects(&mut self) -> Result<(), TextureError> {
        let io = |e| TextureError::io(format!("opening the objects of the Spout sender {}", readable(&self.name)), e);
        if self.access.is_none() {
            self.access = self.objects.open_mutex(&self.access_name).map_err(io)?.map(Arc::from);
        }
        if self.frames.is_none() {
            self.frames = FrameCount::open(&*self.objects, &self.name).map_err(io)?;
        }
        Ok(())
    }

    fn number(&self) -> Result<Option<u32>, TextureError> {
        let Some(frames) = &self.frames else { return Ok(None) };
        frames.number().map_err(|e| TextureError::io(format!("the frame count of {}", readable(&self.name)), e))
    }

    /// Whether there is something that was not read yet.
    fn is_new(&mut self, info: &SenderInfo) -> Result<bool, TextureError> {
        let Some(last) = self.last.as_ref().filter(|last| last.info == *info) else { return Ok(true) };
        let (last_number, last_content) = (last.number, last.content);
        self.open_objects()?;
        let number = match &self.access {
            Some(mutex) => match lock::try_lock(&**mutex, &self.access_name)? {
                Some(_access) => self.number()?,
                // Somebody is at it, so there may be something soon.
                None => return Ok(false),
            },
            None => self.number()?,
        };
        if number.is_some() {
            return Ok(number != last_number);
        }
        let mut texels = std::mem::take(&mut self.texels);
        let copied = self.copy(&mut texels);
        let content = content(&texels);
        self.texels = texels;
        match copied {
            Ok(_) => Ok(content != last_content),
            Err(TextureError::Ended) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Copies the sender's texture, tells what it was.
    fn copy(&mut self, texels: &mut Vec<Texel>) -> Result<(SenderInfo, Copied), TextureError> {
        let error = |e| texture_error("receiving over Spout", e, 0);
        let (mut removals, mut failures) = (0, 0);
        loop {
            let device = self.device.get().map_err(error)?;
            let (info, copied) = self.copy_on(&device, texels)?;
            match copied {
                Ok(copied) => return Ok((info, copied)),
                Err(DeviceError::Removed(why)) => {
                    self.device.forget(&device, &why);
                    removals += 1;
                    if removals == current_device::ATTEMPTS {
                        return Err(error(DeviceError::Removed(why)));
                    }
                }
                Err(e) => {
                    failures += 1;
                    if failures == OPEN_ATTEMPTS {
                        return Err(cannot_open(&self.name, &info, &device, e));
                    }
                    thread::sleep(POLL);
                }
            }
            self.source = None;
        }
    }

    /// Copies the texture under its access mutex, which also keeps the sender from going over to another one in the
    /// meantime. A sender without that mutex is older than it.
    fn copy_on(
        &mut self,
        device: &Arc<dyn Device>,
        texels: &mut Vec<Texel>,
    ) -> Result<(SenderInfo, Result<Copied, DeviceError>), TextureError> {
        self.open_objects()?;
        let access = self.access.clone();
        let _access = match &access {
            Some(mutex) => Some(lock::lock(&**mutex, &self.access_name)?),
            None => None,
        };
        let info = self.info()?.filter(SenderInfo::has_texture).ok_or(TextureError::Ended)?;
        let number = self.number()?;
        let source = match self.open_texture(device, &info) {
            Ok(source) => source,
            Err(e) => return Ok((info, Err(e))),
        };
        let (width, height, format) = (source.width(), source.height(), source.format());
        let Some(format) = PixelFormat::from_dxgi(format) else { return Err(unreadable(&self.name, format)) };
        texels.clear();
        texels
            .try_reserve_exact(width * height)
            .map_err(|e| TextureError::OutOfMemory { bytes: width * height * 16, why: e.to_string() })?;
        let copied = source.read(format.bytes, &mut |row| format.append(row, texels));
        Ok((info, copied.map(|()| Copied { number, width, height, format: format.name })))
    }

    /// The texture that `info` tells of, opened on `device`.
    fn open_texture(
        &mut self,
        device: &Arc<dyn Device>,
        info: &SenderInfo,
    ) -> Result<&mut dyn ReceivedTexture, DeviceError> {
        let is_it = |s: &Source| s.share_handle == info.share_handle && Arc::ptr_eq(&s.device, device);
        let source = match self.source.take().filter(is_it) {
            Some(source) => source,
            None => Source {
                texture: device.open_texture(info.share_handle)?,
                device: device.clone(),
                share_handle: info.share_handle,
            },
        };
        Ok(&mut *self.source.insert(source).texture)
    }
}

impl TextureReceiver for SpoutReceiver {
    fn wait(&mut self, timeout: Option<Duration>) -> Result<Event, TextureError> {
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        loop {
            let Some(info) = self.info()? else { return Ok(Event::Ended) };
            if info.has_texture() && self.is_new(&info)? {
                return Ok(Event::Frame);
            }
            let pause = if self.last.as_ref().is_some_and(|l| l.number.is_none()) { POLL_TEXTURE } else { POLL };
            let left = deadline.map_or(pause, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(Event::TimedOut);
            }
            thread::sleep(left.min(pause));
        }
    }

    fn read(&mut self, frame: &mut Frame) -> Result<(), TextureError> {
        let (info, copied) = self.copy(&mut frame.texels)?;
        // Only needed without a frame count, and not cheap.
        let content = if copied.number.is_some() { 0 } else { content(&frame.texels) };
        let same = self.last.as_ref().is_some_and(|last| last.content == content && last.info == info);
        if !same {
            self.changes += 1;
        }
        frame.width = copied.width;
        frame.height = copied.height;
        frame.shape = None;
        frame.revision = copied.number.map_or(self.changes, u64::from);
        frame.published = None;
        frame.format = copied.format;
        self.last = Some(Seen { info, number: copied.number, content });
        Ok(())
    }
}

/// A number that differs where the texels do, for all that matters here.
fn content(texels: &[Texel]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(texels.as_flattened());
    hasher.finish()
}

fn unreadable(name: &[u8], format: u32) -> TextureError {
    TextureError::Protocol(format!(
        "the Spout sender {} sends {} (DXGI format {format}), which can't be read; float 32 and 16, and integers of 8, 10 and 16 bits with red, green and blue can",
        readable(name),
        dxgi_name(format).unwrap_or("an unknown format")
    ))
}

fn cannot_open(name: &[u8], info: &SenderInfo, device: &Arc<dyn Device>, e: DeviceError) -> TextureError {
    TextureError::Broken(format!(
        "the texture of the Spout sender {} (share handle {:08x}) can't be read: {e}; sender and receiver must run on the same graphics adapter, and this is {}",
        readable(name),
        info.share_handle,
        device.description()
    ))
}
