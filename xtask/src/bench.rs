//! `cargo xtask bench`.

use crate::command::Failure;
use crate::machine::Machine;
use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::path::Path;

const PACKAGE: &str = "vglb-bench";

/// Measures the server end to end, then its parts. With `arguments`, the parts alone: they go to `cargo bench`.
pub fn run(machine: &Machine, arguments: &[OsString]) -> Result<(), Failure> {
    if arguments.is_empty() {
        machine.cargo("build --release --package virtual-gpu-lut-box --bins").run()?;
        machine.cargo("build --release --package").arg(PACKAGE).run()?;
        let program = |name: &str| machine.target.join("release").join(format!("{name}{EXE_SUFFIX}"));
        let json = machine.target.join("bench.json");
        let measure = machine.program(program(PACKAGE), "").arg(program("virtual-gpu-lut-box"));
        measure.arg("--json").arg(&json).run()?;
        say(&json);
    }
    let command = machine.cargo("bench --benches --package").arg(PACKAGE);
    arguments.iter().fold(command, |command, a| command.arg(a)).run()
}

fn say(json: &Path) {
    println!("written to {}", json.display());
}
