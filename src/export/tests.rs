use super::*;
use crate::channel::{CdlMode, CdlSettings, ChannelSettings};
use crate::hald::texel;
use crate::lut::file::ReadOptions;
use crate::lut::{GridSize, Lut3d};
use crate::sink::LutSink;
use crate::texture::memory::MemoryBackend;

fn channels(cdl: CdlSettings) -> ChannelSet {
    ChannelSet::new(Arc::new(MemoryBackend::default()), ChannelSettings { cdl, ..ChannelSettings::default() })
}

fn settings(folder: &Path, list: &str) -> ExportSettings {
    ExportSettings {
        folder: folder.to_owned(),
        formats: formats(list).unwrap(),
        gap: Duration::ZERO,
        without: Default::default(),
    }
}

fn put(channels: &ChannelSet, name: &str, n: u64, value: f32) {
    let size = GridSize::new(n).unwrap();
    let entries = vec![texel([value, -0.0, 1e38]); size.entries()];
    channels.put(&ChannelId::new(name), LutSource::Sent, size, &entries).unwrap();
}

fn read(path: &Path) -> file::LutFile {
    file::read(path, &ReadOptions::default()).unwrap()
}

#[test]
fn every_channel_has_its_files_bit_for_bit_and_they_say_where_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/luts");
    let channels = channels(CdlSettings::default());
    put(&channels, "cam/1", 3, 0.5);
    let mut exporter = Exporter::start(&channels, settings(&out, "cube,npy")).unwrap();
    put(&channels, "", 2, 0.25);
    exporter.stop();
    for (name, n, value) in [("cam%2F1", 3, 0.5), ("OpenGradeIO-LUT", 2, 0.25)] {
        for extension in ["cube", "npy"] {
            let lut = read(&out.join(format!("{name}.{extension}"))).lut;
            assert_eq!(lut.size().get(), n);
            let wanted = [value, -0.0, 1e38f32].map(f32::to_bits);
            assert!(lut.entries().iter().all(|e| e.map(f32::to_bits) == wanted), "{name}.{extension}");
        }
    }
    let cube = read(&out.join("cam%2F1.cube"));
    assert_eq!(cube.title.as_deref(), Some("cam/1"));
    assert!(cube.comments[0].ends_with("from channel \"cam/1\""), "{:?}", cube.comments);
    assert!(cube.comments[1].starts_with("LUT 1 of the channel, sent over OpenGradeIO, at 20"), "{:?}", cube.comments);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 4, "nothing else is left behind");
}

#[test]
fn a_reader_that_polls_ten_thousand_times_never_sees_a_part_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let channels = channels(CdlSettings::default());
    put(&channels, "a", 2, 0.0);
    let mut exporter = Exporter::start(&channels, settings(folder.path(), "cube")).unwrap();
    let path = folder.path().join("a.cube");
    while !path.exists() {
        thread::yield_now();
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0u16.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                put(&channels, "a", 2 + u64::from(i % 3), f32::from(i));
                thread::yield_now();
            }
        });
        let mut seen = std::collections::BTreeSet::new();
        let mut polls = 0;
        // And on until the file has really changed under the reader's eyes.
        while polls < 10_000 || seen.len() < 3 {
            let lut = read(&path).lut;
            let first = lut.entries()[0];
            assert!(lut.entries().iter().all(|e| *e == first), "two LUTs in one file");
            seen.insert(first[0] as u32);
            polls += 1;
        }
        done.store(true, Ordering::Relaxed);
    });
    put(&channels, "a", 2, 7.5);
    exporter.stop();
    assert_eq!(read(&path).lut.entries()[0][0], 7.5, "the last LUT is there in the end");
}

#[test]
fn of_luts_that_come_faster_than_the_rate_the_latest_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let channels = channels(CdlSettings::default());
    let slow = ExportSettings { gap: Duration::from_secs(3600), ..settings(folder.path(), "cube") };
    let mut exporter = Exporter::start(&channels, slow).unwrap();
    let path = folder.path().join("a.cube");
    put(&channels, "a", 2, 0.0);
    while !path.exists() {
        thread::yield_now();
    }
    for i in 1..100u8 {
        put(&channels, "a", 2, f32::from(i));
    }
    assert_eq!(read(&path).lut.entries()[0][0], 0.0, "an hour has not passed");
    exporter.stop();
    assert_eq!(read(&path).lut.entries()[0][0], 99.0);
}

#[test]
fn a_folder_that_can_t_be_made_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let (out, blocker) = (folder.path().join("luts"), folder.path().join("luts"));
    fs::write(&blocker, "in the way").unwrap();
    let channels = channels(CdlSettings::default());
    put(&channels, "a", 2, 0.5);
    let mut exporter = Exporter::start(&channels, settings(&out, "cube")).unwrap();
    put(&channels, "a", 2, 0.75);
    fs::remove_file(&blocker).unwrap();
    exporter.stop();
    assert_eq!(read(&out.join("a.cube")).lut.entries()[0][0], 0.75);
}

#[test]
fn what_the_stream_shows_together_with_a_cdl_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let channels = channels(CdlSettings { mode: CdlMode::After, ..CdlSettings::default() });
    let mut exporter = Exporter::start(&channels, settings(folder.path(), "cube")).unwrap();
    let size = GridSize::new(3).unwrap();
    let lut = Lut3d::from_fn(size, |[r, ..]| [r as f32 / 4.0; 3]);
    let entries: Vec<_> = lut.entries().iter().map(|e| texel(*e)).collect();
    channels.put(&ChannelId::new("a"), LutSource::Sent, size, &entries).unwrap();
    let cdl = Cdl::new([0.5; 3], [0.125; 3], [1.0; 3], 1.0).unwrap();
    channels.set_cdl(&ChannelId::new("a"), &cdl).unwrap();
    exporter.stop();
    let exported = read(&folder.path().join("a.cube"));
    assert_eq!(exported.lut.at([2, 0, 0]), [0.375; 3]);
    assert!(exported.comments[2].starts_with("CDL of the channel: slope 0.5000"), "{:?}", exported.comments);
}

#[test]
fn what_a_killed_server_left_unfinished_is_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let old = SystemTime::now() - Duration::from_secs(3600);
    for (name, time) in [(".vglb-1-0.tmp", old), (".vglb-2-0.tmp", SystemTime::now()), ("mine.tmp", old)] {
        fs::File::create(folder.path().join(name)).unwrap().set_modified(time).unwrap();
    }
    Exporter::start(&channels(CdlSettings::default()), settings(folder.path(), "cube")).unwrap().stop();
    let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".vglb-2-0.tmp", "mine.tmp"]);
}

#[test]
fn dates_are_those_of_the_calendar() {
    assert_eq!(utc(0), "1970-01-01 00:00:00");
    assert_eq!(utc(951_782_399), "2000-02-28 23:59:59");
    assert_eq!(utc(951_868_799), "2000-02-29 23:59:59");
    assert_eq!(utc(4_102_444_800), "2100-01-01 00:00:00");
}

#[test]
fn a_format_that_is_none_is_named_with_those_that_are() {
    assert_eq!(formats("cube, EXR,cube").unwrap(), [FileFormat::Cube, FileFormat::Exr]);
    let said = formats("cube,doc").unwrap_err();
    assert!(said.starts_with("\"doc\" is no format; it can be cube, "), "{said}");
}
