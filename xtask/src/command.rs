//! Programs that steps run, and how a step fails.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Why a step did not pass.
#[derive(Debug)]
pub enum Failure {
    /// A program ended with an error.
    Ended {
        /// The command as it could be typed.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A program could not be started.
    NotStarted {
        /// The command as it could be typed.
        command: String,
        /// The system's reason.
        error: io::Error,
    },
    /// Something that the step needs is not on this machine, and can't be installed from here.
    Missing {
        /// What it is.
        what: String,
        /// What the user can do.
        remedy: String,
    },
    /// A check of our own found faults: one line for each.
    Faults(Vec<String>),
    /// A file could not be read or written.
    File {
        /// Which one.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
}

impl Failure {
    /// For `map_err` on what reads or writes `path`.
    pub fn file(path: &Path) -> impl FnOnce(io::Error) -> Failure {
        move |error| Failure::File { path: path.to_owned(), error }
    }

    /// Nothing where there are no faults.
    pub fn unless_empty(faults: Vec<String>) -> Result<(), Failure> {
        if faults.is_empty() { Ok(()) } else { Err(Failure::Faults(faults)) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Ended { command, status } => write!(f, "`{command}` ended with {status}"),
            Failure::NotStarted { command, error } => write!(f, "`{command}` could not be started: {error}"),
            Failure::Missing { what, remedy } => write!(f, "{what} is missing: {remedy}"),
            Failure::Faults(faults) => write!(f, "{}", faults.join("\n")),
            Failure::File { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for Failure {}

/// A program with its arguments, to be run in the repository's root without input.
#[derive(Clone, Debug, PartialEq)]
pub struct Cmd {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    root: PathBuf,
}

impl Cmd {
    /// `line` is the program's arguments as far as they are words without spaces.
    pub fn new(root: &Path, program: impl Into<OsString>, line: &str) -> Cmd {
        Cmd {
            program: program.into(),
            arguments: line.split_whitespace().map(OsString::from).collect(),
            environment: Vec::new(),
            root: root.to_owned(),
        }
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Cmd {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments, as far as they are words without spaces.
    pub fn args_of(mut self, line: &str) -> Cmd {
        self.arguments.extend(line.split_whitespace().map(OsString::from));
        self
    }

    /// More arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Cmd {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// An environment variable for the program.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Cmd {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Prints the command, then runs it with its output on ours.
    pub fn run(&self) -> Result<(), Failure> {
        println!("$ {self}");
        self.run_quietly()
    }

    /// Runs the command with its output on ours.
    pub fn run_quietly(&self) -> Result<(), Failure> {
        let status = self.command().status().map_err(|error| self.not_started(error))?;
        if status.success() { Ok(()) } else { Err(Failure::Ended { command: self.to_string(), status }) }
    }

    /// Starts the command with its output on ours, but for standard error, and with a pipe as its standard input.
    pub fn start(&self, errors: Stdio) -> Result<Child, Failure> {
        self.command().stdin(Stdio::piped()).stderr(errors).spawn().map_err(|error| self.not_started(error))
    }

    /// Everything that it writes, and whether it ended well.
    pub fn transcript(&self) -> Result<(String, bool), Failure> {
        let (mut out, end) = io::pipe().map_err(|error| self.not_started(error))?;
        let mut command = self.command();
        command.stdout(end.try_clone().map_err(|error| self.not_started(error))?).stderr(end);
        let mut child = command.spawn().map_err(|error| self.not_started(error))?;
        // It holds the pipe's other end open.
        drop(command);
        let mut said = Vec::new();
        out.read_to_end(&mut said).map_err(|error| self.not_started(error))?;
        let status = child.wait().map_err(|error| self.not_started(error))?;
        Ok((String::from_utf8_lossy(&said).into_owned(), status.success()))
    }

    /// Whether it can be started and ends well; its output is dropped.
    pub fn succeeds(&self) -> bool {
        self.command().stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    }

    /// What it writes on standard output, without the last line's end; what it says on standard error is dropped.
    pub fn output(&self) -> Result<String, Failure> {
        let output = self.command().stderr(Stdio::null()).output().map_err(|error| self.not_started(error))?;
        if !output.status.success() {
            return Err(Failure::Ended { command: self.to_string(), status: output.status });
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .current_dir(&self.root)
            .stdin(Stdio::null());
        command
    }

    fn not_started(&self, error: io::Error) -> Failure {
        Failure::NotStarted { command: self.to_string(), error }
    }
}

impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // PATH is ours to extend, and long; the command can be typed without it.
        for (name, value) in self.environment.iter().filter(|(name, _)| name != "PATH") {
            write!(f, "{}={} ", name.to_string_lossy(), quoted(value))?;
        }
        // Cargo gives us its own absolute path.
        let program = Path::new(&self.program);
        let cargo = program.is_absolute() && program.file_stem() == Some(OsStr::new("cargo"));
        write!(f, "{}", if cargo { "cargo".into() } else { quoted(&self.program) })?;
        self.arguments.iter().try_for_each(|a| write!(f, " {}", quoted(a)))
    }
}

/// As a POSIX shell takes it for one word.
fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_as_it_could_be_typed() {
        let command = Cmd::new(Path::new("/"), "/opt/rust/bin/cargo", "doc --workspace --no-deps")
            .env("PATH", "/tools:/bin")
            .env("RUSTDOCFLAGS", "-D warnings")
            .arg("it's");
        assert_eq!(command.to_string(), r"RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps 'it'\''s'");
    }

    #[test]
    fn failures_tell_what_was_run() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let absent = Cmd::new(here, "no-such-program-here", "--version");
        assert!(!absent.succeeds());
        let failure = absent.run().expect_err("there is no such program");
        assert!(
            failure.to_string().starts_with("`no-such-program-here --version` could not be started: "),
            "{failure}"
        );

        let wrong = Cmd::new(here, env!("CARGO"), "no-such-command-here");
        assert!(!wrong.succeeds());
        let failure = wrong.output().expect_err("there is no such command");
        assert!(failure.to_string().starts_with("`cargo no-such-command-here` ended with "), "{failure}");
    }

    #[test]
    fn a_program_gets_its_environment_and_its_output_comes_back() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let version = Cmd::new(here, env!("CARGO"), "--version");
        assert!(version.succeeds());
        let text = version.output().expect("cargo tells its version");
        assert!(text.starts_with("cargo ") && !text.ends_with('\n'), "{text:?}");
        let broken = version.env("RUSTC_WRAPPER", "no-such-wrapper").arg("--list").arg("--no-such-flag");
        assert!(!broken.succeeds());
    }
}
