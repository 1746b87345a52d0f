//! Three computers on a switch, each in a network namespace of its own, that find one another by multicast; and what comes
//! of a cable that is pulled.

use crate::program::{PATIENCE, Place, Running, stderr, stdout};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A switch, and computers on it; they go with the value.
struct Venue {
    switch: Running,
    computers: Vec<Running>,
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A command in the network of a process.
fn inside(process: &Running, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg("--target").arg(process.child.id().to_string()).arg("--net");
    if !is_root() {
        command.args(["--user", "--preserve-credentials"]);
    }
    command.arg("--").arg(program);
    command
}

impl Venue {
    /// `None`, with a message, where this computer does not let networks be made.
    fn new(computers: u8) -> Option<Venue> {
        let mut command = Command::new("unshare");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let make = "ip link add switch type bridge && ip link set switch up && echo there is a network || echo there is none; \
                    exec sleep 1000";
        command.args(["--net", "sh", "-c", make]);
        let switch = Running::start(command);
        if !switch.wait_for_line("there is ").contains("there is a network") {
            eprintln!(
                "no networks can be made here; that a cluster gets over a cut was not tested: {}",
                switch.output()
            );
            return None;
        }
        let computers = (0..computers).map(|i| Venue::computer(&switch, i)).collect();
        Some(Venue { switch, computers })
    }

    fn computer(switch: &Running, i: u8) -> Running {
        let mut command = inside(switch, "unshare");
        command.args(["--net", "sh", "-c", "echo there is a computer; exec sleep 1000"]);
        let computer = Running::start(command);
        computer.wait_for_line("there is a computer");
        let pid = computer.child.id();
        let cable = format!(
            "ip link add port{i} type veth peer name lan netns {pid} && ip link set port{i} master switch && \
             ip link set port{i} up"
        );
        run(inside(switch, "sh").args(["-c", &cable]));
        let address = format!("ip link set lo up && ip addr add 10.9.8.{}/24 dev lan && ip link set lan up", i + 1);
        run(inside(&computer, "sh").args(["-c", &address]));
        computer
    }

    /// Pulls a computer's cable out, or puts it back.
    fn cable(&self, i: usize, state: &str) {
        run(inside(&self.switch, "ip").args(["link", "set", &format!("port{i}"), state]));
    }

    /// A command of the program, on a computer.
    fn command(&self, i: usize, place: &Place, arguments: &[&str]) -> Command {
        let outside = place.command(arguments);
        let program = outside.get_program().to_str().unwrap().to_owned();
        let mut command = inside(&self.computers[i], &program);
        command.args(outside.get_args());
        command.envs(outside.get_envs().filter_map(|(key, value)| Some((key, value?))));
        command
    }
}

fn run(command: &mut Command) -> Output {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", stderr(&out));
    out
}

/// The bits of a place's stream.
fn bits(place: &Place) -> Option<Vec<u8>> {
    let file = place.path().join("texture.npy");
    let arguments = ["receive", "vglb-lut-cam", "--once", "--timeout", "1", "--out", file.to_str().unwrap()];
    place.run(&arguments).status.success().then(|| std::fs::read(file).unwrap())
}

/// Waits until both places show the same.
fn same(hub: &Place, node: &Place, log: &Running) {
    let deadline = Instant::now() + PATIENCE;
    while bits(hub).is_none_or(|bits_of_hub| bits(node) != Some(bits_of_hub)) {
        assert!(Instant::now() < deadline, "a node does not show what its hub does:\n{}", log.output());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_node_whose_cable_was_out_for_five_seconds_shows_the_newest_lut_again() {
    let Some(venue) = Venue::new(3) else { return };
    let places = [Place::new(), Place::new(), Place::new()];
    let serve = ["serve", "--no-state", "--port", "0", "--cluster", "wall"];
    let hub = Place::listening(venue.command(0, &places[0], &serve));
    hub.wait_for_line("of cluster \"wall\" publishes every LUT");
    let follow = |i: usize| {
        let node =
            Running::start(venue.command(i, &places[i], &["follow", "--cluster", "wall", "--name", &i.to_string()]));
        node.wait_for_line("follows cluster \"wall\"");
        node
    };
    let nodes = [follow(1), follow(2)];
    let send = |count: &str| {
        let options =
            ["send", "--moving", "33", "--rate", "24", "--count", count, "--channel", "cam", "--port", &hub.port];
        Running::start(venue.command(0, &places[0], &options))
    };
    assert!(send("24").wait().success());
    same(&places[0], &places[1], &nodes[0]);
    same(&places[0], &places[2], &nodes[1]);

    // Longer than the cable is out, and ended while it is in again.
    let mut stream = send("192");
    std::thread::sleep(Duration::from_secs(1));
    venue.cable(1, "down");
    hub.wait_for_line("node \"1\" is silent: nothing is heard of it");
    let before = bits(&places[2]);
    let out = stdout(&run(&mut venue.command(0, &places[0], &["nodes", "--cluster", "wall"])));
    assert!(out.contains("silent"), "{out}");
    std::thread::sleep(Duration::from_secs(5));
    assert!(before.is_some() && bits(&places[2]) != before, "the other one is cut off, too:\n{}", hub.output());
    venue.cable(1, "up");
    assert!(stream.wait().success());
    same(&places[0], &places[1], &nodes[0]);
    same(&places[0], &places[2], &nodes[1]);
    hub.wait_for_line("node \"1\" is in step again");
    // Out for longer than a connection lasts, and with LUTs that nobody sends again.
    venue.cable(2, "down");
    assert!(send("48").wait().success());
    std::thread::sleep(Duration::from_secs(7));
    venue.cable(2, "up");
    same(&places[0], &places[2], &nodes[1]);
    same(&places[0], &places[1], &nodes[0]);
}
