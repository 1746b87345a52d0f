//! The soak: a real server under clients and receivers of every kind, and under faults, while what it promises is
//! checked. `docs/testing.md` says what is checked. For Linux.

#[cfg(target_os = "linux")]
mod harness;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    harness::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("the soak kills processes, fills file systems and reads /proc, as only Linux lets it");
    ExitCode::from(2)
}
