//! A graphics adapter that exists in memory only: its devices can be removed, and everything can be made to fail.

use crate::hald::Texel;
use crate::texture::spout::pixel_format::PixelFormat;
use crate::texture::spout::seam::{Device, DeviceError, Graphics, ReceivedTexture, SentTexture};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// A graphics adapter, which several processes use.
#[derive(Clone, Default)]
pub struct Adapter(Arc<Mutex<State>>);

/// What the adapter is to do wrong, and what it has seen.
#[derive(Default)]
pub struct State {
    textures: BTreeMap<u32, Texture>,
    generation: usize,
    next_handle: u32,
    /// Devices that were made.
    pub devices: usize,
    /// Textures that were made.
    pub textures_made: usize,
    /// Making a device fails with this.
    pub no_device: Option<DeviceError>,
    /// Making a texture fails with this.
    pub no_texture: Option<DeviceError>,
    /// Sharing a texture fails with this.
    pub no_handle: Option<DeviceError>,
    /// Waiting for an upload fails with this.
    pub no_finish: Option<DeviceError>,
    /// So many textures from now on get the handle that the newest one has.
    pub same_handles: u32,
    /// The device is removed in so many uploads from now on.
    pub removals_in_upload: u32,
    /// Called on every upload with the texture's handle.
    pub on_upload: Option<Box<dyn Fn(u32) + Send>>,
    /// Called once, after a texture of another program was opened.
    pub after_opening: Option<Box<dyn FnOnce() + Send>>,
}

#[derive(Clone)]
struct Texture {
    format: u32,
    width: usize,
    height: usize,
    bytes: Vec<u8>,
    /// Handles with the same number that are held: the number alone does not tell textures apart.
    uses: usize,
}

impl Adapter {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Every device that there is stops working; one made from now on works.
    pub fn remove_device(&self) {
        let mut state = self.state();
        state.generation += 1;
        state.textures.clear();
    }

    /// The bytes of a shared texture.
    pub fn bytes(&self, handle: u32) -> Option<Vec<u8>> {
        self.state().textures.get(&handle).map(|t| t.bytes.clone())
    }

    /// A texture of another program.
    pub fn share(&self, format: u32, width: usize, height: usize, bytes: &[u8]) -> u32 {
        let mut state = self.state();
        let handle = state.new_handle();
        state.textures.insert(handle, Texture { format, width, height, bytes: bytes.to_vec(), uses: 1 });
        handle
    }

    /// Another program changes its texture.
    pub fn change(&self, handle: u32, bytes: &[u8]) {
        self.state().textures.get_mut(&handle).unwrap().bytes = bytes.to_vec();
    }

    pub fn texture_count(&self) -> usize {
        self.state().textures.len()
    }
}

impl State {
    fn new_handle(&mut self) -> u32 {
        if self.same_handles > 0 {
            self.same_handles -= 1;
        } else {
            self.next_handle += 2;
        }
        0x4000_0000 + self.next_handle
    }

    fn alive(&self, generation: usize) -> Result<(), DeviceError> {
        match generation == self.generation {
            true => Ok(()),
            false => Err(DeviceError::Removed("unplugged".into())),
        }
    }
}

impl Graphics for Adapter {
    fn create_device(&self) -> Result<Arc<dyn Device>, DeviceError> {
        let mut state = self.state();
        if let Some(e) = &state.no_device {
            return Err(e.clone());
        }
        state.devices += 1;
        Ok(Arc::new(FakeDevice { adapter: self.clone(), generation: state.generation }))
    }

    fn adapters(&self) -> Vec<String> {
        vec!["Fake".into()]
    }
}

struct FakeDevice {
    adapter: Adapter,
    generation: usize,
}

impl Device for FakeDevice {
    fn description(&self) -> String {
        "Fake".into()
    }

    fn check(&self) -> Result<(), DeviceError> {
        self.adapter.state().alive(self.generation)
    }

    fn create_texture(&self, width: usize, height: usize) -> Result<Box<dyn SentTexture>, DeviceError> {
        let mut state = self.adapter.state();
        state.alive(self.generation)?;
        if let Some(e) = &state.no_texture {
            return Err(e.clone());
        }
        state.textures_made += 1;
        let handle = state.new_handle();
        let bytes = vec![0xee; width * height * 16];
        let new = Texture { format: 2, width, height, bytes, uses: 0 };
        state.textures.entry(handle).or_insert(new).uses += 1;
        Ok(Box::new(Sent {
            adapter: self.adapter.clone(),
            generation: self.generation,
            handle,
            texels: width * height,
            queued: None,
        }))
    }

    fn open_texture(&self, handle: u32) -> Result<Box<dyn ReceivedTexture>, DeviceError> {
        let mut state = self.adapter.state();
        state.alive(self.generation)?;
        let Some(texture) = state.textures.get(&handle).cloned() else {
            return Err(DeviceError::Failed("the parameter is incorrect".into()));
        };
        let then = state.after_opening.take();
        drop(state);
        then.into_iter().for_each(|then| then());
        Ok(Box::new(Received { adapter: self.adapter.clone(), generation: self.generation, handle, texture }))
    }
}

struct Sent {
    adapter: Adapter,
    generation: usize,
    handle: u32,
    texels: usize,
    queued: Option<Vec<u8>>,
}

impl SentTexture for Sent {
    fn share_handle(&self) -> Result<u32, DeviceError> {
        let state = self.adapter.state();
        state.alive(self.generation)?;
        state.no_handle.clone().map_or(Ok(self.handle), Err)
    }

    fn upload(&mut self, texels: &[Texel]) -> Result<(), DeviceError> {
        assert_eq!(texels.len(), self.texels);
        let mut state = self.adapter.state();
        if state.removals_in_upload > 0 {
            state.removals_in_upload -= 1;
            state.generation += 1;
            state.textures.clear();
        }
        if let Some(check) = &state.on_upload {
            check(self.handle);
        }
        // A device takes commands for as long as nobody asks it for a result.
        self.queued = Some(texels.as_flattened().to_vec());
        Ok(())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        let mut state = self.adapter.state();
        state.alive(self.generation)?;
        if let Some(e) = &state.no_finish {
            return Err(e.clone());
        }
        if let (Some(bytes), Some(texture)) = (self.queued.take(), state.textures.get_mut(&self.handle)) {
            texture.bytes = bytes;
        }
        Ok(())
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let Ok(mut state) = self.adapter.0.lock() else { return };
        if state.alive(self.generation).is_err() {
            return;
        }
        if let Some(texture) = state.textures.get_mut(&self.handle) {
            texture.uses -= 1;
            if texture.uses == 0 {
                state.textures.remove(&self.handle);
            }
        }
    }
}

struct Received {
    adapter: Adapter,
    generation: usize,
    handle: u32,
    texture: Texture,
}

impl ReceivedTexture for Received {
    fn width(&self) -> usize {
        self.texture.width
    }

    fn height(&self) -> usize {
        self.texture.height
    }

    fn format(&self) -> u32 {
        self.texture.format
    }

    fn read(&mut self, bytes_per_texel: usize, row: &mut dyn FnMut(&[u8])) -> Result<(), DeviceError> {
        let state = self.adapter.state();
        state.alive(self.generation)?;
        assert_eq!(PixelFormat::from_dxgi(self.texture.format).unwrap().bytes, bytes_per_texel);
        // A texture stays readable for those who have opened it.
        let bytes = state.textures.get(&self.handle).map_or(&self.texture.bytes, |t| &t.bytes);
        bytes.chunks(self.texture.width * bytes_per_texel).for_each(row);
        Ok(())
    }
}
