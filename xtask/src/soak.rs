//! A server under faults, while what it promises is checked. The program that does it is the package `vglb-soak`.

use crate::command::Failure;
use crate::machine::Machine;
use std::ffi::OsString;

/// As a step of the tests.
pub fn test(machine: &Machine) -> Result<(), Failure> {
    run(machine, ["--seconds", "30"].map(OsString::from).to_vec())
}

/// Builds the server and the soak, and soaks.
pub fn run(machine: &Machine, arguments: Vec<OsString>) -> Result<(), Failure> {
    // At once, so that what both are made of is built once.
    machine.cargo("build --package virtual-gpu-lut-box --package vglb-soak --bin vglb --bin vglb-soak").run()?;
    let soak = machine.program(machine.built("vglb-soak"), "--program").arg(machine.built("vglb"));
    soak.args(arguments).run()
}
