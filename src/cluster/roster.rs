//! Who is in step, as a hub sees it: each node's report against what the hub had published by then.

use super::report::{MOST_NODES, NodeReport, NodeRow, NodeState};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// A node of which nothing is heard for so long is silent.
const SILENT: Duration = Duration::from_millis(1750);
/// A LUT may be so long under way until whoever does not show it is behind.
const UNDER_WAY: Duration = Duration::from_millis(750);
/// A silent node is forgotten after this.
const FORGOTTEN: Duration = Duration::from_secs(600);
/// For so long it is known when a revision was published.
const HISTORY: Duration = Duration::from_secs(4);
/// Revisions of which that is known.
const MOST_REVISIONS: usize = 4096;

/// The nodes of a cluster.
#[derive(Debug)]
pub struct Roster {
    hub: String,
    life: u64,
    /// By name and life.
    nodes: BTreeMap<(String, u64), Known>,
    /// When each channel's revisions were to take effect.
    published: BTreeMap<String, VecDeque<(Instant, u64)>>,
}

#[derive(Debug)]
struct Known {
    report: NodeReport,
    heard: Instant,
    state: NodeState,
    since: Instant,
}

/// A node's state has changed.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Came(String),
    /// It has said that it ends.
    Left(String),
    /// It was in another state before.
    Is(String, NodeState),
}

impl Roster {
    /// For the hub of this name, in this life.
    pub fn new(hub: String, life: u64) -> Self {
        Roster { hub, life, nodes: BTreeMap::new(), published: BTreeMap::new() }
    }

    /// A revision takes effect at `at`.
    pub fn published(&mut self, channel: &str, revision: u64, at: Instant) {
        let known = self.published.entry(channel.to_owned()).or_default();
        known.push_back((at, revision));
        let is_old = |next: &(Instant, u64)| at.saturating_duration_since(next.0) > HISTORY;
        // Of those that are long past, the last says which revision everybody has.
        while known.len() > MOST_REVISIONS || known.get(1).is_some_and(is_old) {
            known.pop_front();
        }
    }

    /// A node has said something.
    pub fn heard(&mut self, report: NodeReport, now: Instant) -> Option<Change> {
        let key = (report.name.clone(), report.life);
        if report.leaving {
            return self.nodes.remove(&key).map(|_| Change::Left(report.name));
        }
        if let Some(known) = self.nodes.get_mut(&key) {
            (known.report, known.heard) = (report, now);
            return None;
        }
        if self.nodes.len() >= MOST_NODES {
            return None;
        }
        // Under its name it has begun again: what it was before it will not be any more.
        self.nodes.retain(|(name, _), known| *name != key.0 || known.state != NodeState::Silent);
        let name = report.name.clone();
        self.nodes.insert(key, Known { report, heard: now, state: NodeState::InStep, since: now });
        Some(Change::Came(name))
    }

    /// Judges every node, and tells of those that are in another state than before.
    pub fn judge(&mut self, now: Instant) -> Vec<Change> {
        self.nodes.retain(|_, known| now.saturating_duration_since(known.heard) < FORGOTTEN);
        let mut changes = Vec::new();
        let (hub, life, published) = (&self.hub, self.life, &self.published);
        for known in self.nodes.values_mut() {
            let state = if now.saturating_duration_since(known.heard) >= SILENT {
                NodeState::Silent
            } else if is_behind(&known.report, known.heard, hub, life, published) {
                NodeState::Behind
            } else {
                NodeState::InStep
            };
            if state != known.state {
                (known.state, known.since) = (state, now);
                changes.push(Change::Is(known.report.name.clone(), state));
            }
        }
        changes
    }

    /// Every node as it is now.
    pub fn rows(&self, now: Instant) -> Vec<NodeRow> {
        let ms = |since: Instant| u64::try_from(now.saturating_duration_since(since).as_millis()).unwrap_or(u64::MAX);
        let row = |known: &Known| NodeRow {
            report: known.report.clone(),
            state: known.state,
            unheard_ms: ms(known.heard),
            behind_ms: if known.state == NodeState::InStep { 0 } else { ms(known.since) },
        };
        self.nodes.values().map(row).collect()
    }

    /// How many nodes are in this state.
    pub fn count(&self, state: NodeState) -> usize {
        self.nodes.values().filter(|known| known.state == state).count()
    }
}

/// Whether a node should have shown something newer when it spoke.
fn is_behind(
    report: &NodeReport,
    heard: Instant,
    hub: &str,
    life: u64,
    published: &BTreeMap<String, VecDeque<(Instant, u64)>>,
) -> bool {
    report.channels.iter().filter(|c| c.hub == hub).any(|channel| {
        let Some(known) = published.get(&channel.channel) else { return false };
        let had_time = |at: Instant| heard.saturating_duration_since(at) >= UNDER_WAY;
        let due = known.iter().rev().find(|(at, _)| had_time(*at)).map_or(0, |(_, revision)| *revision);
        let shown = if channel.hub_life == life { channel.revision } else { 0 };
        shown < due
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::report::NodeChannel;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn report(name: &str, revision: u64) -> NodeReport {
        let channel =
            NodeChannel { channel: "a".into(), hub: "hub".into(), hub_life: 7, revision, ..NodeChannel::default() };
        NodeReport { name: name.into(), life: 1, channels: vec![channel], ..NodeReport::default() }
    }

    #[test]
    fn a_node_that_keeps_up_with_a_moving_grade_is_in_step() {
        let (mut roster, begin) = (Roster::new("hub".into(), 7), Instant::now());
        for i in 0..240 {
            let now = begin + ms(i * 42);
            roster.published("a", i + 1, now);
            if i % 12 == 5 {
                roster.heard(report("n", i - 1), now);
            }
            assert!(roster.judge(now).is_empty(), "at {i}");
        }
        assert!(roster.published["a"].len() < 120, "what is long past is forgotten");
    }

    #[test]
    fn one_that_stays_behind_is_told_within_two_seconds_and_when_it_is_back() {
        let (mut roster, begin) = (Roster::new("hub".into(), 7), Instant::now());
        roster.published("a", 1, begin);
        assert_eq!(roster.heard(report("n", 1), begin + ms(900)), Some(Change::Came("n".into())));
        assert!(roster.judge(begin + ms(900)).is_empty());
        roster.published("a", 2, begin + ms(1000));
        let mut told = None;
        for at in (1000..4000).step_by(100) {
            if at % 500 == 0 {
                roster.heard(report("n", 1), begin + ms(at));
            }
            if let Some(change) = roster.judge(begin + ms(at)).pop() {
                assert_eq!(change, Change::Is("n".into(), NodeState::Behind));
                told = told.or(Some(at - 1000));
            }
        }
        assert!(told.is_some_and(|after| after <= 2000), "{told:?}");
        let rows = roster.rows(begin + ms(4000));
        assert_eq!((rows[0].state, rows[0].behind_ms), (NodeState::Behind, 2000));
        roster.heard(report("n", 2), begin + ms(4000));
        assert_eq!(roster.judge(begin + ms(4000)), [Change::Is("n".into(), NodeState::InStep)]);
    }

    #[test]
    fn one_that_says_nothing_is_silent_within_two_seconds_and_then_forgotten() {
        let (mut roster, begin) = (Roster::new("hub".into(), 7), Instant::now());
        roster.heard(report("n", 0), begin);
        assert!(roster.judge(begin + ms(1700)).is_empty());
        assert_eq!(roster.judge(begin + ms(1800)), [Change::Is("n".into(), NodeState::Silent)]);
        assert_eq!((roster.count(NodeState::Silent), roster.rows(begin + ms(5000))[0].unheard_ms), (1, 5000));
        roster.judge(begin + FORGOTTEN);
        assert!(roster.rows(begin + FORGOTTEN).is_empty());
    }

    #[test]
    fn one_that_shows_a_former_life_is_behind_and_one_that_follows_another_hub_is_not() {
        let (mut roster, begin) = (Roster::new("hub".into(), 8), Instant::now());
        roster.published("a", 1, begin);
        roster.heard(report("old", 900), begin + ms(1000));
        let mut other = report("other", 0);
        other.channels[0].hub = "another".into();
        roster.heard(other, begin + ms(1000));
        assert_eq!(roster.judge(begin + ms(1000)), [Change::Is("old".into(), NodeState::Behind)]);
    }

    #[test]
    fn nodes_leave_and_begin_again() {
        let (mut roster, begin) = (Roster::new("hub".into(), 7), Instant::now());
        roster.heard(report("n", 0), begin);
        let leaving = NodeReport { leaving: true, ..report("n", 0) };
        assert_eq!(roster.heard(leaving, begin), Some(Change::Left("n".into())));
        roster.heard(report("n", 0), begin);
        roster.judge(begin + SILENT);
        roster.heard(NodeReport { life: 2, ..report("n", 0) }, begin + SILENT);
        assert_eq!(roster.rows(begin + SILENT).len(), 1, "it was killed, and is back");
        for i in 0..2 * MOST_NODES as u64 {
            roster.heard(NodeReport { life: i, ..report("n", 0) }, begin + SILENT);
        }
        assert_eq!(roster.rows(begin).len(), MOST_NODES);
    }
}
