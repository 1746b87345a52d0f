//! What a step needs of the machine: how it is found, and how it is installed or asked for.

use crate::command::{Cmd, Failure};
use crate::machine::{Apt, Machine};
use crate::python::Venv;
use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::ExitCode;

/// Something that a step needs.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// A component of the Rust toolchain, and the cargo command that it brings.
    Component {
        /// As rustup names it.
        name: &'static str,
        /// `fmt` for `cargo fmt`.
        command: &'static str,
    },
    /// The Rust standard library for another platform.
    Target(&'static str),
    /// A cargo command from crates.io, compiled into our own folder under the target directory.
    CargoTool {
        /// The crate and program: `cargo-deny`.
        name: &'static str,
        /// The version installed where none is found.
        version: &'static str,
    },
    /// A Python environment of our own with packages in fixed versions.
    Venv(Venv),
    /// Files that a package registry has, unpacked under the target directory.
    Unpacked {
        /// What they are, as a user knows it.
        what: &'static str,
        /// Whether they are there.
        found: fn(&Machine) -> bool,
        /// The commands that bring them.
        make: fn(&Machine) -> Vec<Cmd>,
    },
    /// Anything that the operating system brings.
    System {
        /// Its name, as a user knows it.
        what: &'static str,
        /// A program or file that tells whether it is there.
        found: fn(&Machine) -> bool,
        /// The Debian packages that bring it.
        debian: &'static [&'static str],
        /// What to do where there are no Debian packages.
        elsewhere: &'static str,
    },
}

/// What can be done about something that is missing.
#[derive(Debug, PartialEq)]
pub enum Remedy {
    /// We can install it.
    Run(Vec<Cmd>),
    /// Only the user can; this is what to tell.
    Tell(String),
}

impl Need {
    /// Its name in messages.
    pub fn what(&self) -> String {
        match self {
            Need::Component { name, .. } => format!("Rust's {name}"),
            Need::Target(triple) => format!("Rust's standard library for {triple}"),
            Need::CargoTool { name, .. } => (*name).into(),
            Need::Venv(venv) => format!("the Python packages of {}", venv.requirements),
            Need::Unpacked { what, .. } | Need::System { what, .. } => (*what).into(),
        }
    }

    /// Whether it is here.
    pub fn found(&self, machine: &Machine) -> bool {
        match self {
            Need::Component { command, .. } => machine.cargo(command).arg("--version").succeeds(),
            Need::Target(triple) => machine
                .program("rustc", "--print target-libdir --target")
                .arg(*triple)
                .output()
                .is_ok_and(|folder| Path::new(&folder).is_dir()),
            Need::CargoTool { name, .. } => machine.program(*name, "--version").succeeds(),
            Need::Venv(venv) => venv.check(machine).succeeds(),
            Need::Unpacked { found, .. } | Need::System { found, .. } => found(machine),
        }
    }

    /// How it comes onto this machine.
    pub fn remedy(&self, machine: &Machine) -> Remedy {
        match self {
            Need::Component { name, .. } => rustup(machine, &format!("component add {name}")),
            Need::Target(triple) => rustup(machine, &format!("target add {triple}")),
            // Not optimised: this program works for a second, and compiles for minutes otherwise.
            Need::CargoTool { name, version } => Remedy::Run(vec![
                machine
                    .cargo(&format!("install {name} --version {version} --locked --debug --force"))
                    .arg("--root")
                    .arg(machine.tools())
                    .env("CARGO_PROFILE_DEV_DEBUG", "0")
                    .env("CARGO_TARGET_DIR", machine.tools().join("build")),
            ]),
            Need::Venv(venv) => Remedy::Run(venv.make(machine)),
            Need::Unpacked { make, .. } => Remedy::Run(make(machine)),
            Need::System { debian, elsewhere, .. } => match machine.apt {
                Apt::Root => Remedy::Run(apt(machine, "env", debian)),
                Apt::Sudo => Remedy::Run(apt(machine, "sudo -n env", debian)),
                Apt::ByHand => Remedy::Tell(format!("sudo apt-get install {}", debian.join(" "))),
                Apt::None => Remedy::Tell((*elsewhere).into()),
            },
        }
    }

    /// Sees to it that it is here, and says what is done for that.
    pub fn ensure(&self, machine: &Machine) -> Result<(), Failure> {
        if self.found(machine) {
            return Ok(());
        }
        let missing = |remedy: String| Failure::Missing { what: self.what(), remedy };
        let commands = match self.remedy(machine) {
            Remedy::Run(commands) => commands,
            Remedy::Tell(advice) => return Err(missing(advice)),
        };
        // Steps that run beside each other may need the same.
        let _alone = lock(&machine.tools());
        if self.found(machine) {
            return Ok(());
        }
        println!("{} is missing here, and is installed now:", self.what());
        for command in &commands {
            command.run().map_err(|failure| missing(format!("installing it failed: {failure}")))?;
        }
        machine.lists_are_fresh.set(machine.lists_are_fresh.get() || matches!(self, Need::System { .. }));
        if self.found(machine) {
            return Ok(());
        }
        Err(missing("it was installed without an error, and is still not found".into()))
    }
}

/// Waits until nobody else installs anything. Where no lock can be had, one goes on without.
fn lock(tools: &Path) -> Option<File> {
    fs::create_dir_all(tools).ok()?;
    let file = File::create(tools.join("installing")).ok()?;
    file.lock().ok()?;
    Some(file)
}

fn rustup(machine: &Machine, line: &str) -> Remedy {
    if machine.rustup {
        Remedy::Run(vec![machine.program("rustup", line)])
    } else {
        Remedy::Tell(format!("with rustup (https://rustup.rs): rustup {line}; else from where your Rust came"))
    }
}

fn apt(machine: &Machine, through: &str, packages: &[&str]) -> Vec<Cmd> {
    let (first, rest) = through.split_once(' ').unwrap_or((through, ""));
    let line = format!("{rest} DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300");
    let apt_get = machine.program(first, &line);
    let update = (!machine.lists_are_fresh.get()).then(|| apt_get.clone().arg("update"));
    let install = apt_get.arg("install").arg("--no-install-recommends");
    update.into_iter().chain([packages.iter().fold(install, |command, p| command.arg(*p))]).collect()
}

/// Installs what is missing of `needs`, tells what it can't, and fails where anything stays missing.
pub fn set_up<'a>(machine: &Machine, needs: impl Iterator<Item = &'a Need>) -> ExitCode {
    let (mut seen, mut missing) = (HashSet::new(), 0);
    for need in needs.filter(|need| seen.insert(need.what())) {
        match need.ensure(machine) {
            Ok(()) => println!("{} is here", need.what()),
            Err(failure) => {
                missing += 1;
                println!("{failure}");
            }
        }
    }
    if missing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLSL: Need = Need::System {
        what: "the GLSL compiler",
        found: |_| false,
        debian: &["glslang-tools", "spirv-tools"],
        elsewhere: "install the Vulkan SDK",
    };

    fn lines(remedy: Remedy) -> Vec<String> {
        match remedy {
            Remedy::Run(commands) => commands.iter().map(Cmd::to_string).collect(),
            Remedy::Tell(advice) => panic!("only told: {advice}"),
        }
    }

    #[test]
    fn debian_packages_are_installed_by_root_alone() {
        let root = Machine::for_tests("linux", Apt::Root);
        let apt_get = "env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300";
        let install = format!("{apt_get} install --no-install-recommends glslang-tools spirv-tools");
        assert_eq!(lines(GLSL.remedy(&root)), [format!("{apt_get} update"), install.clone()]);
        root.lists_are_fresh.set(true);
        assert_eq!(lines(GLSL.remedy(&root)), std::slice::from_ref(&install), "the lists are fetched once");

        let user = Machine::for_tests("linux", Apt::ByHand);
        assert_eq!(GLSL.remedy(&user), Remedy::Tell("sudo apt-get install glslang-tools spirv-tools".into()));
        let sudo = Machine::for_tests("linux", Apt::Sudo);
        assert_eq!(lines(GLSL.remedy(&sudo))[1], format!("sudo -n {install}"));
    }

    #[test]
    fn without_debian_the_advice_is_the_needs_own() {
        let mac = Machine::for_tests("macos", Apt::None);
        assert_eq!(GLSL.remedy(&mac), Remedy::Tell("install the Vulkan SDK".into()));
        let failure = GLSL.ensure(&mac).expect_err("it is not there");
        assert_eq!(failure.to_string(), "the GLSL compiler is missing: install the Vulkan SDK");
    }

    #[test]
    fn rust_parts_come_by_rustup_where_it_is() {
        let mut machine = Machine::for_tests("linux", Apt::None);
        let target = Need::Target("x86_64-pc-windows-gnu");
        let clippy = Need::Component { name: "clippy", command: "clippy" };
        assert_eq!(lines(target.remedy(&machine)), ["rustup target add x86_64-pc-windows-gnu"]);
        assert_eq!(lines(clippy.remedy(&machine)), ["rustup component add clippy"]);
        machine.rustup = false;
        let Remedy::Tell(advice) = target.remedy(&machine) else { panic!("there is no rustup to run") };
        assert!(advice.contains("rustup target add x86_64-pc-windows-gnu"), "{advice}");
    }

    #[test]
    fn a_cargo_tool_goes_into_our_own_folder() {
        let deny = Need::CargoTool { name: "cargo-deny", version: "0.20.2" };
        let all = lines(deny.remedy(&Machine::for_tests("linux", Apt::None)));
        assert!(all[0].contains("cargo install cargo-deny --version 0.20.2 --locked"), "{all:?}");
        assert!(all[0].ends_with("--root /project/target/xtask"), "{all:?}");
    }

    #[test]
    fn what_is_here_is_found_and_what_is_not_is_not() {
        let machine = Machine::here().expect("this machine");
        let host = machine.program("rustc", "--print host-tuple").output().expect("rustc knows its host");
        assert!(Need::Target(host.leak()).found(&machine));
        assert!(!Need::Target("no-such-platform").found(&machine));
        assert!(!Need::Component { name: "nothing", command: "no-such-command" }.found(&machine));
        assert!(!Need::CargoTool { name: "no-such-tool", version: "1.0.0" }.found(&machine));
    }

    #[test]
    fn an_installation_that_fails_leaves_the_need_missing() {
        // Nothing can be started in this machine's folder, for there is none.
        let machine = Machine::for_tests("linux", Apt::Root);
        let failure = Need::Target("x86_64-pc-windows-gnu").ensure(&machine).expect_err("nothing can run");
        let text = failure.to_string();
        let start = "Rust's standard library for x86_64-pc-windows-gnu is missing: installing it failed: `rustup ";
        assert!(text.starts_with(start), "{text}");
        assert!(matches!(failure, Failure::Missing { .. }));
    }
}
