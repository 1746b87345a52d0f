use super::*;
use crate::channel::ChannelSettings;
use crate::hald::Texel;
use crate::lut::{Cdl, GridSize};
use crate::sink::{self, LutSink, Refusal};
use crate::texture::memory::MemoryBackend;
use crate::texture::{Frame, TextureBackend};
use std::path::Path;
use std::time::SystemTime;

const PATIENCE: Duration = Duration::from_secs(60);

fn entries(n: u64, seed: u32) -> (GridSize, Vec<Texel>) {
    let size = GridSize::new(n).unwrap();
    let special = [0x8000_0000u32, 1, 0x7e96_7699, 0xff61_b1e6];
    let texel = |i: usize| {
        let mut texel = [0; 16];
        let bits = (0..4).map(|c| match (i + c) % 5 {
            s @ 0..4 => special[s],
            _ => seed.wrapping_mul(2_654_435_761).wrapping_add(i as u32) & 0x3fff_ffff,
        });
        texel.chunks_mut(4).zip(bits).for_each(|(t, b)| t.copy_from_slice(&b.to_le_bytes()));
        texel
    };
    (size, (0..size.entries()).map(texel).collect())
}

struct Run {
    backend: MemoryBackend,
    keeper: Keeper,
    channels: ChannelSet,
    restored: usize,
}

/// A server's inside, up to its stop.
fn run(path: &Path, order: EntryOrder, max_channels: usize, limit: u64) -> Run {
    let backend = MemoryBackend::default();
    let settings = ChannelSettings { order, max_channels, ..ChannelSettings::default() };
    let channels = ChannelSet::new(Arc::new(backend.clone()), settings);
    let mut keeper = Keeper::new(Directory::open(path, limit).unwrap());
    let restored = keeper.restore(&channels).unwrap();
    keeper.start(&channels).unwrap();
    Run { backend, keeper, channels, restored }
}

fn plain_run(path: &Path) -> Run {
    run(path, EntryOrder::BlueFastest, 64, u64::MAX)
}

impl Run {
    fn put(&self, channel: &str, n: u64, seed: u32) -> u64 {
        let (size, entries) = entries(n, seed);
        sink::put(&mut *self.channels.writer(&ChannelId::new(channel)).unwrap(), size, &entries).unwrap()
    }

    fn texels(&self, stream: &str) -> Vec<Texel> {
        let mut frame = Frame::default();
        self.backend.open(stream).unwrap().read(&mut frame).unwrap();
        frame.texels
    }

    fn streams(&self) -> Vec<String> {
        self.backend.streams().unwrap().into_iter().map(|s| s.name).collect()
    }

    fn stop(self) {
        assert!(self.keeper.stop(PATIENCE));
    }
}

#[test]
fn every_channels_last_lut_returns_with_every_bit_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b");
    let first = plain_run(&path);
    for seed in 0..40 {
        first.put("cam \u{1b}A/../x", [5, 9][seed as usize % 2], seed);
        first.put("", 4, seed);
    }
    let wanted = [first.texels("vglb-lut-cam \u{1b}A/../x"), first.texels("OpenGradeIO-LUT")];
    first.stop();
    let second = plain_run(&path);
    assert_eq!(second.restored, 2);
    assert!([second.texels("vglb-lut-cam \u{1b}A/../x"), second.texels("OpenGradeIO-LUT")] == wanted);
    second.put("", 4, 99);
    let newer = second.texels("OpenGradeIO-LUT");
    assert!(newer != wanted[1]);
    second.stop();
    assert!(plain_run(&path).texels("OpenGradeIO-LUT") == newer);
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 3, "two LUTs and the lock");
}

#[test]
fn what_is_remembered_is_the_newest_lut_and_not_what_the_stream_shows() {
    let dir = tempfile::tempdir().unwrap();
    let first = plain_run(dir.path());
    let channel = ChannelId::new("a");
    first.put("a", 4, 1);
    first.channels.set_bypass(&channel, true).unwrap();
    first.put("a", 5, 2);
    first.stop();
    let second = plain_run(dir.path());
    second.put("as sent", 5, 2);
    assert!(second.texels("vglb-lut-a") == second.texels("vglb-lut-as sent"));
}

#[test]
fn a_refused_lut_is_not_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let first = plain_run(dir.path());
    first.put("a", 4, 1);
    let wanted = first.texels("vglb-lut-a");
    let (size, mut bad) = entries(4, 2);
    bad[5] = [0xff; 16];
    let refused = sink::put(&mut *first.channels.writer(&ChannelId::new("a")).unwrap(), size, &bad);
    assert!(matches!(refused, Err(Refusal::NotFinite(_))));
    first.stop();
    assert!(plain_run(dir.path()).texels("vglb-lut-a") == wanted);
}

#[test]
fn entries_are_read_in_the_order_in_force_and_a_baked_cdl_stays_what_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let first = plain_run(dir.path());
    first.put("lut", 5, 7);
    let cdl = Cdl::new([1.0, 0.5, 0.25], [0.0, 0.1, 0.2], [1.0; 3], 1.0).unwrap();
    first.channels.set_cdl(&ChannelId::new("cdl"), &cdl).unwrap();
    first.channels.set_cdl(&ChannelId::new("lut"), &cdl).unwrap();
    let wanted = first.texels("vglb-lut-cdl");
    first.stop();
    let second = run(dir.path(), EntryOrder::RedFastest, 64, u64::MAX);
    assert!(second.texels("vglb-lut-cdl") == wanted);
    let restored = second.texels("vglb-lut-lut");
    second.put("sent again", 5, 7);
    assert!(restored == second.texels("vglb-lut-sent again"), "as if it had been sent to this server");
}

#[test]
fn damaged_files_and_strangers_are_set_aside_and_the_rest_returns() {
    let dir = tempfile::tempdir().unwrap();
    let first = plain_run(dir.path());
    for channel in ["a", "b", "c", "d"] {
        first.put(channel, 4, 1);
        // One after the other, so that their numbers are known.
        while scan_channels(dir.path()).iter().all(|c| c.name() != Some(channel)) {
            std::thread::yield_now();
        }
    }
    first.stop();
    let file = |n: u32| dir.path().join(format!("lut-{n:04}.vglb"));
    let mut flipped = std::fs::read(file(0)).unwrap();
    flipped[500] ^= 4;
    std::fs::write(file(0), flipped).unwrap();
    let whole = std::fs::read(file(1)).unwrap();
    std::fs::write(file(1), &whole[..600]).unwrap();
    let mut later = std::fs::read(file(2)).unwrap();
    later[8] = 9;
    std::fs::write(file(2), &later).unwrap();
    std::fs::write(file(4), "a stranger's").unwrap();
    std::fs::create_dir(file(5)).unwrap();
    std::fs::write(dir.path().join("readme.txt"), "a stranger's").unwrap();
    std::fs::write(dir.path().join(".vglb-1-1.tmp"), "half a LUT").unwrap();
    let second = plain_run(dir.path());
    assert_eq!(second.streams(), ["vglb-lut-d"]);
    for channel in ["a", "b", "c"] {
        second.put(channel, 5, 2);
    }
    second.stop();
    assert_eq!(std::fs::read(file(2)).unwrap(), later, "a later program's file is left alone");
    assert!(dir.path().join("lut-0001.vglb.bad").exists() && dir.path().join("readme.txt").exists());
    assert!(!dir.path().join(".vglb-1-1.tmp").exists());
    assert_eq!(plain_run(dir.path()).restored, 4);
}

fn scan_channels(path: &Path) -> Vec<ChannelId> {
    super::super::scan(path).unwrap().into_iter().filter_map(|f| Some(f.header.ok()?.channel)).collect()
}

#[test]
fn a_directory_belongs_to_one_server_and_its_size_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = 32 + 1 + 64 * 16 + 4;
    let first = run(dir.path(), EntryOrder::BlueFastest, 64, bytes);
    assert!(matches!(Directory::open(dir.path(), 1), Err(StateError::InUse(_))));
    first.put("a", 4, 1);
    while scan_channels(dir.path()).is_empty() {
        std::thread::yield_now();
    }
    first.put("b", 4, 1);
    assert!(!first.keeper.stop(PATIENCE), "the second LUT has no room");
    assert_eq!(first.streams(), ["vglb-lut-a", "vglb-lut-b"], "but it is on its stream");
    drop(first);
    assert_eq!(scan_channels(dir.path()), [ChannelId::new("a")]);
}

#[test]
fn the_newest_channels_return_where_there_may_be_fewer() {
    let dir = tempfile::tempdir().unwrap();
    let mut directory = Directory::open(dir.path(), u64::MAX).unwrap();
    for (i, channel) in ["old", "newest", "newer"].into_iter().enumerate() {
        let (size, entries) = entries(2, 1);
        let saved = SystemTime::UNIX_EPOCH + Duration::from_secs([1, 3, 2][i]);
        let header = Header { channel: ChannelId::new(channel), saved, size, listing: Listing::Wire, cdl: None };
        directory.save(&header, entries.into_iter()).unwrap();
    }
    drop(directory);
    let run = run(dir.path(), EntryOrder::BlueFastest, 2, u64::MAX);
    assert_eq!((run.restored, run.streams()), (2, vec!["vglb-lut-newer".into(), "vglb-lut-newest".into()]));
    run.stop();
    assert_eq!(scan_channels(dir.path()).len(), 3, "the one without a place is not forgotten");
}

#[test]
fn cdl_values_return_with_the_lut_that_they_go_together_with() {
    let dir = tempfile::tempdir().unwrap();
    let graded = |path: &Path| {
        let backend = MemoryBackend::default();
        let cdl = crate::channel::CdlSettings { mode: crate::channel::CdlMode::After, ..Default::default() };
        let channels =
            ChannelSet::new(Arc::new(backend.clone()), ChannelSettings { cdl, ..ChannelSettings::default() });
        let mut keeper = Keeper::new(Directory::open(path, u64::MAX).unwrap());
        let restored = keeper.restore(&channels).unwrap();
        keeper.start(&channels).unwrap();
        Run { backend, keeper, channels, restored }
    };
    let first = graded(dir.path());
    first.put("a", 4, 1);
    let cdl = Cdl::new([0.5; 3], [0.25; 3], [2.0; 3], 0.5).unwrap();
    first.channels.set_cdl(&ChannelId::new("a"), &cdl).unwrap();
    first.channels.set_cdl(&ChannelId::new("no LUT"), &cdl).unwrap();
    let wanted = [first.texels("vglb-lut-a"), first.texels("vglb-lut-no LUT")];
    first.stop();
    for _ in 0..2 {
        let again = graded(dir.path());
        assert_eq!(again.restored, 2);
        assert!([again.texels("vglb-lut-a"), again.texels("vglb-lut-no LUT")] == wanted);
        assert!(again.channels.status().iter().all(|status| status.cdl == Some(cdl)));
        again.stop();
    }
}

#[test]
fn the_disk_is_given_32_mib_a_second_in_the_long_run_and_each_channel_five_times_a_second() {
    let lut = |n: u64| n.pow(3) * 16;
    assert_eq!(pause(0), GAP);
    assert_eq!(pause(10 * lut(33)), GAP);
    assert_eq!(pause(lut(128)), Duration::from_secs(1));
    assert_eq!(pause(8 * lut(128)), Duration::from_secs(8));
}

#[test]
fn large_luts_that_wait_for_the_disk_are_written_at_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let first = plain_run(dir.path());
    for seed in 1..=2 {
        first.put("a", 128, seed);
        first.put("b", 128, seed);
    }
    let newest = first.texels("vglb-lut-a");
    first.stop();
    let again = plain_run(dir.path());
    assert_eq!(again.restored, 2);
    assert!(again.texels("vglb-lut-a") == newest);
    again.stop();
}
