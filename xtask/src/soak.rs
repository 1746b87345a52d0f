//! A server under faults, while what it promises is checked. The program that does it is the package `vglb-soak`.

use crate::command::Failure;
use crate::machine::Machine;
use crate::suite;
use std::ffi::OsString;

/// As a step of the tests.
pub fn test(machine: &Machine) -> Result<(), Failure> {
    run(machine, ["--seconds", "45"].map(OsString::from).to_vec())
}

/// Builds the server, as the tests run it, and the soak, and soaks.
pub fn run(machine: &Machine, arguments: Vec<OsString>) -> Result<(), Failure> {
    let server = suite::program(machine, "vglb")?;
    // With examples, what both are made of is built once.
    suite::build(machine, "--bin vglb-soak --examples").run()?;
    let soak = machine.program(machine.built("vglb-soak"), "--program").arg(server);
    soak.args(arguments).run()
}
