//! Server-sent events: whoever listens is told what changes, and how everything stands to begin with.
//!
//! Each listener has its connection's thread, which sleeps until something changes. It looks at most so often, so that
//! LUTs that come quickly cost it, and the path of LUTs, little.

use super::{Panel, event_log};
use crate::channel::Waker;
use crate::http::{Body, Response, StopSignal};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The most listeners at once.
const MOST: usize = 24;
/// A listener is told of changes at most this often.
const GAP: Duration = Duration::from_millis(40);
/// Where nothing happens, a listener is tried this often, so that one that is gone is noticed.
const TRY: Duration = Duration::from_secs(5);
/// The thread only rings bells.
const STACK_BYTES: usize = 64 << 10;

/// Who listens.
pub(super) struct Events {
    listeners: Mutex<BTreeMap<u64, Waker>>,
    next: AtomicU64,
    stopped: AtomicBool,
    bell: SyncSender<()>,
}

impl Events {
    /// Starts the thread that wakes listeners when there is a line on the log. Whoever logs must not do so itself: it
    /// may hold locks that a listener waits for.
    pub(super) fn start() -> io::Result<Arc<Events>> {
        let (bell, rung) = sync_channel(1);
        let events = Arc::new(Events {
            listeners: Mutex::default(),
            next: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            bell: bell.clone(),
        });
        let own = events.clone();
        thread::Builder::new().name("vglb-events".into()).stack_size(STACK_BYTES).spawn(move || own.ring(&rung))?;
        event_log::ring(bell);
        Ok(events)
    }

    fn ring(&self, rung: &Receiver<()>) {
        while rung.recv().is_ok() && !self.stopped.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    fn wake(&self) {
        self.listeners().values().for_each(Waker::wake);
    }

    /// Has every listener end.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.wake();
        // It may be full: then it is about to be heard.
        let _ = self.bell.try_send(());
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.listeners().len()
    }

    fn listeners(&self) -> MutexGuard<'_, BTreeMap<u64, Waker>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a listener off the list, in whatever way it ends.
struct Leave(Arc<Panel>, u64);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.events.listeners().remove(&self.1);
    }
}

/// The answer to whoever wants to listen.
pub(super) fn listen(panel: &Arc<Panel>) -> Response {
    let mut changes = panel.sources.channels.changes();
    let key = panel.events.next.fetch_add(1, Ordering::Relaxed);
    {
        let mut listeners = panel.events.listeners();
        if listeners.len() >= MOST {
            return Response::error(503, format!("{MOST} listen to events already, the most that there can be"));
        }
        listeners.insert(key, changes.waker());
    }
    let leave = Leave(panel.clone(), key);
    let write = move |out: &mut dyn Write, stop: &StopSignal| {
        let panel = &leave.0;
        let mut telling = Telling::default();
        let mut news = telling.hello(panel);
        let mut written = Instant::now();
        loop {
            news.push_str(&telling.news(panel));
            if news.is_empty() && written.elapsed() >= TRY {
                news.push_str(":\n\n");
            }
            if !news.is_empty() {
                out.write_all(news.as_bytes())?;
                out.flush()?;
                written = Instant::now();
                news.clear();
                thread::sleep(GAP);
            }
            if stop.is_set() || changes.is_closed() || panel.events.stopped.load(Ordering::SeqCst) {
                return Ok(());
            }
            changes.wait(Some(TRY.saturating_sub(written.elapsed())));
        }
    };
    let headers = vec![("Content-Type", "text/event-stream".to_owned()), ("Cache-Control", "no-store".to_owned())];
    Response { status: 200, headers, body: Body::Endless(Box::new(write)) }
}

/// What one listener has been told.
#[derive(Default)]
struct Telling {
    channels: BTreeMap<String, Value>,
    clients: Option<Vec<Value>>,
    presets: Option<Vec<Value>>,
    line: u64,
}

impl Telling {
    fn hello(&mut self, panel: &Panel) -> String {
        event("server", &panel.server())
    }

    fn news(&mut self, panel: &Panel) -> String {
        let mut news = String::new();
        for status in panel.sources.channels.status() {
            let now = panel.channel(&status);
            if self.channels.get(&status.stream) != Some(&now) {
                news.push_str(&event("channel", &now));
                self.channels.insert(status.stream, now);
            }
        }
        let clients = panel.clients();
        if self.clients.as_ref() != Some(&clients) {
            news.push_str(&event("clients", &clients.clone().into()));
            self.clients = Some(clients);
        }
        let presets = panel.preset_list();
        if self.presets.as_ref() != Some(&presets) {
            news.push_str(&event("presets", &presets.clone().into()));
            self.presets = Some(presets);
        }
        for line in event_log::after(self.line) {
            self.line = line.number;
            news.push_str(&event("log", &line.json()));
        }
        news
    }
}

/// JSON has no line breaks, so that an event is two lines.
fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
