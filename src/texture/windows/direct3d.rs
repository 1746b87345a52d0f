//! The Direct3D 11 device, and the textures that it shares with other processes.
#![allow(unsafe_code)]

use super::adapters;
use crate::hald::Texel;
use crate::texture::spout::seam::{Device, DeviceError, Graphics, ReceivedTexture, SentTexture};
use std::ffi::c_void;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use windows::Win32::Foundation::{E_NOTIMPL, E_OUTOFMEMORY, HANDLE, HMODULE};
use windows::Win32::Graphics::Direct3D::{
    D3D_DRIVER_TYPE, D3D_DRIVER_TYPE_HARDWARE, D3D_DRIVER_TYPE_UNKNOWN, D3D_DRIVER_TYPE_WARP, D3D_FEATURE_LEVEL,
    D3D_FEATURE_LEVEL_10_0, D3D_FEATURE_LEVEL_10_1, D3D_FEATURE_LEVEL_11_0, D3D_FEATURE_LEVEL_11_1,
};
use windows::Win32::Graphics::Direct3D11::{
    D3D11_BIND_RENDER_TARGET, D3D11_BIND_SHADER_RESOURCE, D3D11_CPU_ACCESS_READ, D3D11_CREATE_DEVICE_FLAG,
    D3D11_MAP_FLAG_DO_NOT_WAIT, D3D11_MAP_READ, D3D11_MAPPED_SUBRESOURCE, D3D11_QUERY_DESC, D3D11_QUERY_EVENT,
    D3D11_RESOURCE_MISC_SHARED, D3D11_SDK_VERSION, D3D11_TEXTURE2D_DESC, D3D11_USAGE_DEFAULT, D3D11_USAGE_STAGING,
    D3D11CreateDevice, ID3D11Device, ID3D11DeviceContext, ID3D11Query, ID3D11Texture2D,
};
use windows::Win32::Graphics::Dxgi::Common::{DXGI_FORMAT_R32G32B32A32_FLOAT, DXGI_SAMPLE_DESC};
use windows::Win32::Graphics::Dxgi::{
    DXGI_ERROR_DEVICE_HUNG, DXGI_ERROR_DEVICE_REMOVED, DXGI_ERROR_DEVICE_RESET, DXGI_ERROR_DRIVER_INTERNAL_ERROR,
    DXGI_ERROR_UNSUPPORTED, DXGI_ERROR_WAS_STILL_DRAWING, IDXGIAdapter, IDXGIDevice, IDXGIResource,
};
use windows::core::{BOOL, Interface};

/// The device's slowest work that is waited for. Windows itself resets a device that is stuck for two seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the device is asked again without a pause: most uploads are done by then.
const BUSY: Duration = Duration::from_millis(1);

const FEATURE_LEVELS: [D3D_FEATURE_LEVEL; 4] =
    [D3D_FEATURE_LEVEL_11_1, D3D_FEATURE_LEVEL_11_0, D3D_FEATURE_LEVEL_10_1, D3D_FEATURE_LEVEL_10_0];

/// Makes Direct3D 11 devices on one graphics adapter.
#[derive(Clone, Debug)]
pub struct Direct3d {
    adapter: Option<String>,
}

impl Direct3d {
    /// Devices on this adapter: its number, a part of its name, or `warp`. `None` is the system's choice.
    pub fn new(adapter: Option<String>) -> Self {
        Direct3d { adapter }
    }
}

impl Graphics for Direct3d {
    fn create_device(&self) -> Result<Arc<dyn Device>, DeviceError> {
        let core = match self.adapter.as_deref() {
            None => Core::new(None, D3D_DRIVER_TYPE_HARDWARE).or_else(|hardware| {
                let both = |warp| format!("no Direct3D 11 device: {hardware}; in software: {warp}");
                Core::new(None, D3D_DRIVER_TYPE_WARP).map_err(|warp| DeviceError::Unsupported(both(warp)))
            }),
            Some(warp) if warp.eq_ignore_ascii_case("warp") => Core::new(None, D3D_DRIVER_TYPE_WARP),
            Some(wanted) => {
                let all = adapters::all().map_err(|e| error("listing the graphics adapters", e))?;
                let names: Vec<_> = all.iter().map(|a| a.name.clone()).collect();
                let found = adapters::find(&names, wanted).map_err(DeviceError::Unsupported)?;
                let adapter = all[found].adapter.cast().map_err(|e| error("using a graphics adapter", e))?;
                Core::new(Some(&adapter), D3D_DRIVER_TYPE_UNKNOWN)
            }
        };
        Ok(Arc::new(Direct3dDevice(Arc::new(core?))))
    }

    fn adapters(&self) -> Vec<String> {
        adapters::all().map(|all| all.into_iter().map(|a| a.name).collect()).unwrap_or_default()
    }
}

struct Direct3dDevice(Arc<Core>);

/// A device and its immediate context, which one thread uses at a time.
struct Core {
    device: ID3D11Device,
    context: Mutex<ID3D11DeviceContext>,
    level: D3D_FEATURE_LEVEL,
}

impl Core {
    fn new(adapter: Option<&IDXGIAdapter>, kind: D3D_DRIVER_TYPE) -> Result<Self, DeviceError> {
        let (mut device, mut context, mut level) = (None, None, D3D_FEATURE_LEVEL::default());
        // SAFETY: all the places to be written are there; an adapter goes with the driver type UNKNOWN, none with
        // another, as the callers have it.
        let made = unsafe {
            D3D11CreateDevice(
                adapter,
                kind,
                HMODULE::default(),
                D3D11_CREATE_DEVICE_FLAG(0),
                Some(&FEATURE_LEVELS),
                D3D11_SDK_VERSION,
                Some(&mut device),
                Some(&mut level),
                Some(&mut context),
            )
        };
        made.map_err(|e| error("making a Direct3D 11 device", e))?;
        let (device, context) = (there(device, "device")?, there(context, "device context")?);
        Ok(Core { device, context: Mutex::new(context), level })
    }

    fn context(&self) -> MutexGuard<'_, ID3D11DeviceContext> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn removed(&self) -> Result<(), DeviceError> {
        // SAFETY: asks the device for its state.
        unsafe { self.device.GetDeviceRemovedReason() }.map_err(|e| DeviceError::Removed(said(&e)))
    }

    fn texture(&self, description: &D3D11_TEXTURE2D_DESC) -> Result<ID3D11Texture2D, DeviceError> {
        let mut texture = None;
        // SAFETY: the description is complete, there is no initial data, and the place to be written is there.
        let made = unsafe { self.device.CreateTexture2D(description, None, Some(&mut texture)) };
        let (width, height) = (description.Width, description.Height);
        made.map_err(|e| error(&format!("making a {width}×{height} texture"), e))?;
        there(texture, "texture")
    }

    fn adapter_name(&self) -> windows::core::Result<String> {
        let device: IDXGIDevice = self.device.cast()?;
        // SAFETY: asks the device for its adapter, and that for a copy of its description.
        let description = unsafe { device.GetAdapter()?.GetDesc() }?.Description;
        let text = description.split(|unit| *unit == 0).next().unwrap_or_default();
        Ok(String::from_utf16_lossy(text).trim().to_owned())
    }

    /// Asks again and again, until the answer is there or [`PATIENCE`] ends.
    fn wait_for<T>(
        &self,
        what: &str,
        mut ask: impl FnMut() -> Result<Option<T>, DeviceError>,
    ) -> Result<T, DeviceError> {
        let begin = Instant::now();
        loop {
            if let Some(answer) = ask()? {
                return Ok(answer);
            }
            let waited = begin.elapsed();
            if waited > PATIENCE {
                self.removed()?;
                return Err(DeviceError::Failed(format!("the graphics device is still {what} after {PATIENCE:?}")));
            }
            if waited < BUSY { thread::yield_now() } else { thread::sleep(Duration::from_micros(500)) }
        }
    }
}

/// Sends what was handed over on its way when dropped: only then is a texture gone that was given up before.
struct FlushOnDrop(Arc<Core>);

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        // SAFETY: the context is used by one thread at a time: its lock is held.
        unsafe { self.0.context().Flush() }
    }
}

impl Device for Direct3dDevice {
    fn description(&self) -> String {
        let name = self.0.adapter_name().unwrap_or_else(|e| said(&e));
        let level = self.0.level.0;
        format!("{name}, Direct3D feature level {}_{}", level >> 12, level >> 8 & 0xf)
    }

    fn check(&self) -> Result<(), DeviceError> {
        self.0.removed()
    }

    fn create_texture(&self, width: usize, height: usize) -> Result<Box<dyn SentTexture>, DeviceError> {
        Ok(Box::new(Sent::new(&self.0, width, height)?))
    }

    fn open_texture(&self, share_handle: u32) -> Result<Box<dyn ReceivedTexture>, DeviceError> {
        // Handles of this kind have 32 bits, which are extended by their sign where there is room for 64.
        let handle = HANDLE(share_handle as i32 as isize as *mut c_void);
        let mut texture: Option<ID3D11Texture2D> = None;
        // SAFETY: any number may be passed, for other processes say which; one that is no shared texture gives an
        // error. The place to be written is there.
        let opened = unsafe { self.0.device.OpenSharedResource(handle, &mut texture) };
        opened.map_err(|e| error("opening a shared texture", e))?;
        Ok(Box::new(Received::new(&self.0, there(texture, "shared texture")?)))
    }
}

// The texture comes before the flush: fields are dropped in this order.
struct Sent {
    texture: ID3D11Texture2D,
    done: ID3D11Query,
    width: usize,
    height: usize,
    core: Arc<Core>,
    _flush: FlushOnDrop,
}

impl Sent {
    fn new(core: &Arc<Core>, width: usize, height: usize) -> Result<Self, DeviceError> {
        let description = D3D11_TEXTURE2D_DESC {
            Width: width as u32,
            Height: height as u32,
            MipLevels: 1,
            ArraySize: 1,
            Format: DXGI_FORMAT_R32G32B32A32_FLOAT,
            SampleDesc: DXGI_SAMPLE_DESC { Count: 1, Quality: 0 },
            Usage: D3D11_USAGE_DEFAULT,
            BindFlags: (D3D11_BIND_RENDER_TARGET.0 | D3D11_BIND_SHADER_RESOURCE.0) as u32,
            CPUAccessFlags: 0,
            // Neither a keyed mutex nor an NT handle: other Spout programs open neither.
            MiscFlags: D3D11_RESOURCE_MISC_SHARED.0 as u32,
        };
        let texture = core.texture(&description)?;
        let mut done = None;
        let event = D3D11_QUERY_DESC { Query: D3D11_QUERY_EVENT, MiscFlags: 0 };
        // SAFETY: the description is complete and the place to be written is there.
        unsafe { core.device.CreateQuery(&event, Some(&mut done)) }.map_err(|e| error("making a query", e))?;
        let done = there(done, "query")?;
        Ok(Sent { texture, done, width, height, core: core.clone(), _flush: FlushOnDrop(core.clone()) })
    }
}

impl SentTexture for Sent {
    fn share_handle(&self) -> Result<u32, DeviceError> {
        let doing = "sharing a texture";
        let resource: IDXGIResource = self.texture.cast().map_err(|e| error(doing, e))?;
        // SAFETY: asks the texture for its handle, which belongs to it and is never closed.
        let handle = unsafe { resource.GetSharedHandle() }.map_err(|e| match e.code() {
            E_NOTIMPL => {
                DeviceError::Unsupported(format!("this system can't share Direct3D 11 textures ({})", said(&e)))
            }
            _ => error(doing, e),
        })?;
        match handle.0 as usize as u32 {
            0 => Err(DeviceError::Failed("the texture has no share handle".into())),
            number => Ok(number),
        }
    }

    fn upload(&mut self, texels: &[Texel]) -> Result<(), DeviceError> {
        if texels.len() != self.width * self.height {
            let (given, wanted) = (texels.len(), self.width * self.height);
            return Err(DeviceError::Failed(format!("{given} texels for a texture of {wanted}")));
        }
        let row = (self.width * size_of::<Texel>()) as u32;
        let context = self.core.context();
        // SAFETY: the texture has `height` rows of `width` texels of 16 bytes, and `texels` has exactly these, tightly
        // packed; the call copies them. The context's lock is held.
        unsafe {
            context.UpdateSubresource(&self.texture, 0, None, texels.as_ptr().cast(), row, 0);
            context.End(&self.done);
            context.Flush();
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.core.wait_for("uploading", || {
            let mut done = BOOL(0);
            // SAFETY: an event's answer is a BOOL, passed with its size; it is left alone until the event has come.
            // The context's lock is held.
            let asked = unsafe {
                let context = self.core.context();
                context.GetData(&self.done, Some((&raw mut done).cast()), size_of::<BOOL>() as u32, 0)
            };
            asked.map_err(|e| error("waiting for an upload", e))?;
            Ok(done.as_bool().then_some(()))
        })?;
        self.core.removed()
    }
}

struct Received {
    /// A copy that the processor can read, of the same size and format.
    staging: Option<ID3D11Texture2D>,
    texture: ID3D11Texture2D,
    description: D3D11_TEXTURE2D_DESC,
    core: Arc<Core>,
}

/// Mapped memory of a staging texture.
struct Mapped<'t> {
    memory: D3D11_MAPPED_SUBRESOURCE,
    texture: &'t ID3D11Texture2D,
    core: &'t Core,
}

impl Drop for Mapped<'_> {
    fn drop(&mut self) {
        // SAFETY: the texture was mapped when this was made. The context's lock is held.
        unsafe { self.core.context().Unmap(self.texture, 0) }
    }
}

impl Received {
    fn new(core: &Arc<Core>, texture: ID3D11Texture2D) -> Self {
        let mut description = D3D11_TEXTURE2D_DESC::default();
        // SAFETY: the place to be written is there.
        unsafe { texture.GetDesc(&mut description) };
        Received { staging: None, texture, description, core: core.clone() }
    }

    fn staging(&mut self) -> Result<ID3D11Texture2D, DeviceError> {
        if let Some(staging) = &self.staging {
            return Ok(staging.clone());
        }
        let description = D3D11_TEXTURE2D_DESC {
            MipLevels: 1,
            ArraySize: 1,
            SampleDesc: DXGI_SAMPLE_DESC { Count: 1, Quality: 0 },
            Usage: D3D11_USAGE_STAGING,
            BindFlags: 0,
            CPUAccessFlags: D3D11_CPU_ACCESS_READ.0 as u32,
            MiscFlags: 0,
            ..self.description
        };
        Ok(self.staging.insert(self.core.texture(&description)?).clone())
    }
}

impl ReceivedTexture for Received {
    fn width(&self) -> usize {
        self.description.Width as usize
    }

    fn height(&self) -> usize {
        self.description.Height as usize
    }

    fn format(&self) -> u32 {
        self.description.Format.0 as u32
    }

    fn read(&mut self, bytes_per_texel: usize, row: &mut dyn FnMut(&[u8])) -> Result<(), DeviceError> {
        let staging = self.staging()?;
        {
            let context = self.core.context();
            // SAFETY: both textures are of this device, and of one size and format. The context's lock is held.
            unsafe {
                context.CopySubresourceRegion(&staging, 0, 0, 0, 0, &self.texture, 0, None);
                context.Flush();
            }
        }
        let mapped = self.core.wait_for("copying", || map(&self.core, &staging))?;
        let length = self.width() * bytes_per_texel;
        let pitch = mapped.memory.RowPitch as usize;
        if pitch < length {
            return Err(DeviceError::Failed(format!("rows of {length} bytes, mapped {pitch} bytes apart")));
        }
        let size = (self.height() - 1) * pitch + length;
        // SAFETY: the memory holds `height` rows, `pitch` bytes apart, of which the last has at least its own bytes; it
        // is mapped until `mapped` is dropped, and nobody writes to it.
        let memory = unsafe { std::slice::from_raw_parts(mapped.memory.pData.cast::<u8>(), size) };
        each_row(memory, pitch, length, row);
        Ok(())
    }
}

/// Gives rows of `length` bytes that begin `pitch` bytes apart.
fn each_row(memory: &[u8], pitch: usize, length: usize, row: &mut dyn FnMut(&[u8])) {
    memory.chunks(pitch).for_each(|bytes| row(&bytes[..length]));
}

/// Maps a staging texture if the device is done with it.
fn map<'t>(core: &'t Core, texture: &'t ID3D11Texture2D) -> Result<Option<Mapped<'t>>, DeviceError> {
    let mut memory = D3D11_MAPPED_SUBRESOURCE::default();
    let flags = D3D11_MAP_FLAG_DO_NOT_WAIT.0 as u32;
    // SAFETY: a staging texture with read access; the place to be written is there. The context's lock is held.
    let mapped = unsafe { core.context().Map(texture, 0, D3D11_MAP_READ, flags, Some(&mut memory)) };
    match mapped {
        Ok(()) => Ok(Some(Mapped { memory, texture, core })),
        Err(e) if e.code() == DXGI_ERROR_WAS_STILL_DRAWING => Ok(None),
        Err(e) => Err(error("reading a texture", e)),
    }
}

/// What a call that succeeded has put in its place.
fn there<T>(made: Option<T>, what: &str) -> Result<T, DeviceError> {
    made.ok_or_else(|| DeviceError::Failed(format!("Direct3D 11 said that it made a {what}, and gave none")))
}

fn said(e: &windows::core::Error) -> String {
    format!("{} ({:#010x})", e.message(), e.code().0).trim().to_owned()
}

fn error(doing: &str, e: windows::core::Error) -> DeviceError {
    let text = format!("{doing}: {}", said(&e));
    match e.code() {
        DXGI_ERROR_DEVICE_REMOVED
        | DXGI_ERROR_DEVICE_HUNG
        | DXGI_ERROR_DEVICE_RESET
        | DXGI_ERROR_DRIVER_INTERNAL_ERROR => DeviceError::Removed(text),
        E_OUTOFMEMORY => DeviceError::OutOfMemory(text),
        E_NOTIMPL | DXGI_ERROR_UNSUPPORTED => DeviceError::Unsupported(text),
        _ => DeviceError::Failed(text),
    }
}

#[cfg(test)]
#[path = "direct3d_tests.rs"]
mod tests;
