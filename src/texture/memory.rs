//! A back end inside one process: for tests, and for machines where nothing else can be had. Keeps each stream's
//! newest texture.

use super::buffer::Buffer;
use super::{
    Event, Frame, RGBA32F, StreamInfo, TextureBackend, TextureError, TextureReceiver, TextureSender, TextureWriter,
};
use crate::hald::{Texel, TextureShape};
use crate::lut::Cdl;
use crate::memory_limit::MemoryLimit;
use crate::server::Origin;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Streams that live in this process's memory. Clones share the same streams.
#[derive(Clone, Default)]
pub struct MemoryBackend {
    streams: Arc<Mutex<BTreeMap<String, Arc<Stream>>>>,
    memory: MemoryLimit,
}

impl MemoryBackend {
    /// Textures count against this limit.
    pub fn with_memory(memory: MemoryLimit) -> Self {
        MemoryBackend { memory, ..Self::default() }
    }
}

#[derive(Default)]
struct Stream {
    name: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    newest: Option<Newest>,
    revision: u64,
    ended: bool,
    cdl: Option<Cdl>,
    receivers: usize,
    /// Buffers of textures that were replaced, to be written again.
    spare: Vec<Buffer>,
}

struct Newest {
    shape: TextureShape,
    published: SystemTime,
    texels: Buffer,
}

/// Buffers kept for writing again; more would only hold memory.
const SPARE_BUFFERS: usize = 4;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TextureBackend for MemoryBackend {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn description(&self) -> &'static str {
        "textures in this process's own memory, visible to nobody else (for tests)"
    }

    fn check(&self) -> Result<(), TextureError> {
        Ok(())
    }

    fn create_sender(&self, stream: &str) -> Result<Box<dyn TextureSender>, TextureError> {
        let mut streams = lock(&self.streams);
        if streams.contains_key(stream) {
            return Err(TextureError::NameTaken { stream: stream.to_owned(), owner: "this process".into() });
        }
        let new = Arc::new(Stream { name: stream.to_owned(), ..Stream::default() });
        streams.insert(stream.to_owned(), new.clone());
        Ok(Box::new(MemorySender { stream: new, backend: self.clone() }))
    }

    fn streams(&self) -> Result<Vec<StreamInfo>, TextureError> {
        let streams = lock(&self.streams);
        let infos = streams.values().filter_map(|stream| {
            let state = lock(&stream.state);
            state.newest.as_ref().map(|newest| StreamInfo {
                name: stream.name.clone(),
                width: newest.shape.width(),
                height: newest.shape.height(),
                shape: Some(newest.shape),
                format: RGBA32F,
                revision: Some(state.revision),
                published: Some(newest.published),
                sender: Some("this process".into()),
                cdl: state.cdl,
            })
        });
        Ok(infos.collect())
    }

    fn open(&self, stream: &str) -> Result<Box<dyn TextureReceiver>, TextureError> {
        let streams = lock(&self.streams);
        let found = streams.get(stream).filter(|s| lock(&s.state).newest.is_some());
        let Some(found) = found else {
            let present: Vec<_> = streams.keys().cloned().collect();
            return Err(TextureError::no_such_stream(stream, &present));
        };
        lock(&found.state).receivers += 1;
        Ok(Box::new(MemoryReceiver { stream: found.clone(), read: 0 }))
    }
}

struct MemorySender {
    stream: Arc<Stream>,
    backend: MemoryBackend,
}

impl TextureSender for MemorySender {
    fn name(&self) -> &str {
        &self.stream.name
    }

    fn writer(&self) -> Result<Box<dyn TextureWriter>, TextureError> {
        self.writer_for(None)
    }

    fn writer_for(&self, client: Option<Origin>) -> Result<Box<dyn TextureWriter>, TextureError> {
        Ok(Box::new(MemoryWriter {
            stream: self.stream.clone(),
            memory: self.backend.memory.of(client),
            shape: None,
            texels: Buffer::default(),
        }))
    }

    fn receivers(&self) -> Option<usize> {
        Some(lock(&self.stream.state).receivers)
    }

    fn newest(&self, frame: &mut Frame) -> Result<bool, TextureError> {
        let state = lock(&self.stream.state);
        let Some(newest) = &state.newest else { return Ok(false) };
        frame.fill(newest.shape, state.revision, Some(newest.published), newest.texels.texels());
        Ok(true)
    }

    fn set_cdl(&self, cdl: &Cdl) {
        lock(&self.stream.state).cdl = Some(*cdl);
    }
}

impl Drop for MemorySender {
    fn drop(&mut self) {
        lock(&self.backend.streams).remove(&self.stream.name);
        lock(&self.stream.state).ended = true;
        self.stream.changed.notify_all();
    }
}

struct MemoryWriter {
    stream: Arc<Stream>,
    memory: MemoryLimit,
    shape: Option<TextureShape>,
    texels: Buffer,
}

impl TextureWriter for MemoryWriter {
    fn begin(&mut self, shape: TextureShape) -> Result<(), TextureError> {
        self.shape = None;
        if !self.texels.fits(shape)
            && let Some(spare) = lock(&self.stream.state).spare.pop()
        {
            self.texels = spare;
        }
        self.texels.fit(shape, &self.memory)?;
        self.shape = Some(shape);
        Ok(())
    }

    fn texels(&mut self) -> &mut [Texel] {
        match self.shape {
            Some(_) => self.texels.texels_mut(),
            None => &mut [],
        }
    }

    fn publish(&mut self) -> Result<u64, TextureError> {
        let Some(shape) = self.shape.take() else {
            return Err(TextureError::Broken("publish was called with no texture begun".into()));
        };
        let mut state = lock(&self.stream.state);
        if state.ended {
            return Err(TextureError::Ended);
        }
        let texels = std::mem::take(&mut self.texels);
        let newest = Newest { shape, published: SystemTime::now(), texels };
        // The buffer just replaced is the next one written here.
        self.texels = state.newest.replace(newest).map(|old| old.texels).unwrap_or_default();
        state.revision += 1;
        self.stream.changed.notify_all();
        Ok(state.revision)
    }

    fn abandon(&mut self) {
        self.shape = None;
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        let mut state = lock(&self.stream.state);
        if !self.texels.is_empty() && state.spare.len() < SPARE_BUFFERS {
            state.spare.push(std::mem::take(&mut self.texels));
        }
    }
}

struct MemoryReceiver {
    stream: Arc<Stream>,
    read: u64,
}

impl TextureReceiver for MemoryReceiver {
    fn wait(&mut self, timeout: Option<Duration>) -> Result<Event, TextureError> {
        // A time-out too long to be a time is none.
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        let mut state = lock(&self.stream.state);
        loop {
            if state.ended {
                return Ok(Event::Ended);
            }
            if state.revision > self.read {
                return Ok(Event::Frame);
            }
            state = match deadline {
                None => self.stream.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(Event::TimedOut);
                    }
                    self.stream.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn read(&mut self, frame: &mut Frame) -> Result<(), TextureError> {
        let state = lock(&self.stream.state);
        let Some(newest) = state.newest.as_ref().filter(|_| !state.ended) else { return Err(TextureError::Ended) };
        frame.fill(newest.shape, state.revision, Some(newest.published), newest.texels.texels());
        self.read = state.revision;
        Ok(())
    }
}

impl Drop for MemoryReceiver {
    fn drop(&mut self) {
        lock(&self.stream.state).receivers -= 1;
    }
}
