//! Tests under tools that watch every access to memory: Miri, AddressSanitizer and ThreadSanitizer. They come with the
//! nightly toolchain.

use crate::command::{Cmd, Failure};
use crate::fuzz::PLATFORM;
use crate::machine::Machine;
use std::path::Path;
use std::time::Instant;

/// What watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Interprets the code that calls no system: undefined behaviour of any kind.
    Miri,
    /// Accesses outside of what is allocated or mapped, also through mappings of the kernel's; leaks.
    Address,
    /// Accesses by two threads at once.
    Threads,
}

/// All of them, as they are called on the command line.
pub const TOOLS: [(&str, Tool); 3] = [("miri", Tool::Miri), ("address", Tool::Address), ("threads", Tool::Threads)];

/// How long one run of tests may take. Building comes before, and is not counted.
const SECONDS: u32 = 900;

const NIGHTLY: &str = "run nightly";

/// What Miri can run: readers, layouts and the logic of rings, with no mapping, no socket and no other process.
const FOR_MIRI: &str = "wire:: hald:: server::places texture::buffer \
    texture::linux::message texture::linux::name texture::linux::place texture::linux::slots \
    texture::linux::gpu::image_message texture::linux::gpu::claims texture::syphon::mailbox texture::spout::sender_info \
    texture::spout::sender_names";
/// Of these, what would take it hours: every grid size, every name, hundreds of random cases, a foreign parser.
const TOO_LONG_FOR_MIRI: &str = "--skip every_bit_comes_back_at_every_grid_size \
    --skip sizes_are_the_documented_ones_and_always_fit --skip a_value_that_is_not_finite_is_seen_in_every_lane \
    --skip a_lut_read_in_the_wrong_order --skip whatever_the_bson_crate --skip texel_numbers_follow_the_table \
    --skip entries_in_pieces_of_any_length --skip a_shape_is_found_from_its_dimensions \
    --skip widths_and_heights --skip orders_are_each_others_inverse --skip normalised_fetches_give_the_bits \
    --skip every_name_comes_back --skip one_address_never_keeps_another_out \
    --skip documents_may_nest --skip every_shape_goes_through --skip any_document_is_read_the_same \
    --skip damaged_documents_are_refused";
/// What AddressSanitizer looks at: all back ends, what reads bytes of others, and what keeps memory.
const FOR_ADDRESS: &str =
    "texture:: wire:: hald:: channel:: server:: memory_limit:: export:: recording:: state:: strip::";
/// Of these, what forgets a sender to have it look as if its program had crashed: that is a leak.
const LEAKS: &str = "--skip a_sender_that_crashed_has_ended --skip after_a_crash_the_name_is_free_again";
/// What ThreadSanitizer looks at: whatever several threads share.
const FOR_THREADS: &str = "texture::linux::ring texture::linux::slots texture::buffer texture::syphon::courier channel:: \
    memory_limit:: export:: server:: pulse:: texture::spout::tests::promises";

/// The same without the standard library's source.
const FOR_THREADS_ALONE: &str = "texture::linux::ring texture::linux::slots";

/// Runs the tests under these tools; under all, where none is named.
pub fn run(machine: &Machine, tools: &[Tool]) -> Result<(), Failure> {
    here(machine)?;
    let chosen = TOOLS.iter().filter(|(_, tool)| tools.is_empty() || tools.contains(tool));
    let (mut summary, mut faults) = (Vec::new(), Vec::new());
    for (name, tool) in chosen {
        let begun = Instant::now();
        let went = match tool {
            Tool::Miri => miri(machine),
            Tool::Address => address(machine),
            Tool::Threads => threads(machine),
        };
        let seconds = begun.elapsed().as_secs();
        match went {
            Ok(()) => summary.push(format!("{name}: no fault, {seconds} s")),
            Err(failure) => faults.push(format!("{name}: {failure}")),
        }
    }
    println!("\n{}", summary.join("\n"));
    Failure::unless_empty(faults)
}

fn here(machine: &Machine) -> Result<(), Failure> {
    if machine.os != "linux" || cfg!(not(target_arch = "x86_64")) {
        let remedy = "`cargo xtask sanitize` runs there alone".into();
        return Err(Failure::Missing { what: "Linux on x86-64".into(), remedy });
    }
    if !nightly(machine, "rustc", "--version").succeeds() {
        return Err(missing("the nightly toolchain", "rustup toolchain install nightly"));
    }
    Ok(())
}

fn missing(what: &str, command: &str) -> Failure {
    Failure::Missing { what: what.into(), remedy: format!("`{command}` installs it") }
}

fn nightly(machine: &Machine, program: &str, line: &str) -> Cmd {
    machine.program("rustup", NIGHTLY).arg(program).args_of(line)
}

/// Builds the tests that `chosen` names, and then runs them.
fn test(machine: &Machine, folder: &str, flags: &str, chosen: &str, filters: &str) -> Result<(), Failure> {
    built(machine, folder, flags, chosen)?.args_of(filters).run()
}

/// Builds the tests that `chosen` names; what runs them, for so long as they may take, and lacks its filters.
fn built(machine: &Machine, folder: &str, flags: &str, chosen: &str) -> Result<Cmd, Failure> {
    let line = format!("cargo test --package virtual-gpu-lut-box --target {PLATFORM} {chosen} --target-dir");
    let folder = machine.target.join("sanitize").join(folder);
    let finish = |command: Cmd| command.args_of(&line).arg(&folder).env("RUSTFLAGS", flags);
    finish(machine.program("rustup", NIGHTLY)).arg("--no-run").run()?;
    Ok(finish(bounded(machine)).arg("--"))
}

/// A program of the nightly toolchain, for so long as tests may take.
fn bounded(machine: &Machine) -> Cmd {
    machine.program("timeout", &format!("--kill-after 10 {SECONDS} rustup {NIGHTLY}"))
}

fn miri(machine: &Machine) -> Result<(), Failure> {
    if !nightly(machine, "cargo", "miri --version").succeeds() {
        return Err(missing("Miri", "rustup component add --toolchain nightly miri rust-src"));
    }
    let miri = bounded(machine).args_of("cargo miri test --package virtual-gpu-lut-box --lib --target-dir");
    let miri = miri.arg(machine.target.join("sanitize/miri"));
    // A handful of random cases each, and clocks.
    let miri = miri.env("MIRIFLAGS", "-Zmiri-disable-isolation").env("PROPTEST_CASES", "4");
    miri.arg("--").args_of(FOR_MIRI).args_of(TOO_LONG_FOR_MIRI).run()
}

fn address(machine: &Machine) -> Result<(), Failure> {
    let filters = format!("{FOR_ADDRESS} {LEAKS}");
    test(machine, "address", "-Zsanitizer=address", "--lib", &filters)?;
    test(machine, "address", "-Zsanitizer=address", "--test linux_transport", "")
}

/// With the standard library's source, that is watched as well. Without, an order that it makes inside of itself is not seen,
/// as that of a `Condvar`: then rings and slots alone are looked at, which have none.
fn threads(machine: &Machine) -> Result<(), Failure> {
    let sysroot = nightly(machine, "rustc", "--print sysroot").output()?;
    if Path::new(&sysroot).join("lib/rustlib/src/rust/library/std").is_dir() {
        return test(machine, "threads", "-Zsanitizer=thread", "-Zbuild-std --lib", FOR_THREADS);
    }
    println!("rings and slots alone: `rustup component add --toolchain nightly rust-src` lets the rest be looked at");
    let flags = "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer";
    let tests = built(machine, "threads", flags, "--lib")?.args_of(FOR_THREADS_ALONE);
    let tests = tests.env("TSAN_OPTIONS", "exitcode=0");
    println!("$ {tests}");
    let (said, well) = tests.transcript()?;
    let races = races(&said);
    if !well || !races.is_empty() {
        println!("{said}");
    }
    if !well {
        return Err(Failure::Faults(vec!["a test failed".into()]));
    }
    Failure::unless_empty(races)
}

/// The reports of ThreadSanitizer in which code of ours reads or writes; others are of the library that runs tests.
fn races(said: &str) -> Vec<String> {
    let reports = said.split("WARNING: ThreadSanitizer: ").skip(1);
    let accesses = reports.map(|report| report.split("\n  Thread ").next().unwrap_or(report));
    let ours = accesses.filter(|report| {
        // The stacks of both accesses: from the innermost call to the test, and what runs it.
        let mut stacks = report.lines().filter(|line| line.trim_start().starts_with('#'));
        stacks.any(|line| line.contains("virtual_gpu_lut_box::texture::") && !line.contains("test::"))
    });
    ours.map(|report| report.lines().take(8).collect::<Vec<_>>().join("\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_are_modules_of_the_library() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
        for filter in [FOR_MIRI, FOR_ADDRESS, FOR_THREADS, FOR_THREADS_ALONE]
            .iter()
            .flat_map(|filters| filters.split_whitespace())
        {
            let path = filter.trim_end_matches("::tests::promises").trim_end_matches("::").replace("::", "/");
            let there = source.join(&path).is_dir() || source.join(format!("{path}.rs")).is_file();
            assert!(there, "{filter} is no module");
        }
    }

    #[test]
    fn a_race_is_one_in_which_our_code_takes_part() {
        let report = |access: &str| {
            format!(
                "==\nWARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 by main thread:\n    #0 free <null>\n    \
                 #1 {access} <null>\n\n  Thread T1 created by main thread at:\n    #0 \
                 virtual_gpu_lut_box::texture::linux::ring::new\n"
            )
        };
        assert_eq!(races(&report("test::run_test")), Vec::<String>::new());
        let found = races(&format!("{}{}", report("test::run_test"), report("virtual_gpu_lut_box::texture::linux::x")));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("data race (pid=1)\n  Write of size 8"), "{found:?}");
    }

    #[test]
    fn what_is_left_out_are_tests() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")];
        let mut text = String::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the source") {
                let path = entry.expect("an entry").path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => text += &std::fs::read_to_string(path).unwrap_or_default(),
                }
            }
        }
        let left_out = TOO_LONG_FOR_MIRI.split_whitespace().chain(LEAKS.split_whitespace());
        for name in left_out.filter(|word| *word != "--skip") {
            assert!(text.contains(&format!("fn {name}")), "{name} is no test");
        }
    }
}
