//! What has come from the cluster and was not looked at yet: bounded, the newest stays.

use super::election::Life;
use super::keys::Name;
use super::{MOST_CHANNELS, MOST_HUBS};
use crate::sink::ChannelId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zenoh::bytes::ZBytes;

/// Messages of a channel that are kept.
const MOST_MESSAGES: usize = 8;

/// Where Zenoh's threads put what comes.
#[derive(Default)]
pub struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    messages: BTreeMap<ChannelId, VecDeque<ZBytes>>,
    hubs: BTreeMap<Name, Life>,
    overrun: u64,
    stopped: bool,
}

/// What was there.
pub struct Mail {
    /// Each channel's messages, the oldest first.
    pub messages: BTreeMap<ChannelId, VecDeque<ZBytes>>,
    /// Hubs that have said that they are there.
    pub hubs: BTreeMap<Name, Life>,
    /// Messages that were dropped for newer ones.
    pub overrun: u64,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message of a channel.
    pub fn put(&self, channel: ChannelId, message: ZBytes) {
        let mut state = self.lock();
        if state.messages.len() >= MOST_CHANNELS && !state.messages.contains_key(&channel) {
            state.overrun += 1;
            return;
        }
        let messages = state.messages.entry(channel).or_default();
        messages.push_back(message);
        if messages.len() > MOST_MESSAGES {
            messages.pop_front();
            state.overrun += 1;
        }
        self.changed.notify_all();
    }

    /// A hub has said that it is there.
    pub fn heard(&self, hub: Name, life: Life) {
        let mut state = self.lock();
        if state.hubs.len() < MOST_HUBS || state.hubs.contains_key(&hub) {
            state.hubs.insert(hub, life);
            self.changed.notify_all();
        }
    }

    /// Nothing more is wanted.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Waits for what comes, until `until` at the latest, and no longer than `most`. `None` where nothing more is wanted.
    pub fn wait(&self, until: Option<Instant>, most: Duration) -> Option<Mail> {
        let now = Instant::now();
        let time = until.map_or(most, |until| until.saturating_duration_since(now).min(most));
        let nothing = |state: &mut State| !state.stopped && state.messages.is_empty() && state.hubs.is_empty();
        let state = self.lock();
        let (mut state, _) =
            self.changed.wait_timeout_while(state, time, nothing).unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return None;
        }
        let State { messages, hubs, overrun, .. } = std::mem::take(&mut *state);
        drop(state);
        Some(Mail { messages, hubs, overrun })
    }

    /// Waits until nothing more is wanted, at most `time`, and tells whether that is so.
    pub fn wait_for_stop(&self, time: Duration) -> bool {
        let state = self.lock();
        let (state, _) =
            self.changed.wait_timeout_while(state, time, |s| !s.stopped).unwrap_or_else(PoisonError::into_inner);
        state.stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_messages_stay() {
        let inbox = Inbox::default();
        (0..20u8).for_each(|i| inbox.put(ChannelId::new("a"), ZBytes::from(vec![i])));
        inbox.put(ChannelId::new("b"), ZBytes::from(vec![99]));
        let mail = inbox.wait(None, Duration::from_secs(60)).unwrap();
        let all: Vec<u8> = mail.messages.values().flatten().map(|m| m.to_bytes()[0]).collect();
        assert_eq!(all, [12, 13, 14, 15, 16, 17, 18, 19, 99]);
        assert_eq!(mail.overrun, 12);
        assert!(inbox.wait(Some(Instant::now()), Duration::from_secs(60)).unwrap().messages.is_empty());
        inbox.stop();
        assert!(inbox.wait(None, Duration::from_secs(60)).is_none() && inbox.wait_for_stop(Duration::ZERO));
    }

    #[test]
    fn channels_without_end_take_no_memory_without_end() {
        let inbox = Inbox::default();
        (0..1000).for_each(|i| inbox.put(ChannelId::new(i.to_string()), ZBytes::from(vec![0])));
        assert_eq!(inbox.wait(None, Duration::ZERO).unwrap().messages.len(), MOST_CHANNELS);
    }
}
