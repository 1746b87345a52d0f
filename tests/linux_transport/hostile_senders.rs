//! Senders that do not keep the rules: a receiver says what is wrong, and neither hangs nor reads what it should not.

use crate::Streams;
use crate::backend_suite::PATIENCE;
use crate::raw::{self, FRAME, GONE, SURFACE, connect, hello, message, receive, send};
use rustix::fd::OwnedFd;
use rustix::fs::{MemfdFlags, SealFlags};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::texture::{Event, TextureBackend, TextureError, TextureReceiver};

/// A real sender's SURFACE with its memory, to be spoiled.
fn real_surface(n: u64) -> (Vec<u8>, OwnedFd) {
    let streams = Streams::new();
    let (_sender, _writer) = streams.sender("real", n);
    let peer = connect(&streams.path().join("real.sock"));
    send(&peer, &hello(0, 1), &[]).unwrap();
    let (surface, memory) = receive(&peer).unwrap();
    (surface, memory.unwrap())
}

/// A sender that answers whoever comes with `answer`, once.
fn impostor(streams: &Streams, answer: impl FnOnce(OwnedFd) + Send + 'static) -> std::thread::JoinHandle<()> {
    let _ = streams.backend.check();
    let path = streams.path().join("fake.sock");
    let listener = raw::listen(&path).unwrap();
    std::thread::spawn(move || {
        let peer = rustix::net::accept(&listener).unwrap();
        std::fs::remove_file(path).unwrap();
        answer(peer);
    })
}

fn opened(answer: impl FnOnce(OwnedFd) + Send + 'static) -> Result<Box<dyn TextureReceiver>, TextureError> {
    let streams = Streams::new();
    let sender = impostor(&streams, answer);
    let opened = streams.backend.open("fake");
    sender.join().unwrap();
    opened
}

/// Listens until the receiver has closed: it must not be that which it sees.
fn until_it_leaves(peer: &OwnedFd) {
    while receive(peer).is_some() {}
}

fn refused(bytes: Vec<u8>, memory: Option<OwnedFd>) -> String {
    let opened = opened(move |peer| {
        let fds: Vec<_> = memory.iter().map(|m| m.as_fd()).collect();
        send(&peer, &bytes, &fds).unwrap();
        until_it_leaves(&peer);
    });
    match opened {
        Err(TextureError::Protocol(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken"),
    }
}

#[test]
fn messages_that_are_none_are_told_of() {
    for (bytes, says) in [
        (vec![1, 2, 3], "a message of 3 bytes"),
        (vec![0; 3000], "more than 2048 bytes"),
        (message(SURFACE, &[0; 976]), "grid size is 0"),
        (message(FRAME, &[0; 8]), "a message of type 3 with 24 bytes; it has at least 56"),
        (b"VGLB\x02\x00\x02\x00\x10\0\0\0\0\0\0\0".to_vec(), "transport version 2"),
    ] {
        let why = refused(bytes, None);
        assert!(why.contains(says), "{says}: {why}");
    }
}

#[test]
fn memory_that_is_not_what_it_should_be_is_not_mapped() {
    let (surface, memory) = real_surface(4);
    let bytes = rustix::fs::fstat(&memory).unwrap().st_size as u64;
    let memory_with = |bytes: u64, seals: SealFlags| {
        let memory = rustix::fs::memfd_create("fake", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&memory, bytes).unwrap();
        rustix::fs::fcntl_add_seals(&memory, seals).unwrap();
        memory
    };
    let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL;
    for (memory, says) in [
        (None, "told of memory and sent none"),
        (Some(memory_with(bytes, SealFlags::empty())), "it must have at least"),
        (Some(memory_with(bytes, all - SealFlags::SHRINK)), "it must have at least"),
        (Some(memory_with(4096, all)), "has 4096 bytes, and it said"),
        (Some(memory_with(bytes, all)), "does not begin as"),
        (Some(std::fs::File::open("/dev/zero").unwrap().into()), "no sealed memory"),
        (Some(std::fs::File::open("/proc/self/exe").unwrap().into()), "no sealed memory"),
    ] {
        let why = refused(surface.clone(), memory);
        assert!(why.contains(says), "{says}: {why}");
    }
}

#[test]
fn a_surface_that_reaches_beyond_its_memory_is_refused() {
    let (surface, memory) = real_surface(4);
    for (at, says) in [(80, "memory size"), (88, "control offset"), (144 + 40, "slot offset"), (144 + 8, "slot size")] {
        let mut spoiled = surface.clone();
        spoiled[at..at + 8].copy_from_slice(&(u64::MAX - 64).to_le_bytes());
        let why = refused(spoiled, Some(memory.try_clone().unwrap()));
        assert!(why.contains(says), "{says}: {why}");
    }
}

#[test]
fn a_refusal_is_passed_on_in_words() {
    for (reason, detail, says) in [
        (1u32, 0u32, "the stream has ended"),
        (2, 64, "it has 64 receivers already"),
        (5, 9, "it speaks version 9 of the transport, and this program version 1"),
        (99, 0, "a reason that this program does not know"),
    ] {
        let opened = opened(move |peer| {
            let fields = [reason.to_le_bytes(), detail.to_le_bytes()].concat();
            send(&peer, &message(GONE, &fields), &[]).unwrap();
            // Closed with the HELLO unread, as a busy sender may.
        });
        let e = opened.err().unwrap();
        assert!(matches!(e, TextureError::Refused { .. }) && e.to_string().contains(says), "{says}: {e}");
    }
}

#[test]
fn who_hangs_up_at_once_was_no_stream() {
    let e = opened(drop).err().unwrap();
    assert!(matches!(e, TextureError::NoSuchStream { .. }), "{e}");
}

#[test]
fn a_sender_that_only_rings_never_stretches_the_time() {
    let began = Instant::now();
    let opened = opened(|peer| while send(&peer, &message(FRAME, &[0; 40]), &[]).is_ok() {});
    let e = opened.err().unwrap();
    assert!(e.to_string().contains("has not answered for 2s"), "{e}");
    assert!(began.elapsed() < Duration::from_secs(30));

    let (surface, memory) = real_surface(4);
    let streams = Streams::new();
    let sender = impostor(&streams, move |peer| {
        send(&peer, &surface, &[memory.as_fd()]).unwrap();
        while send(&peer, &message(FRAME, &[0; 40]), &[]).is_ok() {}
    });
    let mut receiver = streams.backend.open("fake").unwrap();
    assert_eq!(receiver.wait(Some(PATIENCE)).unwrap(), Event::Frame);
    receiver.read(&mut Default::default()).unwrap();
    assert_eq!(receiver.wait(Some(Duration::from_millis(50))).unwrap(), Event::TimedOut);
    drop(receiver);
    sender.join().unwrap();
}

#[test]
fn nonsense_in_the_middle_ends_the_stream_with_a_reason() {
    let (surface, memory) = real_surface(4);
    let streams = Streams::new();
    let sender = impostor(&streams, move |peer| {
        send(&peer, &surface, &[memory.as_fd()]).unwrap();
        send(&peer, b"nonsense", &[]).unwrap();
        until_it_leaves(&peer);
    });
    let mut receiver = streams.backend.open("fake").unwrap();
    let e = loop {
        match receiver.wait(Some(PATIENCE)) {
            Ok(event) => assert_eq!(event, Event::Frame, "the real sender's texture"),
            Err(e) => break e,
        }
    };
    assert!(e.to_string().contains("the sender sent a message of 8 bytes"), "{e}");
    assert_eq!(receiver.wait(None).unwrap(), Event::Ended);
    drop(receiver);
    sender.join().unwrap();
}

#[test]
fn a_sender_that_says_nothing_is_left_out_of_the_list() {
    let streams = Streams::new();
    let (_sender, _writer) = streams.sender("living", 2);
    let _listening = raw::listen(&streams.path().join("mute.sock")).unwrap();
    let names: Vec<_> = streams.backend.streams().unwrap().into_iter().map(|s| s.name).collect();
    assert_eq!(names, ["living"]);
}
