//! A client as the framework's own is: it knows ids and surfaces, and nothing of LUTs.

use super::fake_mac::FakeProgram;
use crate::texture::syphon::message::{ToClient, ToServer};
use crate::texture::syphon::names;
use crate::texture::syphon::seam::{Held, System};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Longer than any of this takes on the slowest machine; nothing waits for it unless it fails.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A connection to one server, and all that was heard over it.
pub struct ForeignClient {
    pub id: String,
    program: FakeProgram,
    server: String,
    heard: Arc<(Mutex<Vec<Heard>>, Condvar)>,
    _port: Held,
}

/// A message, and what was in the surface known to the client when it came: its size and bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    pub message: ToClient,
    pub image: Option<((usize, usize), Vec<u8>)>,
}

impl ForeignClient {
    pub fn new(program: &FakeProgram, server: &str) -> Self {
        let id = names::identity(&program.uuid());
        let heard = Arc::<(Mutex<Vec<Heard>>, Condvar)>::default();
        let (of_port, looks_up) = (heard.clone(), program.clone());
        let known = Mutex::new(None);
        let port = program.listen(
            &id,
            Arc::new(move |number, body| {
                let message = ToClient::read(number, body).expect("a message of the protocol");
                if let ToClient::SurfaceChanged(surface) = message {
                    *known.lock().unwrap() = Some(surface);
                }
                let image = known.lock().unwrap().and_then(|surface| image(&looks_up, surface));
                of_port.0.lock().unwrap().push(Heard { message, image });
                of_port.1.notify_all();
            }),
        );
        let (program, server) = (program.clone(), server.to_owned());
        ForeignClient { id, program, server, heard, _port: port.unwrap() }
    }

    /// Sends a message to the server.
    pub fn tell(&self, message: &ToServer) {
        self.tell_raw(message.number(), &message.body());
    }

    pub fn tell_raw(&self, number: i32, body: &[u8]) {
        self.program.connect(&self.server).expect("a server").send(number, body, DEADLINE).expect("it listens");
    }

    pub fn ask_for_info(&self) {
        self.tell(&ToServer::AddForInfo(self.id.clone()));
    }

    pub fn ask_for_frames(&self) {
        self.tell(&ToServer::AddForFrames(self.id.clone()));
    }

    /// Waits until so many messages were heard, and returns all.
    pub fn wait_for(&self, count: usize) -> Vec<Heard> {
        self.wait_until(&format!("{count} messages"), |heard| heard.len() >= count)
    }

    /// Waits until these were the last messages heard, and returns all.
    pub fn wait_for_last(&self, last: &[ToClient]) -> Vec<ToClient> {
        let messages = |heard: &[Heard]| heard.iter().map(|h| h.message.clone()).collect::<Vec<_>>();
        messages(&self.wait_until(&format!("{last:?} last"), |heard| messages(heard).ends_with(last)))
    }

    fn wait_until(&self, what: &str, is_heard: impl Fn(&[Heard]) -> bool) -> Vec<Heard> {
        let heard = self.heard.0.lock().unwrap();
        let waits = |heard: &mut Vec<Heard>| !is_heard(heard);
        let (heard, timed_out) = self.heard.1.wait_timeout_while(heard, DEADLINE, waits).unwrap();
        assert!(!timed_out.timed_out(), "{what} were to come; {heard:?} did");
        heard.clone()
    }

    /// The messages alone.
    pub fn messages(&self, count: usize) -> Vec<ToClient> {
        self.wait_for(count).into_iter().map(|heard| heard.message).collect()
    }
}

/// What is in a surface: its size and bytes, without what lies between rows.
pub fn image(program: &FakeProgram, surface: u32) -> Option<((usize, usize), Vec<u8>)> {
    let surface = program.find_surface(surface)?;
    let mut bytes = Vec::new();
    surface.read(&mut bytes).unwrap();
    Some(((surface.width(), surface.height()), bytes))
}
