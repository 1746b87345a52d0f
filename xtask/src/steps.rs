//! The table of steps: what `cargo xtask test` does, in its order.
//!
//! To add a suite, add an entry: its name, what it proves, when and where it runs, what it needs, and the commands.

use crate::command::Failure;
use crate::machine::Machine;
use crate::need::Need;
use crate::{house, links, python, shaders};

/// One check or test suite.
pub struct Step {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is known once it has passed, in one line.
    pub proves: &'static str,
    /// The commands that run it.
    pub groups: &'static [Group],
    /// The operating system that it runs on.
    pub host: Host,
    /// What has to be on the machine.
    pub needs: &'static [Need],
    /// Does the work.
    pub run: fn(&Machine) -> Result<(), Failure>,
}

/// A command of `cargo xtask` that runs steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// `test`
    Test,
    /// `test --fast`
    Fast,
    /// `lint`
    Lint,
    /// `cross`
    Cross,
    /// `docs`
    Docs,
    /// `advisories`
    Advisories,
}

/// Where a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// Everywhere.
    Any,
    /// On one operating system only, as Rust names it.
    Only(&'static str),
}

/// The steps that were asked for.
#[derive(Debug, PartialEq)]
pub enum Choice {
    /// All of a group that run on this system.
    Group(Group),
    /// These, in the order of the table.
    Named(Vec<String>),
}

use Group::{Advisories, Cross, Docs, Fast, Lint, Test};

const LINUX: Host = Host::Only("linux");
const WINDOWS_GNU: &str = "x86_64-pc-windows-gnu";
const MAC_ARM: &str = "aarch64-apple-darwin";
const MAC_INTEL: &str = "x86_64-apple-darwin";

/// The package whose tests need a GPU, if only one in software. They have a step of their own.
const GPU_PACKAGE: &str = "shader-harness";

const RUSTFMT: Need = Need::Component { name: "rustfmt", command: "fmt" };
const CLIPPY: Need = Need::Component { name: "clippy", command: "clippy" };
const CARGO_DENY: Need = Need::CargoTool { name: "cargo-deny", version: "0.20.2" };
const MINGW: Need = Need::System {
    what: "the MinGW-w64 compiler",
    found: |machine| machine.program("x86_64-w64-mingw32-gcc", "--version").succeeds(),
    debian: &["gcc-mingw-w64-x86-64"],
    elsewhere: "install MinGW-w64 for x86_64 with your package manager",
};

const SOFTWARE_GPU: Need = Need::System {
    what: "Mesa's software OpenGL and Vulkan",
    found: |machine| {
        machine.program("sh", "-c").arg("ldconfig -p | grep -q libEGL.so.1 && ldconfig -p | grep -q libvulkan.so.1 && ls /usr/share/vulkan/icd.d/lvp_icd*.json && ls /usr/lib/*/dri/swrast_dri.so").succeeds()
    },
    debian: &["libegl1", "libgl1-mesa-dri", "libvulkan1", "mesa-vulkan-drivers"],
    elsewhere: "install Mesa's EGL, llvmpipe and lavapipe with your package manager",
};
const SHADER_COMPILERS: Need = Need::System {
    what: "the shader compilers and ImageMagick",
    found: |machine| {
        machine.program("glslangValidator", "--version").succeeds()
            && machine.program("spirv-val", "--version").succeeds()
            && machine.program("g++", "--version").succeeds()
            && machine
                .program("sh", "-c")
                .arg("(/usr/bin/convert -version || convert -version) | grep -q ImageMagick")
                .succeeds()
    },
    debian: &["glslang-tools", "spirv-tools", "g++", "imagemagick"],
    elsewhere: "install glslang, SPIRV-Tools, a C++ compiler and ImageMagick with your package manager",
};

/// Every step. Those that fail soonest and cost least come first.
pub const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        proves: "the code is formatted",
        groups: &[Test, Fast, Lint],
        host: Host::Any,
        needs: &[RUSTFMT],
        run: |machine| machine.cargo("fmt --all --check").run(),
    },
    Step {
        name: "house",
        proves: "files are short, and platform code and unsafe code stay where they belong",
        groups: &[Test, Fast, Lint],
        host: Host::Any,
        needs: &[],
        run: |machine| house::check(&machine.root),
    },
    Step {
        name: "links",
        proves: "every link and command that a document names is there",
        groups: &[Test, Fast, Docs],
        host: Host::Any,
        needs: &[],
        run: |machine| links::check(&machine.root),
    },
    Step {
        name: "clippy",
        proves: "no warning of the compiler or of clippy on this platform",
        groups: &[Test, Fast, Lint],
        host: Host::Any,
        needs: &[CLIPPY],
        run: |machine| machine.cargo("clippy --workspace --all-targets --all-features -- -D warnings").run(),
    },
    Step {
        name: "tests",
        proves: "unit, property and end-to-end tests pass",
        groups: &[Test, Fast],
        host: Host::Any,
        needs: &[],
        run: |machine| {
            machine
                .cargo("test --workspace --all-features --no-fail-fast --lib --bins --tests")
                .arg("--exclude")
                .arg(GPU_PACKAGE)
                .run()
        },
    },
    Step {
        name: "doc-tests",
        proves: "the code in doc comments runs",
        groups: &[Test, Docs],
        host: Host::Any,
        needs: &[],
        run: |machine| {
            machine
                .cargo("test --workspace --all-features --no-fail-fast --doc")
                .arg("--exclude")
                .arg(GPU_PACKAGE)
                .run()
        },
    },
    Step {
        name: "rustdoc",
        proves: "the library's documentation has no warning",
        groups: &[Test, Docs],
        host: Host::Any,
        needs: &[],
        run: |machine| {
            machine.cargo("doc --workspace --all-features --no-deps").env("RUSTDOCFLAGS", "-D warnings").run()
        },
    },
    Step {
        name: "examples",
        proves: "every example builds as a program",
        groups: &[Test],
        host: Host::Any,
        needs: &[],
        run: |machine| machine.cargo("build --package virtual-gpu-lut-box --all-features --examples").run(),
    },
    Step {
        name: "python-oracle",
        proves: "the programs do what an independent client in Python expects",
        groups: &[Test],
        host: Host::Any,
        needs: &[python::PYTHON, Need::Venv(python::ORACLE)],
        run: python::test_with_oracle,
    },
    Step {
        name: "shaders",
        proves: "every shader compiles, DXC included, and gives on software GPUs what float64 arithmetic, OpenColorIO and ImageMagick give",
        groups: &[Test],
        host: LINUX,
        needs: &[SOFTWARE_GPU, SHADER_COMPILERS, python::PYTHON, Need::Venv(python::SHADER_ORACLE), shaders::DXC],
        run: shaders::test,
    },
    Step {
        name: "clippy-windows",
        proves: "no warning of the compiler or of clippy for Windows",
        groups: &[Test, Cross],
        host: LINUX,
        needs: &[CLIPPY, Need::Target(WINDOWS_GNU)],
        run: |machine| clippy_for(machine, WINDOWS_GNU),
    },
    Step {
        name: "clippy-mac-arm",
        proves: "no warning of the compiler or of clippy for macOS on Apple silicon",
        groups: &[Test, Cross],
        host: LINUX,
        needs: &[CLIPPY, Need::Target(MAC_ARM)],
        run: |machine| clippy_for(machine, MAC_ARM),
    },
    Step {
        name: "clippy-mac-intel",
        proves: "no warning of the compiler or of clippy for macOS on Intel",
        groups: &[Test, Cross],
        host: LINUX,
        needs: &[CLIPPY, Need::Target(MAC_INTEL)],
        run: |machine| clippy_for(machine, MAC_INTEL),
    },
    Step {
        name: "build-release",
        proves: "the programs build as users build them",
        groups: &[Test],
        host: Host::Any,
        needs: &[],
        run: |machine| build_for(machine, &[]),
    },
    Step {
        name: "build-mac",
        proves: "the programs link for both kinds of Mac",
        groups: &[Test, Cross],
        host: Host::Only("macos"),
        needs: &[Need::Target(MAC_ARM), Need::Target(MAC_INTEL)],
        run: |machine| build_for(machine, &[MAC_ARM, MAC_INTEL]),
    },
    Step {
        name: "deny",
        proves: "dependencies have licences that may be combined with ours, and come from crates.io",
        groups: &[Test],
        host: LINUX,
        needs: &[CARGO_DENY],
        run: |machine| machine.cargo("deny --all-features check bans licenses sources").run(),
    },
    Step {
        name: "build-windows",
        proves: "the Windows programs link",
        groups: &[Test, Cross],
        host: LINUX,
        needs: &[Need::Target(WINDOWS_GNU), MINGW],
        run: |machine| build_for(machine, &[WINDOWS_GNU]),
    },
    Step {
        name: "advisories",
        proves: "no dependency has a known weakness",
        groups: &[Advisories],
        host: Host::Any,
        needs: &[CARGO_DENY],
        run: |machine| machine.cargo("deny --all-features check advisories").run(),
    },
];

fn clippy_for(machine: &Machine, target: &str) -> Result<(), Failure> {
    let line = format!(
        "clippy --workspace --exclude {GPU_PACKAGE} --all-targets --all-features --target {target} -- -D warnings"
    );
    machine.cargo(&line).run()
}

fn build_for(machine: &Machine, targets: &[&str]) -> Result<(), Failure> {
    let line = "build --release --package virtual-gpu-lut-box --bins";
    targets.iter().fold(machine.cargo(line), |command, target| command.arg("--target").arg(*target)).run()
}

impl Step {
    /// Whether it runs on the operating system `os`.
    pub fn runs_on(&self, os: &str) -> bool {
        match self.host {
            Host::Any => true,
            Host::Only(only) => only == os,
        }
    }
}

impl Choice {
    /// The steps chosen, in the order of the table; the error names what is no step, or none of this system.
    pub fn steps(&self, os: &str) -> Result<Vec<&'static Step>, String> {
        let names = match self {
            Choice::Group(group) => {
                return Ok(STEPS.iter().filter(|s| s.groups.contains(group) && s.runs_on(os)).collect());
            }
            Choice::Named(names) => names,
        };
        for name in names {
            let Some(step) = STEPS.iter().find(|s| s.name == name) else {
                let known: Vec<_> = STEPS.iter().map(|s| s.name).collect();
                return Err(format!("{name:?} is no step; there are {}", known.join(", ")));
            };
            if let Host::Only(only) = step.host
                && only != os
            {
                return Err(format!("{name} runs on {only} only, and this is {os}"));
            }
        }
        Ok(STEPS.iter().filter(|s| names.iter().any(|n| n == s.name)).collect())
    }

    /// The steps of the group that run on another system, each with that system's name.
    pub fn elsewhere(&self, os: &str) -> Vec<(&'static str, &'static str)> {
        let Choice::Group(group) = self else { return Vec::new() };
        let steps = STEPS.iter().filter(|s| s.groups.contains(group) && !s.runs_on(os));
        steps.filter_map(|s| if let Host::Only(only) = s.host { Some((s.name, only)) } else { None }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn names(choice: Choice, os: &str) -> Vec<&'static str> {
        choice.steps(os).expect("known").iter().map(|s| s.name).collect()
    }

    #[test]
    fn names_are_words_and_differ() {
        let mut seen = HashSet::new();
        for step in STEPS {
            assert!(step.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", step.name);
            assert!(seen.insert(step.name), "{} twice", step.name);
            assert!(!step.groups.is_empty() && !step.proves.is_empty(), "{}", step.name);
        }
    }

    #[test]
    fn all_of_the_small_groups_is_part_of_test() {
        for step in STEPS.iter().filter(|s| !s.groups.contains(&Advisories)) {
            assert!(step.groups.contains(&Test), "{} would never run in continuous integration", step.name);
        }
    }

    #[test]
    fn the_cheapest_steps_come_first() {
        let all = names(Choice::Group(Test), "linux");
        assert_eq!(all[..4], ["fmt", "house", "links", "clippy"]);
        assert_eq!(names(Choice::Group(Fast), "linux"), ["fmt", "house", "links", "clippy", "tests"]);
    }

    #[test]
    fn foreign_platforms_are_checked_on_linux() {
        let cross = names(Choice::Group(Cross), "linux");
        assert_eq!(cross, ["clippy-windows", "clippy-mac-arm", "clippy-mac-intel", "build-windows"]);
        assert!(names(Choice::Group(Cross), "windows").is_empty());
        assert!(!names(Choice::Group(Test), "windows").contains(&"clippy-windows"));
        assert_eq!(Choice::Group(Cross).elsewhere("linux"), [("build-mac", "macos")]);
        assert!(Choice::Group(Cross).elsewhere("windows").contains(&("clippy-windows", "linux")));
    }

    #[test]
    fn named_steps_run_in_the_tables_order() {
        let choice = Choice::Named(vec!["tests".into(), "fmt".into()]);
        assert_eq!(names(choice, "windows"), ["fmt", "tests"]);
    }

    #[test]
    fn a_step_that_cannot_be_is_refused() {
        let refused = |name: &str, os| Choice::Named(vec![name.into()]).steps(os).err().expect("refused");
        assert!(refused("fmtt", "linux").starts_with("\"fmtt\" is no step; there are fmt, house, "));
        assert_eq!(refused("build-windows", "macos"), "build-windows runs on linux only, and this is macos");
    }
}
