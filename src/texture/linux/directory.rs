//! The directory in which streams are found, and the sockets in it.
//!
//! A socket is made under a name that nobody looks for and renamed once it listens, so no receiver ever meets one
//! that refuses, and no stream name is too long for a socket address. Whoever makes or removes a stream's socket
//! holds the lock file meanwhile.

use super::location::{self, Location};
use super::name;
use super::socket::{self, Peer};
use crate::texture::TextureError;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, FlockOperation, Gid, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SocketAddrUnix;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LOCK: &str = ".lock";
/// A socket's name before it listens. One is enough: only the holder of the lock uses it.
const UNFINISHED: &str = ".new";
/// Connections that may wait for the sender to accept them.
const BACKLOG: i32 = 128;
/// Nobody holds the lock for longer than a few system calls take, unless it was stopped in the middle.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Where streams are found, unless somebody says otherwise.
pub(super) fn default_location() -> Location {
    let set = |variable: &str| std::env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    let own = set("VGLB_RUNTIME_DIR");
    let named = own.is_some();
    let path = path_from(own, set("XDG_RUNTIME_DIR"), rustix::process::geteuid().as_raw(), Path::is_dir);
    Location { path, named, group: None }
}

fn path_from(own: Option<PathBuf>, xdg: Option<PathBuf>, uid: u32, is_dir: fn(&Path) -> bool) -> PathBuf {
    const NAME: &str = "virtual-gpu-lut-box";
    if let Some(path) = own {
        return path;
    }
    // Services and remote logins often run without the variable, beside a desktop session that has it.
    let session = PathBuf::from(format!("/run/user/{uid}"));
    match xdg.or_else(|| is_dir(&session).then_some(session)) {
        Some(path) => path.join(NAME),
        None => PathBuf::from(format!("/tmp/{NAME}-{uid}")),
    }
}

/// The directory, opened and found to be this user's alone, or one that is shared with a group.
pub(super) struct Directory {
    fd: OwnedFd,
    path: PathBuf,
    /// Whose it is, and so whose streams are in it.
    owner: u32,
    /// The group that streams made here are shared with.
    group: Option<u32>,
}

/// Held while sockets are made or removed.
struct Lock(#[expect(dead_code, reason = "closing it gives the lock back")] OwnedFd);

/// How a stream's socket answers.
pub(super) enum Connection {
    /// Somebody listens.
    Made(OwnedFd),
    /// Somebody listens, and too many others wait already.
    Busy,
    /// There is a socket, and nobody listens.
    Stale,
    /// There is no socket.
    Absent,
}

impl Directory {
    /// The directory, where it exists, to receive.
    pub(super) fn open(location: impl Into<Location>) -> Result<Option<Self>, TextureError> {
        let location = location.into();
        let Some(directory) = Self::open_unchecked(&location)? else { return Ok(None) };
        directory.check_is_trusted(location.named)?;
        Ok(Some(directory))
    }

    fn open_unchecked(location: &Location) -> Result<Option<Self>, TextureError> {
        let path = &location.path;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(e) => return Err(TextureError::io(format!("opening the streams' directory {}", path.display()), e)),
        };
        let stat = rustix::fs::fstat(&fd)
            .map_err(|e| TextureError::io(format!("looking at the streams' directory {}", path.display()), e))?;
        Ok(Some(Directory { fd, path: path.clone(), owner: stat.st_uid, group: location.group }))
    }

    /// The directory, made where it does not exist, to send. It is shared with the location's group, where that has one.
    pub(super) fn create(location: impl Into<Location>) -> Result<Self, TextureError> {
        let location = location.into();
        let path = &location.path;
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(TextureError::io(format!("making the streams' directory {}", path.display()), e)),
        }
        let directory = Self::open_unchecked(&location)?.ok_or_else(|| {
            TextureError::io(format!("opening the streams' directory {}", path.display()), Errno::NOENT)
        })?;
        directory.check_is_ours()?;
        match location.group {
            Some(group) => directory.share_with(group)?,
            None => directory.check_is_trusted(false)?,
        }
        Ok(directory)
    }

    /// Lets a group's members find streams. They can't make or remove anything.
    fn share_with(&self, group: u32) -> Result<(), TextureError> {
        let path = self.path.display();
        let doing = |e| {
            let doing = format!(
                "giving the streams' directory {path} to group {group} (this program's user has to be in that group)"
            );
            TextureError::io(doing, e)
        };
        rustix::fs::fchown(&self.fd, None, Some(Gid::from_raw(group))).map_err(doing)?;
        rustix::fs::fchmod(&self.fd, Mode::RWXU | Mode::RGRP | Mode::XGRP)
            .map_err(|e| TextureError::io(format!("opening the streams' directory {path} to group {group}"), e))
    }

    /// The user whose streams are here.
    pub(super) fn owner(&self) -> u32 {
        self.owner
    }

    /// In /tmp anybody could have made it first.
    fn check_is_ours(&self) -> Result<(), TextureError> {
        let (owner, us) = (self.owner, rustix::process::geteuid().as_raw());
        if owner != us {
            return Err(TextureError::Broken(format!(
                "the streams' directory {} belongs to user {owner}, and this program runs as user {us}; \
                 set VGLB_RUNTIME_DIR to a directory of your own",
                self.path.display()
            )));
        }
        Ok(())
    }

    /// What is here may be received: nobody else can meddle with it. A directory that was `named` may be another user's,
    /// who shares it with a group of ours; nobody but that user can make anything in it.
    fn check_is_trusted(&self, named: bool) -> Result<(), TextureError> {
        let path = self.path.display();
        let stat = rustix::fs::fstat(&self.fd)
            .map_err(|e| TextureError::io(format!("looking at the streams' directory {path}"), e))?;
        let mode = stat.st_mode & 0o777;
        let ours = self.owner == rustix::process::geteuid().as_raw();
        if named && mode == 0o750 && (ours || location::is_ours(stat.st_gid)) {
            return Ok(());
        }
        self.check_is_ours()?;
        if mode & 0o077 != 0 {
            return Err(TextureError::Broken(format!(
                "the streams' directory {path} has mode {:04o}, so other users could meddle with streams; \
                 it must be 0700 (chmod 700 {path}), or be shared with a group (--socket-group)",
                stat.st_mode & 0o7777
            )));
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all streams that have a socket here, whether or not somebody serves it.
    pub(super) fn names(&self) -> Result<Vec<String>, TextureError> {
        let failed = |e: std::io::Error| TextureError::io(format!("listing {}", self.path.display()), e);
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry.map_err(failed)?.file_name();
            names.extend(file.to_str().and_then(name::stream_name));
        }
        names.sort();
        Ok(names)
    }

    /// An address for a file in this directory that fits however long the path is.
    fn address(fd: BorrowedFd<'_>, below: &str) -> Result<SocketAddrUnix, Errno> {
        SocketAddrUnix::new(format!("/proc/self/fd/{}{below}", fd.as_raw_fd()))
    }

    fn try_connect(&self, file: &str) -> Result<Connection, Errno> {
        // The file is pinned first: its path may be too long for an address.
        let pinned = match rustix::fs::openat(
            &self.fd,
            file,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        ) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(Connection::Absent),
            Err(e) => return Err(e),
        };
        let mode = rustix::fs::fstat(&pinned)?.st_mode;
        if FileType::from_raw_mode(mode) != FileType::Socket {
            return Err(Errno::NOTSOCK);
        }
        let socket = socket::new_socket()?;
        match rustix::net::connect(&socket, &Self::address(pinned.as_fd(), "")?) {
            Ok(()) => Ok(Connection::Made(socket)),
            Err(Errno::AGAIN) => Ok(Connection::Busy),
            Err(Errno::CONNREFUSED) => Ok(Connection::Stale),
            Err(e) => Err(e),
        }
    }

    /// Connects to a stream, once and without waiting. A socket that its sender left behind is cleared away.
    pub(super) fn connect(&self, stream: &str) -> Result<Connection, TextureError> {
        let file = name::file_name(stream)?;
        let connection = self
            .try_connect(&file)
            .map_err(|e| TextureError::io(format!("connecting to {}/{file}", self.path.display()), e))?;
        if let Connection::Stale = connection {
            self.clear_stale(&file);
        }
        Ok(connection)
    }

    /// Removes a socket that nobody serves, unless that has changed, or somebody else is at work here.
    fn clear_stale(&self, file: &str) {
        if let Ok(Some(_lock)) = self.try_lock()
            && let Ok(Connection::Stale) = self.try_connect(file)
        {
            tracing::debug!("removing {}/{file}, which its sender left behind", self.path.display());
            let _ = rustix::fs::unlinkat(&self.fd, file, AtFlags::empty());
        }
    }

    /// The lock; `None` where somebody else has it.
    fn try_lock(&self) -> Result<Option<Lock>, Errno> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, LOCK, flags, Mode::RUSR | Mode::WUSR)?;
        match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(e) => return Err(e),
        }
        // It counts only if it still is the file that others will lock.
        let same = match rustix::fs::statat(&self.fd, LOCK, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) => identity(&there) == identity(&rustix::fs::fstat(&fd)?),
            Err(Errno::NOENT) => false,
            Err(e) => return Err(e),
        };
        Ok(same.then_some(Lock(fd)))
    }

    fn lock(&self) -> Result<Lock, TextureError> {
        let until = Instant::now() + LOCK_PATIENCE;
        loop {
            let path = || format!("{}/{LOCK}", self.path.display());
            match self.try_lock() {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) if Instant::now() >= until => {
                    return Err(TextureError::Broken(format!(
                        "{} has been locked by another process for {LOCK_PATIENCE:?}; is one stopped?",
                        path()
                    )));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                Err(e) => return Err(TextureError::io(format!("locking {}", path()), e)),
            }
        }
    }

    /// Fails where a living sender has the name.
    pub(super) fn check_free(&self, stream: &str) -> Result<(), TextureError> {
        let file = name::file_name(stream)?;
        let taken = |owner: String| TextureError::NameTaken { stream: stream.to_owned(), owner };
        match self.try_connect(&file) {
            Ok(Connection::Absent | Connection::Stale) => Ok(()),
            Ok(Connection::Made(socket)) => {
                Err(taken(Peer::of(socket.as_fd()).map_or("another process".into(), |p| p.describe())))
            }
            Ok(Connection::Busy) => Err(taken("another process".into())),
            Err(Errno::PROTOTYPE) => Err(taken("a program that speaks something else".into())),
            Err(Errno::NOTSOCK) => Err(TextureError::Broken(format!(
                "{}/{file} is not a socket; remove it to publish the stream {stream:?}",
                self.path.display()
            ))),
            Err(e) => Err(TextureError::io(format!("connecting to {}/{file}", self.path.display()), e)),
        }
    }

    /// Puts the stream's socket into the directory, listening.
    pub(super) fn claim(self, stream: &str) -> Result<Claim, TextureError> {
        let file = name::file_name(stream)?;
        let lock = self.lock()?;
        self.check_free(stream)?;
        let doing = |e: Errno| {
            TextureError::io(format!("making the socket {}/{file} (with the help of /proc)", self.path.display()), e)
        };
        let _left_by_a_crash = rustix::fs::unlinkat(&self.fd, UNFINISHED, AtFlags::empty());
        let listener = socket::new_socket().map_err(doing)?;
        let address = Self::address(self.fd.as_fd(), &format!("/{UNFINISHED}")).map_err(doing)?;
        rustix::net::bind(&listener, &address).map_err(doing)?;
        let mut mode = Mode::RUSR | Mode::WUSR;
        if let Some(group) = self.group {
            let group = Some(Gid::from_raw(group));
            rustix::fs::chownat(&self.fd, UNFINISHED, None, group, AtFlags::SYMLINK_NOFOLLOW).map_err(doing)?;
            // To connect is to write.
            mode |= Mode::RGRP | Mode::WGRP;
        }
        rustix::fs::chmodat(&self.fd, UNFINISHED, mode, AtFlags::empty()).map_err(doing)?;
        rustix::net::listen(&listener, BACKLOG).map_err(doing)?;
        let stat = rustix::fs::statat(&self.fd, UNFINISHED, AtFlags::SYMLINK_NOFOLLOW).map_err(doing)?;
        // Over a stale socket of the same name, if there is one.
        rustix::fs::renameat(&self.fd, UNFINISHED, &self.fd, file.as_str()).map_err(doing)?;
        drop(lock);
        Ok(Claim { directory: self, file, listener, identity: identity(&stat) })
    }
}

/// A stream's name, taken: its socket. Dropping it removes the socket.
pub(super) struct Claim {
    directory: Directory,
    file: String,
    listener: OwnedFd,
    identity: (u64, u64),
}

impl Claim {
    pub(super) fn listener(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Whether receivers find this socket: its path leads to it.
    pub(super) fn is_in_place(&self) -> bool {
        let path = self.directory.path.join(&self.file);
        rustix::fs::lstat(&path).is_ok_and(|stat| identity(&stat) == self.identity)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let lock = self.directory.lock();
        if let Err(e) = &lock {
            tracing::debug!("removing {} without the lock: {e}", self.file);
        }
        // The socket is still open, so no other file can have its inode number: what has it is ours to remove.
        let there = rustix::fs::statat(&self.directory.fd, self.file.as_str(), AtFlags::SYMLINK_NOFOLLOW);
        if there.is_ok_and(|stat| identity(&stat) == self.identity) {
            let _ = rustix::fs::unlinkat(&self.directory.fd, self.file.as_str(), AtFlags::empty());
        }
    }
}

fn identity(stat: &rustix::fs::Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
