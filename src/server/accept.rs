//! Accepting connections, and keeping to the number that there may be.

use super::connection::{Connection, say};
use super::excess::Excess;
use super::log::{self, ClientLog};
use super::origin::Origin;
use super::pieces::Pieces;
use super::places::{Admission, Holder, Places, Standing};
use super::shortage::Shortage;
use super::{Access, Client, ServerConfig};
use crate::EVENTS;
use crate::memory_limit::MemoryLimit;
use crate::metrics::{Metrics, Reason};
use crate::pulse::Pulse;
use crate::recording::Recorder;
use crate::sink::LutSink;
use crate::wire::LiveLimits;
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// A connection's thread needs little stack: its buffers are on the heap.
const STACK_BYTES: usize = 256 << 10;
/// How long accepting rests when the system has no file descriptor or memory for another connection.
const BACK_OFF: Duration = Duration::from_millis(200);
/// Connections that are closed without a word before accepting rests, and for how long. A flood of connections then takes
/// little from those that are served, and the kernel's queue is empty within some 40 ms.
const DROPPED_IN_A_ROW: u32 = 32;
const REST: Duration = Duration::from_millis(1);
/// Connections accepted before anything else has its turn.
const ACCEPTED_IN_A_ROW: u32 = 256;
/// Refused connections are kept open this long, so that they can read why.
const REFUSED_LINGER: Duration = Duration::from_millis(500);
/// Refused connections kept open at once; further ones are dropped as soon as they are told.
const MOST_REFUSED: usize = 64;

/// What the accepting thread, the connections' threads and the server share.
pub(super) struct Shared {
    sink: Arc<dyn LutSink>,
    pub(super) limits: Arc<LiveLimits>,
    pub(super) recorder: Option<Recorder>,
    pub(super) pieces: Pieces,
    places: Mutex<Places>,
    pub(super) memory: MemoryLimit,
    pub(super) metrics: Metrics,
    pub(super) refusals: ClientLog,
    events: ClientLog,
    access: Mutex<Access>,
    waker: Waker,
    pulse: Pulse,
    stopping: AtomicBool,
    connections: Mutex<BTreeMap<u64, Arc<Connection>>>,
    left: Condvar,
}

impl Shared {
    fn new(config: &ServerConfig, sink: Arc<dyn LutSink>, waker: Waker) -> Self {
        Shared {
            sink,
            limits: Arc::new(LiveLimits::new(config.limits)),
            recorder: config.recorder.clone(),
            pieces: Pieces::default(),
            places: Mutex::new(Places::of(config)),
            memory: config.memory.clone(),
            metrics: config.metrics.clone(),
            refusals: ClientLog::new(log::REFUSALS),
            events: ClientLog::new(log::EVENTS),
            access: Mutex::new(config.access.clone()),
            waker,
            pulse: Pulse::default(),
            stopping: AtomicBool::new(false),
            connections: Mutex::default(),
            left: Condvar::new(),
        }
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locked after `connections`, where both are.
    fn access(&self) -> MutexGuard<'_, Access> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what of a configuration can change, and ends the connections of those who are not let in any more.
    pub(super) fn reconfigure(&self, config: &ServerConfig) {
        if self.limits.get() != config.limits {
            self.limits.set(config.limits);
        }
        *self.places.lock().unwrap_or_else(PoisonError::into_inner) = Places::of(config);
        let connections = self.connections();
        *self.access() = config.access.clone();
        for connection in connections.values() {
            if let Err(why) = config.access.check(connection.peer.ip()) {
                connection.dismiss(why);
            }
        }
    }

    pub(super) fn count(&self) -> usize {
        self.connections().len()
    }

    pub(super) fn clients(&self) -> Vec<Client> {
        let connections = self.connections();
        let client = |c: &Arc<Connection>| Client {
            address: c.peer,
            since: c.since,
            has_sent: matches!(c.standing(), Standing::Proven | Standing::Grading),
        };
        connections.values().map(client).collect()
    }

    pub(super) fn stop_accepting(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        if let Err(e) = self.waker.wake() {
            warn!("the accepting thread could not be woken: {e}");
        }
    }

    /// Whether the accepting thread still accepts, found out within `patience`.
    pub(super) fn responds(&self, patience: Duration) -> bool {
        self.pulse.ask(patience, || {
            let _ = self.waker.wake();
        })
    }

    /// Has every connection end with what it is at.
    pub(super) fn finish(&self) {
        self.connections().values().for_each(|connection| connection.finish());
    }

    /// Whether a connection has a request that is not answered yet.
    pub(super) fn is_at_work(&self) -> bool {
        self.connections().values().any(|connection| connection.is_at_work())
    }

    /// Ends every connection wherever it is.
    pub(super) fn cut(&self) {
        self.connections().values().for_each(|connection| connection.cut());
    }

    /// Waits until no connection is left; tells whether that came about in time.
    pub(super) fn wait_until_empty(&self, time: Duration) -> bool {
        let guard = self.connections();
        let (guard, _) = self
            .left
            .wait_timeout_while(guard, time, |connections| !connections.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        guard.is_empty()
    }

    /// Finds a place for a connection from `origin`, and takes one off the list to make room where that is needed and
    /// `may` says that this one is worth it.
    fn place(
        &self,
        connections: &mut BTreeMap<u64, Arc<Connection>>,
        origin: Origin,
        may: impl FnOnce() -> bool,
    ) -> Place {
        let holder = |(key, c): (&u64, &Arc<Connection>)| Holder {
            key: *key,
            origin: c.origin,
            standing: c.standing(),
            at_work: c.is_at_work(),
            active: c.active(),
        };
        let holders: Vec<_> = connections.iter().map(holder).collect();
        let places = *self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let (limit, make_room) = match places.admit(&holders, origin) {
            Admission::Free => return Place::Free,
            Admission::Over { limit, .. } if !may() => return Place::Flooded(limit),
            Admission::Over { limit, make_room } => (limit, make_room),
        };
        for key in make_room {
            // It may have sent a request in this very moment.
            let displaced = |c: &Arc<Connection>| {
                let standing = c.standing();
                standing < Standing::Grading && c.move_on(standing, Standing::Displaced)
            };
            if connections.get(&key).is_some_and(displaced)
                && let Some(displaced) = connections.remove(&key)
            {
                return Place::Instead(displaced, limit);
            }
        }
        Place::None(limit)
    }

    /// Logs what a client was refused.
    pub(super) fn log_refusal(&self, origin: Origin, what: fmt::Arguments<'_>) {
        if let Some(unlogged) = self.refusals.may(origin) {
            warn!("{what}{unlogged}");
        }
    }

    /// Logs that a client has come or gone.
    pub(super) fn log_event(&self, origin: Origin, what: fmt::Arguments<'_>) {
        if let Some(unlogged) = self.events.may(origin) {
            info!(target: EVENTS, "{what}{unlogged}");
        }
    }
}

/// Whether there is a place for a connection.
enum Place {
    Free,
    /// In the place of this one, for the limit said.
    Instead(Arc<Connection>, String),
    /// None, for the limit said.
    None(String),
    /// None, and it comes after so many others that it is not even told.
    Flooded(String),
}

/// What became of a connection, for the pace at which others are accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    /// It was served, or told why not.
    Answered,
    /// It was closed without a word.
    Dropped,
    /// The system has no thread for it.
    NoThread,
}

/// Takes a connection off the list when its thread ends, in whatever way it ends.
struct Leave {
    shared: Arc<Shared>,
    key: u64,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.shared.connections().remove(&self.key);
        self.shared.left.notify_all();
    }
}

/// The accepting thread's own state.
struct Acceptor {
    shared: Arc<Shared>,
    poll: Poll,
    listeners: Vec<mio::net::TcpListener>,
    refused: Vec<(TcpStream, Instant)>,
    next_key: u64,
    resting_until: Option<Instant>,
    /// The listener whose turn it is: none has to wait for the others' floods.
    turn: usize,
    /// Connections beyond limits that are still answered.
    excess: Excess,
    /// Connections closed without a word since the last rest.
    dropped: u32,
    /// The lack of descriptors or memory for connections.
    shortage: Shortage,
}

/// The token of the waker; listeners have their index.
const WAKE: Token = Token(usize::MAX);

/// Starts the accepting thread.
pub(super) fn spawn(
    config: &ServerConfig,
    sink: Arc<dyn LutSink>,
    listeners: Vec<TcpListener>,
) -> io::Result<(Arc<Shared>, JoinHandle<()>)> {
    let poll = Poll::new()?;
    let shared = Arc::new(Shared::new(config, sink, Waker::new(poll.registry(), WAKE)?));
    let mut acceptor = Acceptor {
        shared: shared.clone(),
        poll,
        listeners: listeners.into_iter().map(mio::net::TcpListener::from_std).collect(),
        refused: Vec::new(),
        next_key: 0,
        resting_until: None,
        turn: 0,
        excess: Excess::default(),
        dropped: 0,
        shortage: Shortage::default(),
    };
    for (i, listener) in acceptor.listeners.iter_mut().enumerate() {
        acceptor.poll.registry().register(listener, Token(i), Interest::READABLE)?;
    }
    let thread =
        thread::Builder::new().name("vglb-accept".into()).stack_size(STACK_BYTES).spawn(move || acceptor.run())?;
    Ok((shared, thread))
}

impl Acceptor {
    fn run(mut self) {
        let mut events = Events::with_capacity(16);
        loop {
            if let Err(e) = self.poll.poll(&mut events, self.nap())
                && e.kind() != io::ErrorKind::Interrupted
            {
                warn!("waiting for connections failed: {e}");
                self.resting_until = Some(Instant::now() + BACK_OFF);
            }
            if self.shared.stopping.load(Ordering::SeqCst) {
                return;
            }
            self.accept_all();
            self.let_refused_go();
            if let Some(unsaid) = self.shortage.is_over(Instant::now()) {
                info!(target: EVENTS, "connections are accepted again{unsaid}");
            }
            self.shared.pulse.answer();
        }
    }

    /// How long to sleep where nothing happens: for ever, unless something is to be done later.
    fn nap(&self) -> Option<Duration> {
        let now = Instant::now();
        let refused = self.refused.iter().map(|(_, t)| *t).min();
        let next = self.resting_until.into_iter().chain(refused).chain(self.shortage.over_at()).min();
        next.map(|t| t.saturating_duration_since(now))
    }

    /// Accepts whatever is waiting, from the listeners by turns. Events come once, so every listener is emptied in the end.
    fn accept_all(&mut self) {
        let now = Instant::now();
        if self.resting_until.is_some_and(|t| now < t) {
            return;
        }
        self.resting_until = None;
        let mut empty = 0;
        for _ in 0..ACCEPTED_IN_A_ROW {
            let i = self.turn % self.listeners.len();
            self.turn = i + 1;
            match self.listeners[i].accept() {
                Ok((stream, peer)) => {
                    empty = 0;
                    self.shortage.suffices();
                    let done = self.admit(stream.into(), peer);
                    if let Some(rest) = self.rest_after(done) {
                        self.resting_until = Some(Instant::now() + rest);
                        return;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    // Nobody waits. And Linux looks for a descriptor first, so that a lack can begin and end with nobody waiting.
                    self.shortage.suffices();
                    empty += 1;
                    if empty == self.listeners.len() {
                        self.dropped = 0;
                        return;
                    }
                }
                Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted) => {
                    empty = 0
                }
                Err(e) => {
                    let now = Instant::now();
                    if let Some(unsaid) = self.shortage.lacks(now) {
                        warn!(
                            "no connection can be accepted at present ({e}); clients that are connected go on{unsaid}"
                        );
                    }
                    self.resting_until = Some(now + BACK_OFF);
                    return;
                }
            }
        }
        // There is more, after a look at the rest.
        self.resting_until = Some(now);
    }

    /// How long to rest after a connection.
    fn rest_after(&mut self, done: Done) -> Option<Duration> {
        match done {
            Done::Answered => return None,
            Done::NoThread => {}
            Done::Dropped => {
                self.dropped += 1;
                if self.dropped < DROPPED_IN_A_ROW {
                    return None;
                }
            }
        }
        self.dropped = 0;
        Some(REST)
    }

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) -> Done {
        let connection = match Connection::new(stream, peer) {
            Ok(connection) => Arc::new(connection),
            Err(e) => {
                let gone = format_args!("client {peer} was gone before it was served: {e}");
                self.shared.log_event(peer.ip().into(), gone);
                return Done::Answered;
            }
        };
        let origin = connection.origin;
        let shared = self.shared.clone();
        let mut connections = shared.connections();
        let let_in = shared.access().check(peer.ip());
        if let Err(why) = let_in {
            drop(connections);
            shared.metrics.refused(Reason::Address);
            shared.log_refusal(origin, format_args!("client {peer} was refused: {why}"));
            if !self.excess.may(origin, Instant::now()) {
                return Done::Dropped;
            }
            self.refuse(&connection.stream, "this server does not take clients from your address");
            return Done::Answered;
        }
        match shared.place(&mut connections, origin, || self.excess.may(origin, Instant::now())) {
            Place::Free => {}
            Place::Flooded(limit) => {
                drop(connections);
                shared.metrics.refused(Reason::Connections);
                let why = format_args!("client {peer} was refused, and not told why, as so many come: {limit}");
                shared.log_refusal(origin, why);
                return Done::Dropped;
            }
            Place::None(limit) => {
                drop(connections);
                shared.metrics.refused(Reason::Connections);
                shared.log_refusal(origin, format_args!("client {peer} was refused: {limit}"));
                self.refuse(&connection.stream, &limit);
                return Done::Answered;
            }
            Place::Instead(displaced, limit) => {
                drop(connections);
                let why = format!("{limit}; this one {} and had to make room", displaced.idleness());
                shared.metrics.refused(Reason::Connections);
                shared.log_refusal(displaced.origin, format_args!("client {} was closed: {why}", displaced.peer));
                self.refuse(&displaced.stream, &why);
                connections = shared.connections();
            }
        }
        let key = self.next_key;
        self.next_key += 1;
        connections.insert(key, connection.clone());
        let count = connections.len();
        drop(connections);
        shared.metrics.connected();
        shared.log_event(origin, format_args!("client {peer} connected ({count} now)"));
        let leave = Leave { shared: shared.clone(), key };
        let serving = connection.clone();
        let thread = thread::Builder::new().name(format!("vglb {peer}")).stack_size(STACK_BYTES).spawn(move || {
            let shared = &*leave.shared;
            // A fault of ours is this connection's end, and nobody else's.
            let served = catch_unwind(AssertUnwindSafe(|| {
                let sink = shared.sink.for_client(peer.ip()).unwrap_or_else(|| shared.sink.clone());
                serving.serve(sink, shared);
            }));
            if let Err(panic) = served {
                serving.fail(shared, &*panic);
            }
            drop(leave);
        });
        if let Err(e) = thread {
            let why = format!("this server has no thread for another connection: {e}");
            shared.log_refusal(origin, format_args!("client {peer} was refused: {why}"));
            self.refuse(&connection.stream, &why);
            return Done::NoThread;
        }
        Done::Answered
    }

    /// Tells a peer why it is not served, and keeps its connection a little so that it can read it.
    fn refuse(&mut self, stream: &TcpStream, why: &str) {
        let told = say(stream, why);
        let _ = stream.shutdown(Shutdown::Read);
        if told.is_ok()
            && self.refused.len() < MOST_REFUSED
            && let Ok(kept) = stream.try_clone()
            && kept.set_nonblocking(true).is_ok()
        {
            self.refused.push((kept, Instant::now() + REFUSED_LINGER));
        }
    }

    /// Reads away what refused peers still send, and closes those whose time is up.
    fn let_refused_go(&mut self) {
        let mut scrap = [0; 4096];
        self.refused.retain_mut(|(stream, until)| {
            if Instant::now() < *until {
                return true;
            }
            for _ in 0..64 {
                if !matches!(stream.read(&mut scrap), Ok(n) if n > 0) {
                    break;
                }
            }
            false
        });
    }
}
