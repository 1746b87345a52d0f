//! What a server promises to many clients at once.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod wire;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::channel::{ChannelSet, ChannelSettings};
use virtual_gpu_lut_box::hald::EntryOrder;
use virtual_gpu_lut_box::server::{Access, Server, ServerConfig, StartError};
use virtual_gpu_lut_box::sink::{self, LutSink};
use virtual_gpu_lut_box::texture::memory::MemoryBackend;
use virtual_gpu_lut_box::texture::{Event, Frame, TextureBackend};
use wire::{Wire, bytes_of, pattern, set_lut, strip};

fn start(config: ServerConfig, sink: impl LutSink) -> (Server, SocketAddr) {
    let server = Server::start(&ServerConfig { port: 0, ..config }, Arc::new(sink)).unwrap();
    let address = server.addresses()[0];
    (server, address)
}

fn textures() -> (ChannelSet, MemoryBackend) {
    let backend = MemoryBackend::default();
    (ChannelSet::new(Arc::new(backend.clone()), ChannelSettings::default()), backend)
}

fn newest(backend: &MemoryBackend, stream: &str) -> Vec<u8> {
    let mut frame = Frame::default();
    backend.open(stream).unwrap().read(&mut frame).unwrap();
    frame.texels.into_flattened()
}

#[test]
fn eight_connections_on_four_channels_with_mixed_sizes_all_end_on_their_last_lut() {
    let (channels, backend) = textures();
    let (_server, address) = start(ServerConfig::default(), channels);
    let last: Arc<Mutex<BTreeMap<String, Vec<Vec<u8>>>>> = Arc::default();
    std::thread::scope(|scope| {
        for connection in 0..8u32 {
            let last = last.clone();
            scope.spawn(move || {
                let mut wire = Wire::connect(address);
                for i in 0..125u32 {
                    let n = [2, 5, 9, 16, 17, 33][(i + connection) as usize % 6];
                    let channel = format!("ch{}", (i + connection) % 4);
                    let data = pattern(n, i * 8 + connection);
                    wire.accepted(&set_lut(Some(&channel), data.clone()));
                    if i >= 121 {
                        last.lock().unwrap().entry(channel).or_default().push(strip(n, &data));
                    }
                }
            });
        }
    });
    for (channel, candidates) in last.lock().unwrap().iter() {
        assert_eq!(candidates.len(), 8);
        let got = newest(&backend, &format!("vglb-lut-{channel}"));
        // Of the eight connections' last LUTs, one was the channel's last.
        assert!(candidates.contains(&got), "{channel} does not end on a last LUT");
    }
}

#[test]
fn pipelined_messages_are_answered_in_order() {
    let (channels, backend) = textures();
    let (_server, address) = start(ServerConfig::default(), channels);
    let mut wire = Wire::connect(address);
    let bad = bytes_of(&bson::doc! { "command": "nonsense" });
    let last = pattern(17, 99);
    let messages =
        [set_lut(Some("a"), pattern(4, 1)), bad, set_lut(Some("b"), pattern(33, 2)), set_lut(Some("a"), last.clone())];
    wire.send(&messages.concat());
    let results: Vec<_> = (0..4).map(|_| wire.reply().unwrap().get_i32("result").unwrap()).collect();
    assert_eq!(results, [1, 0, 1, 1]);
    assert!(newest(&backend, "vglb-lut-a") == strip(17, &last));
}

#[test]
fn a_client_that_stalls_in_the_middle_of_a_lut_holds_up_nobody_on_its_channel() {
    let (channels, backend) = textures();
    let (_server, address) = start(ServerConfig::default(), channels);
    let mut stalled = Wire::connect(address);
    let slow = set_lut(Some("a"), pattern(33, 1));
    stalled.send(&slow[..slow.len() / 2]);
    let mut wire = Wire::connect(address);
    for i in 0..20 {
        let data = pattern(33, 100 + i);
        wire.accepted(&set_lut(Some("a"), data.clone()));
        assert!(newest(&backend, "vglb-lut-a") == strip(33, &data), "half a LUT is visible");
    }
    stalled.accepted(&slow[slow.len() / 2..]);
    assert!(newest(&backend, "vglb-lut-a") == strip(33, &pattern(33, 1)));
}

#[test]
fn a_client_that_vanishes_in_the_middle_of_a_lut_leaves_the_last_good_one() {
    let (channels, backend) = textures();
    let (server, address) = start(ServerConfig::default(), channels);
    let good = pattern(9, 1);
    Wire::connect(address).accepted(&set_lut(Some("a"), good.clone()));
    let half = set_lut(Some("a"), pattern(9, 2));
    let mut vanishing = Wire::connect(address);
    vanishing.send(&half[..half.len() - 1]);
    drop(vanishing);
    wait_until("the connection is gone", || server.connections() == 0);
    assert!(newest(&backend, "vglb-lut-a") == strip(9, &good));
}

#[test]
fn one_connection_too_many_is_told_so_where_all_others_have_proven_themselves() {
    let (channels, _) = textures();
    let (server, address) = start(ServerConfig { max_connections: 3, ..ServerConfig::default() }, channels);
    let lut = set_lut(None, pattern(2, 1));
    let mut proven: Vec<_> = (0..3).map(|_| Wire::connect(address)).collect();
    proven.iter_mut().for_each(|wire| wire.accepted(&lut));
    let mut over = Wire::connect(address);
    assert_eq!(over.refused(&[]), "this server takes at most 3 connections at once");
    assert!(over.is_closed());
    proven.iter_mut().for_each(|wire| wire.accepted(&lut));
    drop(proven.pop());
    wait_until("a place is free", || server.connections() == 2);
    Wire::connect(address).accepted(&lut);
}

#[test]
fn connections_that_never_sent_a_request_make_room_for_one_that_does() {
    let (channels, _) = textures();
    let (server, address) = start(ServerConfig { max_connections: 4, ..ServerConfig::default() }, channels);
    let lut = set_lut(None, pattern(2, 1));
    let mut proven = Wire::connect(address);
    proven.accepted(&lut);
    let mut mute: Vec<_> = (0..40).map(|_| Wire::connect(address)).collect();
    mute.iter_mut().skip(1).step_by(2).for_each(|wire| wire.send_what_it_takes(&lut[..lut.len() / 2]));
    let mut newcomer = Wire::connect(address);
    newcomer.accepted(&lut);
    proven.accepted(&lut);
    assert_eq!(server.connections(), 4);
    assert_eq!(
        mute[0].refused(&[]),
        "this server takes at most 4 connections at once; this one had sent no request and had to make room"
    );
    assert!(mute[0].is_closed());
}

#[test]
fn a_port_in_use_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (channels, _) = textures();
    let config = ServerConfig { port, ..ServerConfig::default() };
    let Err(e) = Server::start(&config, Arc::new(channels)) else { panic!("started on a port in use") };
    assert!(matches!(e, StartError::InUse(_)));
    assert_eq!(
        e.to_string(),
        format!("port {port} on 127.0.0.1 is in use by another program; stop it, or choose another port with --port")
    );
}

#[test]
fn a_host_that_is_none_of_this_computer_is_an_error_that_names_it() {
    for (host, says) in [("203.0.113.7", "can't listen on 203.0.113.7:"), ("no such host", "\"no such host\"")] {
        let (channels, _) = textures();
        let config = ServerConfig { host: host.into(), port: 0, ..ServerConfig::default() };
        let Err(e) = Server::start(&config, Arc::new(channels)) else { panic!("listens on {host}") };
        assert!(e.to_string().contains(says), "{e}");
    }
}

#[test]
fn ipv4_and_ipv6_are_both_served() {
    for host in ["127.0.0.1", "::1", "[::1]", "localhost", "::"] {
        let (channels, _) = textures();
        let (server, _) = start(ServerConfig { host: host.into(), ..ServerConfig::default() }, channels);
        for address in server.addresses() {
            let mut reach = *address;
            if reach.ip().is_unspecified() {
                reach.set_ip("127.0.0.1".parse().unwrap());
            }
            Wire::connect(reach).accepted(&set_lut(None, pattern(2, 1)));
        }
    }
}

/// A sink whose closure waits at a gate.
fn gated(gate: Arc<(Mutex<bool>, Condvar)>, entered: Arc<AtomicBool>) -> impl LutSink {
    sink::callback(EntryOrder::BlueFastest, move |_, _| {
        entered.store(true, Ordering::SeqCst);
        let (open, bell) = &*gate;
        drop(bell.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
        Ok(())
    })
}

#[test]
fn stopping_finishes_what_is_being_published_and_then_closes() {
    let (gate, entered) = (Arc::default(), Arc::new(AtomicBool::new(false)));
    let (mut server, address) = start(ServerConfig::default(), gated(Arc::clone(&gate), entered.clone()));
    let mut idle = Wire::connect(address);
    let mut busy = Wire::connect(address);
    busy.send(&set_lut(None, pattern(2, 1)));
    wait_until("the LUT is being published", || entered.load(Ordering::SeqCst));
    let stopping = std::thread::spawn(move || server.stop());
    assert!(idle.is_closed());
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    assert_eq!(busy.reply(), Some(bson::doc! { "result": 1i32 }), "what was begun is finished and answered");
    assert!(busy.is_closed());
    assert!(stopping.join().unwrap(), "everything was finished in time");
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn stopping_does_not_wait_for_ever_for_a_sink_that_hangs() {
    let (gate, entered) = (Arc::default(), Arc::new(AtomicBool::new(false)));
    let (mut server, address) = start(ServerConfig::default(), gated(Arc::clone(&gate), entered.clone()));
    Wire::connect(address).send(&set_lut(None, pattern(2, 1)));
    wait_until("the LUT is being published", || entered.load(Ordering::SeqCst));
    assert!(!server.stop(), "it says that something was cut off");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
}

#[test]
fn a_sink_that_refuses_or_panics_ends_nothing_but_its_own_request_or_connection() {
    let sink = sink::callback(EntryOrder::BlueFastest, |channel, _| match channel.name() {
        Some("refuse") => Err("not today".into()),
        Some("panic") => panic!("a fault in a sink, made by a test"),
        _ => Ok(()),
    });
    let (server, address) = start(ServerConfig::default(), sink);
    let mut wire = Wire::connect(address);
    assert_eq!(wire.refused(&set_lut(Some("refuse"), pattern(2, 1))), "not today");
    wire.accepted(&set_lut(None, pattern(2, 1)));
    let mut doomed = Wire::connect(address);
    let says = doomed.refused(&set_lut(Some("panic"), pattern(2, 1)));
    assert!(says.starts_with("a fault in this server ended this connection"), "{says}");
    assert!(doomed.is_closed());
    wire.accepted(&set_lut(None, pattern(2, 1)));
    wait_until("the connection that panicked is off the list", || server.connections() == 1);
}

#[test]
fn a_callback_gets_the_lut_and_its_channel_whatever_the_order() {
    for order in EntryOrder::ALL {
        let got: Arc<Mutex<Vec<_>>> = Arc::default();
        let keep = got.clone();
        let sink = sink::callback(order, move |channel, lut| {
            keep.lock().unwrap().push((channel.clone(), lut));
            Ok(())
        });
        let (_server, address) = start(ServerConfig::default(), sink);
        // The second is smaller, on the same connection: nothing of the first may be left in it.
        let sent = [pattern(3, 4), pattern(2, 9)];
        let mut wire = Wire::connect(address);
        for data in &sent {
            wire.accepted(&set_lut(Some("x"), data.clone()));
        }
        for ((channel, lut), data) in got.lock().unwrap().iter().zip(&sent) {
            assert_eq!(channel.name(), Some("x"));
            let n = lut.size().get();
            assert_eq!(data.len(), 16 * n * n * n);
            for (i, entry) in data.chunks_exact(16).enumerate() {
                let (slow, middle, fast) = (i / (n * n), i / n % n, i % n);
                let point = if order == EntryOrder::BlueFastest { [slow, middle, fast] } else { [fast, middle, slow] };
                let bits = lut.at(point).map(f32::to_bits);
                let sent = entry[..12].chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().unwrap()));
                assert_eq!(bits[..], sent.collect::<Vec<_>>(), "entry {i}, {order}");
            }
        }
        assert_eq!(got.lock().unwrap().len(), 2);
    }
}

#[test]
fn once_accepting_has_stopped_the_port_is_free_and_connections_go_on() {
    let (channels, _) = textures();
    let (mut server, address) = start(ServerConfig::default(), channels);
    let mut wire = Wire::connect(address);
    wire.accepted(&set_lut(None, pattern(2, 1)));
    server.stop_accepting();
    let config = ServerConfig { port: address.port(), ..ServerConfig::default() };
    let (channels, _) = textures();
    let next = Server::start(&config, Arc::new(channels)).unwrap();
    wire.accepted(&set_lut(None, pattern(2, 2)));
    assert_eq!((server.connections(), next.connections()), (1, 0));
    assert!(server.stop());
    assert!(wire.is_closed());
}

#[test]
fn receivers_see_each_update_and_the_end() {
    let (channels, backend) = textures();
    let channels = Arc::new(channels);
    let config = ServerConfig { port: 0, ..ServerConfig::default() };
    let server = Server::start(&config, channels.clone()).unwrap();
    let mut wire = Wire::connect(server.addresses()[0]);
    wire.accepted(&set_lut(Some("a"), pattern(4, 1)));
    let mut receiver = backend.open("vglb-lut-a").unwrap();
    let mut frame = Frame::default();
    for i in 2..6 {
        assert_eq!(receiver.wait(Some(wire::PATIENCE)).unwrap(), Event::Frame);
        receiver.read(&mut frame).unwrap();
        assert_eq!(receiver.wait(Some(Duration::ZERO)).unwrap(), Event::TimedOut);
        wire.accepted(&set_lut(Some("a"), pattern(4, i)));
    }
    drop(wire);
    drop(server);
    channels.close();
    assert_eq!(receiver.wait(Some(wire::PATIENCE)).unwrap(), Event::Ended);
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < wire::PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_denied_address_is_told_so_and_changes_nothing() {
    let (channels, backend) = textures();
    let access = Access { allow: Vec::new(), deny: vec!["127.0.0.0/8".parse().unwrap()] };
    let (server, address) = start(ServerConfig { access, ..ServerConfig::default() }, channels);
    let mut wire = Wire::connect(address);
    let said = wire.refused(&set_lut(Some("a"), pattern(2, 1)));
    assert_eq!(said, "this server does not take clients from your address");
    assert!(wire.is_closed());
    assert_eq!((server.connections(), backend.streams().unwrap().len()), (0, 0));
}

#[test]
fn one_address_cannot_take_every_connection() {
    let (channels, _) = textures();
    let config = ServerConfig { max_connections: 8, max_connections_per_address: 2, ..ServerConfig::default() };
    let (_server, address) = start(config, channels);
    let mut served: Vec<_> = (0..2).map(|_| Wire::connect(address)).collect();
    for wire in &mut served {
        wire.accepted(&set_lut(Some("a"), pattern(2, 1)));
    }
    let said = Wire::connect(address).reply().unwrap();
    assert_eq!(said.get_str("error").unwrap(), "this server takes at most 2 connections at once from one address");
    for wire in &mut served {
        wire.accepted(&set_lut(Some("a"), pattern(2, 2)));
    }
}
