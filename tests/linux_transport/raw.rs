//! Sockets and messages as bytes, written from the document and not with the code under test.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::path::Path;
use std::time::Duration;

pub const HELLO: u16 = 1;
pub const SURFACE: u16 = 2;
pub const FRAME: u16 = 3;
pub const RELEASE: u16 = 4;
pub const GONE: u16 = 5;
pub const CDL: u16 = 6;

fn socket() -> OwnedFd {
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    // So that a test that waits in vain fails.
    let patience = Some(Duration::from_secs(60));
    rustix::net::sockopt::set_socket_timeout(&socket, rustix::net::sockopt::Timeout::Recv, patience).unwrap();
    socket
}

pub fn connect(path: &Path) -> OwnedFd {
    let socket = socket();
    rustix::net::connect(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    socket
}

/// A listening socket; `None` where the name is taken.
pub fn listen(path: &Path) -> Option<OwnedFd> {
    let socket = socket();
    rustix::net::bind(&socket, &SocketAddrUnix::new(path).unwrap()).ok()?;
    rustix::net::listen(&socket, 8).unwrap();
    Some(socket)
}

/// A message with its header.
pub fn message(kind: u16, fields: &[u8]) -> Vec<u8> {
    let mut m = b"VGLB\x01\x00".to_vec();
    m.extend(kind.to_le_bytes());
    m.extend((16 + fields.len() as u32).to_le_bytes());
    m.extend([0; 4]);
    m.extend(fields);
    m
}

pub fn hello(flags: u32, tiers: u32) -> Vec<u8> {
    let mut fields = [0; 48];
    fields[..4].copy_from_slice(&flags.to_le_bytes());
    fields[4..8].copy_from_slice(&tiers.to_le_bytes());
    message(HELLO, &fields)
}

pub fn send(socket: &OwnedFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), rustix::io::Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(fds)));
    }
    rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL).map(drop)
}

/// The next message; `None` where the other end has closed.
pub fn receive(socket: &OwnedFd) -> Option<(Vec<u8>, Option<OwnedFd>)> {
    let mut bytes = vec![0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = loop {
        let mut into = [IoSliceMut::new(&mut bytes)];
        match rustix::net::recvmsg(socket.as_fd(), &mut into, &mut control, RecvFlags::CMSG_CLOEXEC) {
            // The sender has closed without reading everything; what it said before that is still there.
            Err(rustix::io::Errno::CONNRESET) => {}
            Err(rustix::io::Errno::INTR) => {}
            got => break got.expect("a message within a minute"),
        }
    };
    let fd = control.drain().find_map(|m| match m {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    bytes.truncate(got.bytes);
    (got.bytes > 0).then_some((bytes, fd))
}

pub fn kind(message: &[u8]) -> u16 {
    assert_eq!(message[..6], *b"VGLB\x01\x00");
    assert_eq!(u32_at(message, 8) as usize, message.len());
    u16::from_le_bytes([message[6], message[7]])
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// What a sender says last: the reason and its number. Other messages may come before.
pub fn last_words(socket: &OwnedFd) -> Option<(u32, u32)> {
    let mut last = None;
    while let Some((m, _)) = receive(socket) {
        assert_eq!(last, None, "something came after GONE");
        if kind(&m) == GONE {
            last = Some((u32_at(&m, 16), u32_at(&m, 20)));
        }
    }
    last
}
