//! Every row of the table of bad input, as bytes on a socket: what is answered, whether the connection stays, that the
//! stream keeps its last good LUT, and that a good LUT on another connection is not kept waiting.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod wire;

use bson::{Bson, doc};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::channel::{ChannelSet, ChannelSettings};
use virtual_gpu_lut_box::server::{Server, ServerConfig};
use virtual_gpu_lut_box::texture::memory::MemoryBackend;
use virtual_gpu_lut_box::texture::{Frame, TextureBackend};
use virtual_gpu_lut_box::wire::WireLimits;
use wire::{Wire, binary, bytes_of, pattern, set_lut, strip};

struct Box {
    server: Server,
    backend: MemoryBackend,
}

impl Box {
    fn start(limits: WireLimits) -> Box {
        let backend = MemoryBackend::default();
        let channels = ChannelSet::new(Arc::new(backend.clone()), ChannelSettings::default());
        let config = ServerConfig { port: 0, limits, ..ServerConfig::default() };
        Box { server: Server::start(&config, Arc::new(channels)).unwrap(), backend }
    }

    fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    /// Sends bad bytes on a channel that has a good LUT. The answer must hold `says`; then the connection must be open
    /// or closed as told, the stream unchanged, and another connection served at once.
    fn check(&self, bytes: &[u8], says: &str, stays_open: bool) {
        let good = pattern(3, 7);
        let mut wire = Wire::connect(self.address());
        wire.accepted(&set_lut(Some("cam"), good.clone()));
        let sentence = wire.refused(bytes);
        assert!(sentence.contains(says), "said {sentence:?}, not {says:?}");
        if stays_open {
            self.unchanged(&good);
            wire.accepted(&set_lut(Some("cam"), pattern(2, 1)));
        } else {
            assert!(wire.is_closed(), "still open after {sentence:?}");
            self.unchanged(&good);
        }
        self.is_healthy();
    }

    fn unchanged(&self, good: &[u8]) {
        let mut frame = Frame::default();
        self.backend.open("vglb-lut-cam").unwrap().read(&mut frame).unwrap();
        assert!(frame.texels.as_flattened() == strip(3, good), "the stream has lost its last good LUT");
    }

    fn is_healthy(&self) {
        let begun = Instant::now();
        Wire::connect(self.address()).accepted(&set_lut(Some("other"), pattern(17, 3)));
        assert!(begun.elapsed() < Duration::from_secs(1), "a good LUT took {:?}", begun.elapsed());
    }
}

#[test]
fn messages_that_cannot_be_framed_are_answered_and_the_connection_is_closed() {
    let vglb = Box::start(WireLimits::default());
    let with = |length: u32| [&length.to_le_bytes()[..], &[0x41; 60]].concat();
    vglb.check(&with(0xffff_ffff), "a message length of -1 bytes is impossible", false);
    vglb.check(&with(0x8000_0000), "a message length of -2147483648 bytes is impossible", false);
    vglb.check(&with(0), "a message length of 0 bytes is impossible", false);
    vglb.check(&with(4), "a message length of 4 bytes is impossible", false);
    let over = "over this server's limit of 33619968 bytes";
    vglb.check(&with(0x7fff_ffff), over, false);
    vglb.check(&with((32 << 20) + (64 << 10) + 1), over, false);
    vglb.check(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", over, false);
    vglb.check(&set_lut(Some("cam"), pattern(129, 0)), "a message of 34347", false);
}

#[test]
fn what_is_not_bson_is_answered_and_the_connection_is_closed() {
    let vglb = Box::start(WireLimits::default());
    let good = set_lut(Some("cam"), pattern(8, 0));
    let mut no_end = good.clone();
    *no_end.last_mut().unwrap() = 1;
    vglb.check(&no_end, "not a BSON document: a document that does not end with a NUL", false);
    let length_at = good.len() - 2 - 8 * 8 * 8 * 16 - 5;
    for (claim, says) in [(1i32 << 30, "binary data of 1073741824 bytes"), (-1, "binary data of -1 bytes")] {
        let mut wrong = good.clone();
        wrong[length_at..length_at + 4].copy_from_slice(&claim.to_le_bytes());
        vglb.check(&wrong, says, false);
    }
    vglb.check(&[9, 0, 0, 0, 0x55, b'a', 0, 0, 0], "an element of unknown type 0x55", false);
    let text = [&[21, 0, 0, 0, 2][..], b"command\0", &[3, 0, 0, 0, 0xff, 0xfe, 0, 0]].concat();
    vglb.check(&text, "a string that is not UTF-8", false);
    let nested = (0..5000).fold(vec![5, 0, 0, 0, 0], |inner, _| {
        [&(inner.len() as i32 + 8).to_le_bytes()[..], b"\x03a\0", &inner, b"\0"].concat()
    });
    vglb.check(&nested, "nests documents more than 32 deep", false);
}

#[test]
fn fields_of_impossible_types_are_answered_and_the_connection_is_closed() {
    let vglb = Box::start(WireLimits::default());
    let arguments = |a: bson::Document| bytes_of(&doc! { "command": "setLUT", "instance": "cam", "arguments": a });
    vglb.check(&bytes_of(&doc! { "command": 7 }), "field \"command\" is a 32-bit integer", false);
    vglb.check(&bytes_of(&doc! { "command": [1] }), "field \"command\" is an array", false);
    vglb.check(&bytes_of(&doc! { "command": "setLUT", "instance": 3 }), "field \"instance\" is a 32-bit", false);
    vglb.check(&bytes_of(&doc! { "command": "setLUT", "arguments": "x" }), "field \"arguments\" is a string", false);
    vglb.check(&arguments(doc! { "lutData": "abcd" }), "field \"lutData\" is a string", false);
    vglb.check(&arguments(doc! { "lutData": 5 }), "field \"lutData\" is a 32-bit integer", false);
    vglb.check(&arguments(doc! { "lutSize": "8" }), "field \"lutSize\" is a string", false);
}

#[test]
fn commands_that_are_missing_or_unknown_are_named_and_the_connection_stays() {
    let vglb = Box::start(WireLimits::default());
    let known = "this server knows setLUT and setCDL";
    vglb.check(&bytes_of(&doc! {}), &format!("the request has no \"command\"; {known}"), true);
    vglb.check(&bytes_of(&doc! { "service": "x" }), &format!("the request has no \"command\"; {known}"), true);
    vglb.check(&bytes_of(&doc! { "command": "frob" }), &format!("unknown command \"frob\"; {known}"), true);
    let unknown = bytes_of(&doc! {
        "command": "setLut", "instance": "cam", "arguments": { "lutData": binary(pattern(9, 9)) }
    });
    vglb.check(&unknown, "unknown command \"setLut\"", true);
}

#[test]
fn lut_data_that_is_no_lut_is_refused_and_the_connection_stays() {
    let vglb = Box::start(WireLimits::default());
    let data = |bytes: usize| set_lut(Some("cam"), vec![0; bytes]);
    let cam = |a: Bson| bytes_of(&doc! { "command": "setLUT", "instance": "cam", "arguments": a });
    for missing in [cam(doc! {}.into()), cam(Bson::Null), bytes_of(&doc! { "command": "setLUT" })] {
        vglb.check(&missing, "setLUT has no \"lutData\"", true);
    }
    vglb.check(&data(0), "0 bytes hold a LUT of grid size 0; it can be 2 to 256; the smallest is 2³ with 128", true);
    vglb.check(&data(16), "16 bytes hold a LUT of grid size 1", true);
    vglb.check(&data(8191), "8191 bytes are not a whole number of entries of 16 bytes", true);
    vglb.check(&data(8196), "8³ is 8192 bytes and 9³ is 11664 bytes", true);
    vglb.check(&data(8176), "8176 bytes hold 511 entries, which is no cube number; 7³ is 5488 bytes", true);
    let sized = |size: Bson, first: bool| {
        let mut arguments = doc! {};
        if first {
            arguments.insert("lutSize", size.clone());
        }
        arguments.insert("lutData", binary(pattern(8, 2)));
        if !first {
            arguments.insert("lutSize", size);
        }
        cam(arguments.into())
    };
    for first in [true, false] {
        let says = "\"lutSize\" is 9, but \"lutData\" holds 8³ entries";
        vglb.check(&sized(9.into(), first), says, true);
        vglb.check(&sized((-8).into(), first), "\"lutSize\" is -8, but", true);
        vglb.check(&sized(8.5.into(), first), "\"lutSize\" is 8.5, but", true);
        for whole in [Bson::Int32(8), Bson::Int64(8), Bson::Double(8.0)] {
            Wire::connect(vglb.address()).accepted(&sized(whole, first));
        }
    }
}

#[test]
fn a_lut_over_the_grid_size_that_a_texture_holds_is_refused_where_the_message_may_be_that_long() {
    let vglb = Box::start(WireLimits { message_bytes: 64 << 20, ..WireLimits::default() });
    let says = "a texture has at most 16384 texels a side, so a strip holds N ≤ 128";
    vglb.check(&set_lut(Some("cam"), pattern(129, 0)), says, true);
}

#[test]
fn values_that_are_no_numbers_are_counted_and_the_first_is_named() {
    let vglb = Box::start(WireLimits::default());
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut data = pattern(33, 5);
        for (entry, channel) in [(1 + 33 * (2 + 33 * 3), 1), (35_000, 0), (35_936, 2)] {
            let at = entry * 16 + channel * 4;
            data[at..at + 4].copy_from_slice(&bad.to_le_bytes());
        }
        let says = "3 of the LUT's entries are NaN or infinite, the first at r=3, g=2, b=1";
        vglb.check(&set_lut(Some("cam"), data.clone()), says, true);
        // The same where the channel is known only after the data.
        let late = doc! { "command": "setLUT", "arguments": { "lutData": binary(data) }, "instance": "cam" };
        vglb.check(&bytes_of(&late), says, true);
    }
    let mut alpha = pattern(3, 1);
    alpha[12..16].copy_from_slice(&f32::NAN.to_le_bytes());
    Wire::connect(vglb.address()).accepted(&set_lut(Some("alpha"), alpha));
}

#[test]
fn cdl_values_that_mean_nothing_are_refused_and_the_connection_stays() {
    let vglb = Box::start(WireLimits::default());
    let cdl = |a: bson::Document| bytes_of(&doc! { "command": "setCDL", "instance": "cam", "arguments": a });
    vglb.check(&bytes_of(&doc! { "command": "setCDL" }), "\"slope\" must be three numbers", true);
    vglb.check(&cdl(doc! { "slope": [1, 1], "offset": [0, 0, 0], "power": [1, 1, 1] }), "\"slope\" must be", true);
    vglb.check(&cdl(doc! { "slope": [1, 1, 1], "offset": [0, 0, 0], "power": [1, 0, 1] }), "power", true);
}

#[test]
fn a_channel_name_that_is_too_long_is_refused_and_the_connection_stays() {
    let vglb = Box::start(WireLimits::default());
    let says = "the channel name in \"instance\" is 65536 bytes long; it can have at most 1024";
    vglb.check(&set_lut(Some(&"i".repeat(65536)), pattern(4, 4)), says, true);
}

#[test]
fn half_a_message_and_then_silence_is_closed_but_an_idle_connection_is_kept() {
    let vglb = Box::start(WireLimits { silence: Duration::from_millis(300), ..WireLimits::default() });
    let mut idle = Wire::connect(vglb.address());
    idle.accepted(&set_lut(Some("idle"), pattern(2, 2)));
    let whole = set_lut(Some("cam"), pattern(8, 0));
    for cut in [2, 60, whole.len() / 2] {
        vglb.check(&whole[..cut], "no data for 0.3 s in the middle of a message", false);
    }
    idle.accepted(&set_lut(Some("idle"), pattern(2, 3)));
}

#[test]
fn a_message_that_trickles_in_for_ever_is_closed() {
    let limits = WireLimits {
        silence: Duration::from_secs(5),
        message_time: Duration::from_millis(300),
        ..WireLimits::default()
    };
    let vglb = Box::start(limits);
    let mut wire = Wire::connect(vglb.address());
    wire.send(&set_lut(None, pattern(8, 0))[..100]);
    let trickle = std::thread::spawn({
        let mut half = Wire(wire.0.try_clone().unwrap());
        move || {
            while half.0.write_all(&[0]).is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    });
    let reply = wire.reply().expect("an answer");
    assert!(reply.get_str("error").unwrap().contains("took longer than 0.3 s"), "{reply}");
    assert!(wire.is_closed());
    drop(wire);
    trickle.join().unwrap();
}
