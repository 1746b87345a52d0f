//! What `unix` has, where there is no Unix: what is of no use there is never so.

/// Whether stderr goes to systemd's journal, which this system does not have.
pub fn stderr_is_journal() -> bool {
    false
}

/// What a service manager is told, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// The service is there for its clients; with a line on its state.
    Ready(&'a str),
    /// The line on its state has changed.
    Status(&'a str),
    /// All is well.
    Alive,
    /// Settings are read again.
    Reloading,
    /// The service ends.
    Stopping,
}

/// Tells nobody.
///
/// # Errors
/// None.
pub fn notify(_: Notice<'_>) -> std::io::Result<()> {
    Ok(())
}

/// Nobody wants to hear that all is well.
pub fn watchdog_period() -> Option<std::time::Duration> {
    None
}
