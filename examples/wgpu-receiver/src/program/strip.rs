//! The LUT as a texture of wgpu's, whichever way it comes.

use super::device::Device;
use super::vulkan::{self, Images};
use anyhow::{Context, bail};
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::hald::TextureShape;
use virtual_gpu_lut_box::texture::linux::{DeviceIdentity, GpuFrame, GpuReceiver, LinuxBackend, Taken};
use virtual_gpu_lut_box::texture::{Event, Frame, TextureError};

/// A stream's textures.
pub struct Strips<'a> {
    device: &'a Device,
    receiver: GpuReceiver,
    /// Why pixels are received, where that is so.
    no_images: Option<String>,
    images: Option<Images<'a>>,
}

/// A texture of wgpu's with a LUT in it.
pub struct Received {
    pub texture: wgpu::Texture,
    pub shape: TextureShape,
    pub revision: u64,
    /// How it came, for people.
    pub way: String,
}

impl<'a> Strips<'a> {
    /// Connects: for images of wgpu's device, if `images` is set and sender and device have them; else for pixels.
    pub fn connect(device: &'a Device, backend: &LinuxBackend, stream: &str, images: bool) -> anyhow::Result<Self> {
        let connected = |receiver, no_images| Ok(Strips { device, receiver, no_images, images: None });
        let why = match images {
            false => "as was asked for".into(),
            true if !device.imports() => "wgpu's device has no VK_KHR_external_memory_fd".into(),
            true => match backend.open_images(stream, vulkan::identity(device)?) {
                Ok(receiver) => return connected(receiver, None),
                // The sender is on another device, has another driver, or none.
                Err(TextureError::Refused { why, .. }) => format!("the sender says: {why}"),
                Err(e) => return Err(e.into()),
            },
        };
        connected(backend.open_on_gpu(stream, DeviceIdentity::default())?, Some(why))
    }

    /// Waits for the next texture, and copies it into one of wgpu's.
    pub fn next(&mut self, patience: Duration) -> anyhow::Result<Received> {
        let (started, mut pixels) = (Instant::now(), Frame::default());
        loop {
            match self.receiver.wait(Some(patience.saturating_sub(started.elapsed())))? {
                Event::Frame => {}
                Event::Ended => bail!("the stream has ended"),
                Event::TimedOut => bail!("no texture within {} s", patience.as_secs()),
            }
            match self.receiver.take(&mut pixels)? {
                Taken::Nothing => {}
                Taken::Image(frame) => return self.import(frame),
                Taken::Pixels => return self.upload(&pixels),
            }
        }
    }

    fn import(&mut self, frame: GpuFrame) -> anyhow::Result<Received> {
        let (shape, revision) = (frame.images().shape(), frame.revision());
        let mut way = "an image of this device".to_owned();
        if self.images.as_ref().is_none_or(|images| images.surface() != frame.images().surface()) {
            self.images = None;
            let started = Instant::now();
            self.images = Some(Images::import(self.device, frame.images())?);
            let milliseconds = started.elapsed().as_secs_f64() * 1e3;
            way += &format!(", {} imported in {milliseconds:.2} ms", frame.images().count());
        }
        let images = self.images.as_ref().context("images were imported")?;
        let texture = texture(self.device, shape);
        images.copy(frame.image(), &texture)?;
        Ok(Received { texture, shape, revision, way })
    }

    /// Pixels, taken to the device by the processor.
    fn upload(&self, frame: &Frame) -> anyhow::Result<Received> {
        let shape = frame.shape.context("the transport tells how the LUT lies in the texture")?;
        let texture = texture(self.device, shape);
        write(self.device, &texture, shape, frame.texels.as_flattened());
        let why = self.no_images.as_deref().unwrap_or("the sender has no images any more");
        Ok(Received { texture, shape, revision: frame.revision, way: format!("pixels that were uploaded ({why})") })
    }
}

/// A texture of wgpu's for a strip of this shape.
fn texture(device: &Device, shape: TextureShape) -> wgpu::Texture {
    let texture = device.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("strip"),
        size: extent(shape),
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba32Float,
        usage: wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::TEXTURE_BINDING,
        view_formats: &[],
    });
    // What wgpu has not seen written it clears before it is first read: it does not see what Vulkan copies there.
    write(device, &texture, shape, &vec![0; shape.bytes()]);
    texture
}

fn write(device: &Device, texture: &wgpu::Texture, shape: TextureShape, bytes: &[u8]) {
    let rows = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(shape.width() as u32 * 16),
        rows_per_image: Some(shape.height() as u32),
    };
    device.queue.write_texture(texture.as_image_copy(), bytes, rows, extent(shape));
}

fn extent(shape: TextureShape) -> wgpu::Extent3d {
    wgpu::Extent3d { width: shape.width() as u32, height: shape.height() as u32, depth_or_array_layers: 1 }
}
