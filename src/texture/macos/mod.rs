//! What Syphon needs of macOS: [`syphon::seam`](super::syphon::seam) over Core Foundation and IOSurface.
//!
//! Design decisions:
//! - Each file wraps one part of macOS and decides nothing: whatever can go wrong in an order of events is plain code
//!   in [`syphon`](super::syphon), which is tested everywhere.
//! - Core Foundation's C interfaces are used rather than Foundation's classes: they are typed to the last argument, and
//!   carry the same notifications and messages.
//! - Distributed notifications arrive on the main thread while it runs its run loop: see [`with_main_loop`]. Messages
//!   arrive on queues of their own.

mod activity;
mod main_loop;
mod message_port;
mod notifications;
mod surface;

pub use main_loop::with_main_loop;

use super::TextureError;
use super::syphon::seam::{Held, MessageHandler, NotificationHandler, RemotePort, Surface, System};
use objc2_core_foundation::CFUUID;
use std::sync::Arc;
use std::time::Duration;

/// This Mac, as this program sees it.
pub struct Mac;

impl System for Mac {
    fn check(&self) -> Result<(), TextureError> {
        notifications::begin()?;
        let surface = self.create_surface(1, 1)?;
        match self.find_surface(surface.number()) {
            Some(_) => Ok(()),
            None => Err(TextureError::Broken("macOS does not let surfaces be looked up by their number".into())),
        }
    }

    fn uuid(&self) -> String {
        let uuid = CFUUID::new(None).and_then(|uuid| CFUUID::new_string(None, Some(&uuid)));
        // Both are made of a few bytes; where these can't be had, nothing else can.
        uuid.expect("memory for a UUID").to_string()
    }

    fn application_name(&self) -> String {
        activity::application_name()
    }

    fn post(&self, name: &'static str, object: Option<&str>, description: Option<&[u8]>) -> Result<(), TextureError> {
        notifications::post(name, object, description)
    }

    fn observe(&self, name: &'static str, handler: NotificationHandler) -> Result<Held, TextureError> {
        notifications::observe(name, handler)
    }

    fn listen(&self, name: &str, handler: MessageHandler) -> Result<Held, TextureError> {
        message_port::listen(name, handler)
    }

    fn connect(&self, name: &str) -> Option<Arc<dyn RemotePort>> {
        message_port::connect(name)
    }

    fn create_surface(&self, width: usize, height: usize) -> Result<Box<dyn Surface>, TextureError> {
        surface::create(width, height)
    }

    fn find_surface(&self, number: u32) -> Option<Box<dyn Surface>> {
        surface::find(number)
    }

    fn stay_awake(&self, reason: &str) -> Held {
        activity::begin(reason)
    }

    fn rest(&self, at_most: Duration) {
        main_loop::rest(at_most);
    }
}
