//! What is on the streams, against what was sent and accepted.

use super::ledger::{Ledger, OWNED, count, stream_name};
use super::mark::Mark;
use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;
use virtual_gpu_lut_box::texture::linux::LinuxBackend;
use virtual_gpu_lut_box::texture::{Frame, TextureBackend, TextureError};

/// What a channel's stream shows now, as a receiver that connects gets it. `None` where there is no such stream.
pub fn shown(streams: &Path, channel: u16) -> Result<Option<Mark>, String> {
    let stream = stream_name(channel);
    let mut frame = Frame::default();
    let read = LinuxBackend::with_directory(streams).open(&stream).and_then(|mut receiver| receiver.read(&mut frame));
    match read {
        Ok(()) => {}
        Err(TextureError::NoSuchStream { .. }) => return Ok(None),
        Err(e) => return Err(format!("{stream}: {e}")),
    }
    let mark = Mark::of(&frame).map_err(|e| format!("{stream}: {e}"))?;
    match mark.channel == channel {
        true => Ok(Some(mark)),
        false => Err(format!("{stream} shows LUT {} of channel {}", mark.number, mark.channel)),
    }
}

/// A LUT was accepted in the server's life `life`: it is on its stream, or a newer one is.
pub fn accepted_is_shown(ledger: &Ledger, streams: &Path, channel: u16, number: u32, life: u64) {
    count(&ledger.counts.looked);
    let seen = shown(streams, channel);
    let fault = match seen {
        Ok(Some(mark)) if mark.number >= number => return,
        Ok(Some(mark)) => format!("LUT {number} of channel {channel} was accepted, and {} is shown", mark.number),
        Ok(None) => format!("LUT {number} of channel {channel} was accepted, and there is no stream"),
        Err(e) if !e.contains("torn") && ledger.is_short_of_fds() => return drop(e),
        Err(e) => e,
    };
    if ledger.life() == Some(life) {
        ledger.breach(fault);
    }
}

/// A restarted server listens, and no client knows yet: what is on its streams. `floors` has a number for each channel
/// that must be there, or a newer one.
pub fn restored(ledger: &Ledger, streams: &Path, floors: &[u32]) {
    for (channel, floor) in (0u16..).zip(floors) {
        let entry = &ledger.channels[usize::from(channel)];
        let sent = entry.sent.load(SeqCst);
        match shown(streams, channel) {
            Err(e) => ledger.breach(format!("after a restart, {e}")),
            Ok(None) if *floor > 0 => {
                ledger.breach(format!("channel {channel} has no stream after a restart; LUT {floor} was remembered"))
            }
            Ok(None) => {}
            Ok(Some(mark)) if mark.number > sent => {
                ledger.breach(format!("channel {channel} shows LUT {}, and {sent} is the last one sent", mark.number))
            }
            Ok(Some(mark)) if mark.number < *floor => ledger.breach(format!(
                "channel {channel} shows LUT {} after a restart; {floor} or a newer one was remembered",
                mark.number
            )),
            Ok(Some(mark)) if channel < OWNED => entry.restored.store(mark.number, SeqCst),
            Ok(Some(_)) => {}
        }
    }
}
