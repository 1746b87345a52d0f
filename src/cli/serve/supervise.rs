//! What a service manager hears of the server: that it is ready, what it does, that it is alive, that it stops.

use crate::channel::ChannelSet;
use crate::texture::{self, Notice, TextureBackend};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;
use tracing::{debug, error};

/// What has to respond for the server to be alive.
pub(super) struct Vital {
    pub channels: ChannelSet,
    pub backend: Arc<dyn TextureBackend>,
    /// Whether clients are accepted, found out within the time given.
    pub accepts: Box<dyn Fn(Duration) -> bool + Send + Sync>,
    /// Where clients connect, for people.
    pub address: String,
}

impl Vital {
    /// The part that does not respond within `patience`, where there is one; otherwise what the server does.
    fn check(&self, patience: Duration) -> Result<String, &'static str> {
        if !(self.accepts)(patience) {
            return Err("the thread that accepts clients");
        }
        if !self.backend.responds(patience) {
            return Err("the thread that serves receivers");
        }
        // Waits for the channels' locks. Where one is never given back, so is no sign of life.
        Ok(self.status())
    }

    fn status(&self) -> String {
        let channels = self.channels.status();
        let receivers: usize = channels.iter().filter_map(|channel| channel.receivers).sum();
        let (number, s) = (channels.len(), if channels.len() == 1 { "" } else { "s" });
        format!("listening on {}: {number} channel{s}, {receivers} receiving", self.address)
    }
}

/// The server's side towards the service manager. Without one it does nothing, and costs no thread.
pub(super) struct Supervised {
    watchdog: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
    vital: Arc<Vital>,
}

impl Supervised {
    /// Says that the server is ready; and from now on, where that is wanted, that it is alive.
    pub fn ready(vital: Vital) -> anyhow::Result<Supervised> {
        tell(Notice::Ready(&vital.status()));
        let vital = Arc::new(vital);
        let watchdog = match texture::watchdog_period() {
            Some(period) => {
                let (stop, stopped) = mpsc::channel();
                let watched = vital.clone();
                let watch = move || watch(&watched, period, &stopped);
                Some((stop, std::thread::Builder::new().name("vglb-watchdog".into()).spawn(watch)?))
            }
            None => None,
        };
        Ok(Supervised { watchdog, vital })
    }

    /// Says that settings are read again, and once `work` has done so, that the server is ready.
    pub fn reloading(&self, work: impl FnOnce()) {
        tell(Notice::Reloading);
        work();
        tell(Notice::Ready(&self.vital.status()));
    }

    /// Says that the server stops.
    pub fn stopping(self) {
        tell(Notice::Stopping);
        if let Some((stop, watchdog)) = self.watchdog {
            drop(stop);
            // It may wait for what does not respond, and then its end is not waited for.
            if watchdog.is_finished() {
                let _ = watchdog.join();
            }
        }
    }
}

/// Twice within the period, so that one late sign does no harm (sd_watchdog_enabled(3)).
fn watch(vital: &Vital, period: Duration, stopped: &mpsc::Receiver<()>) {
    let mut said = String::new();
    loop {
        match vital.check(period / 4) {
            Ok(status) => {
                tell(Notice::Alive);
                if status != said {
                    tell(Notice::Status(&status));
                    said = status;
                }
            }
            Err(part) => error!("{part} does not respond: the service manager is told no more that all is well"),
        }
        if stopped.recv_timeout(period / 2) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

fn tell(notice: Notice<'_>) {
    if let Err(e) = texture::notify(notice) {
        debug!("the service manager can't be told {notice:?}: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelSettings;
    use crate::texture::memory::MemoryBackend;

    #[test]
    fn what_does_not_respond_is_named_and_otherwise_the_state_is_told() {
        let backend: Arc<dyn TextureBackend> = Arc::new(MemoryBackend::default());
        let vital = |accepts| Vital {
            channels: ChannelSet::new(backend.clone(), ChannelSettings::default()),
            backend: backend.clone(),
            accepts: Box::new(move |_| accepts),
            address: "127.0.0.1:8089".into(),
        };
        let patience = Duration::from_secs(30);
        assert_eq!(vital(true).check(patience).unwrap(), "listening on 127.0.0.1:8089: 0 channels, 0 receiving");
        assert_eq!(vital(false).check(patience), Err("the thread that accepts clients"));
    }
}
