//! Opening the listening sockets.

use super::StartError;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

/// Connections that may wait to be accepted. With fewer, a burst of them waits a second for its handshake to be tried
/// again.
const BACKLOG: i32 = 1024;

/// Listens on every address that `host` stands for. With port 0, all listen on the port chosen for the first.
pub(crate) fn listen(host: &str, port: u16) -> Result<Vec<TcpListener>, StartError> {
    let unusable = |source| StartError::Host { host: host.to_owned(), source };
    // An IPv6 address may come in brackets, as in a URL.
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in (bare, port).to_socket_addrs().map_err(unusable)? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    let mut listeners = Vec::new();
    let mut skipped = None;
    let mut port = port;
    for mut address in addresses {
        address.set_port(port);
        match open(address) {
            Ok(listener) => {
                port = listener.local_addr()?.port();
                listeners.push(listener);
            }
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => return Err(StartError::InUse(address)),
            // A name may stand for an IPv6 address on a computer that has IPv6 turned off.
            Err(source) => skipped = Some(StartError::Address { address, source }),
        }
    }
    match (listeners.is_empty(), skipped) {
        (false, _) => Ok(listeners),
        (true, Some(error)) => Err(error),
        (true, None) => Err(unusable(io::Error::new(io::ErrorKind::NotFound, "the name stands for no address"))),
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        // "All addresses" means IPv4 as well, whatever the system's default is.
        socket.set_only_v6(false)?;
    }
    // On Unix this lets a restarted server have its port back at once. On Windows the same option would let two
    // programs share the port.
    socket.set_reuse_address(cfg!(unix))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
