//! A LUT box in fifteen lines: `cargo run --example server`, then `vglb send --identity 33`.

use std::sync::Arc;
use virtual_gpu_lut_box::channel::{ChannelSet, ChannelSettings};
use virtual_gpu_lut_box::server::{Server, ServerConfig};
use virtual_gpu_lut_box::texture;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // On macOS, programs find each other through the main thread.
    texture::with_main_loop(run)
}

fn run() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let backend = texture::choose("auto")?;
    let channels = Arc::new(ChannelSet::new(backend, ChannelSettings::default()));
    let server = Server::start(&ServerConfig::default(), channels.clone())?;
    println!("listening on {:?}; press Enter to stop", server.addresses());
    std::io::stdin().read_line(&mut String::new())?;
    drop(server);
    channels.close();
    Ok(())
}
