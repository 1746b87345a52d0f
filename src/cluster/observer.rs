//! A look at a cluster from outside: who is there, and how they are.

use super::MOST_HUBS;
use super::keys::{self, Name};
use super::report::{self, HubReport, MOST_NODES, NodeReport, NodeRow};
use super::session::{self, ClusterError, Network};
use crate::lut::GridSize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use zenoh::Wait;
use zenoh::sample::Sample;

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The hubs, by name.
    pub hubs: Vec<HubReport>,
    /// The nodes, by name, as that hub sees them that has heard them last. A node that no hub has heard counts as in step.
    pub nodes: Vec<NodeRow>,
}

#[derive(Default)]
struct Heard {
    hubs: BTreeMap<(String, u64), HubReport>,
    nodes: BTreeMap<(String, u64), (NodeReport, Instant)>,
}

/// Looks for so long.
pub fn look(cluster: &Name, network: &Network, time: Duration) -> Result<Seen, ClusterError> {
    let session = session::open(network, GridSize::COMMON)?;
    let heard: Arc<Mutex<Heard>> = Arc::default();
    let its = heard.clone();
    let hub = move |sample: Sample| {
        let Some(report) = report::read::<HubReport>(&sample.payload().to_bytes()) else { return };
        let mut heard = its.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (report.name.clone(), report.life);
        if report.leaving {
            heard.hubs.remove(&key);
        } else if heard.hubs.len() < MOST_HUBS || heard.hubs.contains_key(&key) {
            heard.hubs.insert(key, report);
        }
    };
    let hubs = session.declare_subscriber(keys::of_all_hubs(cluster)).callback(hub).wait()?;
    let its = heard.clone();
    let node = move |sample: Sample| {
        let Some(report) = report::read::<NodeReport>(&sample.payload().to_bytes()) else { return };
        let mut heard = its.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (report.name.clone(), report.life);
        if report.leaving {
            heard.nodes.remove(&key);
        } else if heard.nodes.len() < MOST_NODES || heard.nodes.contains_key(&key) {
            heard.nodes.insert(key, (report, Instant::now()));
        }
    };
    let nodes = session.declare_subscriber(keys::of_all_nodes(cluster)).callback(node).wait()?;
    std::thread::sleep(time);
    drop((hubs, nodes));
    session.close().wait()?;
    let heard = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(together(heard))
}

/// Each node once.
fn together(heard: Heard) -> Seen {
    let hubs: Vec<HubReport> = heard.hubs.into_values().collect();
    let mut rows: BTreeMap<(String, u64), NodeRow> = BTreeMap::new();
    for row in hubs.iter().flat_map(|hub| &hub.nodes) {
        let key = (row.report.name.clone(), row.report.life);
        match rows.get(&key) {
            Some(other) if other.unheard_ms <= row.unheard_ms => {}
            _ => drop(rows.insert(key, row.clone())),
        }
    }
    for (key, (report, at)) in heard.nodes {
        let unheard_ms = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        rows.entry(key).or_insert(NodeRow { report, unheard_ms, ..NodeRow::default() });
    }
    Seen { hubs, nodes: rows.into_values().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::report::NodeState;

    #[test]
    fn a_node_is_listed_once_as_the_hub_sees_it_that_heard_it_last() {
        let node = |name: &str| NodeReport { name: name.into(), life: 1, ..NodeReport::default() };
        let row = |name: &str, state, unheard_ms| NodeRow { report: node(name), state, unheard_ms, behind_ms: 0 };
        let hub = |name: &str, nodes| HubReport { name: name.into(), nodes, ..HubReport::default() };
        let hubs = [
            hub("a", vec![row("n", NodeState::Silent, 9000), row("m", NodeState::Silent, 5000)]),
            hub("b", vec![row("n", NodeState::Behind, 100)]),
        ];
        let heard = Heard {
            hubs: hubs.into_iter().map(|hub| ((hub.name.clone(), 1), hub)).collect(),
            nodes: [(("n".into(), 1), (node("n"), Instant::now())), (("x".into(), 1), (node("x"), Instant::now()))]
                .into(),
        };
        let seen = together(heard);
        let states: Vec<_> = seen.nodes.iter().map(|row| (&*row.report.name, row.state)).collect();
        assert_eq!(states, [("m", NodeState::Silent), ("n", NodeState::Behind), ("x", NodeState::InStep)]);
    }
}
