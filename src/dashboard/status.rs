//! States as JSON.

use super::{Panel, event_log};
use crate::channel::{ChannelStatus, LutSource};
use crate::server::Client;
use serde_json::{Value, json};
use std::time::SystemTime;

/// Seconds since 1970.
pub(super) fn seconds(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// What a stream shows, in a word.
fn state(status: &ChannelStatus) -> &'static str {
    let mode = status.output;
    if mode.identify {
        "identifying"
    } else if mode.bypass {
        "bypassed"
    } else if mode.hold {
        "held"
    } else if status.writers == 0 && status.source == LutSource::Sent {
        "no-signal"
    } else {
        "live"
    }
}

impl Panel {
    pub(super) fn channel(&self, status: &ChannelStatus) -> Value {
        let source = match status.source {
            LutSource::Sent => "sent",
            LutSource::Cdl => "cdl",
            LutSource::File => "file",
            LutSource::Cluster => "cluster",
        };
        let cdl = status.cdl.map(|cdl| {
            json!({
                "slope": cdl.slope(), "offset": cdl.offset(), "power": cdl.power(), "saturation": cdl.saturation(),
            })
        });
        json!({
            "stream": status.stream,
            "channel": status.id.name(),
            "state": state(status),
            "bypass": status.output.bypass,
            "hold": status.output.hold,
            "identify": status.output.identify,
            "grid_size": status.size.map(|n| n.get()),
            "width": status.shape.map(|s| s.width()),
            "height": status.shape.map(|s| s.height()),
            "layout": status.shape.map(|s| s.layout().to_string()),
            "format": crate::texture::RGBA32F,
            "transport": self.sources.channels.backend().name(),
            "receivers": status.receivers,
            "senders": status.writers,
            "source": source,
            "revision": status.revision,
            "luts": status.luts,
            "bytes": status.bytes,
            "received": status.received.map(seconds),
            "latency_us": status.latency.map(|t| t.as_nanos() as f64 / 1e3),
            "cdl": cdl,
            "preset": self.recalled.on(status),
            "start": self.sources.presets.as_ref().map(|presets| presets.start(&status.id)),
        })
    }

    pub(super) fn all_channels(&self) -> Vec<Value> {
        self.sources.channels.status().iter().map(|status| self.channel(status)).collect()
    }

    /// Who is connected.
    pub(super) fn clients(&self) -> Vec<Value> {
        let (begun, at) = self.begun;
        let client = |c: Client| {
            // Reckoned from one moment, so that it is the same whenever it is asked for.
            let since = match c.since.checked_duration_since(begun) {
                Some(later) => at.checked_add(later),
                None => at.checked_sub(begun.duration_since(c.since)),
            };
            json!({ "address": c.address.to_string(), "since": since.map(seconds), "has_sent": c.has_sent })
        };
        self.sources.clients.list().into_iter().map(client).collect()
    }

    /// What seldom changes while the server runs, and the time.
    pub(super) fn server(&self) -> Value {
        let channels = &self.sources.channels;
        json!({
            "version": crate::VERSION,
            "uptime_seconds": self.begun.0.elapsed().as_secs_f64(),
            "now": seconds(SystemTime::now()),
            "transport": channels.backend().name(),
            "layout": channels.settings().layout.to_string(),
            "entry_order": channels.settings().order.to_string(),
            "base_stream": channels.base_stream(),
        })
    }

    pub(super) fn status(&self) -> Value {
        let mut status = self.server();
        status["channels"] = self.all_channels().into();
        status["clients"] = self.clients().into();
        status["log"] = event_log::after(0).into_iter().map(|line| line.json()).collect::<Vec<_>>().into();
        status
    }
}
