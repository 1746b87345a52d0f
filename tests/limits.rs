//! What clients may have at most: what they are told where a limit is reached, and that nobody reaches one to another's
//! harm.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod wire;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use virtual_gpu_lut_box::channel::{ChannelSet, ChannelSettings, LutSource};
use virtual_gpu_lut_box::memory_limit::MemoryLimit;
use virtual_gpu_lut_box::server::{Server, ServerConfig};
use virtual_gpu_lut_box::sink::{self, ChannelId, LutSink, Refusal};
use virtual_gpu_lut_box::texture::memory::MemoryBackend;
use virtual_gpu_lut_box::texture::{Frame, TextureBackend};
use virtual_gpu_lut_box::wire::WireLimits;
use wire::{Wire, binary, bytes_of, pattern, set_lut, strip};

fn start(config: ServerConfig, backend: &MemoryBackend, settings: ChannelSettings) -> (Server, SocketAddr) {
    let channels = ChannelSet::new(Arc::new(backend.clone()), settings);
    let server = Server::start(&ServerConfig { port: 0, ..config }, Arc::new(channels)).unwrap();
    let address = server.addresses()[0];
    (server, address)
}

fn newest(backend: &MemoryBackend, stream: &str) -> Vec<u8> {
    let mut frame = Frame::default();
    backend.open(stream).unwrap().read(&mut frame).unwrap();
    frame.texels.into_flattened()
}

#[test]
fn a_lut_over_the_largest_size_is_refused_and_the_connection_stays() {
    let limits = WireLimits { lut_size: 17.try_into().unwrap(), ..WireLimits::default() };
    let backend = MemoryBackend::default();
    let (_server, address) = start(ServerConfig { limits, ..Default::default() }, &backend, Default::default());
    let mut wire = Wire::connect(address);
    let good = pattern(17, 1);
    wire.accepted(&set_lut(Some("cam"), good.clone()));
    let says = "a LUT of grid size 18 is over this server's limit of 17 (--max-lut-size)";
    assert_eq!(wire.refused(&set_lut(Some("cam"), pattern(18, 2))), says);
    let late = bson::doc! { "arguments": { "lutData": binary(pattern(33, 3)) }, "command": "setLUT" };
    assert!(wire.refused(&bytes_of(&late)).contains("grid size 33 is over"));
    assert!(newest(&backend, "vglb-lut-cam") == strip(17, &good));
    wire.accepted(&set_lut(Some("cam"), pattern(16, 4)));
}

#[test]
fn a_client_that_is_silent_between_messages_is_closed_where_that_is_wanted() {
    for silence in [Duration::from_millis(100), Duration::from_secs(20)] {
        let limits = WireLimits { idle: Some(Duration::from_millis(300)), silence, ..WireLimits::default() };
        let backend = MemoryBackend::default();
        let (_server, address) = start(ServerConfig { limits, ..Default::default() }, &backend, Default::default());
        let mut wire = Wire::connect(address);
        wire.accepted(&set_lut(None, pattern(2, 1)));
        let says = "nothing was sent for 0.3 s; this server closes connections that are silent for so long";
        assert_eq!(wire.refused(&[]), says);
        assert!(wire.is_closed());
    }
}

#[test]
fn silence_in_a_message_is_counted_apart_from_silence_between_messages() {
    let limits = WireLimits {
        idle: Some(Duration::from_millis(100)),
        silence: Duration::from_millis(400),
        ..WireLimits::default()
    };
    let backend = MemoryBackend::default();
    let (_server, address) = start(ServerConfig { limits, ..Default::default() }, &backend, Default::default());
    for cut in [2, 60] {
        let mut wire = Wire::connect(address);
        let says = wire.refused(&set_lut(None, pattern(4, 1))[..cut]);
        assert!(says.starts_with("no data for 0.4 s in the middle of a message"), "{says}");
        assert!(wire.is_closed());
    }
}

#[test]
fn half_a_message_is_closed_after_its_time_where_longer_silence_is_allowed() {
    let limits = WireLimits {
        silence: Duration::from_secs(1000),
        message_time: Duration::from_millis(300),
        ..WireLimits::default()
    };
    let backend = MemoryBackend::default();
    let (_server, address) = start(ServerConfig { limits, ..Default::default() }, &backend, Default::default());
    let mut wire = Wire::connect(address);
    let says = wire.refused(&set_lut(None, pattern(4, 1))[..60]);
    assert!(says.starts_with("a message took longer than 0.3 s: "), "{says}");
    assert!(wire.is_closed());
}

#[test]
fn one_address_cannot_make_every_channel() {
    let settings = ChannelSettings { max_channels: 16, max_channels_per_address: 12, ..ChannelSettings::default() };
    let channels = ChannelSet::new(Arc::new(MemoryBackend::default()), settings);
    let client = |n| channels.for_client(IpAddr::from([10, 0, 0, n])).unwrap();
    let entries = [[0; 16]; 8];
    let put = |from: &Arc<dyn LutSink>, name: String| -> Result<(), Refusal> {
        let mut writer = from.writer(&ChannelId::new(name))?;
        sink::put(&mut *writer, 2.try_into().unwrap(), &entries).map(drop)
    };
    let greedy = client(1);
    for i in 0..12 {
        put(&greedy, format!("greedy {i}")).unwrap();
    }
    // Not by coming back, either.
    let refused = put(&client(1), "one more".into()).unwrap_err().to_string();
    let says = "your address has made 12 channels of this server's 16, the most that one may make; channel \"one more\" \
                can't be added";
    assert_eq!(refused, says);
    put(&greedy, "greedy 3".into()).unwrap();
    // Two of the four left are for whoever has none.
    let second = client(2);
    put(&second, "second 0".into()).unwrap();
    put(&second, "second 1".into()).unwrap();
    assert!(put(&second, "second 2".into()).unwrap_err().to_string().contains("has made 2 channels"));
    put(&client(3), "third".into()).unwrap();
    put(&client(4), "fourth".into()).unwrap();
    assert!(matches!(put(&client(5), "fifth".into()), Err(Refusal::TooManyChannels { limit: 16, .. })));
    put(&client(5), "third".into()).unwrap();
}

#[test]
fn what_the_server_makes_by_itself_counts_for_no_address() {
    let settings = ChannelSettings { max_channels: 8, ..ChannelSettings::default() };
    let channels = ChannelSet::new(Arc::new(MemoryBackend::default()), settings);
    for i in 0..8 {
        channels.put(&ChannelId::new(format!("{i}")), LutSource::File, 2.try_into().unwrap(), &[[0; 16]; 8]).unwrap();
    }
}

#[test]
fn one_address_cannot_take_all_memory() {
    let memory = MemoryLimit::new(16 << 20);
    let channels = ChannelSet::new(Arc::new(MemoryBackend::with_memory(memory.clone())), ChannelSettings::default());
    let client = |n| channels.for_client(IpAddr::from([10, 0, 0, n])).unwrap();
    let entries = vec![[0; 16]; 33 * 33 * 33];
    let put = |from: &Arc<dyn LutSink>, name: String| -> Result<(), Refusal> {
        let mut writer = from.writer(&ChannelId::new(name))?;
        sink::put(&mut *writer, 33.try_into().unwrap(), &entries).map(drop)
    };
    let greedy = client(1);
    let mut made = 0;
    let refused = loop {
        // The second one is written beside the first.
        let twice = (0..2).try_for_each(|_| put(&greedy, format!("greedy {made}")));
        match twice {
            Ok(()) => made += 1,
            Err(refused) => break refused.to_string(),
        }
        assert!(made < 64, "nothing is refused");
    };
    assert!(refused.contains("would go beyond your address's share: it has "), "{refused}");
    assert!(memory.used() <= 8 << 20, "{} bytes", memory.used());
    // Not by coming back, either; what has begun goes on, and another has room.
    assert!(put(&client(1), "one more".into()).is_err());
    put(&greedy, "greedy 0".into()).unwrap();
    for i in 0..3 {
        put(&client(2), format!("second {i}")).unwrap();
    }
    put(&client(3), "third".into()).unwrap();
}

#[test]
fn what_goes_beyond_the_memory_limit_is_refused_and_the_last_lut_stays() {
    // Buffers of connections, and textures of 33³ for a few writers.
    let memory = MemoryLimit::new(4 << 20);
    let backend = MemoryBackend::with_memory(memory.clone());
    let config = ServerConfig { memory: memory.clone(), ..ServerConfig::default() };
    let (server, address) = start(config, &backend, ChannelSettings::default());
    let mut wire = Wire::connect(address);
    let good = pattern(33, 1);
    wire.accepted(&set_lut(Some("cam"), good.clone()));
    let refused = wire.refused(&set_lut(Some("cam"), pattern(65, 2)));
    assert!(refused.starts_with("no memory for a texture of 4394000 bytes ("), "{refused}");
    assert!(refused.contains("the memory limit of 4194304 bytes, of which "), "{refused}");
    // The same where the channel is known only after the data.
    let late = bson::doc! { "arguments": { "lutData": binary(pattern(65, 3)) }, "command": "setLUT" };
    let refused = wire.refused(&bytes_of(&late));
    assert!(refused.starts_with("no memory for a LUT of grid size 65: "), "{refused}");
    assert!(newest(&backend, "vglb-lut-cam") == strip(33, &good));
    wire.accepted(&set_lut(Some("cam"), pattern(33, 4)));
    // Connections are refused where not even their buffers fit.
    let mut more = Vec::new();
    let says = loop {
        let mut wire = Wire::connect(address);
        wire.send(&bytes_of(&bson::doc! { "command": "nonsense" }));
        let says = wire.reply().unwrap().get_str("error").unwrap().to_owned();
        if !says.contains("unknown command") {
            break says;
        }
        more.push(wire);
    };
    assert!(says.starts_with("this server has no memory for another connection: 262144 bytes more would"), "{says}");
    wire.accepted(&set_lut(Some("cam"), pattern(33, 5)));
    assert!(newest(&backend, "vglb-lut-cam") == strip(33, &pattern(33, 5)));
    drop((wire, more, server));
    let deadline = std::time::Instant::now() + wire::PATIENCE;
    while memory.used() > 0 {
        assert!(std::time::Instant::now() < deadline, "{} bytes are still counted", memory.used());
        std::thread::sleep(Duration::from_millis(2));
    }
}
