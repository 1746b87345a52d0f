//! This program, as macOS knows it.

#![allow(unsafe_code)]

use crate::texture::syphon::seam::Held;
use objc2::msg_send;
use objc2::rc::{Retained, autoreleasepool};
use objc2::runtime::{AnyClass, AnyObject, NSObjectProtocol, ProtocolObject};
use objc2_foundation::{NSActivityOptions, NSProcessInfo, NSString};

/// An activity in progress: macOS neither puts the program to sleep (App Nap), nor ends it because it has no windows,
/// nor lets the computer go to sleep because nobody touches it. The screen may still go dark.
struct Activity(Retained<ProtocolObject<dyn NSObjectProtocol>>);

// SAFETY: the object is a token without methods of its own. It is only given back to NSProcessInfo, which may be used
// from any thread.
unsafe impl Send for Activity {}
// SAFETY: as above; nothing is done with a shared reference.
unsafe impl Sync for Activity {}

impl Drop for Activity {
    fn drop(&mut self) {
        // SAFETY: the token is one that `beginActivityWithOptions:reason:` gave, and it ends once.
        autoreleasepool(|_| unsafe { NSProcessInfo::processInfo().endActivity(&self.0) });
    }
}

/// Begins an activity, which lasts until what is returned is dropped.
pub fn begin(reason: &str) -> Held {
    autoreleasepool(|_| {
        // Whoever grades from another computer has no hand on this one.
        let options = NSActivityOptions::UserInitiated;
        let token = NSProcessInfo::processInfo().beginActivityWithOptions_reason(options, &NSString::from_str(reason));
        Box::new(Activity(token))
    })
}

/// The program's name, for people to read: what the Finder calls the application that it is; else, as command line
/// tools are none, its process's name.
pub fn application_name() -> String {
    autoreleasepool(|_| localized_name().unwrap_or_else(|| NSProcessInfo::processInfo().processName().to_string()))
}

fn localized_name() -> Option<String> {
    // A class of AppKit, which every application has loaded, and this tool has no other use for.
    let class = AnyClass::get(c"NSRunningApplication")?;
    // SAFETY: the class has this method without arguments, which gives an application or nil.
    let application: Option<Retained<AnyObject>> = unsafe { msg_send![class, currentApplication] };
    // SAFETY: an application has this property, a string or nil.
    let name: Option<Retained<NSString>> = unsafe { msg_send![&*application?, localizedName] };
    name.map(|name| name.to_string()).filter(|name| !name.is_empty())
}
