//! What Syphon needs of macOS, as traits: notifications, message ports and surfaces.
//!
//! Everything above them is plain code that runs anywhere, so that it can be tested with programs that come, go and
//! die in any order. `src/texture/macos` has the real ones.

use crate::texture::TextureError;
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

/// What takes a notification's description: a property list, empty where it has none.
pub type NotificationHandler = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// What takes a message's number and body.
pub type MessageHandler = Arc<dyn Fn(i32, &[u8]) + Send + Sync>;

/// Something that lasts until it is dropped.
pub type Held = Box<dyn Any + Send + Sync>;

/// One program's view of macOS.
pub trait System: Send + Sync + 'static {
    /// Whether programs can share surfaces here.
    fn check(&self) -> Result<(), TextureError>;

    /// A new random UUID, as text.
    fn uuid(&self) -> String;

    /// The name of this application, for people to read.
    fn application_name(&self) -> String;

    /// Posts a notification to every program of this user, this one included: its name, which object it is about, and
    /// a description as a binary property list.
    fn post(&self, name: &'static str, object: Option<&str>, description: Option<&[u8]>) -> Result<(), TextureError>;

    /// Calls `handler` for each notification of this name, until what is returned is dropped; a call that has begun
    /// may still end after that.
    fn observe(&self, name: &'static str, handler: NotificationHandler) -> Result<Held, TextureError>;

    /// Opens a message port, and calls `handler` for each message, one at a time, until what is returned is dropped;
    /// a call that has begun may still end after that.
    fn listen(&self, name: &str, handler: MessageHandler) -> Result<Held, TextureError>;

    /// Connects to another program's message port. `None` where there is none of this name.
    fn connect(&self, name: &str) -> Option<Arc<dyn RemotePort>>;

    /// Makes a surface that every program can look up: `width`×`height` BGRA texels of 8 bits a channel.
    fn create_surface(&self, width: usize, height: usize) -> Result<Box<dyn Surface>, TextureError>;

    /// Looks up a surface. `None` where there is none of this number.
    fn find_surface(&self, number: u32) -> Option<Box<dyn Surface>>;

    /// Keeps the system from slowing this program down, for this reason, until what is returned is dropped.
    fn stay_awake(&self, reason: &str) -> Held;

    /// Lets time pass, at most this long; notifications may arrive meanwhile.
    fn rest(&self, at_most: Duration);
}

/// A message port of another program.
pub trait RemotePort: Send + Sync {
    /// Sends a message, and waits at most `patience` until the port takes it; nobody answers.
    fn send(&self, number: i32, body: &[u8], patience: Duration) -> Result<(), SendError>;

    /// Whether the port is still there, as far as is known.
    fn is_valid(&self) -> bool;
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The port is gone, and its program most likely with it.
    #[error("the port is gone")]
    Gone,
    /// The port took no message in the time given.
    #[error("the port takes no messages")]
    TimedOut,
    /// Anything else, with the system's number for it.
    #[error("the port refused it (error {0})")]
    Failed(i32),
}

/// A surface that programs share.
pub trait Surface: Send {
    /// The number by which others look it up.
    fn number(&self) -> u32;

    /// Width in texels.
    fn width(&self) -> usize;

    /// Height in texels.
    fn height(&self) -> usize;

    /// Lets `fill` write the surface's memory; its second argument is how many bytes each row begins after the one
    /// before. Others can see afterwards that the surface has changed.
    fn write(&mut self, fill: &mut dyn FnMut(&mut [u8], usize)) -> Result<(), TextureError>;

    /// Copies the surface into `image`, 4 bytes for each texel and nothing between rows. Tells whether it is one
    /// picture: false where the surface changed meanwhile.
    fn read(&self, image: &mut Vec<u8>) -> Result<bool, TextureError>;
}
