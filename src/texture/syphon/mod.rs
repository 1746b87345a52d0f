//! Syphon: how images travel between programs on macOS.
//!
//! Design decisions:
//! - Syphon is spoken natively; nothing of its framework is bundled.
//! - Syphon images have 8 bits a channel. A stream carries the *bytes* of its floats, as
//!   [byte planes](crate::hald::byte_planes), so that every bit arrives. An 8-bit image is made only where it is asked
//!   for, and is called that.
//! - What it takes of macOS stands behind the traits of [`seam`]. All the rest is plain code, compiled and tested on
//!   every platform.
//! - A server is announced with its first texture, never before.
//! - A surface that clients look at is never written: three are used in turn. Publishing a shape allocates until each
//!   of them has had it once.
//! - One thread for each client delivers messages, so that a client that takes none delays nobody.
//! - Nothing says how a LUT lies in an image, so [`Frame::shape`](super::Frame) and [`StreamInfo::shape`] are `None`
//!   for what is received.
//!
//! ```text
//! sender ─▶ hald::byte_planes ─▶ surfaces ─┐                                ┌─▶ seam::System
//!       └─▶ server ─▶ clients ─▶ courier ──┴─▶ message, description ─▶ property_list
//! receiver ─▶ client, directory ───────────┘
//! ```

mod archive;
mod client;
mod clients;
mod courier;
mod description;
mod directory;
mod mailbox;
mod message;
pub mod names;
mod property_list;
mod receiver;
pub mod seam;
mod sender;
pub mod server;
mod surfaces;
#[cfg(test)]
mod tests;

use super::claim::Claim;
use super::{StreamInfo, TextureBackend, TextureError, TextureReceiver, TextureSender};
use crate::hald::UnknownName;
use crate::memory_limit::MemoryLimit;
use client::{Client, Interest};
use description::Description;
use directory::Directory;
use receiver::SyphonReceiver;
use seam::System;
use sender::SyphonSender;
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a living server may take to answer, where one is waited for.
const ANSWER: Duration = Duration::from_secs(1);

/// How long nobody must have said anything until a list of servers counts as complete.
const QUIET: Duration = Duration::from_millis(200);

/// What is added to the name of a stream's 8-bit image.
pub const EIGHT_BIT_SUFFIX: &str = " (8-bit)";

/// What a stream's image holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Every bit of the floats.
    #[default]
    BytePlanes,
    /// The values in 256 steps from 0 to 1, clamped: for hosts whose shader can't be changed.
    EightBit,
}

/// What streams are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// What the stream itself holds.
    pub encoding: Encoding,
    /// Whether a second server, with [`EIGHT_BIT_SUFFIX`] in its name, sends each stream as an 8-bit image as well.
    pub also_eight_bit: bool,
}

impl Encoding {
    /// Both encodings.
    pub const ALL: [Encoding; 2] = [Encoding::BytePlanes, Encoding::EightBit];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::BytePlanes => "byte-planes",
            Encoding::EightBit => "8bit",
        }
    }
}

impl FromStr for Encoding {
    type Err = UnknownName;
    fn from_str(s: &str) -> Result<Self, UnknownName> {
        UnknownName::find("Syphon encoding", &Self::ALL, Self::name, s)
    }
}

/// Shares images over Syphon. Its streams' names are unique on this computer: where a server of another program has
/// one, it is refused. Clones share streams and what is known of other programs' servers.
#[derive(Clone)]
pub struct SyphonBackend {
    system: Arc<dyn System>,
    options: Options,
    directory: Arc<Mutex<Option<Arc<Directory>>>>,
    /// The names of the servers that this back end has.
    claimed: Arc<Mutex<BTreeSet<String>>>,
    /// What writers' buffers count against.
    memory: MemoryLimit,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SyphonBackend {
    /// Syphon on this system.
    pub fn new(system: impl System, options: Options) -> Self {
        SyphonBackend {
            system: Arc::new(system),
            options,
            directory: Arc::default(),
            claimed: Arc::default(),
            memory: MemoryLimit::default(),
        }
    }

    /// The same, where the LUTs kept in this process's memory count against a limit.
    pub fn with_memory(self, memory: MemoryLimit) -> Self {
        SyphonBackend { memory, ..self }
    }

    /// The directory, which listens from its first use on.
    fn directory(&self) -> Result<Arc<Directory>, TextureError> {
        let mut directory = lock(&self.directory);
        if let Some(directory) = &*directory {
            return Ok(directory.clone());
        }
        let new = Arc::new(Directory::new(self.system.clone())?);
        new.request()?;
        Ok(directory.insert(new).clone())
    }

    /// Takes the names of a stream's servers for it.
    fn claim(&self, names: BTreeSet<String>) -> Result<Claim, TextureError> {
        let taken = |stream: &String, owner| TextureError::NameTaken { stream: stream.clone(), owner };
        let mut claimed = lock(&self.claimed);
        if let Some(name) = names.intersection(&claimed).next() {
            return Err(taken(name, "this process".into()));
        }
        if let Some((name, owner)) = self.taken_by_others(&names)? {
            return Err(taken(name, owner));
        }
        claimed.extend(names.iter().cloned());
        let all = self.claimed.clone();
        Ok(Claim::new(move || lock(&all).retain(|name| !names.contains(name))))
    }

    /// The first of these names that a living server of another program has, and that program's name.
    fn taken_by_others<'a>(&self, names: &'a BTreeSet<String>) -> Result<Option<(&'a String, String)>, TextureError> {
        let directory = self.directory()?;
        directory.settle(directory.began(), QUIET, ANSWER);
        let lives = |server: &Description| self.system.connect(&server.id).is_some();
        Ok(names.iter().find_map(|name| {
            let server = directory.named(name).into_iter().find(lives)?;
            Some((name, if server.application.is_empty() { "another program".into() } else { server.application }))
        }))
    }

    /// What can be told of a server to which this client is connected. `None` where it is gone, or has shown no image
    /// by the time given.
    fn stream_info(&self, server: Description, client: &Client, until: Instant) -> Option<StreamInfo> {
        let left = until.saturating_duration_since(Instant::now());
        let (heard, _) = client.wait(Some(left), |heard| heard.ended || heard.surface.is_some());
        let surface = self.system.find_surface(heard.surface?)?;
        let (width, height) = receiver::frame_size(surface.width(), surface.height());
        Some(StreamInfo {
            name: server.name,
            width,
            height,
            shape: None,
            format: receiver::format(surface.width(), surface.height()),
            revision: None,
            published: None,
            sender: Some(server.application).filter(|name| !name.is_empty()),
            cdl: server.cdl,
        })
    }

    /// Connects to the first server of this name that still lives.
    fn connect(&self, directory: &Directory, stream: &str) -> Option<Client> {
        directory.named(stream).iter().find_map(|server| {
            let client = Client::connect(&*self.system, server, Interest::Frames);
            if client.is_none() {
                directory.forget(&server.id);
            }
            client
        })
    }
}

impl TextureBackend for SyphonBackend {
    fn name(&self) -> &'static str {
        "syphon"
    }

    fn description(&self) -> &'static str {
        "Syphon: images for other programs on this Mac, every float32 bit in byte planes"
    }

    fn check(&self) -> Result<(), TextureError> {
        self.system.check()
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let extra = if self.options.also_eight_bit { ", and an 8-bit image beside each" } else { "" };
        let main = match self.options.encoding {
            Encoding::BytePlanes => "byte planes, exact",
            Encoding::EightBit => "8-bit images, rounded and clamped",
        };
        vec![("streams", format!("{main}{extra}")), ("application", self.system.application_name())]
    }

    fn create_sender(&self, stream: &str) -> Result<Box<dyn TextureSender>, TextureError> {
        if stream.is_empty() || stream.contains('\0') {
            let why = "a Syphon server's name has at least one character, and none of them is zero".into();
            return Err(TextureError::InvalidName { stream: stream.to_owned(), why });
        }
        let mut servers = vec![(stream.to_owned(), self.options.encoding)];
        if self.options.also_eight_bit {
            servers.push((format!("{stream}{EIGHT_BIT_SUFFIX}"), Encoding::EightBit));
        }
        let claim = self.claim(servers.iter().map(|(name, _)| name.clone()).collect())?;
        Ok(Box::new(SyphonSender::new(self.system.clone(), stream, servers, self.memory.clone(), claim)))
    }

    fn streams(&self) -> Result<Vec<StreamInfo>, TextureError> {
        let directory = self.directory()?;
        directory.request()?;
        directory.settle(Instant::now(), QUIET, ANSWER);
        // All are asked before the first is waited for: those that have no image take their time together.
        let connect = |server| Client::connect(&*self.system, &server, Interest::Info).map(|client| (server, client));
        let connected: Vec<_> = directory.servers().into_iter().filter_map(connect).collect();
        let until = Instant::now() + ANSWER;
        let info = |(server, client)| self.stream_info(server, &client, until);
        let mut streams: Vec<_> = connected.into_iter().filter_map(info).collect();
        streams.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(streams)
    }

    fn wait_for_stream(&self, stream: &str, timeout: Option<Duration>) -> Result<bool, TextureError> {
        let directory = self.directory()?;
        let is_there = |server: &Description| {
            let is_there = self.system.connect(&server.id).is_some();
            if !is_there {
                directory.forget(&server.id);
            }
            is_there
        };
        Ok(directory.wait_until(timeout, || directory.named(stream).iter().any(is_there)))
    }

    /// Connects to the server of this name. Where several programs have one, the one that was announced first.
    fn open(&self, stream: &str) -> Result<Box<dyn TextureReceiver>, TextureError> {
        let directory = self.directory()?;
        let mut client = self.connect(&directory, stream);
        if client.is_none() {
            directory.request()?;
            directory.wait_until(Some(ANSWER), || {
                client = self.connect(&directory, stream);
                client.is_some()
            });
        }
        match client {
            Some(client) => Ok(Box::new(SyphonReceiver::new(self.system.clone(), client))),
            None => {
                let present: Vec<_> = directory.servers().into_iter().map(|server| server.name).collect();
                Err(TextureError::no_such_stream(stream, &present))
            }
        }
    }
}
