//! A server with nothing to do sleeps: no thread of it wakes up.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{PATIENCE, Place, Running};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often each thread has gone to sleep of itself; `None` while one is not asleep.
fn sleeps(server: &Running) -> Option<BTreeMap<String, u64>> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.child.id())).unwrap();
    let of = |task: std::io::Result<std::fs::DirEntry>| {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).ok()?;
        let field = |name: &str| Some(status.lines().find_map(|l| l.strip_prefix(name))?.trim().to_owned());
        field("State:")?.starts_with('S').then_some(())?;
        let thread = format!("{} {}", field("Name:")?, field("Pid:")?);
        Some((thread, field("voluntary_ctxt_switches:")?.parse().unwrap()))
    };
    tasks.map(of).collect()
}

/// Waits until every thread sleeps, and none has been awake between two looks.
fn settled(server: &Running) -> BTreeMap<String, u64> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let before = sleeps(server);
        std::thread::sleep(Duration::from_millis(200));
        match before {
            Some(before) if sleeps(server).as_ref() == Some(&before) => return before,
            _ => assert!(Instant::now() < deadline, "the server never comes to rest: {before:?}"),
        }
    }
}

#[test]
fn an_idle_server_never_wakes_up() {
    let place = Place::new();
    let server = place.serve(&["--dashboard", "127.0.0.1:0"]);
    let at_rest = settled(&server);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(sleeps(&server), Some(at_rest), "with nobody connected");

    assert!(place.run(&["send", "--identity", "33", "--channel", "cam", "--port", &server.port]).status.success());
    let receiver = Running::start(place.command(&["receive", "vglb-lut-cam"]));
    receiver.wait_for_line("revision 1");
    let _client = std::net::TcpStream::connect(format!("127.0.0.1:{}", server.port)).unwrap();
    let at_rest = settled(&server);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(sleeps(&server), Some(at_rest), "with a receiver and a silent client");
}
