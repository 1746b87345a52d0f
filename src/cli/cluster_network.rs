//! Where a cluster is, on the command lines of hubs, of nodes, and of whoever looks at them.

use crate::cluster::session::{self, Network};
use clap::Args;
use std::path::PathBuf;

/// What all of them take.
#[derive(Args, Clone, Debug)]
pub struct NetworkArgs {
    /// The network interface that the cluster is on, by its name or its address (default: all with private or link-local
    /// addresses)
    #[arg(long, value_name = "INTERFACE")]
    cluster_interface: Option<String>,
    /// A hub or node to connect to, as 10.0.0.5:7447; may be given several times. With it, and with --cluster-listen,
    /// nobody is looked for by multicast
    #[arg(long, value_name = "HOST[:PORT]", value_parser = session::place)]
    cluster_connect: Vec<String>,
    /// Where to listen for others of the cluster, as 10.0.0.5:7447; may be given several times (default: a free port of
    /// each address of the interface)
    #[arg(long, value_name = "HOST[:PORT]", value_parser = session::place)]
    cluster_listen: Vec<String>,
    /// Zenoh's own configuration, for access control, passwords and whatever else it can do; flags go before it
    #[arg(long, value_name = "FILE")]
    zenoh_config: Option<PathBuf>,
}

impl NetworkArgs {
    /// Where the cluster is.
    pub(super) fn network(&self) -> Network {
        Network {
            interface: self.cluster_interface.clone(),
            connect: self.cluster_connect.clone(),
            listen: self.cluster_listen.clone(),
            file: self.zenoh_config.clone(),
        }
    }
}

/// This computer's name, as the name of a hub or of a node.
pub(super) fn computer() -> crate::cluster::keys::Name {
    crate::cluster::keys::Name::of(&gethostname::gethostname().to_string_lossy())
}
