//! `cargo xtask`: what a developer of the virtual LUT box runs, and what continuous integration runs.
//!
//! ```text
//! arguments ──▶ steps: which ──▶ runner: one after the other ──▶ summary, exit code
//!                                  │ need: is it here? install it, or say what to install
//!                                  ╰ command: the programs that do the work; house, links: our own checks
//! ```
//!
//! A suite is added as one entry of the table in `steps`.

mod arguments;
mod bench;
mod command;
mod house;
mod links;
mod machine;
mod need;
mod python;
mod runner;
mod shaders;
mod steps;
mod tree;

use arguments::{Request, USAGE};
use command::Failure;
use machine::Machine;
use std::process::ExitCode;

fn main() -> ExitCode {
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
