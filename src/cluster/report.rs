//! What hubs and nodes say of themselves twice a second, as JSON.

use super::MOST_CHANNELS;
use super::keys::LONGEST_NAME;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often.
pub const PERIOD: Duration = Duration::from_millis(500);
/// Nodes that a hub keeps in mind; of more, those that are new are left out.
pub const MOST_NODES: usize = 1024;
/// A longer report is none.
const LONGEST: usize = 4 << 20;
/// A longer text in one is none.
const LONGEST_TEXT: usize = 2048;

/// What a hub says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubReport {
    /// The hub's name.
    pub name: String,
    /// When it began, in nanoseconds since 1970.
    pub began: u64,
    /// The random number of its life.
    pub life: u64,
    /// The program's version.
    pub version: String,
    /// Its priority.
    pub priority: u32,
    /// It ends.
    pub leaving: bool,
    /// Its channels.
    pub channels: Vec<HubChannel>,
    /// The nodes that it knows of.
    pub nodes: Vec<NodeRow>,
}

/// A channel of a hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubChannel {
    /// The channel's name.
    pub channel: String,
    /// The stream on the hub.
    pub stream: String,
    /// The newest revision published.
    pub revision: u64,
    /// Its grid size.
    pub size: usize,
    /// The hub shows the identity.
    pub bypass: bool,
    /// The hub keeps its stream as it is.
    pub hold: bool,
}

/// What a node says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeReport {
    /// The node's name.
    pub name: String,
    /// The random number of its life.
    pub life: u64,
    /// The program's version.
    pub version: String,
    /// It ends.
    pub leaving: bool,
    /// The channels that it follows and has a LUT of.
    pub channels: Vec<NodeChannel>,
}

/// A channel on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeChannel {
    /// The channel's name in the cluster.
    pub channel: String,
    /// The stream on the node.
    pub stream: String,
    /// The hub whose LUT it shows.
    pub hub: String,
    /// The random number of that hub's life.
    pub hub_life: u64,
    /// The hub's revision that it shows.
    pub revision: u64,
    /// Its grid size.
    pub size: usize,
    /// From when the LUT was to take effect until it did, in microseconds, by the node's clock.
    pub skew_us: i64,
    /// The largest of the last 64 such times.
    pub worst_skew_us: i64,
    /// LUTs put on the stream.
    pub applied: u64,
    /// LUTs that were passed over, for a newer one took effect no later, or too many waited.
    pub skipped: u64,
    /// LUTs refused.
    pub refused: u64,
    /// Other hubs that publish this channel.
    pub other_hubs: Vec<String>,
}

/// What a hub thinks of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// It shows what it should.
    #[default]
    InStep,
    /// It shows an older LUT than it should.
    Behind,
    /// Nothing is heard of it.
    Silent,
}

impl NodeState {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            NodeState::InStep => "in step",
            NodeState::Behind => "behind",
            NodeState::Silent => "silent",
        }
    }
}

/// A node as its hub sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRow {
    /// What it has said last.
    pub report: NodeReport,
    /// What the hub thinks of it.
    pub state: NodeState,
    /// For how long it has not been heard.
    pub unheard_ms: u64,
    /// For how long it has been behind.
    pub behind_ms: u64,
}

/// A report whose sizes can be checked.
pub trait Bounded: DeserializeOwned {
    /// Whether names and counts are as they may be.
    fn is_bounded(&self) -> bool;
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
}

fn are_short<const N: usize>(texts: [&str; N]) -> bool {
    texts.iter().all(|text| text.len() <= LONGEST_TEXT)
}

impl Bounded for NodeReport {
    fn is_bounded(&self) -> bool {
        let is_good = |c: &NodeChannel| {
            are_short([&c.channel, &c.stream]) && is_name(&c.hub) && c.other_hubs.iter().all(|hub| is_name(hub))
        };
        is_name(&self.name)
            && are_short([&self.version])
            && self.channels.len() <= MOST_CHANNELS
            && self.channels.iter().all(is_good)
    }
}

impl Bounded for HubReport {
    fn is_bounded(&self) -> bool {
        is_name(&self.name)
            && are_short([&self.version])
            && self.channels.len() <= MOST_CHANNELS
            && self.channels.iter().all(|c| are_short([&c.channel, &c.stream]))
            && self.nodes.len() <= MOST_NODES
            && self.nodes.iter().all(|row| row.report.is_bounded())
    }
}

/// Reads a report. `None` where it is none.
pub fn read<T: Bounded>(bytes: &[u8]) -> Option<T> {
    if bytes.len() > LONGEST {
        return None;
    }
    serde_json::from_slice(bytes).ok().filter(T::is_bounded)
}

/// Writes a report.
pub fn write(report: &impl Serialize) -> Vec<u8> {
    // Text and numbers can always be written.
    serde_json::to_vec(report).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> NodeReport {
        let channel = NodeChannel { channel: "a".into(), hub: "h".into(), skew_us: -3, ..NodeChannel::default() };
        NodeReport { name: "n".into(), life: u64::MAX, channels: vec![channel], ..NodeReport::default() }
    }

    #[test]
    fn a_report_comes_back() {
        assert_eq!(read(&write(&node())), Some(node()));
        let row = NodeRow { report: node(), state: NodeState::Behind, ..NodeRow::default() };
        let hub = HubReport { name: "h".into(), nodes: vec![row], ..HubReport::default() };
        assert_eq!(read(&write(&hub)), Some(hub));
    }

    #[test]
    fn what_is_no_report_is_left_alone() {
        let refused = |node: NodeReport| assert_eq!(read::<NodeReport>(&write(&node)), None, "{node:?}");
        refused(NodeReport { name: String::new(), ..node() });
        refused(NodeReport { name: "x".repeat(65), ..node() });
        refused(NodeReport { version: "x".repeat(3000), ..node() });
        refused(NodeReport { channels: vec![node().channels[0].clone(); MOST_CHANNELS + 1], ..node() });
        let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for wrong in ["", "{", "null", "{\"name\":1}", &nested, &" ".repeat(LONGEST + 1)] {
            assert_eq!(read::<NodeReport>(wrong.as_bytes()), None);
            assert_eq!(read::<HubReport>(wrong.as_bytes()), None);
        }
    }
}
