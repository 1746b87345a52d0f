//! A block: shared memory `X` with the mutex `X_mutex`.

use super::lock::{self, Held};
use super::seam::{SharedMemory, SharedMutex, SharedObjects};
use super::sender_info::{self, SenderInfo};
use super::stream_name::readable;
use crate::texture::TextureError;

/// Shared memory and its mutex.
pub struct Block {
    name: Vec<u8>,
    mutex_name: Vec<u8>,
    memory: Box<dyn SharedMemory>,
    mutex: Box<dyn SharedMutex>,
}

fn mutex_name(name: &[u8]) -> Vec<u8> {
    [name, b"_mutex"].concat()
}

fn failed(verb: &str, what: &str, name: &[u8]) -> impl Fn(std::io::Error) -> TextureError {
    let doing = format!("{verb} the shared {what} {}", readable(name));
    move |e| TextureError::io(doing.clone(), e)
}

impl Block {
    /// Opens the block, or makes it with `size` bytes of zero.
    pub fn create(objects: &dyn SharedObjects, name: &[u8], size: usize) -> Result<Self, TextureError> {
        let memory = objects.create_memory(name, size).map_err(failed("making", "memory", name))?;
        let mutex_name = mutex_name(name);
        let mutex = objects.create_mutex(&mutex_name).map_err(failed("making", "mutex", &mutex_name))?;
        Ok(Block { name: name.to_vec(), mutex_name, memory, mutex })
    }

    /// Opens the block; `None` where there is none.
    pub fn open(objects: &dyn SharedObjects, name: &[u8]) -> Result<Option<Self>, TextureError> {
        let Some(memory) = objects.open_memory(name).map_err(failed("opening", "memory", name))? else {
            return Ok(None);
        };
        let mutex_name = mutex_name(name);
        let mutex = objects.create_mutex(&mutex_name).map_err(failed("opening", "mutex", &mutex_name))?;
        Ok(Some(Block { name: name.to_vec(), mutex_name, memory, mutex }))
    }

    /// Takes the block's mutex, waiting for some seconds if need be.
    pub fn lock(&self) -> Result<Held<'_>, TextureError> {
        lock::lock(&*self.mutex, &self.mutex_name)
    }

    /// Takes the block's mutex if that is to be had within 67 ms.
    pub fn try_lock(&self) -> Result<Option<Held<'_>>, TextureError> {
        lock::try_lock(&*self.mutex, &self.mutex_name)
    }

    /// The block's bytes. The mutex must be held.
    pub fn bytes(&self, _held: &Held<'_>) -> Vec<u8> {
        let mut bytes = vec![0; self.memory.size()];
        self.memory.read(&mut bytes);
        bytes
    }

    /// Writes the block's first bytes. The mutex must be held.
    pub fn write(&self, bytes: &[u8], _held: &Held<'_>) {
        self.memory.write(bytes);
    }

    /// Bytes of the block.
    pub fn size(&self) -> usize {
        self.memory.size()
    }

    /// The sender's info in the block. The mutex must be held.
    pub fn info(&self, _held: &Held<'_>) -> Result<SenderInfo, TextureError> {
        let mut bytes = [0; sender_info::SIZE];
        if self.size() < bytes.len() {
            return Err(TextureError::Protocol(format!(
                "the Spout sender {} describes itself in {} bytes; {} are needed",
                readable(&self.name),
                self.size(),
                bytes.len()
            )));
        }
        self.memory.read(&mut bytes);
        Ok(SenderInfo::from_bytes(&bytes))
    }
}
