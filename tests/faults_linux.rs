//! Faults around the server, with the real program: what the system takes away, and that the server comes through.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;
mod wire;

use program::{Place, Running, stderr, stdout};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wire::{PATIENCE, Wire, pattern, set_lut};

/// A server that has at most so many file descriptors.
fn serve_with_descriptors(place: &Place, most: u32) -> Running {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$0\"; exec \"$@\"", &most.to_string(), env!("CARGO_BIN_EXE_vglb")]);
    command.args(["serve", "--port", "0", "--no-state"]).stdin(Stdio::null());
    command.env("VGLB_RUNTIME_DIR", place.streams());
    Place::listening(command)
}

fn address(server: &Running) -> std::net::SocketAddr {
    format!("127.0.0.1:{}", server.port).parse().unwrap()
}

#[test]
fn out_of_file_descriptors_existing_clients_go_on_and_later_ones_are_served_when_there_are_some() {
    let place = Place::new();
    let server = serve_with_descriptors(&place, 32);
    let mut first = Wire::connect(address(&server));
    first.accepted(&set_lut(Some("cam"), pattern(17, 1)));
    // The kernel takes connections that the server can't have.
    let mut more: Vec<_> = (0..40).map(|_| Wire::connect(address(&server))).collect();
    server.wait_for_line("no connection can be accepted at present (");
    for fill in 2..6 {
        first.accepted(&set_lut(Some("cam"), pattern(17, fill)));
    }
    // A new stream needs descriptors, too: it has some, or is refused with the reason.
    first.send(&set_lut(Some("new"), pattern(17, 1)));
    let reply = first.reply().unwrap();
    assert!(reply.get_str("error").map_or(true, |why| why.contains("Too many open files")), "{reply}");
    first.accepted(&set_lut(Some("cam"), pattern(17, 7)));
    let mut last = more.pop().unwrap();
    drop(more);
    server.wait_for_line("connections are accepted again");
    last.accepted(&set_lut(Some("cam"), pattern(17, 8)));
    Wire::connect(address(&server)).accepted(&set_lut(Some("new"), pattern(17, 9)));
    let said = server.output().matches("no connection can be accepted").count();
    assert!(said < 4, "said {said} times:\n{}", server.output());
}

/// Linux says that there is no descriptor also to a server for which no connection waits.
#[test]
fn a_lack_of_file_descriptors_that_nobody_waited_for_is_said_to_be_over() {
    let place = Place::new();
    let server = serve_with_descriptors(&place, 32);
    let mut clients = Vec::new();
    while !server.output().contains("no connection can be accepted at present (") {
        assert!(clients.len() < 40, "32 descriptors are enough for {} connections", clients.len());
        let mut client = Wire::connect(address(&server));
        client.accepted(&set_lut(Some("cam"), pattern(2, 1)));
        clients.push(client);
        // It looks for another one after each that it accepts.
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(clients);
    server.wait_for_line("connections are accepted again");
}

#[test]
fn a_flood_beyond_the_limit_comes_to_an_end_and_whoever_grades_goes_on() {
    let place = Place::new();
    let server = place.serve(&["--max-connections-per-address", "4"]);
    let mut grades = Wire::connect(address(&server));
    grades.accepted(&set_lut(Some("cam"), pattern(17, 1)));
    for round in 2..5 {
        // More than are answered at once.
        let mut flood: Vec<_> = (0..600).map(|_| Wire::connect(address(&server))).collect();
        grades.accepted(&set_lut(Some("cam"), pattern(17, round)));
        // A few have a place until they leave. All others were told why they have none, or closed.
        let mut told = 0;
        for wire in &flood {
            let _ = wire.0.shutdown(Shutdown::Write);
        }
        for wire in &mut flood {
            if let Some(reply) = wire.reply() {
                let why = reply.get_str("error").unwrap();
                assert!(why.starts_with("this server takes at most 4 connections at once from one address"), "{why}");
                told += 1;
            }
            assert!(wire.is_closed());
        }
        assert!(told > 0);
    }
    let begun = Instant::now();
    loop {
        let mut new = Wire::connect(address(&server));
        new.send_what_it_takes(&set_lut(Some("new"), pattern(2, 1)));
        if new.reply().is_some_and(|reply| reply.get_i32("result").ok() == Some(1)) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "nobody new is served after a flood");
    }
    grades.accepted(&set_lut(Some("cam"), pattern(17, 9)));
}

#[test]
fn a_socket_directory_that_is_deleted_is_made_again_and_nobody_is_lost() {
    let place = Place::new();
    let server = place.serve(&["--metrics", "127.0.0.1:0"]);
    let said = server.wait_for_line("metrics are on http://");
    let metrics: SocketAddr = said.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    let restarts = || -> u64 {
        let mut stream = TcpStream::connect(metrics).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let begin = "vglb_backend_restarts_total{backend=\"linux\",part=\"socket\"} ";
        text.lines().find_map(|line| line.strip_prefix(begin)).unwrap().parse().unwrap()
    };
    assert_eq!(restarts(), 0);
    let mut wire = Wire::connect(address(&server));
    wire.accepted(&set_lut(Some("cam"), pattern(9, 1)));
    let old = Running::start(place.command(&["receive", "vglb-lut-cam"]));
    old.wait_for_line("vglb-lut-cam revision 1: 9³");
    for round in 2..5 {
        std::fs::remove_dir_all(place.streams()).unwrap();
        wire.accepted(&set_lut(Some("cam"), pattern(9, round)));
        old.wait_for_line(&format!("vglb-lut-cam revision {round}: 9³"));
        let new = place.run(&["receive", "vglb-lut-cam", "--once", "--timeout", "20"]);
        assert!(new.status.success(), "{}", stderr(&new));
        assert!(stdout(&new).contains(&format!("revision {round}: 9³")), "{}", stdout(&new));
        // A new stream makes it, too.
        std::fs::remove_dir_all(place.streams()).unwrap();
        wire.accepted(&set_lut(Some(&format!("new {round}")), pattern(9, 1)));
        assert!(restarts() > 0, "it was put back for the new receiver");
    }
}

#[test]
fn a_receiver_killed_at_any_moment_is_forgotten_and_the_others_go_on() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut wire = Wire::connect(address(&server));
    wire.accepted(&set_lut(Some("cam"), pattern(33, 0)));
    let stays = Running::start(place.command(&["receive", "vglb-lut-cam"]));
    stays.wait_for_line("vglb-lut-cam revision");
    let deadline = Instant::now() + PATIENCE;
    let mut revision = 1;
    for _ in 0..10 {
        let mut killed = Running::start(place.command(&["receive", "vglb-lut-cam"]));
        killed.wait_for_line("vglb-lut-cam revision");
        // It reads as fast as it can when it is killed.
        for fill in 0..20 {
            wire.accepted(&set_lut(Some("cam"), pattern(33, fill)));
            revision += 1;
            if fill == 10 {
                killed.signal("KILL");
            }
        }
        killed.wait();
        assert!(Instant::now() < deadline);
    }
    stays.wait_for_line(&format!("vglb-lut-cam revision {revision}: 33³"));
    // No descriptor is left over from those killed.
    let fds = || std::fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count();
    let begun = Instant::now();
    while fds() > 24 {
        assert!(begun.elapsed() < PATIENCE, "{} descriptors are open", fds());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Clocks may be set at any time. Whatever is decided by time is decided by the monotonic one: the time of day is only
/// ever shown and kept. Each use of it is listed here with what it is for.
#[test]
fn nothing_is_decided_by_the_time_of_day() {
    const SHOWN_OR_KEPT: [(&str, &str); 10] = [
        ("src/channel/mod.rs", "when the newest texture was published, for people"),
        ("src/channel/writer.rs", "when the newest LUT was received, for people and the state directory"),
        ("src/recording/write.rs", "when a recording began, for people"),
        ("src/texture/memory.rs", "when a texture was published, for people"),
        ("src/texture/linux/stream.rs", "when a texture was published, for receivers"),
        ("src/dashboard/", "when something happened, for people"),
        ("src/metrics/answer.rs", "how old a LUT is, for people"),
        (
            "src/cluster/",
            "when a LUT takes effect on several computers at once, at most 2 s from now; and which life is later",
        ),
        ("src/state/presets.rs", "when a preset was stored, for people"),
        ("src/cli/", "ages, for people"),
    ];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src")];
    let mut used = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            let is_test = name.contains("/tests") || name.ends_with("_tests.rs") || !name.ends_with(".rs");
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let tells = ["SystemTime::now", "ClockId::Realtime", ".elapsed().unwrap", "SystemClock"];
            if !is_test && tells.iter().any(|t| code.contains(t)) {
                used.push(name);
            }
        }
    }
    for name in &used {
        let known = SHOWN_OR_KEPT.iter().any(|(file, _)| name.starts_with(file));
        assert!(known, "{name} asks for the time of day: use the monotonic clock, or say here what it is for");
    }
    assert!(used.len() > 3, "{used:?}");
}
