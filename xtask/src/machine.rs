//! What is known of the machine that the steps run on.

use crate::command::{Cmd, Failure};
use std::cell::Cell;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The machine, and where things lie on it.
#[derive(Debug)]
pub struct Machine {
    /// The repository's root.
    pub root: PathBuf,
    /// Cargo's target directory, in which everything that we make is kept.
    pub target: PathBuf,
    /// The operating system, as Rust names it: `linux`, `windows`, `macos`.
    pub os: &'static str,
    /// Whether this is continuous integration, where nothing may be left out.
    pub ci: bool,
    /// How Debian packages can be installed, if at all.
    pub apt: Apt,
    /// Whether the Rust toolchain can be added to with rustup.
    pub rustup: bool,
    /// Whether the package lists were brought up to date in this run.
    pub lists_are_fresh: Cell<bool>,
    tools: PathBuf,
    cargo: OsString,
    path: OsString,
}

/// Where a run beside another one builds, so that neither waits for the other: cargo's variable, and ours.
const BESIDE: [&str; 2] = ["CARGO_TARGET_DIR", "XTASK_TARGET"];

/// How far Debian packages can be installed from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apt {
    /// We are root.
    Root,
    /// We are not, and may use `sudo` without a question: on a machine of continuous integration only.
    Sudo,
    /// The user has to do it.
    ByHand,
    /// This is no Debian.
    None,
}

impl Machine {
    /// The machine that we run on.
    pub fn here() -> Result<Machine, Failure> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest).to_owned();
        let exe = env::current_exe().map_err(Failure::file(Path::new("the running program")))?;
        // <target>/debug/xtask: right for every way of setting cargo's target directory.
        let built = exe.parent().and_then(Path::parent).map_or_else(|| root.join("target"), Path::to_owned);
        let tools = built.join("xtask");
        let target = env::var_os(BESIDE[1]).map_or(built, PathBuf::from);
        let ci = env::var("CI").is_ok_and(|v| means_yes(&v));
        let path = path_with(&tools.join("bin"), env::var_os("PATH"));
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut machine = Machine {
            root,
            target,
            os: env::consts::OS,
            ci,
            apt: Apt::None,
            rustup: false,
            lists_are_fresh: Cell::new(false),
            tools,
            cargo,
            path,
        };
        machine.apt = machine.find_apt();
        machine.rustup = machine.program("rustup", "--version").succeeds();
        Ok(machine)
    }

    /// Cargo, as it was called for us.
    pub fn cargo(&self, line: &str) -> Cmd {
        self.program(self.cargo.clone(), line)
    }

    /// Any other program; what `setup` has installed is found first.
    pub fn program(&self, program: impl Into<OsString>, line: &str) -> Cmd {
        Cmd::new(&self.root, program, line).env("PATH", self.path.clone())
    }

    /// Python 3.
    pub fn python(&self, line: &str) -> Cmd {
        self.program(if self.os == "windows" { "python" } else { "python3" }, line)
    }

    /// Where our own tools and environments are kept.
    pub fn tools(&self) -> PathBuf {
        self.tools.clone()
    }

    /// This program again, to run steps of `line` beside what we run: it builds in a folder of its own.
    pub fn beside(&self, line: &str) -> Result<Cmd, Failure> {
        let exe = env::current_exe().map_err(Failure::file(Path::new("the running program")))?;
        let target = self.target.join("beside");
        Ok(BESIDE.iter().fold(self.program(exe, line), |command, name| command.env(*name, &target)))
    }

    /// A program of this project, as `cargo build` makes it.
    pub fn built(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    fn find_apt(&self) -> Apt {
        if !Path::new("/etc/debian_version").exists() || !self.program("apt-get", "--version").succeeds() {
            return Apt::None;
        }
        if self.program("id", "-u").output().is_ok_and(|id| id == "0") {
            return Apt::Root;
        }
        if self.ci && self.program("sudo", "-n true").succeeds() { Apt::Sudo } else { Apt::ByHand }
    }

    #[cfg(test)]
    pub fn for_tests(os: &'static str, apt: Apt) -> Machine {
        Machine {
            root: "/project".into(),
            target: "/project/target".into(),
            os,
            ci: false,
            apt,
            rustup: true,
            lists_are_fresh: Cell::new(false),
            tools: "/project/target/xtask".into(),
            cargo: "cargo".into(),
            path: OsString::new(),
        }
    }
}

fn means_yes(value: &str) -> bool {
    !matches!(value, "" | "0" | "false")
}

fn path_with(first: &Path, path: Option<OsString>) -> OsString {
    let path = path.unwrap_or_default();
    let all = std::iter::once(first.to_owned()).chain(env::split_paths(&path));
    // Fails only where a directory's name holds the separator; then the path stays as it was.
    env::join_paths(all).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_is_on_unless_it_says_no() {
        assert!(means_yes("true") && means_yes("1") && means_yes("yes"));
        assert!(!means_yes("") && !means_yes("0") && !means_yes("false"));
    }

    #[test]
    fn our_tools_are_found_first() {
        let old = env::join_paths(["/usr/bin", "/bin"]).expect("plain names");
        let path = path_with(Path::new("/project/target/xtask/bin"), Some(old));
        let all: Vec<_> = env::split_paths(&path).collect();
        assert_eq!(all, ["/project/target/xtask/bin", "/usr/bin", "/bin"].map(PathBuf::from));
    }
}
