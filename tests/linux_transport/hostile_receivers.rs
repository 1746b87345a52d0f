//! Receivers that do not keep the rules do no harm to anybody but themselves.

use crate::backend_suite::{next, read_mark, until};
use crate::child::Other;
use crate::raw::{
    self, CDL, FRAME, GONE, HELLO, RELEASE, SURFACE, connect, hello, last_words, message, receive, send, u64_at,
};
use crate::{Streams, publish_mark};
use std::os::fd::AsFd;
use virtual_gpu_lut_box::lut::Cdl;
use virtual_gpu_lut_box::texture::TextureBackend;

const TOO_MANY: u32 = 2;
const BAD_MESSAGE: u32 = 4;
const OTHER_VERSION: u32 = 5;
const NO_HELLO: u32 = 6;
const NO_COMMON_TIER: u32 = 7;

#[test]
fn whoever_talks_nonsense_is_told_so_and_the_others_are_served() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 4);
    let mut receiver = streams.backend.open("s").unwrap();
    let path = streams.path().join("s.sock");
    let spoiled = |at: usize, byte: u8| {
        let mut m = hello(0, 1);
        m[at] = byte;
        m
    };
    let cases = [
        ("one byte", vec![0], Some((BAD_MESSAGE, 0))),
        ("text", b"GET / HTTP/1.1\r\n\r\n".to_vec(), Some((BAD_MESSAGE, 0))),
        ("nothing", vec![], None),
        ("another magic", spoiled(0, b'X'), Some((BAD_MESSAGE, 0))),
        ("another version", spoiled(4, 2), Some((OTHER_VERSION, 1))),
        ("a length that is wrong", spoiled(8, 63), Some((BAD_MESSAGE, 0))),
        ("a HELLO cut short", hello(0, 1)[..40].to_vec(), Some((BAD_MESSAGE, 0))),
        ("a HELLO with too few fields", message(HELLO, &[0; 8]), Some((BAD_MESSAGE, 0))),
        ("more than any message", vec![0x41; 100_000], Some((BAD_MESSAGE, 0))),
        ("no tier at all", hello(0, 0), Some((NO_COMMON_TIER, 0))),
        ("tiers that there are not", hello(0, !1), Some((NO_COMMON_TIER, 0))),
        ("RELEASE first", message(RELEASE, &[0; 24]), Some((BAD_MESSAGE, 0))),
        ("a sender's message", message(GONE, &[0; 8]), Some((BAD_MESSAGE, 0))),
    ];
    for (mark, (what, bytes, answer)) in (2..).zip(cases) {
        let peer = connect(&path);
        send(&peer, &bytes, &[]).unwrap();
        assert_eq!(last_words(&peer), answer, "{what}");
        publish_mark(&mut *writer, 4, mark);
        assert_eq!(read_mark(&next(&mut *receiver)), mark);
    }
}

#[test]
fn a_greeted_receiver_may_release_and_nothing_else() {
    let streams = Streams::new();
    let (sender, mut writer) = streams.sender("s", 4);
    let path = streams.path().join("s.sock");
    for (what, bytes) in [("HELLO again", hello(0, 1)), ("garbage", vec![7; 50])] {
        let peer = connect(&path);
        send(&peer, &hello(0, 1), &[]).unwrap();
        let (surface, memory) = receive(&peer).unwrap();
        assert_eq!((raw::kind(&surface), surface.len()), (SURFACE, 992));
        assert!(memory.is_some());
        for slot in 0..100u32 {
            // Whatever is in it.
            let fields = [&u64::MAX.to_le_bytes()[..], &[0xff; 8], &slot.to_le_bytes(), &[0; 4]].concat();
            send(&peer, &message(RELEASE, &fields), &[]).unwrap();
        }
        publish_mark(&mut *writer, 4, 2);
        let (frame, _) = receive(&peer).unwrap();
        assert_eq!((raw::kind(&frame), frame.len()), (FRAME, 56));
        assert_eq!(sender.receivers(), Some(1));
        send(&peer, &bytes, &[]).unwrap();
        assert_eq!(last_words(&peer), Some((BAD_MESSAGE, 0)), "{what}");
        until("it is sent away", || sender.receivers() == Some(0));
    }
}

#[test]
fn a_connection_without_a_hello_is_closed_and_counts_for_nothing() {
    let streams = Streams::new();
    let (sender, mut writer) = streams.sender("s", 4);
    let mute = connect(&streams.path().join("s.sock"));
    // More than may be silent at the same time: the oldest have to go, and whoever means it gets in.
    let crowd: Vec<_> = (0..100).map(|_| connect(&streams.path().join("s.sock"))).collect();
    let mut receiver = streams.backend.open("s").unwrap();
    assert_eq!(sender.receivers(), Some(1));
    publish_mark(&mut *writer, 4, 2);
    assert_eq!(read_mark(&next(&mut *receiver)), 2);
    for silent in crowd.iter().chain([&mute]) {
        assert_eq!(last_words(silent), Some((NO_HELLO, 2000)));
    }
}

#[test]
fn a_look_at_the_stream_gets_the_facts_and_no_memory() {
    let streams = Streams::new();
    let (sender, mut writer) = streams.sender("s", 4);
    publish_mark(&mut *writer, 5, 2);
    let peer = connect(&streams.path().join("s.sock"));
    send(&peer, &hello(1, 1), &[]).unwrap();
    let (surface, memory) = receive(&peer).unwrap();
    assert_eq!((raw::kind(&surface), u64_at(&surface, 24)), (SURFACE, 2));
    assert!(memory.is_none());
    assert!(receive(&peer).is_none(), "the connection ends");
    assert_eq!(sender.receivers(), Some(0));
    // With CDL values, these come first.
    let cdl = Cdl::new([1.0, 2.0, 0.5], [-1.0, 0.0, 0.25], [1.5, 1.0, 4.0], 0.75).unwrap();
    sender.set_cdl(&cdl);
    let peer = connect(&streams.path().join("s.sock"));
    send(&peer, &hello(1, 1), &[]).unwrap();
    let (message, _) = receive(&peer).unwrap();
    assert_eq!((raw::kind(&message), message.len()), (CDL, 96));
    let numbers = message[16..].as_chunks::<8>().0.iter().map(|v| f64::from_le_bytes(*v));
    assert!(numbers.eq([1.0, 2.0, 0.5, -1.0, 0.0, 0.25, 1.5, 1.0, 4.0, 0.75]));
    assert_eq!(raw::kind(&receive(&peer).unwrap().0), SURFACE);
    assert!(receive(&peer).is_none(), "the connection ends");
}

#[test]
fn the_sixty_fifth_is_told_the_limit() {
    let streams = Streams::new();
    let (_sender, _writer) = streams.sender("s", 4);
    let path = streams.path().join("s.sock");
    let full: Vec<_> = (0..64).map(|_| streams.backend.open("s").unwrap()).collect();
    let peer = connect(&path);
    send(&peer, &hello(0, 1), &[]).unwrap();
    assert_eq!(last_words(&peer), Some((TOO_MANY, 64)));
    drop(full);
}

#[test]
fn who_never_reads_keeps_a_short_queue_and_ends_up_with_the_newest_surface() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 4);
    let peer = connect(&streams.path().join("s.sock"));
    send(&peer, &hello(0, 1), &[]).unwrap();
    let (surface, _) = receive(&peer).unwrap();
    assert_eq!(raw::kind(&surface), SURFACE);
    // Never the same two sizes, so every other change makes new memory.
    for mark in 2..=500 {
        publish_mark(&mut *writer, 4 + mark % 7, mark);
    }
    let mut queued = 0;
    loop {
        let (m, memory) = receive(&peer).unwrap();
        queued += 1;
        assert!(queued <= 16, "memory of {queued} surfaces is kept alive by a receiver that does not read");
        if raw::kind(&m) == SURFACE && u64_at(&m, 24) == 500 {
            assert!(memory.is_some());
            break;
        }
    }
    publish_mark(&mut *writer, 4 + 500 % 7, 501);
    let (frame, _) = receive(&peer).unwrap();
    assert_eq!((raw::kind(&frame), u64_at(&frame, 24)), (FRAME, 501));
}

#[test]
fn descriptors_that_a_receiver_sends_are_not_kept() {
    let streams = Streams::new();
    let mut other = Other::new(streams.path());
    other.must("send s", "sending");
    other.must("publish 4 1", "1");
    let before = other.ask("files");
    let null = std::fs::File::open("/dev/null").unwrap();
    for count in 1..=8 {
        let peer = connect(&streams.path().join("s.sock"));
        send(&peer, &hello(0, 1), &vec![null.as_fd(); count]).unwrap();
        // One does no harm; more are too many.
        if count == 1 {
            assert_eq!(raw::kind(&receive(&peer).unwrap().0), SURFACE);
        } else {
            assert_eq!(last_words(&peer), Some((BAD_MESSAGE, 0)), "{count} descriptors");
        }
    }
    until("they are closed", || other.ask("files") == before);
}
