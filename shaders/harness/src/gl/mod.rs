//! OpenGL and OpenGL ES through EGL, without a window.

#![allow(unsafe_code)]

mod draw;
mod egl;
mod two_passes;

pub(crate) use draw::texels;
pub use draw::{Pass, Uniform};
pub use egl::{Api, EglError};

use glow::HasContext;

/// A context that is current on this thread.
pub struct Gl {
    /// The functions.
    pub functions: glow::Context,
    /// The device, as the driver names it.
    pub renderer: String,
    _egl: egl::Current,
}

impl Gl {
    /// A context on the first device whose name contains `wanted`; tests ask for the software renderer `llvmpipe`.
    pub fn new(api: Api, wanted: &str) -> Result<Self, EglError> {
        let mut seen = Vec::new();
        for device in egl::devices()? {
            let current = match egl::Current::new(device, api) {
                Ok(current) => current,
                Err(e) => {
                    seen.push(e.to_string());
                    continue;
                }
            };
            // SAFETY: the context is current on this thread, and stays so as long as the functions live: both are
            // fields of one value that cannot be sent to another thread.
            let functions = unsafe { glow::Context::from_loader_function(|name| current.function(name)) };
            // SAFETY: RENDERER is a string of every context.
            let renderer = unsafe { functions.get_parameter_string(glow::RENDERER) };
            if renderer.contains(wanted) {
                return Ok(Gl { functions, renderer, _egl: current });
            }
            seen.push(renderer);
        }
        Err(EglError::NoSuchDevice { wanted: wanted.to_owned(), seen })
    }

    /// The context that tests run on: the software renderer's, or that of the device that `VGLB_TEST_DEVICE` names.
    ///
    /// # Panics
    /// Where there is none: the tests need Debian's `libegl1 libgl1-mesa-dri`, or the like.
    pub fn for_tests(api: Api) -> Self {
        Gl::new(api, &crate::test_device())
            .unwrap_or_else(|e| panic!("{e}\nThese tests need Mesa's software renderer (libegl1 libgl1-mesa-dri)."))
    }
}
