//! A client that does what the panel's page does: it listens to events, and fetches the LUT that it looks at, with what
//! becomes of one colour, when that has changed.

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// As in `panel.js`.
const LOOK_GAP: Duration = Duration::from_millis(80);
const LONGEST_GAP: Duration = Duration::from_millis(250);
const GAP_FOR_FETCH: u32 = 30;
const PATIENCE: Duration = Duration::from_secs(30);

/// A page that is open, and looks at one channel.
pub struct Page {
    shared: Arc<Shared>,
    events: TcpStream,
    threads: Vec<JoinHandle<anyhow::Result<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    looks: AtomicU64,
}

#[derive(Default)]
struct State {
    /// What the channel looked at said last: LUTs and revision.
    seen: Option<[Value; 2]>,
    look: bool,
    closed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    /// Opens the page of the panel at `panel`, and returns once it shows the LUT of `stream`.
    pub fn open(panel: SocketAddr, stream: &str) -> anyhow::Result<Page> {
        let shared = Arc::new(Shared::default());
        let mut events = connect(panel)?;
        request(&mut events, panel, "events")?;
        let (own, of, listening) = (shared.clone(), stream.to_owned(), events.try_clone()?);
        let listener = thread::spawn(move || own.listen(listening, &of));
        let (own, of) = (shared.clone(), stream.to_owned());
        let looker = thread::spawn(move || own.look(panel, &of));
        let page = Page { shared, events, threads: vec![listener, looker] };
        let first = |_: &mut State| page.looks() == 0 && !page.threads.iter().any(JoinHandle::is_finished);
        let waited = page.shared.changed.wait_timeout_while(page.shared.state(), PATIENCE, first);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        if page.looks() == 0 {
            page.close()?;
            bail!("the page at {panel} shows no LUT of {stream}");
        }
        Ok(page)
    }

    /// How often it has fetched the LUT.
    pub fn looks(&self) -> u64 {
        self.shared.looks.load(Ordering::Relaxed)
    }

    /// Closes it. Fails where it has missed something.
    pub fn close(mut self) -> anyhow::Result<()> {
        self.end()
    }

    fn end(&mut self) -> anyhow::Result<()> {
        self.shared.state().closed = true;
        self.shared.changed.notify_all();
        let _ = self.events.shutdown(Shutdown::Both);
        self.threads.drain(..).try_for_each(|thread| thread.join().expect("a page that does not panic"))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

impl Shared {
    fn listen(&self, events: TcpStream, stream: &str) -> anyhow::Result<()> {
        let mut name = String::new();
        for line in BufReader::new(events).lines() {
            let line = match line {
                Ok(line) => line,
                Err(_) if self.state().closed => return Ok(()),
                Err(e) => return Err(e).context("events"),
            };
            if let Some(of) = line.strip_prefix("event: ") {
                of.clone_into(&mut name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                // The page makes values of all of them.
                let data: Value = serde_json::from_str(data).context("an event that is no JSON")?;
                if name == "channel" && data["stream"] == stream {
                    let now = [data["luts"].clone(), data["revision"].clone()];
                    let mut state = self.state();
                    if state.seen.as_ref() != Some(&now) {
                        (state.seen, state.look) = (Some(now), true);
                        self.changed.notify_all();
                    }
                }
            }
        }
        ensure!(self.state().closed, "the server has ended the events");
        Ok(())
    }

    fn look(&self, panel: SocketAddr, stream: &str) -> anyhow::Result<()> {
        let mut connection = BufReader::with_capacity(64 << 10, connect(panel)?);
        let mut body = Vec::new();
        loop {
            let idle = |state: &mut State| !state.look && !state.closed;
            let waited = self.changed.wait_while(self.state(), idle);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            if state.closed {
                return Ok(());
            }
            state.look = false;
            drop(state);
            let begun = Instant::now();
            request(connection.get_mut(), panel, &format!("channels/{stream}/strip?of=received&probe=0.5,0.5,0.5"))?;
            answer(&mut connection, &mut body)?;
            let fetching = begun.elapsed();
            self.looks.fetch_add(1, Ordering::Relaxed);
            // Whoever has seen the old number under the lock waits by now.
            drop(self.state());
            self.changed.notify_all();
            thread::sleep((fetching * GAP_FOR_FETCH).clamp(LOOK_GAP, LONGEST_GAP));
        }
    }
}

fn connect(to: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn request(stream: &mut TcpStream, panel: SocketAddr, path: &str) -> anyhow::Result<()> {
    Ok(stream.write_all(format!("GET /api/v1/{path} HTTP/1.1\r\nHost: {panel}\r\n\r\n").as_bytes())?)
}

/// Reads an answer, whose body has to be there.
fn answer(from: &mut impl BufRead, body: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    ensure!(line.starts_with("HTTP/1.1 200 "), "the panel answers {line:?}");
    let mut length = None;
    while !line.trim().is_empty() {
        line.clear();
        from.read_line(&mut line)?;
        let lower = line.to_ascii_lowercase();
        length = lower.strip_prefix("content-length:").map(|value| value.trim().parse()).transpose()?.or(length);
    }
    let length: u64 = length.context("an answer without a length")?;
    body.clear();
    ensure!(from.take(length).read_to_end(body)? as u64 == length, "the panel ends in the middle of an answer");
    Ok(())
}
