//! A stream's images: what devices' threads ask of it, and tell it.

use super::{State, Stream};
use crate::hald::TextureShape;
use crate::texture::linux::gpu::{Copy, Fresh, Next};
use crate::texture::linux::vulkan::DeviceIdentity;
use std::time::{Duration, Instant};

/// When to look again for a texture that can't be kept from being overwritten now: too many are.
const PIN_AGAIN: Duration = Duration::from_millis(2);

impl Stream {
    /// What a device's thread has to do. Where there is a new texture, whoever has kept an image for too long is sent
    /// away, and the others get images that he does not have.
    pub(in crate::texture::linux) fn next_copy(&self, device: &DeviceIdentity) -> Next {
        let mut guard = self.state();
        let State { surfaces, peers, sides, newest, .. } = &mut *guard;
        let Some(side) = sides.of(device) else { return Next::Unused };
        if !peers.any_on(device) {
            sides.remove(device);
            return Next::Unused;
        }
        let Some(shape) = surfaces.newest_shape() else { return Next::Nothing };
        if !side.is_behind(shape, newest.revision) {
            return Next::Nothing;
        }
        if let Some(until) = side.refused_until(Instant::now()) {
            return Next::Wait(until);
        }
        side.set_waits(false);
        let mut due = None;
        if let Some(surface) = side.images_for(shape).map(|images| images.surface) {
            let dropped;
            (dropped, due) = peers.drop_overdue(surface, Instant::now());
            if dropped {
                side.leave_images();
            }
        }
        // A slot of the surface there is, or how many images to make.
        let place = match side.images_for(shape) {
            None => Err(side.count_for(shape)),
            Some(images) => match (images.free_slot(peers.claimed(images.surface)), images.more(), due) {
                (Some(slot), _, _) => Ok((images.surface, slot)),
                (None, Some(more), _) => Err(more),
                (None, None, Some(due)) => {
                    side.set_waits(true);
                    return Next::Wait(due);
                }
                // Not to be: of all claims that keep an image from being written, one has to end.
                (None, None, None) => Err(images.handles.len()),
            },
        };
        let Some(texture) = surfaces.pin_newest() else { return Next::Wait(Instant::now() + PIN_AGAIN) };
        let stamp = *newest;
        let copy = match place {
            Ok((surface, slot)) => Copy { surface, shape, slot, stamp, fresh: None },
            Err(count) => Copy { surface: surfaces.new_id(), shape, slot: 0, stamp, fresh: Some(count) },
        };
        Next::Copy(texture, copy)
    }

    /// A copy was made: receivers on that device are told.
    pub(in crate::texture::linux) fn copied(&self, device: &DeviceIdentity, copy: &Copy, fresh: Option<Fresh>) {
        let mut guard = self.state();
        let State { peers, sides, ended, .. } = &mut *guard;
        let Some(side) = sides.of(device).filter(|_| !*ended) else { return };
        side.copied(copy, fresh);
        peers.tell_images(&self.hub, device, sides, &self.name);
        sides.note_departures(self.id, |device| peers.any_on(device));
    }

    /// A device makes no images of this shape, now or (`again`) ever: its receivers go on with the memory ring.
    pub(in crate::texture::linux) fn images_refused(
        &self,
        device: &DeviceIdentity,
        shape: TextureShape,
        again: Option<Instant>,
    ) {
        let mut guard = self.state();
        if let Some(side) = guard.sides.of(device) {
            side.refuse(shape, again);
            self.lose_images(&mut guard, device, false);
        }
    }

    /// A device has failed: its receivers go on with the memory ring, until it is back.
    pub(in crate::texture::linux) fn device_failed(&self, device: &DeviceIdentity) {
        let mut guard = self.state();
        guard.sides.remove(device);
        self.lose_images(&mut guard, device, true);
    }

    fn lose_images(&self, state: &mut State, device: &DeviceIdentity, failed: bool) {
        let (peers, mut current) = self.current(state);
        peers.lose_images(&self.hub, device, failed, &mut current);
    }

    /// Devices have come or gone: receivers that would have images may get them now.
    pub(in crate::texture::linux) fn devices_changed(&self) {
        let mut guard = self.state();
        let (peers, mut current) = self.current(&mut guard);
        peers.seek_images(&self.hub, &mut current);
    }

    /// Whether a receiver would have images of this device, or has them.
    pub(in crate::texture::linux) fn wants_device(&self, device: &DeviceIdentity) -> bool {
        let state = self.state();
        state.peers.any_on(device) || state.peers.any_misses(device)
    }
}
