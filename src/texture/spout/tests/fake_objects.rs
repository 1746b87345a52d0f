//! Named objects of a session that exists in memory only, with processes that can crash and programs that do not
//! let go of a mutex.

use crate::texture::spout::lock::WAIT;
use crate::texture::spout::seam::{SharedMemory, SharedMutex, SharedObjects, SharedSemaphore, Waited};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// One logon session.
#[derive(Clone, Default)]
pub struct Session(Arc<Kernel>);

#[derive(Default)]
struct Kernel {
    names: Mutex<BTreeMap<Vec<u8>, Weak<Object>>>,
    settings: Mutex<BTreeMap<String, u32>>,
    refused: Mutex<BTreeSet<Vec<u8>>>,
}

enum Object {
    Memory(Mutex<Vec<u8>>),
    Mutex(Mutex<Ownership>, Condvar),
    Semaphore(Mutex<u32>, u32),
}

#[derive(Default)]
struct Ownership {
    owner: Option<Owner>,
    abandoned: bool,
    time_outs: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Owner {
    Thread(ThreadId, usize),
    /// Another program, which lets go after so many more waits in vain.
    Stranger(usize),
}

/// A process of the session.
#[derive(Clone)]
pub struct Process(Arc<Table>);

struct Table {
    session: Session,
    id: usize,
    handles: Mutex<BTreeMap<usize, Arc<Object>>>,
}

struct Handle {
    process: Process,
    number: usize,
    name: Vec<u8>,
}

impl Session {
    pub fn process(&self) -> Process {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
        let id = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Process(Arc::new(Table { session: self.clone(), id, handles: Mutex::default() }))
    }

    pub fn set(&self, setting: &str, value: u32) {
        self.0.settings.lock().unwrap().insert(setting.into(), value);
    }

    /// Making the object called `name` fails from now on.
    pub fn refuse(&self, name: &str) {
        self.0.refused.lock().unwrap().insert(name.into());
    }

    pub fn refuse_nothing(&self) {
        self.0.refused.lock().unwrap().clear();
    }

    /// The names of all objects there are.
    pub fn object_names(&self) -> Vec<String> {
        let names = self.0.names.lock().unwrap();
        names
            .iter()
            .filter(|(_, object)| object.strong_count() > 0)
            .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
            .collect()
    }

    pub fn memory(&self, name: &str) -> Option<Vec<u8>> {
        match &*self.find(name)? {
            Object::Memory(bytes) => Some(bytes.lock().unwrap().clone()),
            _ => panic!("{name} is no memory"),
        }
    }

    pub fn count(&self, name: &str) -> u32 {
        match &*self.find(name).unwrap() {
            Object::Semaphore(count, _) => *count.lock().unwrap(),
            _ => panic!("{name} is no semaphore"),
        }
    }

    /// Another program holds the mutex, until others have waited for it in vain so many times.
    pub fn hold(&self, name: &str, waits: usize) {
        self.ownership(name, |o| o.owner = Some(Owner::Stranger(waits)));
    }

    /// The program that holds the mutex ends.
    pub fn abandon(&self, name: &str) {
        self.ownership(name, |o| (o.owner, o.abandoned) = (None, true));
    }

    /// How often somebody waited in vain.
    pub fn time_outs(&self, name: &str) -> usize {
        self.ownership(name, |o| o.time_outs)
    }

    /// Whether the calling thread owns the mutex.
    pub fn is_owned_here(&self, name: &str) -> bool {
        self.ownership(name, |o| matches!(o.owner, Some(Owner::Thread(id, _)) if id == thread::current().id()))
    }

    pub fn is_owned(&self, name: &str) -> bool {
        self.ownership(name, |o| o.owner.is_some())
    }

    fn ownership<T>(&self, name: &str, f: impl FnOnce(&mut Ownership) -> T) -> T {
        match &*self.find(name).unwrap_or_else(|| panic!("there is no {name}")) {
            Object::Mutex(ownership, _) => f(&mut ownership.lock().unwrap()),
            _ => panic!("{name} is no mutex"),
        }
    }

    fn find(&self, name: &str) -> Option<Arc<Object>> {
        self.0.names.lock().unwrap().get(name.as_bytes())?.upgrade()
    }
}

impl Process {
    /// Ends the process on the spot: its handles close, and its mutexes are abandoned. Nothing else is tidied up.
    pub fn crash(&self) {
        for object in std::mem::take(&mut *self.0.handles.lock().unwrap()).into_values() {
            if let Object::Mutex(ownership, freed) = &*object {
                let mut o = ownership.lock().unwrap();
                if matches!(o.owner, Some(Owner::Thread(_, process)) if process == self.0.id) {
                    (o.owner, o.abandoned) = (None, true);
                    freed.notify_all();
                }
            }
        }
    }

    fn handle(&self, name: &[u8], object: Arc<Object>) -> Handle {
        let mut handles = self.0.handles.lock().unwrap();
        let number = handles.last_key_value().map_or(1, |(n, _)| n + 1);
        handles.insert(number, object);
        Handle { process: self.clone(), number, name: name.to_vec() }
    }

    fn create(&self, name: &[u8], new: Object) -> io::Result<Handle> {
        let kernel = &self.0.session.0;
        if kernel.refused.lock().unwrap().contains(name) {
            return Err(io::Error::other("refused"));
        }
        if let Some(existing) = self.open(name, &new)? {
            return Ok(existing);
        }
        let new = Arc::new(new);
        kernel.names.lock().unwrap().insert(name.to_vec(), Arc::downgrade(&new));
        Ok(self.handle(name, new))
    }

    fn open(&self, name: &[u8], like: &Object) -> io::Result<Option<Handle>> {
        let found = self.0.session.0.names.lock().unwrap().get(name).and_then(Weak::upgrade);
        let Some(found) = found else { return Ok(None) };
        if std::mem::discriminant(&*found) != std::mem::discriminant(like) {
            return Err(io::Error::other("the handle is invalid"));
        }
        Ok(Some(self.handle(name, found)))
    }
}

fn mutex() -> Object {
    Object::Mutex(Mutex::default(), Condvar::new())
}

fn semaphore(count: u32, maximum: u32) -> Object {
    Object::Semaphore(Mutex::new(count), maximum)
}

impl SharedObjects for Process {
    fn create_memory(&self, name: &[u8], size: usize) -> io::Result<Box<dyn SharedMemory>> {
        Ok(Box::new(self.create(name, Object::Memory(Mutex::new(vec![0; size])))?))
    }

    fn open_memory(&self, name: &[u8]) -> io::Result<Option<Box<dyn SharedMemory>>> {
        Ok(self.open(name, &Object::Memory(Mutex::default()))?.map(|h| Box::new(h) as _))
    }

    fn create_mutex(&self, name: &[u8]) -> io::Result<Box<dyn SharedMutex>> {
        Ok(Box::new(self.create(name, mutex())?))
    }

    fn open_mutex(&self, name: &[u8]) -> io::Result<Option<Box<dyn SharedMutex>>> {
        Ok(self.open(name, &mutex())?.map(|h| Box::new(h) as _))
    }

    fn create_semaphore(&self, name: &[u8], initial: u32, maximum: u32) -> io::Result<Box<dyn SharedSemaphore>> {
        Ok(Box::new(self.create(name, semaphore(initial, maximum))?))
    }

    fn open_semaphore(&self, name: &[u8]) -> io::Result<Option<Box<dyn SharedSemaphore>>> {
        Ok(self.open(name, &semaphore(0, 0))?.map(|h| Box::new(h) as _))
    }

    fn setting(&self, name: &str) -> Option<u32> {
        self.0.session.0.settings.lock().unwrap().get(name).copied()
    }

    fn program(&self) -> Vec<u8> {
        b"C:\\box\\vglb.exe".to_vec()
    }
}

impl Handle {
    /// `None` where the process has crashed: then nobody is there to use the handle either.
    fn object(&self) -> Option<Arc<Object>> {
        self.process.0.handles.lock().unwrap().get(&self.number).cloned()
    }
}

impl Handle {
    /// Two that look at a frame count at the same time would both see a wrong number.
    fn check_that_it_is_guarded(&self) {
        let name = String::from_utf8_lossy(&self.name);
        let Some(sender) = name.strip_suffix("_Count_Semaphore") else { return };
        let (session, mutex) = (&self.process.0.session, format!("{sender}_SpoutAccessMutex"));
        let guarded = session.find(&mutex).is_none() || session.is_owned_here(&mutex);
        assert!(guarded, "{name} is looked at without {mutex}");
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.process.0.handles.lock().unwrap().remove(&self.number);
    }
}

impl SharedMemory for Handle {
    fn size(&self) -> usize {
        let Some(object) = self.object() else { return 0 };
        let Object::Memory(bytes) = &*object else { unreachable!() };
        bytes.lock().unwrap().len()
    }

    fn read(&self, to: &mut [u8]) {
        let Some(object) = self.object() else { return };
        let Object::Memory(bytes) = &*object else { unreachable!() };
        let bytes = bytes.lock().unwrap();
        let length = to.len().min(bytes.len());
        to[..length].copy_from_slice(&bytes[..length]);
    }

    fn write(&self, from: &[u8]) {
        let Some(object) = self.object() else { return };
        let Object::Memory(bytes) = &*object else { unreachable!() };
        let mut bytes = bytes.lock().unwrap();
        assert!(from.len() <= bytes.len(), "a write beyond the memory's end");
        bytes[..from.len()].copy_from_slice(from);
    }
}

impl SharedMutex for Handle {
    fn lock(&self, wait: Duration) -> io::Result<Waited> {
        assert!(wait <= WAIT, "a wait of {wait:?}");
        let Some(object) = self.object() else { return Ok(Waited::Abandoned) };
        let Object::Mutex(ownership, freed) = &*object else { unreachable!() };
        let me = Owner::Thread(thread::current().id(), self.process.0.id);
        let deadline = Instant::now() + wait;
        let mut o = ownership.lock().unwrap();
        loop {
            assert!(o.owner != Some(me), "a thread takes a mutex that it owns");
            let left = deadline.saturating_duration_since(Instant::now());
            match &mut o.owner {
                None => break,
                Some(Owner::Stranger(waits)) => {
                    *waits = waits.saturating_sub(1);
                    if *waits == 0 {
                        o.owner = None;
                    }
                    o.time_outs += 1;
                    return Ok(Waited::TimedOut);
                }
                Some(Owner::Thread(..)) if left.is_zero() => {
                    o.time_outs += 1;
                    return Ok(Waited::TimedOut);
                }
                Some(Owner::Thread(..)) => o = freed.wait_timeout(o, left).unwrap().0,
            }
        }
        o.owner = Some(me);
        Ok(if std::mem::take(&mut o.abandoned) { Waited::Abandoned } else { Waited::Taken })
    }

    fn unlock(&self) -> io::Result<()> {
        let Some(object) = self.object() else { return Ok(()) };
        let Object::Mutex(ownership, freed) = &*object else { unreachable!() };
        let me = Owner::Thread(thread::current().id(), self.process.0.id);
        let mut o = ownership.lock().unwrap();
        assert!(o.owner == Some(me), "a thread gives a mutex free that it does not own");
        o.owner = None;
        freed.notify_all();
        Ok(())
    }
}

impl SharedSemaphore for Handle {
    fn try_take(&self) -> io::Result<bool> {
        self.check_that_it_is_guarded();
        let Some(object) = self.object() else { return Ok(false) };
        let Object::Semaphore(count, _) = &*object else { unreachable!() };
        let mut count = count.lock().unwrap();
        let taken = *count > 0;
        *count -= u32::from(taken);
        Ok(taken)
    }

    fn add(&self, more: u32) -> io::Result<u32> {
        let Some(object) = self.object() else { return Ok(0) };
        let Object::Semaphore(count, maximum) = &*object else { unreachable!() };
        let mut count = count.lock().unwrap();
        let before = *count;
        if before + more > *maximum {
            return Err(io::Error::other("too many posts were made to a semaphore"));
        }
        *count += more;
        Ok(before)
    }
}
