//! Windows programs on Linux, in Wine.
//!
//! Debian's Wine before version 10 lacks a DLL that Rust's standard library needs, so a Debian 13 with Wine 10 is made in
//! a folder of the user's cache: once a machine, 1.6 GB and two minutes. Programs run inside it with a display that
//! nobody sees (Direct3D needs one), and with nothing of this machine but the folders that they are given and the
//! network of its loopback.
//!
//! Each run has its own process and mount namespaces, and a time limit inside them: whatever it starts ends with it, and
//! its mounts vanish. It also ends when the pipe on its standard input does, so that it never outlives this program.

use crate::command::{Cmd, Failure};
use crate::machine::{Apt, Machine};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitCode, Stdio};
use std::{env, io};

/// The word after `xtask` by which cargo has a Windows program run in Wine: `xtask in-wine PROGRAM ARGUMENTS…`.
pub const RUNNER: &str = "in-wine";

/// Changes with whatever is inside the folder, so that an older one is made anew.
const RECIPE: &str = "3: Debian trixie, wine, wine64, xvfb, localhost\n";

/// Bounds a program that hangs: the longest test program takes a minute on a busy machine.
const LIMIT_SECONDS: u32 = 600;

/// Bounds the making of the folder, which takes two minutes.
const MAKING_LIMIT_SECONDS: u32 = 1800;

/// What `timeout` ends with when the time is up.
const TIMED_OUT: i32 = 124;

/// What signs Debian's packages.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Runs inside the folder: gives it what it lacks, and prepares the Wine prefix.
const PREPARE: &str = r#"
set -e
apt-get clean
printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/hosts
wineboot -i
wineserver -w
case "$(wine --version)" in wine-1[0-9]*) ;; *) echo "this is not Wine 10 or later: $(wine --version)"; exit 1;; esac
test -e "$WINEPREFIX/system.reg"
"#;

/// Runs inside the folder: a display, then the program, then the end of all that Wine has left running.
const RUN: &str = r#"
mount -t tmpfs tmpfs "$WINEPREFIX/drive_c/users/root/AppData/Local/Temp" || exit 1
display=$(mktemp)
Xvfb -displayfd 3 -screen 0 640x480x24 -nolisten tcp 3>"$display" >/dev/null 2>&1 &
while ! [ -s "$display" ]; do
    kill -0 $! || { echo "Xvfb did not start" >&2; exit 1; }
    sleep 0.05
done
DISPLAY=:$(cat "$display"); export DISPLAY
exec 4<&0
(cat <&4 >/dev/null; kill -KILL -1) &
cd "$1" || exit 1; shift
wine "$@" </dev/null; status=$?
wineserver -k
wineserver -w
exit $status
"#;

/// Runs outside it, in namespaces of its own: mounts the folder's surroundings, and changes into it.
/// Arguments: the folder, a list of further folders that ends with `--`, and what to run.
const ENTER: &str = r#"
set -e
root=$1; shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
while [ "$1" != -- ]; do
    mkdir -p "$root$1"; mount --bind "$1" "$root$1"; shift
done
shift
exec chroot "$root" "$@"
"#;

/// A folder with Wine in it. While this value lives, nobody else uses the folder.
pub struct Wine<'m> {
    machine: &'m Machine,
    folder: PathBuf,
    _alone: File,
}

/// Whether the folder is there already.
pub fn is_made(_machine: &Machine) -> bool {
    home().is_ok_and(|home| made(&home.join("root")))
}

/// Whether a folder could be made here.
pub fn can_be_made(machine: &Machine) -> bool {
    machine.program("debootstrap", "--version").succeeds() && Path::new(KEYRING).exists()
}

/// What cargo calls to have a program run, as it takes it from its environment: words between spaces.
pub fn cargo_runner(machine: &Machine) -> Result<String, Failure> {
    let exe = env::current_exe().map_err(Failure::file(Path::new("the running program")))?;
    let short = exe.strip_prefix(&machine.root).unwrap_or(&exe).to_string_lossy().into_owned();
    if short.contains(char::is_whitespace) {
        let fault = format!("cargo takes no runner whose path has spaces: {short:?}; set CARGO_TARGET_DIR to another");
        return Err(Failure::Faults(vec![fault]));
    }
    Ok(format!("{short} {RUNNER}"))
}

/// What `xtask in-wine` does: its exit code is the program's.
pub fn run_for_cargo(machine: &Machine, mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(program) = arguments.next() else {
        eprintln!("xtask: {RUNNER} needs a program");
        return ExitCode::from(2);
    };
    let arguments: Vec<_> = arguments.collect();
    match Wine::ensure(machine).and_then(|wine| wine.run(Path::new(&program), &arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Ended { status, .. }) if status.code() != Some(TIMED_OUT) => {
            ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
        }
        Err(Failure::Ended { .. }) => {
            eprintln!("{} did not end within {LIMIT_SECONDS} s", program.to_string_lossy());
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// A Windows program that runs. Dropping it ends the program and all that it has started.
pub struct Running {
    command: String,
    /// What the program writes on standard error, and nothing else, is to be read by whoever started it.
    pub child: Child,
    /// The program lives for as long as this is open.
    lifeline: Option<ChildStdin>,
}

impl Running {
    fn start(command: &Cmd, errors: Stdio) -> Result<Self, Failure> {
        let mut child = command.start(errors)?;
        // Waiting for a child closes its standard input, unless that is taken out before.
        let lifeline = child.stdin.take();
        Ok(Running { command: command.to_string(), child, lifeline })
    }

    fn wait(mut self) -> Result<(), Failure> {
        let status = self.child.wait().map_err(Failure::file(Path::new("the running program")))?;
        if status.success() { Ok(()) } else { Err(Failure::Ended { command: self.command.clone(), status }) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.child.wait();
    }
}

impl<'m> Wine<'m> {
    /// Waits until nobody uses the folder, and makes it where it is not there.
    pub fn ensure(machine: &'m Machine) -> Result<Self, Failure> {
        let home = home()?;
        fs::create_dir_all(&home).map_err(Failure::file(&home))?;
        let lock = home.join("lock");
        let alone = File::create(&lock).map_err(Failure::file(&lock))?;
        alone.lock().map_err(Failure::file(&lock))?;
        let wine = Wine { machine, folder: home.join("root"), _alone: alone };
        if !made(&wine.folder) {
            wine.make(&home.join("unfinished"))?;
        }
        Ok(wine)
    }

    /// Runs a Windows program in the current folder, with this process's environment. It sees the repository and the
    /// target directory where they are, and no other folder of this machine.
    pub fn run(&self, program: &Path, arguments: &[OsString]) -> Result<(), Failure> {
        let here = env::current_dir().map_err(Failure::file(Path::new(".")))?;
        Running::start(&self.command(&here, program, arguments)?, Stdio::inherit())?.wait()
    }

    /// Starts a Windows program in the repository's root, as [`run`](Self::run) does. Its standard error is to be read.
    pub fn start(&self, program: &Path, arguments: &[&str]) -> Result<Running, Failure> {
        let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
        Running::start(&self.command(&self.machine.root, program, &arguments)?, Stdio::piped())
    }

    fn command(&self, folder: &Path, program: &Path, arguments: &[OsString]) -> Result<Cmd, Failure> {
        let mut folders = vec![self.machine.root.clone()];
        if !self.machine.target.starts_with(&self.machine.root) {
            folders.push(self.machine.target.clone());
        }
        let inside = self.inside(&self.folder, &folders, RUN)?.arg(folder).arg(program);
        Ok(arguments.iter().fold(inside, |command, argument| command.arg(argument)))
    }

    /// Makes the folder under another name, and gives it its own once it is whole: a half-made one is never used.
    fn make(&self, unfinished: &Path) -> Result<(), Failure> {
        println!("Making a folder with Wine in {}: 1.6 GB, once on this machine.", self.folder.display());
        for old in [unfinished, &self.folder] {
            self.as_root("rm -rf --one-file-system")?.arg(old).run()?;
        }
        // In a mount namespace of its own, so that what debootstrap mounts goes with it, however it ends.
        self.as_root("timeout --kill-after=5")?
            .arg(MAKING_LIMIT_SECONDS.to_string())
            .args_of("unshare --mount --propagation private")
            .args_of("debootstrap --variant=minbase --include=wine,wine64,xvfb")
            .arg(format!("--keyring={KEYRING}"))
            .arg("trixie")
            .arg(unfinished)
            .run()?;
        self.inside(unfinished, &[], PREPARE)?.run_quietly()?;
        let recipe = unfinished.with_file_name("recipe");
        fs::write(&recipe, RECIPE).map_err(Failure::file(&recipe))?;
        self.as_root("mv")?.arg(&recipe).arg(unfinished.join("recipe")).run()?;
        self.as_root("mv")?.arg(unfinished).arg(&self.folder).run()
    }

    /// A shell script inside the folder `root`, which sees `folders` of this machine too.
    fn inside(&self, root: &Path, folders: &[PathBuf], script: &str) -> Result<Cmd, Failure> {
        let mut command = self
            .as_root("unshare --mount --pid --fork --kill-child --propagation private sh -c")?
            .arg(ENTER)
            .arg("sh")
            .arg(root);
        for folder in folders {
            command = command.arg(folder);
        }
        command = command.args_of("-- env -i");
        for variable in passed_on().chain(wine_variables()) {
            command = command.arg(variable);
        }
        Ok(command
            .args_of("timeout --kill-after=5")
            .arg(LIMIT_SECONDS.to_string())
            .args_of("sh -c")
            .arg(script)
            .arg("sh"))
    }

    fn as_root(&self, line: &str) -> Result<Cmd, Failure> {
        let sudo = match self.machine.apt {
            Apt::Root => "",
            Apt::Sudo => "sudo -n ",
            Apt::ByHand | Apt::None => {
                return Err(Failure::Missing {
                    what: "the right to change into another root folder".into(),
                    remedy: "Wine's tests run as root, or with CI set and sudo without a question".into(),
                });
            }
        };
        let line = format!("{sudo}{line}");
        let (program, rest) = line.split_once(' ').unwrap_or((&line, ""));
        Ok(self.machine.program(program, rest))
    }
}

/// Where the folder, its lock and its unfinished forms are.
fn home() -> Result<PathBuf, Failure> {
    let from = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let cache = from("XDG_CACHE_HOME").or_else(|| from("HOME").map(|home| home.join(".cache")));
    let no_home = || io::Error::new(io::ErrorKind::NotFound, "neither XDG_CACHE_HOME nor HOME is set");
    let cache = cache.ok_or_else(|| Failure::file(Path::new("the user's cache folder"))(no_home()))?;
    Ok(cache.join("virtual-gpu-lut-box").join("wine"))
}

fn made(folder: &Path) -> bool {
    fs::read_to_string(folder.join("recipe")).is_ok_and(|recipe| recipe == RECIPE)
}

/// The environment that tests look at: theirs and Rust's, and nothing of this machine's.
fn passed_on() -> impl Iterator<Item = OsString> {
    let wanted = |name: &str| ["RUST", "CARGO", "VGLB", "PROPTEST", "CI"].iter().any(|start| name.starts_with(start));
    env::vars_os().filter(move |(name, _)| wanted(&name.to_string_lossy())).map(|(name, value)| pair(&name, &value))
}

fn wine_variables() -> impl Iterator<Item = OsString> {
    let variables = [
        ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        ("HOME", "/root"),
        ("XDG_RUNTIME_DIR", "/tmp"),
        ("LC_ALL", "C.UTF-8"),
        ("WINEPREFIX", "/var/lib/wine-prefix"),
        ("WINEARCH", "win64"),
        ("WINEDEBUG", "-all"),
        // Neither .NET nor a browser: Wine would ask to download them.
        ("WINEDLLOVERRIDES", "mscoree,mshtml="),
    ];
    variables.into_iter().map(|(name, value)| pair(OsStr::new(name), OsStr::new(value)))
}

fn pair(name: &OsStr, value: &OsStr) -> OsString {
    let mut pair = name.to_owned();
    pair.push("=");
    pair.push(value);
    pair
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_runs_in_the_folder_with_the_repository_and_a_time_limit() {
        let machine = Machine::for_tests("linux", Apt::Sudo);
        let alone = tempfile::tempfile().expect("a file");
        let wine = Wine { machine: &machine, folder: "/cache/root".into(), _alone: alone };
        let command = wine.inside(&wine.folder, &["/project".into()], "the script").expect("may use sudo");
        let line = command.arg("a b").to_string();
        assert!(line.starts_with("sudo -n unshare --mount --pid --fork --kill-child "), "{line}");
        assert!(line.contains(" sh /cache/root /project -- env -i "), "{line}");
        assert!(line.contains(" WINEPREFIX=/var/lib/wine-prefix "), "{line}");
        assert!(line.ends_with(" timeout --kill-after=5 600 sh -c 'the script' sh 'a b'"), "{line}");
    }

    #[test]
    fn who_may_not_change_the_root_folder_is_told_so() {
        let machine = Machine::for_tests("linux", Apt::ByHand);
        let alone = tempfile::tempfile().expect("a file");
        let wine = Wine { machine: &machine, folder: "/cache/root".into(), _alone: alone };
        let failure = wine.run(Path::new("x.exe"), &[]).expect_err("not root");
        assert!(failure.to_string().contains("Wine's tests run as root"), "{failure}");
    }

    #[test]
    fn a_folder_of_another_recipe_counts_as_not_made() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!made(folder.path()));
        fs::write(folder.path().join("recipe"), "0").expect("written");
        assert!(!made(folder.path()));
        fs::write(folder.path().join("recipe"), RECIPE).expect("written");
        assert!(made(folder.path()));
    }
}
