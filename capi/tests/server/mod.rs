//! A real server in a process of its own: this test program again, told by its environment to be one.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What the server is called with, as the environment tells it.
const ARGUMENTS: &str = "VGLB_TEST_SERVER";

/// Not a test: where the other process begins.
#[test]
fn process() {
    let Some(arguments) = std::env::var_os(ARGUMENTS) else { return };
    let arguments = arguments.into_string().unwrap();
    let words = ["vglb", "serve", "--no-state", "--dashboard", "off", "--port", "0"]
        .into_iter()
        .chain(arguments.split_whitespace());
    virtual_gpu_lut_box::cli::main(words.map(OsString::from));
}

/// A running server, and the folder that its streams are in. Killed where it is dropped.
pub struct Server {
    pub address: SocketAddr,
    process: Option<Child>,
    folder: tempfile::TempDir,
}

impl Server {
    pub fn start(arguments: &str) -> Server {
        let folder = tempfile::Builder::new().prefix("vglb").tempdir().unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "server::process", "--nocapture", "--test-threads=1"])
            .env(ARGUMENTS, arguments)
            .env("VGLB_RUNTIME_DIR", folder.path().join("streams"))
            .env("VGLB_NO_CONFIG", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the server has ended").unwrap();
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(' ').next().unwrap().parse().unwrap();
            }
        };
        // Nobody reads its log any more, and it shall not block for that.
        std::thread::spawn(move || lines.for_each(drop));
        Server { address, process: Some(process), folder }
    }

    /// Where to put files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its streams are.
    pub fn streams(&self) -> PathBuf {
        self.folder.path().join("streams")
    }

    /// Another program that looks for streams where this server has them.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("VGLB_RUNTIME_DIR", self.streams()).stdin(Stdio::null());
        command
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
