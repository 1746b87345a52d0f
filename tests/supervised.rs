//! What a service manager of systemd's kind hears of a server.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{PATIENCE, Place, stderr};
use std::os::unix::net::UnixDatagram;

/// The service manager's end.
struct Manager(UnixDatagram);

impl Manager {
    fn new(place: &Place) -> Manager {
        let socket = UnixDatagram::bind(place.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Manager(socket)
    }

    fn next(&self) -> String {
        let mut message = [0; 4096];
        let length = self.0.recv(&mut message).expect("nothing was said in time");
        String::from_utf8(message[..length].to_vec()).unwrap()
    }

    /// The next message that begins so; those before may only be signs of life, or of the state.
    fn wait_for(&self, begin: &str) -> String {
        loop {
            let message = self.next();
            if message.starts_with(begin) {
                return message;
            }
            assert!(message.starts_with("WATCHDOG=1") || message.starts_with("STATUS="), "{message:?}");
        }
    }
}

#[test]
fn a_service_manager_hears_when_the_server_is_ready_alive_reloading_and_stopping() {
    let place = Place::new();
    // A LUT to be restored, which has to be there before the server is ready.
    let mut before = place.serve_with_state(&[]);
    let sent = place.run(&["send", "--identity", "17", "--channel", "cam", "--port", &before.port]);
    assert!(sent.status.success(), "{}", stderr(&sent));
    before.signal("TERM");
    assert_eq!(before.wait().code(), Some(0));

    let manager = Manager::new(&place);
    let mut command = place.command(&["serve", "--port", "0"]);
    command.env("NOTIFY_SOCKET", place.path().join("notify")).env("WATCHDOG_USEC", "2000000");
    let mut server = Place::listening(command);
    let ready = manager.next();
    assert!(ready.starts_with("READY=1\nSTATUS=listening on 127.0.0.1:"), "{ready:?}");
    assert!(ready.ends_with(": 1 channel, 0 receiving\n"), "{ready:?}");
    // It is true: the port is open, and the LUT is on its stream.
    std::net::TcpStream::connect(format!("127.0.0.1:{}", server.port)).unwrap();
    manager.wait_for("WATCHDOG=1");
    manager.wait_for("WATCHDOG=1");
    server.signal("HUP");
    let reloading = manager.wait_for("RELOADING=1");
    let since: u64 = reloading.trim().split("MONOTONIC_USEC=").nth(1).unwrap().parse().unwrap();
    assert!(since > 0);
    manager.wait_for("READY=1");
    let sent = place.run(&["send", "--identity", "2", "--channel", "other", "--port", &server.port]);
    assert!(sent.status.success(), "{}", stderr(&sent));
    while !manager.wait_for("STATUS=").contains(": 2 channels, 0 receiving") {}
    server.signal("TERM");
    manager.wait_for("STOPPING=1");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn without_a_service_manager_nothing_watches() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--port", "0", "--no-state", "-v"]);
    command.env("NOTIFY_SOCKET", place.path().join("nobody")).env("WATCHDOG_USEC", "100000").env("WATCHDOG_PID", "1");
    let mut server = Place::listening(command);
    server.wait_for_line("the service manager can't be told");
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
}
