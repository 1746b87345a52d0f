//! The sender's images as OpenGL textures, and what is in them.

use super::Context;
use super::memory::{DEDICATED_MEMORY_OBJECT, HANDLE_TYPE_OPAQUE_FD, LINEAR_TILING, OPTIMAL_TILING, TEXTURE_TILING};
use anyhow::{anyhow, bail};
use glow::HasContext;
use std::ffi::c_int;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use virtual_gpu_lut_box::hald::Texel;
use virtual_gpu_lut_box::texture::linux::GpuImages;

/// Copies every texel's bits, as a shader sees them, into a buffer.
const FETCH: &str = "#version 430
layout(local_size_x = 64) in;
uniform sampler2D strip;
layout(std430, binding = 0) writeonly buffer Bits { uvec4 bits[]; };
void main() {
    ivec2 size = textureSize(strip, 0);
    int i = int(gl_GlobalInvocationID.x);
    if (i < size.x * size.y) {
        bits[i] = floatBitsToUint(texelFetch(strip, ivec2(i % size.x, i / size.x), 0));
    }
}";

/// The images of one surface, imported.
pub struct Images<'a> {
    context: &'a Context,
    textures: Vec<Imported>,
    width: usize,
    height: usize,
    fetch: glow::Program,
}

struct Imported {
    memory: u32,
    texture: glow::Texture,
}

impl<'a> Images<'a> {
    /// Imports all images of a surface.
    pub fn import(context: &'a Context, images: &GpuImages) -> anyhow::Result<Self> {
        let (gl, shape) = (&context.gl, images.shape());
        // SAFETY: the context is current, here and below: it is not `Send`, and `Images` borrows it.
        let fetch = unsafe { program(gl) }?;
        let (width, height) = (shape.width(), shape.height());
        let mut imported = Images { context, textures: Vec::new(), width, height, fetch };
        for slot in 0..images.count() {
            imported.textures.push(import(context, images, images.memory(slot)?)?);
        }
        Ok(imported)
    }

    /// One image by `glGetTexImage`, which the device has finished on return.
    pub fn copy(&self, slot: usize) -> anyhow::Result<Vec<Texel>> {
        let gl = &self.context.gl;
        let mut bytes = vec![0; self.width * self.height * 16];
        // SAFETY: the texture is this context's; the buffer is as large as its only level is in this format.
        unsafe {
            gl.bind_texture(glow::TEXTURE_2D, Some(self.textures[slot].texture));
            let into = glow::PixelPackData::Slice(Some(&mut bytes));
            gl.get_tex_image(glow::TEXTURE_2D, 0, glow::RGBA, glow::FLOAT, into);
            check(gl, "reading the texture")?;
        }
        Ok(bytes.as_chunks::<16>().0.to_vec())
    }

    /// One image as a renderer's shader sees it, which the device has finished on return.
    pub fn fetch(&self, slot: usize) -> anyhow::Result<Vec<Texel>> {
        let gl = &self.context.gl;
        let texels = self.width * self.height;
        let mut bytes = vec![0; texels * 16];
        // SAFETY: program, texture and buffer are this context's, and the shader stays within the buffer.
        unsafe {
            let buffer = gl.create_buffer().map_err(|e| anyhow!(e))?;
            gl.bind_buffer(glow::SHADER_STORAGE_BUFFER, Some(buffer));
            gl.buffer_data_size(glow::SHADER_STORAGE_BUFFER, bytes.len() as i32, glow::STREAM_READ);
            gl.bind_buffer_base(glow::SHADER_STORAGE_BUFFER, 0, Some(buffer));
            gl.use_program(Some(self.fetch));
            gl.active_texture(glow::TEXTURE0);
            gl.bind_texture(glow::TEXTURE_2D, Some(self.textures[slot].texture));
            gl.dispatch_compute(texels.div_ceil(64) as u32, 1, 1);
            gl.memory_barrier(glow::BUFFER_UPDATE_BARRIER_BIT);
            gl.get_buffer_sub_data(glow::SHADER_STORAGE_BUFFER, 0, &mut bytes);
            gl.delete_buffer(buffer);
            check(gl, "fetching the texture in a shader")?;
        }
        Ok(bytes.as_chunks::<16>().0.to_vec())
    }
}

impl Drop for Images<'_> {
    fn drop(&mut self) {
        let gl = &self.context.gl;
        // SAFETY: all of it is this context's, and nothing uses it any more.
        unsafe {
            for imported in &self.textures {
                gl.delete_texture(imported.texture);
                (self.context.memory.delete)(1, &imported.memory);
            }
            gl.delete_program(self.fetch);
        }
    }
}

/// Imports one image, described to OpenGL as its sender has made it.
fn import(context: &Context, images: &GpuImages, handle: OwnedFd) -> anyhow::Result<Imported> {
    let (gl, memory) = (&context.gl, &context.memory);
    let description = images.description();
    let tiling = match description.tiling {
        0 => OPTIMAL_TILING,
        1 => LINEAR_TILING,
        other => bail!("the sender's images have tiling {other}; OpenGL knows 0 and 1"),
    };
    let (width, height) = (c_int::try_from(description.width)?, c_int::try_from(description.height)?);
    let dedicated = c_int::from(description.dedicated);
    let mut object = 0;
    // SAFETY: the context is current and has these functions. Size and descriptor came from a sender on the same device
    // and driver, as it has compared; the descriptor is open.
    unsafe {
        (memory.create)(1, &mut object);
        (memory.parameter)(object, DEDICATED_MEMORY_OBJECT, &dedicated);
        // OpenGL takes the descriptor over, unless the import fails.
        let handle = handle.into_raw_fd();
        (memory.import_fd)(object, description.memory_bytes, HANDLE_TYPE_OPAQUE_FD, handle);
        if let Err(e) = check(gl, "importing the sender's memory") {
            drop(OwnedFd::from_raw_fd(handle));
            (memory.delete)(1, &object);
            return Err(e);
        }
        let texture = gl.create_texture().map_err(|e| anyhow!(e))?;
        gl.bind_texture(glow::TEXTURE_2D, Some(texture));
        gl.tex_parameter_i32(glow::TEXTURE_2D, TEXTURE_TILING, tiling as i32);
        (memory.tex_storage_2d)(glow::TEXTURE_2D, 1, glow::RGBA32F, width, height, object, description.offset);
        gl.tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MIN_FILTER, glow::NEAREST as i32);
        gl.tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MAG_FILTER, glow::NEAREST as i32);
        check(gl, "making a texture of the sender's memory")?;
        Ok(Imported { memory: object, texture })
    }
}

/// # Safety
/// The context of `gl` is current.
unsafe fn program(gl: &glow::Context) -> anyhow::Result<glow::Program> {
    // SAFETY: the caller's; the names are this context's.
    unsafe {
        let (program, shader) = (gl.create_program(), gl.create_shader(glow::COMPUTE_SHADER));
        let (program, shader) = (program.map_err(|e| anyhow!(e))?, shader.map_err(|e| anyhow!(e))?);
        gl.shader_source(shader, FETCH);
        gl.compile_shader(shader);
        gl.attach_shader(program, shader);
        gl.link_program(program);
        gl.delete_shader(shader);
        match gl.get_program_link_status(program) {
            true => Ok(program),
            false => bail!("the shader does not compile: {}", gl.get_program_info_log(program)),
        }
    }
}

/// # Safety
/// The context of `gl` is current.
unsafe fn check(gl: &glow::Context, doing: &str) -> anyhow::Result<()> {
    // SAFETY: the caller's.
    match unsafe { gl.get_error() } {
        glow::NO_ERROR => Ok(()),
        error => bail!("{doing}: OpenGL error {error:#x}"),
    }
}
