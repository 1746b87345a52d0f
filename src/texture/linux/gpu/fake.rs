//! A graphics driver for tests: its images are memory files, and it fails and waits when it is told to.

use super::super::vulkan::{DeviceFacts, DeviceIdentity, DeviceKind, GpuError, ImageDescription};
use super::driver::{Driver, Images, OpenDevice};
use crate::hald::{Texel, TextureShape};
use rustix::fd::OwnedFd;
use rustix::fs::MemfdFlags;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// The device that this driver has.
pub(super) const IDENTITY: DeviceIdentity = DeviceIdentity { device: [0xd1; 16], driver: [0xd2; 16] };

/// How it behaves.
#[derive(Clone, Copy, Default)]
pub(super) struct Mood {
    /// There are no devices.
    pub absent: bool,
    /// The device can't be opened, now or ever.
    pub unopenable: bool,
    pub unsuited: bool,
    /// The device is lost at the next copy.
    pub loses: bool,
    /// Copies do not end.
    pub stuck: bool,
    /// Textures of this height and more are refused.
    pub refuses_from: Option<usize>,
    /// There is no memory for images.
    pub full: bool,
}

#[derive(Default)]
pub(super) struct Fake {
    mood: Mutex<Mood>,
    changed: Condvar,
    pub lists: AtomicUsize,
    pub opens: AtomicUsize,
    /// Open devices, and images that were made and not dropped.
    pub open: Arc<()>,
    pub images: Arc<()>,
    pub copies: AtomicUsize,
}

impl Fake {
    pub(super) fn set(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.mood.lock().unwrap());
        self.changed.notify_all();
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }
}

/// The driver, as a back end has it and as a test has it.
pub(super) struct FakeDriver(pub Arc<Fake>);

struct FakeDevice {
    fake: Arc<Fake>,
    _counted: Arc<()>,
}

struct FakeImages {
    fake: Arc<Fake>,
    description: ImageDescription,
    handles: Arc<[OwnedFd]>,
    _counted: Arc<()>,
}

impl Driver for FakeDriver {
    fn all_devices(&self) -> Result<Vec<(DeviceFacts, Option<GpuError>)>, GpuError> {
        self.0.lists.fetch_add(1, Ordering::SeqCst);
        if self.0.mood().absent {
            return Err(GpuError::NoVulkan("there is no Vulkan loader on this computer".into()));
        }
        let (name, driver) = ("Fake 9000".to_owned(), "none".to_owned());
        Ok(vec![(DeviceFacts { index: 0, name, driver, kind: DeviceKind::Discrete, identity: IDENTITY }, None)])
    }

    fn open(&self, device: &DeviceFacts) -> Result<Box<dyn OpenDevice>, GpuError> {
        self.0.opens.fetch_add(1, Ordering::SeqCst);
        let (mood, name) = (self.0.mood(), device.name.clone());
        if mood.unsuited {
            return Err(GpuError::Unsuited { device: name, why: "it is a fake".into() });
        }
        if mood.unopenable {
            return Err(GpuError::Lost("it is asleep".into()));
        }
        Ok(Box::new(FakeDevice { fake: self.0.clone(), _counted: self.0.open.clone() }))
    }
}

impl OpenDevice for FakeDevice {
    fn make(&self, shape: TextureShape, count: usize) -> Result<Box<dyn Images>, GpuError> {
        if self.fake.mood().full {
            let result = ash::vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
            return Err(GpuError::Vulkan { doing: "making an image to share", result });
        }
        if self.fake.mood().refuses_from.is_some_and(|height| shape.height() >= height) {
            let (width, height) = (shape.width() as u32, shape.height() as u32);
            return Err(GpuError::TooLarge { device: "Fake 9000".into(), limit: 9, width, height });
        }
        let description = ImageDescription {
            width: shape.width() as u32,
            height: shape.height() as u32,
            tiling: 0,
            usage: 7,
            memory_bytes: shape.bytes() as u64,
            offset: 0,
            memory_type: 0,
            row_pitch: 0,
            dedicated: true,
        };
        let handle = || rustix::fs::memfd_create("fake image", MemfdFlags::CLOEXEC).unwrap();
        let handles = (0..count).map(|_| handle()).collect();
        let (fake, _counted) = (self.fake.clone(), self.fake.images.clone());
        Ok(Box::new(FakeImages { fake, description, handles, _counted }))
    }
}

impl Images for FakeImages {
    fn description(&self) -> ImageDescription {
        self.description
    }

    fn handles(&self) -> Arc<[OwnedFd]> {
        self.handles.clone()
    }

    fn start(&mut self, image: usize, texels: &[Texel]) -> Result<(), GpuError> {
        let bytes = texels.as_flattened();
        assert_eq!(rustix::io::pwrite(&self.handles[image], bytes, 0), Ok(bytes.len()));
        self.fake.copies.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn finish(&mut self, _patience: Duration) -> Result<(), GpuError> {
        let mood = self.fake.mood.lock().unwrap();
        let mood = self.fake.changed.wait_while(mood, |mood| mood.stuck && !mood.loses).unwrap();
        match mood.loses {
            true => Err(GpuError::Lost("it was told to be".into())),
            false => Ok(()),
        }
    }
}
