//! The build that the suites of this machine share.
//!
//! Cargo turns on the features of a dependency for all the packages chosen, and for their tests if any is built. Another
//! choice of packages is therefore another build of most dependencies and of what uses them. So every suite chooses the
//! same packages, and names the targets that it wants.

use crate::command::{Cmd, Failure};
use crate::machine::Machine;
use std::path::PathBuf;

/// The Python package's native module. A test program of it would have to be linked with Python; its tests are a step.
pub const PYTHON_PACKAGE: &str = "vglb-python";

/// The packages for Linux alone: they draw with OpenGL and Vulkan, and share images.
const OF_LINUX: [&str; 3] = ["shader-harness", "egl-receiver", "wgpu-receiver"];

/// `cargo test` for these targets.
pub fn test(machine: &Machine, targets: &str) -> Cmd {
    cargo(machine, "test --no-fail-fast").args_of(targets)
}

/// `cargo build` for these targets. Only if examples are among them is it the build of the tests.
pub fn build(machine: &Machine, targets: &str) -> Cmd {
    cargo(machine, "build").args_of(targets)
}

/// Builds the programs as the tests run them, and says where the one of this name is.
pub fn program(machine: &Machine, name: &str) -> Result<PathBuf, Failure> {
    // A test of the command line needs the programs: cargo builds them with it.
    test(machine, "--no-run --test command_line").run()?;
    Ok(machine.built(name))
}

fn cargo(machine: &Machine, verb: &str) -> Cmd {
    let command = machine.cargo(verb).args_of("--workspace --all-features --exclude").arg(PYTHON_PACKAGE);
    let others: &[&str] = if machine.os == "linux" { &[] } else { &OF_LINUX };
    others.iter().fold(command, |command, package| command.arg("--exclude").arg(*package))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Apt;

    #[test]
    fn every_suite_chooses_the_same_packages() {
        let linux = Machine::for_tests("linux", Apt::None);
        let line = |targets| test(&linux, targets).to_string();
        let chosen = "--workspace --all-features --exclude vglb-python";
        assert!(line("--lib").ends_with(&format!("{chosen} --lib")), "{}", line("--lib"));
        assert!(build(&linux, "--examples").to_string().ends_with(&format!("{chosen} --examples")));
        let windows = Machine::for_tests("windows", Apt::None);
        assert!(test(&windows, "--lib").to_string().contains("--exclude shader-harness"));
    }
}
