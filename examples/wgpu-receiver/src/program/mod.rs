//! The program, on Linux.
//!
//! | file | job |
//! | --- | --- |
//! | `device` | wgpu's device |
//! | `strip` | the LUT as a texture of wgpu's, whichever way it comes |
//! | `vulkan/` | the sender's images: the only folder with unsafe code |
//! | `grade` | the shader |
//! | `picture` | pictures as PNG, and the built-in one |

mod device;
mod grade;
mod picture;
mod strip;
mod vulkan;

use anyhow::bail;
use clap::Parser;
use device::Device;
use grade::Grade;
use picture::Picture;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use strip::{Received, Strips};
use virtual_gpu_lut_box::hald::Placement;
use virtual_gpu_lut_box::lut::Lut3d;
use virtual_gpu_lut_box::texture::TextureBackend;
use virtual_gpu_lut_box::texture::linux::LinuxBackend;

/// Puts a stream's LUT on a picture, and writes a PNG.
#[derive(Parser)]
#[command(name = "wgpu-receiver", version)]
struct Arguments {
    /// The stream's name, as `vglb list` shows it
    stream: String,
    /// The picture, a PNG; otherwise a built-in one
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Where the graded picture goes, a PNG of 16 bits a channel
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A part of the graphics device's name; otherwise wgpu chooses
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Take pixels, not images of the device
    #[arg(long)]
    pixels: bool,
    /// Grade the picture on the processor too, and fail where the two are not the same within rounding
    #[arg(long)]
    check: bool,
    /// Give up after so many seconds without a texture
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    timeout: u64,
}

/// How far the device's result may be from the processor's, as a part of the LUT's largest value (1 at least): sixteen
/// roundings of a float32. Both compute in float32, in another order.
const TOLERANCE: f32 = 16.0 * f32::EPSILON;

pub fn main() -> ExitCode {
    run(&Arguments::parse()).unwrap_or_else(|e| {
        eprintln!("wgpu-receiver: {e:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let picture = match &arguments.picture {
        Some(path) => Picture::read(path)?,
        None => Picture::built_in(),
    };
    let device = Device::open(arguments.device.as_deref())?;
    println!("wgpu device: {}", device.name());
    let (backend, patience) = (LinuxBackend::default(), Duration::from_secs(arguments.timeout));
    if !backend.wait_for_stream(&arguments.stream, Some(patience))? {
        bail!("there is no stream {:?} after {} s", arguments.stream, arguments.timeout);
    }
    let mut strips = Strips::connect(&device, &backend, &arguments.stream, !arguments.pixels)?;
    let received = strips.next(patience)?;
    println!("{} revision {}: {}, {}", arguments.stream, received.revision, received.shape, received.way);
    let graded = Grade::new(&device, received.shape.layout()).apply(&picture, &received.texture)?;
    graded.write(&arguments.out)?;
    println!("{}×{} pixels graded → {}", graded.width, graded.height, arguments.out.display());
    match arguments.check {
        true => check(&picture, &graded, &received, &backend, &arguments.stream),
        false => Ok(ExitCode::SUCCESS),
    }
}

/// Compares with the LUT out of the memory ring, put on the picture by the processor.
fn check(
    picture: &Picture,
    graded: &Picture,
    received: &Received,
    backend: &LinuxBackend,
    stream: &str,
) -> anyhow::Result<ExitCode> {
    let mut frame = virtual_gpu_lut_box::texture::Frame::default();
    backend.open(stream)?.read(&mut frame)?;
    if frame.revision != received.revision {
        bail!("there is a newer texture, revision {}, so there is nothing to compare with", frame.revision);
    }
    let lut = Placement::read(received.shape, &frame.texels);
    let (difference, largest) = difference(&lut, picture, graded);
    println!("largest difference from the processor: {difference:e} of {largest}, at most {TOLERANCE:e} allowed");
    Ok(if difference <= TOLERANCE { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The largest difference between a graded picture and what the processor makes of it, as a part of the LUT's largest
/// value; and that value, 1 at least. NaN where anything is no number.
fn difference(lut: &Lut3d, before: &Picture, after: &Picture) -> (f32, f32) {
    let largest = lut.entries().iter().flatten().fold(1.0, |most: f32, v| most.max(v.abs()));
    let mut difference: f32 = 0.0;
    for (before, after) in before.pixels.iter().zip(&after.pixels) {
        let wanted = lut.tetrahedral([before[0], before[1], before[2]]);
        for (got, wanted) in after.iter().zip(wanted) {
            let apart = (got - wanted).abs() / largest;
            if apart.is_nan() {
                return (apart, largest);
            }
            difference = apart.max(difference);
        }
    }
    (difference, largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use virtual_gpu_lut_box::lut::GridSize;

    #[test]
    fn one_wrong_channel_is_seen() {
        let lut = Lut3d::identity(GridSize::MIN);
        let picture = || Picture { width: 2, height: 1, pixels: vec![[0.25, 0.5, 0.75, 1.0]; 2] };
        assert_eq!(difference(&lut, &picture(), &picture()), (0.0, 1.0));
        for (wrong, wanted) in [(0.625, 0.125), (0.375, 0.125), (f32::NAN, f32::NAN)] {
            let mut graded = picture();
            graded.pixels[0][1] = wrong;
            assert_eq!(difference(&lut, &picture(), &graded).0.to_bits(), wanted.to_bits());
        }
    }
}
