//! What a program is told by signals.
//!
//! SIGHUP has two meanings. Where the terminal goes away that the program was started from, it is to end. A service has
//! no terminal, and a person who sends the signal to a program whose terminal is still there means the service's
//! meaning: read again what can be changed while it runs.
#![allow(unsafe_code)]

use crate::texture::Told;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fs::File;
use std::io;

/// Calls `told`, from a thread of its own, for each SIGINT, SIGTERM and SIGHUP.
///
/// # Errors
/// Where the system refuses to watch for signals.
pub fn when_told(told: impl Fn(Told) + Send + 'static) -> io::Result<()> {
    // `nohup` has a program ignore the signal, so that it outlives its terminal.
    let ends_with_terminal = has_terminal() && !is_ignored(SIGHUP);
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let watch = move || {
        for signal in signals.forever() {
            told(match signal {
                SIGHUP if ends_with_terminal && !has_terminal() => Told::End,
                SIGHUP => Told::Reload,
                _ => Told::End,
            });
        }
    };
    std::thread::Builder::new().name("vglb-signals".into()).stack_size(256 << 10).spawn(watch).map(drop)
}

/// Whether this process has a terminal that is still there.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

fn is_ignored(signal: i32) -> bool {
    // SAFETY: zeros are a valid `sigaction`, a struct of numbers and an optional pointer.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: nothing is set (the null pointer); what is in force is written into `now`, which outlives the call.
    let failed = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut now) };
    failed == 0 && now.sa_sigaction == libc::SIG_IGN
}
