//! A process that looks at the streams of many nodes, as so many renderers would, and says when each LUT was there.
//!
//! LUTs are numbered in the red of their first entry. For each one seen there is a line `stream number published seen`, with
//! times in nanoseconds since 1970: when its sender put it on the stream, where the transport says so, and when it was seen
//! here.

use anyhow::{Context, ensure};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use virtual_gpu_lut_box::texture::{self, Event, Frame, TextureBackend, TextureReceiver};

const PATIENCE: Duration = Duration::from_secs(60);

/// The channel of a node.
pub fn channel(node: usize) -> String {
    format!("node{node:03}")
}

/// The stream of a node.
pub fn stream(node: usize) -> String {
    format!("vglb-lut-{}", channel(node))
}

/// Nanoseconds since 1970.
pub fn now() -> u64 {
    nanoseconds(SystemTime::now())
}

fn nanoseconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// The process: prints until it is killed.
pub fn run(nodes: usize) -> anyhow::Result<()> {
    let backend = texture::choose("auto")?;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..nodes)
            .map(|node| {
                scope.spawn({
                    let backend = &*backend;
                    move || look(backend, node)
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a thread that does not panic"))
    })
}

fn look(backend: &dyn TextureBackend, node: usize) -> anyhow::Result<()> {
    let stream = stream(node);
    ensure!(backend.wait_for_stream(&stream, Some(PATIENCE))?, "no stream {stream:?}");
    let (mut receiver, mut frame) = (backend.open(&stream)?, Frame::default());
    loop {
        match receiver.wait(None)? {
            Event::Frame => {
                let seen = now();
                if let Some((number, published)) = number(&mut *receiver, &mut frame)? {
                    let line = format!("{node} {number} {} {seen}\n", published.map_or(0, nanoseconds));
                    std::io::stdout().lock().write_all(line.as_bytes())?;
                }
            }
            Event::Ended => return Ok(()),
            Event::TimedOut => {}
        }
    }
}

/// The number of the LUT that is there, and when it was published. `None` where another has just taken its place.
fn number(
    receiver: &mut dyn TextureReceiver,
    frame: &mut Frame,
) -> anyhow::Result<Option<(usize, Option<SystemTime>)>> {
    let number = |bytes: [u8; 4]| f32::from_le_bytes(bytes) as usize;
    let Some(texture) = receiver.in_place()? else {
        receiver.read(frame)?;
        let first = frame.texels.first().context("a texture without texels")?;
        return Ok(Some((number([first[0], first[1], first[2], first[3]]), frame.published)));
    };
    let mut red = [0; 4];
    let mut file = std::fs::File::open(&texture.file)?;
    file.seek(SeekFrom::Start(texture.offset))?;
    file.read_exact(&mut red)?;
    Ok(texture.is_intact().then(|| (number(red), texture.frame.published)))
}

/// When a LUT came on a stream.
#[derive(Clone, Copy)]
pub struct Times {
    /// When its sender says that it put it there, where it says so.
    pub published: Option<u64>,
    /// When it was seen by another process.
    pub seen: u64,
}

/// What was seen, by number and node.
type Sights = BTreeMap<usize, BTreeMap<usize, Times>>;

/// The process, as it runs; it ends with the value.
pub struct Watch {
    child: Child,
    reader: Option<JoinHandle<()>>,
    seen: Arc<(Mutex<Sights>, Condvar)>,
    nodes: usize,
}

impl Watch {
    /// Starts to look at the streams in a folder.
    pub fn start(streams: &Path, nodes: usize) -> anyhow::Result<Watch> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("watch-nodes").arg(nodes.to_string()).env("VGLB_RUNTIME_DIR", streams);
        let mut child = command.stdout(Stdio::piped()).spawn().context("can't start what looks at the streams")?;
        let lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let seen = Arc::<(Mutex<Sights>, Condvar)>::default();
        let its = seen.clone();
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut numbers = line.split(' ').map_while(|word| word.parse::<u64>().ok());
                let mut next = || numbers.next();
                let (Some(node), Some(number), Some(published), Some(seen)) = (next(), next(), next(), next()) else {
                    continue;
                };
                let times = Times { published: (published > 0).then_some(published), seen };
                let mut sights = its.0.lock().unwrap_or_else(PoisonError::into_inner);
                sights.entry(number as usize).or_default().entry(node as usize).or_insert(times);
                its.1.notify_all();
            }
        });
        Ok(Watch { child, reader: Some(reader), seen, nodes })
    }

    /// Waits until this LUT was seen on all streams, at most `patience`, and tells whether it was.
    pub fn wait_for(&self, number: usize, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut sights = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        while sights.get(&number).is_none_or(|nodes| nodes.len() < self.nodes) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            sights = self.seen.1.wait_timeout(sights, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// What was seen of a LUT.
    pub fn of(&self, number: usize) -> Vec<Times> {
        let sights = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        sights.get(&number).map(|nodes| nodes.values().copied().collect()).unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
