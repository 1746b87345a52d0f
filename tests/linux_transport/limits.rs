//! What happens where the system's limits are, and what an idle stream costs.

use crate::backend_suite::{next, read, read_mark, until};
use crate::child::Other;
use crate::{Streams, backend_suite, publish_mark, raw};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;
use virtual_gpu_lut_box::memory_limit::MemoryLimit;
use virtual_gpu_lut_box::texture::linux::LinuxBackend;
use virtual_gpu_lut_box::texture::{TextureBackend, TextureError};

#[test]
fn no_descriptor_and_no_thread_is_left_over() {
    let streams = Streams::new();
    let (_sender, _writer) = streams.sender("theirs", 4);
    let mut other = Other::new(streams.path());
    let answer = other.ask("cycles theirs 200");
    let (before, after) = answer.split_once(") ").unwrap();
    assert_eq!(format!("{before})"), after, "descriptors and threads, before and after");
}

#[test]
fn a_texture_that_memory_has_no_room_for_leaves_the_last_one() {
    let streams = Streams::new();
    // 64 MiB: rings of 33³ and 16³ fit, one of 128³ does not.
    let mut other = Other::with_limits(streams.path(), "-f 131072");
    other.must("send s", "sending");
    other.must("publish 33 1", "1");
    let mut receiver = streams.backend.open("s").unwrap();
    assert_eq!(read_mark(&next(&mut *receiver)), 1);
    let refused = other.ask("publish 128 2");
    assert!(refused.starts_with("error: no memory for a texture of 33554432 bytes ("), "{refused}");
    assert_eq!(read_mark(&read(&mut *receiver)), 1);
    other.must("publish 16 3", "2");
    assert_eq!(read_mark(&next(&mut *receiver)), 3);
}

#[test]
fn textures_that_were_given_up_leave_no_memory_behind() {
    let memory = MemoryLimit::new(1 << 30);
    let streams = Streams::new();
    let backend = LinuxBackend::with_directory(streams.path()).with_memory(memory.clone());
    let sender = backend.create_sender("s").unwrap();
    let mut writer = sender.writer().unwrap();
    publish_mark(&mut *writer, 4, 1);
    let held = |sizes: &[u64]| {
        let begun = sizes.iter().map(|n| {
            let mut writer = sender.writer().unwrap();
            writer.begin(backend_suite::shape(*n)).unwrap();
            writer
        });
        drop(begun.collect::<Vec<_>>());
        memory.used()
    };
    // One is kept, for a stream that goes to and fro between two sizes.
    let one = held(&[33]);
    assert_eq!(held(&[17, 20, 25, 30, 32, 33]), one);
}

#[test]
fn a_sender_out_of_descriptors_serves_the_receivers_it_has_and_takes_more_when_it_can() {
    let streams = Streams::new();
    let mut other = Other::with_limits(streams.path(), "-n 32");
    other.must("send s", "sending");
    other.must("publish 4 1", "1");
    let mut receivers = Vec::new();
    let refused = loop {
        match streams.backend.open("s") {
            Ok(receiver) => receivers.push(receiver),
            Err(e) => break e,
        }
        assert!(receivers.len() < 32);
    };
    assert!(refused.to_string().contains("has not answered"), "{refused}");
    assert!(receivers.len() > 5, "{}", receivers.len());
    other.must("publish 4 2", "2");
    for receiver in &mut receivers {
        assert_eq!(read_mark(&next(&mut **receiver)), 2);
    }
    receivers.truncate(2);
    until("there is room again", || streams.backend.open("s").is_ok());
}

#[test]
fn nothing_wakes_an_idle_sender() {
    let streams = Streams::new();
    let mut other = Other::new(streams.path());
    other.must("send s", "sending");
    other.must("publish 4 1", "1");
    let mut receiver = streams.backend.open("s").unwrap();
    assert_eq!(read_mark(&next(&mut *receiver)), 1);
    streams.backend.streams().unwrap();
    let task = std::fs::read_dir(format!("/proc/{}/task", other.pid()))
        .unwrap()
        .map(|t| t.unwrap().path())
        .find(|t| std::fs::read_to_string(t.join("comm")).unwrap().trim() == "vglb-receivers")
        .unwrap();
    let wakes = || {
        let status = std::fs::read_to_string(task.join("status")).unwrap();
        status.lines().filter(|l| l.contains("ctxt_switches")).map(str::to_owned).collect::<Vec<_>>()
    };
    // It may have been slow to deal with what there was; but then come three seconds without anything.
    until("the sender sleeps", || {
        let before = wakes();
        std::thread::sleep(Duration::from_secs(3));
        wakes() == before
    });
}

#[test]
fn the_hub_is_one_thread_and_goes_with_the_last_sender() {
    let streams = Streams::new();
    let mut other = Other::new(streams.path());
    let threads = |other: &mut Other| other.ask("threads").parse::<u32>().unwrap();
    let before = threads(&mut other);
    for name in ["a", "b", "c"] {
        other.must(&format!("send {name}"), "sending");
        assert_eq!(threads(&mut other), before + 1);
    }
    other.must("end", "ended");
    assert_eq!(threads(&mut other), before);
}

#[test]
fn a_deleted_directory_comes_back_and_receivers_never_notice() {
    let streams = Streams::new();
    let (sender, mut writer) = streams.sender("s", 4);
    let (_other, _other_writer) = streams.sender("t", 4);
    let mut receiver = streams.backend.open("s").unwrap();
    for mark in 2..5 {
        std::fs::remove_dir_all(streams.path()).unwrap();
        publish_mark(&mut *writer, 4, mark);
        assert_eq!(read_mark(&next(&mut *receiver)), mark);
        until("the streams are there again", || streams.backend.streams().is_ok_and(|s| s.len() == 2));
        assert_eq!(read_mark(&read(&mut *streams.backend.open("s").unwrap())), mark);
    }
    assert!(sender.receivers() >= Some(1));
}

#[test]
fn a_deleted_socket_comes_back() {
    let streams = Streams::new();
    let (_sender, _writer) = streams.sender("s", 4);
    std::fs::remove_file(streams.path().join("s.sock")).unwrap();
    until("the socket is there again", || streams.backend.open("s").is_ok());
}

#[test]
fn who_loses_the_name_goes_on_for_its_receivers_and_takes_it_back_when_it_is_free() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 4);
    let mut receiver = streams.backend.open("s").unwrap();
    let (socket, elsewhere) = (streams.path().join("s.sock"), streams.path().join("elsewhere"));
    let thief = raw::listen(&elsewhere).unwrap();
    let stolen = std::fs::metadata(&elsewhere).unwrap().ino();
    std::fs::rename(&elsewhere, &socket).unwrap();
    // Something else is deleted: the sender looks, and finds that it has lost the name.
    std::fs::write(&elsewhere, "").unwrap();
    std::fs::remove_file(&elsewhere).unwrap();
    for mark in 2..6 {
        publish_mark(&mut *writer, 4, mark);
        assert_eq!(read_mark(&next(&mut *receiver)), mark);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(std::fs::metadata(&socket).unwrap().ino(), stolen, "what is not its own is left alone");
    drop(thief);
    until("it has the name again", || {
        publish_mark(&mut *writer, 4, 7);
        streams.backend.open("s").is_ok()
    });
    assert_eq!(read_mark(&next(&mut *receiver)), 7);
}

#[test]
fn a_stream_of_many_sizes_keeps_the_memory_of_two() {
    let streams = Streams::new();
    let mut other = Other::new(streams.path());
    other.must("send s", "sending");
    other.must("publish 3 1", "1");
    other.must("publish 2 1", "2");
    let files = other.ask("files");
    for (revision, n) in (3..).zip(3..40) {
        other.must(&format!("publish {n} 1"), &revision.to_string());
    }
    assert_eq!(other.ask("files"), files, "a descriptor for each ring");
}

/// The surface that receivers are told of now.
fn surface_now(streams: &Streams) -> u64 {
    let peer = raw::connect(&streams.path().join("s.sock"));
    raw::send(&peer, &raw::hello(1, 1), &[]).unwrap();
    raw::u64_at(&raw::receive(&peer).unwrap().0, 16)
}

#[test]
fn sizes_that_alternate_keep_their_memory_unless_it_is_much() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 33);
    // Without a receiver there would be two textures only.
    let _watching = streams.backend.open("s").unwrap();
    let mut surfaces = Vec::new();
    // Three of 128³ take 96 MiB, which is more than an idle ring may keep.
    for n in [33, 17, 33, 17, 128, 128, 128, 17, 128] {
        publish_mark(&mut *writer, n, 1);
        surfaces.push(surface_now(&streams));
    }
    assert_eq!(surfaces, [1, 2, 1, 2, 3, 3, 3, 2, 4]);
}

#[test]
fn the_directory_must_be_private() {
    use std::os::unix::fs::PermissionsExt;
    let streams = Streams::new();
    std::fs::create_dir(streams.path()).unwrap();
    std::fs::set_permissions(streams.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    for e in [
        streams.backend.create_sender("s").err().unwrap(),
        streams.backend.open("s").err().unwrap(),
        streams.backend.streams().unwrap_err(),
        streams.backend.check().unwrap_err(),
        streams.backend.wait_for_stream("s", None).unwrap_err(),
    ] {
        assert!(matches!(e, TextureError::Broken(_)) && e.to_string().contains("it must be 0700"), "{e}");
    }
    std::fs::set_permissions(streams.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    streams.backend.check().unwrap();
    streams.backend.create_sender("s").unwrap();
}

#[test]
fn a_name_too_long_is_refused_with_the_limit() {
    let streams = Streams::new();
    let long = "/".repeat(66) + "xx";
    let (_sender, _writer) = streams.sender(&long, 2);
    assert_eq!(streams.backend.streams().unwrap()[0].name, long);
    assert_eq!(read_mark(&read(&mut *streams.backend.open(&long).unwrap())), 1);
    for e in [
        streams.backend.create_sender(&(long.clone() + "x")).err().unwrap(),
        streams.backend.open(&(long.clone() + "x")).err().unwrap(),
        streams.backend.wait_for_stream(&(long.clone() + "x"), None).unwrap_err(),
    ] {
        assert!(matches!(e, TextureError::InvalidName { .. }), "{e}");
        assert!(e.to_string().contains("it takes 201 bytes") && e.to_string().contains("at most 200"), "{e}");
    }
}
