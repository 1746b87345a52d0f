//! The newest texture, for the process that sends it.

use super::Stream;
use crate::texture::{Frame, TextureError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How long slots may all be kept by other readers, and how often they are looked at.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(1);

impl Stream {
    /// Copies the newest texture into `frame`; `false` where nothing is published yet. Writers go on meanwhile.
    pub(in crate::texture::linux) fn newest(&self, frame: &mut Frame) -> Result<bool, TextureError> {
        let begun = Instant::now();
        loop {
            let (pin, stamp) = {
                let state = self.state();
                if state.ended {
                    return Err(TextureError::Ended);
                }
                if state.newest.revision == 0 {
                    return Ok(false);
                }
                (state.surfaces.pin_newest(), state.newest)
            };
            if let Some(texture) = pin {
                let published = SystemTime::UNIX_EPOCH + Duration::from_nanos(stamp.realtime_ns);
                frame.fill(texture.shape(), stamp.revision, Some(published), texture.texels());
                return Ok(true);
            }
            if begun.elapsed() >= PATIENCE {
                return Err(TextureError::Broken(format!(
                    "the newest texture of {:?} can't be read: other readers keep as many slots as there may be kept",
                    self.name
                )));
            }
            thread::sleep(LOOK);
        }
    }
}
