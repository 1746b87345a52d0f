use super::*;
use crate::channel::ChannelSettings;
use crate::texture::memory::MemoryBackend;
use std::sync::Arc;

fn grade(value: f32) -> Lut3d {
    Lut3d::from_fn(GridSize::new(3).unwrap(), |[r, g, b]| [-0.0, f32::from_bits((r + g + b) as u32), value])
}

fn bits(lut: &Lut3d) -> Vec<u32> {
    lut.entries().as_flattened().iter().map(|v| v.to_bits()).collect()
}

fn names(presets: &Presets) -> Vec<String> {
    presets.list().into_iter().map(|p| p.name).collect()
}

const ROOM: u64 = 1 << 20;

#[test]
fn presets_outlive_the_server_with_every_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("presets");
    let presets = Presets::open(&path, ROOM).unwrap();
    presets.store("day/../1 ä", &grade(1e38)).unwrap();
    presets.store("night", &grade(0.1)).unwrap();
    presets.store("night", &grade(0.2)).unwrap();
    let again = Presets::open(&path, ROOM).unwrap();
    assert_eq!(names(&again), ["day/../1 ä", "night"]);
    assert_eq!(bits(&again.read("day/../1 ä").unwrap()), bits(&grade(1e38)));
    assert_eq!(bits(&again.read("night").unwrap()), bits(&grade(0.2)));
    assert_eq!(fs::read_dir(&path).unwrap().count(), 2, "one file each");

    again.rename("night", "dusk").unwrap();
    assert!(matches!(again.rename("dusk", "day/../1 ä"), Err(PresetError::Exists(_))));
    assert!(matches!(again.rename("night", "x"), Err(PresetError::NoSuch(_))));
    again.delete("day/../1 ä").unwrap();
    let last = Presets::open(&path, ROOM).unwrap();
    assert_eq!(names(&last), ["dusk"]);
    assert_eq!(bits(&last.read("dusk").unwrap()), bits(&grade(0.2)));
}

#[test]
fn what_is_damaged_is_never_recalled() {
    let folder = tempfile::tempdir().unwrap();
    let presets = Presets::open(folder.path(), ROOM).unwrap();
    presets.store("a", &grade(0.5)).unwrap();
    let file = folder.path().join(file_name(0));
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let said = presets.read("a").unwrap_err().to_string();
    assert!(said.starts_with("the preset \"a\" can't be read: its checksum is"), "{said}");
    fs::write(&file, "no record").unwrap();
    assert!(names(&Presets::open(folder.path(), ROOM).unwrap()).is_empty());
}

#[test]
fn names_and_room_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    let presets = Presets::open(folder.path(), 900).unwrap();
    for name in ["", "a\nb", &"x".repeat(LONGEST_NAME + 1)] {
        assert!(matches!(presets.store(name, &grade(0.0)), Err(PresetError::Name)), "{name:?}");
    }
    presets.store("first", &grade(0.0)).unwrap();
    presets.store("first", &grade(1.0)).unwrap();
    assert!(matches!(presets.store("second", &grade(0.0)), Err(PresetError::Full { limit: 900, .. })));
    assert_eq!(names(&presets), ["first"]);
}

#[test]
fn channels_start_as_they_were_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let presets = Presets::open(folder.path(), ROOM).unwrap();
    let [a, b, c] = ["a", "b", ""].map(ChannelId::new);
    presets.store("day", &grade(0.5)).unwrap();
    assert!(matches!(presets.set_start(&a, Start::Preset("none".into())), Err(PresetError::NoSuch(_))));
    presets.set_start(&a, Start::Preset("day".into())).unwrap();
    presets.set_start(&b, Start::Identity).unwrap();
    presets.set_start(&c, Start::Preset("day".into())).unwrap();
    presets.set_start(&c, Start::Last).unwrap();
    presets.rename("day", "noon").unwrap();

    let again = Presets::open(folder.path(), ROOM).unwrap();
    assert_eq!((again.start(&a), again.start(&b)), (Start::Preset("noon".into()), Start::Identity));
    let channels = ChannelSet::new(Arc::new(MemoryBackend::default()), ChannelSettings::default());
    again.begin(&channels);
    assert_eq!(bits(&channels.newest(&a).unwrap().unwrap().lut()), bits(&grade(0.5)));
    assert_eq!(bits(&channels.newest(&b).unwrap().unwrap().lut()), bits(&Lut3d::identity(GridSize::COMMON)));
    assert!(channels.newest(&c).unwrap().is_none());
    again.delete("noon").unwrap();
    assert_eq!(again.start(&a), Start::Last);
}
