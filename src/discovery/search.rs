//! Searches for boxes.

use super::record::Found;
use super::{DiscoveryError, SERVICE};
use mdns_sd::{DaemonEvent, RecvTimeoutError, ServiceDaemon, ServiceEvent};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The most boxes that are kept: more than any rack has, and few enough to be read.
pub const MOST_BOXES: usize = 256;

/// What a search has found.
#[derive(Debug, Default)]
pub struct Search {
    boxes: BTreeMap<String, Found>,
    /// How many answers of further boxes were left out.
    pub left_out: u64,
    /// What went wrong on the way, which need not concern every network of the computer.
    pub faults: Vec<String>,
}

impl Search {
    /// Asks, and collects answers for as long as this.
    pub fn run(time: Duration) -> Result<Search, DiscoveryError> {
        let daemon = ServiceDaemon::new()?;
        let events = daemon.monitor()?;
        let answers = daemon.browse(SERVICE)?;
        let (end, mut search) = (Instant::now() + time, Search::default());
        loop {
            match answers.recv_deadline(end) {
                Ok(event) => search.take(event),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(DiscoveryError::Ended),
            }
        }
        for event in events.try_iter() {
            if let DaemonEvent::Error(why) = event {
                let why = why.to_string();
                if !search.faults.contains(&why) {
                    search.faults.push(why);
                }
            }
        }
        // Its thread ends with the process in any case.
        let _ = daemon.shutdown();
        Ok(search)
    }

    /// The boxes, in the order of their names.
    pub fn boxes(&self) -> impl Iterator<Item = &Found> {
        self.boxes.values()
    }

    fn take(&mut self, event: ServiceEvent) {
        match event {
            ServiceEvent::ServiceResolved(answer) => {
                // Names are the same in capitals and small letters.
                let key = answer.fullname.to_lowercase();
                if self.boxes.len() >= MOST_BOXES && !self.boxes.contains_key(&key) {
                    self.left_out += 1;
                } else {
                    self.boxes.insert(key, Found::read(&answer));
                }
            }
            ServiceEvent::ServiceRemoved(_, full) => {
                self.boxes.remove(&full.to_lowercase());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mdns_sd::ServiceInfo;

    fn resolved(name: &str, port: u16) -> ServiceEvent {
        let service = ServiceInfo::new(SERVICE, name, "a.local.", "10.0.0.1", port, None).unwrap();
        ServiceEvent::ServiceResolved(Box::new(service.as_resolved_service()))
    }

    #[test]
    fn a_flood_of_answers_is_bounded_and_the_first_are_kept() {
        let mut search = Search::default();
        for i in 0..10_000u32 {
            search.take(resolved(&format!("box {i:05}"), 1));
        }
        assert_eq!((search.boxes().count(), search.left_out), (MOST_BOXES, 10_000 - MOST_BOXES as u64));
        search.take(resolved("BOX 00000", 2));
        let first = search.boxes().next().unwrap();
        assert_eq!((first.name.as_str(), first.port), ("BOX 00000", 2), "news of a box that is known");
        search.take(ServiceEvent::ServiceRemoved(SERVICE.into(), format!("box 00000.{SERVICE}")));
        assert_eq!(search.boxes().count(), MOST_BOXES - 1);
    }
}
