//! Where LUTs and CDL values come from beside OpenGradeIO, and the recording of what arrives.

use crate::EVENTS;
use crate::cdl_http::{CdlHttp, DEFAULT_PORT};
use crate::channel::ChannelSet;
use crate::http::{HttpConfig, HttpServer};
use crate::metrics::{MetricsHttp, MoreMetrics};
use crate::recording::Recorder;
use crate::server::{Server, ServerConfig};
use crate::sink::ChannelId;
use crate::source::{FileSource, Sources};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use tracing::info;

/// The port of metrics.
const METRICS_PORT: u16 = 9189;

/// What `serve` takes about its inputs.
#[derive(Args, Debug)]
pub struct Inputs {
    /// Take a channel's LUT from a file, and again whenever it changes, as CAM=grade.cube; =grade.cube for the channel
    /// without a name. A CDL, or whatever else is no plain 3D LUT, is baked. May be given several times
    #[arg(long, value_name = "CHANNEL=FILE", value_parser = source)]
    pub(super) source: Vec<FileSource>,
    /// Take CDL values over HTTP, as grading programs send them to disguise; host name or address, and port (8008 where
    /// none is given)
    #[arg(long, value_name = "HOST[:PORT]", value_parser = address)]
    http_cdl: Option<Address>,
    /// A channel to offer over HTTP even before it has had a LUT; may be given several times
    #[arg(long, value_name = "NAME", requires = "http_cdl")]
    http_cdl_channel: Vec<String>,
    /// Answer Prometheus with metrics at this address and port (9189 where none is given), under /metrics
    #[arg(long, value_name = "HOST[:PORT]", value_parser = metrics_address)]
    metrics: Option<Address>,
    /// Record every message that arrives in this new file, for `vglb play`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) record: Option<PathBuf>,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct Address {
    host: String,
    port: u16,
}

fn source(text: &str) -> Result<FileSource, String> {
    match text.split_once('=') {
        Some((channel, file)) if !file.is_empty() => {
            Ok(FileSource { channel: ChannelId::new(channel), file: PathBuf::from(file) })
        }
        _ => Err("a source is a channel and a file, as CAM=grade.cube".into()),
    }
}

fn address(text: &str) -> Result<Address, String> {
    address_or(text, DEFAULT_PORT)
}

pub(in crate::cli) fn metrics_address(text: &str) -> Result<Address, String> {
    address_or(text, METRICS_PORT)
}

/// An IPv6 address with a port stands in brackets, as in a URL.
fn address_or(text: &str, port: u16) -> Result<Address, String> {
    let plain = |host: &str| Address { host: host.to_owned(), port };
    let (host, port) = match text.rsplit_once(':') {
        _ if text.parse::<std::net::Ipv6Addr>().is_ok() => return Ok(plain(text)),
        None => return if text.is_empty() { Err("the host is missing".into()) } else { Ok(plain(text)) },
        Some((_, "")) => return Err("the port behind : is missing".into()),
        Some((host, _)) if text.ends_with(']') && host.starts_with('[') => return Ok(plain(text)),
        Some(parts) => parts,
    };
    let port = port.parse().map_err(|_| format!("{port:?} is no port; it is a number from 0 to 65535"))?;
    match host.is_empty() {
        true => Err("the host before : is missing; 127.0.0.1 is this computer, 0.0.0.0 every network".into()),
        false => Ok(Address { host: host.to_owned(), port }),
    }
}

/// Inputs that run.
pub(super) struct RunningInputs {
    sources: Option<Sources>,
    http: Option<HttpServer>,
}

impl Inputs {
    /// Begins the recording, where one is wanted.
    pub(super) fn recorder(&self) -> anyhow::Result<Option<Recorder>> {
        let Some(path) = &self.record else { return Ok(None) };
        let recorder =
            Recorder::create(path).with_context(|| format!("can't begin the recording {}", path.display()))?;
        info!(target: EVENTS, "every message is recorded in {}", path.display());
        Ok(Some(recorder))
    }

    /// Starts the other inputs. `server` says who may connect.
    pub(super) fn start(
        &self,
        channels: &ChannelSet,
        sources: &[FileSource],
        server: &ServerConfig,
    ) -> anyhow::Result<RunningInputs> {
        let sources = follow(channels, sources)?;
        let Some(Address { host, port }) = self.http_cdl.clone() else {
            return Ok(RunningInputs { sources, http: None });
        };
        let config = http(host, port, server);
        let offered = self.http_cdl_channel.iter().map(ChannelId::new).collect();
        let http = HttpServer::start(config, Arc::new(CdlHttp::new(channels.clone(), offered)))
            .context("can't take CDL values over HTTP (--http-cdl)")?;
        for address in http.addresses() {
            info!(target: EVENTS, "CDL values are taken over HTTP on {address}");
        }
        Ok(RunningInputs { sources, http: Some(http) })
    }
}

fn follow(channels: &ChannelSet, sources: &[FileSource]) -> anyhow::Result<Option<Sources>> {
    match sources.is_empty() {
        true => Ok(None),
        false => Sources::start(channels, sources).map(Some).context("can't start the thread that follows files"),
    }
}

/// Where to listen for HTTP; whoever may send LUTs may ask.
fn http(host: String, port: u16, server: &ServerConfig) -> HttpConfig {
    HttpConfig {
        host,
        port,
        access: server.access.clone(),
        max_connections: server.max_connections,
        max_connections_per_address: server.max_connections_per_address,
        memory: server.memory.clone(),
        ..HttpConfig::default()
    }
}

impl Inputs {
    /// Answers with metrics, where that is wanted.
    pub(super) fn start_metrics(
        &self,
        channels: &ChannelSet,
        server: &Server,
        config: &ServerConfig,
        more: Option<Box<dyn MoreMetrics>>,
    ) -> anyhow::Result<Option<HttpServer>> {
        let Some(at) = &self.metrics else { return Ok(None) };
        let answers = MetricsHttp::new(config.metrics.clone(), channels.clone(), server.counter()).with(more);
        answer_with_metrics(at, config, answers).map(Some)
    }
}

/// Answers with metrics at an address.
pub(in crate::cli) fn answer_with_metrics(
    at: &Address,
    config: &ServerConfig,
    answers: MetricsHttp,
) -> anyhow::Result<HttpServer> {
    let http = HttpServer::start(http(at.host.clone(), at.port, config), Arc::new(answers))
        .context("can't answer with metrics (--metrics)")?;
    for address in http.addresses() {
        info!(target: EVENTS, "metrics are on http://{address}/metrics");
    }
    Ok(http)
}

impl RunningInputs {
    /// Follows these files from now on.
    pub(super) fn follow(&mut self, channels: &ChannelSet, sources: &[FileSource]) -> anyhow::Result<()> {
        match &self.sources {
            Some(following) => following.follow(sources),
            None => self.sources = follow(channels, sources)?,
        }
        Ok(())
    }

    /// What takes CDL values over HTTP.
    pub(super) fn http(&self) -> Option<&HttpServer> {
        self.http.as_ref()
    }

    /// Takes nothing more.
    pub(super) fn stop(mut self) {
        if let Some(http) = &mut self.http {
            http.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_may_have_a_port() {
        let at = |host: &str, port| Ok(Address { host: host.to_owned(), port });
        assert_eq!(address("0.0.0.0"), at("0.0.0.0", 8008));
        assert_eq!(address("127.0.0.1:9000"), at("127.0.0.1", 9000));
        assert_eq!(address("::1"), at("::1", 8008));
        assert_eq!(address("[::1]"), at("[::1]", 8008));
        assert_eq!(address("[::1]:80"), at("[::1]", 80));
        for wrong in ["", ":8008", "a:", "a:b", "a:70000"] {
            assert!(address(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_source_is_a_channel_and_a_file() {
        let whole = source("CAM 1=a=b.cube").unwrap();
        assert_eq!((whole.channel, whole.file), (ChannelId::new("CAM 1"), PathBuf::from("a=b.cube")));
        assert_eq!(source("=a.cube").unwrap().channel, ChannelId::default());
        assert!(source("a.cube").is_err() && source("a=").is_err());
    }
}
