//! Hubs and nodes to test with.

use crate::program::{PATIENCE, Place, Running, stderr};
use crate::wire::{Wire, set_lut};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Tries until there is something.
pub fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        assert!(Instant::now() < deadline, "it never happened");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What metrics a program answers with.
fn metrics(running: &Running) -> String {
    let said = running.wait_for_line("metrics are on http://");
    let address: SocketAddr = said.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// The texture that a stream of a place shows, as its bytes, once it has this grid size.
fn texture(place: &Place, stream: &str, n: usize) -> Vec<u8> {
    until(|| shown(place, stream).filter(|bytes| bytes.len() == n * n * n * 16))
}

fn shown(place: &Place, stream: &str) -> Option<Vec<u8>> {
    let file = place.path().join("texture.npy");
    let path = file.to_str().unwrap();
    let out = place.run(&["receive", stream, "--once", "--timeout", "1", "--out", path]);
    if !out.status.success() {
        return None;
    }
    let bytes = std::fs::read(&file).unwrap();
    // NumPy's format 1.0: a magic number, a version, and the length of a text.
    let begin = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    Some(bytes[begin..].to_vec())
}

fn shows(place: &Place, running: &Running, stream: &str, wanted: &[u8]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match shown(place, stream) {
            Some(bytes) if bytes == wanted => return,
            other => {
                let has = other.map_or("nothing".to_owned(), |bytes| format!("another LUT of {} bytes", bytes.len()));
                assert!(Instant::now() < deadline, "{stream} shows {has}:\n{}", running.output());
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A server that is a hub, on this computer alone.
pub struct Hub {
    place: Place,
    pub running: Running,
    port: u16,
    options: Vec<String>,
}

impl Hub {
    pub fn start(options: &[&str]) -> Hub {
        Hub::at(free_port(), options)
    }

    pub fn at(port: u16, options: &[&str]) -> Hub {
        Hub::in_place(Place::new(), port, options.iter().map(|&o| o.to_owned()).collect())
    }

    fn in_place(place: Place, port: u16, options: Vec<String>) -> Hub {
        let listen = format!("127.0.0.1:{port}");
        let usual = ["--cluster", "wall", "--cluster-listen", &listen, "--cluster-interface", "127.0.0.1"];
        let given: Vec<&str> = usual.into_iter().chain(options.iter().map(String::as_str)).collect();
        let running = place.serve(&given);
        running.wait_for_line("of cluster \"wall\" publishes every LUT");
        Hub { place, running, port, options }
    }

    /// The same hub, started once more after its end.
    pub fn again(self) -> Hub {
        Hub::in_place(self.place, self.port, self.options)
    }

    /// Where to connect to it.
    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn follow(&self, name: &str, options: &[&str]) -> Node {
        Node::start(&self.place(), name, options)
    }

    /// A node that listens where its options say.
    pub fn follow_with(&self, name: &str, options: &[&str]) -> Node {
        Node::start_with(&self.place(), name, options)
    }

    pub fn send(&self, channel: &str, lut: &[u8]) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.running.port.parse().unwrap()));
        Wire::connect(address).accepted(&set_lut(Some(channel), lut.to_vec()));
    }

    pub fn ctl(&self, arguments: &[&str]) {
        let line = self.running.wait_for_line("the panel is at http://");
        let panel = line.split("http://").nth(1).unwrap().trim_end_matches('/');
        let out = self.place.run(&[&["ctl", "--address", panel], arguments].concat());
        assert!(out.status.success(), "{}", stderr(&out));
    }

    pub fn shows(&self, stream: &str, wanted: &[u8]) {
        shows(&self.place, &self.running, stream, wanted);
    }

    pub fn texture(&self, stream: &str, n: usize) -> Vec<u8> {
        texture(&self.place, stream, n)
    }

    pub fn metrics(&self) -> String {
        metrics(&self.running)
    }
}

/// What `vglb nodes` says of a hub's cluster.
pub fn nodes(hub: &Hub) -> Value {
    nodes_with(hub, &["--cluster-interface", "127.0.0.1"])
}

/// The same, with other options.
pub fn nodes_with(hub: &Hub, options: &[&str]) -> Value {
    let place = hub.place();
    let usual = ["nodes", "--cluster", "wall", "--json", "--time", "1.5", "--cluster-connect", &place];
    let out = hub.place.run(&[&usual[..], options].concat());
    assert!(out.status.success(), "{}", stderr(&out));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// A node.
pub struct Node {
    place: Place,
    pub running: Running,
}

impl Node {
    pub fn start(hub: &str, name: &str, options: &[&str]) -> Node {
        Node::start_with(hub, name, &[options, &["--cluster-interface", "127.0.0.1"]].concat())
    }

    fn start_with(hub: &str, name: &str, options: &[&str]) -> Node {
        let place = Place::new();
        let usual = ["follow", "--cluster", "wall", "--name", name];
        let command = place.command(&[&usual[..], &["--cluster-connect", hub], options].concat());
        let running = Running::start(command);
        running.wait_for_line("follows cluster \"wall\"");
        Node { place, running }
    }

    pub fn shows(&self, stream: &str, wanted: &[u8]) {
        shows(&self.place, &self.running, stream, wanted);
    }

    pub fn texture(&self, stream: &str, n: usize) -> Vec<u8> {
        texture(&self.place, stream, n)
    }

    /// What is streamed here.
    pub fn streams(&self) -> String {
        crate::program::stdout(&self.place.run(&["list"]))
    }

    pub fn metrics(&self) -> String {
        metrics(&self.running)
    }
}
