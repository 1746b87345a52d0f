//! `vglb serve`: the server.

use super::log::{self, Detail};
use crate::EVENTS;
use crate::channel::{ChannelSet, ChannelSettings};
use crate::hald::{EntryOrder, Layout};
use crate::server::{Access, Network, Server, ServerConfig};
use crate::state::{self, Directory, Keeper};
use crate::texture::{self, GpuChoice, Options, TextureBackend, syphon};
use anyhow::{Context, bail};
use clap::{Args, value_parser};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::time::Duration;
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
    /// What Syphon images hold: byte-planes (every float32 bit), 8bit (rounded to 256 steps and clamped)
    #[arg(long, default_value = "byte-planes", value_name = "ENCODING")]
    syphon_encoding: syphon::Encoding,
    /// Send each stream over Syphon as an 8-bit image as well, with " (8-bit)" behind its name
    #[arg(long = "syphon-8bit")]
    syphon_8bit: bool,
    /// The graphics device that textures are shared through: auto, off, or a number or a part of a name that
    /// `vglb info` lists
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub(super) gpu: GpuChoice,
    /// Most connections at once
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    max_connections: u16,
    /// Most connections at once from one address
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    max_connections_per_address: u16,
    /// Let clients in from these addresses only, as 192.168.1.0/24 or 10.1.2.3; may be given several times (default:
    /// private and link-local ones). This computer always is
    #[arg(long, value_name = "CIDR")]
    allow: Vec<Network>,
    /// Keep clients out that come from these addresses, whatever --allow says; may be given several times
    #[arg(long, value_name = "CIDR")]
    deny: Vec<Network>,
    /// Most channels at once
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    max_channels: u16,
    /// Where the last LUT of every channel is remembered for a restart, where it is not the usual place
    #[arg(long, value_name = "DIR", conflicts_with = "no_state")]
    state_dir: Option<PathBuf>,
    /// Remember nothing, and restore nothing
    #[arg(long)]
    no_state: bool,
    /// Most that is remembered, in MiB
    #[arg(long, default_value_t = 1024, value_name = "MIB", value_parser = value_parser!(u32).range(1..))]
    state_limit: u32,
    /// Log each LUT (debug logging)
    #[arg(long, short)]
    verbose: bool,
    /// Log operational details
    #[arg(long)]
    info_logging: bool,
}

/// How long the disk may take for the last LUTs when the server stops.
const FLUSH_TIME: Duration = Duration::from_secs(3);

/// Serves until SIGINT, SIGTERM or SIGHUP (on Windows: Ctrl-C, Ctrl-Break, closing the window, logging
/// off).
pub fn run(args: &Serve) -> anyhow::Result<ExitCode> {
    log::start(match (args.verbose, args.info_logging) {
        (true, _) => Detail::Debug,
        (false, true) => Detail::Info,
        (false, false) => Detail::Quiet,
    });
    let (stop, stopped) = mpsc::channel();
    texture::when_told_to_end(move || {
        let _ = stop.send(());
    })
    .context("can't watch for signals")?;

    let backend = choose_backend(args)?;
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
        max_connections_per_address: args.max_connections_per_address.into(),
        access: Access { allow: args.allow.clone(), deny: args.deny.clone() },
        ..ServerConfig::default()
    };
    let keeper = remember(args, &channels);
    let sink = match &keeper {
        Some(keeper) => keeper.sink(channels.clone()),
        None => channels.clone(),
    };
    let mut server = Server::start(&config, sink)?;
    for address in server.addresses() {
        info!(target: EVENTS, "listening on {address} {}", reach(address));
    }
    if server.addresses().iter().any(|address| !address.ip().is_loopback()) {
        info!(target: EVENTS, "clients are let in from {}", let_in(args));
    }
    if let Some(hint) = firewall_hint(server.addresses(), cfg!(windows)) {
        info!(target: EVENTS, "{hint}");
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
    if keeper.is_some_and(|keeper| !keeper.stop(FLUSH_TIME)) {
        warn!("not every channel's last LUT could be written; a restarted server will show an older one");
    }
    channels.close();
    Ok(ExitCode::SUCCESS)
}

/// Puts remembered LUTs back on their streams, and starts to remember. A server that can't says so, and serves.
fn remember(args: &Serve, channels: &ChannelSet) -> Option<Keeper> {
    if args.no_state {
        return None;
    }
    let start = || -> anyhow::Result<Keeper> {
        let path = match &args.state_dir {
            Some(path) => path.clone(),
            None => state::default_path()?,
        };
        let mut keeper = Keeper::new(Directory::open(&path, u64::from(args.state_limit) << 20)?);
        match keeper.restore(channels)? {
            0 => info!("LUTs are remembered in {}", path.display()),
            1 => info!(target: EVENTS, "1 LUT restored from {}", path.display()),
            more => info!(target: EVENTS, "{more} LUTs restored from {}", path.display()),
        }
        keeper.start()?;
        Ok(keeper)
    };
    start().map_err(|e| warn!("no LUT will be remembered for a restart: {e:#}")).ok()
}

/// The back end asked for, with its options.
fn choose_backend(args: &Serve) -> anyhow::Result<Arc<dyn TextureBackend>> {
    let syphon = syphon::Options { encoding: args.syphon_encoding, also_eight_bit: args.syphon_8bit };
    let options = Options { gpu: args.gpu.clone(), syphon };
    let backend = texture::choose_with(&args.backend, &options).context("can't share textures")?;
    if syphon != syphon::Options::default() && backend.name() != "syphon" {
        bail!(
            "--syphon-encoding and --syphon-8bit are for Syphon; textures are shared through {} here",
            backend.name()
        );
    }
    if syphon.encoding == syphon::Encoding::EightBit {
        warn!("every stream is an 8-bit image, as asked for: values are rounded to 256 steps, and clamped to 0 and 1");
    }
    Ok(backend)
}

/// Who can reach an address, and how to change that.
fn reach(address: &SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    if ip.is_loopback() {
        let port = if port == 8089 { String::new() } else { format!(" --port {port}") };
        format!("(this computer only; --host 0.0.0.0{port} opens it to the network)")
    } else if ip.is_unspecified() {
        "(every network of this computer: whoever is let in can change the grade)".to_owned()
    } else {
        "(whoever is let in can change the grade)".to_owned()
    }
}

/// Where clients may come from.
fn let_in(args: &Serve) -> String {
    let list = |ranges: &[Network]| ranges.iter().map(Network::to_string).collect::<Vec<_>>().join(", ");
    let allowed = match args.allow.is_empty() {
        true => "private and link-local addresses only (--allow changes that)".to_owned(),
        false => list(&args.allow),
    };
    if args.deny.is_empty() { allowed } else { format!("{allowed}, and not from {}", list(&args.deny)) }
}

/// What a user has to know of the firewall of Windows, where other computers are meant to get through it.
fn firewall_hint(addresses: &[SocketAddr], windows: bool) -> Option<String> {
    let open = addresses.iter().find(|address| !address.ip().is_loopback()).filter(|_| windows)?;
    Some(format!(
        "if other computers can't connect, the Windows firewall stops them; as administrator: netsh advfirewall firewall \
         add rule name=\"Virtual GPU LUT Box\" dir=in action=allow protocol=TCP localport={}",
        open.port()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_firewall_is_spoken_of_on_windows_where_other_computers_are_to_connect() {
        let addresses = |text: &[&str]| text.iter().map(|t| t.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let open = addresses(&["127.0.0.1:8089", "0.0.0.0:8089"]);
        let hint = firewall_hint(&open, true).unwrap();
        assert!(hint.contains("netsh advfirewall firewall add rule") && hint.ends_with("localport=8089"), "{hint}");
        assert_eq!(firewall_hint(&open, false), None);
        assert_eq!(firewall_hint(&addresses(&["127.0.0.1:8089", "[::1]:8089"]), true), None);
    }
}
