//! Spout: how textures travel between programs on Windows.
//!
//! Design decisions:
//! - Spout is spoken natively, as its 2.007 programs do; nothing of its library is bundled.
//! - What it takes of Windows stands behind two traits ([`seam`]): named objects and a graphics device. All the rest
//!   is plain code, compiled and tested on every platform.
//! - A sender is announced with its first texture, never before; its name is settled then.
//! - [`TextureWriter::publish`](super::TextureWriter::publish) returns once the graphics device has put the LUT into
//!   the texture, or with an error: it never claims more than is true.
//! - No mutex that others share is waited for longer than 67 ms at a time.
//! - Textures are R32G32B32A32_FLOAT. Nothing says how a LUT lies in one, so [`Frame::shape`](super::Frame) and
//!   [`StreamInfo::shape`] are `None` for what is received.
//!
//! ```text
//! sender ─▶ stream ─┬─▶ registration ─▶ block, lock, frame_count ─▶ seam::SharedObjects
//!                   └─▶ current_device ◀─ keeper                 ─▶ seam::Graphics
//! ```

mod block;
mod cdl_block;
mod current_device;
mod dxgi_names;
mod frame_count;
mod keeper;
mod lock;
mod pixel_format;
mod receiver;
mod registration;
pub mod seam;
mod sender;
mod sender_info;
mod sender_names;
mod stream;
mod stream_name;
#[cfg(test)]
mod tests;

use super::claim::Claim;
use super::{StreamInfo, TextureBackend, TextureError, TextureReceiver, TextureSender};
use crate::memory_limit::MemoryLimit;
use block::Block;
use current_device::{CurrentDevice, texture_error};
use keeper::Keeper;
use pixel_format::PixelFormat;
use receiver::SpoutReceiver;
use seam::{Graphics, SharedObjects};
use sender::SpoutSender;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use stream::Stream;

/// How often the list of senders is looked at for one that is awaited.
const LIST_POLL: Duration = Duration::from_millis(50);

/// Shares textures over Spout. Clones share the graphics device.
#[derive(Clone)]
pub struct SpoutBackend {
    objects: Arc<dyn SharedObjects>,
    device: Arc<CurrentDevice>,
    keeper: Arc<Keeper>,
    /// The streams that this back end sends.
    claimed: Arc<Mutex<BTreeSet<String>>>,
    /// What writers' buffers count against.
    memory: MemoryLimit,
}

impl SpoutBackend {
    /// Spout over these named objects and this source of graphics devices.
    pub fn new(objects: impl SharedObjects, graphics: impl Graphics) -> Self {
        let device = Arc::new(CurrentDevice::new(Box::new(graphics)));
        SpoutBackend {
            objects: Arc::new(objects),
            keeper: Keeper::new(device.clone()),
            device,
            claimed: Arc::default(),
            memory: MemoryLimit::default(),
        }
    }

    /// The same, where the LUTs kept in this process's memory count against a limit.
    pub fn with_memory(self, memory: MemoryLimit) -> Self {
        SpoutBackend { memory, ..self }
    }

    /// The name of the sender that programs receive where their user has chosen none.
    pub fn active_sender(&self) -> Result<Option<String>, TextureError> {
        Ok(registration::active_sender(&*self.objects)?.map(|name| stream_name::shown(&name)))
    }

    fn claim(&self, stream: &str) -> Result<Claim, TextureError> {
        let lock = |set: &Mutex<BTreeSet<String>>| {
            let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
            set.insert(stream.to_owned())
        };
        if !lock(&self.claimed) {
            return Err(TextureError::NameTaken { stream: stream.to_owned(), owner: "this process".into() });
        }
        let (claimed, stream) = (self.claimed.clone(), stream.to_owned());
        Ok(Claim::new(move || {
            claimed.lock().unwrap_or_else(PoisonError::into_inner).remove(&stream);
        }))
    }

    /// What a sender says of itself. `None` where it is gone or its block can't be had now.
    fn stream_info(&self, name: &[u8]) -> Option<StreamInfo> {
        let block = Block::open(&*self.objects, name).ok()??;
        let held = block.lock().ok()?;
        let info = block.info(&held).ok()?;
        drop(held);
        info.has_texture().then(|| StreamInfo {
            name: stream_name::shown(name),
            width: info.width as usize,
            height: info.height as usize,
            shape: None,
            format: PixelFormat::announced_name(info.format),
            revision: registration::frame_number(&*self.objects, name).map(u64::from),
            published: None,
            sender: info.program_name(),
            cdl: cdl_block::read(&*self.objects, name),
        })
    }

    /// The sender that is meant by `stream`: its name as Spout has it, or the stream's that Spout's name stands for.
    fn find(names: &[Vec<u8>], stream: &str) -> Option<Vec<u8>> {
        let has_name = |name: &&Vec<u8>| stream_name::readable(name) == stream;
        let stands_for = |name: &&Vec<u8>| stream_name::decode(name).as_deref() == Some(stream);
        names.iter().find(has_name).or_else(|| names.iter().find(stands_for)).cloned()
    }
}

impl TextureBackend for SpoutBackend {
    fn name(&self) -> &'static str {
        "spout"
    }

    fn description(&self) -> &'static str {
        "Spout: 32-bit float Direct3D 11 textures for other programs on this Windows computer"
    }

    fn check(&self) -> Result<(), TextureError> {
        let doing = |e| texture_error("sharing a texture over Spout", e, 16);
        let device = self.device.get().map_err(doing)?;
        device.create_texture(1, 1).and_then(|texture| texture.share_handle()).map_err(doing)?;
        Ok(())
    }

    fn reads_on_device(&self) -> bool {
        true
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let device = self.device.get().map_or_else(|e| format!("none: {e}"), |device| device.description());
        let adapters = self.device.adapters();
        let adapters: Vec<_> = adapters.iter().enumerate().map(|(number, name)| format!("{number}: {name}")).collect();
        let senders = registration::living_senders(&*self.objects).map_or_else(
            |e| e.to_string(),
            |all| all.iter().map(|name| stream_name::shown(name)).collect::<Vec<_>>().join(", "),
        );
        let active = self.active_sender().map_or_else(|e| e.to_string(), |name| name.unwrap_or("none".into()));
        vec![
            ("device", device),
            ("adapters", if adapters.is_empty() { "none".into() } else { adapters.join(", ") }),
            ("senders", if senders.is_empty() { "none".into() } else { senders }),
            ("active sender", active),
            ("most senders", registration::max_senders(&*self.objects).to_string()),
        ]
    }

    fn restarts(&self) -> Vec<(&'static str, u64)> {
        vec![("device", self.device.restarts())]
    }

    fn create_sender(&self, stream: &str) -> Result<Box<dyn TextureSender>, TextureError> {
        let wanted = stream_name::encode(stream)?;
        let claim = self.claim(stream)?;
        let new = Arc::new(Stream::new(self.objects.clone(), self.device.clone(), wanted));
        self.keeper
            .watch(&new)
            .map_err(|e| TextureError::io("starting the thread that watches the graphics device", e))?;
        Ok(Box::new(SpoutSender::new(new, self.keeper.clone(), self.memory.clone(), claim)))
    }

    fn streams(&self) -> Result<Vec<StreamInfo>, TextureError> {
        let names = registration::living_senders(&*self.objects)?;
        let mut streams: Vec<_> = names.iter().filter_map(|name| self.stream_info(name)).collect();
        streams.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(streams)
    }

    fn wait_for_stream(&self, stream: &str, timeout: Option<Duration>) -> Result<bool, TextureError> {
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        loop {
            if Self::find(&registration::living_senders(&*self.objects)?, stream).is_some() {
                return Ok(true);
            }
            let left = deadline.map_or(LIST_POLL, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(false);
            }
            thread::sleep(left.min(LIST_POLL));
        }
    }

    /// Connects to a sender: `stream` is its name as Spout has it or, for one of this program's, as it was asked for.
    fn open(&self, stream: &str) -> Result<Box<dyn TextureReceiver>, TextureError> {
        let names = registration::living_senders(&*self.objects)?;
        let Some(found) = Self::find(&names, stream) else {
            let present: Vec<_> = names.iter().map(|name| stream_name::shown(name)).collect();
            return Err(TextureError::no_such_stream(stream, &present));
        };
        Ok(Box::new(SpoutReceiver::new(self.objects.clone(), self.device.clone(), found)))
    }
}
