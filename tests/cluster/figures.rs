//! What a hub with 32 nodes takes, against as many plain TCP relays, all as processes on this computer.

use crate::program::{Place, Running};
use crate::stage::{Hub, Node, until};
use crate::wire::{Wire, pattern, set_lut};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::texture::linux::LinuxBackend;
use virtual_gpu_lut_box::texture::{Event, TextureBackend, TextureReceiver};

const NODES: usize = 32;
const LUTS: usize = 240;
const N: usize = 33;
const PERIOD: Duration = Duration::from_nanos(1_000_000_000 / 24);

/// A LUT that tells its number: in the red of its first entry.
fn numbered(lut: &mut [u8], number: usize) {
    lut[..4].copy_from_slice(&(number as f32).to_le_bytes());
}

/// When each LUT was seen on a stream.
fn watch(directory: PathBuf, stop: &AtomicBool) -> Vec<Option<Instant>> {
    let backend = LinuxBackend::with_directory(directory);
    let mut receiver: Box<dyn TextureReceiver> = until(|| backend.open("vglb-lut-cam").ok());
    let mut seen = vec![None; LUTS];
    while !stop.load(Ordering::Relaxed) {
        let Ok(Event::Frame) = receiver.wait(Some(Duration::from_millis(100))) else { continue };
        let now = Instant::now();
        let Ok(Some(texture)) = receiver.in_place() else { continue };
        let mut red = [0; 4];
        std::fs::File::open(&texture.file).unwrap().read_exact_at(&mut red, texture.offset).unwrap();
        let number = f32::from_le_bytes(red) as usize;
        if let Some(place) = seen.get_mut(number).filter(|_| texture.is_intact()) {
            place.get_or_insert(now);
        }
    }
    seen
}

/// Processor time of a process so far, in seconds.
fn processor(running: &Running) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// Sends LUTs at their pace, and says what came of it. `send` returns when the LUT is received.
fn measure(what: &str, streams: Vec<PathBuf>, mut send: impl FnMut(&[u8], usize) -> Instant) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut lut = pattern(N, 1);
    // So that there are streams to watch.
    numbered(&mut lut, LUTS + 1);
    send(&lut, 0);
    let watching = streams.into_iter().map(|directory| {
        let stop = stop.clone();
        thread::spawn(move || watch(directory, &stop))
    });
    let watching: Vec<_> = watching.collect();
    thread::sleep(Duration::from_secs(2));
    let begun = Instant::now();
    let received: Vec<Instant> = (0..LUTS)
        .map(|i| {
            numbered(&mut lut, i);
            thread::sleep((PERIOD * i as u32).saturating_sub(begun.elapsed()));
            send(&lut, i + 1)
        })
        .collect();
    let took = begun.elapsed();
    thread::sleep(Duration::from_secs(2));
    stop.store(true, Ordering::Relaxed);
    let seen: Vec<_> = watching.into_iter().map(|thread| thread.join().unwrap()).collect();
    let mut last = Vec::new();
    let mut missed = 0;
    for (i, at) in received.iter().enumerate() {
        let times: Vec<_> = seen.iter().filter_map(|node| node[i]).map(|t| t.saturating_duration_since(*at)).collect();
        missed += seen.len() - times.len();
        if times.len() == seen.len() {
            last.extend(times.into_iter().max());
        }
    }
    last.sort_unstable();
    let part = |p: usize| last.get((last.len() * p / 100).min(last.len().saturating_sub(1)));
    println!(
        "{what}: {} of {LUTS} LUTs in {took:.1?} were seen on all {NODES}; {missed} of {} missed; to the last: p50 {:.1?}, p99 {:.1?}",
        last.len(),
        LUTS * NODES,
        part(50),
        part(99)
    );
}

#[test]
#[ignore = "takes a computer for itself; prints figures"]
fn figures() {
    let hub = Hub::start(&[]);
    let nodes: Vec<Node> = (0..NODES).map(|i| hub.follow(&format!("n{i}"), &[])).collect();
    thread::sleep(Duration::from_secs(5));
    let mut wire = Wire::connect(SocketAddr::from(([127, 0, 0, 1], hub.running.port.parse().unwrap())));
    let before = (processor(&hub.running), nodes.iter().map(|node| processor(&node.running)).sum::<f64>());
    let begun = Instant::now();
    measure("cluster", nodes.iter().map(Node::directory).collect(), |lut, _| {
        wire.accepted(&set_lut(Some("cam"), lut.to_vec()));
        Instant::now()
    });
    let took = begun.elapsed().as_secs_f64();
    let after = (processor(&hub.running), nodes.iter().map(|node| processor(&node.running)).sum::<f64>());
    let percent = |seconds: f64| seconds / took * 100.0;
    println!(
        "processor: hub {:.0} %, all nodes {:.0} % of one",
        percent(after.0 - before.0),
        percent(after.1 - before.1)
    );
    drop((hub, nodes));

    let places: Vec<Place> = (0..NODES).map(|_| Place::new()).collect();
    let servers: Vec<Running> = places.iter().map(|place| place.serve(&[])).collect();
    let barrier = Arc::new(Barrier::new(NODES + 1));
    let message = Arc::new(std::sync::Mutex::new(Arc::new(Vec::new())));
    for server in &servers {
        let address = SocketAddr::from(([127, 0, 0, 1], server.port.parse().unwrap()));
        let (barrier, message) = (barrier.clone(), message.clone());
        thread::spawn(move || {
            let mut wire = Wire::connect(address);
            for _ in 0..=LUTS {
                barrier.wait();
                let message = message.lock().unwrap().clone();
                wire.accepted(&message);
            }
        });
    }
    let before = servers.iter().map(processor).sum::<f64>();
    let begun = Instant::now();
    measure("relays", places.iter().map(Place::streams).collect(), |lut, _| {
        *message.lock().unwrap() = Arc::new(set_lut(Some("cam"), lut.to_vec()));
        let received = Instant::now();
        barrier.wait();
        received
    });
    let used = servers.iter().map(processor).sum::<f64>() - before;
    println!("processor: all servers {:.0} % of one", used / begun.elapsed().as_secs_f64() * 100.0);
}
