//! `cargo xtask bench`.

use crate::command::Failure;
use crate::machine::Machine;
use crate::need::Need;
use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;

const PACKAGE: &str = "vglb-bench";

/// The most instructions that reading, checking and laying out a 33³ LUT may take on x86-64. Three quarters of it are what it
/// takes; without vector instructions it takes several times as much.
const MOST_INSTRUCTIONS: u64 = 1_300_000;

/// What counts instructions.
pub const VALGRIND: Need = Need::System {
    what: "valgrind",
    found: |machine| machine.program("valgrind", "--version").succeeds(),
    debian: &["valgrind"],
    elsewhere: "install valgrind with your package manager",
};

/// Counts the instructions of the hot path. Unlike times, they are the same on a busy machine.
pub fn count_instructions(machine: &Machine) -> Result<(), Failure> {
    machine.cargo("build --release --package").arg(PACKAGE).run()?;
    let count = |luts: u32| -> Result<u64, Failure> {
        let program = machine.target.join("release").join(PACKAGE);
        let file = machine.target.join(format!("callgrind.{luts}"));
        let mut out = std::ffi::OsString::from("--callgrind-out-file=");
        out.push(&file);
        let counted = machine.program("valgrind", "--quiet --tool=callgrind").arg(out);
        counted.arg(program).arg("hot").arg(luts.to_string()).run()?;
        let text = std::fs::read_to_string(&file).map_err(Failure::file(&file))?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
        total.ok_or_else(|| Failure::Faults(vec![format!("{} has no total", file.display())]))
    };
    // What the two have in common (starting, making the messages) falls out.
    const FEW: u32 = 4;
    const MORE: u32 = 12;
    let per_lut = count(MORE)?.saturating_sub(count(FEW)?) / u64::from(MORE - FEW);
    println!("{per_lut} instructions per LUT of 33³; at most {MOST_INSTRUCTIONS}");
    Failure::unless_empty(match per_lut {
        0 => vec!["the hot path was not counted".into()],
        n if cfg!(target_arch = "x86_64") && n > MOST_INSTRUCTIONS => {
            vec![format!("a LUT of 33³ takes {n} instructions from message to texture; at most {MOST_INSTRUCTIONS}")]
        }
        _ => Vec::new(),
    })
}

/// Measures the server end to end, then its parts. With `arguments`, the parts alone: they go to `cargo bench`.
pub fn run(machine: &Machine, arguments: &[OsString]) -> Result<(), Failure> {
    if arguments.is_empty() {
        measure(machine, "", &[], "bench.json")?;
    }
    let command = machine.cargo("bench --benches --package").arg(PACKAGE);
    arguments.iter().fold(command, |command, a| command.arg(a)).run()
}

/// Measures what LUTs lose while a page of the panel is open.
pub fn page(machine: &Machine) -> Result<(), Failure> {
    measure(machine, "", &["--page".into()], "bench-page.json")
}

/// Measures a hub and its nodes against as many servers; `options` are those of the program that does it.
pub fn cluster(machine: &Machine, options: &[OsString]) -> Result<(), Failure> {
    let options = [&["--cluster".into()], options].concat();
    measure(machine, "--features cluster", &options, "bench-cluster.json")
}

/// Builds the server and what measures it, and runs that.
fn measure(machine: &Machine, features: &str, options: &[OsString], json: &str) -> Result<(), Failure> {
    machine.cargo(&format!("build --release --package virtual-gpu-lut-box --bins {features}")).run()?;
    machine.cargo("build --release --package").arg(PACKAGE).run()?;
    let program = |name: &str| machine.target.join("release").join(format!("{name}{EXE_SUFFIX}"));
    let json = machine.target.join(json);
    let measure = machine.program(program(PACKAGE), "").arg(program("virtual-gpu-lut-box")).args(options.to_vec());
    measure.arg("--json").arg(&json).run()?;
    println!("written to {}", json.display());
    Ok(())
}
