use super::pointers::{given, place, text};
use super::{FRAMES, RECEIVERS, VGLB_OPEN_IMAGES, VglbFrame, VglbOpenOptions, VglbReceiver, VglbStatus, guarded};
use crate::failure::Failure;
use crate::receiver::{Receiver, Waited};
use std::ffi::c_char;
use std::time::Duration;
use virtual_gpu_lut_box::texture;

/// A time from C: below 0 is for ever.
fn time(timeout_ms: i64) -> Option<Duration> {
    u64::try_from(timeout_ms).ok().map(Duration::from_millis)
}

/// Waits until a stream of this name can be opened, at most `timeout_ms` milliseconds (below 0: for ever; 0: only looks).
/// VGLB_STATUS_TIMED_OUT where the time is up before. A wait for ever can't be ended. Any thread, at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vglb_wait_for_stream(stream: *const c_char, timeout_ms: i64) -> VglbStatus {
    guarded(|| {
        // SAFETY: the caller's.
        let stream = unsafe { text("stream", stream) }?;
        let found = texture::choose("auto")?.wait_for_stream(stream, time(timeout_ms))?;
        Ok(if found { VglbStatus::Ok } else { VglbStatus::TimedOut })
    })
}

/// Connects to a stream. `stream` is its name, UTF-8; `options` may be NULL: pixels then. Neither is used after the call.
/// May take some seconds where the sender does not answer. VGLB_STATUS_ERROR_NO_SUCH_STREAM where there is none: the
/// sentence says which there are.
///
/// The receiver is the caller's, to be given back with vglb_close. Any thread, at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vglb_open(
    stream: *const c_char,
    options: *const VglbOpenOptions,
    receiver: *mut *mut VglbReceiver,
) -> VglbStatus {
    guarded(|| {
        // SAFETY: the caller's.
        let (out, stream, options) =
            unsafe { (place("receiver", receiver, std::ptr::null_mut())?, text("stream", stream)?, given(options)?) };
        let opened = open(stream, options)?;
        out.set(std::ptr::without_provenance_mut(RECEIVERS.give(opened)));
        Ok(VglbStatus::Ok)
    })
}

fn open(stream: &str, options: Option<VglbOpenOptions>) -> Result<Receiver, Failure> {
    let Some(options) = options else { return Receiver::of_pixels(stream) };
    match options.flags {
        0 => Receiver::of_pixels(stream),
        VGLB_OPEN_IMAGES if options.device_uuid == [0; 16] => {
            Err(Failure::argument("VGLB_OPEN_IMAGES needs the device_uuid of the graphics device, and it is all 0"))
        }
        VGLB_OPEN_IMAGES => Receiver::of_images(stream, options.device_uuid, options.driver_uuid),
        other => Err(Failure::argument(format!("flags {other:#x} are not known; 0 and VGLB_OPEN_IMAGES (1) are"))),
    }
}

/// Waits for a texture that this receiver has not handed out yet, at most `timeout_ms` milliseconds (below 0: for ever; 0:
/// only looks), and hands out the newest: those in between are skipped. A receiver that has just connected gets the
/// texture that is there. VGLB_STATUS_TIMED_OUT where nothing new came, VGLB_STATUS_ENDED where the stream has ended; then
/// and in case of an error `*frame` is NULL.
///
/// The frame is the caller's, to be given back with vglb_release; it outlives the receiver. One thread at a time for one
/// receiver: a second gets VGLB_STATUS_ERROR_BUSY. Different receivers at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vglb_wait(
    receiver: *mut VglbReceiver,
    timeout_ms: i64,
    frame: *mut *mut VglbFrame,
) -> VglbStatus {
    guarded(|| {
        // SAFETY: the caller's.
        let out = unsafe { place("frame", frame, std::ptr::null_mut()) }?;
        match RECEIVERS.get(receiver.addr())?.wait(time(timeout_ms))? {
            Waited::Texture(held) => {
                out.set(std::ptr::without_provenance_mut(FRAMES.give(held)));
                Ok(VglbStatus::Ok)
            }
            Waited::Ended => Ok(VglbStatus::Ended),
            Waited::TimedOut => Ok(VglbStatus::TimedOut),
        }
    })
}

/// Disconnects, and gives the receiver back. Frames that it has handed out stay valid; those that are images are to be
/// released soon, or the sender takes them back after a second. Any thread, at any time: a vglb_wait of another thread
/// ends within a moment with VGLB_STATUS_ERROR_INVALID_HANDLE.
#[unsafe(no_mangle)]
pub extern "C" fn vglb_close(receiver: *mut VglbReceiver) -> VglbStatus {
    guarded(|| {
        RECEIVERS.take_back(receiver.addr())?.close();
        Ok(VglbStatus::Ok)
    })
}
