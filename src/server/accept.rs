//! Accepting connections, and keeping to the number that there may be.

use super::connection::{Connection, Standing, say};
use super::{Access, ServerConfig};
use crate::EVENTS;
use crate::sink::LutSink;
use crate::wire::WireLimits;
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// A connection's thread needs little stack: its buffers are on the heap.
const STACK_BYTES: usize = 256 << 10;
/// How long accepting rests when the system has no file descriptor or memory for another connection.
const BACK_OFF: Duration = Duration::from_millis(200);
/// Refused connections are kept open this long, so that they can read why.
const REFUSED_LINGER: Duration = Duration::from_millis(500);
/// Refused connections kept open at once; further ones are dropped as soon as they are told.
const MOST_REFUSED: usize = 64;
/// Refusals are logged at most this often.
const REFUSAL_LOG_GAP: Duration = Duration::from_secs(1);

/// What the accepting thread, the connections' threads and the server share.
pub(super) struct Shared {
    sink: Arc<dyn LutSink>,
    limits: WireLimits,
    max_connections: usize,
    max_per_address: usize,
    access: Access,
    waker: Waker,
    stopping: AtomicBool,
    connections: Mutex<BTreeMap<u64, Arc<Connection>>>,
    left: Condvar,
}

impl Shared {
    fn new(config: &ServerConfig, sink: Arc<dyn LutSink>, waker: Waker) -> Self {
        Shared {
            sink,
            limits: config.limits,
            max_connections: config.max_connections,
            max_per_address: config.max_connections_per_address,
            access: config.access.clone(),
            waker,
            stopping: AtomicBool::new(false),
            connections: Mutex::default(),
            left: Condvar::new(),
        }
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self) -> usize {
        self.connections().len()
    }

    pub(super) fn stop_accepting(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        if let Err(e) = self.waker.wake() {
            warn!("the accepting thread could not be woken: {e}");
        }
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

    /// The limit that one more connection from `address` would go beyond, and the address whose connections could make
    /// room where it is a limit for each.
    fn limit_reached(
        &self,
        connections: &BTreeMap<u64, Arc<Connection>>,
        address: IpAddr,
    ) -> Option<(String, Option<IpAddr>)> {
        let (limit, each) = (self.max_connections, self.max_per_address);
        if connections.values().filter(|c| c.peer.ip() == address).count() >= each {
            return Some((
                format!("this server takes at most {each} connections at once from one address"),
                Some(address),
            ));
        }
        (connections.len() >= limit).then(|| (format!("this server takes at most {limit} connections at once"), None))
    }

    /// Takes a connection off the list that has sent no whole request yet, to make room: of the address that holds
    /// most such connections, or of `only`, the one longest open.
    fn displace(
        &self,
        connections: &mut BTreeMap<u64, Arc<Connection>>,
        only: Option<IpAddr>,
    ) -> Option<Arc<Connection>> {
        let mut held: BTreeMap<IpAddr, (usize, Instant, u64)> = BTreeMap::new();
        let concerns = |c: &Connection| only.is_none_or(|only| c.peer.ip() == only);
        for (key, connection) in connections.iter().filter(|(_, c)| c.standing() == Standing::New && concerns(c)) {
            let first = (0, connection.since, *key);
            held.entry(connection.peer.ip()).or_insert(first).0 += 1;
        }
        let (_, _, key) = held.into_values().max_by_key(|(count, since, _)| (*count, std::cmp::Reverse(*since)))?;
        let chosen = connections.get(&key)?.clone();
        // It may have sent its first request in this very moment.
        chosen.move_on(Standing::New, Standing::Displaced).then(|| connections.remove(&key))?
    }
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
    refusals: RefusalLog,
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
        refusals: RefusalLog::default(),
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
        }
    }

    /// How long to sleep where nothing happens: for ever, unless something is to be done later.
    fn nap(&self) -> Option<Duration> {
        let now = Instant::now();
        let rest = self.resting_until.map(|t| t.saturating_duration_since(now));
        let refused = self.refused.iter().map(|(_, t)| t.saturating_duration_since(now)).min();
        rest.into_iter().chain(refused).min()
    }

    /// Accepts whatever is waiting. Events come once, so every listener is emptied each time.
    fn accept_all(&mut self) {
        if self.resting_until.is_some_and(|t| Instant::now() < t) {
            return;
        }
        self.resting_until = None;
        for i in 0..self.listeners.len() {
            loop {
                match self.listeners[i].accept() {
                    Ok((stream, peer)) => self.admit(stream.into(), peer),
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                    Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted) => {}
                    Err(e) => {
                        warn!("no connection can be accepted at present ({e}); clients that are connected go on");
                        self.resting_until = Some(Instant::now() + BACK_OFF);
                        return;
                    }
                }
            }
        }
    }

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        let connection = match Connection::new(stream, peer, self.shared.limits.silence) {
            Ok(connection) => Arc::new(connection),
            Err(e) => return info!(target: EVENTS, "client {peer} was gone before it was served: {e}"),
        };
        if let Err(why) = self.shared.access.check(peer.ip()) {
            self.refusals.log(format_args!("client {peer} was refused: {why}"));
            return self.refuse(&connection.stream, "this server does not take clients from your address");
        }
        let mut connections = self.shared.connections();
        if let Some((why, only)) = self.shared.limit_reached(&connections, peer.ip()) {
            let displaced = self.shared.displace(&mut connections, only);
            drop(connections);
            let Some(displaced) = displaced else {
                self.refusals.log(format_args!("client {peer} was refused: {why}"));
                return self.refuse(&connection.stream, &why);
            };
            let why = format!("{why}; this one had sent no request and had to make room");
            self.refusals.log(format_args!("client {} was closed: {why}", displaced.peer));
            self.refuse(&displaced.stream, &why);
            connections = self.shared.connections();
        }
        let key = self.next_key;
        self.next_key += 1;
        connections.insert(key, connection.clone());
        let count = connections.len();
        drop(connections);
        info!(target: EVENTS, "client {peer} connected ({count} now)");
        let leave = Leave { shared: self.shared.clone(), key };
        let shared = self.shared.clone();
        let serving = connection.clone();
        let thread = thread::Builder::new().name(format!("vglb {peer}")).stack_size(STACK_BYTES).spawn(move || {
            serving.serve(shared.sink.clone(), shared.limits);
            drop(leave);
        });
        if let Err(e) = thread {
            let why = format!("this server has no thread for another connection: {e}");
            self.refusals.log(format_args!("client {peer} was refused: {why}"));
            self.refuse(&connection.stream, &why);
        }
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

/// Logs refusals so that a flood of them is no flood of the log.
#[derive(Default)]
struct RefusalLog {
    last: Option<Instant>,
    unlogged: u64,
}

impl RefusalLog {
    fn log(&mut self, what: std::fmt::Arguments<'_>) {
        let now = Instant::now();
        if self.last.is_some_and(|t| now < t + REFUSAL_LOG_GAP) {
            self.unlogged += 1;
            return;
        }
        match std::mem::take(&mut self.unlogged) {
            0 => warn!("{what}"),
            more => warn!("{what} (and {more} more like it before)"),
        }
        self.last = Some(now);
    }
}
