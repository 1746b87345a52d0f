//! LUTs for your own program, without a texture: `cargo run --example custom_sink`, then `vglb send --identity 33`.

use std::sync::Arc;
use virtual_gpu_lut_box::hald::EntryOrder;
use virtual_gpu_lut_box::server::{Server, ServerConfig};
use virtual_gpu_lut_box::sink;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sink = sink::callback(EntryOrder::BlueFastest, |channel, lut| {
        let last = lut.size().get() - 1;
        println!("{channel}: {lut:?}, white is {:?}", lut.at([last; 3]));
        // An Err(sentence) here would be the reply to the grading program.
        Ok(())
    });
    let server = Server::start(&ServerConfig::default(), Arc::new(sink))?;
    println!("listening on {:?}; press Enter to stop", server.addresses());
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
