//! What OpenGL does for the benchmark: textures, buffers, programs, timed dispatches.

#![allow(unsafe_code)]

use super::Clock;
use super::kernels::{Before, Kernel, Source, Stream};
use glow::HasContext;
use shader_harness::gl::{Api, Gl};
use shader_harness::image::{Image, Pixels};
use std::path::Path;
use virtual_gpu_lut_box::hald::Layout;
use virtual_gpu_lut_box::lut::Lut3d;

/// The GPU.
pub struct Device {
    gl: Gl,
}

/// A LUT in every form that a kernel may want.
pub struct LutOnDevice {
    n: usize,
    strip: glow::Texture,
    planes: glow::Texture,
    bytes: glow::Texture,
    cube: glow::Texture,
    texels: glow::Texture,
    ocio: [Option<glow::Texture>; 2],
    entries: glow::Buffer,
    packed: glow::Buffer,
    unpacked: glow::Buffer,
    /// The entries behind the grid size, as `glsl/vglb_430_entries.comp` leaves them.
    headed: glow::Buffer,
}

/// A picture, and the target that is written.
pub struct PictureOnDevice {
    width: usize,
    height: usize,
    picture: glow::Texture,
    target: glow::Texture,
}

/// A kernel, compiled.
pub struct Program {
    main: glow::Program,
    before: Option<glow::Program>,
}

fn floats(values: impl Iterator<Item = f32>) -> Vec<u8> {
    values.flat_map(f32::to_ne_bytes).collect()
}

impl Device {
    pub fn new(name: &str) -> Result<Self, String> {
        Ok(Device { gl: Gl::new(Api::Desktop, name).map_err(|e| e.to_string())? })
    }

    pub fn name(&self) -> &str {
        &self.gl.renderer
    }

    /// A nearest-filtered texture of two or three dimensions.
    fn texture(&self, size: &[usize], internal: u32, format: u32, kind: u32, bytes: Option<&[u8]>) -> glow::Texture {
        let gl = &self.gl.functions;
        let [width, height] = [size[0] as i32, size[1] as i32];
        let target = if size.len() == 3 { glow::TEXTURE_3D } else { glow::TEXTURE_2D };
        // SAFETY: `bytes` holds all texels in the format that is named; every caller passes matching sizes.
        unsafe {
            let texture = gl.create_texture().unwrap_or_else(|e| panic!("glGenTextures: {e}"));
            gl.active_texture(glow::TEXTURE0 + 15);
            gl.bind_texture(target, Some(texture));
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
            if let [_, _, depth] = *size {
                let depth = depth as i32;
                gl.tex_storage_3d(target, 1, internal, width, height, depth);
                let data = glow::PixelUnpackData::Slice(bytes);
                gl.tex_sub_image_3d(target, 0, 0, 0, 0, width, height, depth, format, kind, data);
            } else {
                gl.tex_storage_2d(target, 1, internal, width, height);
                if bytes.is_some() {
                    let data = glow::PixelUnpackData::Slice(bytes);
                    gl.tex_sub_image_2d(target, 0, 0, 0, width, height, format, kind, data);
                }
            }
            for (name, value) in [
                (glow::TEXTURE_MIN_FILTER, glow::NEAREST),
                (glow::TEXTURE_MAG_FILTER, glow::NEAREST),
                (glow::TEXTURE_WRAP_S, glow::CLAMP_TO_EDGE),
                (glow::TEXTURE_WRAP_T, glow::CLAMP_TO_EDGE),
                (glow::TEXTURE_WRAP_R, glow::CLAMP_TO_EDGE),
            ] {
                gl.tex_parameter_i32(target, name, value as i32);
            }
            texture
        }
    }

    fn buffer(&self, bytes: &[u8]) -> glow::Buffer {
        let gl = &self.gl.functions;
        // SAFETY: the buffer is as large as the slice that fills it.
        unsafe {
            let buffer = gl.create_buffer().unwrap_or_else(|e| panic!("glGenBuffers: {e}"));
            gl.bind_buffer(glow::SHADER_STORAGE_BUFFER, Some(buffer));
            gl.buffer_data_u8_slice(glow::SHADER_STORAGE_BUFFER, bytes, glow::STATIC_DRAW);
            buffer
        }
    }

    /// Puts a LUT on the device; OpenColorIO's texture comes from `inputs`, where it is.
    pub fn lut(&self, lut: &Lut3d, inputs: &Path) -> Result<LutOnDevice, String> {
        let n = lut.size().get();
        let (strip, planes) = (Image::plain(lut, Layout::Vglb), Image::planes(lut, Layout::Vglb));
        let (Pixels::Float(strip_texels), Pixels::Bytes(plane_texels)) = (&strip.pixels, &planes.pixels) else {
            return Err("strips are float, planes are bytes".into());
        };
        let strip_bytes = floats(strip_texels.iter().flatten().copied());
        let plane_bytes: Vec<u8> = plane_texels.iter().flatten().copied().collect();
        // The 3D texture is indexed r, g, b; blue is the slowest.
        let points = (0..n * n * n).map(|i| lut.at([i % n, i / n % n, i / (n * n)]));
        let cube_bytes = floats(points.flat_map(|[r, g, b]| [r, g, b, 1.0]));
        let packed = floats(strip_texels.iter().flat_map(|t| [t[0], t[1], t[2]]));
        let ocio_path = inputs.join(format!("ocio_{n}.f32"));
        let ocio = match std::fs::read(&ocio_path) {
            Ok(rgb) => {
                let rgba = rgb.as_chunks::<12>().0.iter().flat_map(|t| [&t[..], &1.0f32.to_ne_bytes()].concat());
                let rgba: Vec<u8> = rgba.collect();
                let size = [n, n, n];
                [
                    Some(self.texture(&size, glow::RGB32F, glow::RGB, glow::FLOAT, Some(&rgb))),
                    Some(self.texture(&size, glow::RGBA32F, glow::RGBA, glow::FLOAT, Some(&rgba))),
                ]
            }
            Err(_) => [None, None],
        };
        let entries = self.buffer(&strip_bytes);
        let headed = [floats([n as f32, 0.0, 0.0, 0.0].into_iter()), strip_bytes.clone()].concat();
        let gl = &self.gl.functions;
        // SAFETY: the texel buffer's storage is the buffer that holds whole RGBA float32 texels.
        let texels = unsafe {
            let texture = gl.create_texture()?;
            gl.active_texture(glow::TEXTURE0 + 15);
            gl.bind_texture(glow::TEXTURE_BUFFER, Some(texture));
            gl.tex_buffer(glow::TEXTURE_BUFFER, glow::RGBA32F, Some(entries));
            texture
        };
        let flat = [strip.width, strip.height];
        let tall = [planes.width, planes.height];
        Ok(LutOnDevice {
            n,
            strip: self.texture(&flat, glow::RGBA32F, glow::RGBA, glow::FLOAT, Some(&strip_bytes)),
            planes: self.texture(&tall, glow::RGBA8, glow::RGBA, glow::UNSIGNED_BYTE, Some(&plane_bytes)),
            bytes: self.texture(&tall, glow::RGBA8UI, glow::RGBA_INTEGER, glow::UNSIGNED_BYTE, Some(&plane_bytes)),
            cube: self.texture(&[n, n, n], glow::RGBA32F, glow::RGBA, glow::FLOAT, Some(&cube_bytes)),
            texels,
            ocio,
            entries,
            packed: self.buffer(&packed),
            unpacked: self.buffer(&headed),
            headed: self.buffer(&headed),
        })
    }

    pub fn picture(&self, width: usize, height: usize, texels: &[[f32; 4]]) -> PictureOnDevice {
        let bytes = floats(texels.iter().flatten().copied());
        let texture = |bytes| self.texture(&[width, height], glow::RGBA32F, glow::RGBA, glow::FLOAT, bytes);
        PictureOnDevice { width, height, picture: texture(Some(&bytes)), target: texture(None) }
    }

    pub fn forget(&self, picture: PictureOnDevice) {
        // SAFETY: the names are this context's, and the value is consumed.
        unsafe {
            self.gl.functions.delete_texture(picture.picture);
            self.gl.functions.delete_texture(picture.target);
        }
    }

    /// Compiles a kernel; `Ok(None)` where OpenColorIO's shader is not at hand.
    pub fn program(&self, kernel: &Kernel, n: usize, inputs: &Path) -> Result<Option<Program>, String> {
        let text = match kernel.source {
            Source::Copy => include_str!("../../../kernels/copy.comp").to_owned(),
            Source::Strip => include_str!("../../../kernels/strip.comp").to_owned(),
            Source::Shipped => include_str!("../../../../glsl/vglb_430.comp").to_owned(),
            Source::ShippedBuffer => include_str!("../../../../glsl/vglb_430_picture.comp").to_owned(),
            Source::File => kernel.file.as_ref().map(|(text, _)| text.clone()).unwrap_or_default(),
            Source::OpenColorIo => match std::fs::read_to_string(inputs.join(format!("ocio_{n}.glsl"))) {
                Ok(function) => ocio_shader(&function),
                Err(_) => return Ok(None),
            },
        };
        let head = text.find('\n').map_or(0, |i| i + 1);
        let text = format!("{}{}{}", &text[..head], kernel.defines(), &text[head..]);
        let before = match kernel.before {
            Some(Before::Unpack) => Some(self.compile(include_str!("../../../kernels/unpack.comp"))?),
            Some(Before::Copy) => Some(self.compile(include_str!("../../../kernels/strip_to_buffer.comp"))?),
            Some(Before::Entries) => Some(self.compile(include_str!("../../../../glsl/vglb_430_entries.comp"))?),
            None => None,
        };
        let main = self.compile(&text).map_err(|e| format!("{}: {e}", kernel.name))?;
        Ok(Some(Program { main, before }))
    }

    fn compile(&self, text: &str) -> Result<glow::Program, String> {
        let gl = &self.gl.functions;
        // SAFETY: the names are this context's.
        unsafe {
            let program = gl.create_program()?;
            let shader = gl.create_shader(glow::COMPUTE_SHADER)?;
            gl.shader_source(shader, text);
            gl.compile_shader(shader);
            if !gl.get_shader_compile_status(shader) {
                return Err(gl.get_shader_info_log(shader));
            }
            gl.attach_shader(program, shader);
            gl.link_program(program);
            gl.delete_shader(shader);
            if !gl.get_program_link_status(program) {
                return Err(gl.get_program_info_log(program));
            }
            Ok(program)
        }
    }

    fn bind(&self, kernel: &Kernel, lut: &LutOnDevice, picture: &PictureOnDevice) {
        let gl = &self.gl.functions;
        let shipped_lut = match (kernel.source, kernel.stream) {
            (Source::Shipped | Source::ShippedBuffer | Source::File, Stream::Planes) => lut.planes,
            _ => lut.strip,
        };
        let ocio = lut.ocio[usize::from(kernel.defines().contains("FETCH RGBA"))];
        let flat = glow::TEXTURE_2D;
        let units = [
            (0, flat, Some(picture.picture)),
            (1, flat, Some(shipped_lut)),
            (2, flat, Some(lut.planes)),
            (3, glow::TEXTURE_3D, if kernel.source == Source::OpenColorIo { ocio } else { Some(lut.cube) }),
            (4, glow::TEXTURE_BUFFER, Some(lut.texels)),
            (5, flat, Some(lut.bytes)),
        ];
        let entries = match (kernel.before, kernel.source) {
            (Some(_), _) => lut.unpacked,
            (None, Source::ShippedBuffer) => lut.headed,
            (None, _) => lut.entries,
        };
        // SAFETY: the names are this context's; the units are those that the kernels name.
        unsafe {
            for (unit, target, texture) in units {
                gl.active_texture(glow::TEXTURE0 + unit);
                gl.bind_texture(target, texture);
            }
            gl.bind_image_texture(0, Some(picture.target), 0, false, 0, glow::WRITE_ONLY, glow::RGBA32F);
            gl.bind_image_texture(1, Some(picture.picture), 0, false, 0, glow::READ_ONLY, glow::RGBA32F);
            gl.bind_image_texture(2, Some(lut.strip), 0, false, 0, glow::READ_ONLY, glow::RGBA32F);
            for (slot, buffer) in [(0, entries), (1, lut.packed), (2, lut.unpacked)] {
                gl.bind_buffer_base(glow::SHADER_STORAGE_BUFFER, slot, Some(buffer));
            }
        }
    }

    fn dispatch(&self, kernel: &Kernel, program: &Program, lut: &LutOnDevice, picture: &PictureOnDevice) {
        let gl = &self.gl.functions;
        let (pixels, across) = kernel.pixels;
        let [x, y] = kernel.group;
        let tile = if across { [x * pixels, y] } else { [x, y * pixels] };
        // SAFETY: programs and bindings are this context's; kernels check or the API discards what is outside the target.
        unsafe {
            if let Some(before) = program.before {
                gl.use_program(Some(before));
                let groups = match kernel.before {
                    Some(Before::Entries) => [(lut.n * lut.n).div_ceil(8), lut.n.div_ceil(8)],
                    _ => [(lut.n * lut.n * lut.n).div_ceil(64), 1],
                };
                gl.dispatch_compute(groups[0] as u32, groups[1] as u32, 1);
                gl.memory_barrier(glow::SHADER_STORAGE_BARRIER_BIT);
            }
            gl.use_program(Some(program.main));
            gl.dispatch_compute((picture.width as u32).div_ceil(tile[0]), (picture.height as u32).div_ceil(tile[1]), 1);
            gl.memory_barrier(glow::SHADER_IMAGE_ACCESS_BARRIER_BIT | glow::TEXTURE_FETCH_BARRIER_BIT);
        }
    }

    /// Nanoseconds that one dispatch takes, the mean of `repeat` in a row.
    pub fn time(
        &self,
        kernel: &Kernel,
        program: &Program,
        (lut, picture): (&LutOnDevice, &PictureOnDevice),
        repeat: usize,
        clock: Clock,
    ) -> Result<f64, String> {
        let gl = &self.gl.functions;
        self.bind(kernel, lut, picture);
        // One outside the timing, so that what the last kernel left behind is not counted.
        self.dispatch(kernel, program, lut, picture);
        let repeated = || (0..repeat).for_each(|_| self.dispatch(kernel, program, lut, picture));
        // SAFETY: the query is this context's, and its result is waited for before it is read.
        let elapsed = unsafe {
            match clock {
                Clock::Gpu => {
                    let query = gl.create_query()?;
                    gl.begin_query(glow::TIME_ELAPSED, query);
                    repeated();
                    gl.end_query(glow::TIME_ELAPSED);
                    gl.finish();
                    let elapsed = gl.get_query_parameter_u64(query, glow::QUERY_RESULT);
                    gl.delete_query(query);
                    elapsed as f64
                }
                Clock::Wall => {
                    gl.finish();
                    let start = std::time::Instant::now();
                    repeated();
                    gl.finish();
                    start.elapsed().as_nanos() as f64
                }
            }
        };
        // SAFETY: the context is current.
        match unsafe { gl.get_error() } {
            glow::NO_ERROR => Ok(elapsed / repeat as f64),
            error => Err(format!("{}: OpenGL error {error:#x}", kernel.name)),
        }
    }

    /// What a kernel writes.
    pub fn result(
        &self,
        kernel: &Kernel,
        program: &Program,
        lut: &LutOnDevice,
        picture: &PictureOnDevice,
    ) -> Vec<[f32; 4]> {
        let gl = &self.gl.functions;
        self.bind(kernel, lut, picture);
        self.dispatch(kernel, program, lut, picture);
        let mut bytes = vec![0; picture.width * picture.height * 16];
        // SAFETY: the slice has room for all texels of the target.
        unsafe {
            gl.memory_barrier(glow::ALL_BARRIER_BITS);
            gl.active_texture(glow::TEXTURE0 + 15);
            gl.bind_texture(glow::TEXTURE_2D, Some(picture.target));
            let into = glow::PixelPackData::Slice(Some(&mut bytes));
            gl.get_tex_image(glow::TEXTURE_2D, 0, glow::RGBA, glow::FLOAT, into);
        }
        let (floats, _) = bytes.as_chunks::<4>();
        floats.as_chunks::<4>().0.iter().map(|t| t.map(f32::from_ne_bytes)).collect()
    }
}

/// OpenColorIO's function inside a compute shader.
fn ocio_shader(function: &str) -> String {
    format!(
        "#version 430 core
layout(local_size_x = WG_X, local_size_y = WG_Y) in;
layout(binding = 0) uniform sampler2D picture;
layout(binding = 0, rgba32f) writeonly uniform image2D graded;
{}
void main()
{{
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    imageStore(graded, at, OCIOMain(texelFetch(picture, at, 0)));
}}
",
        function.replace("uniform sampler3D", "layout(binding = 3) uniform sampler3D")
    )
}
