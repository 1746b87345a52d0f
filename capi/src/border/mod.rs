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
}
