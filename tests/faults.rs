//! Faults inside the server: what fails is answered or ends one connection, and the last good LUT stays on its stream.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod faulty;
mod wire;

use faulty::{Fault, FaultyBackend};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::channel::{CdlMode, CdlSettings, ChannelSet, ChannelSettings};
use virtual_gpu_lut_box::hald::EntryOrder;
use virtual_gpu_lut_box::server::{Server, ServerConfig};
use virtual_gpu_lut_box::sink::ChannelId;
use wire::{Wire, bytes_of, pattern, set_lut, strip};

struct Box {
    server: Server,
    address: SocketAddr,
    backend: FaultyBackend,
    channels: ChannelSet,
}

fn start(settings: ChannelSettings) -> Box {
    let backend = FaultyBackend::default();
    let channels = ChannelSet::new(Arc::new(backend.clone()), settings);
    let server = Server::start(&ServerConfig { port: 0, ..Default::default() }, Arc::new(channels.clone())).unwrap();
    Box { address: server.addresses()[0], server, backend, channels }
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < wire::PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn without_memory_for_a_slot_the_old_lut_stays_on_the_stream() {
    let vglb = start(ChannelSettings::default());
    let mut wire = Wire::connect(vglb.address);
    let good = pattern(9, 1);
    wire.accepted(&set_lut(Some("cam"), good.clone()));
    vglb.backend.set(Fault::NoMemory);
    let says = wire.refused(&set_lut(Some("cam"), pattern(9, 2)));
    assert_eq!(says, "no memory for a texture of 11664 bytes (made by a test)");
    wire.refused(&set_lut(Some("new"), pattern(9, 3)));
    assert!(vglb.backend.shown("vglb-lut-cam") == strip(9, &good));
    vglb.backend.set(Fault::None);
    wire.accepted(&set_lut(Some("cam"), pattern(9, 4)));
    wire.accepted(&set_lut(Some("new"), pattern(9, 5)));
    assert!(vglb.backend.shown("vglb-lut-cam") == strip(9, &pattern(9, 4)));
}

#[test]
fn a_panic_in_one_connections_thread_ends_that_connection_only() {
    for fault in [Fault::PanicInBegin, Fault::PanicInPublish, Fault::PanicInCreate] {
        let vglb = start(ChannelSettings::default());
        let mut others = Wire::connect(vglb.address);
        let mut doomed = Wire::connect(vglb.address);
        for (wire, fill) in [(&mut others, 1), (&mut doomed, 2)] {
            wire.accepted(&set_lut(Some("cam"), pattern(9, fill)));
        }
        vglb.backend.set(fault);
        let channel = if fault == Fault::PanicInCreate { "new" } else { "cam" };
        let says = doomed.refused(&set_lut(Some(channel), pattern(9, 3)));
        assert!(says.starts_with("a fault in this server ended this connection"), "{fault:?}: {says}");
        assert!(doomed.is_closed());
        vglb.backend.set(Fault::None);
        assert!(vglb.backend.shown("vglb-lut-cam") == strip(9, &pattern(9, 2)), "{fault:?}");
        // The same channel, whose locks were held: from the connection that there was, and from a new one.
        others.accepted(&set_lut(Some("cam"), pattern(9, 4)));
        Wire::connect(vglb.address).accepted(&set_lut(Some("new"), pattern(9, 5)));
        assert!(vglb.backend.shown("vglb-lut-cam") == strip(9, &pattern(9, 4)), "{fault:?}");
        wait_until("the places are free", || vglb.server.connections() == 1);
        assert_eq!(vglb.channels.status().len(), 2);
    }
}

#[test]
fn a_refused_lut_is_not_the_newest_where_cdl_values_go_with_it() {
    let cdl = CdlSettings { mode: CdlMode::After, ..CdlSettings::default() };
    let vglb = start(ChannelSettings { cdl, ..ChannelSettings::default() });
    let mut wire = Wire::connect(vglb.address);
    let good = pattern(5, 1);
    wire.accepted(&set_lut(Some("cam"), good.clone()));
    let values = bson::doc! { "slope": [0.5, 0.5, 0.5], "offset": [0, 0, 0], "power": [1, 1, 1] };
    wire.accepted(&bytes_of(&bson::doc! { "command": "setCDL", "instance": "cam", "arguments": values }));
    let id = ChannelId::new("cam");
    let newest =
        || -> Vec<_> { vglb.channels.newest(&id).unwrap().unwrap().entries(EntryOrder::BlueFastest).collect() };
    let graded = || vglb.channels.newest_graded(&id).unwrap().unwrap().texels;
    let (before, graded_before, shown) = (newest(), graded(), vglb.backend.shown("vglb-lut-cam"));
    vglb.backend.set(Fault::Publish);
    let says = wire.refused(&set_lut(Some("cam"), pattern(5, 2)));
    assert_eq!(says, "publishing fails, made by a test");
    assert!(newest() == before, "what was refused is the newest LUT");
    assert!(graded() == graded_before && vglb.backend.shown("vglb-lut-cam") == shown);
    vglb.backend.set(Fault::None);
    // What comes next on the stream is of the LUT that was accepted.
    vglb.channels.set_bypass(&id, true).unwrap();
    vglb.channels.set_bypass(&id, false).unwrap();
    assert!(vglb.backend.shown("vglb-lut-cam") == shown);
    wire.accepted(&set_lut(Some("cam"), pattern(5, 3)));
    assert!(newest() != before && vglb.backend.shown("vglb-lut-cam") != shown);
}

#[test]
fn a_channel_made_again_while_its_predecessor_ends_gets_its_name() {
    let vglb = start(ChannelSettings::default());
    vglb.backend.set(Fault::SlowEnd);
    let mut bad = pattern(2, 1);
    bad[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    let message = set_lut(Some("cam"), bad);
    // Each refused LUT makes the channel and lets it go.
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut wire = Wire::connect(vglb.address);
                for _ in 0..30 {
                    let says = wire.refused(&message);
                    assert!(says.contains("NaN or infinite"), "{says}");
                }
            });
        }
        // Whoever looks at channels meanwhile keeps no name taken.
        scope.spawn(|| {
            (0..2000).for_each(|_| drop((vglb.channels.status(), vglb.channels.newest(&ChannelId::new("cam")))))
        });
    });
    Wire::connect(vglb.address).accepted(&set_lut(Some("cam"), pattern(2, 2)));
}
