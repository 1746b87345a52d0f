//! The semaphore in which a sender counts its frames.
//!
//! A semaphore's count can only be read by changing it: a receiver takes 1 and puts it back, and a sender takes 1
//! and puts 2 in. Whoever finds nothing to take has met another in between.

use super::seam::{SharedObjects, SharedSemaphore};
use std::io;

const INITIAL: u32 = 1;
const MAXIMUM: u32 = 0x7fff_ffff;

/// A sender's frame count.
///
/// The registry can switch counting off for programs that want to save the effort. This one always counts: a LUT
/// changes seldom, and a receiver that does not look loses nothing.
pub struct FrameCount(Box<dyn SharedSemaphore>);

fn object_name(sender: &[u8]) -> Vec<u8> {
    [sender, b"_Count_Semaphore"].concat()
}

impl FrameCount {
    /// The sender's own: made where a receiver has not kept it from a run before.
    pub fn create(objects: &dyn SharedObjects, sender: &[u8]) -> io::Result<Self> {
        objects.create_semaphore(&object_name(sender), INITIAL, MAXIMUM).map(FrameCount)
    }

    /// A receiver's view of it; `None` where the sender does not count.
    pub fn open(objects: &dyn SharedObjects, sender: &[u8]) -> io::Result<Option<Self>> {
        Ok(objects.open_semaphore(&object_name(sender))?.map(FrameCount))
    }

    /// Counts one frame.
    pub fn signal(&self) -> io::Result<()> {
        let taken = self.0.try_take()?;
        self.0.add(if taken { 2 } else { 1 })?;
        Ok(())
    }

    /// The number of the newest frame. `None` where the sender has counted none, or does not count.
    pub fn number(&self) -> io::Result<Option<u32>> {
        if !self.0.try_take()? {
            return Ok(None);
        }
        let before = self.0.add(1)?;
        Ok((before > 0).then_some(before))
    }
}
