//! In place of the front panel, in a build without it (the cargo feature `dashboard`).

use crate::channel::ChannelSet;
use crate::server::{Access, Server, ServerConfig};
use crate::state::Presets;
use clap::Args;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tracing_subscriber::layer::Identity;

/// What `serve` takes about the panel: that there is none.
#[derive(Args, Debug)]
pub struct DashboardArgs {
    /// off: this program was built without the front panel
    #[arg(long, value_name = "off", value_parser = off)]
    dashboard: Option<Off>,
    #[arg(long, hide = true, value_name = "TOKEN", value_parser = none)]
    dashboard_token: Option<Infallible>,
    #[arg(long, hide = true, value_name = "NAME", value_parser = none)]
    dashboard_name: Vec<Infallible>,
}

#[derive(Clone, Debug, PartialEq)]
struct Off;

fn off(text: &str) -> Result<Off, String> {
    if text == "off" { Ok(Off) } else { none(text).map(|never| match never {}) }
}

fn none(_: &str) -> Result<Infallible, String> {
    Err("this program was built without the panel (its cargo feature \"dashboard\"); --dashboard can only be off"
        .into())
}

/// A panel that runs: there is none.
pub(super) enum Dashboard {}

impl Dashboard {
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        match *self {}
    }

    pub(super) fn set_access(&self, _: Access) {
        match *self {}
    }

    pub(super) fn stop(&mut self) {
        match *self {}
    }
}

impl DashboardArgs {
    pub(super) fn start(
        &self,
        _: &ServerConfig,
        _: &ChannelSet,
        _: &Server,
        _: Option<Arc<Presets>>,
    ) -> anyhow::Result<Option<Dashboard>> {
        Ok(None)
    }
}

/// Nobody shows the log's lines, so none are kept.
pub(in crate::cli) fn kept_lines() -> Identity {
    Identity::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_that_is_not_there_can_only_be_off() {
        assert_eq!(off("off"), Ok(Off));
        for wrong in ["127.0.0.1:8090", "on", ""] {
            assert!(off(wrong).unwrap_err().contains("built without the panel"), "{wrong:?}");
        }
    }
}
