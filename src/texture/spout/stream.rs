//! One stream: the texture that receivers see, what was last put into it, and how both come through trouble.
//!
//! - The newest LUT is kept in this process's memory, so that it can be published again on another device.
//! - A texture that receivers know is only written while its access mutex is held.
//! - A new texture is filled before anybody is told of it, and made before the old one goes.

use super::cdl_block::CdlBlock;
use super::current_device::{self, CurrentDevice, texture_error};
use super::pixel_format::DXGI_RGBA32F;
use super::registration::Registration;
use super::seam::{Device, DeviceError, SentTexture, SharedObjects};
use super::sender_info::SenderInfo;
use super::stream_name::readable;
use crate::hald::{Texel, TextureShape};
use crate::lut::Cdl;
use crate::texture::buffer::Buffer;
use crate::texture::{Frame, TextureError};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

/// Buffers kept for writing again; more would only hold memory.
const SPARE_BUFFERS: usize = 4;

/// How many textures are made until one has another handle than the one before.
const HANDLE_ATTEMPTS: usize = 4;

/// A stream and everything it has shared.
pub struct Stream {
    objects: Arc<dyn SharedObjects>,
    device: Arc<CurrentDevice>,
    /// The Spout name asked for.
    wanted: String,
    /// The Spout name that it has got, known from the first publication on.
    actual: OnceLock<String>,
    state: Mutex<State>,
    spare: Mutex<Vec<Buffer>>,
}

#[derive(Default)]
struct State {
    registration: Option<Registration>,
    cdl: Option<CdlBlock>,
    current: Option<Current>,
    newest: Option<(TextureShape, Buffer)>,
    revision: u64,
    ended: bool,
    /// Whether it was already said that the newest LUT could not be published again.
    stuck: bool,
}

/// The texture that receivers see.
struct Current {
    texture: Box<dyn SentTexture>,
    device: Arc<dyn Device>,
    share_handle: u32,
    width: usize,
    height: usize,
}

impl Current {
    fn is(&self, device: &Arc<dyn Device>, shape: TextureShape) -> bool {
        Arc::ptr_eq(&self.device, device) && (self.width, self.height) == (shape.width(), shape.height())
    }
}

/// Why a LUT did not get into a texture.
enum Failure {
    Device(DeviceError),
    Other(TextureError),
}

impl From<DeviceError> for Failure {
    fn from(e: DeviceError) -> Self {
        Failure::Device(e)
    }
}

impl From<TextureError> for Failure {
    fn from(e: TextureError) -> Self {
        Failure::Other(e)
    }
}

impl Stream {
    pub fn new(objects: Arc<dyn SharedObjects>, device: Arc<CurrentDevice>, wanted: String) -> Self {
        Stream { objects, device, wanted, actual: OnceLock::new(), state: Mutex::default(), spare: Mutex::default() }
    }

    /// The Spout name: until the first publication the one asked for, then the one that it has got.
    pub fn name(&self) -> &str {
        self.actual.get().unwrap_or(&self.wanted)
    }

    /// Puts `texels` into the texture and keeps them; gives another buffer in their place. Returns the revision.
    pub fn publish(&self, shape: TextureShape, texels: &mut Buffer) -> Result<u64, TextureError> {
        let mut state = self.lock();
        if state.ended {
            return Err(TextureError::Ended);
        }
        self.put(&mut state, shape, texels.texels())?;
        state.stuck = false;
        state.revision += 1;
        let newest = std::mem::take(texels);
        if let Some((_, old)) = state.newest.replace((shape, newest)) {
            *texels = old;
        }
        Ok(state.revision)
    }

    /// Copies the newest texture into `frame`; `false` where there is none.
    pub fn newest(&self, frame: &mut Frame) -> bool {
        let state = self.lock();
        let Some((shape, texels)) = &state.newest else { return false };
        frame.fill(*shape, state.revision, None, texels.texels());
        true
    }

    /// Tells of the newest CDL values, which nobody needs who draws: where that fails, it is said and no more.
    pub fn set_cdl(&self, cdl: &Cdl) {
        let mut state = self.lock();
        let State { registration: Some(registration), cdl: block, .. } = &mut *state else { return };
        let told = match block {
            Some(block) => block.write(cdl),
            None => CdlBlock::create(&*self.objects, registration.name(), cdl).map(|new| *block = Some(new)),
        };
        if let Err(e) = told {
            tracing::warn!("the CDL values of the Spout sender {} can't be listed: {e}", self.name());
        }
    }

    /// Publishes the newest LUT once more if its texture is not on `device`. Does nothing while a publication is under
    /// way: that one notices by itself.
    pub fn renew(&self, device: &Arc<dyn Device>) {
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let Some((shape, texels)) = state.newest.take() else { return };
        if !state.current.as_ref().is_some_and(|current| current.is(device, shape)) {
            match self.put(&mut state, shape, texels.texels()) {
                Ok(()) => {
                    tracing::info!("the Spout sender {} is back on a new graphics device", self.name());
                    state.stuck = false;
                }
                Err(e) if !state.stuck => {
                    tracing::warn!("the Spout sender {} has no texture now, trying on: {e}", self.name());
                    state.stuck = true;
                }
                Err(_) => {}
            }
        }
        state.newest = Some((shape, texels));
    }

    /// Withdraws the sender; what is published from now on is refused.
    pub fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        // Receivers take a block that is gone for the end, so that goes before the texture.
        state.registration = None;
        state.cdl = None;
        state.current = None;
        state.newest = None;
    }

    /// A buffer that was used before, if there is one.
    pub fn take_spare(&self) -> Option<Buffer> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Keeps a buffer for another writer.
    pub fn give_spare(&self, buffer: Buffer) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if !buffer.is_empty() && spare.len() < SPARE_BUFFERS {
            spare.push(buffer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, state: &mut State, shape: TextureShape, texels: &[Texel]) -> Result<(), TextureError> {
        let error = |e| texture_error(&format!("publishing {} over Spout", self.name()), e, shape.bytes());
        let mut attempt = 1;
        loop {
            let device = self.device.get().map_err(error)?;
            match self.put_on(&device, state, shape, texels) {
                Ok(()) => return Ok(()),
                Err(Failure::Device(DeviceError::Removed(why))) => {
                    self.device.forget(&device, &why);
                    if attempt == current_device::ATTEMPTS {
                        return Err(error(DeviceError::Removed(why)));
                    }
                    attempt += 1;
                }
                Err(Failure::Device(e)) => return Err(error(e)),
                Err(Failure::Other(e)) => return Err(e),
            }
        }
    }

    fn put_on(
        &self,
        device: &Arc<dyn Device>,
        state: &mut State,
        shape: TextureShape,
        texels: &[Texel],
    ) -> Result<(), Failure> {
        if let (Some(registration), Some(current)) = (&state.registration, &mut state.current)
            && current.is(device, shape)
        {
            let access = registration.access()?;
            current.texture.upload(texels)?;
            registration.signal_frame();
            drop(access);
            return Ok(current.texture.finish()?);
        }
        let known_handle = state.current.as_ref().map(|c| c.share_handle);
        let new = new_texture(device, shape, texels, known_handle)?;
        let info = SenderInfo {
            share_handle: new.share_handle,
            width: shape.width() as u32,
            height: shape.height() as u32,
            format: DXGI_RGBA32F,
            program: self.objects.program(),
        };
        match &state.registration {
            Some(registration) => {
                let _access = registration.access()?;
                registration.rewrite(&info)?;
                registration.signal_frame();
            }
            None => state.registration = Some(self.announce(&info)?),
        }
        state.current = Some(new);
        Ok(())
    }

    fn announce(&self, info: &SenderInfo) -> Result<Registration, TextureError> {
        let registration = Registration::announce(self.objects.clone(), &self.wanted, info)?;
        let access = registration.access()?;
        registration.signal_frame();
        drop(access);
        let name = readable(registration.name());
        if name != self.wanted {
            tracing::warn!("another program's Spout sender is called {}; this one is called {name}", self.wanted);
        }
        // A stream is announced once, so this is the first and only name.
        self.actual.get_or_init(|| name);
        Ok(registration)
    }
}

/// A texture that holds `texels` and has a handle that receivers do not know yet: they see a change by it alone.
fn new_texture(
    device: &Arc<dyn Device>,
    shape: TextureShape,
    texels: &[Texel],
    known_handle: Option<u32>,
) -> Result<Current, DeviceError> {
    let (width, height) = (shape.width(), shape.height());
    // Textures with the known handle are kept until another is found, or they would get the same one for ever.
    let mut unfit = Vec::new();
    for _ in 0..HANDLE_ATTEMPTS {
        let mut texture = device.create_texture(width, height)?;
        let share_handle = texture.share_handle()?;
        if known_handle == Some(share_handle) {
            unfit.push(texture);
            continue;
        }
        texture.upload(texels)?;
        texture.finish()?;
        return Ok(Current { texture, device: device.clone(), share_handle, width, height });
    }
    Err(DeviceError::Failed(format!("{} textures in a row got the share handle {known_handle:08x?}", unfit.len())))
}
