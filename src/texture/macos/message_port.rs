//! Message ports: numbered messages from program to program.

#![allow(unsafe_code)]

use crate::texture::TextureError;
use crate::texture::syphon::seam::{Held, MessageHandler, RemotePort, SendError};
use dispatch2::{DispatchQueue, DispatchQueueAttr};
use objc2_core_foundation::{
    CFData, CFMessagePort, CFMessagePortContext, CFRetained, CFString, kCFMessagePortBecameInvalidError,
    kCFMessagePortIsInvalid, kCFMessagePortSendTimeout, kCFMessagePortSuccess,
};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// A port of this program. It is closed once this is dropped.
struct Local(CFRetained<CFMessagePort>);

// SAFETY: a message port guards its state with a lock of its own, and its functions may be called from any thread.
unsafe impl Send for Local {}
// SAFETY: as above.
unsafe impl Sync for Local {}

impl Drop for Local {
    fn drop(&mut self) {
        self.0.invalidate();
    }
}

/// What a port's callback is called with. Core Foundation counts its references.
struct Context {
    handler: MessageHandler,
}

/// Opens a port, whose messages come one at a time on a queue of its own.
pub fn listen(name: &str, handler: MessageHandler) -> Result<Held, TextureError> {
    let context = Arc::new(Context { handler });
    let mut description = CFMessagePortContext {
        version: 0,
        info: Arc::as_ptr(&context).cast_mut().cast(),
        retain: Some(retain),
        release: Some(release),
        copyDescription: None,
    };
    // SAFETY: the description lives through the call, which copies it. What it points to is counted by `retain` and
    // `release`, and `context` holds it until the port does.
    let port = unsafe {
        CFMessagePort::new_local(
            None,
            Some(&CFString::from_str(name)),
            Some(take_message),
            &mut description,
            ptr::null_mut(),
        )
    };
    let refused = || TextureError::Broken(format!("macOS does not open the message port {name:?}"));
    let port = Local(port.ok_or_else(refused)?);
    let queue = DispatchQueue::new("virtual-gpu-lut-box.syphon", DispatchQueueAttr::SERIAL);
    // SAFETY: the port is in no run loop, and keeps the queue itself.
    unsafe { port.0.set_dispatch_queue(Some(&queue)) };
    Ok(Box::new(port))
}

unsafe extern "C-unwind" fn retain(context: *const c_void) -> *const c_void {
    // SAFETY: it points to a `Context` in an `Arc`, of which the caller has a reference.
    unsafe { Arc::increment_strong_count(context.cast::<Context>()) };
    context
}

unsafe extern "C-unwind" fn release(context: *const c_void) {
    // SAFETY: as in `retain`; the reference that is given up here was taken there.
    unsafe { Arc::decrement_strong_count(context.cast::<Context>()) };
}

unsafe extern "C-unwind" fn take_message(
    _: *mut CFMessagePort,
    number: i32,
    body: *const CFData,
    context: *mut c_void,
) -> *const CFData {
    // SAFETY: Core Foundation keeps a reference to the context during the call. The body lives as long, or is null.
    let (context, body) = unsafe { (context.cast::<Context>().as_ref(), body.as_ref()) };
    let body = body.map(CFData::to_vec).unwrap_or_default();
    if let Some(context) = context {
        // Core Foundation's code is no place for a panic to pass through; it has said its word by then.
        let _ = catch_unwind(AssertUnwindSafe(|| (context.handler)(number, &body)));
    }
    // There are no answers.
    ptr::null()
}

/// Another program's port.
struct Remote(CFRetained<CFMessagePort>);

// SAFETY: as for `Local`.
unsafe impl Send for Remote {}
// SAFETY: as for `Local`.
unsafe impl Sync for Remote {}

/// Connects to another program's port. `None` where there is none of this name.
pub fn connect(name: &str) -> Option<Arc<dyn RemotePort>> {
    let port = CFMessagePort::new_remote(None, Some(&CFString::from_str(name)))?;
    Some(Arc::new(Remote(port)))
}

impl RemotePort for Remote {
    fn send(&self, number: i32, body: &[u8], patience: Duration) -> Result<(), SendError> {
        let body = (!body.is_empty()).then(|| CFData::from_bytes(body));
        let mut answer = ptr::null();
        // SAFETY: without a reply mode nobody waits for an answer; its place is there all the same.
        let status =
            unsafe { self.0.send_request(number, body.as_deref(), patience.as_secs_f64(), 0.0, None, &mut answer) };
        #[allow(non_upper_case_globals)]
        match status {
            kCFMessagePortSuccess => Ok(()),
            kCFMessagePortIsInvalid | kCFMessagePortBecameInvalidError => Err(SendError::Gone),
            kCFMessagePortSendTimeout => Err(SendError::TimedOut),
            other => Err(SendError::Failed(other)),
        }
    }

    fn is_valid(&self) -> bool {
        self.0.is_valid()
    }
}
