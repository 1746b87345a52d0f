use khronos_egl as egl;
use std::ffi::c_void;
use std::sync::OnceLock;

/// Which OpenGL a context is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// OpenGL 4.3 core profile, or later.
    Desktop,
    /// OpenGL ES 3.0, or later.
    Es,
}

/// Why there is no context.
#[derive(Debug)]
pub enum EglError {
    /// libEGL is missing or too old.
    NoLibrary(String),
    /// A call failed.
    Failed(&'static str, String),
    /// Devices there are, but not the wanted one.
    NoSuchDevice {
        /// What was asked for.
        wanted: String,
        /// The devices that were found, or what was wrong with them.
        seen: Vec<String>,
    },
}

impl std::fmt::Display for EglError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EglError::NoLibrary(e) => write!(f, "libEGL.so.1 with EGL 1.5 cannot be loaded: {e}"),
            EglError::Failed(call, e) => write!(f, "{call} failed: {e}"),
            EglError::NoSuchDevice { wanted, seen } => {
                write!(f, "no OpenGL device is called {wanted:?}; found: {}", seen.join(", "))
            }
        }
    }
}

impl std::error::Error for EglError {}

type Library = egl::DynamicInstance<egl::EGL1_5>;

const PLATFORM_DEVICE: egl::Enum = 0x313F;
const PLATFORM_SURFACELESS: egl::Enum = 0x31DD;

fn library() -> Result<&'static Library, EglError> {
    static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
    LIBRARY
        .get_or_init(|| {
            // SAFETY: libEGL's initialisers are those of the system's graphics stack, which is made to be loaded so.
            unsafe { Library::load_required() }.map_err(|e| e.to_string())
        })
        .as_ref()
        .map_err(|e| EglError::NoLibrary(e.clone()))
}

/// A way to a device that a context can be made on.
#[derive(Clone, Copy)]
pub struct Device {
    platform: egl::Enum,
    native: *mut c_void,
}

/// All devices that EGL lists, then the platform without surfaces, which needs no listing.
pub fn devices() -> Result<Vec<Device>, EglError> {
    let library = library()?;
    let mut list = Vec::new();
    if let Some(query) = library.get_proc_address("eglQueryDevicesEXT") {
        type QueryDevices = extern "system" fn(egl::Int, *mut *mut c_void, *mut egl::Int) -> egl::Boolean;
        // SAFETY: this is the signature that EGL_EXT_device_enumeration gives to the function of this name.
        let query: QueryDevices = unsafe { std::mem::transmute(query) };
        let mut found = [std::ptr::null_mut(); 16];
        let mut count = 0;
        if query(found.len() as egl::Int, found.as_mut_ptr(), &mut count) == egl::TRUE {
            list.extend(
                found[..count.max(0) as usize].iter().map(|d| Device { platform: PLATFORM_DEVICE, native: *d }),
            );
        }
    }
    list.push(Device { platform: PLATFORM_SURFACELESS, native: std::ptr::null_mut() });
    Ok(list)
}

/// A context that is current on this thread, without a surface.
pub struct Current {
    display: egl::Display,
    context: egl::Context,
    // Contexts are current on one thread: not Send.
    _here: std::marker::PhantomData<*mut ()>,
}

impl Current {
    pub fn new(device: Device, api: Api) -> Result<Self, EglError> {
        let library = library()?;
        let failed = |call| move |e: egl::Error| EglError::Failed(call, e.to_string());
        // SAFETY: the native handle belongs to the platform: a device from eglQueryDevicesEXT, or null for the default.
        let display = unsafe { library.get_platform_display(device.platform, device.native, &[egl::ATTRIB_NONE]) }
            .map_err(failed("eglGetPlatformDisplay"))?;
        library.initialize(display).map_err(failed("eglInitialize"))?;
        let (bind, renderable) = match api {
            Api::Desktop => (egl::OPENGL_API, egl::OPENGL_BIT),
            Api::Es => (egl::OPENGL_ES_API, egl::OPENGL_ES3_BIT),
        };
        library.bind_api(bind).map_err(failed("eglBindAPI"))?;
        let wanted = [egl::SURFACE_TYPE, egl::PBUFFER_BIT, egl::RENDERABLE_TYPE, renderable, egl::NONE];
        let config = library
            .choose_first_config(display, &wanted)
            .map_err(failed("eglChooseConfig"))?
            .ok_or_else(|| EglError::Failed("eglChooseConfig", "no configuration".into()))?;
        let attributes: &[egl::Int] = match api {
            Api::Desktop => &[
                egl::CONTEXT_MAJOR_VERSION,
                4,
                egl::CONTEXT_MINOR_VERSION,
                3,
                egl::CONTEXT_OPENGL_PROFILE_MASK,
                egl::CONTEXT_OPENGL_CORE_PROFILE_BIT,
                egl::NONE,
            ],
            Api::Es => &[egl::CONTEXT_MAJOR_VERSION, 3, egl::CONTEXT_MINOR_VERSION, 0, egl::NONE],
        };
        let context = library.create_context(display, config, None, attributes).map_err(failed("eglCreateContext"))?;
        library.make_current(display, None, None, Some(context)).map_err(failed("eglMakeCurrent"))?;
        Ok(Current { display, context, _here: std::marker::PhantomData })
    }

    /// The address of a function, or null.
    pub fn function(&self, name: &str) -> *const c_void {
        library()
            .ok()
            .and_then(|library| library.get_proc_address(name))
            .map_or(std::ptr::null(), |f| f as *const c_void)
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        if let Ok(library) = library() {
            // The display stays initialised: other threads share it. Nothing useful can be done about an error here.
            let _ = library.make_current(self.display, None, None, None);
            let _ = library.destroy_context(self.display, self.context);
        }
    }
}
