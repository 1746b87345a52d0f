//! A context on one of the computer's OpenGL devices.

use super::memory::MemoryObjects;
use anyhow::{Context as _, anyhow, bail};
use glow::HasContext;
use khronos_egl as egl;
use std::ffi::c_void;
use virtual_gpu_lut_box::texture::linux::DeviceIdentity;

type Egl = egl::DynamicInstance<egl::EGL1_5>;

/// `EGL_EXT_platform_device`
const PLATFORM_DEVICE: egl::Enum = 0x313F;
/// `EGL_MESA_platform_surfaceless`
const PLATFORM_SURFACELESS: egl::Enum = 0x31DD;

/// OpenGL 4.3 that imports memory, current on this thread.
pub struct Context {
    egl: Egl,
    display: egl::Display,
    context: egl::Context,
    name: String,
    pub(super) gl: glow::Context,
    pub(super) memory: MemoryObjects,
}

/// A way to a device: an EGL platform and its handle.
type Device = (egl::Enum, *mut c_void);

impl Context {
    /// Opens the first device whose name has `wanted` in it and that imports memory.
    pub fn open(wanted: Option<&str>) -> anyhow::Result<Self> {
        // SAFETY: the system's EGL is made to be loaded so.
        let load = || unsafe { Egl::load_required() };
        let devices = devices(&load().context("libEGL.so.1 with EGL 1.5 can't be loaded")?);
        let mut faults = Vec::new();
        for device in devices {
            let opened = load().map_err(anyhow::Error::from).and_then(|egl| Self::on(egl, device));
            match opened {
                Ok(context) if wanted.is_none_or(|w| context.name.to_lowercase().contains(&w.to_lowercase())) => {
                    return Ok(context);
                }
                Ok(context) => faults.push(format!("{} is not the one asked for", context.name)),
                Err(e) => faults.push(format!("{e:#}")),
            }
        }
        bail!("no OpenGL device can be used: {}", faults.join("; "))
    }

    fn on(egl: Egl, (platform, native): Device) -> anyhow::Result<Self> {
        // SAFETY: the handle belongs to the platform: one of its devices, or null for its only one.
        let display = unsafe { egl.get_platform_display(platform, native, &[egl::ATTRIB_NONE]) }
            .context("eglGetPlatformDisplay")?;
        egl.initialize(display).context("eglInitialize")?;
        egl.bind_api(egl::OPENGL_API).context("eglBindAPI")?;
        let wanted = [egl::SURFACE_TYPE, egl::PBUFFER_BIT, egl::RENDERABLE_TYPE, egl::OPENGL_BIT, egl::NONE];
        let config = egl.choose_first_config(display, &wanted)?.ok_or_else(|| anyhow!("no EGL configuration"))?;
        let version = [
            egl::CONTEXT_MAJOR_VERSION,
            4,
            egl::CONTEXT_MINOR_VERSION,
            3,
            egl::CONTEXT_OPENGL_PROFILE_MASK,
            egl::CONTEXT_OPENGL_CORE_PROFILE_BIT,
            egl::NONE,
        ];
        let context = egl.create_context(display, config, None, &version).context("OpenGL 4.3")?;
        egl.make_current(display, None, None, Some(context)).context("eglMakeCurrent")?;
        let function = |name: &str| egl.get_proc_address(name).map_or(std::ptr::null(), |f| f as *const c_void);
        // SAFETY: the context is current on this thread, to which it stays bound: `Context` is not `Send`. The functions
        // are those that EGL gives for these names.
        let (gl, name) = unsafe {
            let gl = glow::Context::from_loader_function(function);
            let name = format!(
                "{}, OpenGL {}",
                gl.get_parameter_string(glow::RENDERER),
                gl.get_parameter_string(glow::VERSION)
            );
            (gl, name)
        };
        if !gl.supported_extensions().contains("GL_EXT_memory_object_fd") {
            bail!("{name} has no GL_EXT_memory_object_fd");
        }
        // SAFETY: the context is current, and has the extension.
        let memory = unsafe { MemoryObjects::load(function) }.with_context(|| name.clone())?;
        Ok(Context { egl, display, context, name, gl, memory })
    }

    /// The device and its driver, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which device and driver it is, for the sender.
    pub fn identity(&self) -> DeviceIdentity {
        // SAFETY: the context is current.
        unsafe { self.memory.identity() }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // There is nothing to be done about an error here.
        let _ = self.egl.make_current(self.display, None, None, None);
        let _ = self.egl.destroy_context(self.display, self.context);
    }
}

/// All devices that EGL lists, then the platform that needs no listing.
fn devices(egl: &Egl) -> Vec<Device> {
    let mut all = Vec::new();
    if let Some(query) = egl.get_proc_address("eglQueryDevicesEXT") {
        type QueryDevices = extern "system" fn(egl::Int, *mut *mut c_void, *mut egl::Int) -> egl::Boolean;
        // SAFETY: this is the signature that EGL_EXT_device_enumeration gives the function of this name.
        let query: QueryDevices = unsafe { std::mem::transmute(query) };
        let (mut found, mut count) = ([std::ptr::null_mut(); 16], 0);
        if query(found.len() as egl::Int, found.as_mut_ptr(), &mut count) == egl::TRUE {
            let count = usize::try_from(count).unwrap_or(0).min(found.len());
            all.extend(found[..count].iter().map(|device| (PLATFORM_DEVICE, *device)));
        }
    }
    all.push((PLATFORM_SURFACELESS, std::ptr::null_mut()));
    all
}
