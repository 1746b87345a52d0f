//! The project's own WGSL shader, as its setup page says: docs/hosts/wgsl.md.

use super::device::Device;
use super::picture::Picture;
use anyhow::Context;
use std::sync::mpsc;
use virtual_gpu_lut_box::hald::Layout;

const SHADER: &str = include_str!("../../../../shaders/wgsl/vglb.wgsl");

/// The shader, set up for one layout.
pub struct Grade<'a> {
    device: &'a Device,
    pipeline: wgpu::ComputePipeline,
}

impl<'a> Grade<'a> {
    pub fn new(device: &'a Device, layout: Layout) -> Self {
        let number = Layout::ALL.iter().position(|known| *known == layout).unwrap_or(0);
        let source = wgpu::ShaderSource::Wgsl(SHADER.into());
        let module =
            device.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("vglb.wgsl"), source });
        let group = group_layout(&device.device);
        let layout = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&group)],
            immediate_size: 0,
        });
        let pipeline = device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("grade"),
            layout: Some(&layout),
            module: &module,
            entry_point: Some("compute_main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[("VGLB_LAYOUT", number as f64)],
                ..Default::default()
            },
            cache: None,
        });
        Grade { device, pipeline }
    }

    /// Puts the LUT in `strip` on a picture.
    pub fn apply(&self, picture: &Picture, strip: &wgpu::Texture) -> anyhow::Result<Picture> {
        let Device { device, queue, .. } = self.device;
        let (before, after) = (self.texture(picture, false), self.texture(picture, true));
        let bytes: Vec<u8> = picture.pixels.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
        let (width, height) = (picture.width as u32, picture.height as u32);
        let rows =
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(width * 16), rows_per_image: Some(height) };
        queue.write_texture(before.as_image_copy(), &bytes, rows, before.size());
        let views = [&before, strip, &after].map(|t| t.create_view(&wgpu::TextureViewDescriptor::default()));
        let entry = |i: usize| wgpu::BindGroupEntry {
            binding: i as u32,
            resource: wgpu::BindingResource::TextureView(&views[i]),
        };
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &[entry(0), entry(1), entry(2)],
        });
        // Rows of what is read back begin at multiples of 256 bytes.
        let pitch = (width * 16).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let read_back = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: u64::from(pitch) * u64::from(height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(width.div_ceil(8), height.div_ceil(128), 1);
        }
        let layout =
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(pitch), rows_per_image: Some(height) };
        let into = wgpu::TexelCopyBufferInfo { buffer: &read_back, layout };
        encoder.copy_texture_to_buffer(after.as_image_copy(), into, after.size());
        queue.submit([encoder.finish()]);
        self.read(&read_back, pitch as usize, picture)
    }

    fn read(&self, buffer: &wgpu::Buffer, pitch: usize, picture: &Picture) -> anyhow::Result<Picture> {
        let (sender, mapped) = mpsc::channel();
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver waits below, and otherwise nobody wants to know.
            let _ = sender.send(result);
        });
        self.device.wait()?;
        mapped.recv().context("the device has not answered")?.context("reading the result")?;
        let bytes = buffer.get_mapped_range(..).context("reading the result")?;
        let mut pixels = Vec::with_capacity(picture.pixels.len());
        for row in bytes.chunks_exact(pitch) {
            let (floats, _) = row[..picture.width * 16].as_chunks::<4>();
            pixels.extend(floats.as_chunks::<4>().0.iter().map(|p| p.map(f32::from_le_bytes)));
        }
        Ok(Picture { width: picture.width, height: picture.height, pixels })
    }

    fn texture(&self, picture: &Picture, written: bool) -> wgpu::Texture {
        let usage = match written {
            false => wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::TEXTURE_BINDING,
            true => wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::COPY_SRC,
        };
        let (width, height) = (picture.width as u32, picture.height as u32);
        self.device.device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba32Float,
            usage,
            view_formats: &[],
        })
    }
}

/// The picture, the stream and the target, as the setup page has them.
fn group_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let entry =
        |binding, ty| wgpu::BindGroupLayoutEntry { binding, visibility: wgpu::ShaderStages::COMPUTE, ty, count: None };
    let view_dimension = wgpu::TextureViewDimension::D2;
    let read = wgpu::BindingType::Texture {
        sample_type: wgpu::TextureSampleType::Float { filterable: false },
        view_dimension,
        multisampled: false,
    };
    let write = wgpu::BindingType::StorageTexture {
        access: wgpu::StorageTextureAccess::WriteOnly,
        format: wgpu::TextureFormat::Rgba32Float,
        view_dimension,
    };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &[entry(0, read), entry(1, read), entry(2, write)],
    })
}
