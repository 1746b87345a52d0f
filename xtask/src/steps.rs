//! The table of steps: what `cargo xtask test` does, in its order.
//!
//! To add a suite, add an entry: its name, what it proves, when and where it runs, what it needs, and the commands.

use crate::command::Failure;
use crate::machine::Machine;
use crate::need::Need;
use crate::{
    bench, gnustep, house, imports, links, mac, python, python_package, receivers, shaders, soak, suite, vulkan,
    windows, wine,
};

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
    /// None: only by its name, for it needs Xcode and a graphics device, or takes long.
    ByName,
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

use Group::{Advisories, ByName, Cross, Docs, Fast, Lint, Test};

const LINUX: Host = Host::Only("linux");
const WINDOWS_GNU: &str = windows::GNU;

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
const WINE: Need = Need::System {
    what: "a folder with Wine, or debootstrap to make it",
    found: |machine| wine::is_made(machine) || wine::can_be_made(machine),
    debian: &["debootstrap", "debian-archive-keyring"],
    elsewhere: "install debootstrap and Debian's keyring with your package manager",
};

/// Debian leaves ldconfig off the path of users who are not root.
const SOFTWARE_GPU_IS_HERE: &str = r#"
set -e
libraries=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p)
for library in libEGL.so.1 libvulkan.so.1; do echo "$libraries" | grep -q "$library"; done
ls /usr/share/vulkan/icd.d/lvp_icd*.json /usr/lib/*/dri/swrast_dri.so
"#;

const SOFTWARE_GPU: Need = Need::System {
    what: "Mesa's software OpenGL and Vulkan",
    found: |machine| machine.program("sh", "-c").arg(SOFTWARE_GPU_IS_HERE).succeeds(),
    debian: &["libegl1", "libgl1-mesa-dri", "libvulkan1", "mesa-vulkan-drivers"],
    elsewhere: "install Mesa's EGL, llvmpipe and lavapipe with your package manager",
};
/// What makes a network of a test's own, which is a matter of Linux.
const NETWORKS: Need = Need::System {
    what: "the programs ip, unshare and nsenter",
    found: |machine| {
        machine.os != "linux"
            || machine.program("sh", "-c").arg("command -v ip && command -v unshare && command -v nsenter").succeeds()
    },
    debian: &["iproute2", "util-linux"],
    elsewhere: "install iproute2 and util-linux with your package manager",
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
        proves: "no warning of the compiler or of clippy on this platform, with all features and with none",
        groups: &[Test, Fast, Lint],
        host: Host::Any,
        needs: &[CLIPPY],
        run: |machine| {
            machine.cargo("clippy --workspace --all-targets --all-features -- -D warnings").run()?;
            let least = "clippy --package virtual-gpu-lut-box --no-default-features --lib --bins -- -D warnings";
            machine.cargo(least).run()
        },
    },
    Step {
        name: "tests",
        proves: "unit, property and end-to-end tests pass",
        groups: &[Test, Fast],
        host: Host::Any,
        needs: &[NETWORKS],
        run: |machine| suite::test(machine, "--lib --bins --tests").run(),
    },
    Step {
        name: "doc-tests",
        proves: "the code in doc comments runs",
        groups: &[Test, Docs],
        host: Host::Any,
        needs: &[],
        run: |machine| suite::test(machine, "--doc").run(),
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
        run: |machine| suite::build(machine, "--examples").run(),
    },
    Step {
        name: "python-oracle",
        proves: "the programs do what an independent client in Python expects",
        groups: &[Test],
        host: Host::Any,
        needs: &[python::PYTHON, python::SYSTEMD, Need::Venv(python::ORACLE)],
        run: python::test_with_oracle,
    },
    Step {
        name: "browser",
        proves: "the panel works in a real browser and shows what the reference says, and the API answers as it is described",
        groups: &[Test],
        host: LINUX,
        needs: &[python::CHROMIUM, python::PYTHON, Need::Venv(python::BROWSER)],
        run: python::test_with_browser,
    },
    Step {
        name: "gnustep",
        proves: "another implementation of Apple's Foundation reads, writes and carries what Syphon programs say",
        groups: &[Test],
        host: LINUX,
        needs: &[gnustep::GNUSTEP, python::PYTHON, Need::Venv(python::ORACLE)],
        run: gnustep::test,
    },
    Step {
        name: "python-package",
        proves: "the Python wheel builds with pip and uv, its tests pass where it is installed, and its types hold",
        groups: &[Test],
        host: Host::Any,
        needs: &[python::PYTHON, Need::Venv(python_package::TOOLS)],
        run: python_package::test,
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
        name: "vulkan",
        proves: "images reach other processes bit for bit on a software GPU, and Vulkan's validation layer has no complaint",
        groups: &[Test],
        host: LINUX,
        needs: &[SOFTWARE_GPU, vulkan::VALIDATION_LAYER],
        run: vulkan::test,
    },
    Step {
        name: "c-header",
        proves: "the C header says what the C interface is",
        groups: &[Test],
        host: LINUX,
        needs: &[receivers::CBINDGEN],
        run: receivers::check_header,
    },
    Step {
        name: "c-interface",
        proves: "programs in C and C++ receive every bit, and valgrind finds no leak and no invalid access in them",
        groups: &[Test],
        host: LINUX,
        needs: &[SOFTWARE_GPU, receivers::C_TOOLS],
        run: receivers::test_c,
    },
    Step {
        name: "gpu-examples",
        proves: "the receivers for OpenGL and wgpu show every bit, and the grade that the processor computes",
        groups: &[Test],
        host: LINUX,
        needs: &[SOFTWARE_GPU],
        run: receivers::test_examples,
    },
    Step {
        name: "soak",
        proves: "a server under hostile clients, kills, a full disk and a lack of descriptors keeps its promises for 45 seconds",
        groups: &[Test],
        host: LINUX,
        needs: &[],
        run: soak::test,
    },
    Step {
        name: "hot-path",
        proves: "a 33³ LUT takes no more instructions from message to texture than it should",
        groups: &[Test],
        host: Host::Only("linux"),
        needs: &[bench::VALGRIND],
        run: bench::count_instructions,
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
        name: "clippy-mac",
        proves: "no warning of the compiler or of clippy for macOS; for Intel's processors, Linux and link-mac tell",
        groups: &[Test, Cross],
        host: LINUX,
        needs: &[CLIPPY, Need::Target(mac::ARM)],
        run: |machine| clippy_for(machine, mac::ARM),
    },
    Step {
        name: "build-release",
        proves: "the programs build as users build them; on Windows, with nothing that has to lie beside them",
        groups: &[Test],
        host: Host::Any,
        needs: &[],
        run: build_release,
    },
    Step {
        name: "build-mac",
        proves: "the programs build for both kinds of Mac, and are one signed file for both",
        groups: &[Test, Cross],
        host: Host::Only("macos"),
        needs: &[Need::Target(mac::ARM), Need::Target(mac::INTEL)],
        run: mac::build_universal,
    },
    Step {
        name: "link-mac",
        proves: "the programs link for both kinds of Mac, to what macOS 11 has and nothing else",
        groups: &[Test, Cross],
        host: LINUX,
        needs: &[Need::Target(mac::ARM), Need::Target(mac::INTEL), python::PYTHON, Need::Venv(mac::ZIG)],
        run: mac::link,
    },
    Step {
        name: "clippy-syphon-client",
        proves: "no warning in the program that runs ours against the real Syphon framework on a Mac",
        groups: &[Test, Cross],
        host: LINUX,
        needs: &[RUSTFMT, CLIPPY, Need::Target(mac::ARM)],
        run: mac::check_syphon_client,
    },
    Step {
        name: "syphon-client",
        proves: "the real Syphon framework's client sees what the programs send, in a process of its own",
        groups: &[ByName],
        host: Host::Only("macos"),
        needs: &[],
        run: mac::test_with_syphon_client,
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
        proves: "the Windows programs link, and need no DLL that Windows does not bring; the Python package's module links",
        groups: &[Test, Cross],
        host: LINUX,
        needs: &[Need::Target(WINDOWS_GNU), MINGW],
        run: windows::build,
    },
    Step {
        name: "test-windows",
        proves: "the Windows programs pass their tests in Wine, and a server there serves clients on Linux",
        groups: &[Test],
        host: LINUX,
        needs: &[Need::Target(WINDOWS_GNU), MINGW, WINE, python::PYTHON, Need::Venv(python::ORACLE)],
        run: windows::test_in_wine,
    },
    Step {
        name: "shared-textures",
        proves: "every bit of a texture reaches another process over Spout",
        groups: &[Test],
        host: Host::Only("windows"),
        needs: &[],
        run: windows::test_shared_textures,
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

fn build_release(machine: &Machine) -> Result<(), Failure> {
    machine.cargo("build --release --package virtual-gpu-lut-box --bins").run()?;
    match machine.os {
        "windows" => imports::check_programs(&machine.target.join("release")),
        _ => Ok(()),
    }
}

impl Step {
    /// Whether it builds nothing that other steps use, so that it may run beside them.
    pub fn stands_alone(&self) -> bool {
        self.needs.iter().any(|need| matches!(need, Need::Target(_) | Need::CargoTool { .. }))
    }

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
#[path = "steps_tests.rs"]
mod tests;
