//! All that C sees.
//!
//! This module, with its files, is the only one of the package that follows pointers. Each exported function has the
//! same shape: `guarded` keeps panics from crossing, pointers are turned into values by `pointers`, handles are looked
//! up, safe code does the work, and `pointers` writes the result.
//!
//! | file | what C sees |
//! | --- | --- |
//! | `about` | versions, errors |
//! | `streams` | which streams there are |
//! | `receive` | opening, waiting, closing |
//! | `frame` | what is known of a texture, its pixels, its image |
//! | `structs` | structures and codes |

#![allow(unsafe_code)]
#![allow(
    clippy::missing_safety_doc,
    reason = "this documentation is the header's, whose rules say what pointers must be"
)]

// In the header's order, which the formatter would change without the lines between.
mod structs;

mod about;

mod streams;

mod receive;

mod frame;

mod pointers;

pub use about::*;
pub use frame::*;
pub use receive::*;
pub use streams::*;
pub use structs::*;

use crate::failure::Failure;
use crate::handles::Handles;
use crate::receiver::{Held, Receiver};
use crate::streams::Streams;
use std::panic::{AssertUnwindSafe, catch_unwind};

static STREAMS: Handles<Streams> = Handles::new("list of streams");
static RECEIVERS: Handles<Receiver> = Handles::new("receiver");
static FRAMES: Handles<Held> = Handles::new("frame");

/// Runs a call; remembers the sentence where it fails, and lets no panic through.
///
/// What a panic may have left half done is behind locks that are taken anew, or belongs to the call.
fn guarded(call: impl FnOnce() -> Result<VglbStatus, Failure>) -> VglbStatus {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(status)) => status,
        Ok(Err(failure)) => {
            about::remember(&failure.sentence);
            failure.status
        }
        Err(panic) => {
            let what = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            about::remember(&format!("a fault of this library, please report it: {what}"));
            // Dropping what was thrown could panic in its turn.
            std::mem::forget(panic);
            VglbStatus::ErrorBroken
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn a_panic_becomes_an_error() {
        let status = guarded(|| panic!("no {}", "way"));
        assert_eq!(status, VglbStatus::ErrorBroken);
        // SAFETY: the library's own string, of this thread.
        let said = unsafe { CStr::from_ptr(vglb_last_error()) };
        assert_eq!(said.to_str(), Ok("a fault of this library, please report it: no way"));
    }

    /// What `tests/c/misuse.c` shows on Linux, as far as it needs no stream: on every platform.
    #[test]
    fn bad_arguments_are_errors_on_every_platform() {
        use std::ptr::{null, null_mut};
        let (mut receiver, mut frame) = (std::ptr::without_provenance_mut(7), std::ptr::without_provenance_mut(7));
        // SAFETY: pointers that are null, or point to what they should; handles may be anything.
        unsafe {
            assert_eq!(vglb_list(null_mut()), VglbStatus::ErrorInvalidArgument);
            assert_eq!(vglb_open(null(), null(), &mut receiver), VglbStatus::ErrorInvalidArgument);
            assert!(receiver.is_null(), "a failed call leaves an old value");
            assert_eq!(vglb_open(c"\xff".as_ptr(), null(), &mut receiver), VglbStatus::ErrorInvalidArgument);
            let options = VglbOpenOptions { struct_size: 4, flags: 0, device_uuid: [0; 16], driver_uuid: [0; 16] };
            assert_eq!(vglb_open(c"s".as_ptr(), &options, &mut receiver), VglbStatus::ErrorStructSize);
            assert_eq!(vglb_wait(std::ptr::without_provenance_mut(9), -1, &mut frame), VglbStatus::ErrorInvalidHandle);
            assert!(frame.is_null());
            assert_eq!(vglb_frame_info(null(), null_mut()), VglbStatus::ErrorInvalidArgument);
        }
        assert_eq!(vglb_close(null_mut()), VglbStatus::ErrorInvalidHandle);
        assert_eq!(vglb_release(null_mut()), VglbStatus::ErrorInvalidHandle);
        assert_eq!(vglb_streams_free(null_mut()), VglbStatus::ErrorInvalidHandle);
    }

    #[test]
    fn a_list_comes_or_a_reason_why_not() {
        let mut streams = std::ptr::null_mut();
        // SAFETY: a place for a handle.
        match unsafe { vglb_list(&mut streams) } {
            VglbStatus::Ok => assert_eq!(vglb_streams_free(streams), VglbStatus::Ok),
            failed => {
                assert!((failed as i32) < 0 && streams.is_null());
                // SAFETY: the library's own string, of this thread.
                assert!(!unsafe { CStr::from_ptr(vglb_last_error()) }.is_empty());
            }
        }
    }
}
