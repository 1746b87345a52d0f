//! Who listens to a server, and who is told what.
//!
//! - A client that asked for info is told of the surface, of names and of the end; one that asked for frames is told
//!   of frames. Most ask for both. A client that never asked for frames must never be told of one: the framework's
//!   own client crashes then.
//! - Surfaces are announced before the frames in them, whatever was asked for first.

use super::message::{Kind, ToClient, ToServer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most clients of one server, so that nobody can make it open connections without end.
pub const MOST_CLIENTS: usize = 256;

/// A way to one client.
pub trait Connection {
    /// Sends a message in its turn, without waiting. It replaces one of its kind that was not sent yet.
    fn send(&self, message: ToClient);

    /// Forgets the message of this kind, if it was not sent yet.
    fn withdraw(&self, kind: Kind);

    /// Whether the client can still be reached.
    fn is_alive(&self) -> bool;
}

/// The clients of one server, by their identities.
#[derive(Debug)]
pub struct Clients<C> {
    info: BTreeMap<String, Arc<C>>,
    frames: BTreeMap<String, Arc<C>>,
    surface: Option<u32>,
}

impl<C> Default for Clients<C> {
    fn default() -> Self {
        Clients { info: BTreeMap::new(), frames: BTreeMap::new(), surface: None }
    }
}

/// A client that was not added, for there are [`MOST_CLIENTS`].
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyClients;

impl<C: Connection> Clients<C> {
    /// Does what a client asks for. `open` connects to a client; it gives `None` where there is no such client.
    pub fn obey(&mut self, message: ToServer, open: impl FnOnce(&str) -> Option<Arc<C>>) -> Result<(), TooManyClients> {
        match message {
            ToServer::AddForInfo(id) => {
                let Some(connection) = self.connection(&id, open)? else { return Ok(()) };
                if let Some(surface) = self.surface {
                    connection.send(ToClient::SurfaceChanged(surface));
                    // One who asked for frames before was told of one whose surface it did not know.
                    if self.frames.contains_key(&id) {
                        connection.send(ToClient::NewFrame);
                    }
                }
                self.info.insert(id, connection);
            }
            ToServer::AddForFrames(id) => {
                let Some(connection) = self.connection(&id, open)? else { return Ok(()) };
                if self.surface.is_some() {
                    connection.send(ToClient::NewFrame);
                }
                self.frames.insert(id, connection);
            }
            ToServer::RemoveForInfo(id) => {
                if let Some(connection) = self.info.remove(&id) {
                    connection.withdraw(Kind::SurfaceChanged);
                    connection.withdraw(Kind::NameChanged);
                }
            }
            ToServer::RemoveForFrames(id) => {
                if let Some(connection) = self.frames.remove(&id) {
                    connection.withdraw(Kind::NewFrame);
                }
            }
        }
        Ok(())
    }

    /// There is a new frame in this surface.
    pub fn publish(&mut self, surface: u32) {
        if self.surface.replace(surface) != Some(surface) {
            self.info.values().for_each(|c| c.send(ToClient::SurfaceChanged(surface)));
        }
        self.frames.values().for_each(|c| c.send(ToClient::NewFrame));
    }

    /// The server has this name now.
    pub fn rename(&self, name: &str) {
        self.info.values().for_each(|c| c.send(ToClient::NameChanged(name.to_owned())));
    }

    /// The server ends. Returns the connections over which that is said, to be kept until it is.
    pub fn retire(&mut self) -> Vec<Arc<C>> {
        // Nobody who hears of the end looks at another frame.
        std::mem::take(&mut self.frames).values().for_each(|c| c.withdraw(Kind::NewFrame));
        let told: Vec<_> = std::mem::take(&mut self.info).into_values().collect();
        told.iter().for_each(|c| c.send(ToClient::Retired));
        told
    }

    /// Forgets those who can no longer be reached.
    pub fn forget_the_dead(&mut self) {
        self.info.retain(|_, c| c.is_alive());
        self.frames.retain(|_, c| c.is_alive());
    }

    /// How many programs are connected: those that asked for info.
    pub fn count(&self) -> usize {
        self.info.len()
    }

    /// The way to a client: both lists share it, so that what is sent first arrives first.
    fn connection(
        &self,
        id: &str,
        open: impl FnOnce(&str) -> Option<Arc<C>>,
    ) -> Result<Option<Arc<C>>, TooManyClients> {
        let known = self.info.get(id).or_else(|| self.frames.get(id));
        match known.filter(|c| c.is_alive()) {
            Some(connection) => Ok(Some(connection.clone())),
            None if self.info.len().max(self.frames.len()) >= MOST_CLIENTS => Err(TooManyClients),
            None => Ok(open(id)),
        }
    }
}

#[cfg(test)]
#[path = "tests/clients.rs"]
mod tests;
