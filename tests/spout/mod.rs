//! What the Spout tests on Windows share: other processes, which do what they are told, and a graphics device that
//! needs none.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use virtual_gpu_lut_box::hald::{Layout, Texel, TextureShape};
use virtual_gpu_lut_box::lut::{Cdl, GridSize};
use virtual_gpu_lut_box::texture::spout::SpoutBackend;
use virtual_gpu_lut_box::texture::spout::seam::{
    Device, DeviceError, Graphics, ReceivedTexture, SentTexture, SharedMutex, SharedObjects, Waited,
};
use virtual_gpu_lut_box::texture::windows::SessionObjects;
use virtual_gpu_lut_box::texture::{Frame, TextureBackend, TextureError, TextureSender, TextureWriter};

/// Set for a test program that is to be another process.
const CHILD: &str = "SPOUT_TEST_CHILD";

/// What stands before each answer, so that the test harness's own lines can't be taken for one.
const ANSWER: &str = "=> ";

/// The list of senders belongs to the whole session, so that one test runs at a time, and alone.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let list = SessionObjects.open_memory(b"SpoutSenderNames").unwrap();
    assert!(list.is_none(), "a Spout program runs in this session; these tests need one without");
    alone
}

pub fn shape(n: u64) -> TextureShape {
    TextureShape::new(GridSize::new(n).unwrap(), Layout::Vglb).unwrap()
}

/// Texels of random bits, with negative zero, a subnormal, a NaN with a payload and a huge value among them.
pub fn texels(n: u64, seed: u32) -> Vec<Texel> {
    let mut bits = seed.wrapping_mul(2) | 1;
    let mut random = move || {
        bits = bits.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
        (bits ^ bits >> 15).to_le_bytes()
    };
    let mut texels = vec![[0; 16]; shape(n).texels()];
    texels.as_flattened_mut().chunks_mut(4).for_each(|lane| lane.copy_from_slice(&random()));
    let special = [0x8000_0000u32, 1, 0x7fc0_1234, 0x7e96_7699].map(u32::to_le_bytes);
    texels[seed as usize % 5].copy_from_slice(special.as_flattened());
    texels
}

/// One stream.
pub struct Stream {
    pub sender: Box<dyn TextureSender>,
    writer: Box<dyn TextureWriter>,
}

impl Stream {
    pub fn new(spout: &SpoutBackend, name: &str) -> Result<Self, TextureError> {
        let sender = spout.create_sender(name)?;
        Ok(Stream { writer: sender.writer()?, sender })
    }

    pub fn publish(&mut self, n: u64, seed: u32) -> Result<u64, TextureError> {
        self.writer.begin(shape(n))?;
        self.writer.texels().copy_from_slice(&texels(n, seed));
        self.writer.publish()
    }
}

/// A stream with one LUT published.
pub fn sender(spout: &SpoutBackend, name: &str) -> Stream {
    let mut stream = Stream::new(spout, name).unwrap();
    stream.publish(2, 1).unwrap();
    stream
}

/// Another process.
pub struct Process {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts one that uses this computer's Direct3D, or does without any.
    pub fn start(direct3d: bool) -> Self {
        let kind = if direct3d { "direct3d" } else { "imaginary" };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "another_process", "--ignored", "--nocapture"])
            .env(CHILD, kind)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Process { child, orders, answers }
    }

    /// Has it do something; the answer, or what went wrong.
    pub fn does(&mut self, order: &str) -> Result<String, String> {
        writeln!(self.orders, "{order}").unwrap();
        loop {
            let line = self.answers.next().unwrap_or_else(|| panic!("the process ended at {order:?}")).unwrap();
            match line.strip_prefix(ANSWER).map(|answer| answer.split_once(' ').unwrap_or((answer, ""))) {
                Some(("ok", answer)) => return Ok(answer.to_owned()),
                Some((_, error)) => return Err(error.to_owned()),
                None => {}
            }
        }
    }

    /// Ends it on the spot, as the task manager does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other process's work: one order a line, until there are no more.
pub fn obey() {
    let Ok(kind) = std::env::var(CHILD) else { return };
    let spout = match kind.as_str() {
        "direct3d" => SpoutBackend::with_adapter(None),
        _ => imaginary(),
    };
    let mut servant = Servant { spout, streams: BTreeMap::new(), mutexes: BTreeMap::new() };
    for order in std::io::stdin().lines() {
        match servant.obey(&order.unwrap()) {
            Ok(answer) => println!("\n{ANSWER}ok {answer}"),
            Err(error) => println!("\n{ANSWER}error {}", error.replace('\n', " ")),
        }
    }
}

struct Servant {
    spout: SpoutBackend,
    streams: BTreeMap<String, Stream>,
    mutexes: BTreeMap<String, Box<dyn SharedMutex>>,
}

impl Servant {
    fn obey(&mut self, order: &str) -> Result<String, String> {
        let words: Vec<_> = order.split(' ').collect();
        match words[..] {
            ["publish", name, n, seed] => self.publish(name, n.parse().unwrap(), seed.parse().unwrap()),
            ["end", name] => self.streams.remove(name).map(|_| String::new()).ok_or("no such stream".into()),
            ["grade", name, slope] => {
                let cdl = Cdl::new([slope.parse().unwrap(), 1.0, 1.0], [0.0; 3], [1.0; 3], 0.5).unwrap();
                self.streams[name].sender.set_cdl(&cdl);
                Ok(String::new())
            }
            ["hold", name] => self.hold(name),
            ["release", name] => {
                self.mutexes.remove(name).unwrap().unlock().map(|()| String::new()).map_err(|e| e.to_string())
            }
            ["receive", name, n, seed] => self.receive(name, n.parse().unwrap(), seed.parse().unwrap()),
            _ => panic!("{order:?} is no order"),
        }
    }

    /// Publishes, and answers with the name and the revision.
    fn publish(&mut self, name: &str, n: u64, seed: u32) -> Result<String, String> {
        let mut publish = || -> Result<String, TextureError> {
            if !self.streams.contains_key(name) {
                self.streams.insert(name.to_owned(), Stream::new(&self.spout, name)?);
            }
            let stream = self.streams.get_mut(name).unwrap();
            let revision = stream.publish(n, seed)?;
            Ok(format!("{} {revision}", stream.sender.name()))
        };
        publish().map_err(|e| e.to_string())
    }

    fn hold(&mut self, name: &str) -> Result<String, String> {
        let mutex = SessionObjects.open_mutex(name.as_bytes()).unwrap().ok_or("no such mutex")?;
        let waited = mutex.lock(std::time::Duration::from_secs(60)).unwrap();
        assert_ne!(waited, Waited::TimedOut);
        self.mutexes.insert(name.to_owned(), mutex);
        Ok(String::new())
    }

    /// Receives, and answers with the frame's revision and format where it is bit for bit what it should be.
    fn receive(&mut self, name: &str, n: u64, seed: u32) -> Result<String, String> {
        let mut frame = Frame::default();
        let read = self.spout.open(name).and_then(|mut receiver| receiver.read(&mut frame));
        read.map_err(|e| e.to_string())?;
        if (frame.width, frame.height) != (shape(n).width(), shape(n).height()) {
            return Err(format!("{}×{}", frame.width, frame.height));
        }
        let wanted = texels(n, seed);
        match frame.texels.iter().zip(&wanted).position(|(a, b)| a != b) {
            Some(at) => Err(format!("texel {at} is {:02x?}, not {:02x?}", frame.texels[at], wanted[at])),
            None => Ok(format!("{} {}", frame.revision, frame.format)),
        }
    }
}

/// Spout with this session's objects, and a device that puts nothing anywhere: for what has to do with processes.
pub fn imaginary() -> SpoutBackend {
    SpoutBackend::new(SessionObjects, Imaginary)
}

struct Imaginary;

impl Graphics for Imaginary {
    fn create_device(&self) -> Result<Arc<dyn Device>, DeviceError> {
        Ok(Arc::new(Imaginary))
    }

    fn adapters(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Device for Imaginary {
    fn description(&self) -> String {
        "no device".into()
    }

    fn check(&self) -> Result<(), DeviceError> {
        Ok(())
    }

    fn create_texture(&self, _width: usize, _height: usize) -> Result<Box<dyn SentTexture>, DeviceError> {
        static NEXT: AtomicU32 = AtomicU32::new(0x4000_0002);
        Ok(Box::new(ImaginaryTexture(NEXT.fetch_add(2, Ordering::Relaxed))))
    }

    fn open_texture(&self, _share_handle: u32) -> Result<Box<dyn ReceivedTexture>, DeviceError> {
        Err(DeviceError::Unsupported("there is no device".into()))
    }
}

struct ImaginaryTexture(u32);

impl SentTexture for ImaginaryTexture {
    fn share_handle(&self) -> Result<u32, DeviceError> {
        Ok(self.0)
    }

    fn upload(&mut self, _texels: &[Texel]) -> Result<(), DeviceError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}
