//! Linux: textures in sealed shared memory, handed over through a socket for each stream.
//!
//! No desktop framework carries float32 textures between Linux processes, so this is a transport of the project's
//! own. `docs/transport.md` describes it for whoever wants to write a receiver.
//!
//! | file | job |
//! | --- | --- |
//! | `name` | stream names as file names |
//! | `location` | where streams are found, and the group that they are shared with |
//! | `directory` | what is there: sockets, the lock, what senders left behind |
//! | `socket` | sockets of whole messages, and who is at their other end |
//! | `message`, `cdl_message` | the messages, as bytes |
//! | `place` | where things lie in a ring's memory |
//! | `ring` | the shared memory and its sequence lock: the only folder that maps memory |
//! | `slots` | which slot the next texture goes into |
//! | `surfaces` | a stream's rings, one for each shape in use |
//! | `peer`, `peers` | a stream's receivers, as its sender has them |
//! | `stream` | one stream: all of the above under one lock |
//! | `hub` | the one thread that serves all receivers of all streams |
//! | `sender`, `receiver`, `listing` | the seam's two sides, and finding streams |
//! | `gpu/` | the same textures as images of graphics devices |
//! | `vulkan/` | such images, made and imported: the only folder that knows Vulkan |

mod cdl_message;
mod directory;
#[doc(hidden)]
pub mod fuzzing;
mod gpu;
mod hub;
mod listing;
mod location;
mod message;
mod name;
mod peer;
mod peers;
mod place;
mod receiver;
mod restarts;
mod ring;
mod sender;
mod slots;
mod socket;
mod stream;
mod surfaces;
mod vulkan;

pub use ash;
pub use gpu::{GpuFrame, GpuImages, GpuReceiver, Taken};
pub use location::group_number;
pub use vulkan::{
    DeviceFacts, DeviceIdentity, DeviceKind, Gpu, GpuError, ImageDescription, ImageReader, ImportedImage, ReadBy,
    VALIDATION, devices,
};

use super::{
    GpuChoice, GpuProbe, GraphicsDevice, StreamInfo, TextureBackend, TextureError, TextureReceiver, TextureSender,
};
use crate::hald::{Layout, TextureShape};
use crate::lut::GridSize;
use crate::memory_limit::MemoryLimit;
use directory::Directory;
use hub::HubThread;
use location::Location;
use rustix::io::Errno;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// The Linux shared-texture transport.
///
/// Streams are found in `$VGLB_RUNTIME_DIR`, or else in `virtual-gpu-lut-box` in the user's runtime directory
/// (`$XDG_RUNTIME_DIR`, or `/run/user/<uid>` where it exists), or else in `/tmp/virtual-gpu-lut-box-<uid>`. The
/// environment is looked at once, when this is made.
pub struct LinuxBackend {
    registry: Arc<Registry>,
}

/// What the streams of one back end share.
struct Registry {
    directory: Location,
    /// The names that senders of this back end have, published or not.
    names: Mutex<HashSet<String>>,
    /// Runs while there are senders.
    hub: Mutex<Weak<HubThread>>,
    /// The graphics devices that senders may use.
    gpu: GpuChoice,
    driver: Arc<dyn gpu::Driver>,
    /// What senders' textures count against.
    memory: MemoryLimit,
    restarts: Arc<restarts::Restarts>,
}

impl Default for LinuxBackend {
    fn default() -> Self {
        let place = directory::default_location();
        LinuxBackend::assembled(place, GpuChoice::Auto, Arc::new(gpu::Vulkan), MemoryLimit::default())
    }
}

impl LinuxBackend {
    /// The transport with its streams in this directory, which is made where it does not exist. It must belong to
    /// the user and be closed to all others (mode 0700); to receive, it may be one that another user shares with a group
    /// of this process (mode 0750).
    pub fn with_directory(path: impl Into<PathBuf>) -> Self {
        LinuxBackend::assembled(Location::named(path), GpuChoice::Auto, Arc::new(gpu::Vulkan), MemoryLimit::default())
    }

    /// The same transport, whose senders share textures through these graphics devices only.
    pub fn with_gpu(self, choice: GpuChoice) -> Self {
        let Registry { directory, driver, memory, .. } = &*self.registry;
        LinuxBackend::assembled(directory.clone(), choice, driver.clone(), memory.clone())
    }

    /// The same transport, whose senders' textures count against this limit.
    pub fn with_memory(self, memory: MemoryLimit) -> Self {
        let Registry { directory, driver, gpu, .. } = &*self.registry;
        LinuxBackend::assembled(directory.clone(), gpu.clone(), driver.clone(), memory)
    }

    /// The same transport, whose senders share their streams with the members of a group, given by its number. This
    /// process has to be in it, or be root.
    pub fn with_group(self, group: Option<u32>) -> Self {
        let Registry { directory, driver, gpu, memory, .. } = &*self.registry;
        let place = Location { group, ..directory.clone() };
        LinuxBackend::assembled(place, gpu.clone(), driver.clone(), memory.clone())
    }

    fn assembled(directory: Location, gpu: GpuChoice, driver: Arc<dyn gpu::Driver>, memory: MemoryLimit) -> Self {
        let (names, hub) = (Mutex::default(), Mutex::new(Weak::new()));
        LinuxBackend {
            registry: Arc::new(Registry { directory, names, hub, gpu, driver, memory, restarts: Arc::default() }),
        }
    }

    /// Connects to a stream to take its textures as images of one's own graphics device, which `device` identifies.
    /// Where the sender can't give such images, or while it can't, it gives the textures through memory; always with an
    /// identity of zeros ([`DeviceIdentity::default`]).
    ///
    /// # Errors
    /// As [`open`](TextureBackend::open).
    pub fn open_on_gpu(&self, stream: &str, device: DeviceIdentity) -> Result<GpuReceiver, TextureError> {
        self.open_gpu_receiver(stream, device, false)
    }

    /// Connects to a stream to take its textures as images of one's own graphics device, and in no other way. Takes as
    /// long as the sender takes to open the device, ten seconds at most.
    ///
    /// # Errors
    /// [`TextureError::Refused`] where the sender has no such images; and as [`open`](TextureBackend::open).
    pub fn open_images(&self, stream: &str, device: DeviceIdentity) -> Result<GpuReceiver, TextureError> {
        self.open_gpu_receiver(stream, device, true)
    }

    fn open_gpu_receiver(
        &self,
        stream: &str,
        device: DeviceIdentity,
        images_only: bool,
    ) -> Result<GpuReceiver, TextureError> {
        name::file_name(stream)?;
        if let Some(directory) = Directory::open(&self.registry.directory)?
            && let Some(receiver) = GpuReceiver::open(&directory, stream, device, images_only)?
        {
            return Ok(receiver);
        }
        Err(self.no_such_stream(stream)?)
    }

    fn open_ring(&self, stream: &str) -> Result<receiver::LinuxReceiver, TextureError> {
        name::file_name(stream)?;
        if let Some(directory) = Directory::open(&self.registry.directory)?
            && let Some(receiver) = receiver::open(&directory, stream)?
        {
            return Ok(receiver);
        }
        Err(self.no_such_stream(stream)?)
    }

    fn no_such_stream(&self, stream: &str) -> Result<TextureError, TextureError> {
        let present: Vec<_> = self.streams()?.into_iter().map(|s| s.name).collect();
        Ok(TextureError::no_such_stream(stream, &present))
    }

    /// The directory in which streams are found.
    pub fn directory(&self) -> &Path {
        &self.registry.directory.path
    }
}

impl Registry {
    fn names(&self) -> MutexGuard<'_, HashSet<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, stream: &str) -> Result<(), TextureError> {
        match self.names().insert(stream.to_owned()) {
            true => Ok(()),
            false => Err(TextureError::NameTaken { stream: stream.to_owned(), owner: "this process".into() }),
        }
    }

    fn give_back(&self, stream: &str) {
        self.names().remove(stream);
    }

    fn hub(&self) -> Result<Arc<HubThread>, TextureError> {
        let mut running = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hub) = running.upgrade() {
            return Ok(hub);
        }
        let hub = Arc::new(HubThread::start(&self.gpu, &self.driver, &self.restarts)?);
        *running = Arc::downgrade(&hub);
        Ok(hub)
    }

    /// The graphics devices, and which of them are used; or why none is.
    fn graphics(&self) -> Result<Vec<GraphicsDevice>, GpuError> {
        if self.gpu == GpuChoice::Off {
            return Err(GpuError::NoDevice("graphics devices are switched off".into()));
        }
        let tell = |(facts, fault): (DeviceFacts, Option<GpuError>)| {
            let DeviceFacts { index: number, name, driver, .. } = facts;
            let not_chosen = || (!self.gpu.allows(number, &name)).then(|| "it is not the one chosen".into());
            let fault = fault.map(|e| e.to_string()).or_else(not_chosen);
            GraphicsDevice { number, name, driver, fault }
        };
        Ok(self.driver.all_devices()?.into_iter().map(tell).collect())
    }

    /// Why textures go through memory alone, where that is so.
    fn graphics_fault(&self) -> Option<String> {
        let devices = match self.graphics() {
            Ok(devices) => devices,
            Err(why) => return Some(why.to_string()),
        };
        if devices.iter().any(|d| d.fault.is_none()) {
            return None;
        }
        let chosen: Vec<_> = devices.iter().filter(|d| self.gpu.allows(d.number, &d.name)).collect();
        Some(match chosen.is_empty() {
            true => {
                let names: Vec<_> = devices.iter().map(|d| format!("{} ({})", d.name, d.number)).collect();
                format!("no graphics device is meant by {:?}; there is {}", self.gpu.to_string(), names.join(", "))
            }
            false => chosen.iter().filter_map(|d| d.fault.clone()).collect::<Vec<_>>().join("; "),
        })
    }

    fn start(self: &Arc<Self>, stream: &str) -> Result<sender::LinuxSender, TextureError> {
        // Now rather than at the first texture, so that whoever starts a second server hears of it at once.
        Directory::create(&self.directory)?.check_free(stream)?;
        let hub = self.hub()?;
        let new = stream::Stream::new(stream, &self.directory, &self.memory, hub.hub());
        Ok(sender::LinuxSender::new(new, self.clone(), hub))
    }
}

impl TextureBackend for LinuxBackend {
    fn name(&self) -> &'static str {
        "linux"
    }

    fn description(&self) -> &'static str {
        "textures in sealed shared memory, one socket a stream (docs/transport.md)"
    }

    fn check(&self) -> Result<(), TextureError> {
        if Directory::open(&self.registry.directory)?.is_none() {
            Directory::create(&self.registry.directory)?;
        }
        if !Path::new("/proc/self/fd").is_dir() {
            return Err(TextureError::Broken("/proc is not mounted, and stream sockets are reached through it".into()));
        }
        let smallest = TextureShape::new(GridSize::MIN, Layout::Vglb)?;
        match ring::WriteRing::create(smallest, 1, &MemoryLimit::default()) {
            Ok(_) => Ok(()),
            Err(TextureError::Io { doing, source })
                if [Errno::NOSYS, Errno::INVAL].map(|e| Some(e.raw_os_error())).contains(&source.raw_os_error()) =>
            {
                Err(TextureError::Unavailable(format!(
                    "this kernel has no memory that can be sealed against writing, which Linux has from 5.1 on ({doing}: {source})"
                )))
            }
            Err(e) => Err(e),
        }
    }

    fn check_sending(&self) -> Result<(), TextureError> {
        Directory::create(&self.registry.directory)?;
        self.check()
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![
            ("directory", self.registry.directory.path.display().to_string()),
            (
                "graphics",
                match self.registry.graphics_fault() {
                    None => "images, for receivers on a device that is usable; memory for all others".into(),
                    Some(why) => format!("memory only: {why}"),
                },
            ),
            ("receivers a stream", peers::MAX_RECEIVERS.to_string()),
            ("stream name", format!("at most {} bytes", name::MAX_ENCODED)),
        ]
    }

    fn graphics_devices(&self) -> Vec<GraphicsDevice> {
        self.registry.graphics().unwrap_or_default()
    }

    fn graphics_fault(&self) -> Option<String> {
        self.registry.gpu.is_definite().then(|| self.registry.graphics_fault()).flatten()
    }

    fn probe(&self, stream: &str) -> Result<Box<dyn GpuProbe>, TextureError> {
        // Before the stream is looked for: without a device there is no use in waiting for that.
        let gpu = Gpu::open(&self.registry.gpu)?;
        let images = self.open_images(stream, gpu.facts().identity)?;
        let ring = self.open_ring(stream)?;
        Ok(Box::new(gpu::Probe::new(gpu, images, ring)))
    }

    fn responds(&self, patience: Duration) -> bool {
        let running = self.registry.hub.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        running.is_none_or(|hub| hub.hub().responds(patience))
    }

    fn restarts(&self) -> Vec<(&'static str, u64)> {
        self.registry.restarts.counts()
    }

    fn create_sender(&self, stream: &str) -> Result<Box<dyn TextureSender>, TextureError> {
        name::file_name(stream)?;
        self.registry.take(stream)?;
        match self.registry.start(stream) {
            Ok(sender) => Ok(Box::new(sender)),
            Err(e) => {
                self.registry.give_back(stream);
                Err(e)
            }
        }
    }

    fn streams(&self) -> Result<Vec<StreamInfo>, TextureError> {
        match Directory::open(&self.registry.directory)? {
            Some(directory) => listing::streams(&directory),
            None => Ok(Vec::new()),
        }
    }

    fn open(&self, stream: &str) -> Result<Box<dyn TextureReceiver>, TextureError> {
        Ok(Box::new(self.open_ring(stream)?))
    }

    fn wait_for_stream(&self, stream: &str, timeout: Option<Duration>) -> Result<bool, TextureError> {
        listing::wait_for(&self.registry.directory, stream, timeout)
    }
}
