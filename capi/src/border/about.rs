use super::structs::VGLB_ABI_VERSION;
use super::{VglbStatus, guarded};
use crate::failure::Failure;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Keeps what went wrong for `vglb_last_error`.
pub(super) fn remember(sentence: &str) {
    let text = CString::new(sentence.replace('\0', "\u{fffd}")).unwrap_or_default();
    // A thread that is ending has no place for it any more.
    let _ = LAST.try_with(|last| last.replace(text));
}

/// The `VGLB_ABI_VERSION` of the library that is running.
#[unsafe(no_mangle)]
pub extern "C" fn vglb_abi_version() -> u32 {
    VGLB_ABI_VERSION
}

/// Whether a program that was compiled for an ABI version can use this library. Call it first, with VGLB_ABI_VERSION;
/// VGLB_STATUS_ERROR_ABI_VERSION if it can't.
#[unsafe(no_mangle)]
pub extern "C" fn vglb_check_abi(abi_version: u32) -> VglbStatus {
    guarded(|| match abi_version {
        VGLB_ABI_VERSION => Ok(VglbStatus::Ok),
        other => Err(Failure::new(
            VglbStatus::ErrorAbiVersion,
            format!(
                "this program was compiled for version {other} of the library's binary interface, and the library has \
                 version {VGLB_ABI_VERSION}: compile with the header that belongs to it"
            ),
        )),
    })
}

/// The library's version, as "0.1.0". Static: never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn vglb_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version without NUL"),
    };
    VERSION.as_ptr()
}

/// What was wrong with the last call on this thread that failed, as a sentence in UTF-8: what it was, with the value, and
/// what would be right. "" where none has failed. Never NULL. The library's: valid until the next call on this thread.
#[unsafe(no_mangle)]
pub extern "C" fn vglb_last_error() -> *const c_char {
    // The text stays where it is until `remember` puts another in its place.
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// The name of a status, as "VGLB_STATUS_ENDED"; of any other number "VGLB_STATUS_?". Static: never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn vglb_status_name(status: i32) -> *const c_char {
    use VglbStatus::*;
    let names = [
        (Ok, c"VGLB_STATUS_OK"),
        (TimedOut, c"VGLB_STATUS_TIMED_OUT"),
        (Ended, c"VGLB_STATUS_ENDED"),
        (ErrorInvalidArgument, c"VGLB_STATUS_ERROR_INVALID_ARGUMENT"),
        (ErrorStructSize, c"VGLB_STATUS_ERROR_STRUCT_SIZE"),
        (ErrorAbiVersion, c"VGLB_STATUS_ERROR_ABI_VERSION"),
        (ErrorInvalidHandle, c"VGLB_STATUS_ERROR_INVALID_HANDLE"),
        (ErrorBusy, c"VGLB_STATUS_ERROR_BUSY"),
        (ErrorNoSuchStream, c"VGLB_STATUS_ERROR_NO_SUCH_STREAM"),
        (ErrorUnavailable, c"VGLB_STATUS_ERROR_UNAVAILABLE"),
        (ErrorRefused, c"VGLB_STATUS_ERROR_REFUSED"),
        (ErrorOutOfMemory, c"VGLB_STATUS_ERROR_OUT_OF_MEMORY"),
        (ErrorProtocol, c"VGLB_STATUS_ERROR_PROTOCOL"),
        (ErrorSystem, c"VGLB_STATUS_ERROR_SYSTEM"),
        (ErrorWrongKind, c"VGLB_STATUS_ERROR_WRONG_KIND"),
        (ErrorBroken, c"VGLB_STATUS_ERROR_BROKEN"),
    ];
    names.iter().find(|(known, _)| *known as i32 == status).map_or(c"VGLB_STATUS_?", |(_, name)| name).as_ptr()
}
