//! What Spout needs of Windows: named objects and a graphics device, as traits.
//!
//! Everything above them is plain code that runs anywhere, so that it can be tested with objects and devices that
//! fail on purpose. The real ones are in `texture::windows`, which exists on Windows only.

use crate::hald::Texel;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The named objects of this logon session. Names are bytes without a zero, in the system's code page.
///
/// An object lives until the last handle on it is closed, by whichever process; dropping closes.
pub trait SharedObjects: Send + Sync + 'static {
    /// Opens the memory called `name`, or makes it: then it has `size` bytes, all zero. One that exists keeps its size.
    fn create_memory(&self, name: &[u8], size: usize) -> io::Result<Box<dyn SharedMemory>>;

    /// Opens the memory called `name`; `None` where there is none.
    fn open_memory(&self, name: &[u8]) -> io::Result<Option<Box<dyn SharedMemory>>>;

    /// Opens the mutex called `name`, or makes it, owned by nobody.
    fn create_mutex(&self, name: &[u8]) -> io::Result<Box<dyn SharedMutex>>;

    /// Opens the mutex called `name`; `None` where there is none.
    fn open_mutex(&self, name: &[u8]) -> io::Result<Option<Box<dyn SharedMutex>>>;

    /// Opens the semaphore called `name`, or makes it with the count `initial`, which can rise to `maximum`.
    fn create_semaphore(&self, name: &[u8], initial: u32, maximum: u32) -> io::Result<Box<dyn SharedSemaphore>>;

    /// Opens the semaphore called `name`; `None` where there is none.
    fn open_semaphore(&self, name: &[u8]) -> io::Result<Option<Box<dyn SharedSemaphore>>>;

    /// A number among Spout's settings, `HKCU\Software\Leading Edge\Spout` of the registry.
    fn setting(&self, name: &str) -> Option<u32>;

    /// The path of this program, in the system's code page.
    fn program(&self) -> Vec<u8>;
}

/// Memory that several processes share. Bytes may change at any time.
pub trait SharedMemory: Send + Sync {
    /// Its bytes. May be more than were asked for: memory is handed out in pages.
    fn size(&self) -> usize;

    /// Copies its first bytes into `bytes`, at most [`size`](Self::size).
    fn read(&self, bytes: &mut [u8]);

    /// Copies `bytes` over its first bytes, at most [`size`](Self::size).
    fn write(&self, bytes: &[u8]);
}

/// A mutex that several processes share. A thread that owns it takes it once more at once, so nobody here does.
pub trait SharedMutex: Send + Sync {
    /// Waits for it, at most `wait`.
    fn lock(&self, wait: Duration) -> io::Result<Waited>;

    /// Gives it free, on the thread that took it.
    fn unlock(&self) -> io::Result<()>;
}

/// How waiting for a mutex ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// This thread owns it now.
    Taken,
    /// This thread owns it now; the thread before ended without giving it free.
    Abandoned,
    /// Another thread kept it for the whole time.
    TimedOut,
}

/// A semaphore that several processes share.
pub trait SharedSemaphore: Send + Sync {
    /// Takes 1 off the count without waiting; tells whether there was 1 to take.
    fn try_take(&self) -> io::Result<bool>;

    /// Adds to the count; returns what it was before.
    fn add(&self, count: u32) -> io::Result<u32>;
}

/// Where graphics devices come from.
pub trait Graphics: Send + Sync + 'static {
    /// Makes a device on the adapter chosen.
    fn create_device(&self) -> Result<Arc<dyn Device>, DeviceError>;

    /// The graphics adapters of this computer, by name.
    fn adapters(&self) -> Vec<String>;
}

/// A graphics device. Its methods may be called from any thread, and wait for each other only while commands are
/// being handed over.
pub trait Device: Send + Sync {
    /// The adapter and what it can do, for people to read.
    fn description(&self) -> String;

    /// Whether it still works; [`DeviceError::Removed`] where it is gone.
    fn check(&self) -> Result<(), DeviceError>;

    /// Makes a texture that can be shared: R32G32B32A32_FLOAT, `width`×`height` texels.
    fn create_texture(&self, width: usize, height: usize) -> Result<Box<dyn SentTexture>, DeviceError>;

    /// Opens the texture that another process shares by this handle.
    fn open_texture(&self, share_handle: u32) -> Result<Box<dyn ReceivedTexture>, DeviceError>;
}

/// A texture that this process shares with others.
pub trait SentTexture: Send {
    /// The handle by which others open it.
    fn share_handle(&self) -> Result<u32, DeviceError>;

    /// Hands over the commands that put these texels into the texture, row 0 first, and sends them on their way.
    fn upload(&mut self, texels: &[Texel]) -> Result<(), DeviceError>;

    /// Waits until what was uploaded is in the texture.
    fn finish(&mut self) -> Result<(), DeviceError>;
}

/// A texture that another process shares with this one.
pub trait ReceivedTexture: Send {
    /// Width in texels.
    fn width(&self) -> usize;

    /// Height in texels.
    fn height(&self) -> usize;

    /// The texel format, as DXGI numbers it.
    fn format(&self) -> u32;

    /// Copies the texture and gives its rows to `row`, row 0 first, each with its own bytes only: `bytes_per_texel`
    /// for each texel.
    fn read(&mut self, bytes_per_texel: usize, row: &mut dyn FnMut(&[u8])) -> Result<(), DeviceError>;
}

/// Why a graphics device did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// It is gone (unplugged, its driver updated, or stopped for taking too long). A new one may work.
    #[error("the graphics device was removed ({0})")]
    Removed(String),
    /// No device of this computer can do it.
    #[error("{0}")]
    Unsupported(String),
    /// The graphics memory is full.
    #[error("the graphics memory is full ({0})")]
    OutOfMemory(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}
