use super::pointers::{place, structure};
use super::{STREAMS, VglbFormat, VglbLayout, VglbStatus, VglbStreamInfo, VglbStreams, guarded};
use crate::streams::{Stream, Streams};
use std::time::SystemTime;
use virtual_gpu_lut_box::hald::{Layout, TextureShape};
use virtual_gpu_lut_box::texture::RGBA32F;

/// Looks which streams there are on this computer now. No stream at all is an empty list and no error. Streams whose
/// name holds a NUL can't be named in C, and are left out.
///
/// The list is the caller's, to be given back with vglb_streams_free. Any thread, at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vglb_list(streams: *mut *mut VglbStreams) -> VglbStatus {
    guarded(|| {
        // SAFETY: the caller's.
        let out = unsafe { place("streams", streams, std::ptr::null_mut()) }?;
        let handle = STREAMS.give(Streams::now()?);
        out.set(std::ptr::without_provenance_mut(handle));
        Ok(VglbStatus::Ok)
    })
}

/// How many streams a list has. Any thread, at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vglb_streams_count(streams: *const VglbStreams, count: *mut usize) -> VglbStatus {
    guarded(|| {
        // SAFETY: the caller's.
        let out = unsafe { place("count", count, 0) }?;
        out.set(STREAMS.get(streams.addr())?.count());
        Ok(VglbStatus::Ok)
    })
}

/// What is known of the stream number `index` of a list, from 0. The texts in `info` are the list's: valid until
/// vglb_streams_free. Any thread, at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vglb_streams_get(
    streams: *const VglbStreams,
    index: usize,
    info: *mut VglbStreamInfo,
) -> VglbStatus {
    guarded(|| {
        // SAFETY: the caller's.
        let out = unsafe { structure(info) }?;
        out.fill(told(STREAMS.get(streams.addr())?.get(index)?));
        Ok(VglbStatus::Ok)
    })
}

/// Gives a list back. Its texts are not to be used any more.
#[unsafe(no_mangle)]
pub extern "C" fn vglb_streams_free(streams: *mut VglbStreams) -> VglbStatus {
    guarded(|| STREAMS.take_back(streams.addr()).map(|_| VglbStatus::Ok))
}

fn told(stream: &Stream) -> VglbStreamInfo {
    let info = &stream.info;
    VglbStreamInfo {
        struct_size: 0,
        width: info.width as u32,
        height: info.height as u32,
        grid_size: grid_size(info.shape),
        layout: layout(info.shape),
        format: if info.format == RGBA32F { VglbFormat::Rgba32Float } else { VglbFormat::Other },
        revision: info.revision.unwrap_or(0),
        published_realtime_ns: since_1970(info.published),
        name: stream.name.as_ptr(),
        sender: stream.sender.as_ref().map_or(std::ptr::null(), |sender| sender.as_ptr()),
        cdl: stream.cdl.as_deref().map_or(std::ptr::null(), std::ptr::from_ref),
    }
}

pub(super) fn grid_size(shape: Option<TextureShape>) -> u32 {
    shape.map_or(0, |shape| shape.size().get() as u32)
}

pub(super) fn layout(shape: Option<TextureShape>) -> VglbLayout {
    match shape.map(|shape| shape.layout()) {
        None => VglbLayout::Unknown,
        Some(Layout::Vglb) => VglbLayout::Vglb,
        Some(Layout::Unreal) => VglbLayout::Unreal,
        Some(Layout::Unity) => VglbLayout::Unity,
        Some(Layout::HaldClut) => VglbLayout::HaldClut,
    }
}

pub(super) fn since_1970(time: Option<SystemTime>) -> u64 {
    let since = time.and_then(|t| t.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.and_then(|d| u64::try_from(d.as_nanos()).ok()).unwrap_or(0)
}
