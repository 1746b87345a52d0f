//! Metrics of hubs and nodes.

use super::follower::Status;
use super::hub::HubCounts;
use crate::metrics::{MoreMetrics, Text};

/// A hub's metrics.
pub struct HubMetrics(pub Box<dyn Fn() -> HubCounts + Send + Sync>);

/// A node's metrics.
pub struct FollowerMetrics(pub Box<dyn Fn() -> Status + Send + Sync>);

impl MoreMetrics for HubMetrics {
    fn write(&self, to: &mut Text) {
        let counts = (self.0)();
        to.one("vglb_cluster_published_total", "counter", "LUTs published in the cluster.", counts.published);
        to.one("vglb_cluster_published_bytes_total", "counter", "Bytes of those LUTs.", counts.bytes);
        to.one("vglb_cluster_failed_total", "counter", "LUTs that could not be published.", counts.failed);
        to.head("vglb_cluster_nodes", "gauge", "Nodes of the cluster, by how they are.");
        for (state, count) in [("in-step", counts.in_step), ("behind", counts.behind), ("silent", counts.silent)] {
            to.value("vglb_cluster_nodes", &[("state", state)], count);
        }
        to.one("vglb_cluster_other_hubs", "gauge", "Other hubs of the cluster.", counts.other_hubs);
    }
}

impl MoreMetrics for FollowerMetrics {
    fn write(&self, to: &mut Text) {
        let status = (self.0)();
        to.one("vglb_cluster_refused_total", "counter", "Messages of the cluster that are no LUT.", status.refused);
        let help = "Messages of the cluster passed over before they were looked at, for newer ones had come.";
        to.one("vglb_cluster_overrun_total", "counter", help, status.overrun);
        type Value = fn(&super::report::NodeChannel) -> f64;
        let seconds = |us: i64| us as f64 / 1e6;
        let families: [(&str, &str, &str, Value); 6] = [
            ("vglb_cluster_revision", "gauge", "The hub's revision that the stream shows.", |c| c.revision as f64),
            ("vglb_cluster_applied_total", "counter", "LUTs put on the stream.", |c| c.applied as f64),
            ("vglb_cluster_skipped_total", "counter", "LUTs passed over for a newer one.", |c| c.skipped as f64),
            ("vglb_cluster_lut_refused_total", "counter", "LUTs that the channel refused.", |c| c.refused as f64),
            (
                "vglb_cluster_skew_seconds",
                "gauge",
                "From when the newest LUT was to take effect until it did, by this computer's clock.",
                |c| c.skew_us as f64 / 1e6,
            ),
            ("vglb_cluster_other_hubs", "gauge", "Hubs of the channel that are not followed.", |c| {
                c.other_hubs.len() as f64
            }),
        ];
        for (name, kind, help, value) in families {
            to.head(name, kind, help);
            for channel in status.channels.values() {
                to.value(name, &[("channel", &channel.channel), ("stream", &channel.stream)], value(channel));
            }
        }
        let name = "vglb_cluster_worst_skew_seconds";
        to.head(name, "gauge", "The largest of the last 64 of those times.");
        for c in status.channels.values() {
            to.value(name, &[("channel", &c.channel), ("stream", &c.stream)], seconds(c.worst_skew_us));
        }
    }
}
