//! Servers that announce themselves and the search for them, as processes in a network of their own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{PATIENCE, Place, Running, stderr, stdout};
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

/// A network apart from the computer's, with one interface whose other end is here as well; it goes with the value.
struct Net(Running);

impl Net {
    fn new() -> Net {
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let make = "ip link add v0 type veth peer name v1 && ip addr add 10.9.8.7/24 dev v0 && ip link set lo up \
                    && ip link set v0 up && ip link set v1 up && echo there is a network && exec sleep 1000";
        command.args(["--net", "sh", "-c", make]);
        let net = Net(Running::start(command));
        net.0.wait_for_line("there is a network");
        net
    }

    /// A command of the program, inside.
    fn command(&self, place: &Place, arguments: &[&str]) -> Command {
        let outside = place.command(arguments);
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.0.child.id().to_string()).arg("--net");
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--").arg(outside.get_program()).args(outside.get_args());
        command.envs(outside.get_envs().filter_map(|(key, value)| Some((key, value?))));
        command
    }

    fn serve(&self, place: &Place, arguments: &[&str]) -> Running {
        let usual = ["serve", "--no-state", "--backend", "memory", "--port", "0"];
        Place::listening(self.command(place, &[&usual, arguments].concat()))
    }

    fn discover(&self, place: &Place, arguments: &[&str]) -> std::process::Output {
        let out = self.command(place, &[&["discover"], arguments].concat()).output().unwrap();
        assert!(out.status.success(), "{}", stderr(&out));
        out
    }

    /// Searches until a box is found.
    fn found(&self, place: &Place) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let out = self.discover(place, &["--json", "--timeout", "2"]);
            let boxes: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
            if let Some(found) = boxes.into_iter().next() {
                return found;
            }
            assert!(Instant::now() < deadline, "nothing is found; {}", stderr(&out));
        }
    }
}

fn threads(server: &Running) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.child.id())).unwrap();
    let name = |task: std::io::Result<std::fs::DirEntry>| std::fs::read_to_string(task.unwrap().path().join("comm"));
    tasks.filter_map(|task| Some(name(task).ok()?.trim().to_owned())).collect()
}

fn of_the_announcement(server: &Running) -> usize {
    threads(server).iter().filter(|name| name.starts_with("mDNS") || name.starts_with("vglb-announce")).count()
}

#[test]
fn a_server_that_announces_itself_is_found_and_is_gone_when_it_stops() {
    let (place, net) = (Place::new(), Net::new());
    let none = net.discover(&place, &["--timeout", "0.5"]);
    assert_eq!(stdout(&none), "");
    assert!(stderr(&none).contains("no box answered within 0.5 s"), "{}", stderr(&none));

    let options = ["--host", "0.0.0.0", "--announce", "--announce-name", "Cart v1.2", "--stream-name", "wall"];
    let start = || net.serve(&place, &[&options[..], &["--dashboard", "0.0.0.0:0"]].concat());
    let mut server = start();
    server.wait_for_line("announced on the network as \"Cart v1.2\" (_vglb._tcp.local.)");
    let found = net.found(&place);
    assert_eq!(found["name"], "Cart v1.2");
    assert_eq!(found["port"].to_string(), server.port);
    assert_eq!(found["addresses"], serde_json::json!(["10.9.8.7"]), "IPv4 alone is listened on, and no loopback told");
    assert_eq!(found["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&found["stream"], &found["transport"]), (&"wall".into(), &"memory".into()));
    let panel = server.wait_for_line("the panel is at ");
    assert!(panel.contains(&format!(":{}/", found["panel_port"])), "{panel}, not {}", found["panel_port"]);
    assert!(found["host"].as_str().unwrap().ends_with(&format!("-vglb-{}.local", server.port)), "{found}");
    assert_eq!(of_the_announcement(&server), 2);
    let table = stdout(&net.discover(&place, &["--timeout", "2"]));
    assert!(table.starts_with("NAME ") && table.contains("Cart v1.2  "), "{table}");

    // A search that has seen it sees it go. On a slow machine the search has to be longer.
    for seconds in [10, 30, 90] {
        let began = Instant::now();
        let search = net.command(&place, &["discover", "--timeout", &seconds.to_string()]);
        let mut search = Running::start(search);
        net.found(&place);
        server.signal("TERM");
        assert!(server.wait().success());
        if began.elapsed() + Duration::from_secs(4) < Duration::from_secs(seconds) {
            search.wait_for_line("no box answered");
            assert!(search.wait().success());
            return;
        }
        server = start();
    }
    panic!("the machine is too slow to tell");
}

#[test]
fn nothing_runs_without_the_flag_and_a_server_that_nobody_reaches_says_so() {
    let place = Place::new();
    assert_eq!(of_the_announcement(&place.serve(&[])), 0);
    let hidden = place.serve(&["--announce"]);
    let line = hidden.wait_for_line("not announced");
    assert!(line.contains("listens on this computer only, and others can't reach it; --host 0.0.0.0"), "{line}");
    assert_eq!(of_the_announcement(&hidden), 0);
    assert!(place.run(&["send", "--identity", "2", "--port", &hidden.port]).status.success());
}
