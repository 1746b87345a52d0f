//! A client's connection to one server.

use super::description::Description;
use super::message::{ToClient, ToServer};
use super::names;
use super::seam::{Held, RemotePort, System};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tracing::debug;

/// How long a server may leave a message lying.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often to look whether a silent server is still there.
const GLANCE: Duration = Duration::from_millis(250);

/// What a client wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Of surfaces and the end.
    Info,
    /// Of each frame as well.
    Frames,
}

/// A connection to a server. Dropping it takes leave.
pub struct Client {
    id: String,
    interest: Interest,
    server: Arc<dyn RemotePort>,
    shared: Arc<Shared>,
    port: Option<Held>,
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Heard>,
    changed: Condvar,
}

/// What the server has said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    /// The newest surface.
    pub surface: Option<u32>,
    /// Frames that were announced.
    pub frames: u64,
    /// Whether the server has ended, or is gone.
    pub ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_message(&self, number: i32, body: &[u8]) {
        let message = match ToClient::read(number, body) {
            Ok(message) => message,
            Err(e) => return debug!("a Syphon server sent what is no message: {e}"),
        };
        let mut heard = self.lock();
        match message {
            ToClient::SurfaceChanged(surface) => heard.surface = Some(surface),
            ToClient::NewFrame => heard.frames += 1,
            ToClient::Retired => heard.ended = true,
            ToClient::NameChanged(_) => {}
        }
        self.changed.notify_all();
    }
}

impl Client {
    /// Connects to a server. `None` where it is gone.
    pub fn connect(system: &dyn System, server: &Description, interest: Interest) -> Option<Self> {
        let id = names::identity(&system.uuid());
        let shared = Arc::new(Shared::default());
        let ear = Arc::downgrade(&shared);
        let listen = system.listen(
            &id,
            Arc::new(move |number, body| {
                if let Some(shared) = ear.upgrade() {
                    shared.take_message(number, body);
                }
            }),
        );
        let port = listen.inspect_err(|e| debug!("no message port for a Syphon client: {e}")).ok()?;
        let client = Client { server: system.connect(&server.id)?, id, interest, shared, port: Some(port) };
        let mut wishes = vec![ToServer::AddForInfo(client.id.clone())];
        if interest == Interest::Frames {
            wishes.push(ToServer::AddForFrames(client.id.clone()));
        }
        wishes.iter().all(|wish| client.tell(wish)).then_some(client)
    }

    /// What the server has said so far.
    pub fn heard(&self) -> Heard {
        let mut heard = self.shared.lock();
        heard.ended |= !self.server.is_valid();
        *heard
    }

    /// Waits until `enough` of what the server has said, at most `patience` (`None`: for ever). Returns what it has
    /// said, and whether that is enough.
    pub fn wait(&self, patience: Option<Duration>, enough: impl Fn(&Heard) -> bool) -> (Heard, bool) {
        let until = patience.and_then(|p| Instant::now().checked_add(p));
        let mut heard = self.shared.lock();
        loop {
            heard.ended |= !self.server.is_valid();
            if enough(&heard) {
                return (*heard, true);
            }
            let left = until.map_or(GLANCE, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return (*heard, false);
            }
            let wait = self.shared.changed.wait_timeout(heard, left.min(GLANCE));
            heard = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn tell(&self, message: &ToServer) -> bool {
        let sent = self.server.send(message.number(), &message.body(), PATIENCE);
        sent.inspect_err(|e| debug!("a Syphon server was not told {message:?}: {e}")).is_ok()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !self.heard().ended {
            if self.interest == Interest::Frames {
                self.tell(&ToServer::RemoveForFrames(self.id.clone()));
            }
            self.tell(&ToServer::RemoveForInfo(self.id.clone()));
        }
        // Only now: a server that finds no port takes the client for dead.
        self.port = None;
    }
}
