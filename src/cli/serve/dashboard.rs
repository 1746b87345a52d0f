//! The front panel.

use super::EVENTS;
use crate::SECRETS;
use crate::channel::ChannelSet;
use crate::cli::PANEL_PORT;
pub(super) use crate::dashboard::Dashboard;
use crate::dashboard::event_log::KeepLines;
use crate::dashboard::{DashboardConfig, Sources, Token};
use crate::http::HttpConfig;
use crate::server::{Server, ServerConfig, StartError};
use crate::state::Presets;
use anyhow::{Context, bail};
use clap::Args;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use tracing::level_filters::LevelFilter;
use tracing::{Subscriber, info, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// What `serve` takes about the panel.
#[derive(Args, Debug)]
pub struct DashboardArgs {
    /// Where the front panel, a web page and an API, listens: a host name or address and a port, or off (default:
    /// 127.0.0.1:8090)
    #[arg(long, value_name = "ADDR|off")]
    dashboard: Option<Place>,
    /// What has to be shown to use the panel. Without it those on this computer need nothing, and for everybody else one
    /// is made, and shown when the server starts
    #[arg(long, value_name = "TOKEN", value_parser = token)]
    dashboard_token: Option<Token>,
    /// A name by which this computer is called in the panel's address, as lutbox.local; may be given several times.
    /// Addresses and localhost need none
    #[arg(long, value_name = "NAME")]
    dashboard_name: Vec<String>,
}

/// Where the panel listens.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    Off,
    At(String, u16),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = |host: &str, port| Ok(Place::At(host.to_owned(), port));
        if text == "off" {
            return Ok(Place::Off);
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return at(&address.ip().to_string(), address.port());
        }
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        if bare.parse::<IpAddr>().is_ok() {
            return at(bare, PANEL_PORT);
        }
        let (host, port) = match text.rsplit_once(':') {
            None => (text, PANEL_PORT),
            Some((host, port)) => {
                let wrong = || format!("{port:?} is no port; it is a number from 0 to 65535");
                (host, port.parse().map_err(|_| wrong())?)
            }
        };
        match host.is_empty() || host.contains([':', '[', ']', '/']) {
            true => Err("an address is written as 127.0.0.1:8090, [::1]:8090 or 0.0.0.0:8090".into()),
            false => at(host, port),
        }
    }
}

fn token(text: &str) -> Result<Token, String> {
    Token::given(text).map_err(|e| e.to_string())
}

/// Keeps the lines of the log that the panel shows: what matters, however much goes to stderr.
pub(in crate::cli) fn kept_lines<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    KeepLines.with_filter(Targets::new().with_default(LevelFilter::WARN).with_target(EVENTS, LevelFilter::INFO))
}

impl DashboardArgs {
    /// Starts the panel, where one is wanted. `config` says who may connect.
    pub(super) fn start(
        &self,
        config: &ServerConfig,
        channels: &ChannelSet,
        server: &Server,
        presets: Option<Arc<Presets>>,
    ) -> anyhow::Result<Option<Dashboard>> {
        let (host, port) = match &self.dashboard {
            Some(Place::Off) => return Ok(None),
            Some(Place::At(host, port)) => (host.clone(), *port),
            None => ("127.0.0.1".to_owned(), PANEL_PORT),
        };
        let this_computer_only = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) || host == "localhost";
        let token = match &self.dashboard_token {
            Some(token) => Some(token.clone()),
            None if this_computer_only => None,
            None => Some(Token::made()?),
        };
        let sources = Sources { channels: channels.clone(), clients: server.clients(), presets };
        let config = DashboardConfig {
            http: HttpConfig {
                host,
                port,
                access: config.access.clone(),
                memory: config.memory.clone(),
                ..HttpConfig::default()
            },
            token: token.clone(),
            names: self.dashboard_name.clone(),
        };
        let dashboard = match (Dashboard::start(config, sources), &self.dashboard) {
            (Ok(dashboard), _) => dashboard,
            (Err(StartError::InUse(address)), None) => {
                warn!(
                    "there is no panel: port {} is in use by another program; --dashboard 127.0.0.1:PORT names another",
                    address.port()
                );
                return Ok(None);
            }
            (Err(why), None) => {
                warn!("there is no panel: {why}");
                return Ok(None);
            }
            (Err(StartError::InUse(address)), Some(_)) => {
                bail!(
                    "the panel (--dashboard) can't have port {} on {}: another program has it",
                    address.port(),
                    address.ip()
                )
            }
            (Err(why), Some(_)) => return Err(why).context("the panel can't be started (--dashboard)"),
        };
        for address in dashboard.addresses() {
            info!(target: EVENTS, "the panel is at http://{address}/");
        }
        if let (Some(token), None) = (token, &self.dashboard_token) {
            let text = token.text();
            info!(target: SECRETS, "the panel's token, for other computers until this server stops: {text}");
            for address in dashboard.addresses().iter().filter(|a| !a.ip().is_loopback() && !a.ip().is_unspecified()) {
                info!(target: SECRETS, "the panel with its token: http://{address}/#token={text}");
            }
        }
        Ok(Some(dashboard))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_panel_is_somewhere_or_off() {
        let at = |host: &str, port| Ok(Place::At(host.to_owned(), port));
        assert_eq!("off".parse(), Ok(Place::Off));
        assert_eq!("127.0.0.1".parse(), at("127.0.0.1", 8090));
        assert_eq!("0.0.0.0:80".parse(), at("0.0.0.0", 80));
        assert_eq!("::1".parse(), at("::1", 8090));
        assert_eq!("[::1]:0".parse(), at("::1", 0));
        assert_eq!("lutbox.local:9".parse(), at("lutbox.local", 9));
        for wrong in ["", ":8090", "a:", "a:b", "a:70000", "http://a:1", "[::1:5"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_token_is_long_enough_and_can_be_sent() {
        assert!(token("long-enough!").is_ok());
        assert!(token("short").unwrap_err().contains("at least 8"));
        assert!(token("has a blank in it").is_err());
        assert!(!format!("{:?}", token("secret-token").unwrap()).contains("secret"));
        let made = || Token::made().unwrap().text().to_owned();
        assert!(made().len() == 32 && made() != made());
    }
}
