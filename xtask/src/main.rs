//! `cargo xtask`: what a developer of the virtual LUT box runs, and what continuous integration runs.
//!
//! ```text
//! arguments ──▶ steps: which ──▶ runner: one after the other ──▶ summary, exit code
//!                                  │ need: is it here? install it, or say what to install
//!                                  │ command: the programs that do the work; house, links, imports: our own checks
//!                                  ╰ wine: where Windows programs run on Linux; cargo calls it by way of us
//! ```
//!
//! A suite is added as one entry of the table in `steps`.

mod arguments;
mod bench;
mod command;
mod fuzz;
mod gnustep;
mod house;
mod imports;
mod links;
mod mac;
mod machine;
mod need;
mod python;
mod python_package;
mod receivers;
mod runner;
mod sanitize;
mod shaders;
mod soak;
mod steps;
mod suite;
mod tree;
mod vulkan;
mod windows;
mod wine;

use arguments::{Request, USAGE};
use command::Failure;
use machine::Machine;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == wine::RUNNER) {
        return match Machine::here() {
            Ok(machine) => wine::run_for_cargo(&machine, arguments),
            Err(failure) => refuse(&failure.to_string()),
        };
    }
    match arguments::parse(lexopt::Parser::from_env()) {
        Ok(Request::Help) => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(request) => run(request),
        Err(mistake) => refuse(&mistake),
    }
}

fn run(request: Request) -> ExitCode {
    let machine = match Machine::here() {
        Ok(machine) => machine,
        Err(failure) => return refuse(&failure.to_string()),
    };
    match request {
        Request::Help => ExitCode::SUCCESS,
        Request::Steps { allow_missing: true, .. } if machine.ci => {
            refuse("--allow-missing is for a developer's own machine: with CI set, no suite may be left out")
        }
        Request::Steps { choice, list, allow_missing } => match choice.steps(machine.os) {
            Ok(steps) => {
                print!("{}", runner::elsewhere(&choice.elsewhere(machine.os)));
                if list {
                    print!("{}", runner::listing(&steps));
                    return ExitCode::SUCCESS;
                }
                runner::run(&machine, &steps, allow_missing)
            }
            Err(mistake) => refuse(&mistake),
        },
        Request::Setup => {
            let steps = steps::STEPS.iter().filter(|step| step.runs_on(machine.os));
            need::set_up(&machine, steps.flat_map(|step| step.needs))
        }
        Request::Shaders => report(machine.cargo("run --quiet --package shader-generator").run()),
        Request::Header => report(receivers::write_header(&machine)),
        Request::Soak { arguments } => report(soak::run(&machine, arguments)),
        Request::Fuzz { seconds, targets } => report(fuzz::run(&machine, seconds, &targets)),
        Request::Sanitize { tools } => report(sanitize::run(&machine, &tools)),
        Request::BenchPage => report(bench::page(&machine)),
        Request::BenchCluster { options } => report(bench::cluster(&machine, &options)),
        Request::Bench { arguments } => report(bench::run(&machine, &arguments)),
    }
}

fn report(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Says what was wrong with the request itself; exit code 2, as other command-line tools do.
fn refuse(mistake: &str) -> ExitCode {
    eprintln!("xtask: {mistake}");
    ExitCode::from(2)
}
