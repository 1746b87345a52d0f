//! A connection through the real framework's own client.

use crate::lut::Image;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use syphon_rs::{Client, Directory, ServerDescription};

/// Longer than any of this takes; nothing waits for it unless it fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is there, while this thread, the main one, takes what the framework is told.
pub fn until<T>(what: &str, mut is: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(it) = is() {
            return it;
        }
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        syphon_rs::pump_run_loop(Duration::from_millis(20));
    }
}

/// The only server of this name that the framework's directory knows, if there is one.
pub fn find(name: &str) -> Option<ServerDescription> {
    let mut all = Directory::shared().servers_matching(Some(name), None);
    assert!(all.len() < 2, "there are {} servers called {name:?}", all.len());
    all.pop()
}

pub fn server(name: &str) -> ServerDescription {
    until(&format!("a server called {name:?}"), || find(name))
}

pub struct Viewer {
    client: Client,
    /// How often the framework has called back.
    frames: Arc<AtomicU64>,
}

impl Viewer {
    pub fn of(server: &ServerDescription) -> Viewer {
        let frames = Arc::<AtomicU64>::default();
        let count = frames.clone();
        let client = Client::new(server, move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        Viewer { client: client.expect("the framework's client"), frames }
    }

    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::SeqCst)
    }

    pub fn is_valid(&self) -> bool {
        self.client.is_valid()
    }

    /// Waits until the newest frame is this image, byte for byte; says what differs where it never is.
    pub fn sees(&self, wanted: &Image) {
        let end = Instant::now() + PATIENCE;
        loop {
            let difference = match self.client.new_frame() {
                Some(frame) => Image::of(&frame).difference(wanted),
                None => Some("there is no frame".into()),
            };
            let Some(difference) = difference else { return };
            assert!(Instant::now() < end, "the newest frame is another: {difference}");
            syphon_rs::pump_run_loop(Duration::from_millis(20));
        }
    }
}
