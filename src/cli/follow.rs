//! `vglb follow`: a node of a cluster.

use super::cluster_network::{NetworkArgs, computer};
use super::log::LogArgs;
use super::serve::FLUSH_TIME;
use super::serve::export::ExportArgs;
use super::serve::inputs::{Address, answer_with_metrics, metrics_address};
use super::serve::limits::SizeArgs;
use crate::EVENTS;
use crate::channel::{ChannelSet, ChannelSettings};
use crate::cluster::FollowerMetrics;
use crate::cluster::follower::{Follower, FollowerSettings};
use crate::cluster::keys::Name;
use crate::cluster::selection::Selection;
use crate::hald::Layout;
use crate::memory_limit::MemoryLimit;
use crate::metrics::{Metrics, MetricsHttp};
use crate::server::ServerConfig;
use crate::sink::ChannelId;
use crate::state::{Directory, Keeper};
use crate::texture::{self, GpuChoice, Options, TextureBackend, Told};
use anyhow::Context;
use clap::{Args, value_parser};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use tracing::{info, warn};

/// What `follow` takes.
#[derive(Args, Debug)]
pub struct Follow {
    /// The cluster to follow
    #[arg(long, value_name = "NAME")]
    cluster: Name,
    /// The name of this node (default: the computer's); each node of a cluster has its own
    #[arg(long, value_name = "NAME")]
    name: Option<Name>,
    /// Channels to follow, as "CAM*", where * stands for any characters and ? for one; may be given several times (default:
    /// all)
    #[arg(long, value_name = "GLOB")]
    channels: Vec<String>,
    /// Follow a channel under another name here, as grade=left; may be given several times
    #[arg(long, value_name = "FROM=TO", value_parser = mapped)]
    map: Vec<(ChannelId, ChannelId)>,
    #[command(flatten)]
    network: NetworkArgs,
    /// Stream of the channel without a name; others are named vglb-lut-{channel}
    #[arg(long, default_value = "OpenGradeIO-LUT", value_name = "NAME")]
    stream_name: String,
    /// How a LUT lies in its texture: vglb, unreal, unity, hald-clut
    #[arg(long, default_value = "vglb", value_name = "LAYOUT")]
    layout: Layout,
    /// How textures are shared: auto, or a name that `vglb info` lists
    #[arg(long, default_value = "auto", value_name = "NAME")]
    backend: String,
    /// The graphics device that textures are shared through: auto, off, or a number or a part of a name that
    /// `vglb info` lists
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    gpu: GpuChoice,
    /// Share streams with the members of this group of users, by name or number (Linux)
    #[arg(long, value_name = "GROUP")]
    socket_group: Option<String>,
    /// Most channels at once
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = value_parser!(u16).range(1..=256))]
    max_channels: u16,
    #[command(flatten)]
    sizes: SizeArgs,
    /// Remember the last LUT of every channel in this folder, and show it after a restart until a hub is there
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    export: ExportArgs,
    /// Answer Prometheus with metrics at this address and port (9189 where none is given), under /metrics
    #[arg(long, value_name = "HOST[:PORT]", value_parser = metrics_address)]
    metrics: Option<Address>,
    #[command(flatten)]
    log: LogArgs,
}

/// The first = ends the name of the cluster's channel.
fn mapped(text: &str) -> Result<(ChannelId, ChannelId), String> {
    let (from, to) =
        text.split_once('=').ok_or("a channel of the cluster and one of this node are written as grade=left")?;
    Ok((ChannelId::new(from), ChannelId::new(to)))
}

/// Follows until SIGINT or SIGTERM.
pub fn run(args: &Follow) -> anyhow::Result<ExitCode> {
    args.log.start();
    let selection = Selection::new(args.channels.clone(), &args.map)?;
    let (tell, told) = mpsc::channel();
    texture::when_told(move |what| {
        let _ = tell.send(what);
    })
    .context("can't watch for signals")?;
    let memory = args.sizes.memory();
    let backend = args.backend(&memory)?;
    let settings = ChannelSettings {
        stream_name: args.stream_name.clone(),
        layout: args.layout,
        max_channels: args.max_channels.into(),
        ..ChannelSettings::default()
    };
    let channels = ChannelSet::new(backend.clone(), settings);
    let keeper = args.remember(&channels);
    let mut exporter = args.export.start(&channels, BTreeSet::new())?;
    let settings = FollowerSettings {
        cluster: args.cluster.clone(),
        name: args.name.clone().unwrap_or_else(computer),
        selection,
        network: args.network.network(),
        limit: args.sizes.largest_lut(),
    };
    let name = settings.name.clone();
    let mut follower = Follower::start(&channels, settings)?;
    let mut metrics = match &args.metrics {
        Some(at) => {
            let more = FollowerMetrics(Box::new(follower.status()));
            let answers = MetricsHttp::new(Metrics::default(), channels.clone(), || 0).with(Some(Box::new(more)));
            Some(answer_with_metrics(at, &ServerConfig { memory, ..ServerConfig::default() }, answers)?)
        }
        None => None,
    };
    info!(target: EVENTS, "node {name} follows cluster {}", args.cluster);
    info!("textures are shared through {}: {}", backend.name(), backend.description());
    // Nothing of a node can change while it runs.
    while told.recv() == Ok(Told::Reload) {}
    info!(target: EVENTS, "stopping");
    follower.stop();
    if keeper.is_some_and(|keeper| !keeper.stop(FLUSH_TIME)) {
        warn!(
            "not every channel's last LUT could be written; a restarted node will show an older one until a hub is there"
        );
    }
    if let Some(metrics) = &mut metrics {
        metrics.stop();
    }
    if let Some(exporter) = &mut exporter {
        exporter.stop();
    }
    channels.close();
    Ok(ExitCode::SUCCESS)
}

impl Follow {
    fn backend(&self, memory: &MemoryLimit) -> anyhow::Result<Arc<dyn TextureBackend>> {
        let group = self.socket_group.as_deref();
        let socket_group = group.map(texture::group_number).transpose().context("can't share textures")?;
        let options = Options { gpu: self.gpu.clone(), memory: memory.clone(), socket_group, ..Options::default() };
        let backend = texture::choose_with(&self.backend, &options).context("can't share textures")?;
        backend.check_sending().context("can't share textures")?;
        Ok(backend)
    }

    /// Puts remembered LUTs back, and starts to remember. A node that can't says so, and follows.
    fn remember(&self, channels: &ChannelSet) -> Option<Keeper> {
        let path = self.state_dir.as_ref()?;
        let start = || -> anyhow::Result<Keeper> {
            let mut keeper = Keeper::new(Directory::open(path, 1 << 30)?);
            let restored = keeper.restore(channels)?;
            info!(target: EVENTS, "{restored} LUTs restored from {}", path.display());
            keeper.start(channels)?;
            Ok(keeper)
        };
        start().map_err(|e| warn!("no LUT will be remembered for a restart: {e:#}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_two_channels() {
        let id = ChannelId::new;
        assert_eq!(mapped("a=b=c"), Ok((id("a"), id("b=c"))));
        assert_eq!(mapped("=left"), Ok((id(""), id("left"))));
        assert!(mapped("a").is_err());
    }
}
