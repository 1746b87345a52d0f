//! The front panel: a web page, and the API that it and other programs control the server with.
//!
//! | file | job |
//! | --- | --- |
//! | `guard` | who may ask: host names, origins, the token |
//! | `route` | which path is what, and which methods and how long a body it takes |
//! | `api` | the answers |
//! | `luts` | LUTs out of the server and into it |
//! | `presets` | LUTs under names, and what channels start with |
//! | `status` | states as JSON |
//! | `events` | what happens, as it happens |
//! | `event_log` | the last lines of the log |
//! | `assets` | the page's files, which are part of the program |
//!
//! Requests never name a file of this computer: the page's files are part of the program, LUTs come and go in bodies.
//! The path of LUTs knows nothing of the panel, which reads channels as anybody may.

mod api;
mod assets;
pub mod event_log;
mod events;
mod guard;
mod luts;
mod presets;
mod route;
mod status;

pub use guard::{LEAST_TOKEN, Token, TokenError};

use crate::channel::ChannelSet;
use crate::http::{Handler, HttpConfig, HttpServer};
use crate::server::{Access, Clients, StartError};
use crate::state::Presets;
use events::Events;
use guard::Guard;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// How a panel is reached.
#[derive(Clone, Debug, Default)]
pub struct DashboardConfig {
    /// Where it listens, and who may connect.
    pub http: HttpConfig,
    /// What has to be shown. `None`: nothing, to whoever comes from this computer; nobody else is answered.
    pub token: Option<Token>,
    /// Names by which it may be called, beside addresses and `localhost`.
    pub names: Vec<String>,
}

/// What the panel looks at.
#[derive(Clone)]
pub struct Sources {
    /// The channels.
    pub channels: ChannelSet,
    /// Who is connected to the LUT server.
    pub clients: Clients,
    /// The presets, where the server remembers anything.
    pub presets: Option<Arc<Presets>>,
}

/// A panel that runs. Dropping it stops it.
pub struct Dashboard {
    http: HttpServer,
    events: Arc<Events>,
}

/// What answers requests.
struct Panel {
    sources: Sources,
    guard: Guard,
    events: Arc<Events>,
    recalled: presets::Recalled,
    /// When it began.
    begun: (Instant, SystemTime),
}

impl Dashboard {
    /// Listens, and answers from now on.
    pub fn start(config: DashboardConfig, sources: Sources) -> Result<Dashboard, StartError> {
        let events = Events::start()?;
        let guard = Guard { token: config.token, names: config.names };
        let handler = handler(guard, sources, events.clone());
        Ok(Dashboard { http: HttpServer::start(config.http, handler)?, events })
    }

    /// What answers requests, without a server, for the fuzz targets.
    #[doc(hidden)]
    pub fn handler(token: Option<Token>, names: Vec<String>, sources: Sources) -> std::io::Result<Arc<dyn Handler>> {
        Ok(handler(Guard { token, names }, sources, Events::start()?))
    }

    /// The addresses listened on.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.http.addresses()
    }

    /// Lets other clients in from now on, and ends the connections of those that are not let in any more.
    pub fn set_access(&self, access: Access) {
        self.http.set_access(access);
    }

    /// Answers nothing more.
    pub fn stop(&mut self) {
        self.events.stop();
        self.http.stop();
    }
}

fn handler(guard: Guard, sources: Sources, events: Arc<Events>) -> Arc<dyn Handler> {
    let begun = (Instant::now(), SystemTime::now());
    let panel = Panel { sources, guard, events, recalled: presets::Recalled::default(), begun };
    Arc::new(api::Api(Arc::new(panel)))
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
