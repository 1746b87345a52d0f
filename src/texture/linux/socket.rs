//! Sockets of whole messages (`SOCK_SEQPACKET`), and who is at their other end.

#![allow(unsafe_code)]

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// A socket that never blocks by itself.
pub(super) fn new_socket() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
}

/// Descriptors that may come with one message.
const DESCRIPTORS: usize = 16;

/// Sends one message, with descriptors; `Errno::AGAIN` where the other end has not read enough of those before.
pub(super) fn send(socket: impl AsFd, message: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::TOOBIG);
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    // A message of this kind of socket goes as a whole or not at all.
    retry_on_intr(|| rustix::net::sendmsg(&socket, &[IoSlice::new(message)], &mut control, flags)).map(drop)
}

/// One message that was received.
pub(super) struct Received {
    /// Its length; 0 where the other end has closed.
    pub length: usize,
    /// The descriptors that came with it.
    pub descriptors: Vec<OwnedFd>,
}

/// Receives one message, if one is there; `Errno::AGAIN` where not, `Errno::MSGSIZE` where it did not fit, or more
/// than 16 descriptors came with it.
pub(super) fn receive(socket: impl AsFd, message: &mut [u8]) -> Result<Received, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let got = retry_on_intr(|| rustix::net::recvmsg(&socket, &mut [IoSliceMut::new(message)], &mut control, flags))?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(come) = message {
            descriptors.extend(come);
        }
    }
    if got.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(Errno::MSGSIZE);
    }
    Ok(Received { length: got.bytes, descriptors })
}

/// Waits until there is something to receive, or the other end is gone; `false` where the time is up before.
pub(super) fn wait_readable(socket: impl AsFd, until: Option<Instant>) -> Result<bool, Errno> {
    loop {
        let left = until.map(|at| timespec(at.saturating_duration_since(Instant::now())));
        match poll(&mut [PollFd::new(&socket, PollFlags::IN)], left.as_ref()) {
            Ok(0) => return Ok(false),
            Err(Errno::INTR) => {}
            other => return other.map(|_| true),
        }
    }
}

/// A duration for the kernel; 68 years stand for everything longer.
pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i32::try_from(duration.as_secs()).unwrap_or(i32::MAX).into(),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

/// The process at the other end of a connection, as it was when it connected, or began to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    /// 0 where it is in a process namespace that this process can't see.
    pub pid: i32,
    pub uid: u32,
    pub gid: u32,
}

impl Peer {
    /// Asks the kernel (`SO_PEERCRED`).
    ///
    /// Not through rustix, whose type for it has no room for the process number 0, which a process in a sandbox gets
    /// for one outside.
    pub(super) fn of(socket: BorrowedFd<'_>) -> Result<Peer, Errno> {
        let mut cred = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
        let mut length = size_of::<libc::ucred>() as libc::socklen_t;
        // SAFETY: the descriptor is open while it is borrowed; the kernel writes at most `length` bytes into `cred`,
        // which has that size, and any bytes are a valid `ucred`; both outlive the call.
        let failed = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut cred).cast(),
                &raw mut length,
            )
        };
        match failed {
            0 => Ok(Peer { pid: cred.pid, uid: cred.uid, gid: cred.gid }),
            _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)),
        }
    }

    /// Whether a sender takes it for a receiver: its user is ours, or it is in the group that streams are shared with.
    pub(super) fn may_receive(&self, socket: BorrowedFd<'_>, group: Option<u32>) -> bool {
        let is_member = |group| self.gid == group || groups(socket).is_ok_and(|all| all.contains(&group));
        self.uid == rustix::process::geteuid().as_raw() || group.is_some_and(is_member)
    }

    /// Its name and number, for people.
    pub(super) fn describe(&self) -> String {
        match std::fs::read_to_string(format!("/proc/{}/comm", self.pid)) {
            Ok(name) if self.pid != 0 => format!("{} ({})", name.trim_end().escape_debug(), self.pid),
            _ if self.pid == 0 => "a process outside this sandbox".into(),
            _ => format!("process {}", self.pid),
        }
    }
}

/// The further groups of the process at the other end (`SO_PEERGROUPS`, Linux 4.13), as they were when it connected.
fn groups(socket: BorrowedFd<'_>) -> Result<Vec<u32>, Errno> {
    let mut groups = vec![0u32; 64];
    loop {
        let mut length = size_of_val(groups.as_slice()) as libc::socklen_t;
        // SAFETY: the descriptor is open while it is borrowed; the kernel writes at most `length` bytes into `groups`,
        // which has as many; both outlive the call.
        let failed = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let number = length as usize / size_of::<u32>();
        match failed {
            0 => {
                groups.truncate(number);
                return Ok(groups);
            }
            // There are more, and the kernel has said how many.
            _ if number > groups.len() => groups.resize(number, 0),
            _ => return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_who_the_kernel_says_and_only_our_user_is_admitted() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let peer = Peer::of(one.as_fd()).unwrap();
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        assert_eq!(peer, Peer { pid: std::process::id() as i32, uid, gid });
        assert!(peer.may_receive(one.as_fd(), None));
        let other = Peer { uid: uid ^ 1, gid: u32::MAX - 7, ..peer };
        assert!(!other.may_receive(one.as_fd(), None) && !other.may_receive(one.as_fd(), Some(u32::MAX - 8)));
        assert!(other.may_receive(one.as_fd(), Some(u32::MAX - 7)), "its first group");
        let further: Vec<_> = rustix::process::getgroups().unwrap().iter().map(|g| g.as_raw()).collect();
        assert_eq!(groups(one.as_fd()).unwrap(), further);
        assert!(peer.describe().ends_with(&format!(" ({})", peer.pid)), "{}", peer.describe());
        assert_eq!(Peer { pid: 0, ..peer }.describe(), "a process outside this sandbox");
    }
}
