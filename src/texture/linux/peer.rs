//! One receiver, as its sender has it: what it was told, and telling it more.

use super::gpu::{Claims, Offer, Sides};
use super::hub::{Hub, Token};
use super::message::{FRAME, Frame, Gone, Hello, Reason, Release, Stamp, Surface, TIER_IMAGES, TIER_MEMORY};
use super::socket;
use super::surfaces::Surfaces;
use super::vulkan::DeviceIdentity;
use crate::lut::Cdl;
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::time::Instant;

/// What receivers are told of when they come, or when it changes.
pub(super) struct Current<'a> {
    /// The stream's name.
    pub name: &'a str,
    /// The newest texture, and the memory ring that it is in.
    pub newest: Stamp,
    /// The newest CDL values.
    pub cdl: Option<Cdl>,
    pub surfaces: &'a Surfaces,
    /// Its images, device by device.
    pub sides: &'a mut Sides,
}

impl Current<'_> {
    /// The memory ring, and what receivers are told of it. `None` before the first texture.
    pub(super) fn ring(&self) -> Option<(BorrowedFd<'_>, Surface)> {
        self.surfaces.current(self.name, self.newest).map(|(ring, surface)| (ring.memory(), surface))
    }
}

/// A connection to a stream.
pub(super) struct Peer {
    pub id: u64,
    stream: u64,
    pub socket: OwnedFd,
    /// Whether its HELLO has come and was answered.
    pub greeted: bool,
    /// Whether it has still to be told of what is current, once it has read what it was told before.
    owed: bool,
    /// The tiers that it can use, as HELLO has them.
    tiers: u32,
    /// The device whose images it wants, where it wants any and may still get them.
    wanted: Option<DeviceIdentity>,
    /// The device whose images it gets, or is about to.
    images: Option<OnDevice>,
}

/// A receiver of images.
struct OnDevice {
    /// Of the sender.
    device: DeviceIdentity,
    /// The surface it was told of; 0 before the first, and until then it hears of the memory ring.
    surface: u64,
    claims: Claims,
}

impl Peer {
    pub(super) fn new(id: u64, stream: u64, socket: OwnedFd) -> Self {
        Peer { id, stream, socket, greeted: false, owed: false, tiers: 0, wanted: None, images: None }
    }

    /// The receiver has said what it wants.
    pub(super) fn greet(&mut self, hello: &Hello) {
        self.greeted = true;
        self.tiers = hello.tiers;
        self.wanted = Some(hello.device).filter(|_| hello.tiers & TIER_IMAGES != 0);
    }

    /// The device that it would have images of, but has not.
    pub(super) fn missed_device(&self) -> Option<DeviceIdentity> {
        self.wanted.filter(|_| self.images.is_none())
    }

    /// Sees to it that it gets images, where it would have them and can. Otherwise, where it can use nothing else, the
    /// refusal.
    pub(super) fn seek_images(&mut self, hub: &Hub, sides: &mut Sides) -> Option<Gone> {
        let wanted = self.missed_device()?;
        match hub.devices().offer(&wanted) {
            Offer::Ready(device) => {
                self.images = Some(OnDevice { device: device.identity(), surface: 0, claims: Claims::default() });
                sides.add(device, self.stream);
                None
            }
            Offer::Later => None,
            Offer::Never => {
                self.wanted = None;
                (self.tiers & TIER_MEMORY == 0).then(|| Gone::new(Reason::NoCommonTier, 0))
            }
        }
    }

    pub(super) fn is_on(&self, device: &DeviceIdentity) -> bool {
        self.images.as_ref().is_some_and(|on| on.device == *device)
    }

    /// The slots of a surface that it may be reading, a bit each.
    pub(super) fn claimed(&self, surface: u64) -> u32 {
        self.images.as_ref().filter(|on| on.surface == surface).map_or(0, |on| on.claims.slots())
    }

    /// When it will have kept an image of this surface for too long.
    pub(super) fn due(&self, surface: u64) -> Option<Instant> {
        self.images.as_ref().filter(|on| on.surface == surface).and_then(|on| on.claims.due())
    }

    /// There are no images on this device any more. `true` where the receiver has to be told of the memory ring.
    pub(super) fn take_off(&mut self, device: &DeviceIdentity) -> bool {
        let was_told = self.images.take_if(|on| on.device == *device).is_some_and(|on| on.surface != 0);
        was_told && self.hears_of_ring()
    }

    /// There are no images on this device for the time being. `true` as above.
    pub(super) fn take_images(&mut self, device: &DeviceIdentity) -> bool {
        let Some(on) = self.images.as_mut().filter(|on| on.device == *device) else { return false };
        let was_told = std::mem::take(&mut on.surface) != 0;
        on.claims = Claims::default();
        was_told && self.hears_of_ring()
    }

    /// Whether it reads the memory ring now.
    fn hears_of_ring(&self) -> bool {
        let on_ring = self.images.as_ref().is_none_or(|on| on.surface == 0);
        self.greeted && self.tiers & TIER_MEMORY != 0 && on_ring
    }

    /// It has released an image; the image's device, where it had a claim on it.
    pub(super) fn release(&mut self, release: &Release) -> Option<DeviceIdentity> {
        let on = self.images.as_mut().filter(|on| on.surface == release.surface)?;
        on.claims.release(release.slot as usize, release.revision).then_some(on.device)
    }

    /// Tells it of what it can use now. `false` where it is gone.
    pub(super) fn tell_current(&mut self, hub: &Hub, current: &mut Current<'_>) -> bool {
        if !self.tell_images(hub, current.sides, current.name) {
            return false;
        }
        let Some((memory, surface)) = current.ring().filter(|_| self.hears_of_ring()) else { return true };
        let sent = socket::send(&self.socket, &surface.encode(true), &[memory]);
        self.went(hub, sent)
    }

    /// Does what was owed, now that it has read something.
    pub(super) fn pay(&mut self, hub: &Hub, current: &mut Current<'_>) -> bool {
        if !std::mem::take(&mut self.owed) {
            return true;
        }
        // Where it can't be done, it is owed anew.
        hub.rewatch(self.socket.as_fd(), self.token(), EventFlags::empty()) && self.tell_current(hub, current)
    }

    /// Tells it of a new texture in the memory ring, where it is on that. `false` where it is gone.
    pub(super) fn tell_ring_frame(&mut self, hub: &Hub, frame: &[u8; FRAME]) -> bool {
        // Whoever is owed a surface learns of the newest texture with it.
        if !self.hears_of_ring() || self.owed {
            return true;
        }
        match socket::send(&self.socket, frame, &[]) {
            // Its queue is full, so it will wake up and find the newest texture anyway.
            Err(Errno::AGAIN) => true,
            sent => self.went(hub, sent),
        }
    }

    /// Tells it of the newest images on its device, as far as it does not know them. `false` where it is gone.
    pub(super) fn tell_images(&mut self, hub: &Hub, sides: &mut Sides, stream: &str) -> bool {
        let Some(on) = self.images.as_mut().filter(|_| !self.owed) else { return true };
        let Some(side) = sides.of(&on.device) else { return true };
        let Some(images) = side.images().filter(|images| !images.left) else { return true };
        if on.surface != images.surface
            && let Some(surface) = side.surface(stream)
        {
            let handles: Vec<_> = images.handles.iter().map(AsFd::as_fd).collect();
            let sent = socket::send(&self.socket, &surface.encode(), &handles);
            if sent.is_err() {
                return self.went(hub, sent);
            }
            (on.surface, on.claims) = (images.surface, Claims::default());
        }
        let (slot, stamp) = images.newest;
        if !on.claims.has_room_for(stamp.revision) {
            return true;
        }
        let frame = Frame { surface: images.surface, stamp, slot: slot as u32 };
        let sent = socket::send(&self.socket, &frame.encode(), &[]);
        match sent {
            Ok(()) => on.claims.tell(slot, stamp.revision, Instant::now()),
            // Whoever does not read has no more time for that.
            Err(_) => on.claims.supersede(Instant::now()),
        }
        self.went(hub, sent)
    }

    /// What comes of an attempt to tell it something: it is there, is told later, or `false`: is gone.
    fn went(&mut self, hub: &Hub, sent: Result<(), Errno>) -> bool {
        match sent {
            Ok(()) => true,
            Err(Errno::AGAIN) => self.owe(hub),
            Err(e) if is_passing(e) => {
                hub.note_shortage();
                self.owe(hub)
            }
            Err(_) => false,
        }
    }

    fn owe(&mut self, hub: &Hub) -> bool {
        self.owed = true;
        hub.rewatch(self.socket.as_fd(), self.token(), EventFlags::OUT)
    }

    pub(super) fn token(&self) -> Token {
        Token::peer(self.stream, self.id)
    }
}

/// Errors of the system's that say nothing against this receiver.
fn is_passing(e: Errno) -> bool {
    matches!(e, Errno::NOMEM | Errno::NOBUFS | Errno::TOOMANYREFS)
}
