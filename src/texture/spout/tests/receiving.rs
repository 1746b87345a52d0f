use super::*;
use crate::texture::Event;
use crate::texture::spout::seam::{SharedMemory, SharedObjects, SharedSemaphore};

const NOW: Option<Duration> = Some(Duration::ZERO);
const SOON: Option<Duration> = Some(Duration::from_secs(60));

/// A sender that another program made, with only what the oldest programs make.
struct Foreign {
    info: Box<dyn SharedMemory>,
    _list: Box<dyn SharedMemory>,
    told: SenderInfo,
    process: Process,
}

impl Foreign {
    fn new(computer: &Computer, name: &[u8], format: u32, width: usize, height: usize, bytes: &[u8]) -> Self {
        let process = computer.session.process();
        let list = process.create_memory(b"SpoutSenderNames", 16384).unwrap();
        let mut region = vec![0; 16384];
        list.read(&mut region);
        let mut names = SenderNames::parse(&region);
        names.insert(name);
        list.write(&names.to_bytes(16384));
        let info = process.create_memory(name, 280).unwrap();
        let share_handle = computer.adapter.share(format, width, height, bytes);
        let (width, height) = (width as u32, height as u32);
        let told = SenderInfo { share_handle, width, height, format, program: b"D:\\other.exe".to_vec() };
        info.write(&told.to_bytes());
        Foreign { info, _list: list, told, process }
    }

    fn tell(&mut self, change: impl FnOnce(&mut SenderInfo)) {
        change(&mut self.told);
        self.info.write(&self.told.to_bytes());
    }

    fn counts(&self, name: &str, count: u32) -> Box<dyn SharedSemaphore> {
        self.process.create_semaphore(format!("{name}_Count_Semaphore").as_bytes(), count, i32::MAX as u32).unwrap()
    }
}

#[test]
fn what_was_sent_is_received_bit_for_bit_with_its_frame_number() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, mut writer) = sender(&spout, "a");
    let (reader, _) = computer.program();
    let mut receiver = reader.open("a").unwrap();
    let mut frame = Frame::default();
    assert_eq!(receiver.wait(NOW).unwrap(), Event::Frame, "the one that is there");
    for (revision, n) in [(1u32, 2), (2, 2), (3, 3), (4, 2)] {
        if revision > 1 {
            write(&mut *writer, shape(n), &texels(shape(n), revision)).unwrap();
        }
        assert_eq!(receiver.wait(SOON).unwrap(), Event::Frame);
        receiver.read(&mut frame).unwrap();
        assert_eq!((frame.width, frame.height), (shape(n).width(), shape(n).height()));
        assert_eq!((frame.format, frame.shape, frame.revision), ("R32G32B32A32_FLOAT", None, u64::from(revision)));
        assert_eq!(frame.texels, texels(shape(n), revision));
        assert_eq!(receiver.wait(NOW).unwrap(), Event::TimedOut, "it was read");
    }
    assert_eq!(computer.session.count("a_Count_Semaphore"), 5, "looking does not count");
}

#[test]
fn a_publication_wakes_a_receiver_that_waits_and_so_does_the_end() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (sender, mut writer) = sender(&spout, "a");
    let mut receiver = computer.program().0.open("a").unwrap();
    read(&mut *receiver);
    let (has_read, reading) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let receiver = &mut receiver;
        let waiting = scope.spawn(move || {
            let first = receiver.wait(None).unwrap();
            has_read.send(read(&mut **receiver).texels).unwrap();
            [first, receiver.wait(None).unwrap()]
        });
        write(&mut *writer, shape(2), &texels(shape(2), 9)).unwrap();
        assert_eq!(reading.recv().unwrap(), texels(shape(2), 9));
        drop(sender);
        assert_eq!(waiting.join().unwrap(), [Event::Frame, Event::Ended]);
    });
    assert!(matches!(receiver.read(&mut Frame::default()), Err(TextureError::Ended)));
}

#[test]
fn a_sender_that_crashed_has_ended_for_its_receivers() {
    let computer = Computer::default();
    let (spout, process) = computer.program();
    let crashed = sender(&spout, "a");
    let mut receiver = computer.program().0.open("a").unwrap();
    read(&mut *receiver);
    process.crash();
    std::mem::forget(crashed);
    assert_eq!(receiver.wait(SOON).unwrap(), Event::Ended);
}

#[test]
fn senders_of_other_programs_are_listed_and_received_in_their_format() {
    let computer = Computer::default();
    let mut foreign = Foreign::new(&computer, b"caf\xe9", 87, 2, 1, &[0, 0, 255, 255, 255, 0, 0, 51]);
    let (spout, _) = computer.program();
    let listed = spout.streams().unwrap();
    assert_eq!(listed.len(), 1);
    let info = &listed[0];
    assert_eq!((info.name.as_str(), info.width, info.height), ("caf%E9", 2, 1));
    assert_eq!((info.format, info.sender.as_deref()), ("B8G8R8A8_UNORM", Some("D:\\other.exe")));
    assert_eq!((info.shape, info.revision), (None, None));
    let mut receiver = spout.open("caf%E9").unwrap();
    let frame = read(&mut *receiver);
    assert_eq!(frame.format, "B8G8R8A8_UNORM");
    let value = |t: usize, i: usize| f32::from_le_bytes(*frame.texels[t][4 * i..].first_chunk().unwrap());
    assert_eq!([0, 1, 2, 3].map(|i| value(0, i)), [1.0, 0.0, 0.0, 1.0], "red");
    assert_eq!([0, 1, 2, 3].map(|i| value(1, i)), [0.0, 0.0, 1.0, 0.2], "blue");

    foreign.tell(|info| info.share_handle = 0);
    assert!(spout.streams().unwrap().is_empty(), "it has no texture");
    assert_eq!(receiver.wait(NOW).unwrap(), Event::TimedOut);
    assert!(matches!(receiver.read(&mut Frame::default()), Err(TextureError::Ended)));
}

#[test]
fn a_sender_that_counts_no_frames_is_new_when_its_texture_changes() {
    let computer = Computer::default();
    let foreign = Foreign::new(&computer, b"old", 28, 1, 1, &[1, 2, 3, 4]);
    let mut receiver = computer.program().0.open("old").unwrap();
    let first = read(&mut *receiver);
    assert_eq!(receiver.wait(NOW).unwrap(), Event::TimedOut);
    assert_eq!(read(&mut *receiver).revision, first.revision);
    computer.adapter.change(foreign.told.share_handle, &[1, 2, 3, 5]);
    assert_eq!(receiver.wait(NOW).unwrap(), Event::Frame);
    let second = read(&mut *receiver);
    assert_ne!(second.revision, first.revision);
    assert_ne!(second.texels, first.texels);
    assert_eq!(receiver.wait(NOW).unwrap(), Event::TimedOut);

    let counter = foreign.counts("old", 0);
    for _ in 0..2 {
        assert_eq!(receiver.wait(NOW).unwrap(), Event::TimedOut, "a count that has not begun tells nothing");
        counter.add(1).unwrap();
    }
    assert_eq!(receiver.wait(NOW).unwrap(), Event::Frame, "it began to count");
    assert_eq!(read(&mut *receiver).revision, 1);
    assert_eq!(receiver.wait(NOW).unwrap(), Event::TimedOut);
}

#[test]
fn another_texture_is_new_even_if_no_frame_was_counted() {
    let computer = Computer::default();
    let mut foreign = Foreign::new(&computer, b"a", 28, 1, 1, &[1, 2, 3, 4]);
    let _counter = foreign.counts("a", 5);
    let mut receiver = computer.program().0.open("a").unwrap();
    read(&mut *receiver);
    assert_eq!(receiver.wait(NOW).unwrap(), Event::TimedOut);
    let other = computer.adapter.share(28, 1, 1, &[5, 6, 7, 8]);
    foreign.tell(|info| info.share_handle = other);
    assert_eq!(receiver.wait(NOW).unwrap(), Event::Frame);
    assert_eq!(read(&mut *receiver).texels[0][..4], (5.0f32 / 255.0).to_le_bytes());
}

#[test]
fn the_sender_cannot_replace_a_texture_while_it_is_being_opened() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, mut writer) = sender(&spout, "a");
    let mut receiver = computer.program().0.open("a").unwrap();
    for n in [2, 3] {
        write(&mut *writer, shape(n), &texels(shape(n), 2)).unwrap();
        let session = computer.session.clone();
        computer.adapter.state().after_opening =
            Some(Box::new(move || assert!(session.is_owned_here("a_SpoutAccessMutex"))));
        assert_eq!(read(&mut *receiver).texels, texels(shape(n), 2));
        assert!(computer.adapter.state().after_opening.is_none(), "it was opened");
    }
}

#[test]
fn a_texture_in_use_by_its_sender_is_waited_for() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, _writer) = sender(&spout, "a");
    let mut receiver = computer.program().0.open("a").unwrap();
    computer.session.hold("a_SpoutAccessMutex", 4);
    assert_eq!(read(&mut *receiver).texels, texels(shape(2), 1));
    computer.session.hold("a_SpoutAccessMutex", usize::MAX);
    let e = receiver.read(&mut Frame::default()).unwrap_err().to_string();
    assert!(e.starts_with("waiting for the mutex a_SpoutAccessMutex: "), "{e}");
    computer.session.abandon("a_SpoutAccessMutex");
    assert_eq!(read(&mut *receiver).texels, texels(shape(2), 1));
    assert!(!computer.session.is_owned("a_SpoutAccessMutex"));
}

#[test]
fn a_receiver_lives_through_a_removed_device() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, _writer) = sender(&spout, "a");
    let mut receiver = computer.program().0.open("a").unwrap();
    read(&mut *receiver);
    computer.adapter.remove_device();
    wait_until("the sender is back", || computer.texture("a").is_some());
    assert_eq!(receiver.wait(SOON).unwrap(), Event::Frame);
    assert_eq!(read(&mut *receiver).texels, texels(shape(2), 1));
}

#[test]
fn a_receiver_goes_over_to_the_device_that_its_back_end_has_made_anew() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, _writer) = sender(&spout, "a");
    let mut receiver = spout.open("a").unwrap();
    read(&mut *receiver);
    computer.adapter.remove_device();
    wait_until("the sender is back", || computer.texture("a").is_some());
    assert_eq!(read(&mut *receiver).texels, texels(shape(2), 1));
    assert_eq!(computer.adapter.state().devices, 2, "the new one works, and was not given up");
}

#[test]
fn what_cannot_be_received_is_an_error_that_says_why() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let Err(e) = spout.open("a") else { panic!("there is none") };
    assert_eq!(e.to_string(), "there is no stream \"a\"; nothing is being streamed on this computer");
    let mut foreign = Foreign::new(&computer, b"video", 103, 2, 2, &[0; 6]);
    let Err(e) = spout.open("a") else { panic!("there is none") };
    assert_eq!(e.to_string(), "there is no stream \"a\"; there is video");

    let mut receiver = spout.open("video").unwrap();
    let e = receiver.read(&mut Frame::default()).unwrap_err().to_string();
    assert!(e.starts_with("the Spout sender video sends NV12 (DXGI format 103), which can't be read; "), "{e}");
    foreign.tell(|info| info.share_handle = 0x4000_0ffe);
    let e = receiver.read(&mut Frame::default()).unwrap_err().to_string();
    assert!(e.contains("(share handle 40000ffe) can't be read: the parameter is incorrect; "), "{e}");
    assert!(e.contains("must run on the same graphics adapter, and this is Fake"), "{e}");
}

#[test]
fn a_block_too_small_for_a_sender_is_refused() {
    let computer = Computer::default();
    let process = computer.session.process();
    let _list = Foreign::new(&computer, b"a", 2, 1, 1, &[0; 16]);
    let list = process.create_memory(b"SpoutSenderNames", 0).unwrap();
    let mut names = SenderNames::default();
    names.insert(b"tiny");
    list.write(&names.to_bytes(16384));
    let _tiny = process.create_memory(b"tiny", 100).unwrap();
    let (spout, _) = computer.program();
    assert!(spout.streams().unwrap().is_empty());
    let e = spout.open("tiny").unwrap().wait(NOW).unwrap_err().to_string();
    assert!(e.contains("tiny describes itself in 100 bytes; 280 are needed"), "{e}");
}
