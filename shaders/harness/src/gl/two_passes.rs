use super::{Gl, Pass, texels};
use crate::image::Image;
use glow::HasContext;

impl Gl {
    /// Runs the shader that fills the buffer of entries from the LUT's texture, then the one that grades the picture
    /// from it, and returns the target, row 0 first. The buffer has room for this many `vec4`, and holds zeros before.
    ///
    /// # Errors
    /// The compiler's or linker's log.
    pub fn grade_in_two_passes(
        &self,
        [entries, grade]: [&str; 2],
        picture: &Image,
        lut: Option<&Image>,
        room: usize,
    ) -> Result<Vec<[f32; 4]>, String> {
        let pass = |shader| Pass { vertex: "", shader, textures: &[], uniforms: &[], linear: false };
        let programs = [self.program(&pass(entries))?, self.program(&pass(grade))?];
        let textures = [self.texture(picture, false), self.texture(lut.unwrap_or(picture), false)];
        let (width, height) = (picture.width as u32, picture.height as u32);
        let gl = &self.functions;
        // SAFETY: all names come from this context and outlive their use; the buffer is as large as the slice.
        unsafe {
            let buffer = gl.create_buffer()?;
            gl.bind_buffer(glow::SHADER_STORAGE_BUFFER, Some(buffer));
            gl.buffer_data_u8_slice(glow::SHADER_STORAGE_BUFFER, &vec![0; room * 16], glow::DYNAMIC_DRAW);
            gl.bind_buffer_base(glow::SHADER_STORAGE_BUFFER, 0, Some(buffer));
            for (unit, texture) in [(0, Some(textures[0])), (1, lut.map(|_| textures[1]))] {
                gl.active_texture(glow::TEXTURE0 + unit);
                gl.bind_texture(glow::TEXTURE_2D, texture);
            }
            let target = gl.create_texture()?;
            gl.active_texture(glow::TEXTURE0 + 15);
            gl.bind_texture(glow::TEXTURE_2D, Some(target));
            gl.tex_storage_2d(glow::TEXTURE_2D, 1, glow::RGBA32F, width as i32, height as i32);
            gl.bind_image_texture(0, Some(target), 0, false, 0, glow::WRITE_ONLY, glow::RGBA32F);
            let size = lut.map_or([1, 1], |lut| [lut.width as u32, lut.height as u32]);
            gl.use_program(Some(programs[0]));
            gl.dispatch_compute(size[0].div_ceil(8), size[1].div_ceil(8), 1);
            gl.memory_barrier(glow::SHADER_STORAGE_BARRIER_BIT);
            gl.use_program(Some(programs[1]));
            gl.dispatch_compute(width.div_ceil(8), height.div_ceil(128), 1);
            gl.memory_barrier(glow::TEXTURE_UPDATE_BARRIER_BIT);
            let mut bytes = vec![0; picture.width * picture.height * 16];
            let into = glow::PixelPackData::Slice(Some(&mut bytes));
            gl.get_tex_image(glow::TEXTURE_2D, 0, glow::RGBA, glow::FLOAT, into);
            let error = gl.get_error();
            gl.delete_texture(target);
            gl.delete_buffer(buffer);
            textures.into_iter().for_each(|t| gl.delete_texture(t));
            programs.into_iter().for_each(|p| gl.delete_program(p));
            if error == glow::NO_ERROR { Ok(texels(&bytes)) } else { Err(format!("OpenGL error {error:#x}")) }
        }
    }
}
