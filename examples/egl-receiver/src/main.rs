//! An example: receives a stream as OpenGL textures that share the sender's memory, with no window and no copy through
//! the processor, and says whether they hold the bits of the memory ring.
//!
//! ```text
//! egl-receiver vglb-lut-cam1 --count 10
//! ```
//!
//! A renderer does the same, and draws with the texture where this reads it back: `program/opengl/image.rs` is what it
//! needs.

#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
mod program;

#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64", target_endian = "little")))]
fn main() -> std::process::ExitCode {
    eprintln!("egl-receiver: images of graphics devices are shared on Linux only");
    std::process::ExitCode::FAILURE
}
