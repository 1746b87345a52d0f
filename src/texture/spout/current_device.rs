//! The one graphics device of a back end, made when first needed and again after it was removed.

use super::seam::{Device, DeviceError, Graphics};
use crate::texture::TextureError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often something is tried on a new device after the one before was removed.
pub const ATTEMPTS: u32 = 3;

/// The device that all senders and receivers of a back end use.
pub struct CurrentDevice {
    graphics: Box<dyn Graphics>,
    device: Mutex<Option<Arc<dyn Device>>>,
    /// The last device was removed, and no other has been made since.
    removed: AtomicBool,
    /// Devices made in the place of one that was removed.
    restarts: AtomicU64,
}

impl CurrentDevice {
    pub fn new(graphics: Box<dyn Graphics>) -> Self {
        CurrentDevice {
            graphics,
            device: Mutex::new(None),
            removed: AtomicBool::new(false),
            restarts: AtomicU64::new(0),
        }
    }

    /// The graphics adapters of this computer.
    pub fn adapters(&self) -> Vec<String> {
        self.graphics.adapters()
    }

    /// How often a device was made in the place of one that was removed.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// The device, made now if there is none.
    pub fn get(&self) -> Result<Arc<dyn Device>, DeviceError> {
        let mut current = self.lock();
        if let Some(device) = &*current {
            return Ok(device.clone());
        }
        let device = self.graphics.create_device()?;
        tracing::info!("using {}", device.description());
        if self.removed.swap(false, Ordering::Relaxed) {
            self.restarts.fetch_add(1, Ordering::Relaxed);
        }
        *current = Some(device.clone());
        Ok(device)
    }

    /// Lets the device go, if it is still the current one: it was removed.
    pub fn forget(&self, removed: &Arc<dyn Device>, why: &str) {
        let mut current = self.lock();
        if current.as_ref().is_some_and(|device| Arc::ptr_eq(device, removed)) {
            tracing::warn!("the graphics device was removed ({why}); making a new one");
            *current = None;
            self.removed.store(true, Ordering::Relaxed);
        }
    }

    /// Lets the device go if it says that it was removed.
    pub fn notice_removal(&self) {
        let device = self.lock().clone();
        if let Some(device) = device
            && let Err(DeviceError::Removed(why)) = device.check()
        {
            self.forget(&device, &why);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<dyn Device>>> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A device's error as one of the texture seam.
pub fn texture_error(doing: &str, error: DeviceError, bytes: usize) -> TextureError {
    match error {
        DeviceError::OutOfMemory(why) => TextureError::OutOfMemory { bytes, why },
        DeviceError::Unsupported(why) => TextureError::Unavailable(why),
        DeviceError::Removed(_) | DeviceError::Failed(_) => TextureError::Broken(format!("{doing}: {error}")),
    }
}
