//! What a service manager of systemd's kind is told, and what it asks (sd_notify(3)).

use sd_notify::NotifyState;
use std::time::Duration;

/// Whether a service manager wants to hear of this process.
pub fn is_supervised() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some_and(|path| !path.is_empty())
}

/// Within which time the service manager wants to hear that all is well, each time anew.
pub fn watchdog_period() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|period| is_supervised() && !period.is_zero())
}

/// What the service manager is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// The service is there for its clients; with a line on its state.
    Ready(&'a str),
    /// The line on its state has changed.
    Status(&'a str),
    /// All is well.
    Alive,
    /// Settings are read again. [`Notice::Ready`] follows.
    Reloading,
    /// The service ends.
    Stopping,
}

/// Tells the service manager, where there is one.
///
/// # Errors
/// Where it can't be reached.
pub fn notify(notice: Notice<'_>) -> std::io::Result<()> {
    if !is_supervised() {
        return Ok(());
    }
    match notice {
        Notice::Ready(status) => sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(status)]),
        Notice::Status(status) => sd_notify::notify(&[NotifyState::Status(status)]),
        Notice::Alive => sd_notify::notify(&[NotifyState::Watchdog]),
        Notice::Reloading => sd_notify::notify(&[NotifyState::Reloading, NotifyState::monotonic_usec_now()?]),
        Notice::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
    }
}
