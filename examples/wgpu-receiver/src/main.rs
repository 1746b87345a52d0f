//! An example: puts a stream's LUT on a picture with wgpu and this project's own WGSL shader, and writes a PNG.
//!
//! ```text
//! wgpu-receiver vglb-lut-cam1 --picture shot.png --out graded.png
//! ```
//!
//! The LUT comes as an image of wgpu's own graphics device, where the sender has the same one: nothing passes through the
//! processor. Otherwise its pixels are uploaded, and the program says so.

#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
mod program;

#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64", target_endian = "little")))]
fn main() -> std::process::ExitCode {
    eprintln!("wgpu-receiver: images of graphics devices are shared on Linux only");
    std::process::ExitCode::FAILURE
}
