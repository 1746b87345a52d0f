//! The log is one event a line, for people, for programs and for systemd's journal, and nobody can forge a line of it.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{Place, Running, stderr};
use serde_json::Value;
use std::net::TcpStream;

/// What a peer would like to be logged as.
const HOSTILE: &str = "cam\r\n2026-01-01T00:00:00Z ERROR forged\u{1b}[2J\u{9b}1A\u{202e}x\u{2028}y\u{7f}";

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{line:?} is no JSON: {e}"))
}

/// A server that has heard from a client which calls itself, and its channel, by a hostile name.
fn attacked(place: &Place, arguments: &[&str]) -> Running {
    let server = place.serve(&[&["--backend", "memory", "-v"], arguments].concat());
    let address = format!("127.0.0.1:{}", server.port);
    for command in ["setLUT", "setCDL", HOSTILE] {
        let request = bson::doc! {
            "command": command,
            "instance": HOSTILE,
            "service": HOSTILE,
            HOSTILE.trim_end_matches('\u{7f}'): HOSTILE,
            "arguments": { "lutSize": 3, "lutData": bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![0; 128] } },
        };
        let mut client = TcpStream::connect(&address).unwrap();
        request.to_writer(&mut client).unwrap();
        bson::Document::from_reader(&mut client).unwrap();
    }
    let sent = place.run(&["send", "--identity", "2", "--channel", HOSTILE, "--port", &server.port]);
    assert!(sent.status.success(), "{}", stderr(&sent));
    server
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c == '\n' || !(c.is_control() || matches!(c, '\u{202e}' | '\u{2028}')))
}

#[test]
fn people_read_no_line_that_a_client_has_written() {
    let place = Place::new();
    let server = attacked(&place, &[]);
    server.wait_for_line("revision 1");
    let log = server.output();
    assert!(is_plain(&log), "{log:?}");
    assert!(!log.lines().any(|line| line.starts_with("2026-01-01")), "{log}");
    assert!(log.contains("forged"), "the attack was not logged at all: {log}");
}

#[test]
fn every_line_is_json_where_that_is_asked_for() {
    let place = Place::new();
    let mut server = attacked(&place, &["--log-format", "json"]);
    server.wait_for_line("revision 1");
    server.child.kill().unwrap();
    server.wait();
    let lines: Vec<Value> = server.output().lines().map(parsed).collect();
    assert!(lines.len() > 5, "{lines:?}");
    for line in &lines {
        assert!(["error", "warn", "info", "debug"].contains(&line["level"].as_str().unwrap()), "{line}");
        assert!(line["time"].as_str().unwrap().ends_with('Z') && line["target"].is_string(), "{line}");
        assert!(is_plain(line["message"].as_str().unwrap()), "{line}");
    }
    let named = |text: &str| lines.iter().any(|line| line["message"].as_str().unwrap().contains(text));
    assert!(named("listening on 127.0.0.1:") && named("forged"), "{lines:?}");
}

#[test]
fn why_a_server_does_not_start_is_json_too() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = place.run(&["serve", "--backend", "memory", "--no-state", "--port", &port, "--log-format", "json"]);
    assert_eq!(refused.status.code(), Some(1));
    let last = parsed(stderr(&refused).lines().last().unwrap());
    assert_eq!(last["level"], "error");
    assert!(last["message"].as_str().unwrap().contains("is in use by another program"), "{last}");
    let unknown = place.run(&["serve", "--log-format", "xml"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("human, json"), "{}", stderr(&unknown));
}

#[cfg(unix)]
#[test]
fn the_journal_gets_priorities_and_its_own_time() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    for (named, first) in [(true, "<3>can't share textures"), (false, "error: can't share textures")] {
        let path = place.path().join(format!("log {named}"));
        let file = std::fs::File::create(&path).unwrap();
        let stat = file.metadata().unwrap();
        let inode = if named { stat.ino() } else { stat.ino() + 1 };
        let mut command = place.command(&["serve", "--backend", "nothing"]);
        command.env("JOURNAL_STREAM", format!("{}:{inode}", stat.dev())).stderr(file);
        assert_eq!(command.status().unwrap().code(), Some(1));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with(first) && text.lines().count() == 1, "{text:?}");
    }
}
