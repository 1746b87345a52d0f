//! Distributed notifications: from every program of this user to every other.

#![allow(unsafe_code)]

use crate::texture::TextureError;
use crate::texture::syphon::names;
use crate::texture::syphon::seam::{Held, NotificationHandler};
use objc2_core_foundation::{
    CFData, CFDictionary, CFNotificationCenter, CFNotificationSuspensionBehavior, CFPropertyListCreateData,
    CFPropertyListCreateWithData, CFPropertyListFormat, CFRetained, CFString, CFType,
};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// Who wants to be called. Core Foundation knows of one observer only, which is there for ever: so none can be called
/// while it goes away.
static HANDLERS: Mutex<Handlers> = Mutex::new(Handlers { count: 0, all: BTreeMap::new() });

static BEGUN: Once = Once::new();

struct Handlers {
    count: u64,
    all: BTreeMap<u64, (&'static str, NotificationHandler)>,
}

fn handlers() -> MutexGuard<'static, Handlers> {
    HANDLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn center() -> Result<CFRetained<CFNotificationCenter>, TextureError> {
    CFNotificationCenter::distributed_center().ok_or_else(|| {
        TextureError::Unavailable("macOS has no distributed notifications for this program; is it in a sandbox?".into())
    })
}

/// Listens to Syphon's notifications from now on. The thread that does this first is the one that they come to.
pub fn begin() -> Result<(), TextureError> {
    let center = center()?;
    BEGUN.call_once(|| {
        for name in names::NOTIFICATIONS {
            // SAFETY: the observer is only an address to tell observers apart, and that of a static is one for ever.
            // The callback takes what Core Foundation gives it. The object is null: those of all are wanted.
            unsafe {
                center.add_observer(
                    ptr::from_ref(&HANDLERS).cast(),
                    Some(notified),
                    Some(&CFString::from_str(name)),
                    ptr::null(),
                    CFNotificationSuspensionBehavior::DeliverImmediately,
                );
            }
        }
    });
    Ok(())
}

/// Calls `handler` for each notification of this name, until what is returned is dropped.
pub fn observe(name: &'static str, handler: NotificationHandler) -> Result<Held, TextureError> {
    begin()?;
    let mut handlers = handlers();
    handlers.count += 1;
    let number = handlers.count;
    handlers.all.insert(number, (name, handler));
    Ok(Box::new(Observer(number)))
}

/// Posts a notification, with a description that is a property list.
pub fn post(name: &str, object: Option<&str>, description: Option<&[u8]>) -> Result<(), TextureError> {
    let object = object.map(CFString::from_str);
    let description = description.map(dictionary).transpose()?;
    let object = object.as_deref().map_or(ptr::null(), |object| ptr::from_ref(object).cast::<c_void>());
    // SAFETY: distributed notifications are about strings or nothing, and this is one or null. The dictionary was read
    // from a property list, so that it holds nothing else than can be sent.
    unsafe { center()?.post_notification(Some(&CFString::from_str(name)), object, description.as_deref(), true) };
    Ok(())
}

struct Observer(u64);

impl Drop for Observer {
    fn drop(&mut self) {
        let removed = handlers().all.remove(&self.0);
        // Not under the lock: a handler may hold what posts notifications as it goes.
        drop(removed);
    }
}

unsafe extern "C-unwind" fn notified(
    _: *mut CFNotificationCenter,
    _: *mut c_void,
    name: *const CFString,
    _: *const c_void,
    description: *const CFDictionary,
) {
    // SAFETY: Core Foundation gives objects that live until this call returns, or null.
    let (name, description) = unsafe { (name.as_ref(), description.as_ref()) };
    let Some(name) = name.map(CFString::to_string) else { return };
    let description = description.and_then(property_list).unwrap_or_default();
    let wanted: Vec<_> = handlers().all.values().filter(|(n, _)| *n == name).map(|(_, h)| h.clone()).collect();
    for handler in wanted {
        // Core Foundation's code is no place for a panic to pass through; it has said its word by then.
        let _ = catch_unwind(AssertUnwindSafe(|| handler(&description)));
    }
}

/// The dictionary that a property list holds.
fn dictionary(bytes: &[u8]) -> Result<CFRetained<CFDictionary>, TextureError> {
    let data = CFData::from_bytes(bytes);
    // SAFETY: no option is asked for; neither the format nor the error is wanted back, for which null stands.
    let value = unsafe { CFPropertyListCreateWithData(None, Some(&data), 0, ptr::null_mut(), ptr::null_mut()) };
    let dictionary = value.and_then(|value| value.downcast::<CFDictionary>().ok());
    dictionary.ok_or_else(|| TextureError::Broken("macOS does not read the description as a property list".into()))
}

/// A dictionary as a binary property list. `None` where it holds what no property list can.
fn property_list(dictionary: &CFDictionary) -> Option<Vec<u8>> {
    let value: &CFType = dictionary.as_ref();
    let binary = CFPropertyListFormat::BinaryFormat_v1_0;
    // SAFETY: the value may be of any type: one that is no property list gives null. The error is not wanted back.
    let data = unsafe { CFPropertyListCreateData(None, Some(value), binary, 0, ptr::null_mut()) };
    data.map(|data| data.to_vec())
}
