//! The seam to texture sharing: what a server needs of a platform, and the back ends that give it.
//!
//! Design decisions:
//! - A [`TextureSender`] is one stream. It outlives size changes: receivers stay connected, the name stays.
//! - Many threads may write one stream at once, each through a [`TextureWriter`] of its own. A writer fills memory
//!   that no receiver sees, for as long as it likes, then publishes it in one step; the newest publication wins.
//! - Textures are R32G32B32A32 float, rows tightly packed, row 0 at the top.
//! - Once a writer has published a shape, publishing it again allocates nothing.
//! - "Not here" ([`TextureError::Unavailable`]) is told apart from "broken": only the first lets the choice of a back
//!   end fall through to the next.
//! - Dropping a sender ends its stream, and receivers are told.
//!
//! This file is the only one with a `cfg` on the operating system.

mod buffer;
mod claim;
mod error;
mod gpu_choice;
mod gpu_probe;
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
pub mod linux;
#[cfg(target_os = "macos")]
pub mod macos;
pub mod memory;
#[cfg(not(unix))]
mod not_unix;
pub mod spout;
pub mod syphon;
#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;

pub use error::TextureError;
pub use gpu_choice::{GpuChoice, NoChoice};
pub use gpu_probe::{GpuProbe, GpuReading, GraphicsDevice};
#[cfg(target_os = "macos")]
pub use macos::with_main_loop;
#[cfg(not(unix))]
pub use not_unix::{Notice, notify, stderr_is_journal, watchdog_period};
#[cfg(unix)]
pub use unix::{Notice, notify, stderr_is_journal, watchdog_period};

use crate::hald::{Placement, Texel, TextureShape};
use crate::lut::Cdl;
use crate::memory_limit::MemoryLimit;
use crate::server::Origin;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// A way of sharing textures between the programs of this computer.
pub trait TextureBackend: Send + Sync + 'static {
    /// The name used on the command line: `linux`, `spout`, `syphon`, `memory`.
    fn name(&self) -> &'static str;

    /// One line on what this back end is, for `vglb info`.
    fn description(&self) -> &'static str;

    /// Whether it works on this machine now, and otherwise why not.
    fn check(&self) -> Result<(), TextureError>;

    /// Whether streams can be sent on this machine now, and otherwise why not. Receiving may need less.
    fn check_sending(&self) -> Result<(), TextureError> {
        self.check()
    }

    /// Further facts for `vglb info`, as name and value.
    fn details(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The graphics devices of this computer, where the back end can share textures through several. May take a second.
    fn graphics_devices(&self) -> Vec<GraphicsDevice> {
        Vec::new()
    }

    /// Why the graphics device that the user has named is not used, where that is so. May take a second.
    fn graphics_fault(&self) -> Option<String> {
        None
    }

    /// Connects to a stream to compare what a graphics device makes of it with what is in memory.
    ///
    /// # Errors
    /// [`TextureError::Unavailable`] where this back end has not both; and as [`open`](Self::open).
    fn probe(&self, stream: &str) -> Result<Box<dyn GpuProbe>, TextureError> {
        let _ = stream;
        Err(TextureError::Unavailable(format!(
            "the back end {:?} has no two ways to read a texture that could be compared",
            self.name()
        )))
    }

    /// Whether receivers read through the chosen graphics device in any case, so that there is nothing to
    /// [`probe`](Self::probe).
    fn reads_on_device(&self) -> bool {
        false
    }

    /// Whether the threads that serve receivers still do, found out within `patience`. Without such threads they do.
    fn responds(&self, patience: Duration) -> bool {
        let _ = patience;
        true
    }

    /// Its parts that have begun again after they had failed, with how often each has since the back end was made. Empty
    /// where no part can.
    fn restarts(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// Starts a stream. Receivers can find it once its first texture is published.
    fn create_sender(&self, stream: &str) -> Result<Box<dyn TextureSender>, TextureError>;

    /// The streams that can be received on this computer now, by name.
    fn streams(&self) -> Result<Vec<StreamInfo>, TextureError>;

    /// Connects to a stream.
    fn open(&self, stream: &str) -> Result<Box<dyn TextureReceiver>, TextureError>;

    /// Waits until a stream of this name can be opened, at most `timeout` (`None`: for ever). `false` where the time
    /// is up before.
    fn wait_for_stream(&self, stream: &str, timeout: Option<Duration>) -> Result<bool, TextureError> {
        // For platforms that can't tell of new streams: often enough to seem at once, too seldom to be felt.
        const INTERVAL: Duration = Duration::from_millis(100);
        let until = timeout.and_then(|t| Instant::now().checked_add(t));
        loop {
            if self.streams()?.iter().any(|s| s.name == stream) {
                return Ok(true);
            }
            let left = until.map_or(INTERVAL, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(false);
            }
            std::thread::sleep(left.min(INTERVAL));
        }
    }
}

/// One stream of textures. Dropping it ends the stream.
pub trait TextureSender: Send + Sync {
    /// The name under which receivers find it; not always the one asked for.
    fn name(&self) -> &str;

    /// A way to write textures from one thread.
    fn writer(&self) -> Result<Box<dyn TextureWriter>, TextureError>;

    /// The same, where the memory that it takes counts for a client.
    fn writer_for(&self, client: Option<Origin>) -> Result<Box<dyn TextureWriter>, TextureError> {
        let _ = client;
        self.writer()
    }

    /// How many receivers are connected, where the platform tells.
    fn receivers(&self) -> Option<usize>;

    /// Copies the newest texture, as it was published, into `frame`, whose buffer is used again where it is large
    /// enough. No receiver is counted for it. `false` where nothing is published yet.
    fn newest(&self, frame: &mut Frame) -> Result<bool, TextureError>;

    /// The newest CDL values of what the stream is for, for whoever [lists](TextureBackend::streams) streams. To be
    /// called once something is published. A platform that can't tell of them does nothing.
    fn set_cdl(&self, cdl: &Cdl) {
        let _ = cdl;
    }
}

/// Writes textures into one stream: [`begin`](Self::begin), fill [`texels`](Self::texels), then
/// [`publish`](Self::publish) or [`abandon`](Self::abandon). Dropping it abandons.
pub trait TextureWriter: Send {
    /// Takes memory for a texture of this shape. What is in it is not defined. A texture begun before is abandoned.
    fn begin(&mut self, shape: TextureShape) -> Result<(), TextureError>;

    /// The texture begun: `height` rows of `width` texels, row 0 first. Empty where none is begun.
    fn texels(&mut self) -> &mut [Texel];

    /// Puts entries, of which the first is number `first` of the LUT, where they belong in the texture begun, and tells
    /// whether all of them are finite. A back end that knows its memory may have a faster way than the one given here.
    ///
    /// # Panics
    /// As [`Placement::write`], for the texture begun.
    fn write(&mut self, place: &Placement, first: usize, entries: &[Texel]) -> bool {
        place.write(first, entries, self.texels())
    }

    /// Makes the texture begun the stream's newest, and returns its revision once receivers can see it. Revisions of
    /// a stream start at 1 and rise by 1.
    fn publish(&mut self) -> Result<u64, TextureError>;

    /// Gives the memory back without publishing.
    fn abandon(&mut self);
}

/// Receives one stream's textures as pixels. Always the newest one: textures that nobody waited for are skipped.
///
/// A program that draws with a graphics device can have them as images of that device, on Linux: `linux::GpuReceiver`
/// hands out an image where the sender has one, and pixels otherwise.
pub trait TextureReceiver: Send {
    /// Waits for a texture newer than the last one that this receiver has read, at most `timeout` (`None`: for ever).
    fn wait(&mut self, timeout: Option<Duration>) -> Result<Event, TextureError>;

    /// Copies the newest texture into `frame`, whose buffer is used again where it is large enough.
    ///
    /// # Errors
    /// [`TextureError::Ended`] where the stream has ended or nothing has been published yet. After an error, what
    /// `frame` holds is not defined.
    fn read(&mut self, frame: &mut Frame) -> Result<(), TextureError>;

    /// Where the newest texture lies in memory that its sender shares, for whoever can do without a copy of it. Counts
    /// as reading it. `None` where the platform has no such memory; then there is [`read`](Self::read).
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    fn in_place(&mut self) -> Result<Option<InPlace>, TextureError> {
        Ok(None)
    }
}

/// A texture in its sender's memory, which whoever has this can map and read.
///
/// The sender does not know who reads, and writes over the texture after it has published others. What was read is
/// only good if [`is_intact`](Self::is_intact) still says so afterwards.
pub struct InPlace {
    /// What is known of the texture. Its `texels` are empty.
    pub frame: Frame,
    /// A path by which this process can open the memory for reading, for as long as this lives.
    pub file: PathBuf,
    /// Where in the memory row 0 begins, in bytes: a multiple of 64.
    pub offset: u64,
    intact: Box<dyn Fn() -> bool + Send + Sync>,
}

impl InPlace {
    /// Whether the sender has not begun to write over the texture: everything that was read until now is of this one.
    pub fn is_intact(&self) -> bool {
        (self.intact)()
    }
}

/// What a receiver waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A texture that was not read yet is there.
    Frame,
    /// The sender has ended the stream, or is gone.
    Ended,
    /// Nothing happened in the time given.
    TimedOut,
}

/// A received texture, as an own copy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// Width in texels.
    pub width: usize,
    /// Height in texels.
    pub height: usize,
    /// The shape, where the transport says how the LUT is laid out.
    pub shape: Option<TextureShape>,
    /// The sender's revision; where the transport has none, a number that changes with every texture.
    pub revision: u64,
    /// When it was published, where the transport says so.
    pub published: Option<SystemTime>,
    /// The texel format on the transport, by its usual name.
    pub format: &'static str,
    /// `height` rows of `width` texels, row 0 (the top) first, as R, G, B, A float32.
    pub texels: Vec<Texel>,
}

/// What can be told of a stream without reading its texture.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamInfo {
    /// The stream's name.
    pub name: String,
    /// Width in texels.
    pub width: usize,
    /// Height in texels.
    pub height: usize,
    /// The shape, where the transport says how the LUT is laid out.
    pub shape: Option<TextureShape>,
    /// The texel format on the transport, by its usual name.
    pub format: &'static str,
    /// The newest revision, where the transport has revisions.
    pub revision: Option<u64>,
    /// When the newest texture was published, where the transport says so.
    pub published: Option<SystemTime>,
    /// The process that sends it, where the transport says so.
    pub sender: Option<String>,
    /// The newest CDL values, where there are any and the transport says so.
    pub cdl: Option<Cdl>,
}

impl Frame {
    /// Makes this a copy of a texture that was sent.
    pub(crate) fn fill(&mut self, shape: TextureShape, revision: u64, published: Option<SystemTime>, texels: &[Texel]) {
        self.width = shape.width();
        self.height = shape.height();
        self.shape = Some(shape);
        self.revision = revision;
        self.published = published;
        self.format = RGBA32F;
        self.texels.clear();
        self.texels.extend_from_slice(texels);
    }
}

/// The name of the only format that is ever sent.
pub const RGBA32F: &str = "R32G32B32A32_FLOAT";

/// What can be chosen of back ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which graphics devices textures are shared through.
    pub gpu: GpuChoice,
    /// What Syphon streams are sent.
    pub syphon: syphon::Options,
    /// What the textures sent count against.
    pub memory: MemoryLimit,
    /// The number of the group that streams are shared with, on Linux.
    pub socket_group: Option<u32>,
}

/// Every back end built into this program, the platform's own first.
pub fn backends() -> Vec<Arc<dyn TextureBackend>> {
    backends_with(&Options::default())
}

/// The same, on graphics devices that the user has chosen.
pub fn backends_on(gpu: &GpuChoice) -> Vec<Arc<dyn TextureBackend>> {
    backends_with(&Options { gpu: gpu.clone(), ..Options::default() })
}

/// The same, as the user has chosen.
#[allow(unused_variables, reason = "each option is for some platforms")]
pub fn backends_with(options: &Options) -> Vec<Arc<dyn TextureBackend>> {
    vec![
        #[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
        Arc::new(
            linux::LinuxBackend::default()
                .with_gpu(options.gpu.clone())
                .with_memory(options.memory.clone())
                .with_group(options.socket_group),
        ),
        #[cfg(windows)]
        Arc::new(spout::SpoutBackend::with_adapter(options.gpu.adapter()).with_memory(options.memory.clone())),
        #[cfg(target_os = "macos")]
        Arc::new(syphon::SyphonBackend::new(macos::Mac, options.syphon).with_memory(options.memory.clone())),
        Arc::new(memory::MemoryBackend::with_memory(options.memory.clone())),
    ]
}

/// Does `work`, and returns what it returns. On macOS, the main thread runs its run loop meanwhile, without which
/// programs that share textures do not find each other; the work is done on another thread.
///
/// To be called from `main`. On any other thread, and on other platforms, it only does the work.
#[cfg(not(target_os = "macos"))]
pub fn with_main_loop<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    work()
}

/// The back end called `name`; for `auto` the platform's own, if it works here. `memory` is never chosen by itself,
/// for nobody outside this process could see the textures.
pub fn choose(name: &str) -> Result<Arc<dyn TextureBackend>, TextureError> {
    choose_with(name, &Options::default())
}

/// The same, on graphics devices that the user has chosen.
pub fn choose_on(name: &str, gpu: &GpuChoice) -> Result<Arc<dyn TextureBackend>, TextureError> {
    choose_with(name, &Options { gpu: gpu.clone(), ..Options::default() })
}

/// The same, as the user has chosen.
pub fn choose_with(name: &str, options: &Options) -> Result<Arc<dyn TextureBackend>, TextureError> {
    let all = backends_with(options);
    if name != "auto" {
        let known = || all.iter().map(|b| b.name()).collect::<Vec<_>>().join(", ");
        let found = all.iter().find(|b| b.name() == name).ok_or_else(|| {
            TextureError::Unavailable(format!(
                "{name:?} is no texture back end of this program; it has auto, {}",
                known()
            ))
        })?;
        found.check()?;
        return Ok(found.clone());
    }
    let mut reasons = Vec::new();
    for backend in all.iter().filter(|b| b.name() != "memory") {
        match backend.check() {
            Ok(()) => return Ok(backend.clone()),
            Err(TextureError::Unavailable(why)) => reasons.push(format!("{}: {why}", backend.name())),
            Err(broken) => return Err(broken),
        }
    }
    let why = if reasons.is_empty() { "none is built for this platform".into() } else { reasons.join("; ") };
    Err(TextureError::Unavailable(format!("no way to share textures on this computer ({why})")))
}

/// The back end called `name`, to look at its streams. That needs less than sharing textures, so that one is given too
/// which is there but can't share any; for `auto`, the platform's own.
pub fn choose_to_list(name: &str) -> Result<Arc<dyn TextureBackend>, TextureError> {
    match choose(name) {
        Err(e @ TextureError::Unavailable(_)) => {
            let is_meant =
                |b: &Arc<dyn TextureBackend>| if name == "auto" { b.name() != "memory" } else { b.name() == name };
            backends().into_iter().find(is_meant).ok_or(e)
        }
        chosen => chosen,
    }
}

/// What the user, or the system, wants of a program that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It shall end.
    End,
    /// It shall read again what can be changed while it runs (SIGHUP, where the program has no terminal, or its terminal
    /// is still there).
    Reload,
}

/// Calls `told` each time the user or the system wants something of this program: on SIGINT, SIGTERM and SIGHUP; on
/// Windows with Ctrl-C and Ctrl-Break, by closing the window, by logging off and shutting down, where the system leaves
/// the program a few seconds after the last three. Stands here since platforms are chosen here.
///
/// # Errors
/// On Windows where it was called before; where the system refuses.
pub fn when_told(told: impl Fn(Told) + Send + Sync + 'static) -> std::io::Result<()> {
    #[cfg(windows)]
    return windows::when_told_to_end(move || told(Told::End));
    #[cfg(not(windows))]
    unix::when_told(told)
}

/// The same for a program that has nothing to read again: whatever it is told, it shall end.
///
/// # Errors
/// As [`when_told`].
pub fn when_told_to_end(end: impl Fn() + Send + Sync + 'static) -> std::io::Result<()> {
    when_told(move |_| end())
}

/// The number of a group of users, by its name or number.
///
/// # Errors
/// [`TextureError::Broken`] where there is no such group; [`TextureError::Unavailable`] where streams can't be shared
/// with a group.
pub fn group_number(group: &str) -> Result<u32, TextureError> {
    #[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
    return linux::group_number(group);
    #[cfg(not(all(target_os = "linux", target_pointer_width = "64", target_endian = "little")))]
    Err(TextureError::Unavailable(format!("streams are shared with a group ({group:?}) on Linux only")))
}

/// Has a file that will be created be readable and writable by its owner alone. On Windows it has the rights of its
/// directory, which under a user's profile are that user's.
pub(crate) fn private_file(options: &mut std::fs::OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Creates a directory, and those that it is in, for its owner alone, as [`private_file`] does.
pub(crate) fn private_directory(path: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_back_end_is_refused_with_the_known_ones() {
        let Err(e) = choose("spuot") else { panic!("there is no such back end") };
        assert!(e.to_string().contains("\"spuot\" is no texture back end of this program; it has auto, "), "{e}");
        assert!(e.to_string().ends_with("memory"), "{e}");
        assert_eq!(choose("memory").map(|b| b.name()).ok(), Some("memory"));
    }
}
