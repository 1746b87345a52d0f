use super::Gl;
use crate::image::{Image, Pixels};
use glow::HasContext;

/// A value for a uniform of the shader.
#[derive(Clone, Copy, Debug)]
pub enum Uniform {
    /// `float`
    Float(f32),
    /// `int` or `bool`
    Int(i32),
    /// `vec2`
    Vec2(f32, f32),
}

/// One drawing of a shader over a whole float target of the picture's size.
pub struct Pass<'a> {
    /// The vertex shader; it must cover the target with three vertices.
    pub vertex: &'a str,
    /// The fragment shader, or, where `vertex` is empty, a compute shader that writes image unit 0.
    pub shader: &'a str,
    /// The textures, by the names of their samplers; the first is the picture. `None` leaves a sampler unbound.
    pub textures: &'a [(&'a str, Option<&'a Image>)],
    /// The other uniforms, by their names.
    pub uniforms: &'a [(&'a str, Uniform)],
    /// Filter the textures linearly, as hosts do that cannot be told otherwise.
    pub linear: bool,
}

impl Gl {
    /// Draws, and returns the target, row 0 first.
    ///
    /// # Errors
    /// The compiler's or linker's log.
    pub fn draw(&self, pass: &Pass<'_>) -> Result<Vec<[f32; 4]>, String> {
        let picture = pass.textures[0].1.ok_or("the first texture is the picture")?;
        let (width, height) = (picture.width as i32, picture.height as i32);
        let program = self.program(pass)?;
        let textures: Vec<_> =
            pass.textures.iter().map(|(_, image)| image.map(|image| self.texture(image, pass.linear))).collect();
        let gl = &self.functions;
        // SAFETY: all names come from this context, the target outlives its use, and the buffer that is read into is as
        // large as width·height texels of four floats.
        let result = unsafe {
            gl.use_program(Some(program));
            for (unit, ((name, _), texture)) in pass.textures.iter().zip(&textures).enumerate() {
                gl.active_texture(glow::TEXTURE0 + unit as u32);
                gl.bind_texture(glow::TEXTURE_2D, *texture);
                gl.uniform_1_i32(gl.get_uniform_location(program, name).as_ref(), unit as i32);
            }
            for (name, value) in pass.uniforms {
                let location = gl.get_uniform_location(program, name);
                match value {
                    Uniform::Float(v) => gl.uniform_1_f32(location.as_ref(), *v),
                    Uniform::Int(v) => gl.uniform_1_i32(location.as_ref(), *v),
                    Uniform::Vec2(x, y) => gl.uniform_2_f32(location.as_ref(), *x, *y),
                }
            }
            let target = gl.create_texture()?;
            gl.active_texture(glow::TEXTURE0 + 15);
            gl.bind_texture(glow::TEXTURE_2D, Some(target));
            gl.tex_storage_2d(glow::TEXTURE_2D, 1, glow::RGBA32F, width, height);
            let framebuffer = gl.create_framebuffer()?;
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(framebuffer));
            gl.framebuffer_texture_2d(glow::FRAMEBUFFER, glow::COLOR_ATTACHMENT0, glow::TEXTURE_2D, Some(target), 0);
            if pass.vertex.is_empty() {
                gl.bind_image_texture(0, Some(target), 0, false, 0, glow::WRITE_ONLY, glow::RGBA32F);
                gl.dispatch_compute((width as u32).div_ceil(8), (height as u32).div_ceil(128), 1);
                gl.memory_barrier(glow::FRAMEBUFFER_BARRIER_BIT);
            } else {
                let vertices = gl.create_vertex_array()?;
                gl.bind_vertex_array(Some(vertices));
                gl.viewport(0, 0, width, height);
                gl.draw_arrays(glow::TRIANGLES, 0, 3);
                gl.delete_vertex_array(vertices);
            }
            let mut bytes = vec![0; picture.width * picture.height * 16];
            let into = glow::PixelPackData::Slice(Some(&mut bytes));
            gl.read_pixels(0, 0, width, height, glow::RGBA, glow::FLOAT, into);
            let error = gl.get_error();
            gl.delete_framebuffer(framebuffer);
            gl.delete_texture(target);
            textures.into_iter().flatten().for_each(|t| gl.delete_texture(t));
            gl.delete_program(program);
            if error == glow::NO_ERROR { Ok(bytes) } else { Err(format!("OpenGL error {error:#x}")) }
        };
        result.map(|bytes| texels(&bytes))
    }

    pub(super) fn program(&self, pass: &Pass<'_>) -> Result<glow::Program, String> {
        let gl = &self.functions;
        let kinds: &[(u32, &str)] = if pass.vertex.is_empty() {
            &[(glow::COMPUTE_SHADER, pass.shader)]
        } else {
            &[(glow::VERTEX_SHADER, pass.vertex), (glow::FRAGMENT_SHADER, pass.shader)]
        };
        // SAFETY: the sources are text, and the names come from this context.
        unsafe {
            let program = gl.create_program()?;
            for (kind, source) in kinds {
                let shader = gl.create_shader(*kind)?;
                gl.shader_source(shader, source);
                gl.compile_shader(shader);
                if !gl.get_shader_compile_status(shader) {
                    return Err(gl.get_shader_info_log(shader));
                }
                gl.attach_shader(program, shader);
                gl.delete_shader(shader);
            }
            gl.link_program(program);
            if !gl.get_program_link_status(program) {
                return Err(gl.get_program_info_log(program));
            }
            Ok(program)
        }
    }

    /// A texture that holds the image; bytes as 8-bit normalised, floats as float32.
    pub(super) fn texture(&self, image: &Image, linear: bool) -> glow::Texture {
        let gl = &self.functions;
        let (internal, kind, bytes): (u32, u32, Vec<u8>) = match &image.pixels {
            Pixels::Float(t) => {
                (glow::RGBA32F, glow::FLOAT, t.iter().flatten().flat_map(|v| v.to_ne_bytes()).collect())
            }
            Pixels::Bytes(t) => (glow::RGBA8, glow::UNSIGNED_BYTE, t.iter().flatten().copied().collect()),
        };
        let (width, height) = (image.width as i32, image.height as i32);
        let filter = if linear { glow::LINEAR } else { glow::NEAREST } as i32;
        // SAFETY: `bytes` holds width·height texels of the format that is named.
        unsafe {
            let texture = gl.create_texture().unwrap_or_else(|e| panic!("{e}"));
            gl.active_texture(glow::TEXTURE0 + 15);
            gl.bind_texture(glow::TEXTURE_2D, Some(texture));
            gl.tex_storage_2d(glow::TEXTURE_2D, 1, internal, width, height);
            let data = glow::PixelUnpackData::Slice(Some(&bytes));
            gl.tex_sub_image_2d(glow::TEXTURE_2D, 0, 0, 0, width, height, glow::RGBA, kind, data);
            gl.tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MIN_FILTER, filter);
            gl.tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MAG_FILTER, filter);
            texture
        }
    }
}

/// Texels of four floats from the bytes in memory.
pub(crate) fn texels(bytes: &[u8]) -> Vec<[f32; 4]> {
    let float = |b: &[u8; 4]| f32::from_ne_bytes(*b);
    let (floats, _) = bytes.as_chunks::<4>();
    floats.as_chunks::<4>().0.iter().map(|t| [float(&t[0]), float(&t[1]), float(&t[2]), float(&t[3])]).collect()
}
