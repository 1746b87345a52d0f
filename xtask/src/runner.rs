//! Runs steps one after the other, whatever becomes of them, and sums up.
//!
//! What is built for other systems shares nothing with the rest, and runs beside it, each step in a process of its own
//! whose output is shown when it has ended.

use crate::command::{Cmd, Failure};
use crate::machine::Machine;
use crate::steps::Step;
use std::fmt::Write;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

/// How the line of a step that could not run begins.
const NOT_RUN: &str = "not run";

/// What became of a step.
#[derive(Debug, PartialEq)]
enum Outcome {
    Passed,
    Failed,
    /// It could not run, for this reason.
    NotRun(String),
}

struct Result {
    name: &'static str,
    outcome: Outcome,
    time: Duration,
}

/// Runs the steps, and prints a summary whose last line counts them.
pub fn run(machine: &Machine, steps: &[&Step], allow_missing: bool) -> ExitCode {
    let started = Instant::now();
    let (apart, here): (Vec<&Step>, Vec<&Step>) = steps.iter().partition(|step| step.stands_alone());
    let results = if apart.is_empty() || here.is_empty() {
        steps.iter().map(|step| shown(machine, step)).collect()
    } else {
        let apart: Vec<_> = apart.iter().map(|step| (step.name, beside(machine, step))).collect();
        let other = thread::spawn(move || apart.into_iter().map(|(name, command)| run_beside(name, command)).collect());
        let mut results: Vec<_> = here.iter().map(|step| shown(machine, step)).collect();
        let other: Vec<_> = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        results.extend(other);
        results
    };
    print!("\n{}", summary(&results, started.elapsed(), allow_missing));
    if all_is_well(&results, allow_missing) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a step with its output on ours.
fn shown(machine: &Machine, step: &Step) -> Result {
    println!("\n── {}: {}", step.name, step.proves);
    let result = run_one(machine, step);
    match &result.outcome {
        Outcome::Passed => println!("── {} passed in {}", step.name, seconds(result.time)),
        Outcome::Failed => println!("── {} FAILED after {}", step.name, seconds(result.time)),
        Outcome::NotRun(_) => println!("── {} could not run", step.name),
    }
    result
}

/// How a step runs beside the others. A missing tool is reported there, and judged here.
fn beside(machine: &Machine, step: &Step) -> std::result::Result<Cmd, Failure> {
    let line = format!("test --only {}{}", step.name, if machine.ci { "" } else { " --allow-missing" });
    machine.beside(&line)
}

fn run_beside(name: &'static str, command: std::result::Result<Cmd, Failure>) -> Result {
    let started = Instant::now();
    let (said, ended_well) = match command.and_then(|command| command.transcript()) {
        Ok(ended) => ended,
        Err(failure) => (failure.to_string(), false),
    };
    println!("{}", said.trim_end());
    Result { name, outcome: outcome_of(&said, ended_well), time: started.elapsed() }
}

/// What became of a step, from what was printed of it.
fn outcome_of(said: &str, ended_well: bool) -> Outcome {
    let line = said.lines().rfind(|line| line.starts_with(NOT_RUN));
    match line.and_then(|line| line.rsplit_once("   ")) {
        Some((_, why)) => Outcome::NotRun(why.to_owned()),
        None if ended_well => Outcome::Passed,
        None => Outcome::Failed,
    }
}

fn run_one(machine: &Machine, step: &Step) -> Result {
    let started = Instant::now();
    let ran = step.needs.iter().try_for_each(|need| need.ensure(machine)).and_then(|()| (step.run)(machine));
    let outcome = match ran {
        Ok(()) => Outcome::Passed,
        Err(failure) => {
            println!("{failure}\nTo run this step alone: {}", alone(step.name));
            match failure {
                Failure::Missing { .. } => Outcome::NotRun(failure.to_string()),
                _ => Outcome::Failed,
            }
        }
    };
    Result { name: step.name, outcome, time: started.elapsed() }
}

fn alone(step: &str) -> String {
    format!("cargo xtask test --only {step}")
}

fn all_is_well(results: &[Result], allow_missing: bool) -> bool {
    results.iter().all(|r| match r.outcome {
        Outcome::Passed => true,
        Outcome::Failed => false,
        Outcome::NotRun(_) => allow_missing,
    })
}

/// One line for each step, then the counts. A step that could not run has failed, unless that was allowed.
fn summary(results: &[Result], total: Duration, allow_missing: bool) -> String {
    let width = results.iter().map(|r| r.name.len()).max().unwrap_or(0);
    let mut text = format!("── all in {}\n", seconds(total));
    for r in results {
        let (word, rest) = match &r.outcome {
            Outcome::Passed => ("passed ", String::new()),
            Outcome::Failed => ("FAILED ", format!("   {}", alone(r.name))),
            Outcome::NotRun(why) => (NOT_RUN, format!("   {why}")),
        };
        writeln!(text, "{word}  {:width$}  {:>8}{rest}", r.name, seconds(r.time)).expect("a String takes all");
    }
    let count = |wanted: fn(&Outcome) -> bool| results.iter().filter(|r| wanted(&r.outcome)).count();
    let passed = count(|o| *o == Outcome::Passed);
    let failed = count(|o| *o == Outcome::Failed);
    let not_run = count(|o| matches!(o, Outcome::NotRun(_)));
    let counts = match (allow_missing, not_run) {
        (true, 1..) => format!("{passed} passed, {failed} failed, {not_run} not run"),
        _ => format!("{passed} passed, {} failed", failed + not_run),
    };
    writeln!(text, "\n{counts}").expect("a String takes all");
    text
}

/// The steps with what they prove.
pub fn listing(steps: &[&Step]) -> String {
    let width = steps.iter().map(|s| s.name.len()).max().unwrap_or(0);
    steps.iter().map(|s| format!("{:width$}  {}\n", s.name, s.proves)).collect()
}

/// Says which steps are left to another system, if any are.
pub fn elsewhere(steps: &[(&str, &str)]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let names: Vec<_> = steps.iter().map(|(name, os)| format!("{name} ({os})")).collect();
    format!("These steps run on another system: {}\n", names.join(", "))
}

fn seconds(time: Duration) -> String {
    let s = time.as_secs_f64();
    if s < 100.0 { format!("{s:.1} s") } else { format!("{} min {:02} s", s as u64 / 60, s as u64 % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Apt;
    use crate::need::Need;
    use crate::steps::{Group, Host};

    fn step(run: fn(&Machine) -> std::result::Result<(), Failure>, needs: &'static [Need]) -> Step {
        Step { name: "it", proves: "nothing", groups: &[Group::Test], host: Host::Any, needs, run }
    }

    const ABSENT: Need =
        Need::System { what: "a thing", found: |_| false, debian: &["thing"], elsewhere: "find a thing" };

    fn results(outcomes: Vec<Outcome>) -> Vec<Result> {
        let time = Duration::from_millis(1500);
        outcomes.into_iter().map(|outcome| Result { name: "it", outcome, time }).collect()
    }

    #[test]
    fn a_step_passes_fails_or_cannot_run() {
        let machine = Machine::for_tests("linux", Apt::ByHand);
        let outcome = |step: Step| run_one(&machine, &step).outcome;
        assert_eq!(outcome(step(|_| Ok(()), &[])), Outcome::Passed);
        assert_eq!(outcome(step(|_| Err(Failure::Faults(vec!["wrong".into()])), &[])), Outcome::Failed);
        let missing = outcome(step(|_| panic!("its need is missing"), &[ABSENT]));
        assert_eq!(missing, Outcome::NotRun("a thing is missing: sudo apt-get install thing".into()));
    }

    #[test]
    fn steps_after_a_failed_one_still_run() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        let machine = Machine::for_tests("linux", Apt::None);
        let fails = step(|_| Err(Failure::Faults(vec!["wrong".into()])), &[]);
        let counts = step(
            |_| {
                RUNS.fetch_add(1, Ordering::Relaxed);
                Ok(())
            },
            &[],
        );
        assert_eq!(run(&machine, &[&fails, &counts], false), ExitCode::FAILURE);
        assert_eq!(RUNS.load(Ordering::Relaxed), 1);
        assert_eq!(run(&machine, &[&counts], false), ExitCode::SUCCESS);
    }

    #[test]
    fn the_last_line_counts_the_steps() {
        let last = |outcomes, allow| {
            summary(&results(outcomes), Duration::from_secs(3), allow).lines().last().map(str::to_owned)
        };
        let missing = || Outcome::NotRun("a thing is missing".into());
        assert_eq!(last(vec![Outcome::Passed, Outcome::Passed], false).as_deref(), Some("2 passed, 0 failed"));
        assert_eq!(last(vec![Outcome::Passed, Outcome::Failed], false).as_deref(), Some("1 passed, 1 failed"));
        assert_eq!(last(vec![Outcome::Passed, missing()], false).as_deref(), Some("1 passed, 1 failed"));
        assert_eq!(
            last(vec![Outcome::Passed, missing()], true).as_deref(),
            Some("1 passed, 0 failed, 1 not run"),
            "what was left out is said"
        );
    }

    #[test]
    fn a_suite_that_could_not_run_fails_the_run_unless_that_is_allowed() {
        let all = results(vec![Outcome::Passed, Outcome::NotRun("a thing is missing".into())]);
        assert!(!all_is_well(&all, false));
        assert!(all_is_well(&all, true));
        assert!(!all_is_well(&results(vec![Outcome::Failed]), true));
    }

    #[test]
    fn a_step_that_ran_beside_is_judged_by_its_summary() {
        let of = |outcome, ended_well| {
            outcome_of(&summary(&results(vec![outcome]), Duration::from_secs(3), true), ended_well)
        };
        assert_eq!(of(Outcome::Passed, true), Outcome::Passed);
        assert_eq!(of(Outcome::Failed, false), Outcome::Failed);
        let missing = || Outcome::NotRun("a thing is missing: sudo apt-get install thing".into());
        assert_eq!(of(missing(), true), missing());
        assert_eq!(of(missing(), false), missing());
        assert_eq!(outcome_of("it was killed", false), Outcome::Failed);
    }

    #[test]
    fn steps_for_another_system_are_named() {
        assert_eq!(elsewhere(&[]), "");
        let text = elsewhere(&[("build-mac", "macos"), ("wine", "linux")]);
        assert_eq!(text, "These steps run on another system: build-mac (macos), wine (linux)\n");
    }

    #[test]
    fn the_summary_tells_how_to_run_what_failed() {
        let text = summary(&results(vec![Outcome::Failed]), Duration::from_secs(200), false);
        assert!(text.starts_with("── all in 3 min 20 s\n"), "{text}");
        assert!(text.contains("FAILED   it     1.5 s   cargo xtask test --only it\n"), "{text}");
    }
}
