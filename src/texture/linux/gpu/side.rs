//! What one stream shares through graphics devices, under the stream's lock.

use super::super::message::Stamp;
use super::super::place::SLOTS;
use super::super::ring::SlotPin;
use super::super::vulkan::{DeviceIdentity, ImageDescription};
use super::devices::DeviceUse;
use super::image_message::ImageSurface;
use crate::hald::TextureShape;
use rustix::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

/// Images that a surface has at first. One is the newest, one is being written; a slow receiver may have a claim on two
/// more, and holds up nobody.
const FEWEST: usize = 4;
/// Bytes that the images of a surface may have in all where there are more: with several slow receivers.
const MORE_BYTES: usize = 128 << 20;

/// The devices that a stream has receivers on.
#[derive(Default)]
pub(in crate::texture::linux) struct Sides(Vec<Side>);

/// One of them.
pub(in crate::texture::linux) struct Side {
    device: DeviceUse,
    images: Option<SharedImages>,
    /// A shape that the device has refused to make images for, and when it may be asked again; `None` for never.
    refused: Option<(TextureShape, Option<Instant>)>,
    /// An update waits for a receiver to release an image.
    waits: bool,
}

/// Images that receivers are told of.
pub(in crate::texture::linux) struct SharedImages {
    pub surface: u64,
    pub shape: TextureShape,
    pub image: ImageDescription,
    pub handles: Arc<[OwnedFd]>,
    /// The slot and stamp of the newest texture among them.
    pub newest: (usize, Stamp),
    /// A receiver was sent away while it had a claim: the others get new images.
    pub left: bool,
}

/// A copy to be made by a device's thread.
#[derive(Clone, Copy)]
pub(in crate::texture::linux) struct Copy {
    pub surface: u64,
    pub shape: TextureShape,
    pub slot: usize,
    pub stamp: Stamp,
    /// So many images are to be made first.
    pub fresh: Option<usize>,
}

/// Images that were made for a copy.
pub(in crate::texture::linux) struct Fresh {
    pub description: ImageDescription,
    pub handles: Arc<[OwnedFd]>,
}

/// What a device's thread has to do for a stream.
pub(in crate::texture::linux) enum Next {
    Nothing,
    /// No receiver wants this device any more.
    Unused,
    /// To look again then: a receiver's time will be up.
    Wait(Instant),
    Copy(SlotPin, Copy),
}

impl Sides {
    pub(in crate::texture::linux) fn of(&mut self, device: &DeviceIdentity) -> Option<&mut Side> {
        self.0.iter_mut().find(|s| s.device.identity() == *device)
    }

    pub(in crate::texture::linux) fn remove(&mut self, device: &DeviceIdentity) {
        self.0.retain(|s| s.device.identity() != *device);
    }

    /// Has all devices' threads look at the stream.
    pub(in crate::texture::linux) fn notify(&self, stream: u64) {
        self.0.iter().for_each(|side| side.device.notify(stream));
    }

    /// Receivers may have gone: has the threads look that serve nobody any more, or wait for an image.
    pub(in crate::texture::linux) fn note_departures(&mut self, stream: u64, serves: impl Fn(&DeviceIdentity) -> bool) {
        for side in &mut self.0 {
            if std::mem::take(&mut side.waits) || !serves(&side.device.identity()) {
                side.device.notify(stream);
            }
        }
    }

    /// Begins to share through a device, if it is not one of them yet.
    pub(in crate::texture::linux) fn add(&mut self, device: DeviceUse, stream: u64) {
        match self.of(&device.identity()) {
            // Its thread may have looked before this receiver was there.
            Some(side) => side.device.notify(stream),
            None => {
                device.notify(stream);
                self.0.push(Side { device, images: None, refused: None, waits: false });
            }
        }
    }
}

impl SharedImages {
    /// An image that nobody reads; `claimed` has a bit for each that a receiver may be reading.
    pub(in crate::texture::linux) fn free_slot(&self, claimed: u32) -> Option<usize> {
        (0..self.handles.len()).find(|slot| claimed >> slot & 1 == 0 && *slot != self.newest.0)
    }

    /// How many images there could be in place of these, if there may be more.
    pub(in crate::texture::linux) fn more(&self) -> Option<usize> {
        let more = self.handles.len() * 2;
        (more <= SLOTS && more * self.shape.bytes() <= MORE_BYTES).then_some(more)
    }
}

impl Side {
    pub(in crate::texture::linux) fn images(&self) -> Option<&SharedImages> {
        self.images.as_ref()
    }

    /// What receivers are told of the images.
    pub(in crate::texture::linux) fn surface(&self, stream: &str) -> Option<ImageSurface> {
        self.images.as_ref().map(|images| ImageSurface {
            surface: images.surface,
            newest: images.newest.1,
            shape: images.shape,
            device: self.device.identity(),
            slots: images.handles.len(),
            image: images.image,
            name: stream.to_owned(),
        })
    }

    /// Whether there is anything to do for a texture of this shape and revision.
    pub(in crate::texture::linux) fn is_behind(&mut self, shape: TextureShape, revision: u64) -> bool {
        if self.refused.is_some_and(|(refused, _)| refused != shape) {
            self.refused = None;
        }
        let never = self.refused.is_some_and(|(_, again)| again.is_none());
        !never && self.images.as_ref().is_none_or(|i| i.left || i.newest.1.revision != revision)
    }

    /// The images that a texture of this shape can be copied into; `None` where others are needed.
    pub(in crate::texture::linux) fn images_for(&self, shape: TextureShape) -> Option<&SharedImages> {
        self.images.as_ref().filter(|i| i.shape == shape && !i.left)
    }

    /// How many images to make for this shape.
    pub(in crate::texture::linux) fn count_for(&self, shape: TextureShape) -> usize {
        self.images.as_ref().filter(|i| i.shape == shape).map_or(FEWEST, |i| i.handles.len())
    }

    /// A copy was made.
    pub(in crate::texture::linux) fn copied(&mut self, copy: &Copy, fresh: Option<Fresh>) {
        let newest = (copy.slot, copy.stamp);
        match (fresh, &mut self.images) {
            (Some(Fresh { description: image, handles }), _) => {
                let Copy { surface, shape, .. } = *copy;
                self.images = Some(SharedImages { surface, shape, image, handles, newest, left: false });
            }
            (None, Some(images)) if images.surface == copy.surface => images.newest = newest,
            (None, _) => {}
        }
    }

    /// Until when the device is not asked for images; `None` where it can be asked now.
    pub(in crate::texture::linux) fn refused_until(&mut self, now: Instant) -> Option<Instant> {
        let until = self.refused.and_then(|(_, again)| again).filter(|again| *again > now);
        if until.is_none() {
            self.refused = None;
        }
        until
    }

    /// The device makes no images of this shape: its receivers are on the memory ring until the shape changes, or it
    /// is asked again.
    pub(in crate::texture::linux) fn refuse(&mut self, shape: TextureShape, again: Option<Instant>) {
        self.refused = Some((shape, again));
        self.images = None;
    }

    /// A receiver with a claim was sent away.
    pub(in crate::texture::linux) fn leave_images(&mut self) {
        if let Some(images) = &mut self.images {
            images.left = true;
        }
    }

    pub(in crate::texture::linux) fn set_waits(&mut self, waits: bool) {
        self.waits = waits;
    }

    /// A receiver has released an image.
    pub(in crate::texture::linux) fn released(&mut self, stream: u64) {
        if std::mem::take(&mut self.waits) {
            self.device.notify(stream);
        }
    }
}
