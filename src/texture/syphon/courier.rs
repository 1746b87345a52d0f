//! Carries one server's messages to one client, on a thread of its own: a client that takes none delays nobody else.

use super::clients::Connection;
use super::mailbox::Mailbox;
use super::message::{Kind, ToClient};
use super::seam::{RemotePort, SendError};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tracing::debug;

/// How long a client may leave a message lying.
const PATIENCE: Duration = Duration::from_secs(60);

/// The way to one client. Once dropped, it delivers what it has, and ends.
pub struct Courier {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    mailbox: Mailbox,
    /// Since when the client has left a message lying.
    lying: Option<Instant>,
    /// No more messages will come.
    closed: bool,
    /// Nothing more will be delivered: all is, or the client is gone.
    finished: bool,
    /// The client is gone.
    dead: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Courier {
    /// A way to the client behind this port. `died` is called, on another thread, once the client is found gone.
    pub fn start(port: Arc<dyn RemotePort>, died: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let state = State { mailbox: Mailbox::default(), lying: None, closed: false, finished: false, dead: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let worker = shared.clone();
        thread::Builder::new().name("syphon-client".into()).spawn(move || {
            if worker.deliver(&*port) == Outcome::ClientGone {
                died();
            }
        })?;
        Ok(Courier { shared })
    }

    /// Takes no more messages, and waits until all are delivered, the client is gone, or `patience` is over: since
    /// now, or since the client began to leave a message lying, if that was before.
    pub fn finish(&self, patience: Duration) {
        let mut state = self.shared.lock();
        state.closed = true;
        self.shared.changed.notify_all();
        let now = Instant::now();
        while !state.finished {
            let since = state.lying.map_or(now, |lying| lying.min(now));
            let left = patience.saturating_sub(since.elapsed());
            if left.is_zero() {
                return;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[derive(PartialEq)]
enum Outcome {
    Done,
    ClientGone,
}

impl Shared {
    fn deliver(&self, port: &dyn RemotePort) -> Outcome {
        while let Some(message) = self.next() {
            let sent = port.send(message.number(), &message.body(), PATIENCE);
            if sent != Err(SendError::TimedOut) {
                self.lock().lying = None;
            }
            match sent {
                Ok(()) => {}
                Err(SendError::Gone) => {
                    let mut state = self.lock();
                    (state.dead, state.finished) = (true, true);
                    drop(state);
                    self.changed.notify_all();
                    return Outcome::ClientGone;
                }
                // It may be stopped in a debugger: what it missed is still of use to it when it goes on.
                Err(SendError::TimedOut) => {
                    let mut state = self.lock();
                    if !state.closed {
                        state.mailbox.put_back(message);
                    }
                }
                Err(e @ SendError::Failed(_)) => debug!("a Syphon client was not told {message:?}: {e}"),
            }
        }
        self.lock().finished = true;
        self.changed.notify_all();
        Outcome::Done
    }

    /// Waits for the next message; `None` where none will come.
    fn next(&self) -> Option<ToClient> {
        let mut state = self.lock();
        loop {
            if let Some(message) = state.mailbox.take() {
                state.lying.get_or_insert_with(Instant::now);
                return Some(message);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Connection for Courier {
    fn send(&self, message: ToClient) {
        let mut state = self.shared.lock();
        if !state.dead && !state.closed {
            state.mailbox.put(message);
            self.shared.changed.notify_all();
        }
    }

    fn withdraw(&self, kind: Kind) {
        self.shared.lock().mailbox.withdraw(kind);
    }

    fn is_alive(&self) -> bool {
        !self.shared.lock().dead
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
#[path = "tests/courier.rs"]
mod tests;
