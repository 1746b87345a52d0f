//! The parts of a LUT's road, each alone: reading the message, the layouts, and publishing.

#![allow(clippy::unwrap_used, reason = "a benchmark stops where something is not as it should be")]

use criterion::{BenchmarkId, Criterion, Throughput};
use std::hint::black_box;
use virtual_gpu_lut_box::hald::{EntryOrder, Layout, NotFiniteCount, Placement, Texel, TextureShape, texel};
use virtual_gpu_lut_box::lut::{GridSize, Lut3d};
use virtual_gpu_lut_box::texture::memory::MemoryBackend;
use virtual_gpu_lut_box::texture::{TextureBackend, TextureError};
use virtual_gpu_lut_box::wire::message::MessageReader;
use virtual_gpu_lut_box::wire::request::{Payload, Request};
use virtual_gpu_lut_box::wire::{WireLimits, client};

const SIZES: [u64; 5] = [17, 33, 64, 65, 128];

fn grid(n: u64) -> GridSize {
    GridSize::new(n).unwrap()
}

fn entries(size: GridSize) -> Vec<Texel> {
    let lut = Lut3d::identity(size);
    lut.entries().iter().map(|e| texel(*e)).collect()
}

struct Nothing;

impl Payload for Nothing {
    fn begin(&mut self, _: &Request, _: usize) {}
    fn entries(&mut self, entries: &[Texel]) {
        black_box(entries);
    }
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for n in SIZES {
        let message = client::set_lut(Some("cam1"), &Lut3d::identity(grid(n)), EntryOrder::BlueFastest);
        let mut request = Request::default();
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(n), &message, |b, message| {
            b.iter(|| {
                let mut reader = MessageReader::new(&message[..], WireLimits::default());
                let mut message = reader.next_message().unwrap().unwrap();
                request.read(&mut message, &mut Nothing).unwrap();
            });
        });
    }
    group.finish();
}

/// In pieces of what is read from a socket at once.
fn lay_out(c: &mut Criterion) {
    const PIECE: usize = (256 << 10) / size_of::<Texel>();
    for layout in Layout::ALL {
        let mut group = c.benchmark_group(format!("layout {layout}"));
        for n in SIZES {
            let Ok(shape) = TextureShape::new(grid(n), layout) else { continue };
            let (entries, place) = (entries(grid(n)), Placement::new(shape, EntryOrder::BlueFastest));
            let mut texture = vec![[0; 16]; shape.texels()];
            group.throughput(Throughput::Bytes(shape.bytes() as u64));
            group.bench_function(BenchmarkId::from_parameter(n), |b| {
                b.iter(|| {
                    for (i, piece) in entries.chunks(PIECE).enumerate() {
                        assert!(place.write(i * PIECE, black_box(piece), &mut texture));
                    }
                });
            });
        }
        group.finish();
    }
}

fn check_finite(c: &mut Criterion) {
    let mut group = c.benchmark_group("count values that are no numbers");
    for n in SIZES {
        let entries = entries(grid(n));
        group.throughput(Throughput::Bytes(size_of_val(&entries[..]) as u64));
        group.bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter(|| NotFiniteCount::default().add(0, black_box(&entries)));
        });
    }
    group.finish();
}

fn publish(c: &mut Criterion) {
    let shape = TextureShape::new(grid(33), Layout::Vglb).unwrap();
    let folder = std::env::temp_dir().join(format!("vglb-bench-parts-{}", std::process::id()));
    let platform = |name: &str| -> Result<Box<dyn TextureBackend>, TextureError> {
        Ok(match name {
            #[cfg(target_os = "linux")]
            "linux" => Box::new(virtual_gpu_lut_box::texture::linux::LinuxBackend::with_directory(&folder)),
            _ => Box::new(MemoryBackend::default()),
        })
    };
    let mut group = c.benchmark_group("begin and publish");
    for name in if cfg!(target_os = "linux") { &["linux", "memory"][..] } else { &["memory"] } {
        let sender = platform(name).unwrap().create_sender("bench").unwrap();
        let mut writer = sender.writer().unwrap();
        group.bench_function(*name, |b| {
            b.iter(|| {
                writer.begin(shape).unwrap();
                writer.publish().unwrap()
            });
        });
    }
    group.finish();
    let _ = std::fs::remove_dir_all(&folder);
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for part in [decode, lay_out, check_finite, publish] {
        part(&mut criterion);
    }
    criterion.final_summary();
}
