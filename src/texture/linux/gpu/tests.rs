//! The sender's side with a driver that does as it is told; the real one has tests of its own (`tests/gpu_transport`).

use super::super::LinuxBackend;
use super::super::directory::Directory;
use super::super::location::Location;
use super::super::message::{Hello, Release, TIER_IMAGES};
use super::super::receiver::{Heard, greet};
use super::super::socket;
use super::fake::{Fake, FakeDriver, IDENTITY};
use super::*;
use crate::hald::{Layout, Texel, TextureShape};
use crate::lut::GridSize;
use crate::texture::linux::DeviceIdentity;
use crate::texture::{Event, Frame, GpuChoice, TextureBackend, TextureError, TextureSender, TextureWriter};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

struct Setup {
    _directory: tempfile::TempDir,
    fake: Arc<Fake>,
    backend: LinuxBackend,
}

fn setup_with(choice: GpuChoice) -> Setup {
    let directory = tempfile::tempdir().unwrap();
    let fake = Arc::new(Fake::default());
    let driver = Arc::new(FakeDriver(fake.clone()));
    let backend =
        LinuxBackend::assembled(Location::named(directory.path().join("streams")), choice, driver, Default::default());
    Setup { _directory: directory, fake, backend }
}

impl Setup {
    fn new() -> Self {
        setup_with(GpuChoice::Auto)
    }

    /// A sender that has published mark 1.
    fn sender(&self, stream: &str, n: u64) -> (Box<dyn TextureSender>, Box<dyn TextureWriter>) {
        let sender = self.backend.create_sender(stream).unwrap();
        let mut writer = sender.writer().unwrap();
        publish(&mut *writer, n, 1);
        (sender, writer)
    }

    fn open(&self, stream: &str) -> GpuReceiver {
        self.backend.open_on_gpu(stream, IDENTITY).unwrap()
    }

    /// A receiver of which nobody hears anything.
    fn hello(&self, stream: &str, tiers: u32) -> Result<Option<(rustix::fd::OwnedFd, Heard)>, TextureError> {
        let directory = Directory::open(self.backend.directory()).unwrap().unwrap();
        greet(&directory, stream, &Hello { flags: 0, tiers, device: IDENTITY }, PATIENCE)
    }
}

fn shape(n: u64) -> TextureShape {
    TextureShape::new(GridSize::new(n).unwrap(), Layout::Vglb).unwrap()
}

fn publish(writer: &mut dyn TextureWriter, n: u64, mark: u8) {
    writer.begin(shape(n)).unwrap();
    writer.texels().fill([mark; 16]);
    writer.publish().unwrap();
}

fn mark(texels: &[Texel]) -> u8 {
    let mark = texels[0][0];
    assert!(texels.iter().all(|t| *t == [mark; 16]), "a mixture");
    mark
}

fn in_image(frame: &GpuFrame) -> u8 {
    let images = frame.images();
    let mut texels = vec![[0; 16]; images.shape().texels()];
    let bytes = texels.as_flattened_mut();
    assert_eq!(rustix::io::pread(images.memory(frame.image()).unwrap(), &mut *bytes, 0), Ok(bytes.len()));
    mark(&texels)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The image of the texture with this mark, however many come before.
fn image_of(receiver: &mut GpuReceiver, wanted: u8) -> GpuFrame {
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "no image of {wanted}");
        assert_ne!(receiver.wait(Some(PATIENCE)).unwrap(), Event::Ended);
        if let Taken::Image(frame) = receiver.take(&mut Frame::default()).unwrap()
            && in_image(&frame) == wanted
        {
            return frame;
        }
    }
}

/// The pixels of the texture with this mark, which must not come as an image.
fn pixels_of(receiver: &mut GpuReceiver, wanted: u8) {
    let mut frame = Frame::default();
    until("pixels", || match receiver.take(&mut frame).unwrap() {
        Taken::Pixels => mark(&frame.texels) == wanted,
        Taken::Image(image) => panic!("{wanted} came as image {}", image.image()),
        Taken::Nothing => false,
    });
}

#[test]
fn nobody_looks_for_devices_before_a_receiver_wants_one() {
    let b = Setup::new();
    let (_sender, mut writer) = b.sender("s", 3);
    let mut receiver = b.backend.open("s").unwrap();
    publish(&mut *writer, 3, 2);
    receiver.read(&mut Frame::default()).unwrap();
    assert_eq!(b.fake.lists.load(SeqCst), 0);
}

#[test]
fn textures_come_as_images_and_through_size_changes() {
    let b = Setup::new();
    let (_sender, mut writer) = b.sender("s", 3);
    let mut receiver = b.open("s");
    let mut last = image_of(&mut receiver, 1);
    for mark in 2..40 {
        let n = 3 + u64::from(mark / 10);
        publish(&mut *writer, n, mark);
        let frame = image_of(&mut receiver, mark);
        assert_eq!((frame.images().shape(), frame.revision()), (shape(n), u64::from(mark)));
        assert!(frame.published().is_some());
        let same = Arc::ptr_eq(frame.images(), last.images());
        assert_eq!(same, mark % 10 != 0, "new images where the size changes, and only there");
        last = frame;
    }
    assert_eq!(b.fake.opens.load(SeqCst), 1);
}

#[test]
fn a_device_that_works_slowly_holds_nobody_up_and_misses_what_it_has_no_time_for() {
    let b = Setup::new();
    let (_sender, mut writer) = b.sender("s", 3);
    let mut receiver = b.open("s");
    drop(image_of(&mut receiver, 1));
    let mut other = b.backend.open("s").unwrap();
    b.fake.set(|mood| mood.stuck = true);
    for mark in 2..=200 {
        publish(&mut *writer, 3, mark);
        let mut frame = Frame::default();
        other.read(&mut frame).unwrap();
        assert_eq!(super::tests::mark(&frame.texels), mark);
    }
    let before = b.fake.copies.load(SeqCst);
    b.fake.set(|mood| mood.stuck = false);
    drop(image_of(&mut receiver, 200));
    assert!(b.fake.copies.load(SeqCst) <= before + 2, "it has caught up one by one");
}

#[test]
fn where_a_device_fails_the_stream_goes_on_through_memory_until_it_is_back() {
    let b = Setup::new();
    let (_sender, mut writer) = b.sender("s", 3);
    let (_other_sender, mut other_writer) = b.sender("other", 3);
    let (mut receiver, mut other) = (b.open("s"), b.open("other"));
    let kept = image_of(&mut receiver, 1);
    drop(image_of(&mut other, 1));
    b.fake.set(|mood| (mood.loses, mood.unopenable) = (true, true));
    publish(&mut *writer, 3, 2);
    pixels_of(&mut receiver, 2);
    publish(&mut *other_writer, 3, 3);
    pixels_of(&mut other, 3);
    assert!(!receiver.has_images() && !other.has_images());
    assert_eq!((Arc::strong_count(&b.fake.open), Arc::strong_count(&b.fake.images)), (1, 1), "all was dropped");
    assert_eq!(in_image(&kept), 1, "what a receiver has stays its own");
    until("it is tried again and again", || b.fake.opens.load(SeqCst) > 2);
    publish(&mut *writer, 4, 4);
    pixels_of(&mut receiver, 4);
    assert_eq!(b.backend.restarts()[0], ("device", 0), "it is not back yet");
    b.fake.set(|mood| (mood.loses, mood.unopenable) = (false, false));
    drop(image_of(&mut receiver, 4));
    drop(image_of(&mut other, 3));
    assert_eq!(b.backend.restarts()[0], ("device", 1));
}

#[test]
fn a_device_that_nobody_uses_is_closed_and_opened_again() {
    let b = Setup::new();
    let (_sender, _writer) = b.sender("s", 3);
    for round in 1..=3 {
        let mut receiver = b.open("s");
        drop(image_of(&mut receiver, 1));
        assert_eq!(b.fake.opens.load(SeqCst), round);
        drop(receiver);
        until("the images are dropped", || Arc::strong_count(&b.fake.images) == 1);
        until("the device is closed", || Arc::strong_count(&b.fake.open) == 1);
    }
}

#[test]
fn the_last_sender_takes_the_device_with_it() {
    let b = Setup::new();
    let (sender, writer) = b.sender("s", 3);
    let mut receiver = b.open("s");
    drop(image_of(&mut receiver, 1));
    drop((sender, writer));
    assert_eq!((Arc::strong_count(&b.fake.open), Arc::strong_count(&b.fake.images)), (1, 1));
    assert_eq!(receiver.wait(Some(PATIENCE)).unwrap(), Event::Ended);
    assert!(matches!(receiver.take(&mut Frame::default()), Err(TextureError::Ended)));
}

#[test]
fn a_shape_that_the_device_refuses_comes_through_memory() {
    let b = Setup::new();
    b.fake.set(|mood| mood.refuses_from = Some(5));
    let (_sender, mut writer) = b.sender("s", 4);
    let mut receiver = b.open("s");
    drop(image_of(&mut receiver, 1));
    publish(&mut *writer, 5, 2);
    pixels_of(&mut receiver, 2);
    publish(&mut *writer, 5, 3);
    pixels_of(&mut receiver, 3);
    publish(&mut *writer, 4, 4);
    drop(image_of(&mut receiver, 4));
    assert_eq!(b.fake.opens.load(SeqCst), 1);
}

#[test]
fn a_device_without_memory_is_asked_again_also_where_nothing_new_comes() {
    let b = Setup::new();
    let (_sender, mut writer) = b.sender("s", 3);
    let mut receiver = b.open("s");
    drop(image_of(&mut receiver, 1));
    b.fake.set(|mood| mood.full = true);
    publish(&mut *writer, 4, 2);
    pixels_of(&mut receiver, 2);
    publish(&mut *writer, 4, 3);
    pixels_of(&mut receiver, 3);
    b.fake.set(|mood| mood.full = false);
    drop(image_of(&mut receiver, 3));
    assert_eq!(b.fake.opens.load(SeqCst), 1);
}

#[test]
fn where_there_is_no_device_textures_come_through_memory_and_who_takes_images_only_is_sent_away() {
    let off = setup_with(GpuChoice::Off);
    let chosen = setup_with(GpuChoice::Name("another".into()));
    let (absent, unsuited) = (Setup::new(), Setup::new());
    absent.fake.set(|mood| mood.absent = true);
    unsuited.fake.set(|mood| mood.unsuited = true);
    for b in [&off, &chosen, &absent, &unsuited] {
        let (_sender, mut writer) = b.sender("s", 3);
        let mut receiver = b.open("s");
        pixels_of(&mut receiver, 1);
        let e = b.hello("s", TIER_IMAGES).err().unwrap().to_string();
        assert!(e.contains("it has no textures of the kind that this program takes"), "{e}");
        publish(&mut *writer, 3, 2);
        pixels_of(&mut receiver, 2);
        assert!(!receiver.has_images());
    }
    assert_eq!((off.fake.lists.load(SeqCst), chosen.fake.opens.load(SeqCst)), (0, 0));
}

#[test]
fn a_receiver_on_another_device_or_driver_reads_memory() {
    let b = Setup::new();
    let (_sender, _writer) = b.sender("s", 3);
    for device in [
        DeviceIdentity { device: [7; 16], ..IDENTITY },
        DeviceIdentity { driver: [7; 16], ..IDENTITY },
        DeviceIdentity::default(),
    ] {
        pixels_of(&mut b.backend.open_on_gpu("s", device).unwrap(), 1);
    }
    assert_eq!(b.fake.opens.load(SeqCst), 0);
    // CUDA does not know its driver's.
    let device = DeviceIdentity { driver: [0; 16], ..IDENTITY };
    drop(image_of(&mut b.backend.open_on_gpu("s", device).unwrap(), 1));
}

#[test]
fn who_takes_images_only_waits_for_them() {
    let b = Setup::new();
    let (_sender, _writer) = b.sender("s", 3);
    let (_socket, answer) = b.hello("s", TIER_IMAGES).unwrap().unwrap();
    assert!(matches!(answer, Heard::Images(surface, memory) if surface.slots == 4 && memory.len() == 4));
}

#[test]
fn who_takes_images_only_is_told_when_there_will_be_none_any_more() {
    let b = Setup::new();
    let (_sender, mut writer) = b.sender("s", 3);
    let mut receiver = b.backend.open_images("s", IDENTITY).unwrap();
    let kept = image_of(&mut receiver, 1);
    b.fake.set(|mood| (mood.loses, mood.unopenable) = (true, true));
    publish(&mut *writer, 3, 2);
    until("it is tried again", || b.fake.opens.load(SeqCst) > 1);
    assert_eq!(receiver.wait(Some(Duration::ZERO)).unwrap(), Event::TimedOut, "it may come back");
    b.fake.set(|mood| (mood.loses, mood.unopenable) = (false, false));
    drop(kept);
    drop(image_of(&mut receiver, 2));
    b.fake.set(|mood| (mood.loses, mood.unsuited) = (true, true));
    publish(&mut *writer, 3, 3);
    let e = receiver.wait(Some(PATIENCE)).unwrap_err();
    assert!(e.to_string().contains("it has no textures of the kind that this program takes"), "{e}");
    let Err(e) = b.backend.open_images("s", IDENTITY) else { panic!("there are none") };
    assert!(matches!(e, TextureError::Refused { .. }), "{e}");
}

#[test]
fn a_device_that_is_stuck_does_not_keep_the_program_from_ending() {
    let b = Setup::new();
    let (sender, mut writer) = b.sender("s", 3);
    let mut receiver = b.open("s");
    drop(image_of(&mut receiver, 1));
    b.fake.set(|mood| mood.stuck = true);
    let before = b.fake.copies.load(SeqCst);
    publish(&mut *writer, 3, 2);
    until("it is at work", || b.fake.copies.load(SeqCst) > before);
    drop((sender, writer));
    assert_eq!(receiver.wait(Some(PATIENCE)).unwrap(), Event::Ended);
    b.fake.set(|mood| mood.stuck = false);
    until("its thread ends after all", || Arc::strong_count(&b.fake.open) == 1);
}

#[test]
fn an_image_that_is_kept_is_not_overwritten_whatever_others_release() {
    let b = Setup::new();
    let (_sender, mut writer) = b.sender("s", 3);
    let (mut receiver, mut fast) = (b.open("s"), b.open("s"));
    let kept = image_of(&mut receiver, 1);
    let (hostile, _) = b.hello("s", TIER_IMAGES).unwrap().unwrap();
    for mark in 2..100 {
        for slot in 0..16 {
            for revision in [1, u64::from(mark), u64::MAX] {
                let release = Release { surface: kept.images().surface(), revision, slot };
                let _ = socket::send(&hostile, &release.encode(), &[]);
            }
        }
        publish(&mut *writer, 3, mark);
        drop(image_of(&mut fast, mark));
        assert_eq!(in_image(&kept), 1);
    }
}

#[test]
fn receivers_that_keep_images_are_sent_away_once_those_are_needed_and_the_others_go_on() {
    let b = Setup::new();
    let (sender, mut writer) = b.sender("s", 3);
    let mut receiver = b.open("s");
    drop(image_of(&mut receiver, 1));
    // Each has claims on two images, and no two on the same: more than there can be.
    let mut sitters: Vec<GpuReceiver> = Vec::new();
    let mut surfaces = std::collections::HashSet::new();
    for mark in 2..50 {
        sitters.push(b.open("s"));
        until("it is served", || sender.receivers() == Some(1 + sitters.len()) || surfaces.len() > 3);
        publish(&mut *writer, 3, mark);
        let frame = image_of(&mut receiver, mark);
        surfaces.insert(frame.images().surface());
        assert!(frame.images().count() <= 16);
    }
    // Four, eight, sixteen images, and others in place of those that the sitters were left with.
    assert!(surfaces.len() > 3, "{surfaces:?}");
    let mut served = 0;
    for sitter in &mut sitters {
        match sitter.wait(Some(PATIENCE)) {
            Ok(Event::Frame) => served += 1,
            // There was no room in its queue for the reason.
            Ok(Event::Ended) => {}
            Ok(Event::TimedOut) => panic!("it was forgotten"),
            Err(why) => {
                assert!(matches!(why, TextureError::Refused { .. }));
                assert!(why.to_string().contains("has kept a texture for more than 1000 ms"), "{why}");
            }
        }
    }
    assert!(served < sitters.len());
    assert_eq!(sender.receivers(), Some(1 + served));
}

#[test]
fn a_few_slow_receivers_get_more_images_and_hold_nobody_up() {
    let b = Setup::new();
    let (sender, mut writer) = b.sender("s", 3);
    let mut receiver = b.open("s");
    drop(image_of(&mut receiver, 1));
    let mut sitters: Vec<GpuReceiver> = Vec::new();
    let began = Instant::now();
    for mark in 2..6 {
        sitters.push(b.open("s"));
        until("it is served", || sender.receivers() == Some(1 + sitters.len()));
        publish(&mut *writer, 3, mark);
        drop(image_of(&mut receiver, mark));
    }
    publish(&mut *writer, 3, 6);
    let count = image_of(&mut receiver, 6).images().count();
    // On a machine that is too slow for this they were sent away instead.
    assert!(count == 8 && sender.receivers() == Some(5) || began.elapsed() > CLAIM_LIMIT, "{count} images");
    for mut sitter in sitters {
        drop(image_of(&mut sitter, 6));
    }
}

#[test]
fn who_keeps_an_image_for_a_second_after_the_next_is_sent_away_at_the_one_after_that() {
    let b = Setup::new();
    let (sender, mut writer) = b.sender("s", 3);
    let (mut receiver, mut showing) = (b.open("s"), b.open("s"));
    let first = image_of(&mut receiver, 1);
    // The last one may be kept for as long as it is the last.
    let shown = image_of(&mut showing, 1);
    let told = Instant::now();
    until("a second is over", || told.elapsed() > CLAIM_LIMIT + Duration::from_millis(50));
    publish(&mut *writer, 3, 2);
    let second = image_of(&mut receiver, 2);
    let shown = (image_of(&mut showing, 2), drop(shown)).0;
    let told = Instant::now();
    until("a second is over", || told.elapsed() > CLAIM_LIMIT + Duration::from_millis(50));
    assert_eq!(sender.receivers(), Some(2));
    publish(&mut *writer, 3, 3);
    let e = receiver.wait(Some(PATIENCE)).unwrap_err();
    assert!(e.to_string().contains("has kept a texture for more than 1000 ms"), "{e}");
    assert_eq!((in_image(&first), in_image(&second)), (1, 2), "they are left to it");
    let next = image_of(&mut showing, 3);
    assert!(!Arc::ptr_eq(next.images(), shown.images()), "the others get images that it does not have");
    assert_eq!(sender.receivers(), Some(1));
}
