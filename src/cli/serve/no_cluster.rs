//! In place of the hub of a cluster, in a build without it (the cargo feature `cluster`).

use crate::channel::ChannelSet;
use crate::lut::GridSize;
use crate::metrics::MoreMetrics;
use clap::Args;
use std::convert::Infallible;

/// What `serve` takes about a cluster: that there is none.
#[derive(Args, Debug)]
pub struct ClusterArgs {
    #[arg(long, hide = true, value_name = "NAME", value_parser = none)]
    cluster: Option<Infallible>,
    #[arg(long, hide = true, value_name = "NAME", value_parser = none)]
    cluster_name: Option<Infallible>,
    #[arg(long, hide = true, value_name = "N", value_parser = none)]
    cluster_priority: Option<Infallible>,
    #[arg(long, hide = true, value_name = "MS", value_parser = none)]
    cluster_lead: Option<Infallible>,
    #[arg(long, hide = true, value_name = "INTERFACE", value_parser = none)]
    cluster_interface: Option<Infallible>,
    #[arg(long, hide = true, value_name = "HOST[:PORT]", value_parser = none)]
    cluster_connect: Vec<Infallible>,
    #[arg(long, hide = true, value_name = "HOST[:PORT]", value_parser = none)]
    cluster_listen: Vec<Infallible>,
    #[arg(long, hide = true, value_name = "FILE", value_parser = none)]
    zenoh_config: Option<Infallible>,
}

fn none(_: &str) -> Result<Infallible, String> {
    Err("this program was built without clusters (its cargo feature \"cluster\")".into())
}

/// A hub that runs: there is none.
pub(super) enum RunningHub {}

impl RunningHub {
    pub(super) fn metrics(&self) -> Box<dyn MoreMetrics> {
        match *self {}
    }

    pub(super) fn stop(&mut self) {
        match *self {}
    }
}

impl ClusterArgs {
    pub(super) fn start(&self, _: &ChannelSet, _: GridSize) -> anyhow::Result<Option<RunningHub>> {
        Ok(None)
    }
}
