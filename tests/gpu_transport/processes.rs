//! Sender and receivers of images in separate processes.

use crate::backend_suite::{PATIENCE, bits, marked, publish, read, read_mark, shape, until};
use crate::child::Other;
use crate::reading::Reading;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::texture::linux::{LinuxBackend, ReadBy};
use virtual_gpu_lut_box::texture::{Event, TextureBackend, TextureSender, TextureWriter};

pub struct Streams {
    _parent: tempfile::TempDir,
    path: PathBuf,
    backend: Arc<LinuxBackend>,
}

impl Streams {
    pub fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("streams");
        Streams { _parent: parent, backend: Arc::new(LinuxBackend::with_directory(&path)), path }
    }

    /// A sender that has published mark 1 in grid size `n`.
    pub fn sender(&self, name: &str, n: u64) -> (Box<dyn TextureSender>, Box<dyn TextureWriter>) {
        let sender = self.backend.create_sender(name).unwrap();
        let mut writer = sender.writer().unwrap();
        publish_mark(&mut *writer, n, 1);
        (sender, writer)
    }

    fn open(&self, name: &str) -> Reading {
        Reading::open(&self.backend, name).unwrap()
    }

    pub fn others(&self, count: usize, order: &str) -> Vec<Other> {
        let mut others: Vec<_> = (0..count).map(|_| Other::new(&self.path)).collect();
        others.iter_mut().for_each(|other| other.order(order));
        others.iter_mut().for_each(|other| assert_eq!(other.answer(), "done"));
        others
    }
}

fn publish_mark(writer: &mut dyn TextureWriter, n: u64, mark: u64) -> u64 {
    publish(writer, shape(n), &marked(mark, shape(n).texels()))
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn images_reach_another_process_in_every_size() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 2);
    let mut others = streams.others(1, "open s");
    others[0].must("read 1", "2 1 1");
    for (revision, n) in (2..).zip([16, 17, 32, 33, 33, 64, 65, 2, 128, 33]) {
        publish_mark(&mut *writer, n, 1000 + revision);
        others[0].must(&format!("read {revision}"), &format!("{n} {revision} {}", 1000 + revision));
    }
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn image_and_memory_ring_have_the_same_bits() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 33);
    let (mut ring, mut image) = (streams.backend.open("s").unwrap(), streams.open("s"));
    for revision in 2..12 {
        let sent = bits(revision, shape(33).texels());
        publish(&mut *writer, shape(33), &sent);
        let of_ring = read(&mut *ring);
        for by in [ReadBy::Copy, ReadBy::Fetch] {
            let of_image = image.read_from(revision, by).unwrap();
            assert_eq!((of_image.revision, of_image.published), (of_ring.revision, of_ring.published));
            assert!(of_image.texels == of_ring.texels && of_image.texels == sent, "{by:?}: the bits differ");
        }
    }
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn sixteen_receivers_get_every_last_texture() {
    let streams = Streams::new();
    let (sender, mut writer) = streams.sender("s", 9);
    let mut others = streams.others(4, "open s");
    for other in &mut others {
        for _ in 1..4 {
            other.must("open s", "done");
        }
    }
    assert_eq!(sender.receivers(), Some(16));
    for revision in 2..30 {
        let n = 9 + revision / 10;
        publish_mark(&mut *writer, n, revision);
        others.iter_mut().for_each(|other| other.order(&format!("read {revision}")));
        others.iter_mut().for_each(|other| assert_eq!(other.answer(), format!("{n} {revision} {revision}")));
    }
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn killed_receivers_are_noticed_and_the_stream_goes_on() {
    let streams = Streams::new();
    let (sender, mut writer) = streams.sender("s", 9);
    let mut others = streams.others(4, "open s");
    // Killed with an image in hand.
    others.iter_mut().for_each(|other| other.must("hold 1", "done"));
    assert_eq!(sender.receivers(), Some(4));
    others.drain(..3).for_each(Other::kill);
    until("the killed ones are gone", || sender.receivers() == Some(1));
    others[0].must("forget", "done");
    others[0].must("open s", "done");
    for revision in 2..20 {
        publish_mark(&mut *writer, 9, revision);
        others[0].must(&format!("read {revision}"), &format!("9 {revision} {revision}"));
    }
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn a_killed_senders_receivers_are_told_and_keep_what_they_have() {
    let streams = Streams::new();
    let mut killed = streams.others(1, "send s").remove(0);
    killed.must("publish 5 7", "1");
    let mut receiver = streams.open("s");
    assert_eq!(read_mark(&receiver.read_from(1, ReadBy::Copy).unwrap()), 7);
    killed.kill();
    assert_eq!(receiver.receiver.wait(Some(PATIENCE)).unwrap(), Event::Ended);
    for by in [ReadBy::Copy, ReadBy::Fetch] {
        assert_eq!(read_mark(&receiver.read_again(by).unwrap()), 7, "the memory is the receiver's as well");
    }
    let mut heir = streams.others(1, "send s").remove(0);
    heir.must("publish 6 8", "1");
    assert_eq!(read_mark(&streams.open("s").read_from(1, ReadBy::Copy).unwrap()), 8);
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn a_sender_killed_in_the_middle_of_its_work_leaves_a_whole_texture() {
    let streams = Streams::new();
    for round in 0..5 {
        let mut killed = streams.others(1, "send s").remove(0);
        killed.must("publish 33 1", "1");
        let mut receiver = streams.open("s");
        // From here on through images: the memory ring is not for who copies slower than a flood comes.
        receiver.read_from(1, ReadBy::Copy).unwrap();
        killed.order("flood 33");
        let frame = receiver.read_from(20 * (round + 1), ReadBy::Copy).unwrap();
        killed.kill();
        for by in [ReadBy::Fetch, ReadBy::Copy] {
            let again = receiver.read_again(by).unwrap();
            assert_eq!((again.revision, read_mark(&again)), (frame.revision, frame.revision), "{by:?}");
        }
        let ended = || receiver.step(PATIENCE).is_ok_and(|goes_on| !goes_on);
        until("the receiver is told", ended);
        assert_eq!(read_mark(&receiver.read_again(ReadBy::Copy).unwrap()), receiver.frame.as_ref().unwrap().revision());
    }
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn ten_thousand_updates_as_fast_as_possible_and_none_is_torn() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 8);
    let mut others = streams.others(2, "open s");
    for other in &mut others {
        other.must("read 1", "8 1 1");
        // Checks that all texels are of one mark, that of the revision.
        other.order("follow 10000");
    }
    for mark in 2..=10_000 {
        publish_mark(&mut *writer, if mark % 1000 < 20 { 9 } else { 8 }, mark);
    }
    for other in &mut others {
        assert!(other.answer().parse::<u64>().unwrap() > 0);
    }
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn a_stopped_receiver_holds_nobody_up_and_can_come_again() {
    let streams = Streams::new();
    let (sender, mut writer) = streams.sender("s", 6);
    let mut stopped = streams.others(3, "open s");
    stopped.iter_mut().for_each(|other| other.must("hold 1", "done"));
    stopped.iter().for_each(Other::stop);
    let mut receiver = streams.open("s");
    let (began, mut revision) = (Instant::now(), 1);
    while began.elapsed() < Duration::from_millis(1500) || revision < 500 {
        revision += 1;
        // Sizes change as well, so that SURFACEs pile up and not only FRAMEs.
        let n = 6 + revision / 100 % 3;
        publish_mark(&mut *writer, n, revision);
        let frame = receiver.read_from(revision, ReadBy::Copy).unwrap();
        assert_eq!((frame.height as u64, read_mark(&frame)), (n, revision));
    }
    for other in &mut stopped {
        other.go_on();
        other.must("forget", "done");
        other.must("open s", "done");
        let n = 6 + revision / 100 % 3;
        other.must(&format!("read {revision}"), &format!("{n} {revision} {revision}"));
    }
    until("all are back", || sender.receivers() == Some(4));
}
