//! A Mac that is made up: programs with notifications, message ports and surfaces, which may die at any moment.
//!
//! Notifications come on a thread of their own, as they do on a Mac. Messages are taken on the thread that sends them,
//! one at a time for each port.

use crate::texture::TextureError;
use crate::texture::syphon::seam::{Held, MessageHandler, NotificationHandler, RemotePort, SendError, Surface, System};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::Duration;

/// Rows of real surfaces begin at such multiples of bytes, at least on some machines.
const ROW_ALIGNMENT: usize = 64;

/// What is read of a surface that changes meanwhile.
pub const TORN: u8 = 0xee;

/// The computer. Clones are the same one.
#[derive(Clone)]
pub struct FakeMac {
    world: Arc<Mutex<World>>,
    notifications: Sender<(&'static str, Vec<u8>)>,
}

#[derive(Default)]
struct World {
    count: u32,
    ports: BTreeMap<String, Arc<Port>>,
    observers: BTreeMap<u32, (&'static str, NotificationHandler)>,
    surfaces: BTreeMap<u32, Weak<Memory>>,
    /// Every notification posted, with its object.
    posted: Vec<(&'static str, Option<String>)>,
}

impl World {
    fn next(&mut self) -> u32 {
        self.count += 1;
        self.count
    }
}

struct Port {
    handler: Mutex<MessageHandler>,
    open: AtomicBool,
    program: Arc<AtomicBool>,
    stuck: Mutex<bool>,
    freed: Condvar,
}

/// A program that runs on it.
#[derive(Clone)]
pub struct FakeProgram {
    mac: FakeMac,
    name: &'static str,
    alive: Arc<AtomicBool>,
    /// How many activities it holds.
    pub awake: Arc<AtomicUsize>,
}

impl FakeMac {
    pub fn new() -> Self {
        let (notifications, posted) = channel::<(&'static str, Vec<u8>)>();
        let world = Arc::<Mutex<World>>::default();
        let of_thread = Arc::downgrade(&world);
        thread::spawn(move || {
            for (name, description) in posted {
                let Some(world) = of_thread.upgrade() else { return };
                let observers: Vec<_> = world.lock().unwrap().observers.values().cloned().collect();
                drop(world);
                observers.iter().filter(|o| o.0 == name).for_each(|(_, handler)| handler(&description));
            }
        });
        FakeMac { world, notifications }
    }

    pub fn program(&self, name: &'static str) -> FakeProgram {
        let alive = Arc::new(AtomicBool::new(true));
        FakeProgram { mac: self.clone(), name, alive, awake: Arc::default() }
    }

    /// The notifications posted so far, and what each is about.
    pub fn posted(&self) -> Vec<(&'static str, Option<String>)> {
        self.world().posted.clone()
    }

    /// The names of the open message ports.
    pub fn ports(&self) -> Vec<String> {
        let world = self.world();
        world.ports.iter().filter(|(_, port)| port.is_open()).map(|(name, _)| name.clone()).collect()
    }

    /// How many surfaces there are.
    pub fn surfaces(&self) -> usize {
        self.world().surfaces.values().filter(|s| s.strong_count() > 0).count()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

impl FakeProgram {
    /// Ends the program at once, as `kill -9` does: nothing is said, no port and no observer remains.
    pub fn kill(&self) {
        self.alive.store(false, Ordering::SeqCst);
    }

    fn is_alive(&self) -> bool {
        self.alive.load(Ordering::SeqCst)
    }

    /// Lets the program take no messages on this port until that is taken back.
    pub fn stick(&self, port: &str, stuck: bool) {
        let port = self.mac.world().ports[port].clone();
        *port.stuck.lock().unwrap() = stuck;
        port.freed.notify_all();
    }
}

impl Port {
    fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst) && self.program.load(Ordering::SeqCst)
    }
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn held(release: impl FnMut() + Send + Sync + 'static) -> Held {
    Box::new(OnDrop(release))
}

impl System for FakeProgram {
    fn check(&self) -> Result<(), TextureError> {
        Ok(())
    }

    fn uuid(&self) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.mac.world().next())
    }

    fn application_name(&self) -> String {
        self.name.into()
    }

    fn post(&self, name: &'static str, object: Option<&str>, description: Option<&[u8]>) -> Result<(), TextureError> {
        if self.is_alive() {
            self.mac.world().posted.push((name, object.map(str::to_owned)));
            self.mac.notifications.send((name, description.unwrap_or_default().to_vec())).unwrap();
        }
        Ok(())
    }

    fn observe(&self, name: &'static str, handler: NotificationHandler) -> Result<Held, TextureError> {
        let alive = self.alive.clone();
        let while_alive: NotificationHandler = Arc::new(move |description| {
            if alive.load(Ordering::SeqCst) {
                handler(description);
            }
        });
        let mut world = self.mac.world();
        let number = world.next();
        world.observers.insert(number, (name, while_alive));
        let mac = Arc::downgrade(&self.mac.world);
        Ok(held(move || {
            let Some(world) = mac.upgrade() else { return };
            let removed = world.lock().unwrap().observers.remove(&number);
            drop(removed);
        }))
    }

    fn listen(&self, name: &str, handler: MessageHandler) -> Result<Held, TextureError> {
        let port = Arc::new(Port {
            handler: Mutex::new(handler),
            open: AtomicBool::new(true),
            program: self.alive.clone(),
            stuck: Mutex::new(false),
            freed: Condvar::new(),
        });
        let before = self.mac.world().ports.insert(name.to_owned(), port.clone());
        assert!(before.is_none(), "a port's name is used once");
        Ok(held(move || port.open.store(false, Ordering::SeqCst)))
    }

    fn connect(&self, name: &str) -> Option<Arc<dyn RemotePort>> {
        let port = self.mac.world().ports.get(name).filter(|port| port.is_open()).cloned()?;
        Some(Arc::new(RemoteFakePort { port, from: self.alive.clone() }))
    }

    fn create_surface(&self, width: usize, height: usize) -> Result<Box<dyn Surface>, TextureError> {
        let bytes_per_row = (width * 4).next_multiple_of(ROW_ALIGNMENT);
        let memory = Arc::new(Memory {
            number: self.mac.world().next(),
            size: (width, height),
            bytes_per_row,
            bytes: Mutex::new(vec![0xcd; bytes_per_row * height]),
            seed: AtomicU32::new(0),
            unsteady: AtomicUsize::new(0),
        });
        self.mac.world().surfaces.insert(memory.number, Arc::downgrade(&memory));
        Ok(Box::new(FakeSurface(memory)))
    }

    fn find_surface(&self, number: u32) -> Option<Box<dyn Surface>> {
        let memory = self.mac.world().surfaces.get(&number)?.upgrade()?;
        Some(Box::new(FakeSurface(memory)))
    }

    fn stay_awake(&self, _: &str) -> Held {
        let awake = self.awake.clone();
        awake.fetch_add(1, Ordering::SeqCst);
        held(move || {
            awake.fetch_sub(1, Ordering::SeqCst);
        })
    }

    fn rest(&self, at_most: Duration) {
        thread::sleep(at_most);
    }
}

struct RemoteFakePort {
    port: Arc<Port>,
    from: Arc<AtomicBool>,
}

impl RemotePort for RemoteFakePort {
    fn send(&self, number: i32, body: &[u8], _: Duration) -> Result<(), SendError> {
        let mut stuck = self.port.stuck.lock().unwrap();
        while *stuck && self.port.is_open() {
            stuck = self.port.freed.wait(stuck).unwrap();
        }
        drop(stuck);
        let handler = self.port.handler.lock().unwrap();
        if !self.port.is_open() {
            return Err(SendError::Gone);
        }
        if self.from.load(Ordering::SeqCst) {
            handler(number, body);
        }
        Ok(())
    }

    fn is_valid(&self) -> bool {
        self.port.is_open()
    }
}

struct Memory {
    number: u32,
    size: (usize, usize),
    bytes_per_row: usize,
    bytes: Mutex<Vec<u8>>,
    seed: AtomicU32,
    /// How many more reads will find that it has changed meanwhile.
    unsteady: AtomicUsize,
}

/// A surface, held by one program.
pub struct FakeSurface(Arc<Memory>);

impl FakeProgram {
    /// Lets the next `reads` of a surface find that it has changed meanwhile.
    pub fn unsettle(&self, surface: u32, reads: usize) {
        let memory = self.mac.world().surfaces[&surface].upgrade().expect("a surface");
        memory.unsteady.store(reads, Ordering::SeqCst);
    }
}

impl Surface for FakeSurface {
    fn number(&self) -> u32 {
        self.0.number
    }

    fn width(&self) -> usize {
        self.0.size.0
    }

    fn height(&self) -> usize {
        self.0.size.1
    }

    fn write(&mut self, fill: &mut dyn FnMut(&mut [u8], usize)) -> Result<(), TextureError> {
        fill(&mut self.0.bytes.lock().unwrap(), self.0.bytes_per_row);
        self.0.seed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn read(&self, image: &mut Vec<u8>) -> Result<bool, TextureError> {
        let bytes = self.0.bytes.lock().unwrap();
        image.clear();
        bytes.chunks_exact(self.0.bytes_per_row).for_each(|row| image.extend_from_slice(&row[..self.0.size.0 * 4]));
        let less = |n: usize| n.checked_sub(1);
        let whole = self.0.unsteady.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_err();
        if !whole {
            image.fill(TORN);
        }
        Ok(whole)
    }
}
