//! `vglb serve`: the server.

mod announce;
mod cdl;
mod channel;
#[cfg_attr(not(feature = "cluster"), path = "no_cluster.rs")]
mod cluster;
mod config_file;
#[cfg_attr(not(feature = "dashboard"), path = "no_dashboard.rs")]
mod dashboard;
pub(in crate::cli) mod export;
pub(in crate::cli) mod inputs;
pub(in crate::cli) mod limits;
mod reload;
mod supervise;

pub(crate) use channel::ChannelArgs;
pub(in crate::cli) use dashboard::kept_lines;

use crate::EVENTS;
use crate::channel::ChannelSet;
use crate::cli::configured::Configured;
use crate::cli::log::{Log, LogArgs};
use crate::hald::{EntryOrder, Layout};
use crate::memory_limit::MemoryLimit;
use crate::server::{Access, Network, Server, ServerConfig};
use crate::sink::ChannelId;
use crate::state::{self, Directory, Keeper, Presets};
use crate::texture::{self, GpuChoice, Options, TextureBackend, Told, syphon};
use anyhow::{Context, bail};
use clap::{Args, value_parser};
use reload::{InForce, Running};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use supervise::{Supervised, Vital};
use tracing::{error, info, warn};

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
    pub(in crate::cli) gpu: GpuChoice,
    /// Let clients in from these addresses only, as 192.168.1.0/24 or 10.1.2.3; may be given several times (default:
    /// private and link-local ones). This computer always is
    #[arg(long, value_name = "CIDR")]
    allow: Vec<Network>,
    /// Keep clients out that come from these addresses, whatever --allow says; may be given several times
    #[arg(long, value_name = "CIDR")]
    deny: Vec<Network>,
    /// Where the last LUT of every channel is remembered for a restart, where it is not the usual place
    #[arg(long, value_name = "DIR", conflicts_with = "no_state")]
    state_dir: Option<PathBuf>,
    /// Remember nothing, and restore nothing
    #[arg(long)]
    no_state: bool,
    /// Most that is remembered, in MiB
    #[arg(long, default_value_t = 1024, value_name = "MIB", value_parser = value_parser!(u32).range(1..))]
    state_limit: u32,
    /// Share streams with the members of this group of users, by name or number, and not with this user's programs alone
    /// (Linux); theirs find them by VGLB_RUNTIME_DIR
    #[arg(long, value_name = "GROUP")]
    socket_group: Option<String>,
    #[command(flatten)]
    cdl: cdl::CdlArgs,
    #[command(flatten)]
    export: export::ExportArgs,
    #[command(flatten)]
    dashboard: dashboard::DashboardArgs,
    #[command(flatten)]
    announce: announce::AnnounceArgs,
    #[command(flatten)]
    cluster: cluster::ClusterArgs,
    #[command(flatten)]
    pub(in crate::cli) inputs: inputs::Inputs,
    #[command(flatten)]
    config: config_file::ConfigFile,
    #[command(flatten)]
    limits: limits::LimitArgs,
    #[command(flatten)]
    log: LogArgs,
    /// What single channels have otherwise; only a file can say it.
    #[arg(skip)]
    pub(in crate::cli) channels: BTreeMap<ChannelId, ChannelArgs>,
}

/// How long the disk may take for the last LUTs when the server stops.
pub(in crate::cli) const FLUSH_TIME: Duration = Duration::from_secs(3);

/// Serves until SIGINT or SIGTERM, or until its terminal is closed (on Windows: Ctrl-C, Ctrl-Break, closing the window,
/// logging off).
pub(super) fn run(args: &Serve, configured: &Configured) -> anyhow::Result<ExitCode> {
    let log = args.log.start();
    serve(args, configured, &log).or_else(|e| match args.log.is_for_machines() {
        true => {
            error!("{}", super::sentence(&e));
            Ok(ExitCode::FAILURE)
        }
        false => Err(e),
    })
}

impl Serve {
    fn access(&self) -> Access {
        Access { allow: self.allow.clone(), deny: self.deny.clone() }
    }

    /// Channels that are not exported.
    fn not_exported(&self) -> BTreeSet<ChannelId> {
        let without = self.channels.iter().filter(|(_, own)| own.export == Some(false));
        without.map(|(id, _)| id.clone()).collect()
    }
}

fn serve(args: &Serve, configured: &Configured, log: &Log) -> anyhow::Result<ExitCode> {
    let (tell, told) = mpsc::channel();
    texture::when_told(move |what| {
        let _ = tell.send(what);
    })
    .context("can't watch for signals")?;

    let memory = args.limits.memory();
    let backend = choose_backend(args, &memory)?;
    let settings = args.channel_settings().map_err(anyhow::Error::msg)?;
    let channels = Arc::new(ChannelSet::new(backend.clone(), settings));
    let config = ServerConfig {
        host: args.host.clone(),
        port: args.port,
        recorder: args.inputs.recorder()?,
        access: args.access(),
        ..ServerConfig::default()
    };
    let config = args.limits.server(config, &memory);
    let (keeper, presets) = remember(args, &channels).unzip();
    let mut exporter = args.export.start(&channels, args.not_exported())?;
    let mut inputs = args.inputs.start(&channels, &args.sources(), &config)?;
    let mut server = Server::start(&config, channels.clone())?;
    let mut hub = args.cluster.start(&channels, args.limits.largest_lut())?;
    let more = hub.as_ref().map(|hub| hub.metrics());
    let mut metrics = args.inputs.start_metrics(&channels, &server, &config, more)?;
    for address in server.addresses() {
        info!(target: EVENTS, "listening on {address} {}", reach(address));
    }
    if server.addresses().iter().any(|address| !address.ip().is_loopback()) {
        info!(target: EVENTS, "clients are let in from {}", let_in(args));
    }
    if let Some(hint) = firewall_hint(server.addresses(), cfg!(windows)) {
        info!(target: EVENTS, "{hint}");
    }
    let dashboard = args.dashboard.start(&config, &channels, &server, presets)?;
    let panel = dashboard.as_ref().map_or(&[][..], |dashboard| dashboard.addresses());
    let announcer = args.announce.start(server.addresses(), &args.stream_name, backend.name(), panel);
    info!("textures are shared through {}: {}", backend.name(), backend.description());
    if let Some(why) = backend.graphics_fault() {
        warn!("textures are shared through memory only: {why}");
    }

    let supervised = Supervised::ready(Vital {
        channels: (*channels).clone(),
        backend,
        accepts: Box::new(server.check()),
        address: server.addresses().first().map(ToString::to_string).unwrap_or_default(),
    })
    .context("can't start the thread that tells the service manager of the server")?;

    // The sending half lives as long as the handler, which is for ever.
    let mut in_force = InForce::new(&configured.resolved);
    while told.recv() == Ok(Told::Reload) {
        let running = Running {
            channels: &channels,
            memory: &memory,
            config: &config,
            server: &server,
            metrics: metrics.as_ref(),
            dashboard: dashboard.as_ref(),
            inputs: &mut inputs,
            exporter: &mut exporter,
            log,
        };
        supervised.reloading(|| reload::reload(configured, &mut in_force, running));
    }
    info!(target: EVENTS, "stopping");
    supervised.stopping();
    drop(announcer);
    if let Some(mut dashboard) = dashboard {
        dashboard.stop();
    }
    if !server.stop() {
        warn!("a client was cut off in the middle of a LUT");
    }
    if keeper.is_some_and(|keeper| !keeper.stop(FLUSH_TIME)) {
        warn!("not every channel's last LUT could be written; a restarted server will show an older one");
    }
    inputs.stop();
    if let Some(hub) = &mut hub {
        hub.stop();
    }
    if let Some(metrics) = &mut metrics {
        metrics.stop();
    }
    if let Some(exporter) = &mut exporter {
        exporter.stop();
    }
    if let Some(recorder) = &config.recorder {
        recorder.finish();
    }
    channels.close();
    Ok(ExitCode::SUCCESS)
}

/// Puts remembered LUTs back on their streams, and starts to remember. A server that can't says so, and serves.
fn remember(args: &Serve, channels: &ChannelSet) -> Option<(Keeper, Arc<Presets>)> {
    if args.no_state {
        return None;
    }
    let start = || -> anyhow::Result<(Keeper, Arc<Presets>)> {
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
        // Before the keeper looks: what a channel starts with is not the last LUT that it was sent.
        let presets = Arc::new(Presets::open(&path.join("presets"), u64::from(args.state_limit) << 20)?);
        presets.begin(channels);
        keeper.start(channels)?;
        Ok((keeper, presets))
    };
    start().map_err(|e| warn!("no LUT will be remembered for a restart: {e:#}")).ok()
}

/// The back end asked for, with its options.
fn choose_backend(args: &Serve, memory: &MemoryLimit) -> anyhow::Result<Arc<dyn TextureBackend>> {
    let syphon = syphon::Options { encoding: args.syphon_encoding, also_eight_bit: args.syphon_8bit };
    let group = args.socket_group.as_deref();
    let socket_group = group.map(texture::group_number).transpose().context("can't share textures")?;
    let options = Options { gpu: args.gpu.clone(), syphon, memory: memory.clone(), socket_group };
    let backend = texture::choose_with(&args.backend, &options).context("can't share textures")?;
    backend.check_sending().context("can't share textures")?;
    if socket_group.is_some() && backend.name() != "linux" {
        bail!("--socket-group is for Linux's own transport; textures are shared through {} here", backend.name());
    }
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
