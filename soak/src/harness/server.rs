//! The server, as a process.

use super::place::Place;
use anyhow::{Context, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to start, or to end, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub log: PathBuf,
    pub started: Instant,
}

/// What the system knows of the process.
#[derive(Clone, Copy, Debug)]
pub struct Vitals {
    pub fds: usize,
    pub threads: usize,
    /// Resident, in KiB: all of it, and what is not in files or shared.
    pub resident: u64,
    pub anonymous: u64,
}

impl Server {
    /// Starts it, and waits until it listens. Its log is `log-<life>` in the folder.
    pub fn start(program: &Path, place: &Place, life: u64) -> anyhow::Result<Server> {
        let log = place.path().join(format!("log-{life}"));
        let file = OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = Command::new(program);
        command.args(["serve", "--port", "0", "--gpu", "off", "--max-connections-per-address", "64"]);
        // Whatever else runs here has the panel's usual port, and its own settings.
        command.args(["--dashboard", "127.0.0.1:0"]).env("VGLB_NO_CONFIG", "true");
        command.arg("--state-dir").arg(place.state()).env("VGLB_RUNTIME_DIR", place.streams());
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("can't start {}", program.display()))?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Server { child, address, log, started: Instant::now() };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = server.said();
            let heard = said.split("listening on ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
            // The panel is what starts last: by then all threads are there.
            if let Some(address) = heard.filter(|_| said.contains("the panel is at ")) {
                server.address = address;
                server.started = Instant::now();
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended with {status} instead of listening:\n{said}");
            }
            if Instant::now() > deadline {
                bail!("the server does not listen after {PATIENCE:?}:\n{said}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// All that it has logged.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn pid(&self) -> anyhow::Result<Pid> {
        Pid::from_raw(self.child.id().try_into()?).context("a process number")
    }

    /// How it ended, where it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal, and waits for the end.
    pub fn end_by(&mut self, signal: Signal) -> anyhow::Result<ExitStatus> {
        kill_process(self.pid()?, signal)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("the server goes on {PATIENCE:?} after {signal:?}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Leaves it room for `more` descriptors than it has; `None`: for as many as there may be.
    pub fn limit_fds(&self, more: Option<usize>) -> anyhow::Result<()> {
        let own = getrlimit(Resource::Nofile);
        let current = match more {
            Some(more) => Some((self.vitals()?.fds + more) as u64),
            None => own.current,
        };
        prlimit(Some(self.pid()?), Resource::Nofile, Rlimit { current, maximum: own.maximum })?;
        Ok(())
    }

    pub fn vitals(&self) -> anyhow::Result<Vitals> {
        let proc = Path::new("/proc").join(self.child.id().to_string());
        let status = std::fs::read_to_string(proc.join("status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let number = |name: &str| field(name).with_context(|| format!("{name} in /proc"));
        Ok(Vitals {
            fds: std::fs::read_dir(proc.join("fd"))?.count(),
            threads: number("Threads")? as usize,
            resident: number("VmRSS")?,
            anonymous: number("RssAnon")?,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
