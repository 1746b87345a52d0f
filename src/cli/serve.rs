//! `vglb serve`: the server.

use super::log::{self, Detail};
use crate::EVENTS;
use crate::channel::{ChannelSet, ChannelSettings};
use crate::hald::{EntryOrder, Layout};
use crate::server::{Server, ServerConfig};
use crate::texture::{self, GpuChoice};
use anyhow::Context;
use clap::{Args, value_parser};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use tracing::{info, warn};

/// What `serve` takes.
#[derive(Args, Debug)]
pub struct Serve {
    /// Host name or address to listen on, IPv4 or IPv6; 0.0.0.0 or :: for every network
    #[arg(long, default_value = "127.0.0.1", value_name = "HOST")]
    host: String,
    /// TCP port to listen on; 0 lets the system choose
    #[arg(long, default_value_t = 8089, value_name = "PORT")]
    port: u16,
    /// Stream that carries LUTs sent without a channel; others are named vglb-lut-{channel}
    #[arg(long, default_value = "OpenGradeIO-LUT", value_name = "NAME")]
    stream_name: String,
    /// How a LUT lies in its texture: vglb, unreal, unity, hald-clut
    #[arg(long, default_value = "vglb", value_name = "LAYOUT")]
    layout: Layout,
    /// The order of a LUT's entries on the wire: blue-fastest, red-fastest
    #[arg(long, default_value = "blue-fastest", value_name = "ORDER")]
    entry_order: EntryOrder,
    /// How textures are shared: auto, or a name that `vglb info` lists
    #[arg(long, default_value = "auto", value_name = "NAME")]
    backend: String,
    /// The graphics device that textures are shared through: auto, off, or a number or a part of a name that
    /// `vglb info` lists
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub(super) gpu: GpuChoice,
    /// Most connections at once
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    max_connections: u16,
    /// Most channels at once
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    max_channels: u16,
    /// Log each LUT (debug logging)
    #[arg(long, short)]
    verbose: bool,
    /// Log operational details
    #[arg(long)]
    info_logging: bool,
}

/// Serves until SIGINT, SIGTERM or SIGHUP (Ctrl-C, Ctrl-Break or closing the window on Windows).
pub fn run(args: &Serve) -> anyhow::Result<ExitCode> {
    log::start(match (args.verbose, args.info_logging) {
        (true, _) => Detail::Debug,
        (false, true) => Detail::Info,
        (false, false) => Detail::Quiet,
    });
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = stop.send(());
    })
    .context("can't watch for signals")?;

    let backend = texture::choose_on(&args.backend, &args.gpu).context("can't share textures")?;
    let settings = ChannelSettings {
        stream_name: args.stream_name.clone(),
        layout: args.layout,
        order: args.entry_order,
        max_channels: args.max_channels.into(),
    };
    let channels = Arc::new(ChannelSet::new(backend.clone(), settings));
    let config = ServerConfig {
        host: args.host.clone(),
        port: args.port,
        max_connections: args.max_connections.into(),
        ..ServerConfig::default()
    };
    let mut server = Server::start(&config, channels.clone())?;
    for address in server.addresses() {
        info!(target: EVENTS, "listening on {address} {}", reach(address));
    }
    info!("textures are shared through {}: {}", backend.name(), backend.description());
    if let Some(why) = backend.graphics_fault() {
        warn!("textures are shared through memory only: {why}");
    }

    // The sending half lives as long as the handler, which is for ever.
    let _ = stopped.recv();
    info!(target: EVENTS, "stopping");
    if !server.stop() {
        warn!("a client was cut off in the middle of a LUT");
    }
    channels.close();
    Ok(ExitCode::SUCCESS)
}

/// Who can reach an address, and how to change that.
fn reach(address: &SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    if ip.is_loopback() {
        let port = if port == 8089 { String::new() } else { format!(" --port {port}") };
        format!("(this computer only; --host 0.0.0.0{port} opens it to the network)")
    } else if ip.is_unspecified() {
        "(every network of this computer: anyone who reaches the port can change the grade)".to_owned()
    } else {
        "(anyone who reaches this address can change the grade)".to_owned()
    }
}
