//! The server: listens, gives each connection a thread, keeps to its limits, and drains when it stops.
//!
//! One thread accepts on every address; it sleeps until a connection comes or the server stops. When as many
//! connections are open as there may be, one that has not sent a single whole request makes room, or one that has sent
//! nothing that was accepted; one that has put a LUT into force never does, and then the newcomer is refused. The last
//! eighth of the connections is for addresses that have none.

mod accept;
mod access;
mod connection;
mod excess;
pub(crate) mod listen;
pub(crate) mod log;
pub(crate) mod origin;
mod pieces;
mod places;
mod session;
mod shortage;

pub use access::{Access, Network, NetworkError};
pub use origin::Origin;

use crate::lut::GridSize;
use crate::memory_limit::MemoryLimit;
use crate::metrics::Metrics;
use crate::recording::Recorder;
use crate::sink::LutSink;
use crate::wire::WireLimits;
use accept::Shared;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where a server listens, and what it takes.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// A host name or an address, IPv4 or IPv6. Every address that a name stands for is listened on.
    pub host: String,
    /// The TCP port; 0 lets the system choose.
    pub port: u16,
    /// The most connections at once.
    pub max_connections: usize,
    /// The most connections at once from one address.
    pub max_connections_per_address: usize,
    /// Who may connect.
    pub access: Access,
    /// What one message may be.
    pub limits: WireLimits,
    /// What buffers that connections read into count against.
    pub memory: MemoryLimit,
    /// Where everything that arrives is recorded.
    pub recorder: Option<Recorder>,
    /// What is counted.
    pub metrics: Metrics,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            host: "127.0.0.1".into(),
            port: 8089,
            max_connections: 64,
            max_connections_per_address: 64,
            access: Access::default(),
            limits: WireLimits::default(),
            memory: MemoryLimit::default(),
            recorder: None,
            metrics: Metrics::default(),
        }
    }
}

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The host stands for no address.
    #[error("can't listen on host {host:?}: {source}")]
    Host {
        /// The host given.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another program has the port.
    #[error("port {port} on {ip} is in use by another program; stop it, or choose another port with --port", ip = .0.ip(), port = .0.port())]
    InUse(SocketAddr),
    /// The address is not one of this computer's, or may not be used.
    #[error("can't listen on {address}: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no thread or no event queue.
    #[error("can't start the server: {0}")]
    System(#[from] io::Error),
}

/// A running server. Dropping it stops it.
pub struct Server {
    shared: Arc<Shared>,
    addresses: Vec<SocketAddr>,
    accepting: Option<JoinHandle<()>>,
    /// Once it has stopped: whether everything was finished in time.
    stopped: Option<bool>,
}

/// The clients of a [`Server`].
#[derive(Clone)]
pub struct Clients(Arc<Shared>);

/// A client that is connected.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Its address.
    pub address: SocketAddr,
    /// When it connected.
    pub since: Instant,
    /// Whether it has sent a whole request.
    pub has_sent: bool,
}

impl Clients {
    /// Who is connected, longest first.
    pub fn list(&self) -> Vec<Client> {
        self.0.clients()
    }

    /// The largest LUT that is taken of them at present.
    pub fn largest_lut(&self) -> GridSize {
        self.0.limits.get().lut_size
    }
}

/// How long connections may take to finish what they are publishing once the server stops.
const DRAIN_TIME: Duration = Duration::from_millis(600);
/// How long their threads may take to end after that, with their connections cut.
const CUT_TIME: Duration = Duration::from_millis(200);

impl Server {
    /// Listens, and returns once connections are accepted. LUTs go to `sink`.
    pub fn start(config: &ServerConfig, sink: Arc<dyn LutSink>) -> Result<Server, StartError> {
        let listeners = listen::listen(&config.host, config.port)?;
        let addresses = listeners.iter().map(|l| l.local_addr()).collect::<io::Result<_>>()?;
        let (shared, accepting) = accept::spawn(config, sink, listeners)?;
        Ok(Server { shared, addresses, accepting: Some(accepting), stopped: None })
    }

    /// Takes over, from the next connection and the next message on, who may connect, how many may, and what a message may
    /// be. Who is not let in any more is told so, and closed. What else `config` says stays as it was at the start.
    pub fn reconfigure(&self, config: &ServerConfig) {
        self.shared.reconfigure(config);
    }

    /// The addresses listened on, with the port that the system chose where 0 was asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.shared.count()
    }

    /// Tells who is connected, for as long as it is kept.
    pub fn clients(&self) -> Clients {
        Clients(self.shared.clone())
    }

    /// A way to find out, from any thread, whether clients are still accepted. It takes the patience it may have, and is
    /// `false` once the server stops.
    pub fn check(&self) -> impl Fn(Duration) -> bool + Send + Sync + 'static {
        let shared = self.shared.clone();
        move |patience| shared.responds(patience)
    }

    /// Tells the connections open now, after this server's end as well.
    pub fn counter(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let shared = self.shared.clone();
        move || shared.count()
    }

    /// Accepts nothing more: once this returns, the port is free. Connections go on until [`stop`](Self::stop).
    pub fn stop_accepting(&mut self) {
        let Some(accepting) = self.accepting.take() else { return };
        self.shared.stop_accepting();
        let _ = accepting.join();
    }

    /// Stops: accepts nothing more, lets every connection finish the requests that have arrived, then closes them.
    /// Takes at most 0.8 s. Returns whether all were finished in time.
    pub fn stop(&mut self) -> bool {
        if let Some(in_time) = self.stopped {
            return in_time;
        }
        self.stop_accepting();
        self.shared.finish();
        // Connections are waited for even where they are idle: they hold on to their channels' streams.
        let empty = self.shared.wait_until_empty(DRAIN_TIME);
        let in_time = empty || !self.shared.is_at_work();
        if !empty {
            self.shared.cut();
            self.shared.wait_until_empty(CUT_TIME);
        }
        self.stopped = Some(in_time);
        in_time
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
