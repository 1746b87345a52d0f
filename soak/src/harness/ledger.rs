//! What was sent and accepted, and what was broken.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Channels that one client alone sends good LUTs on, one after the other: their numbers only rise.
pub const OWNED: u16 = 10;
/// Channels on which clients leave without waiting for an answer.
pub const LOOSE: u16 = 3;

/// What all threads of a soak share.
pub struct Ledger {
    pub channels: Vec<Channel>,
    breaches: Mutex<Vec<String>>,
    /// Everything stops.
    pub ended: AtomicBool,
    /// Clients and receivers stay away for a while.
    pub calm: AtomicBool,
    /// Clients that have noticed.
    pub resting: AtomicU32,
    /// Odd while the server is being stopped, killed or started.
    pub epoch: AtomicU64,
    epoch_changed: Mutex<Instant>,
    /// When the server was last short of descriptors.
    pub short_of_fds: Mutex<Option<Instant>>,
    pub fds_lowered: AtomicBool,
    pub counts: Counts,
    pub latencies: Mutex<Vec<u32>>,
    begun: Instant,
}

/// How often what happened.
#[derive(Default)]
pub struct Counts {
    pub accepted: AtomicU64,
    pub refused_for_want: AtomicU64,
    pub refused_malformed: AtomicU64,
    pub broken_off: AtomicU64,
    pub looked: AtomicU64,
    pub frames: AtomicU64,
    pub lost_connections: AtomicU64,
}

/// A LUT that a server has accepted.
struct Accepted {
    number: u32,
    /// The server's life. The answer may be read when that is over.
    life: u64,
    at: Instant,
}

/// One channel's LUTs.
#[derive(Default)]
pub struct Channel {
    /// The highest number begun.
    pub sent: AtomicU32,
    accepted: Mutex<Vec<Accepted>>,
    /// The number that a restarted server had.
    pub restored: AtomicU32,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Channel {
    pub fn next(&self) -> u32 {
        self.sent.fetch_add(1, SeqCst) + 1
    }

    pub fn note_accepted(&self, number: u32, life: u64) {
        let mut accepted = lock(&self.accepted);
        if accepted.len() > 4096 {
            accepted.drain(..2048);
        }
        accepted.push(Accepted { number, life, at: Instant::now() });
    }

    /// The highest number that the server of this life has accepted, up to a certain time. What one before it had
    /// accepted, and had not written when it was killed, is lost.
    pub fn accepted(&self, life: u64, by: Instant) -> u32 {
        let accepted = lock(&self.accepted);
        accepted.iter().filter(|a| a.life == life && a.at <= by).map(|a| a.number).max().unwrap_or(0)
    }
}

impl Ledger {
    pub fn new() -> Ledger {
        Ledger {
            channels: (0..OWNED + LOOSE).map(|_| Channel::default()).collect(),
            breaches: Mutex::default(),
            ended: AtomicBool::new(false),
            calm: AtomicBool::new(false),
            resting: AtomicU32::new(0),
            epoch: AtomicU64::new(1),
            epoch_changed: Mutex::new(Instant::now()),
            short_of_fds: Mutex::default(),
            fds_lowered: AtomicBool::new(false),
            counts: Counts::default(),
            latencies: Mutex::default(),
            begun: Instant::now(),
        }
    }

    /// A promise was broken.
    pub fn breach(&self, what: impl std::fmt::Display) {
        let line = format!("{:.1} s: {what}", self.begun.elapsed().as_secs_f64());
        let mut breaches = lock(&self.breaches);
        if breaches.len() < 50 {
            eprintln!("BREACH {line}");
        }
        breaches.push(line);
    }

    pub fn breaches(&self) -> Vec<String> {
        lock(&self.breaches).clone()
    }

    pub fn is_over(&self) -> bool {
        self.ended.load(SeqCst)
    }

    /// The server's life, where one runs.
    pub fn life(&self) -> Option<u64> {
        Some(self.epoch.load(SeqCst)).filter(|epoch| epoch % 2 == 0)
    }

    /// The server is about to be ended, or listens again.
    pub fn turn(&self) {
        *lock(&self.epoch_changed) = Instant::now();
        self.epoch.fetch_add(1, SeqCst);
    }

    /// Whether one server has run for as long as any receiver needs to notice.
    pub fn is_settled(&self) -> bool {
        self.life().is_some() && lock(&self.epoch_changed).elapsed() > Duration::from_secs(5)
    }

    /// Whether the server has, or just had, no descriptors to spare: then it may refuse what is new to it.
    pub fn is_short_of_fds(&self) -> bool {
        self.fds_lowered.load(SeqCst)
            || lock(&self.short_of_fds).is_some_and(|at| at.elapsed() < Duration::from_secs(5))
    }

    pub fn set_fds_lowered(&self, lowered: bool) {
        *lock(&self.short_of_fds) = Some(Instant::now());
        self.fds_lowered.store(lowered, SeqCst);
    }

    /// A client stays away while it is calm. Returns whether it was.
    pub fn rest(&self) -> bool {
        if !self.calm.load(SeqCst) {
            return false;
        }
        self.resting.fetch_add(1, SeqCst);
        while self.calm.load(SeqCst) && !self.is_over() {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.resting.fetch_sub(1, SeqCst);
        true
    }
}

pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, SeqCst);
}

pub fn channel_name(channel: u16) -> String {
    format!("soak-{channel}")
}

pub fn stream_name(channel: u16) -> String {
    format!("vglb-lut-{}", channel_name(channel))
}
