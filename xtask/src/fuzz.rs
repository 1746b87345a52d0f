//! Damaged input steered by coverage: the package in `fuzz/`. It needs flags that stable Rust refuses: the nightly toolchain
//! is used where it is installed, and otherwise this one is asked to take them.

use crate::command::{Cmd, Failure};
use crate::machine::Machine;
use std::path::PathBuf;

/// The package's fuzz targets.
pub const TARGETS: &[&str] = &[
    "wire",
    "lut_files",
    "state",
    "recording",
    "recording_body",
    "address_ranges",
    "linux_messages",
    "linux_rings",
    "linux_senders",
    "linux_receivers",
    "http_requests",
    "cdl_bodies",
    "settings",
];

/// How long each target is tried, where nothing else is asked for.
pub const SECONDS: u32 = 60;

/// Named, so that build scripts and macros are built without the flags.
pub const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Counters that libFuzzer reads, as cargo-fuzz asks for them.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table";

const ADDRESS: &str = "-Zsanitizer=address";

/// Builds the targets and tries each for so many seconds. What reached new code is kept, and the next run begins with it.
pub fn run(machine: &Machine, seconds: u32, targets: &[String]) -> Result<(), Failure> {
    here(machine)?;
    let build = cargo(
        machine,
        "build --manifest-path fuzz/Cargo.toml --bins",
        &format!("{COVERAGE} {ADDRESS} -Cdebug-assertions"),
    );
    let folder = machine.target.join("fuzz");
    build.arg("--target-dir").arg(&folder).run()?;
    // Some targets need folders, and libFuzzer ends without tidying up.
    let scratch = made(folder.join("scratch"))?;
    let program = |name: &str| {
        let file = folder.join(PLATFORM).join("debug").join(name);
        machine.program(file, "").env("TMPDIR", &scratch)
    };
    let seeds = folder.join("seeds");
    // What an earlier version took for whole is no seed any more.
    if seeds.is_dir() {
        std::fs::remove_dir_all(&seeds).map_err(Failure::file(&seeds))?;
    }
    program("seeds").arg(&seeds).run()?;
    let chosen = TARGETS.iter().filter(|name| targets.is_empty() || targets.iter().any(|t| t == *name));
    let mut summary = Vec::new();
    let mut faults = Vec::new();
    for name in chosen {
        let corpus = made(folder.join("corpus").join(name))?;
        let found = made(folder.join("faults").join(name))?;
        let prefix = format!("-artifact_prefix={}/", found.display());
        // The largest messages and files would take all the time.
        let options = "-print_final_stats=1 -max_len=100000 -timeout=10 -rss_limit_mb=2048";
        let fuzzer = program(name).args_of(options).arg(format!("-max_total_time={seconds}")).arg(prefix);
        let fuzzer = fuzzer.arg(&corpus).arg(seeds.join(name));
        println!("$ {fuzzer}");
        let (said, well) = fuzzer.transcript()?;
        let line = report(name, &said);
        println!("{line}");
        summary.push(line);
        if !well {
            println!("{said}");
            faults.push(format!("{name}: a fault; the input is in {}", found.display()));
        }
    }
    std::fs::remove_dir_all(&scratch).map_err(Failure::file(&scratch))?;
    println!("\n{}", summary.join("\n"));
    Failure::unless_empty(faults)
}

fn here(machine: &Machine) -> Result<(), Failure> {
    if machine.os == "linux" && cfg!(target_arch = "x86_64") {
        return Ok(());
    }
    let remedy = "`cargo xtask fuzz` runs there alone".into();
    Err(Failure::Missing { what: "Linux on x86-64".into(), remedy })
}

/// Cargo with flags that stable Rust refuses.
fn cargo(machine: &Machine, line: &str, flags: &str) -> Cmd {
    let toolchains = machine.program("rustup", "toolchain list").output().unwrap_or_default();
    let nightly = toolchains.lines().any(|toolchain| toolchain.starts_with("nightly"));
    let cargo = match nightly {
        true => machine.program("rustup", "run nightly cargo").args_of(line),
        false => machine.cargo(line).env("RUSTC_BOOTSTRAP", "1"),
    };
    cargo.env("RUSTFLAGS", flags).arg("--target").arg(PLATFORM)
}

fn made(folder: PathBuf) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    Ok(folder)
}

/// What libFuzzer said at the end, on a line.
fn report(name: &str, said: &str) -> String {
    let after = |mark: &str| {
        let text = said.rsplit_once(mark).map_or("", |(_, rest)| rest.trim_start());
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        if end == 0 { "?".to_owned() } else { text[..end].to_owned() }
    };
    let executions = after("stat::number_of_executed_units:");
    format!("{name}: {executions} executions, cov: {} (edges), ft: {}", after(" cov:"), after(" ft:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_a_program_of_the_package_and_has_seeds() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/src/bin");
        let seeds = std::fs::read_to_string(root.join("seeds.rs")).expect("the seeds' program");
        for name in TARGETS {
            assert!(root.join(format!("{name}.rs")).is_file(), "{name}");
            assert!(seeds.contains(&format!("(\"{name}\", ")), "{name}");
        }
        let files = std::fs::read_dir(root).expect("the package's programs").count();
        assert_eq!(files, TARGETS.len() + 1);
    }

    #[test]
    fn the_last_coverage_is_reported() {
        let said = "#2\tINITED cov: 10 ft: 11 corp: 1/1b\n#9\tDONE   cov: 210 ft: 311 corp: 1/1b\n\
stat::number_of_executed_units: 4711\n";
        assert_eq!(report("wire", said), "wire: 4711 executions, cov: 210 (edges), ft: 311");
        assert_eq!(report("wire", ""), "wire: ? executions, cov: ? (edges), ft: ?");
    }
}
