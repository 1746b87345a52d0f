//! Runs the checked-in shaders and compares what they give with float64 arithmetic.
//!
//! # Layout
//!
//! | module | job |
//! | --- | --- |
//! | [`luts`] | LUTs to test with |
//! | [`colours`] | the colours that are sent through them |
//! | [`image`] | LUTs as the textures that a host sees: plain, byte planes, upside down |
//! | [`mod@reference`] | what the result must be, in float64 |
//! | [`compare`] | how far a result is from that |
//! | [`shaders`] | reading the checked-in files, settings put in |
//! | [`hosts`] | what each host declares around its shader |
//! | [`tools`] | glslang, spirv-tools and the other programs that are called |
//! | [`gl`] | OpenGL and OpenGL ES through EGL, without a window |
//! | [`vulkan`] | Vulkan, without a window |

pub mod colours;
pub mod compare;
pub mod gl;
pub mod hosts;
pub mod image;
pub mod luts;
pub mod reference;
pub mod shaders;
pub mod tools;
pub mod vulkan;

/// Part of the name of the device that tests run on: `VGLB_TEST_DEVICE`, or Mesa's software renderer.
pub(crate) fn test_device() -> String {
    std::env::var("VGLB_TEST_DEVICE").unwrap_or_else(|_| "llvmpipe".into())
}
