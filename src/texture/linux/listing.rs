//! Finding streams: a look at each, and waiting for one to appear.

use super::directory::{Connection, Directory};
use super::location::Location;
use super::message::{INSPECT, Surface};
use super::name;
use super::receiver::{Heard, hear, hello, say, wall_clock};
use super::socket::{self, Peer, timespec};
use crate::lut::Cdl;
use crate::texture::{RGBA32F, StreamInfo, TextureError};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long senders may take to answer a look; all of them together, for they are asked at the same time.
const LOOK_PATIENCE: Duration = Duration::from_millis(250);
/// Senders asked at the same time.
const LOOKS: usize = 64;
/// How often to look for a stream where the system can't tell of new files.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A sender that was asked.
struct Asked {
    stream: String,
    socket: OwnedFd,
    sender: Peer,
    /// It comes before the surface.
    cdl: Option<Cdl>,
}

/// All streams that have a living sender. A sender that does not answer in time is left out, with a warning.
pub(super) fn streams(directory: &Directory) -> Result<Vec<StreamInfo>, TextureError> {
    let mut found = Vec::new();
    for names in directory.names()?.chunks(LOOKS) {
        let asked = names.iter().filter_map(|stream| ask(directory, stream)).collect();
        hear_all(asked, &mut found);
    }
    found.sort_by(|a: &StreamInfo, b| a.name.cmp(&b.name));
    Ok(found)
}

fn ask(directory: &Directory, stream: &str) -> Option<Asked> {
    let socket = match directory.connect(stream) {
        Ok(Connection::Made(socket)) => socket,
        Ok(Connection::Absent | Connection::Stale) => return None,
        Ok(Connection::Busy) => {
            tracing::warn!("the sender of {stream:?} does not answer: too many others wait for it");
            return None;
        }
        Err(e) => {
            tracing::warn!("{e}");
            return None;
        }
    };
    let sender = Peer::of(socket.as_fd()).ok().filter(|sender| sender.uid == directory.owner())?;
    say(&socket, &hello(INSPECT)).ok()?;
    Some(Asked { stream: stream.to_owned(), socket, sender, cdl: None })
}

fn hear_all(mut asked: Vec<Asked>, found: &mut Vec<StreamInfo>) {
    let until = Instant::now() + LOOK_PATIENCE;
    loop {
        asked.retain_mut(|a| match hear(&a.socket) {
            Ok(Some(Heard::Surface(surface, _))) => {
                found.push(info(a, &surface));
                false
            }
            Ok(Some(Heard::Gone(_) | Heard::Images(..))) => false,
            Ok(Some(Heard::Cdl(cdl))) => {
                a.cdl = Some(cdl);
                true
            }
            Ok(Some(Heard::Frame(_) | Heard::Other) | None) => true,
            Err(e) => {
                tracing::warn!("the stream {:?} can't be told of: {e}", a.stream);
                false
            }
        });
        let left = until.saturating_duration_since(Instant::now());
        if asked.is_empty() || left.is_zero() {
            break;
        }
        let mut fds: Vec<_> = asked.iter().map(|a| PollFd::new(&a.socket, PollFlags::IN)).collect();
        match poll(&mut fds, Some(&timespec(left))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => {
                tracing::warn!("waiting for senders to answer: {e}");
                break;
            }
        }
    }
    for a in asked {
        let sender = a.sender.describe();
        tracing::warn!("the sender of {:?}, {sender}, has not answered for {LOOK_PATIENCE:?}", a.stream);
    }
}

fn info(asked: &Asked, surface: &Surface) -> StreamInfo {
    StreamInfo {
        name: asked.stream.clone(),
        width: surface.shape.width(),
        height: surface.shape.height(),
        shape: Some(surface.shape),
        format: RGBA32F,
        revision: Some(surface.newest.revision),
        published: wall_clock(surface.newest.realtime_ns),
        sender: Some(asked.sender.describe()),
        cdl: asked.cdl,
    }
}

/// Waits until a stream of this name can be received. `false` where the time is up before.
pub(super) fn wait_for(place: &Location, stream: &str, timeout: Option<Duration>) -> Result<bool, TextureError> {
    name::file_name(stream)?;
    let until = timeout.and_then(|t| Instant::now().checked_add(t));
    let changes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
    loop {
        // Watched before it is looked for, so that nothing falls between.
        let watched = changes.as_ref().is_some_and(|fd| watch(fd, &place.path));
        if let Some(directory) = Directory::open(place)?
            && let Connection::Made(_) | Connection::Busy = directory.connect(stream)?
        {
            return Ok(true);
        }
        let now = Instant::now();
        if until.is_some_and(|at| now >= at) {
            return Ok(false);
        }
        match (&changes, watched) {
            (Some(fd), true) => {
                socket::wait_readable(fd, until).map_err(|e| TextureError::io("waiting for new streams", e))?;
                let mut events = [0; 4096];
                while rustix::io::read(fd, &mut events).is_ok_and(|got| got > 0) {}
            }
            _ => std::thread::sleep(until.map_or(POLL_INTERVAL, |at| POLL_INTERVAL.min(at - now))),
        }
    }
}

/// Watches the directory, or for it to be made. `false` where neither can be done.
fn watch(changes: &OwnedFd, path: &Path) -> bool {
    let what = WatchFlags::CREATE
        | WatchFlags::MOVED_TO
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ATTRIB
        | WatchFlags::ONLYDIR;
    let add = |path: &Path| inotify::add_watch(changes, path, what);
    match add(path) {
        Ok(_) => true,
        Err(Errno::NOENT) => {
            let parent = path.parent().is_some_and(|parent| add(parent).is_ok());
            // It may have been made before its parent was watched.
            let _ = add(path);
            parent
        }
        Err(_) => false,
    }
}
