//! Settings that are read again while the server runs, with the real program.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;
mod wire;

use program::{PATIENCE, Place, Running, stderr, stdout};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use wire::{Wire, pattern, set_lut};

/// A server and its configuration file.
struct LutBox {
    place: Place,
    server: Running,
}

fn file(place: &Place) -> String {
    place.path().join("config.toml").to_str().unwrap().to_owned()
}

fn start(text: &str) -> LutBox {
    let place = Place::new();
    std::fs::write(file(&place), text).unwrap();
    let server = Place::listening(place.command(&["serve", "--port", "0", "--no-state", "--config", &file(&place)]));
    LutBox { place, server }
}

impl LutBox {
    fn connect(&self) -> Wire {
        Wire::connect(format!("127.0.0.1:{}", self.server.port).parse().unwrap())
    }

    /// Writes the file and has it read, until a line of the log says so.
    fn reload(&self, text: &str, says: &str) -> String {
        std::fs::write(file(&self.place), text).unwrap();
        self.server.signal("HUP");
        self.server.wait_for_line(says)
    }

    fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < deadline, "waited in vain until {what}:\n{}", self.server.output());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn send(&self, channel: &str, size: &str) -> std::process::Output {
        self.place.run(&["send", "--identity", size, "--channel", channel, "--port", &self.server.port])
    }
}

#[test]
fn a_stream_of_luts_goes_on_and_nothing_is_lost() {
    let server = start("");
    let mut client = server.connect();
    let mut sent = 0;
    for round in 1..=8 {
        for _ in 0..5 {
            sent += 1;
            client.accepted(&set_lut(Some("cam"), pattern(17, sent)));
        }
        // In the middle of a LUT, too.
        sent += 1;
        let message = set_lut(Some("cam"), pattern(17, sent));
        let (first, rest) = message.split_at(message.len() / 2);
        client.send(first);
        let verbose = round % 2 == 0;
        let text = format!("verbose = {verbose}\nmax-lut-size = {}\nmax-connections = 9\n", 100 + round);
        server.reload(&text, &format!(" to {}", 100 + round));
        client.accepted(rest);
    }
    let seen = server.place.run(&["receive", "vglb-lut-cam", "--once", "--timeout", "20"]);
    assert!(stdout(&seen).contains(&format!("revision {sent}: 17³")), "{}", stdout(&seen));
    server.server.wait_for_line("max-connections changed from 64 to 9");
}

#[test]
fn a_file_with_a_fault_changes_nothing_and_the_log_says_what_is_wrong() {
    let server = start("max-lut-size = 20\n");
    let mut client = server.connect();
    client.accepted(&set_lut(None, pattern(17, 1)));
    for (text, says) in [
        (
            "max-lut-size = 4\nlayuot = 'unity'\ndeny = ['127.0.0.0/8']\n",
            ":2: there is no setting \"layuot\"; the nearest is layout",
        ),
        ("max-lut-size = 4\nmax-channels = 0\n", ":2: max-channels can't be \"0\""),
        (
            "max-lut-size = 4\n[channel.a]\nstream-name = 'x'\n[channel.b]\nstream-name = 'x'\n",
            "would both be the stream \"x\"",
        ),
        ("max-lut-size = ", "this is no TOML"),
    ] {
        let line = server.reload(text, says);
        assert!(line.contains("ERROR"), "{line}");
        client.accepted(&set_lut(None, pattern(17, 2)));
    }
    server.server.wait_for_line("the settings can't be read again, and all stay as they were");
    assert!(client.refused(&set_lut(None, pattern(21, 3))).contains("limit of 20"));
    server.reload("max-lut-size = 21\n", "max-lut-size changed from 20 to 21");
    client.accepted(&set_lut(None, pattern(21, 3)));
}

#[test]
fn whoever_is_denied_is_closed_with_a_sentence_and_refused_until_he_is_let_in_again() {
    let server = start("");
    let mut graded = server.connect();
    graded.accepted(&set_lut(Some("cam"), pattern(9, 1)));
    let mut half = server.connect();
    half.send(&set_lut(Some("cam"), pattern(33, 2))[..100_000]);
    let says = "this server does not take clients from your address";
    server.reload("deny = ['127.0.0.0/8']\n", "deny changed from (none) to 127.0.0.0/8");
    for mut closed in [graded, half] {
        assert_eq!(closed.refused(&[]), format!("{says} any more"));
        assert!(closed.is_closed());
    }
    let why = "was closed after 1 LUT: 127.0.0.1 is in 127.0.0.0/8, which is denied (--deny)";
    server.server.wait_for_line(why);
    assert!(server.connect().refused(&[]).contains(says));
    let sent = server.send("cam", "2");
    assert!(stderr(&sent).contains(says), "{}", stderr(&sent));
    let seen = server.place.run(&["receive", "vglb-lut-cam", "--once", "--timeout", "20"]);
    assert!(stdout(&seen).contains("revision 1: 9³"), "the stream stays: {}", stdout(&seen));
    server.reload("\n", "deny changed from 127.0.0.0/8 to (none)");
    assert!(server.send("cam", "2").status.success());
}

#[test]
fn what_needs_a_restart_is_named_and_the_rest_is_in_force() {
    let server = start("stream-name = 'A'\n");
    let mut client = server.connect();
    client.accepted(&set_lut(Some("cam"), pattern(9, 1)));
    let cube = server.place.path().join("own.cube");
    std::fs::write(&cube, "LUT_3D_SIZE 2\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n").unwrap();
    let export = server.place.path().join("export");
    let text = format!(
        "stream-name = 'B'\ndashboard-token = 'a-token-not-to-be-shown'\nmax-channels = 3\nexport = '{}'\n[channel.cam]\nlayout = \
         'unity'\nstream-name = 'wall'\n[channel.file]\nsource = '{}'\n",
        export.display(),
        cube.display()
    );
    server.reload(&text, "stream-name changed from A to B: takes effect after a restart");
    server
        .server
        .wait_for_line("channel \"cam\": stream-name changed from (none) to wall: takes effect after a restart");
    server.server.wait_for_line("dashboard-token changed: takes effect after a restart");
    assert!(!server.server.output().contains("not-to-be-shown"));
    server.server.wait_for_line("max-channels changed from 64 to 3");
    server.server.wait_for_line("channel \"cam\": layout changed from (none) to unity");
    server.server.wait_for_line("the settings were read again; 7 have changed");
    client.accepted(&set_lut(Some("cam"), pattern(9, 2)));
    client.accepted(&set_lut(None, pattern(2, 3)));
    let streams = ["vglb-lut-cam", "A", "vglb-lut-file"];
    for stream in streams {
        let seen = server.place.run(&["receive", stream, "--once", "--timeout", "20"]);
        assert!(seen.status.success(), "{stream}: {}", stderr(&seen));
        assert_eq!(stdout(&seen).contains("unity"), stream == "vglb-lut-cam", "{}", stdout(&seen));
    }
    assert!(client.refused(&set_lut(Some("fourth"), pattern(2, 4))).contains("there are 3 channels already"));
    server
        .wait_until("the LUTs are exported", || export.join("cam.cube").exists() && export.join("file.cube").exists());
}

/// The status of an answer to a request for the metrics, on a connection that stays open.
fn metrics(address: SocketAddr) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // One without a place is told so before it has sent all this.
    let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    (stream, String::from_utf8(status.to_vec()).unwrap())
}

#[test]
fn clients_over_http_are_held_to_the_limits_that_are_in_force_now() {
    let server = start("metrics = '127.0.0.1:0'\n");
    let said = server.server.wait_for_line("metrics are on http://");
    let address: SocketAddr = said.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    let kept: Vec<_> = (0..3).map(|_| metrics(address)).collect();
    assert!(kept.iter().all(|(_, status)| status == "HTTP/1.1 200"), "{kept:?}");
    server.reload(
        "metrics = '127.0.0.1:0'\nmax-connections-per-address = 2\n",
        "max-connections-per-address changed from 32 to 2",
    );
    server.server.wait_for_line("the settings were read again; 1 has changed");
    assert_eq!(metrics(address).1, "HTTP/1.1 503", "three are there already");
    server.reload(
        "metrics = '127.0.0.1:0'\nmax-connections-per-address = 5\n",
        "max-connections-per-address changed from 2 to 5",
    );
    assert_eq!(metrics(address).1, "HTTP/1.1 200");
    drop(kept);
}

#[test]
fn times_that_a_message_may_take_count_from_the_next_one_on() {
    let server = start("");
    let mut old = server.connect();
    old.accepted(&set_lut(Some("cam"), pattern(9, 1)));
    server.reload("message-silence = 1\n", "message-silence changed from 30 to 1");
    server.server.wait_for_line("the settings were read again; 1 has changed");
    let half = &set_lut(Some("cam"), pattern(9, 2))[..5000];
    old.accepted(&set_lut(Some("cam"), pattern(9, 3)));
    for mut wire in [old, server.connect()] {
        let says = wire.refused(half);
        assert!(says.starts_with("no data for 1 s in the middle of a message"), "{says}");
        assert!(wire.is_closed());
    }
    server.reload("message-silence = 1000\nmessage-time = 1\n", "message-time changed from 300 to 1");
    server.server.wait_for_line("the settings were read again; 2 have changed");
    let says = server.connect().refused(half);
    assert!(says.contains("longer than 1 s"), "{says}");
    server.reload("max-idle = 1\n", "max-idle changed from (none) to 1");
    server.server.wait_for_line("the settings were read again; 3 have changed");
    let mut idle = server.connect();
    let says = idle.refused(&[]);
    assert!(says.starts_with("nothing was sent for 1 s"), "{says}");
    assert!(idle.is_closed());
}

#[test]
fn memory_is_held_to_the_limit_that_is_in_force_now() {
    let server = start("");
    let mut client = server.connect();
    client.accepted(&set_lut(Some("cam"), pattern(33, 1)));
    server.reload("memory-limit = '4MiB'\n", "memory-limit changed from (none) to 4MiB");
    server.server.wait_for_line("the settings were read again; 1 has changed");
    let says = client.refused(&set_lut(Some("cam"), pattern(65, 2)));
    assert!(says.contains("the memory limit of 4194304 bytes, of which "), "{says}");
    let seen = server.place.run(&["receive", "vglb-lut-cam", "--once", "--timeout", "20"]);
    assert!(stdout(&seen).contains("revision 1: 33³"), "the stream stays: {}", stdout(&seen));
    server.reload("memory-limit = '1GiB'\n", "memory-limit changed from 4MiB to 1GiB");
    client.accepted(&set_lut(Some("cam"), pattern(65, 3)));
}

#[test]
fn a_lut_that_waits_to_be_exported_goes_by_the_rate_that_is_in_force_now() {
    let place = Place::new();
    let export = place.path().join("export");
    // One in three hours.
    let at = |rate: &str| format!("export = '{}'\nexport-rate = {rate}\n", export.display());
    std::fs::write(file(&place), at("0.0001")).unwrap();
    let running = Place::listening(place.command(&["serve", "--port", "0", "--no-state", "--config", &file(&place)]));
    let server = LutBox { place, server: running };
    let mut client = server.connect();
    client.accepted(&set_lut(Some("cam"), pattern(2, 1)));
    let exported = || std::fs::read_to_string(export.join("cam.cube")).unwrap_or_default();
    server.wait_until("the first LUT is exported", || !exported().is_empty());
    let first = exported();
    client.accepted(&set_lut(Some("cam"), pattern(2, 2)));
    server.reload(&at("100"), "export-rate changed from 0.0001 to 100");
    server.wait_until("the second LUT is exported", || exported() != first);
}
