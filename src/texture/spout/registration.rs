//! What a sender keeps in the session while it lives: its place in the list of senders, its own block, and the
//! objects by which its frames are guarded and counted.

use super::block::Block;
use super::frame_count::FrameCount;
use super::lock::{self, Held};
use super::seam::{SharedMutex, SharedObjects};
use super::sender_info::{self, SenderInfo};
use super::sender_names::{self, SLOT, SenderNames};
use super::stream_name::{MAX_NAME, readable};
use crate::texture::TextureError;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const LIST: &[u8] = b"SpoutSenderNames";
const ACTIVE: &[u8] = b"ActiveSenderName";

/// More slots than this are a damaged setting: a list that long would be a gigabyte.
const MOST_SLOTS: usize = 4096;

/// How often, and how far apart, a name's block is looked for before the name counts as taken. A receiver opens the
/// block of a sender that has crashed for a moment on each of its frames, and a name must not be lost to that.
const LIVENESS_CHECKS: u32 = 4;
const LIVENESS_PAUSE: Duration = Duration::from_millis(3);

/// A sender's objects. Dropping it withdraws the sender.
pub struct Registration {
    objects: Arc<dyn SharedObjects>,
    name: Vec<u8>,
    list: Block,
    active: Block,
    /// `None` only while it is being withdrawn: receivers take a block that is closed for the sender's end.
    info: Option<Block>,
    access_name: Vec<u8>,
    access: Box<dyn SharedMutex>,
    frames: FrameCount,
}

/// How many senders this user's programs can have at a time.
pub fn max_senders(objects: &dyn SharedObjects) -> usize {
    match objects.setting("MaxSenders") {
        None | Some(0) => sender_names::DEFAULT_SLOTS,
        Some(n) => MOST_SLOTS.min(n as usize),
    }
}

/// The name of the mutex that guards a sender's texture.
pub fn access_name(sender: &[u8]) -> Vec<u8> {
    [sender, b"_SpoutAccessMutex"].concat()
}

/// The names of all senders, with those that are gone left out.
pub fn living_senders(objects: &dyn SharedObjects) -> Result<Vec<Vec<u8>>, TextureError> {
    let Some(list) = Block::open(objects, LIST)? else { return Ok(Vec::new()) };
    let names = SenderNames::parse(&list.bytes(&list.lock()?));
    Ok(names.iter().filter(|name| is_alive(objects, name)).map(<[u8]>::to_vec).collect())
}

/// The name of the active sender, where there is one.
pub fn active_sender(objects: &dyn SharedObjects) -> Result<Option<Vec<u8>>, TextureError> {
    let Some(active) = Block::open(objects, ACTIVE)? else { return Ok(None) };
    let name = sender_names::terminated(&active.bytes(&active.lock()?)).to_vec();
    Ok((!name.is_empty() && is_alive(objects, &name)).then_some(name))
}

/// The number of a sender's newest frame; `None` where it does not count, or does not let anybody look.
pub fn frame_number(objects: &dyn SharedObjects, sender: &[u8]) -> Option<u32> {
    let frames = FrameCount::open(objects, sender).ok()??;
    let access_name = access_name(sender);
    let access = objects.open_mutex(&access_name).ok()??;
    let _held = lock::try_lock(&*access, &access_name).ok()??;
    frames.number().ok()?
}

/// Whether a sender has its block. One that can't be opened for another reason than that it is not there (it may
/// belong to a program with more rights) is alive.
fn is_alive(objects: &dyn SharedObjects, name: &[u8]) -> bool {
    !matches!(objects.open_memory(name), Ok(None))
}

impl Registration {
    /// Announces a sender whose texture is made and filled, under `wanted` or, where another living sender has that,
    /// under `wanted_1`, `wanted_2`, …. It becomes the active sender.
    ///
    /// # Errors
    /// Where the list is full, where it is locked for good, and where an object can't be made.
    pub fn announce(objects: Arc<dyn SharedObjects>, wanted: &str, info: &SenderInfo) -> Result<Self, TextureError> {
        let max_senders = max_senders(&*objects);
        let list = Block::create(&*objects, LIST, max_senders * SLOT)?;
        let active = Block::create(&*objects, ACTIVE, SLOT)?;
        let held = list.lock()?;
        let mut names = SenderNames::parse(&list.bytes(&held));
        for orphan in names.drop_orphans(|name| outlives_a_glance(&*objects, name, wanted)) {
            tracing::info!("the Spout sender {} is gone without a farewell: took it off the list", readable(&orphan));
        }
        let capacity = SenderNames::capacity(list.size(), max_senders);
        if names.len() >= capacity {
            return Err(list_full(&names, capacity));
        }
        let name = free_name(&names, wanted)?;
        // All that can fail comes before the list is written, so that a failure leaves no trace.
        let own = Block::create(&*objects, &name, sender_info::SIZE)?;
        let io = |e| TextureError::io(format!("making the shared objects of the Spout sender {}", readable(&name)), e);
        let access_name = access_name(&name);
        let access = objects.create_mutex(&access_name).map_err(io)?;
        let frames = FrameCount::create(&*objects, &name).map_err(io)?;
        own.write(&info.to_bytes(), &own.lock()?);
        names.insert(&name);
        list.write(&names.to_bytes(list.size()), &held);
        make_active(&active, &name);
        drop(held);
        Ok(Registration { objects, name, list, active, info: Some(own), access_name, access, frames })
    }

    /// The name that the sender has got.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Takes the mutex that guards the texture, waiting for some seconds if need be.
    pub fn access(&self) -> Result<Held<'_>, TextureError> {
        lock::lock(&*self.access, &self.access_name)
    }

    /// Tells receivers of another texture.
    pub fn rewrite(&self, info: &SenderInfo) -> Result<(), TextureError> {
        if let Some(own) = &self.info {
            own.write(&info.to_bytes(), &own.lock()?);
        }
        Ok(())
    }

    /// Counts a frame. The access mutex must be held.
    pub fn signal_frame(&self) {
        if let Err(e) = self.frames.signal() {
            tracing::warn!("a frame of the Spout sender {} could not be counted: {e}", readable(&self.name));
        }
    }

    fn withdraw(&mut self) -> Result<(), TextureError> {
        self.info = None;
        let held = self.list.lock()?;
        let mut names = SenderNames::parse(&self.list.bytes(&held));
        if names.remove(&self.name) {
            self.list.write(&names.to_bytes(self.list.size()), &held);
        }
        let Some(first) = names.iter().find(|name| is_alive(&*self.objects, name)) else { return Ok(()) };
        let was_active = sender_names::terminated(&self.active.bytes(&self.active.lock()?)) == self.name;
        if was_active || names.len() == 1 {
            make_active(&self.active, first);
        }
        Ok(())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Err(e) = self.withdraw() {
            tracing::warn!(
                "the Spout sender {} stays in the list until the next one starts: {e}",
                readable(&self.name)
            );
        }
    }
}

/// Whether a listed sender lives; for the wanted name, looked at more than once.
fn outlives_a_glance(objects: &dyn SharedObjects, name: &[u8], wanted: &str) -> bool {
    if name != wanted.as_bytes() {
        return is_alive(objects, name);
    }
    (0..LIVENESS_CHECKS).all(|check| {
        if check > 0 {
            thread::sleep(LIVENESS_PAUSE);
        }
        is_alive(objects, name)
    })
}

fn list_full(names: &SenderNames, capacity: usize) -> TextureError {
    let all: Vec<_> = names.iter().map(readable).collect();
    TextureError::Broken(format!(
        "the list of Spout senders is full: it holds {capacity} ({}); end one, or raise MaxSenders with SpoutSettings while no Spout program runs",
        all.join(", ")
    ))
}

fn free_name(names: &SenderNames, wanted: &str) -> Result<Vec<u8>, TextureError> {
    let name = names.free_name(wanted.as_bytes());
    if name.len() > MAX_NAME {
        return Err(TextureError::NameTaken {
            stream: wanted.to_owned(),
            owner: format!(
                "another Spout sender, and with a number behind it it would be longer than {MAX_NAME} bytes"
            ),
        });
    }
    Ok(name)
}

/// A sender that is not the active one works all the same, so that this may fail.
fn make_active(active: &Block, name: &[u8]) {
    let mut slot = [0; SLOT];
    let length = name.len().min(SLOT - 1);
    slot[..length].copy_from_slice(&name[..length]);
    match active.try_lock() {
        Ok(Some(held)) => active.write(&slot, &held),
        Ok(None) => tracing::debug!("another program keeps the active sender's name locked"),
        Err(e) => tracing::debug!("the active sender's name: {e}"),
    }
}
