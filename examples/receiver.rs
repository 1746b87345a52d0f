//! Receives a stream as another program would: `cargo run --example receiver -- vglb-lut-cam1`.

use virtual_gpu_lut_box::hald;
use virtual_gpu_lut_box::texture::{self, Event, Frame};

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // On macOS, programs find each other through the main thread.
    texture::with_main_loop(run)
}

fn run() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "OpenGradeIO-LUT".into());
    let backend = texture::choose("auto")?;
    let mut receiver = backend.open(&name)?;
    let mut frame = Frame::default();
    while receiver.wait(None)? == Event::Frame {
        receiver.read(&mut frame)?;
        // Row 0, texel 0 is lattice point r=0, g=0, b=0; the last texel is white.
        let (black, white) = (frame.texels.first(), frame.texels.last());
        println!(
            "revision {}: {}×{}, black {:?}, white {:?}",
            frame.revision,
            frame.width,
            frame.height,
            black.map(hald::rgb),
            white.map(hald::rgb)
        );
    }
    println!("the stream has ended");
    Ok(())
}
