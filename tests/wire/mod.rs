//! A client for tests that knows nothing of the library's own: it writes raw bytes and reads raw bytes.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use bson::{Binary, Bson, Document, doc, spec::BinarySubtype};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Long enough for any machine; a test that hangs should still end.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to a server under test.
pub struct Wire(pub TcpStream);

impl Wire {
    pub fn connect(to: SocketAddr) -> Wire {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Wire(stream)
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Sends as much as the server takes: one that has refused a message may close at once.
    pub fn send_what_it_takes(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// The next reply, or `None` where the server closed instead.
    pub fn reply(&mut self) -> Option<Document> {
        let mut prefix = [0; 4];
        match self.0.read_exact(&mut prefix) {
            Ok(()) => {}
            Err(e) if matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => return None,
            Err(e) => panic!("no reply: {e}"),
        }
        let mut bytes = prefix.to_vec();
        bytes.resize(u32::from_le_bytes(prefix) as usize, 0);
        self.0.read_exact(&mut bytes[4..]).unwrap();
        Some(Document::from_reader(&bytes[..]).unwrap())
    }

    /// Sends, and expects `{ result: 1 }`.
    pub fn accepted(&mut self, message: &[u8]) {
        self.send(message);
        assert_eq!(self.reply(), Some(doc! { "result": 1i32 }));
    }

    /// Sends, and expects an error reply; returns its sentence.
    pub fn refused(&mut self, message: &[u8]) -> String {
        self.send_what_it_takes(message);
        let reply = self.reply().expect("an answer");
        assert_eq!(reply.get_i32("result").ok(), Some(0), "{reply}");
        assert_eq!(reply.len(), 2, "{reply}");
        reply.get_str("error").unwrap().to_owned()
    }

    pub fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

pub fn bytes_of(document: &Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.to_writer(&mut bytes).unwrap();
    bytes
}

pub fn binary(bytes: Vec<u8>) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes })
}

/// `setLUT` with any `lutData`.
pub fn set_lut(channel: Option<&str>, data: Vec<u8>) -> Vec<u8> {
    let mut document = doc! { "command": "setLUT", "service": "test" };
    if let Some(channel) = channel {
        document.insert("instance", channel);
    }
    document.insert("arguments", doc! { "lutData": binary(data) });
    bytes_of(&document)
}

/// N³ entries whose values tell `seed`, and of which every bit counts: all finite bit patterns.
pub fn pattern(n: usize, seed: u32) -> Vec<u8> {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) + n as u64;
    let mut out = Vec::with_capacity(n * n * n * 16);
    for i in 0..n * n * n * 4 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = (state >> 33) as u32 ^ (state as u32).rotate_left(7);
        let bits = match i % 11 {
            0 => 0x8000_0000,                          // −0.0
            1 => random & 0x807f_ffff,                 // subnormal
            2 => 0x7f61_b1e6 | (random & 0x8000_0000), // about ±3e38
            _ if random & 0x7f80_0000 == 0x7f80_0000 => random & 0xbfff_ffff,
            _ => random,
        };
        out.extend_from_slice(&bits.to_le_bytes());
    }
    out
}

/// The texture that `data` makes in the default layout, blue fastest: x = b·N + g, y = r, alpha 1.0.
pub fn strip(n: usize, data: &[u8]) -> Vec<u8> {
    let mut out = vec![0; data.len()];
    for (i, entry) in data.chunks_exact(16).enumerate() {
        let (r, g, b) = (i / (n * n), i / n % n, i % n);
        let at = (r * n * n + b * n + g) * 16;
        out[at..at + 12].copy_from_slice(&entry[..12]);
        out[at + 12..at + 16].copy_from_slice(&1.0f32.to_le_bytes());
    }
    out
}
