//! Whether a graphics device's driver carries every bit: the seam for that, and for saying which devices there are.

use super::{Event, Frame, TextureError};
use std::time::Duration;

/// A stream that is read through a graphics device and through memory at the same time.
pub trait GpuProbe: Send {
    /// The device and its driver, for people.
    fn device(&self) -> String;

    /// As [`TextureReceiver::wait`](super::TextureReceiver::wait).
    fn wait(&mut self, timeout: Option<Duration>) -> Result<Event, TextureError>;

    /// Reads the newest texture in every way there is, and compares the bits.
    ///
    /// # Errors
    /// [`TextureError::Ended`] where the stream has ended; [`TextureError::Broken`] where it changes too fast to have
    /// one texture in two ways.
    fn read(&mut self) -> Result<GpuReading, TextureError>;
}

/// One texture, read in several ways.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GpuReading {
    /// The texture as the device has copied it.
    pub frame: Frame,
    /// How many images were imported for this reading, and how long that took in all; where any had to be.
    pub imported: Option<(usize, Duration)>,
    /// How long the device took to copy it into memory.
    pub copy: Duration,
    /// How long a shader took to fetch it into memory, texel by texel.
    pub fetch: Duration,
    /// Texels of the copy whose bits are not those in the memory ring.
    pub copy_differs: usize,
    /// Texels fetched by the shader whose bits are not those in the memory ring.
    pub fetch_differs: usize,
}

impl GpuReading {
    /// Whether every bit is the same in every way.
    pub fn is_exact(&self) -> bool {
        (self.copy_differs, self.fetch_differs) == (0, 0)
    }
}

/// A graphics device of this computer, as a back end sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphicsDevice {
    /// The number under which it can be chosen.
    pub number: usize,
    /// Its name, by which it can be chosen as well.
    pub name: String,
    /// Its driver's name and version.
    pub driver: String,
    /// Why textures are not shared through it, where they are not.
    pub fault: Option<String>,
}
