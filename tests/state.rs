//! What outlives a server, as processes: restarts, kills, and disks that refuse.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;
mod wire;

use program::{PATIENCE, Place, Running, stderr, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use wire::{Wire, pattern, set_lut, strip};

fn connect(server: &Running) -> Wire {
    Wire::connect(SocketAddr::from(([127, 0, 0, 1], server.port.parse().unwrap())))
}

/// The bytes of a stream's texture.
fn texels(place: &Place, stream: &str, n: usize) -> Vec<u8> {
    let file = place.path().join("seen.npy");
    let file = file.to_str().unwrap();
    let seen = place.run(&["receive", stream, "--once", "--timeout", "20", "--out", file]);
    assert!(seen.status.success(), "{}", stderr(&seen));
    let bytes = std::fs::read(file).unwrap();
    bytes[bytes.len() - n * n * n * 16..].to_vec()
}

/// What `state list` says of a directory: the channels, each with its grid size.
fn listed(place: &Place, directory: &Path) -> Vec<(String, u64)> {
    let list = place.run(&["state", "list", "--json", "--state-dir", directory.to_str().unwrap()]);
    assert!(list.status.success(), "{}", stderr(&list));
    let rows: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let rows = rows.as_array().unwrap().iter().filter(|row| row["fault"].is_null());
    let mut rows: Vec<_> = rows
        .map(|row| (row["channel"].as_str().unwrap_or("").to_owned(), row["grid_size"].as_u64().unwrap()))
        .collect();
    rows.sort();
    rows
}

fn wait_until_listed(place: &Place, directory: &Path, wanted: &[(&str, u64)]) {
    let wanted: Vec<_> = wanted.iter().map(|(channel, n)| ((*channel).to_owned(), *n)).collect();
    let deadline = Instant::now() + PATIENCE;
    while listed(place, directory) != wanted {
        assert!(Instant::now() < deadline, "{:?} are remembered", listed(place, directory));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn every_lut_is_back_on_its_stream_when_a_restarted_server_listens() {
    for signal in ["TERM", "KILL"] {
        let place = Place::new();
        let mut first = place.serve_with_state(&[]);
        let mut wire = connect(&first);
        let (a, b) = (pattern(17, 1), pattern(33, 2));
        wire.accepted(&set_lut(Some("a"), pattern(5, 3)));
        wire.accepted(&set_lut(Some("a"), a.clone()));
        wire.accepted(&set_lut(None, b.clone()));
        if signal == "KILL" {
            // A reply promises the texture; the disk follows.
            wait_until_listed(&place, &place.path().join("state"), &[("", 33), ("a", 17)]);
        }
        first.signal(signal);
        first.wait();
        let second = place.serve_with_state(&[]);
        let said = second.output();
        assert!(said.find("2 LUTs restored from ").unwrap() < said.find("listening on ").unwrap(), "{said}");
        assert!(texels(&place, "vglb-lut-a", 17) == strip(17, &a));
        assert!(texels(&place, "OpenGradeIO-LUT", 33) == strip(33, &b));
    }
}

#[test]
fn a_server_killed_at_any_moment_returns_with_whole_luts() {
    let place = Place::new();
    let mut oldest = [0u32; 2];
    for round in 0..6u32 {
        let mut server = place.serve_with_state(&[]);
        for (channel, oldest) in oldest.iter_mut().enumerate().filter(|_| round > 0) {
            let seen = texels(&place, &format!("vglb-lut-c{channel}"), 9);
            let found = (*oldest..round * 100).find(|seed| strip(9, &pattern(9, *seed)) == seen);
            *oldest = found.expect("a LUT that was sent, and none older than the one restored before");
        }
        let mut wire = connect(&server);
        // From the second round on, the kill comes while LUTs are under way, at another place each time.
        for i in 0..20 + round * 13 {
            for channel in 0..2 {
                wire.accepted(&set_lut(Some(&format!("c{channel}")), pattern(9, round * 100 + i)));
            }
        }
        if round == 0 {
            wait_until_listed(&place, &place.path().join("state"), &[("c0", 9), ("c1", 9)]);
        }
        wire.send(&set_lut(Some("c0"), pattern(9, round * 100 + 99))[..5000]);
        server.signal("KILL");
        server.wait();
    }
}

/// Starts a server that sees its state directory as `mount` (a shell line; `$0` is the directory) leaves it.
fn serve_on(place: &Place, directory: &Path, mount: &str) -> Running {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "sh", "-c", &format!("{mount} && exec \"$@\"")]).arg(directory);
    command
        .args([env!("CARGO_BIN_EXE_vglb"), "serve", "--dashboard", "off", "--port", "0", "--state-dir"])
        .arg(directory);
    command.env("VGLB_RUNTIME_DIR", place.streams()).env("VGLB_NO_CONFIG", "true");
    Place::listening(command)
}

#[test]
fn a_full_disk_costs_no_lut_on_a_stream_and_spares_what_is_remembered() {
    let place = Place::new();
    let directory = place.path().join("full");
    std::fs::create_dir(&directory).unwrap();
    let server = serve_on(&place, &directory, "mount -t tmpfs -o size=1m none \"$0\"");
    let inside = Path::new("/proc").join(server.child.id().to_string()).join("root");
    let inside = inside.join(directory.strip_prefix("/").unwrap());
    let mut wire = connect(&server);
    wire.accepted(&set_lut(Some("a"), pattern(33, 1)));
    wait_until_listed(&place, &inside, &[("a", 33)]);
    let b = pattern(33, 2);
    wire.accepted(&set_lut(Some("b"), b.clone()));
    let said = server.wait_for_line("is on its stream, but not remembered for a restart: ");
    assert!(said.contains("channel \"b\"") && said.contains("No space left on device"), "{said}");
    assert!(texels(&place, "vglb-lut-b", 33) == strip(33, &b));
    assert_eq!(listed(&place, &inside), [("a".to_owned(), 33)]);
    let names: Vec<_> = std::fs::read_dir(&inside).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the LUT, the lock, and nothing unfinished: {names:?}");
}

#[test]
fn a_read_only_disk_gives_back_what_it_has_with_a_warning() {
    let place = Place::new();
    let directory = place.path().join("state");
    let mut first = place.serve_with_state(&[]);
    let a = pattern(9, 1);
    connect(&first).accepted(&set_lut(Some("a"), a.clone()));
    first.signal("TERM");
    first.wait();
    let second = serve_on(&place, &directory, "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\"");
    second.wait_for_line("LUTs in it are restored, and new ones are not remembered");
    assert!(texels(&place, "vglb-lut-a", 9) == strip(9, &a));
    connect(&second).accepted(&set_lut(Some("a"), pattern(9, 2)));
    second.wait_for_line("is on its stream, but not remembered for a restart: ");
}

#[test]
fn state_is_private_listed_and_cleared_and_no_state_leaves_none() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let directory = place.path().join("state");
    let plain = place.serve(&[]);
    connect(&plain).accepted(&set_lut(Some("a"), pattern(5, 1)));
    drop(plain);
    assert!(!directory.exists());
    let mut server = place.serve_with_state(&[]);
    let mut wire = connect(&server);
    wire.accepted(&set_lut(Some("a"), pattern(5, 1)));
    wire.accepted(&set_lut(Some("b\u{1b}[2J"), pattern(9, 1)));
    let refused = place.run(&["state", "clear"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("is in use by another server"), "{}", stderr(&refused));
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for file in std::fs::read_dir(&directory).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    let list = stdout(&place.run(&["state", "list"]));
    assert!(list.contains("b\\u{1b}[2J") && !list.contains('\u{1b}'), "{list}");
    let unknown = place.run(&["state", "clear", "c"]);
    assert!(stderr(&unknown).contains("no LUT of channel \"c\" is remembered"), "{}", stderr(&unknown));
    assert!(place.run(&["state", "clear", "a"]).status.success());
    assert_eq!(listed(&place, &directory), [("b\u{1b}[2J".to_owned(), 9)]);
    assert!(place.run(&["state", "clear"]).status.success());
    assert_eq!(listed(&place, &directory), []);
}
