//! Programs that run beside this one.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// A program that runs; killed where it is forgotten.
pub struct Program {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Program {
    pub fn start(command: &mut Command) -> Program {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let pipes: [Option<Box<dyn Read + Send>>; 2] =
            [child.stdout.take().map(|p| Box::new(p) as _), child.stderr.take().map(|p| Box::new(p) as _)];
        for pipe in pipes.into_iter().flatten() {
            let lines = lines.clone();
            thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    eprintln!("    | {line}");
                    lines.lock().expect("lines").push(line);
                }
            });
        }
        Program { child, lines }
    }

    /// The first line that holds `text`, if it was printed already.
    pub fn line(&self, text: &str) -> Option<String> {
        self.lines.lock().expect("lines").iter().find(|line| line.contains(text)).cloned()
    }

    pub fn input(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().expect("a pipe")
    }

    /// Sends a signal: `INT` as Ctrl-C does, `KILL` as `kill -9`.
    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().expect("kill");
        assert!(done.success(), "the program is gone");
    }

    /// The exit code, once it has ended; `None` within where a signal ended it.
    pub fn ended(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().expect("its state").map(|status| status.code())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program `vglb` under test, and a folder for files.
pub struct Vglb {
    pub program: PathBuf,
    pub folder: PathBuf,
}

impl Vglb {
    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(&self.program).args(arguments).stdin(Stdio::null()).output().expect("vglb")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Sends a LUT to the server on `port`, which has to accept it.
    pub fn send(&self, port: &str, channel: &str, lut: &crate::lut::Lut) {
        let file = self.file("sent.cube");
        std::fs::write(&file, lut.cube()).expect("a file");
        let sent = self.run(&["send", text(&file), "--channel", channel, "--port", port, "--timeout", "60"]);
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}
