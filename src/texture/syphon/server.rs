//! A Syphon server: announces itself, listens to clients, and tells them of frames.

use super::clients::{Clients, TooManyClients};
use super::courier::Courier;
use super::description::Description;
use super::message::ToServer;
use super::names;
use super::seam::{Held, System};
use crate::lut::Cdl;
use crate::texture::TextureError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tracing::{debug, warn};

/// How long the end waits for each client to be told of it. A client that lives takes a message at once; one that has
/// left a message lying for as long already is not waited for.
const FAREWELL: Duration = Duration::from_millis(500);

/// A server that runs. Dropping it stops it, and tells its clients.
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    system: Arc<dyn System>,
    id: String,
    state: Mutex<State>,
}

struct State {
    name: String,
    cdl: Option<Cdl>,
    clients: Clients<Courier>,
    /// What runs as long as the server: its port, its ear for requests, the system's attention. Empty once it stops.
    held: Vec<Held>,
    running: bool,
}

impl Server {
    /// Starts a server whose first frame is in this surface. The port is open before anybody hears of it.
    pub fn start(system: Arc<dyn System>, name: &str, surface: u32) -> Result<Self, TextureError> {
        let id = names::identity(&system.uuid());
        let mut clients = Clients::default();
        clients.publish(surface);
        let state = State { name: name.to_owned(), cdl: None, clients, held: Vec::new(), running: true };
        let inner = Arc::new(Inner { system: system.clone(), id: id.clone(), state: Mutex::new(state) });
        // From here on, dropping it takes back whatever was done.
        let server = Server { inner: inner.clone() };

        let listener = Arc::downgrade(&inner);
        let port = system.listen(
            &id,
            Arc::new(move |number, body| {
                if let Some(inner) = listener.upgrade() {
                    inner.take_message(number, body);
                }
            }),
        )?;
        let listener = Arc::downgrade(&inner);
        let observer = system.observe(
            names::ANNOUNCE_REQUEST,
            Arc::new(move |_| {
                if let Some(inner) = listener.upgrade() {
                    inner.announce_again();
                }
            }),
        )?;
        let awake = system.stay_awake("sharing LUTs over Syphon");
        let mut state = inner.lock();
        state.held = vec![port, observer, awake];
        inner.notify(&state, names::ANNOUNCE)?;
        drop(state);
        Ok(server)
    }

    /// The name, as clients see it.
    pub fn name(&self) -> String {
        self.inner.lock().name.clone()
    }

    /// Gives it another name, and tells clients.
    pub fn rename(&self, name: &str) -> Result<(), TextureError> {
        let mut state = self.inner.lock();
        name.clone_into(&mut state.name);
        state.clients.rename(name);
        self.inner.notify(&state, names::UPDATE)
    }

    /// Has other CDL values from now on, and says so.
    pub fn set_cdl(&self, cdl: &Cdl) {
        let mut state = self.inner.lock();
        state.cdl = Some(*cdl);
        if let Err(e) = self.inner.notify(&state, names::UPDATE) {
            debug!("new CDL values of the Syphon server {:?} were not announced: {e}", state.name);
        }
    }

    /// Tells clients of a new frame in this surface.
    pub fn publish(&self, surface: u32) {
        self.inner.lock().clients.publish(surface);
    }

    /// How many clients are connected.
    pub fn clients(&self) -> usize {
        self.inner.lock().clients.count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let (told, held) = {
            let mut state = self.inner.lock();
            state.running = false;
            (state.clients.retire(), std::mem::take(&mut state.held))
        };
        // Not under the lock: a message may be on its way in.
        drop(held);
        told.iter().for_each(|courier| courier.finish(FAREWELL));
        if let Err(e) = self.inner.notify(&self.inner.lock(), names::RETIRE) {
            debug!("the end of the Syphon server {} was not announced: {e}", self.inner.id);
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts a notification with the description. With the state locked, so that nothing is posted after the end.
    fn notify(&self, state: &State, notification: &'static str) -> Result<(), TextureError> {
        let description = Description {
            id: self.id.clone(),
            name: state.name.clone(),
            application: self.system.application_name(),
            cdl: state.cdl,
        };
        self.system.post(notification, Some(&self.id), Some(&description.write()))
    }

    fn announce_again(&self) {
        let state = self.lock();
        if state.running
            && let Err(e) = self.notify(&state, names::ANNOUNCE)
        {
            warn!("the Syphon server {:?} could not announce itself: {e}", state.name);
        }
    }

    fn take_message(self: &Arc<Self>, number: i32, body: &[u8]) {
        let message = match ToServer::read(number, body) {
            Ok(message) => message,
            Err(e) => return debug!("a Syphon client sent what is no message: {e}"),
        };
        let mut state = self.lock();
        if !state.running {
            return;
        }
        debug!("Syphon server {:?}: {message:?}", state.name);
        match state.clients.obey(message, |client| self.open(client)) {
            Ok(()) => {}
            Err(TooManyClients) => {
                warn!("the Syphon server {:?} has all the clients that it takes; one more was left out", state.name);
            }
        }
    }

    fn open(self: &Arc<Self>, client: &str) -> Option<Arc<Courier>> {
        let port = self.system.connect(client)?;
        let this: Weak<Inner> = Arc::downgrade(self);
        let died = move || {
            if let Some(inner) = this.upgrade() {
                inner.lock().clients.forget_the_dead();
            }
        };
        let courier = Courier::start(port, died);
        courier.map(Arc::new).inspect_err(|e| warn!("no thread for a Syphon client: {e}")).ok()
    }
}
