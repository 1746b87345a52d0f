//! The servers that a client knows of.

use super::description::Description;
use super::names;
use super::seam::{Held, NotificationHandler, System};
use crate::texture::TextureError;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tracing::debug;

/// How long a server may take to answer a request before it counts as gone.
const SILENCE: Duration = Duration::from_secs(6);

/// How often to look whether somebody has answered.
const GLANCE: Duration = Duration::from_millis(10);

/// Servers that have announced themselves, in the order in which they did.
#[derive(Debug, Default)]
pub struct Known {
    servers: Vec<Description>,
    asked: Option<Asked>,
    /// Notifications heard, to see whether there was one.
    heard: u64,
}

#[derive(Debug)]
struct Asked {
    at: Instant,
    answered: BTreeSet<String>,
}

impl Known {
    /// A server says that it is there. One that is known already stays as it is.
    pub fn announced(&mut self, server: Description) {
        self.heard += 1;
        if let Some(asked) = &mut self.asked {
            asked.answered.insert(server.id.clone());
        }
        if !self.servers.iter().any(|s| s.id == server.id) {
            self.servers.push(server);
        }
    }

    /// A server has changed.
    pub fn updated(&mut self, server: Description) {
        self.heard += 1;
        if let Some(known) = self.servers.iter_mut().find(|s| s.id == server.id) {
            *known = server;
        }
    }

    /// A server is no more.
    pub fn retired(&mut self, id: &str) {
        self.heard += 1;
        self.servers.retain(|s| s.id != id);
    }

    /// Every server was asked to announce itself, by this program or another. A request that is not yet
    /// [`SILENCE`] old goes on; servers that have let it pass without a word are forgotten. Tells whether this is a
    /// new request.
    pub fn requested(&mut self, now: Instant) -> bool {
        self.forget_the_silent(now);
        let is_new = self.asked.is_none();
        self.asked.get_or_insert_with(|| Asked { at: now, answered: BTreeSet::new() });
        is_new
    }

    /// Forgets the servers that had their time to answer.
    pub fn forget_the_silent(&mut self, now: Instant) {
        if let Some(asked) = self.asked.take_if(|asked| now.saturating_duration_since(asked.at) >= SILENCE) {
            self.servers.retain(|s| asked.answered.contains(&s.id));
        }
    }
}

/// A client's directory of servers, kept up to date as long as it lives.
pub struct Directory {
    began: Instant,
    system: Arc<dyn System>,
    known: Arc<Mutex<Known>>,
    _observers: Vec<Held>,
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Directory {
    /// Listens to what servers say of themselves.
    pub fn new(system: Arc<dyn System>) -> Result<Self, TextureError> {
        let known = Arc::new(Mutex::new(Known::default()));
        let on = |notification: &'static str, take: fn(&mut Known, Description)| {
            let known = known.clone();
            let handler: NotificationHandler = Arc::new(move |description| match Description::read(description) {
                Ok(server) => take(&mut lock(&known), server),
                Err(e) => debug!("{notification}: {e}"),
            });
            system.observe(notification, handler)
        };
        let mut observers = vec![on(names::ANNOUNCE, Known::announced)?, on(names::UPDATE, Known::updated)?];
        let of_retired = known.clone();
        let retire: NotificationHandler = Arc::new(move |description| {
            if let Some(id) = Description::id_of(description) {
                lock(&of_retired).retired(&id);
            }
        });
        observers.push(system.observe(names::RETIRE, retire)?);
        let of_requested = known.clone();
        let request: NotificationHandler = Arc::new(move |_| {
            lock(&of_requested).requested(Instant::now());
        });
        observers.push(system.observe(names::ANNOUNCE_REQUEST, request)?);
        Ok(Directory { began: Instant::now(), system, known, _observers: observers })
    }

    /// When it began to listen.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// The servers known now.
    pub fn servers(&self) -> Vec<Description> {
        let mut known = lock(&self.known);
        known.forget_the_silent(Instant::now());
        known.servers.clone()
    }

    /// The servers of this name, those that were announced first before the others.
    pub fn named(&self, name: &str) -> Vec<Description> {
        self.servers().into_iter().filter(|s| s.name == name).collect()
    }

    /// Forgets a server that turned out to be gone.
    pub fn forget(&self, id: &str) {
        lock(&self.known).servers.retain(|s| s.id != id);
    }

    /// Asks every server to announce itself, unless all were asked a moment ago. Every request makes every client of
    /// this computer forget the servers that do not answer in time, so there are no more of them than needed.
    pub fn request(&self) -> Result<(), TextureError> {
        // Here and not only where it is heard: the answers may come first.
        if !lock(&self.known).requested(Instant::now()) {
            return Ok(());
        }
        self.system.post(names::ANNOUNCE_REQUEST, None, None)
    }

    /// Waits until `done`, at most `patience`. Tells whether it is.
    pub fn wait_until(&self, patience: Option<Duration>, mut done: impl FnMut() -> bool) -> bool {
        let until = patience.and_then(|p| Instant::now().checked_add(p));
        loop {
            if done() {
                return true;
            }
            let left = until.map_or(GLANCE, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            self.system.rest(left.min(GLANCE));
        }
    }

    /// Waits until no server has said anything for `quiet`, from `since` on, at most `patience`.
    pub fn settle(&self, since: Instant, quiet: Duration, patience: Duration) {
        let mut last = (lock(&self.known).heard, since);
        self.wait_until(Some(patience), || {
            let heard = lock(&self.known).heard;
            if heard != last.0 {
                last = (heard, Instant::now());
            }
            last.1.elapsed() >= quiet
        });
    }
}

#[cfg(test)]
#[path = "tests/directory.rs"]
mod tests;
