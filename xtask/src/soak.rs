//! A server under faults, while what it promises is checked. The program that does it is the package `vglb-soak`.

use crate::command::Failure;
use crate::machine::Machine;
use crate::suite;
use std::ffi::OsString;

/// As a step of the tests, with what these have built.
pub fn test(machine: &Machine) -> Result<(), Failure> {
    suite::program(machine, "vglb")?;
    // What it is made of is built as for tests only where examples are chosen, which a step before has built.
    suite::build(machine, "--bin vglb-soak --examples").run()?;
    soak(machine, ["--seconds", "45"].map(OsString::from).to_vec())
}

/// Builds the server and the soak, and soaks.
pub fn run(machine: &Machine, arguments: Vec<OsString>) -> Result<(), Failure> {
    // At once, so that what both are made of is built once.
    machine.cargo("build --package virtual-gpu-lut-box --package vglb-soak --bin vglb --bin vglb-soak").run()?;
    soak(machine, arguments)
}

fn soak(machine: &Machine, arguments: Vec<OsString>) -> Result<(), Failure> {
    let soak = machine.program(machine.built("vglb-soak"), "--program").arg(machine.built("vglb"));
    soak.args(arguments).run()
}
