//! Reads a stream through a graphics device and through the memory ring at the same time, and compares the bits.

use super::super::receiver::LinuxReceiver;
use super::super::vulkan::{DeviceFacts, Gpu, ImageReader, ReadBy};
use super::{GpuFrame, GpuReceiver, Taken};
use crate::hald::Texel;
use crate::texture::{Event, Frame, GpuProbe, GpuReading, RGBA32F, TextureError, TextureReceiver};
use std::time::{Duration, Instant};

/// How long to try for one revision that both have.
const COMPARE_PATIENCE: Duration = Duration::from_secs(5);

/// A stream, twice.
pub(in crate::texture::linux) struct Probe {
    /// The imported images, and of which surface they are. Dropped before the device.
    reader: Option<(u64, ImageReader)>,
    images: GpuReceiver,
    ring: LinuxReceiver,
    of_ring: Frame,
    by_fetch: Vec<Texel>,
    gpu: Gpu,
}

impl Probe {
    pub(in crate::texture::linux) fn new(gpu: Gpu, images: GpuReceiver, ring: LinuxReceiver) -> Self {
        Probe { reader: None, images, ring, of_ring: Frame::default(), by_fetch: Vec::new(), gpu }
    }

    /// Reads an image in both ways; whether it had to be imported, and how long that took.
    fn read_image(&mut self, image: &GpuFrame, into: &mut GpuReading) -> Result<(), TextureError> {
        let images = image.images();
        if self.reader.as_ref().is_none_or(|(surface, _)| *surface != images.surface()) {
            // Those before it first: both at the same time may be too much.
            self.reader = None;
            let reader = self.gpu.import(images.description(), images.all_memory()?)?;
            into.imported = Some((images.count(), reader.import_time()));
            self.reader = Some((images.surface(), reader));
        }
        let Some((_, reader)) = &mut self.reader else { return Err(TextureError::Ended) };
        let began = Instant::now();
        reader.read(image.image(), ReadBy::Copy, &mut into.frame.texels)?;
        into.copy = began.elapsed();
        let began = Instant::now();
        reader.read(image.image(), ReadBy::Fetch, &mut self.by_fetch)?;
        into.fetch = began.elapsed();
        let (shape, frame) = (images.shape(), &mut into.frame);
        (frame.width, frame.height, frame.shape) = (shape.width(), shape.height(), Some(shape));
        (frame.revision, frame.published, frame.format) = (image.revision(), image.published(), RGBA32F);
        Ok(())
    }
}

impl GpuProbe for Probe {
    fn device(&self) -> String {
        let DeviceFacts { index, name, driver, .. } = self.gpu.facts();
        format!("device {index}: {name}, {driver}")
    }

    fn wait(&mut self, timeout: Option<Duration>) -> Result<Event, TextureError> {
        self.images.wait(timeout)
    }

    fn read(&mut self) -> Result<GpuReading, TextureError> {
        let until = Instant::now() + COMPARE_PATIENCE;
        let mut reading = GpuReading::default();
        loop {
            if let Taken::Image(image) = self.images.take(&mut Frame::default())? {
                self.read_image(&image, &mut reading)?;
                self.ring.read(&mut self.of_ring)?;
                if self.of_ring.revision == image.revision() {
                    reading.copy_differs = differing(&reading.frame.texels, &self.of_ring.texels);
                    reading.fetch_differs = differing(&self.by_fetch, &self.of_ring.texels);
                    return Ok(reading);
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.images.wait(Some(left))? {
                Event::Frame if !left.is_zero() => {}
                Event::Ended => return Err(TextureError::Ended),
                _ => {
                    let of_image = reading.frame.revision;
                    return Err(TextureError::Broken(format!(
                        "the image and the memory ring never had the same texture in {COMPARE_PATIENCE:?}, so they can't be compared: the last image had revision {of_image}, the ring revision {}",
                        self.of_ring.revision
                    )));
                }
            }
        }
    }
}

/// How many texels have other bits.
fn differing(a: &[Texel], b: &[Texel]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count() + a.len().abs_diff(b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_compared_and_not_numbers() {
        let texel = |value: f32| -> Texel { [[value.to_le_bytes(); 4].concat()].concat().try_into().unwrap() };
        let (plus, minus) = (texel(0.0), texel(-0.0));
        assert_eq!(differing(&[plus, minus], &[plus, minus]), 0);
        assert_eq!(differing(&[plus, minus], &[plus, plus]), 1);
        assert_eq!(differing(&[texel(f32::NAN)], &[texel(f32::NAN)]), 0);
        assert_eq!(differing(&[plus, plus, plus], &[plus]), 2);
    }
}
