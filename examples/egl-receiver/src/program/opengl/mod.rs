//! OpenGL without a window, and the sender's images in it.
//!
//! | file | job |
//! | --- | --- |
//! | `context` | a context on one of the devices, through EGL |
//! | `memory` | the functions of `GL_EXT_memory_object_fd` |
//! | `image` | the sender's images as textures |

#![allow(unsafe_code)]

mod context;
mod image;
mod memory;

pub use context::Context;
pub use image::Images;
