//! The metrics as text.

use super::{BOUNDS_US, Histogram, Metrics, Reason};
use crate::channel::{ChannelSet, ChannelStatus};
use crate::http::{Handler, Head, Request, Response};
use std::fmt::{Display, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::time::SystemTime;

/// Prometheus' text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers `GET /metrics`.
pub struct MetricsHttp {
    metrics: Metrics,
    channels: ChannelSet,
    open: Box<dyn Fn() -> usize + Send + Sync>,
    more: Option<Box<dyn MoreMetrics>>,
    began: SystemTime,
}

/// Metrics of a part that not every server has.
pub trait MoreMetrics: Send + Sync {
    /// Writes all of them.
    fn write(&self, to: &mut Text);
}

impl MetricsHttp {
    /// Answers for `channels`, with what `metrics` has counted. `open` tells the connections that are open now.
    pub fn new(metrics: Metrics, channels: ChannelSet, open: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        MetricsHttp { metrics, channels, open: Box::new(open), more: None, began: SystemTime::now() }
    }

    /// The same, with more of them.
    pub fn with(self, more: Option<Box<dyn MoreMetrics>>) -> Self {
        MetricsHttp { more, ..self }
    }

    /// All of it.
    fn text(&self) -> String {
        let mut out = Text::default();
        let all = &self.metrics.0;
        out.head("vglb_build_info", "gauge", "The program.");
        out.value("vglb_build_info", &[("version", crate::VERSION)], 1);
        out.one(
            "vglb_start_time_seconds",
            "gauge",
            "When the server began, in seconds since 1970.",
            seconds(self.began),
        );
        out.one("vglb_connections_open", "gauge", "OpenGradeIO connections open now.", (self.open)());
        let count = all.connections.load(Relaxed);
        out.one("vglb_connections_total", "counter", "OpenGradeIO connections accepted.", count);
        let bytes = all.bytes.load(Relaxed);
        out.one(
            "vglb_message_bytes_total",
            "counter",
            "Bytes of OpenGradeIO messages whose LUT was put into force.",
            bytes,
        );
        out.one("vglb_cdls_total", "counter", "CDL values taken over OpenGradeIO.", all.cdls.load(Relaxed));
        out.head("vglb_refused_total", "counter", "Requests refused, and connections refused or closed, by reason.");
        for reason in Reason::ALL {
            out.value("vglb_refused_total", &[("reason", reason.name())], all.refused[reason as usize].load(Relaxed));
        }
        let help = "From a LUT message's first bytes until its texture is published.";
        out.histogram("vglb_lut_seconds", help, &all.whole);
        let help = "From a LUT message's last byte until its texture is published.";
        out.histogram("vglb_publish_seconds", help, &all.publish);
        let backend = self.channels.backend();
        let help = "Parts of what shares the textures that have begun again after they had failed.";
        out.head("vglb_backend_restarts_total", "counter", help);
        for (part, count) in backend.restarts() {
            out.value("vglb_backend_restarts_total", &[("backend", backend.name()), ("part", part)], count);
        }
        self.channels(&mut out);
        if let Some(more) = &self.more {
            more.write(&mut out);
        }
        out.0
    }

    /// What is known of each channel. There are at most as many as the server's limit.
    fn channels(&self, out: &mut Text) {
        let channels = self.channels.status();
        type Value = fn(&ChannelStatus) -> Option<f64>;
        let families: [(&str, &str, &str, Value); 7] = [
            ("vglb_luts_total", "counter", "LUTs put into force, from wherever.", |c| Some(c.luts as f64)),
            ("vglb_lut_bytes_total", "counter", "Bytes of the entries of those LUTs.", |c| Some(c.bytes as f64)),
            ("vglb_revision", "gauge", "Revision of the newest texture.", |c| Some(c.revision as f64)),
            ("vglb_lut_received_time_seconds", "gauge", "When the newest LUT came, in seconds since 1970.", |c| {
                c.received.map(seconds)
            }),
            (
                "vglb_updated_time_seconds",
                "gauge",
                "When the newest texture was published, in seconds since 1970.",
                |c| c.updated.map(seconds),
            ),
            ("vglb_grid_size", "gauge", "Grid size of the newest LUT.", |c| c.size.map(|n| n.get() as f64)),
            ("vglb_receivers", "gauge", "Receivers connected, where the platform tells.", |c| {
                c.receivers.map(|n| n as f64)
            }),
        ];
        for (name, kind, help, value) in families {
            out.head(name, kind, help);
            for channel in &channels {
                if let Some(value) = value(channel) {
                    out.value(name, &labels(channel), value);
                }
            }
        }
        out.head("vglb_cdl", "gauge", "The newest CDL values.");
        for channel in &channels {
            let Some(cdl) = channel.cdl else { continue };
            for (parameter, values) in [("slope", cdl.slope()), ("offset", cdl.offset()), ("power", cdl.power())] {
                for (component, value) in ["r", "g", "b"].into_iter().zip(values) {
                    let [channel, stream] = labels(channel);
                    let labels = [channel, stream, ("parameter", parameter), ("component", component)];
                    out.value("vglb_cdl", &labels, value);
                }
            }
            let [channel, stream] = labels(channel);
            out.value("vglb_cdl", &[channel, stream, ("parameter", "saturation")], cdl.saturation());
        }
    }
}

fn labels(channel: &ChannelStatus) -> [(&'static str, &str); 2] {
    [("channel", channel.id.name().unwrap_or("")), ("stream", &channel.stream)]
}

fn seconds(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

impl Handler for MetricsHttp {
    fn admit(&self, head: &Head) -> Result<usize, Response> {
        match (&*head.path, &*head.method) {
            ("/metrics", "GET" | "HEAD") => Ok(0),
            ("/metrics", _) => Err(Response::error(405, "metrics are asked for with GET").with("Allow", "GET, HEAD")),
            _ => Err(Response::error(404, "there is nothing here but /metrics")),
        }
    }

    fn handle(&self, _: &Request) -> Response {
        Response::new(200, TEXT, self.text().into_bytes())
    }
}

/// Text in Prometheus' format (version 0.0.4).
#[derive(Default)]
pub struct Text(String);

impl Text {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String can't fail.
        let _ = writeln!(self.0, "{line}");
    }

    /// What the values of this name are.
    pub fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// A value without labels, and what it is.
    pub fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.value(name, &[], value);
    }

    /// A value.
    pub fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escape(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.line(format_args!("{name}{labels} {value}"));
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head(name, "histogram", help);
        let mut so_far = 0;
        for (i, bucket) in histogram.buckets.iter().enumerate() {
            so_far += bucket.load(Relaxed);
            let bound = BOUNDS_US.get(i).map_or_else(|| "+Inf".to_owned(), |us| (*us as f64 / 1e6).to_string());
            self.value(&format!("{name}_bucket"), &[("le", &bound)], so_far);
        }
        self.value(&format!("{name}_sum"), &[], histogram.sum_ns.load(Relaxed) as f64 / 1e9);
        self.value(&format!("{name}_count"), &[], so_far);
    }
}

/// A label's text. A line break would begin another line.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
