//! What others build receivers on: the C interface with its header, and the examples for OpenGL and wgpu.

use crate::command::{Cmd, Failure};
use crate::machine::Machine;
use crate::need::Need;
use crate::suite;
use crate::vulkan;

/// The header, and what it is written from.
const HEADER: &str = "--quiet --config capi/cbindgen.toml --output capi/include/vglb.h capi";

/// A program of its own, as its licence (MPL-2.0) is not one that this project takes in.
pub const CBINDGEN: Need = Need::CargoTool { name: "cbindgen", version: "0.29.4" };

/// What programs in C and C++ are compiled with, and what watches their memory.
pub const C_TOOLS: Need = Need::System {
    what: "compilers for C and C++, and valgrind",
    found: |machine| ["cc", "g++", "valgrind"].iter().all(|tool| machine.program(*tool, "--version").succeeds()),
    debian: &["gcc", "g++", "libc6-dev", "valgrind"],
    elsewhere: "install a C and a C++ compiler and valgrind with your package manager",
};

/// Writes the C header.
pub fn write_header(machine: &Machine) -> Result<(), Failure> {
    CBINDGEN.ensure(machine)?;
    machine.program("cbindgen", HEADER).run()
}

/// Whether the C header that is checked in is the one that would be written.
pub fn check_header(machine: &Machine) -> Result<(), Failure> {
    machine.program("cbindgen", "--verify").args_of(HEADER).run().map_err(|failure| match failure {
        Failure::Ended { .. } => Failure::Faults(vec![
            "capi/include/vglb.h is not what capi/src/border says: run `cargo xtask header`".into(),
        ]),
        other => other,
    })
}

/// Programs in C, those that need more than a C compiler among them.
pub fn test_c(machine: &Machine) -> Result<(), Failure> {
    on_lavapipe(suite::test(machine, "--test c_images --test c_programs -- --include-ignored"))?.run()
}

/// The example receivers, built and run against a server, on Mesa's software devices.
pub fn test_examples(machine: &Machine) -> Result<(), Failure> {
    on_lavapipe(suite::test(machine, "--test receives --test grades -- --ignored"))?.run()
}

fn on_lavapipe(command: Cmd) -> Result<Cmd, Failure> {
    let driver = vulkan::lavapipe()?;
    // The second is the name that loaders before 1.3.207 know; the third keeps OpenGL to the same processor.
    Ok(command.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", &driver).env("LIBGL_ALWAYS_SOFTWARE", "1"))
}
