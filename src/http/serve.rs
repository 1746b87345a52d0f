//! Listening, and the connections that there are.

use super::connection::Connection;
use super::doors::{Closed, Doors};
use super::response::Response;
use super::{Handler, HttpConfig, HttpLimits};
use crate::memory_limit::MemoryLimit;
use crate::server::{Access, StartError, listen};
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tracing::{debug, warn};

const STACK_BYTES: usize = 512 << 10;
/// How long accepting rests when the system has nothing for another connection.
const BACK_OFF: Duration = Duration::from_millis(200);
/// How long connections may take to end once the server stops.
const STOP_TIME: Duration = Duration::from_millis(500);

/// Tells the writer of an endless body that the server stops.
#[derive(Clone, Default)]
pub struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    /// Whether the server stops.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

struct Shared {
    limits: HttpLimits,
    memory: MemoryLimit,
    doors: Mutex<Doors>,
    handler: Arc<dyn Handler>,
    waker: Waker,
    stop: StopSignal,
    connections: Mutex<BTreeMap<u64, (SocketAddr, TcpStream)>>,
    left: Condvar,
}

impl Shared {
    /// Locked after `connections`, where both are.
    fn doors(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<u64, (SocketAddr, TcpStream)>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server. Dropping it stops it.
pub struct HttpServer {
    shared: Arc<Shared>,
    addresses: Vec<SocketAddr>,
    accepting: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Listens, and answers with `handler` from now on.
    pub fn start(config: HttpConfig, handler: Arc<dyn Handler>) -> Result<HttpServer, StartError> {
        let listeners = listen::listen(&config.host, config.port)?;
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<_>>()?;
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let shared = Arc::new(Shared {
            limits: config.limits,
            memory: config.memory.clone(),
            doors: Mutex::new(Doors::of(&config)),
            handler,
            waker,
            stop: StopSignal::default(),
            connections: Mutex::default(),
            left: Condvar::new(),
        });
        let mut listeners: Vec<_> = listeners.into_iter().map(mio::net::TcpListener::from_std).collect();
        for (i, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(listener, Token(i), Interest::READABLE)?;
        }
        let own = shared.clone();
        let accepting = thread::Builder::new()
            .name("vglb-http".into())
            .stack_size(STACK_BYTES)
            .spawn(move || accept(&own, poll, &listeners))?;
        Ok(HttpServer { shared, addresses, accepting: Some(accepting) })
    }

    /// The addresses listened on, with the port that the system chose where 0 was asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Lets other clients in from now on, and ends the connections of those that are not let in any more.
    pub fn set_access(&self, access: Access) {
        let connections = self.shared.connections();
        self.shared.doors().access = access.clone();
        for (peer, stream) in connections.values() {
            if let Err(why) = access.check(peer.ip()) {
                debug!("HTTP client {peer} was closed: {why}");
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    /// Has other limits on connections from now on: in all, and from one address. Those that are open stay.
    pub fn set_most(&self, all: usize, each: usize) {
        let mut doors = self.shared.doors();
        (doors.all, doors.each) = (all, each);
    }

    /// Stops: accepts nothing more and ends every connection. Takes at most half a second.
    pub fn stop(&mut self) {
        let Some(accepting) = self.accepting.take() else { return };
        self.shared.stop.0.store(true, Ordering::SeqCst);
        if let Err(e) = self.shared.waker.wake() {
            warn!("the HTTP server's thread could not be woken: {e}");
            return;
        }
        let _ = accepting.join();
        let connections = self.shared.connections();
        for (_, stream) in connections.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let _ = self.shared.left.wait_timeout_while(connections, STOP_TIME, |c| !c.is_empty());
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop();
    }
}

const WAKE: Token = Token(usize::MAX);

fn accept(shared: &Arc<Shared>, mut poll: Poll, listeners: &[mio::net::TcpListener]) {
    let mut events = Events::with_capacity(16);
    let mut rest = None;
    let mut next_key = 0;
    loop {
        if let Err(e) = poll.poll(&mut events, rest.take())
            && e.kind() != io::ErrorKind::Interrupted
        {
            debug!("waiting for HTTP connections failed: {e}");
            thread::sleep(BACK_OFF);
        }
        if shared.stop.is_set() {
            return;
        }
        for listener in listeners {
            loop {
                match listener.accept() {
                    Ok((stream, peer)) => {
                        next_key += 1;
                        admit(shared, stream.into(), peer, next_key);
                    }
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                    Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted) => {}
                    Err(e) => {
                        debug!("no HTTP connection can be accepted at present: {e}");
                        rest = Some(BACK_OFF);
                        break;
                    }
                }
            }
        }
    }
}

/// Takes a connection off the list when its thread ends, in whatever way it ends.
struct Leave(Arc<Shared>, u64);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.connections().remove(&self.1);
        self.0.left.notify_all();
    }
}

fn admit(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr, key: u64) {
    let mut connections = shared.connections();
    let others = connections.values().map(|(other, _)| other.ip());
    match shared.doors().check(peer.ip(), others) {
        Ok(()) => {}
        Err(Closed::Access(why)) => {
            drop(connections);
            debug!("HTTP client {peer} was refused: {why}");
            return refuse(&stream, 403, "this server does not take clients from your address");
        }
        Err(Closed::Full(why)) => {
            drop(connections);
            return refuse(&stream, 503, &why);
        }
    }
    let Ok(kept) = stream.try_clone() else { return };
    if stream.set_nonblocking(false).is_err() || stream.set_nodelay(true).is_err() {
        return;
    }
    connections.insert(key, (peer, kept));
    drop(connections);
    let leave = Leave(shared.clone(), key);
    let own = shared.clone();
    let thread = thread::Builder::new().name(format!("vglb http {peer}")).stack_size(STACK_BYTES).spawn(move || {
        let memory = own.memory.of(Some(peer.ip().into()));
        Connection::new(&stream, peer, own.limits, memory).serve(&*own.handler, &own.stop);
        let _ = stream.shutdown(Shutdown::Both);
        drop(leave);
    });
    if let Err(e) = thread {
        warn!("there is no thread for another HTTP connection: {e}");
    }
}

/// Says why, without waiting for anything.
fn refuse(mut stream: &TcpStream, status: u16, why: &str) {
    let _ = stream.set_nonblocking(true);
    let _ = Response::error(status, why).send(&mut stream, false, false);
    let _ = stream.shutdown(Shutdown::Write);
}
