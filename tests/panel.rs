//! The panel of a real server, over HTTP.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{PATIENCE, Place, Running, stderr};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

/// A server with a panel.
struct Panel {
    server: Running,
    address: String,
}

impl Panel {
    fn start(place: &Place, arguments: &[&str]) -> Panel {
        let usual = ["--backend", "memory", "--dashboard", "127.0.0.1:0"];
        let server = place.serve_with_state(&[&usual, arguments].concat());
        let line = server.wait_for_line("the panel is at http://");
        let address = line.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
        Panel { server, address }
    }

    /// The status and the body of an answer.
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (host, length) = (&self.address, body.len());
        let head = format!(
            "{method} /api/v1/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}")))
    }

    fn upload(&self, channel: &str, size: usize) -> (u16, Value) {
        self.ask("PUT", &format!("channels/vglb-lut-{channel}/lut"), cube(size).as_bytes())
    }

    /// What a client of the LUT server is told when it sends an identity.
    fn sent(&self, place: &Place, channel: &str, size: &str) -> Result<(), String> {
        let sent = place.run(&["send", "--identity", size, "--channel", channel, "--port", &self.server.port]);
        if sent.status.success() { Ok(()) } else { Err(stderr(&sent)) }
    }
}

fn cube(size: usize) -> String {
    format!("LUT_3D_SIZE {size}\n{}", "0.25 0.5 0.75\n".repeat(size * size * size))
}

fn says(answer: &(u16, Value)) -> &str {
    answer.1["error"].as_str().unwrap_or_else(|| panic!("{}", answer.1))
}

#[test]
fn a_lut_that_is_loaded_is_as_large_at_most_as_one_that_is_sent() {
    let place = Place::new();
    let panel = Panel::start(&place, &["--max-lut-size", "17"]);
    assert_eq!(panel.upload("cam", 17).0, 200);
    let refused = panel.upload("cam", 18);
    assert_eq!(refused.0, 422);
    assert_eq!(says(&refused), "a LUT of grid size 18 is over this server's limit of 17 (--max-lut-size)");
    assert!(panel.sent(&place, "cam", "18").unwrap_err().contains(says(&refused)), "the same sentence on both ways");
    // A file that is no text, and a channel that would be new.
    let (text, npy) = (place.path().join("large.cube"), place.path().join("large.npy"));
    std::fs::write(&text, cube(18)).unwrap();
    assert!(place.run(&["convert", text.to_str().unwrap(), npy.to_str().unwrap()]).status.success());
    let refused = panel.ask("PUT", "channels/vglb-lut-new/lut?format=npy", &std::fs::read(npy).unwrap());
    assert!(refused.0 == 422 && says(&refused).contains("grid size 18 is over"), "{refused:?}");
    let channels = panel.ask("GET", "channels", b"").1;
    assert_eq!(channels["channels"].as_array().unwrap().len(), 1, "{channels}");
    assert_eq!((&channels["channels"][0]["grid_size"], &channels["channels"][0]["luts"]), (&17.into(), &1.into()));
}

#[test]
fn a_preset_of_a_larger_limits_time_is_refused_as_a_lut_is() {
    let place = Place::new();
    let before = Panel::start(&place, &[]);
    assert_eq!(before.upload("cam", 9).0, 200);
    assert_eq!(before.ask("PUT", "presets/large", br#"{"stream": "vglb-lut-cam"}"#).0, 200);
    drop(before);
    let panel = Panel::start(&place, &["--max-lut-size", "8"]);
    assert_eq!(panel.upload("cam", 8).0, 200);
    for (method, part, body) in
        [("PUT", "preset", r#"{"name": "large"}"#), ("POST", "nudge", r#"{"a": "large", "b": "none"}"#)]
    {
        let refused = panel.ask(method, &format!("channels/vglb-lut-cam/{part}"), body.as_bytes());
        assert_eq!(refused.0, 422, "{refused:?}");
        assert_eq!(says(&refused), "a LUT of grid size 9 is over this server's limit of 8 (--max-lut-size)");
    }
    assert_eq!(panel.ask("GET", "channels/vglb-lut-cam", b"").1["grid_size"], 8);
}

#[test]
fn channels_made_over_http_count_for_whoever_makes_them() {
    let place = Place::new();
    let panel = Panel::start(&place, &["--max-channels", "16", "--max-channels-per-address", "2"]);
    assert_eq!(panel.upload("a", 2).0, 200);
    assert_eq!(panel.ask("PUT", "presets/day", br#"{"stream": "vglb-lut-a"}"#).0, 200);
    // By a preset as well.
    assert_eq!(panel.ask("PUT", "channels/vglb-lut-b/preset", br#"{"name": "day"}"#).0, 200);
    let refused = panel.upload("c", 2);
    let wanted = "your address has made 2 channels of this server's 16, the most that one may make; channel \"c\" can't be \
                  added";
    assert_eq!((refused.0, says(&refused)), (409, wanted));
    let refused = panel.ask("PUT", "channels/vglb-lut-c/preset", br#"{"name": "day"}"#);
    assert_eq!((refused.0, says(&refused)), (409, wanted));
    assert!(panel.sent(&place, "c", "2").unwrap_err().contains(wanted), "one count for both ways");
    // What there is already goes on.
    assert_eq!((panel.upload("a", 3).0, panel.upload("b", 3).0), (200, 200));
    panel.sent(&place, "a", "2").unwrap();
}

#[test]
fn a_body_counts_for_its_sender_against_the_memory_limit_while_it_is_there() {
    let place = Place::new();
    let panel = Panel::start(&place, &["--memory-limit", "8MiB"]);
    let mut large = cube(33);
    large.push_str(&"# a comment\n".repeat(500_000));
    for _ in 0..3 {
        // What was there is given back: else the second or third would find no room.
        assert_eq!(panel.upload("cam", 33).0, 200);
        let refused = panel.ask("PUT", "channels/vglb-lut-cam/lut", large.as_bytes());
        assert_eq!(refused.0, 503, "{refused:?}");
        assert!(says(&refused).contains("beyond your address's share"), "{refused:?}");
        assert!(says(&refused).contains("memory limit of 8388608 bytes"), "{refused:?}");
    }
    assert_eq!(panel.ask("GET", "channels/vglb-lut-cam", b"").1["luts"], 3);
}
