//! Who is let in, with the real program.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{Place, stderr};

#[test]
fn the_log_names_who_was_refused_and_the_client_is_told() {
    let place = Place::new();
    let server = place.serve(&["--host", "0.0.0.0", "--allow", "10.0.0.0/8", "--deny", "127.0.0.0/8"]);
    server.wait_for_line("clients are let in from 10.0.0.0/8, and not from 127.0.0.0/8");
    let sent = place.run(&["send", "--identity", "2", "--port", &server.port]);
    assert_eq!(sent.status.code(), Some(1));
    assert!(stderr(&sent).contains("this server does not take clients from your address"), "{}", stderr(&sent));
    let said = server.wait_for_line("was refused: 127.0.0.1 is in 127.0.0.0/8, which is denied (--deny)");
    assert!(said.contains("client 127.0.0.1:"), "{said}");
}

#[test]
fn this_computer_is_let_in_whatever_is_allowed_and_defaults_are_said() {
    let place = Place::new();
    let allowed = place.serve(&["--allow", "10.0.0.0/8"]);
    assert!(place.run(&["send", "--identity", "2", "--channel", "a", "--port", &allowed.port]).status.success());
    let open = place.serve(&["--host", "0.0.0.0"]);
    open.wait_for_line("clients are let in from private and link-local addresses only (--allow changes that)");
    let wrong = place.run(&["serve", "--port", "0", "--no-state", "--allow", "192.168.1.7/24"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("the range is 192.168.1.0/24"), "{}", stderr(&wrong));
}
