use super::pointers::{place, structure};
use super::streams::{grid_size, layout, since_1970};
use super::{FRAMES, VglbFormat, VglbFrame, VglbFrameInfo, VglbImage, VglbKind, VglbPixels, VglbStatus, guarded};
use crate::failure::Failure;
use crate::platform::ImageFrame;
use crate::receiver::{Content, Held};
use std::ffi::c_int;
use virtual_gpu_lut_box::texture::Frame;

/// VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT
const OPAQUE_FD: u32 = 1;

/// What is known of a texture. Any thread, at any time before vglb_release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vglb_frame_info(frame: *const VglbFrame, info: *mut VglbFrameInfo) -> VglbStatus {
    guarded(|| {
        // SAFETY: the caller's.
        let out = unsafe { structure(info) }?;
        out.fill(match FRAMES.get(frame.addr())?.content() {
            Content::Pixels(frame) => of_pixels(frame),
            Content::Image(frame) => of_image(frame),
        });
        Ok(VglbStatus::Ok)
    })
}

/// The texels of a frame whose kind is VGLB_KIND_PIXELS; of another VGLB_STATUS_ERROR_WRONG_KIND. They are the frame's:
/// read only, by any thread, valid until vglb_release. Any thread, at any time before that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vglb_frame_pixels(frame: *const VglbFrame, pixels: *mut VglbPixels) -> VglbStatus {
    guarded(|| {
        // SAFETY: the caller's.
        let out = unsafe { structure(pixels) }?;
        let held = FRAMES.get(frame.addr())?;
        let Content::Pixels(frame) = held.content() else {
            return Err(wrong_kind("an image of a graphics device", "vglb_frame_image"));
        };
        let texels = frame.texels.as_flattened();
        if !texels.as_ptr().addr().is_multiple_of(16) {
            // Every allocator of the platforms here gives 16 bytes and more such an address.
            return Err(Failure::new(VglbStatus::ErrorBroken, "the texels are not aligned to 16 bytes"));
        }
        let (bytes, row_pitch) = (texels.len() as u64, frame.width as u32 * 16);
        out.fill(VglbPixels { struct_size: 0, row_pitch, bytes, data: texels.as_ptr().cast() });
        Ok(VglbStatus::Ok)
    })
}

/// The image of a frame whose kind is VGLB_KIND_IMAGE; of another VGLB_STATUS_ERROR_WRONG_KIND. Any thread, at any time
/// before vglb_release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vglb_frame_image(frame: *const VglbFrame, image: *mut VglbImage) -> VglbStatus {
    guarded(|| {
        // SAFETY: the caller's.
        let out = unsafe { structure(image) }?;
        out.fill(described(image_of(&*FRAMES.get(frame.addr())?)?));
        Ok(VglbStatus::Ok)
    })
}

/// A descriptor of the memory behind image number `slot` of the frame's surface, from 0: to be imported once into one's
/// own device, as VglbImage describes it. Any slot can be asked for, not only the frame's own.
///
/// `*fd` is the caller's: a new descriptor, closed on exec, that an import which succeeds takes over, and that the caller
/// closes otherwise. The memory lives for as long as anybody has it, also after the frame was released and the sender has
/// gone. -1 in case of an error. Any thread, at any time before vglb_release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vglb_frame_image_fd(frame: *const VglbFrame, slot: u32, fd: *mut c_int) -> VglbStatus {
    guarded(|| {
        // SAFETY: the caller's.
        let out = unsafe { place("fd", fd, -1) }?;
        let held = FRAMES.get(frame.addr())?;
        let frame = image_of(&held)?;
        let slots = frame.image().slots;
        if slot >= slots {
            return Err(Failure::argument(format!("slot {slot} of {slots}, counted from 0")));
        }
        out.set(frame.descriptor(slot)?);
        Ok(VglbStatus::Ok)
    })
}

/// Gives a frame back. Its pixels are not to be read any more. An image is to be released once all of the device's work
/// with it has ended (vkWaitForFences, glClientWaitSync, cudaStreamSynchronize), and within a second of the moment when the
/// next texture is there: a receiver that keeps one for longer is sent away. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn vglb_release(frame: *mut VglbFrame) -> VglbStatus {
    guarded(|| FRAMES.take_back(frame.addr()).map(|_| VglbStatus::Ok))
}

fn wrong_kind(what: &str, instead: &str) -> Failure {
    Failure::new(VglbStatus::ErrorWrongKind, format!("the frame is {what}: call {instead}"))
}

fn image_of(held: &Held) -> Result<&ImageFrame, Failure> {
    match held.content() {
        Content::Image(frame) => Ok(frame),
        Content::Pixels(_) => Err(wrong_kind("pixels in memory", "vglb_frame_pixels")),
    }
}

fn of_pixels(frame: &Frame) -> VglbFrameInfo {
    VglbFrameInfo {
        struct_size: 0,
        kind: VglbKind::Pixels,
        width: frame.width as u32,
        height: frame.height as u32,
        grid_size: grid_size(frame.shape),
        layout: layout(frame.shape),
        revision: frame.revision,
        published_realtime_ns: since_1970(frame.published),
        published_monotonic_ns: 0,
    }
}

fn of_image(frame: &ImageFrame) -> VglbFrameInfo {
    let image = frame.image();
    VglbFrameInfo {
        struct_size: 0,
        kind: VglbKind::Image,
        width: image.shape.width() as u32,
        height: image.shape.height() as u32,
        grid_size: grid_size(Some(image.shape)),
        layout: layout(Some(image.shape)),
        revision: image.revision,
        published_realtime_ns: since_1970(frame.published()),
        published_monotonic_ns: image.published_monotonic_ns,
    }
}

fn described(frame: &ImageFrame) -> VglbImage {
    let image = frame.image();
    VglbImage {
        struct_size: 0,
        slot: image.slot,
        surface: image.surface,
        slots: image.slots,
        format: VglbFormat::Rgba32Float,
        width: image.shape.width() as u32,
        height: image.shape.height() as u32,
        tiling: image.tiling,
        usage: image.usage,
        memory_bytes: image.memory_bytes,
        offset: image.offset,
        row_pitch: image.row_pitch,
        memory_type_index: image.memory_type,
        dedicated: u32::from(image.dedicated),
        handle_type: OPAQUE_FD,
        device_uuid: image.device,
        driver_uuid: image.driver,
    }
}
