//! The program, on Linux.

mod opengl;

use anyhow::{Context as _, bail};
use clap::Parser;
use opengl::{Context, Images};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::hald::Texel;
use virtual_gpu_lut_box::texture::linux::{GpuFrame, GpuReceiver, LinuxBackend, Taken};
use virtual_gpu_lut_box::texture::{Event, Frame, TextureBackend, TextureReceiver};

/// Receives a stream as OpenGL textures, and compares each with the memory ring.
#[derive(Parser)]
#[command(name = "egl-receiver", version)]
struct Arguments {
    /// The stream's name, as `vglb list` shows it
    stream: String,
    /// How many textures to receive
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    count: u64,
    /// A part of the OpenGL device's name; otherwise the first one that imports memory
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Give up after so many seconds without a texture
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    timeout: u64,
}

pub fn main() -> ExitCode {
    run(&Arguments::parse()).unwrap_or_else(|e| {
        eprintln!("egl-receiver: {e:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let context = Context::open(arguments.device.as_deref())?;
    println!("OpenGL device: {}", context.name());
    let backend = LinuxBackend::default();
    let patience = Duration::from_secs(arguments.timeout);
    if !backend.wait_for_stream(&arguments.stream, Some(patience))? {
        bail!("there is no stream {:?} after {} s", arguments.stream, arguments.timeout);
    }
    // Images and nothing else. A renderer calls `open_on_gpu`, and draws with pixels where there are no images.
    let receiver = backend.open_images(&arguments.stream, context.identity())?;
    let ring = backend.open(&arguments.stream)?;
    let mut reading = Reading { context: &context, receiver, ring, images: None, patience };
    let mut exact = true;
    for _ in 0..arguments.count {
        exact &= reading.next(&arguments.stream)?;
    }
    Ok(if exact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Reading<'a> {
    context: &'a Context,
    receiver: GpuReceiver,
    ring: Box<dyn TextureReceiver>,
    /// The images imported last, by their surface's number.
    images: Option<(u64, Images<'a>)>,
    patience: Duration,
}

impl Reading<'_> {
    /// Receives a texture both ways, and says whether they are the same.
    fn next(&mut self, stream: &str) -> anyhow::Result<bool> {
        let (image, ring) = self.both_ways()?;
        let mut told = format!("{stream} revision {}: {}; ", image.revision(), image.images().shape());
        let surface = image.images().surface();
        if self.images.as_ref().is_none_or(|(known, _)| *known != surface) {
            // The old ones first, so that there is memory for the new.
            self.images = None;
            let started = Instant::now();
            let images = Images::import(self.context, image.images())?;
            told += &format!("{} images imported in {}; ", image.images().count(), milliseconds(started));
            self.images = Some((surface, images));
        }
        let (_, images) = self.images.as_ref().context("images were imported")?;
        let started = Instant::now();
        let copied = images.copy(image.image())?;
        told += &format!("copied in {}, ", milliseconds(started));
        let started = Instant::now();
        let fetched = images.fetch(image.image())?;
        told += &format!("fetched by a shader in {}; ", milliseconds(started));
        // Both have waited for the device, so the image can go back to the sender.
        drop(image);
        let wrong = [&copied, &fetched].map(|texels| differing(texels, &ring.texels));
        let verdict = match wrong {
            [0, 0] => "yes".into(),
            [copied, fetched] => format!("no ({copied} copied, {fetched} fetched texels differ)"),
        };
        println!("{told}bit-exact against the memory ring: {verdict}");
        Ok(wrong == [0, 0])
    }

    /// The newest texture as an image, and the same revision out of the memory ring.
    fn both_ways(&mut self) -> anyhow::Result<(GpuFrame, Frame)> {
        let (until, mut pixels) = (Instant::now() + self.patience, Frame::default());
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.receiver.wait(Some(left))? {
                Event::Frame => {}
                Event::Ended => bail!("the stream has ended"),
                Event::TimedOut => bail!("no new texture within {:?}", self.patience),
            }
            if let Taken::Image(image) = self.receiver.take(&mut pixels)? {
                self.ring.read(&mut pixels)?;
                // While a grade moves, the ring may be ahead: the next image is on its way then.
                if pixels.revision == image.revision() {
                    return Ok((image, pixels));
                }
            }
        }
    }
}

/// How many texels are not the same, bit by bit.
fn differing(one: &[Texel], other: &[Texel]) -> usize {
    one.len().abs_diff(other.len()) + one.iter().zip(other).filter(|(a, b)| a != b).count()
}

fn milliseconds(since: Instant) -> String {
    format!("{:.2} ms", since.elapsed().as_secs_f64() * 1e3)
}
