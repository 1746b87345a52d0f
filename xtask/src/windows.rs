//! The Windows programs, tested on Linux.

use crate::command::Failure;
use crate::machine::Machine;
use crate::wine::{Running, Wine, cargo_runner};
use crate::{imports, python, suite};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::thread;

/// The triple that Debian's compilers link for.
pub const GNU: &str = "x86_64-pc-windows-gnu";

/// What a server says once it is reached.
const LISTENING: &str = "listening on 127.0.0.1:";

/// Builds the programs and the Python package's module, without clusters, which are checked for Windows and tested on
/// Linux. What they need of Windows is the same whatever the optimiser does, and with the examples it is the build that
/// the tests run.
pub fn build(machine: &Machine) -> Result<(), Failure> {
    let programs = "build --package virtual-gpu-lut-box --bins --examples --target";
    machine.cargo(programs).arg(GNU).run()?;
    imports::check_programs(&machine.target.join(GNU).join("debug"))?;
    machine.cargo("build --no-default-features --target").arg(GNU).args(["--package", suite::PYTHON_PACKAGE]).run()
}

/// Runs the test programs in Wine, then a server there with clients on Linux.
pub fn test_in_wine(machine: &Machine) -> Result<(), Failure> {
    drop(Wine::ensure(machine)?);
    machine
        .cargo("test --package virtual-gpu-lut-box --no-fail-fast --lib --bins --tests")
        .args_of("--target")
        .arg(GNU)
        // Wine 10 replaces no file that somebody reads; Windows does, and its own runner tests that.
        .args_of("-- --skip a_reader_never_sees_part_of_a_file")
        .args_of("--skip a_reader_that_polls_ten_thousand_times")
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", cargo_runner(machine)?)
        .run()?;
    let wine = Wine::ensure(machine)?;
    let program = machine.target.join(GNU).join("debug").join("vglb.exe");
    let (_server, port) = serve(&wine, &program)?;
    python::ORACLE.python(machine, "-m pytest tests/python/test_any_server.py").env("VGLB_SERVER_PORT", port).run()
}

/// The tests that need a system whose Direct3D shares textures between processes, which Wine's does not.
pub fn test_shared_textures(machine: &Machine) -> Result<(), Failure> {
    machine
        .cargo("test --package virtual-gpu-lut-box --all-features --no-fail-fast --test spout_textures --test backends")
        .args_of("-- --ignored --test-threads=1 windows_ spout::")
        .run()
}

/// Starts a server, and waits until it listens; what it says is shown.
fn serve(wine: &Wine<'_>, program: &Path) -> Result<(Running, String), Failure> {
    let mut server =
        wine.start(program, &["serve", "--no-state", "--dashboard", "off", "--backend", "memory", "--port", "0"])?;
    let silent = || Failure::Faults(vec![format!("{} ended before it listened", program.display())]);
    let mut lines = BufReader::new(server.child.stderr.take().ok_or_else(silent)?).lines().map_while(Result::ok);
    let port = lines.by_ref().inspect(|line| println!("{line}")).find_map(|line| port(&line)).ok_or_else(silent)?;
    // It says more than a pipe holds.
    thread::spawn(move || lines.for_each(|line| println!("{line}")));
    Ok((server, port))
}

fn port(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(LISTENING)?;
    Some(rest.chars().take_while(char::is_ascii_digit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_what_a_server_says() {
        let line = "2026-11-26T01:00:00Z  INFO listening on 127.0.0.1:49152 (this computer only)\r";
        assert_eq!(port(line).as_deref(), Some("49152"));
        assert_eq!(port("INFO client 127.0.0.1:50000 connected (1 now)"), None);
    }
}
