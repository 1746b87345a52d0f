//! Runs the real program, as a user would.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Long enough for any machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A folder in which streams are found, apart from the user's own; it goes with the value.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Place {
        Place(tempfile::Builder::new().prefix("vglb").tempdir().unwrap())
    }

    /// Where to put files.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the streams are. The program makes it.
    pub fn streams(&self) -> PathBuf {
        self.0.path().join("streams")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vglb"));
        command.args(arguments).env("VGLB_RUNTIME_DIR", self.streams());
        // No test depends on the configuration of whoever runs it.
        command.env("VGLB_NO_CONFIG", "true");
        if ["serve", "record"].contains(&arguments[0]) && !arguments.contains(&"--dashboard") {
            // Its usual port is not the test's own.
            command.args(["--dashboard", "off"]);
        }
        command.env("VGLB_STATE_DIR", self.path().join("state")).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts a server on a free port, one that remembers nothing.
    pub fn serve(&self, arguments: &[&str]) -> Running {
        self.serve_with_state(&[&["--no-state"], arguments].concat())
    }

    /// Starts a server on a free port that remembers LUTs in the folder's `state`.
    pub fn serve_with_state(&self, arguments: &[&str]) -> Running {
        Place::listening(self.command(&[&["serve", "--port", "0"], arguments].concat()))
    }

    /// Starts a server on a port that was free a moment ago, one that remembers nothing.
    pub fn serve_at(&self, port: &str, arguments: &[&str]) -> Running {
        Place::listening(self.command(&[&["serve", "--no-state", "--port", port], arguments].concat()))
    }

    /// Starts a server on a free port that records into `file`.
    pub fn listening_record(&self, file: &str) -> Running {
        Place::listening(self.command(&["record", file, "--port", "0", "--no-state"]))
    }

    /// Starts a server, and waits for its port.
    pub fn listening(command: Command) -> Running {
        let mut running = Running::start(command);
        let line = running.wait_for_line("listening on ");
        let address = line.split("listening on ").nth(1).unwrap().split(' ').next().unwrap();
        running.port = address.rsplit(':').next().unwrap().to_owned();
        running
    }
}

/// A program that runs; killed where the test forgets it.
pub struct Running {
    pub child: Child,
    pub port: String,
    lines: Arc<Lines>,
}

/// What a program has printed, and whether it has ended.
#[derive(Default)]
struct Lines {
    state: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Running {
    pub fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines: Arc<Lines> = Arc::default();
        let pipes: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for (i, pipe) in pipes.into_iter().enumerate() {
            let lines = lines.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    lines.state.lock().unwrap().0.push(line);
                    lines.changed.notify_all();
                }
                if i == 1 {
                    lines.state.lock().unwrap().1 = true;
                    lines.changed.notify_all();
                }
            });
        }
        Running { child, port: String::new(), lines }
    }

    /// Waits until a line holds `text`, and returns it.
    pub fn wait_for_line(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lines.state.lock().unwrap();
        loop {
            if let Some(line) = state.0.iter().find(|l| l.contains(text)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!state.1 && !left.is_zero(), "no line with {text:?} in {:#?}", state.0);
            state = self.lines.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Everything printed so far.
    pub fn output(&self) -> String {
        self.lines.state.lock().unwrap().0.join("\n")
    }

    /// Sends a signal by its name. The shell's own `kill` does: a small system has no program of that name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let done = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid]).status().unwrap();
        assert!(done.success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running:\n{}", self.output());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
