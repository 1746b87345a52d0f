//! The announcement on the network.

use super::EVENTS;
use crate::discovery::{Announcement, Announcer, Described, InstanceName, Reach, SERVICE};
use clap::Args;
use std::net::SocketAddr;
use tracing::{info, warn};

/// What `serve` takes about the announcement.
#[derive(Args, Debug)]
pub struct AnnounceArgs {
    /// Announce this server on the network by multicast DNS, so that `vglb discover` on other computers finds it
    #[arg(long)]
    announce: bool,
    /// The name to announce (default: the computer's); up to 63 bytes
    #[arg(long, value_name = "NAME", requires = "announce")]
    announce_name: Option<InstanceName>,
}

impl AnnounceArgs {
    /// Announces the server, where that is wanted. One that can't be announced says so, and serves.
    pub(super) fn start(
        &self,
        addresses: &[SocketAddr],
        stream: &str,
        transport: &str,
        panel: &[SocketAddr],
    ) -> Option<Announcer> {
        if !self.announce {
            return None;
        }
        let computer = gethostname::gethostname().to_string_lossy().into_owned();
        let name = self.announce_name.clone().unwrap_or_else(|| InstanceName::of_computer(&computer));
        let port = addresses.first()?.port();
        let described = Described {
            version: crate::VERSION.into(),
            stream: stream.into(),
            transport: transport.into(),
            panel: panel.iter().find(|a| !a.ip().is_loopback()).map(SocketAddr::port),
        };
        let reach = Reach::of(addresses);
        match Announcer::start(&Announcement { name: name.clone(), computer, port, reach, described }) {
            Ok(Some(announcer)) => {
                info!(target: EVENTS, "announced on the network as {name:?} ({SERVICE})", name = name.as_str());
                Some(announcer)
            }
            Ok(None) => {
                warn!(
                    "not announced: this server listens on this computer only, and others can't reach it; --host 0.0.0.0 \
                     opens it to the network"
                );
                None
            }
            Err(why) => {
                warn!("not announced: {why}");
                None
            }
        }
    }
}
