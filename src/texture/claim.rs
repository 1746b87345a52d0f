//! A stream name that is in use in this process.

/// Holds a name until it is dropped, and then does what lets go of it.
pub struct Claim(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Claim {
    /// What to do in the end.
    pub fn new(release: impl FnOnce() + Send + Sync + 'static) -> Self {
        Claim(Some(Box::new(release)))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}
