//! This program, as macOS knows it.

#![allow(unsafe_code)]

use crate::texture::syphon::seam::Held;
use objc2::rc::{Retained, autoreleasepool};
use objc2::runtime::{NSObjectProtocol, ProtocolObject};
use objc2_foundation::{NSActivityOptions, NSProcessInfo, NSString};

/// An activity in progress: macOS does not put the program to sleep (App Nap), nor end it because it has no windows.
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
        let options = NSActivityOptions::AutomaticTerminationDisabled | NSActivityOptions::Background;
        let token = NSProcessInfo::processInfo().beginActivityWithOptions_reason(options, &NSString::from_str(reason));
        Box::new(Activity(token))
    })
}

/// The program's name, for people to read.
pub fn application_name() -> String {
    autoreleasepool(|_| NSProcessInfo::processInfo().processName().to_string())
}
