//! The command line of `cargo xtask`.

use crate::fuzz;
use crate::sanitize::{TOOLS, Tool};
use crate::steps::{Choice, Group};
use lexopt::prelude::*;
use std::ffi::OsString;

/// What `cargo xtask --help` prints.
pub const USAGE: &str = "\
What a developer of the virtual LUT box runs.

Usage: cargo xtask COMMAND [OPTIONS]

Commands:
  test        every check and test suite, in an order that fails early
  lint        formatting, house rules and clippy on this platform
  cross       clippy for Windows and macOS, and the Windows program
  docs        rustdoc without warnings, and links that lead somewhere
  advisories  known weaknesses in dependencies (asks a database on the network)
  shaders     writes the shaders anew from their core and templates
  header      writes the C header anew from capi/src/border
  bench       the server against a floor, then its parts; with arguments after `--` the parts alone, by `cargo bench`;
              with `--page` what LUTs lose while a page of the panel is open; with `--cluster` a hub and 32 nodes against as
              many servers: --nodes N, --size N, --rate N, --luts N, --lead MS, --rounds N
  soak        a server under faults, while what it promises is checked: --minutes M, --seconds S, --seed N
  fuzz        damaged input, steered by the code that it reaches: --seconds S for each (60), [TARGET]…; Linux
  sanitize    tests under miri, address and threads, which watch memory; [TOOL]…: these alone; Linux, nightly
  setup       installs what the steps of `test` need, and runs none of them

Options of test, lint, cross, docs and advisories:
  --list           prints the steps that would run, and what each proves
  --allow-missing  a step whose tools are missing is reported, and does not fail the run; not with CI set

Options of test:
  --fast           the steps worth running before every commit
  --only STEP      only this step; may be given again, or as a list with commas
";

/// The names of the commands, as documents may mention them.
pub const COMMANDS: &[&str] =
    &["test", "lint", "cross", "docs", "advisories", "bench", "shaders", "header", "soak", "fuzz", "sanitize", "setup"];

/// What was asked for.
#[derive(Debug, PartialEq)]
pub enum Request {
    /// The usage text.
    Help,
    /// Steps, to be run or listed.
    Steps {
        /// Which ones.
        choice: Choice,
        /// Only print them.
        list: bool,
        /// Leave out what can't run here.
        allow_missing: bool,
    },
    /// What an open page of the panel costs.
    BenchPage,
    /// A hub and its nodes against as many servers.
    BenchCluster {
        /// What goes to the program that measures them.
        options: Vec<OsString>,
    },
    /// The benchmarks.
    Bench {
        /// What goes to `cargo bench`.
        arguments: Vec<OsString>,
    },
    /// The soak.
    Soak {
        /// What goes to it.
        arguments: Vec<OsString>,
    },
    /// Damaged input.
    Fuzz {
        /// For so many seconds each.
        seconds: u32,
        /// These targets; all, where none is named.
        targets: Vec<String>,
    },
    /// Tests under tools that watch memory.
    Sanitize {
        /// Under these; under all, where none is named.
        tools: Vec<Tool>,
    },
    /// Install what is missing.
    Setup,
    /// Write the shaders.
    Shaders,
    /// Write the C header.
    Header,
}

/// Reads the command line; the error says what is wrong with it.
pub fn parse(mut parser: lexopt::Parser) -> Result<Request, String> {
    let Some(first) = parser.next().map_err(text)? else { return Ok(Request::Help) };
    let command = match first {
        Short('h') | Long("help") => return Ok(Request::Help),
        Value(v) => v.into_string().map_err(|v| unknown(&v.to_string_lossy()))?,
        other => return Err(text(other.unexpected())),
    };
    let group = match command.as_str() {
        "test" => Group::Test,
        "lint" => Group::Lint,
        "cross" => Group::Cross,
        "docs" => Group::Docs,
        "advisories" => Group::Advisories,
        "bench" => return bench(parser),
        "soak" => {
            let arguments = parser.raw_args().map_err(text)?.collect();
            return Ok(Request::Soak { arguments });
        }
        "fuzz" => return fuzz(parser),
        "sanitize" => return sanitize(parser),
        "shaders" => return alone(parser, Request::Shaders),
        "header" => return alone(parser, Request::Header),
        "setup" => return alone(parser, Request::Setup),
        "help" => return Ok(Request::Help),
        other => return Err(unknown(other)),
    };
    steps(parser, group)
}

fn unknown(command: &str) -> String {
    format!("{command:?} is no command; there are {}", COMMANDS.join(", "))
}

fn steps(mut parser: lexopt::Parser, group: Group) -> Result<Request, String> {
    let (mut only, mut fast, mut list, mut allow_missing) = (Vec::new(), false, false, false);
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("list") => list = true,
            Long("allow-missing") => allow_missing = true,
            Long("fast") if group == Group::Test => fast = true,
            Long("only") if group == Group::Test => {
                let names = parser.value().map_err(text)?.string().map_err(text)?;
                only.extend(names.split(',').map(str::to_owned));
            }
            other => return Err(text(other.unexpected())),
        }
    }
    let choice = match (fast, only.is_empty()) {
        (true, false) => return Err("--fast and --only exclude each other: --only names its steps itself".into()),
        (true, true) => Choice::Group(Group::Fast),
        (false, true) => Choice::Group(group),
        (false, false) => Choice::Named(only),
    };
    Ok(Request::Steps { choice, list, allow_missing })
}

fn bench(mut parser: lexopt::Parser) -> Result<Request, String> {
    let mut arguments: Vec<OsString> = parser.raw_args().map_err(text)?.collect();
    let words: Vec<_> = arguments.iter().map(|a| a.to_string_lossy()).collect();
    match words.iter().map(|word| &**word).collect::<Vec<_>>()[..] {
        [] => {}
        ["--", ..] => drop(arguments.remove(0)),
        ["-h" | "--help", ..] => return Ok(Request::Help),
        ["--page"] => return Ok(Request::BenchPage),
        ["--cluster", ..] => return Ok(Request::BenchCluster { options: arguments.split_off(1) }),
        ["--page", other, ..] | [other, ..] => {
            return Err(format!(
                "bench takes no {other:?}; it takes --page or --cluster, and what is for `cargo bench` follows `--`"
            ));
        }
    }
    Ok(Request::Bench { arguments })
}

fn fuzz(mut parser: lexopt::Parser) -> Result<Request, String> {
    let (mut seconds, mut targets) = (fuzz::SECONDS, Vec::new());
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("seconds") => {
                let given = parser.value().map_err(text)?.string().map_err(text)?;
                let whole = given.parse().ok().filter(|seconds| *seconds > 0);
                seconds = whole.ok_or_else(|| format!("--seconds {given:?} is no whole number from 1"))?;
            }
            Value(name) => {
                let name = name.string().map_err(text)?;
                if !fuzz::TARGETS.contains(&name.as_str()) {
                    return Err(format!("{name:?} is no target; there are {}", fuzz::TARGETS.join(", ")));
                }
                targets.push(name);
            }
            other => return Err(text(other.unexpected())),
        }
    }
    Ok(Request::Fuzz { seconds, targets })
}

fn sanitize(mut parser: lexopt::Parser) -> Result<Request, String> {
    let mut tools = Vec::new();
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Value(name) => {
                let name = name.string().map_err(text)?;
                let Some((_, tool)) = TOOLS.iter().find(|(known, _)| *known == name) else {
                    return Err(format!("{name:?} is no tool; there are {}", TOOLS.map(|(known, _)| known).join(", ")));
                };
                tools.push(*tool);
            }
            other => return Err(text(other.unexpected())),
        }
    }
    Ok(Request::Sanitize { tools })
}

/// A command without options.
fn alone(mut parser: lexopt::Parser, request: Request) -> Result<Request, String> {
    match parser.next().map_err(text)? {
        None => Ok(request),
        Some(Short('h') | Long("help")) => Ok(Request::Help),
        Some(other) => Err(text(other.unexpected())),
    }
}

fn text(error: lexopt::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Result<Request, String> {
        parse(lexopt::Parser::from_args(line.split_whitespace()))
    }

    fn all(choice: Choice) -> Request {
        Request::Steps { choice, list: false, allow_missing: false }
    }

    #[test]
    fn every_command_that_the_usage_names_is_one() {
        for command in COMMANDS {
            assert!(USAGE.contains(&format!("\n  {command} ")), "{command} is missing in the usage");
            assert!(!matches!(request(command), Err(_) | Ok(Request::Help)), "{command}");
        }
    }

    #[test]
    fn steps_are_chosen_by_group_or_by_name() {
        assert_eq!(request("test"), Ok(all(Choice::Group(Group::Test))));
        assert_eq!(request("test --fast"), Ok(all(Choice::Group(Group::Fast))));
        assert_eq!(request("docs"), Ok(all(Choice::Group(Group::Docs))));
        let named = Choice::Named(["fmt", "deny", "tests"].map(String::from).to_vec());
        assert_eq!(request("test --only fmt,deny --only=tests"), Ok(all(named)));
        assert_eq!(
            request("lint --list --allow-missing"),
            Ok(Request::Steps { choice: Choice::Group(Group::Lint), list: true, allow_missing: true })
        );
    }

    #[test]
    fn a_mistake_is_named() {
        for (line, part) in [
            ("tset", "\"tset\" is no command; there are test, lint"),
            ("test --fsat", "--fsat"),
            ("lint --fast", "--fast"),
            ("docs --only fmt", "--only"),
            ("test --only", "--only"),
            ("test --fast --only fmt", "exclude each other"),
            ("test fmt", "fmt"),
            ("bench strip", "follows `--`"),
            ("bench --page strip", "follows `--`"),
            ("setup now", "now"),
            ("fuzz wier", "\"wier\" is no target; there are wire, "),
            ("sanitize memory", "\"memory\" is no tool; there are miri, address, threads"),
            ("fuzz --seconds 0", "\"0\" is no whole number from 1"),
        ] {
            let mistake = request(line).expect_err(line);
            assert!(mistake.contains(part), "{line}: {mistake}");
        }
    }

    #[test]
    fn what_follows_two_dashes_goes_to_cargo_bench() {
        assert_eq!(
            request("bench -- strip --quick"),
            Ok(Request::Bench { arguments: vec!["strip".into(), "--quick".into()] })
        );
        assert_eq!(request("bench"), Ok(Request::Bench { arguments: Vec::new() }));
        assert_eq!(request("bench --page"), Ok(Request::BenchPage));
        let options = ["--nodes", "8"].map(OsString::from).to_vec();
        assert_eq!(request("bench --cluster --nodes 8"), Ok(Request::BenchCluster { options }));
    }
}
