//! Writes a recording on a thread of its own, so that a slow disk never holds a LUT up.

use super::format::{Entry, Event, HEADER_BYTES, MAGIC, VERSION};
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tracing::warn;

/// Bytes that may wait for the disk. What comes beyond is lost, and the recording says so.
const MOST_WAITING: usize = 256 << 20;
/// What is written is on the disk after this, even where the computer loses its power.
const SYNC_GAP: Duration = Duration::from_secs(1);

/// A recording that runs. Clones are of the same one.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    begun: Instant,
    connections: AtomicU32,
    waiting: AtomicUsize,
    lost: AtomicU32,
    /// `None` once the recording is finished.
    queue: Mutex<Option<mpsc::Sender<Entry>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recorder({})", self.shared.path.display())
    }
}

impl Recorder {
    /// Begins a recording in a new file.
    ///
    /// # Errors
    /// Where there is a file of this name already, or it can't be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create_new(path)?;
        let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend(MAGIC);
        header.extend(VERSION.to_le_bytes());
        header.extend(begun.to_le_bytes());
        file.write_all(&header)?;
        let (queue, entries) = mpsc::channel();
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            begun: Instant::now(),
            connections: AtomicU32::new(0),
            waiting: AtomicUsize::new(0),
            lost: AtomicU32::new(0),
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(None),
        });
        let writing = Arc::downgrade(&shared);
        let name = path.to_owned();
        let thread = thread::Builder::new().name("vglb-record".into()).spawn(move || {
            let done = |bytes| {
                if let Some(shared) = writing.upgrade() {
                    shared.waiting.fetch_sub(bytes, Ordering::Relaxed);
                }
            };
            if let Err(e) = run(file, &entries, &done) {
                warn!("nothing more is recorded in {}: {e}", name.display());
                // What still comes is taken and thrown away.
                entries.iter().for_each(|entry| done(weight(&entry.event)));
            }
        })?;
        *shared.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(Recorder { shared })
    }

    /// A number for a new connection.
    pub fn number(&self) -> u32 {
        self.shared.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Puts down what happened on a connection now. Never waits for the disk.
    pub fn record(&self, connection: u32, event: Event) {
        let shared = &*self.shared;
        let queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that times only grow.
        let at = shared.begun.elapsed();
        let Some(sender) = &*queue else { return };
        let bytes = weight(&event);
        if shared.waiting.load(Ordering::Relaxed) + bytes > MOST_WAITING {
            if shared.lost.fetch_add(1, Ordering::Relaxed) == 0 {
                warn!("the disk is too slow for the recording {}: messages are missing in it", shared.path.display());
            }
            return;
        }
        match shared.lost.swap(0, Ordering::Relaxed) {
            0 => {}
            lost => drop(sender.send(Entry { at, connection, event: Event::Lost(lost) })),
        }
        shared.waiting.fetch_add(bytes, Ordering::Relaxed);
        if sender.send(Entry { at, connection, event }).is_err() {
            shared.waiting.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// Writes what waits, and ends the recording.
    pub fn finish(&self) {
        drop(self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn weight(event: &Event) -> usize {
    match event {
        Event::Message(bytes) | Event::Broken(bytes) => bytes.len(),
        Event::Lost(_) | Event::End => 0,
    }
}

/// Each record goes out in one piece, so that a program that is killed leaves whole records.
fn run(mut file: File, entries: &mpsc::Receiver<Entry>, done: &dyn Fn(usize)) -> io::Result<()> {
    let mut dirty = None::<Instant>;
    loop {
        let next = match dirty {
            None => entries.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(since) => entries.recv_timeout((since + SYNC_GAP).saturating_duration_since(Instant::now())),
        };
        match next {
            Ok(entry) => {
                let written = entry.encode().and_then(|record| file.write_all(&record));
                done(weight(&entry.event));
                written?;
                dirty = dirty.or(Some(Instant::now()));
            }
            Err(RecvTimeoutError::Timeout) => {
                file.sync_data()?;
                dirty = None;
            }
            Err(RecvTimeoutError::Disconnected) => return file.sync_all(),
        }
    }
}
