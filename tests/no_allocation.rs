//! Once a connection has had its first LUTs, taking another allocates nothing: not on the way from the socket into the
//! texture, not for publishing it, not for the answer, and not in a receiver that copies the texture, where there is one.
//!
//! Alone in its program, for every allocation of the process is counted.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod wire;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;
use virtual_gpu_lut_box::channel::{ChannelSet, ChannelSettings};
use virtual_gpu_lut_box::server::{Server, ServerConfig};
use virtual_gpu_lut_box::texture::linux::LinuxBackend;
use virtual_gpu_lut_box::texture::{Event, Frame, TextureBackend};
use wire::{Wire, pattern, set_lut};

const PATIENCE: Duration = Duration::from_secs(60);

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

// One test, for what another does would be counted too.
#[test]
fn a_lut_allocates_nothing_once_a_connection_has_had_a_few() {
    steady_state(false);
    steady_state(true);
}

fn steady_state(received: bool) {
    let folder = tempfile::tempdir().unwrap();
    let backend = Arc::new(LinuxBackend::with_directory(folder.path().join("streams")));
    let channels = Arc::new(ChannelSet::new(backend.clone(), ChannelSettings::default()));
    let config = ServerConfig { port: 0, ..ServerConfig::default() };
    let server = Server::start(&config, channels).unwrap();
    let messages: Vec<_> =
        [2, 17, 33, 65].iter().flat_map(|n| ["a", "b"].map(|channel| set_lut(Some(channel), pattern(*n, 1)))).collect();

    let mut client = Wire::connect(server.addresses()[0]);
    let mut send = |message: &[u8]| {
        client.0.write_all(message).unwrap();
        let mut reply = [0; 17];
        client.0.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"\x11\0\0\0\x10result\0\x01\0\0\0\0");
    };
    let mut receivers: Vec<_> = Vec::new();
    if received {
        for (message, channel) in messages.iter().zip(["a", "b"]) {
            send(message);
            receivers.push((backend.open(&format!("vglb-lut-{channel}")).unwrap(), Frame::default()));
        }
    }
    for (i, message) in messages.iter().enumerate() {
        let count = receivers.len();
        let mut receiver = receivers.get_mut(i % count.max(1));
        let mut send = |message: &[u8]| {
            send(message);
            if let Some((receiver, frame)) = &mut receiver {
                let before = frame.revision;
                while frame.revision == before {
                    assert!(matches!(receiver.wait(Some(PATIENCE)).unwrap(), Event::Frame), "a texture arrives");
                    receiver.read(frame).unwrap();
                }
            }
        };
        // As many as there are slots for one writer, and a few.
        (0..6).for_each(|_| send(message));
        // A thread that the first LUT has started may only now get to its own beginning; it begins but once.
        let mut seen = Vec::new();
        let is_quiet = (0..5).any(|_| {
            let region = Region::new(COUNTED);
            (0..20).for_each(|_| send(message));
            let change = region.change();
            seen.push(change);
            (change.allocations, change.reallocations, change.deallocations) == (0, 0, 0)
        });
        assert!(is_quiet, "received: {received}: {seen:?}");
    }
}
