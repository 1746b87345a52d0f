//! Several programs that use Spout in one session, by what stands in its named objects. Runs on Windows, and on
//! Linux under Wine; no graphics device is needed.
#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod spout;

use spout::{Process, Stream, alone, imaginary, sender};
use std::io::ErrorKind;
use virtual_gpu_lut_box::texture::spout::seam::SharedObjects;
use virtual_gpu_lut_box::texture::windows::SessionObjects;
use virtual_gpu_lut_box::texture::{TextureBackend, TextureError};

#[test]
#[ignore = "is the other process of the tests below"]
fn another_process() {
    spout::obey();
}

fn memory(name: &str) -> Option<Vec<u8>> {
    let memory = SessionObjects.open_memory(name.as_bytes()).unwrap()?;
    let mut bytes = vec![0; memory.size()];
    memory.read(&mut bytes);
    Some(bytes)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|b| *b == 0).next().unwrap()).into_owned()
}

/// The slots of the list up to the first empty one, in the order in which they stand.
fn listed() -> Vec<String> {
    let list = memory("SpoutSenderNames").unwrap();
    list.chunks(256).map(text).take_while(|name| !name.is_empty()).collect()
}

fn active() -> String {
    text(&memory("ActiveSenderName").unwrap())
}

/// Share handle, width, height, format.
fn info(name: &str) -> [u32; 4] {
    let block = memory(name).unwrap();
    [0, 4, 8, 12].map(|at| u32::from_le_bytes(*block[at..].first_chunk().unwrap()))
}

/// The frame number, as a receiver asks for it.
fn frame_number(name: &str) -> u32 {
    let semaphore = SessionObjects.open_semaphore(format!("{name}_Count_Semaphore").as_bytes()).unwrap().unwrap();
    assert!(semaphore.try_take().unwrap());
    semaphore.add(1).unwrap()
}

#[test]
fn a_senders_block_says_what_its_texture_is_and_who_sends_it() {
    let _alone = alone();
    let mut other = Process::start(false);
    assert_eq!(other.does("publish Show 33 1").unwrap(), "Show 1");
    let block = memory("Show").unwrap();
    assert_eq!(info("Show")[1..], [1089, 33, 2]);
    assert_eq!(block[16..20], [0; 4]);
    assert_eq!(text(&block[20..276]), std::env::current_exe().unwrap().to_str().unwrap());
    assert!(block[276..].iter().all(|byte| *byte == 0));
    assert_eq!(memory("SpoutSenderNames").unwrap().len(), 16384);
    assert_eq!((listed(), active()), (vec!["Show".to_owned()], "Show".to_owned()));

    let spout = imaginary();
    let streams = spout.streams().unwrap();
    assert_eq!((streams[0].name.as_str(), streams[0].width, streams[0].height), ("Show", 1089, 33));
    assert_eq!(streams[0].format, "R32G32B32A32_FLOAT");
}

#[test]
fn cdl_values_are_listed_by_other_processes_until_their_sender_is_gone() {
    let _alone = alone();
    let mut other = Process::start(false);
    other.does("publish Show 2 1").unwrap();
    let spout = imaginary();
    let listed = || spout.streams().unwrap()[0].cdl.map(|cdl| (cdl.slope(), cdl.saturation()));
    assert_eq!(listed(), None);
    for slope in ["1.5", "0.25"] {
        other.does(&format!("grade Show {slope}")).unwrap();
        assert_eq!(listed(), Some(([slope.parse().unwrap(), 1.0, 1.0], 0.5)));
    }
    other.kill();
    let mut other = Process::start(false);
    other.does("publish Show 2 1").unwrap();
    assert_eq!(listed(), None, "they went with their sender");
}

#[test]
fn the_list_of_several_processes_is_sorted_bytewise() {
    let _alone = alone();
    let (mut one, mut two) = (Process::start(false), Process::start(false));
    let spout = imaginary();
    one.does("publish b 2 1").unwrap();
    two.does("publish a 2 1").unwrap();
    let _here = sender(&spout, "a b");
    one.does("publish Z 2 1").unwrap();
    two.does("publish Bühne 2 1").unwrap();
    assert_eq!(listed(), ["B%C3%BChne", "Z", "a", "a b", "b"]);
    one.does("end b").unwrap();
    assert_eq!(listed(), ["B%C3%BChne", "Z", "a", "a b"]);
}

#[test]
fn a_name_that_another_process_has_gets_a_number() {
    let _alone = alone();
    let (mut one, mut two) = (Process::start(false), Process::start(false));
    assert_eq!(one.does("publish a 2 1").unwrap(), "a 1");
    assert_eq!(two.does("publish a 2 1").unwrap(), "a_1 1");
    let here = sender(&imaginary(), "a");
    assert_eq!(here.sender.name(), "a_2");
    assert_eq!(listed(), ["a", "a_1", "a_2"]);
    assert_eq!(two.does("publish a 2 2").unwrap(), "a_1 2", "it stays");
}

#[test]
fn the_active_sender_is_the_newest_and_another_when_it_goes() {
    let _alone = alone();
    let spout = imaginary();
    let mut other = Process::start(false);
    let here = sender(&spout, "b");
    for name in ["a", "c"] {
        other.does(&format!("publish {name} 2 1")).unwrap();
        assert_eq!(active(), name);
    }
    other.does("end c").unwrap();
    assert_eq!(active(), "a");
    other.does("end a").unwrap();
    assert_eq!(active(), "b");
    assert_eq!(spout.active_sender().unwrap().unwrap(), "b");
    drop(here);
    assert_eq!(spout.active_sender().unwrap(), None);
}

#[test]
fn a_killed_process_leaves_its_names_to_the_next() {
    let _alone = alone();
    let mut killed = Process::start(false);
    let _keeps_the_list = sender(&imaginary(), "c");
    killed.does("publish a 2 1").unwrap();
    killed.does("publish b 2 1").unwrap();
    killed.kill();
    assert_eq!(listed(), ["a", "b", "c"]);
    assert_eq!(memory("a"), None);
    assert_eq!(imaginary().streams().unwrap().len(), 1);

    let mut next = Process::start(false);
    assert_eq!(next.does("publish a 2 1").unwrap(), "a 1", "not a_1");
    assert_eq!(listed(), ["a", "c"], "and b, whose process is gone, is off the list");
}

#[test]
fn a_full_list_refuses_one_more() {
    let _alone = alone();
    let spout = imaginary();
    let mut other = Process::start(false);
    let mut here = Vec::new();
    for i in 0..32 {
        here.push(sender(&spout, &format!("here{i:02}")));
        other.does(&format!("publish there{i:02} 2 1")).unwrap();
    }
    assert_eq!(listed().len(), 64);
    let refused = other.does("publish x 2 1").unwrap_err();
    assert!(refused.contains("the list of Spout senders is full: it holds 64 (here00, here01, "), "{refused}");
    assert_eq!((listed().len(), memory("x")), (64, None));
    here.pop();
    assert_eq!(other.does("publish x 2 1").unwrap(), "x 1");
}

#[test]
fn a_list_of_ten_slots_that_an_old_program_made_is_not_overrun() {
    let _alone = alone();
    let _old = SessionObjects.create_memory(b"SpoutSenderNames", 10 * 256).unwrap();
    let mut other = Process::start(false);
    for i in 0..10 {
        other.does(&format!("publish s{i} 2 1")).unwrap();
    }
    let refused = other.does("publish x 2 1").unwrap_err();
    assert!(refused.contains("is full: it holds 10 (s0, s1, "), "{refused}");
    let list = memory("SpoutSenderNames").unwrap();
    assert_eq!(listed().len(), 10);
    assert!(list[10 * 256..].iter().all(|byte| *byte == 0));
}

#[test]
fn every_publication_is_one_frame() {
    let _alone = alone();
    let mut other = Process::start(false);
    for frame in 1..=5 {
        other.does(&format!("publish a 2 {frame}")).unwrap();
        assert_eq!(frame_number("a"), frame);
        assert_eq!(frame_number("a"), frame, "looking does not count");
    }
}

#[test]
fn a_texture_that_another_process_uses_is_written_when_it_is_free() {
    let _alone = alone();
    let mut stream = sender(&imaginary(), "a");
    let mut other = Process::start(false);
    other.does("hold a_SpoutAccessMutex").unwrap();
    let e = stream.publish(2, 2).unwrap_err();
    assert!(matches!(&e, TextureError::Io { source, .. } if source.kind() == ErrorKind::TimedOut), "{e}");
    assert_eq!(frame_number("a"), 1, "nothing was written");

    let publishing = std::thread::spawn(move || {
        loop {
            match stream.publish(2, 2) {
                // The other process may be slower than this one is patient.
                Err(TextureError::Io { source, .. }) if source.kind() == ErrorKind::TimedOut => {}
                done => break (stream, done),
            }
        }
    });
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(!publishing.is_finished(), "the other process still uses it");
    other.does("release a_SpoutAccessMutex").unwrap();
    let (_stream, published) = publishing.join().unwrap();
    assert_eq!(published.unwrap(), 2);
    assert_eq!(frame_number("a"), 2);
}

#[test]
fn mutexes_that_a_killed_process_held_are_taken_over() {
    let _alone = alone();
    let spout = imaginary();
    let mut stream = sender(&spout, "a");
    let mut killed = Process::start(false);
    for mutex in ["a_SpoutAccessMutex", "a_mutex", "SpoutSenderNames_mutex", "ActiveSenderName_mutex"] {
        killed.does(&format!("hold {mutex}")).unwrap();
    }
    killed.kill();
    assert_eq!(stream.publish(3, 2).unwrap(), 2, "writes the block and the texture");
    let _b = sender(&spout, "b");
    assert_eq!((listed(), active()), (vec!["a".to_owned(), "b".to_owned()], "b".to_owned()));
    // They are free again for everybody else.
    let mut other = Process::start(false);
    for mutex in ["a_SpoutAccessMutex", "a_mutex", "SpoutSenderNames_mutex", "ActiveSenderName_mutex"] {
        other.does(&format!("hold {mutex}")).unwrap();
    }
}

#[test]
fn another_size_rewrites_the_block_under_the_same_name() {
    let _alone = alone();
    let mut other = Process::start(false);
    other.does("publish a 33 1").unwrap();
    let [handle, width, height, format] = info("a");
    assert_eq!((width, height, format), (1089, 33, 2));
    assert_eq!(other.does("publish a 64 1").unwrap(), "a 2");
    let resized = info("a");
    assert_ne!(resized[0], handle);
    assert_eq!(resized[1..], [4096, 64, 2]);
    assert_eq!(other.does("publish a 64 2").unwrap(), "a 3");
    assert_eq!(info("a"), resized, "the same size keeps the texture");
    assert_eq!((listed(), frame_number("a")), (vec!["a".to_owned()], 3));
}

#[test]
fn a_stream_that_ended_leaves_nothing_behind() {
    let _alone = alone();
    let spout = imaginary();
    let mut stream = Stream::new(&spout, "a").unwrap();
    assert_eq!(memory("SpoutSenderNames"), None, "nothing was published yet");
    stream.publish(2, 1).unwrap();
    drop(stream);
    for name in ["a", "SpoutSenderNames", "ActiveSenderName"] {
        assert_eq!(memory(name), None, "{name}");
    }
    assert!(SessionObjects.open_mutex(b"a_SpoutAccessMutex").unwrap().is_none());
    assert!(SessionObjects.open_semaphore(b"a_Count_Semaphore").unwrap().is_none());
}
