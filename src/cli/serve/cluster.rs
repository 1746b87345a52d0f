//! The hub of a cluster.

use super::EVENTS;
use crate::channel::ChannelSet;
use crate::cli::cluster_network::{NetworkArgs, computer};
use crate::cluster::HubMetrics;
use crate::cluster::hub::{Hub, HubSettings};
use crate::cluster::keys::Name;
use crate::lut::GridSize;
use crate::metrics::MoreMetrics;
use clap::{Args, value_parser};
use std::time::Duration;
use tracing::info;

/// What `serve` takes about a cluster.
#[derive(Args, Debug)]
pub struct ClusterArgs {
    /// Publish every LUT in this cluster, for the nodes that follow it (`vglb follow`)
    #[arg(long, value_name = "NAME")]
    cluster: Option<Name>,
    /// The name of this hub (default: the computer's); each hub of a cluster has its own
    #[arg(long, value_name = "NAME", requires = "cluster")]
    cluster_name: Option<Name>,
    /// Of several hubs that publish a channel, nodes follow the one with the highest
    #[arg(long, default_value_t = 0, value_name = "N")]
    cluster_priority: u32,
    /// Milliseconds from when a LUT is published until it takes effect on all nodes at once, up to 1900
    #[arg(long, default_value_t = 0, value_name = "MS", value_parser = value_parser!(u16).range(0..=1900))]
    cluster_lead: u16,
    #[command(flatten)]
    network: NetworkArgs,
}

/// A hub that runs.
pub(super) struct RunningHub(Hub);

impl ClusterArgs {
    /// Starts the hub, where one is wanted.
    pub(super) fn start(&self, channels: &ChannelSet, limit: GridSize) -> anyhow::Result<Option<RunningHub>> {
        let Some(cluster) = &self.cluster else { return Ok(None) };
        let settings = HubSettings {
            cluster: cluster.clone(),
            name: self.cluster_name.clone().unwrap_or_else(computer),
            priority: self.cluster_priority,
            lead: Duration::from_millis(self.cluster_lead.into()),
            network: self.network.network(),
            limit,
        };
        let name = settings.name.clone();
        let hub = Hub::start(channels, settings)?;
        info!(target: EVENTS, "hub {name} of cluster {cluster} publishes every LUT");
        Ok(Some(RunningHub(hub)))
    }
}

impl RunningHub {
    pub(super) fn metrics(&self) -> Box<dyn MoreMetrics> {
        Box::new(HubMetrics(Box::new(self.0.counts())))
    }

    pub(super) fn stop(&mut self) {
        self.0.stop();
    }
}
