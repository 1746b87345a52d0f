//! Taking a shared mutex the way Spout wants it: never waiting longer than 67 ms at a time.

use super::seam::{SharedMutex, Waited};
use super::stream_name::readable;
use crate::texture::TextureError;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

/// The longest wait for a mutex: four frames at 60 Hz.
pub const WAIT: Duration = Duration::from_millis(67);

/// How often a mutex that must be had is waited for: two seconds in all. A program that keeps one for longer hangs.
pub const ATTEMPTS: u32 = 30;

/// A mutex that this thread owns; dropping gives it free.
pub struct Held<'m> {
    mutex: &'m dyn SharedMutex,
    /// A mutex is given free by the thread that took it, so this can't go to another.
    stays_here: PhantomData<*const ()>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Err(e) = self.mutex.unlock() {
            tracing::warn!("a Spout mutex could not be given free: {e}");
        }
    }
}

/// Waits for the mutex called `name` once. `None` where another program kept it.
pub fn try_lock<'m>(mutex: &'m dyn SharedMutex, name: &[u8]) -> Result<Option<Held<'m>>, TextureError> {
    match mutex.lock(WAIT) {
        Ok(Waited::Taken) => {}
        Ok(Waited::Abandoned) => tracing::debug!("took {} over from a program that ended", readable(name)),
        Ok(Waited::TimedOut) => return Ok(None),
        Err(e) => return Err(TextureError::io(format!("waiting for the mutex {}", readable(name)), e)),
    }
    Ok(Some(Held { mutex, stays_here: PhantomData }))
}

/// Waits for the mutex called `name` again and again, for some seconds in all.
pub fn lock<'m>(mutex: &'m dyn SharedMutex, name: &[u8]) -> Result<Held<'m>, TextureError> {
    for attempt in 1..=ATTEMPTS {
        if let Some(held) = try_lock(mutex, name)? {
            return Ok(held);
        }
        tracing::debug!("another program keeps {} locked (attempt {attempt} of {ATTEMPTS})", readable(name));
    }
    let waited = format!("another program kept it for {} ms", WAIT.as_millis() * u128::from(ATTEMPTS));
    let timed_out = io::Error::new(io::ErrorKind::TimedOut, waited);
    Err(TextureError::io(format!("waiting for the mutex {}", readable(name)), timed_out))
}
