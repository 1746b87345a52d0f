//! Runs `vglb` in a process of its own against the real Syphon framework's client in this one.
//!
//! `syphon-client PATH` runs every case with the `vglb` at that path; the first that fails ends it. The framework's
//! notifications come to the main thread, so all of it runs there. Two further uses are for itself: `look` is a client
//! that comes late, `rename` a server whose name changes.

mod client;
mod lut;
mod program;

use client::{Viewer, find, server, until};
use lut::{Image, Lut};
use program::{Program, Vglb, text};
use std::io::{BufRead, Write, stdin};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use virtual_gpu_lut_box::texture::macos::Mac;
use virtual_gpu_lut_box::texture::syphon::{seam::System, server::Server};
use virtual_gpu_lut_box::texture::with_main_loop;

type Case = fn(&Vglb);

const CASES: [(&str, Case); 8] = [
    ("bytes, orientation and every size change arrive", bytes_and_sizes),
    ("many LUTs in a row end on the last", many),
    ("a client that comes late sees the last LUT", late),
    ("a rename reaches a directory, and keeps its clients", rename),
    ("the end is told, and Ctrl-C ends well", retire),
    ("a server killed with -9 makes room for its successor", killed_server),
    ("a client killed with -9 disturbs nobody", killed_client),
    ("8-bit images are plain strips, rounded and clamped", eight_bit),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["look", name, file] => look(name, Path::new(file)),
        ["rename", before, after] => with_main_loop(|| serve_and_rename(before, after)),
        [vglb] => run_all(vglb),
        _ => panic!("syphon-client PATH-OF-VGLB"),
    }
}

fn run_all(program: &str) {
    let folder = std::env::temp_dir().join(format!("syphon-client-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let vglb = Vglb { program: std::fs::canonicalize(program).expect("vglb"), folder };
    for (name, case) in CASES {
        println!("{name}");
        case(&vglb);
        println!("    ok");
    }
    std::fs::remove_dir_all(&vglb.folder).expect("it was there");
}

/// Starts `vglb serve`, and returns its port.
fn serve(vglb: &Vglb, arguments: &[&str]) -> (Program, String) {
    let server = Program::start(
        &mut vglb.command(&[&["serve", "--no-state", "--dashboard", "off", "--port", "0"], arguments].concat()),
    );
    let line = until("a server that listens", || server.line("listening on 127.0.0.1:"));
    let port = line.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(' ').next()).expect("a port").to_owned();
    (server, port)
}

fn myself(words: &[&str]) -> Program {
    Program::start(Command::new(std::env::current_exe().expect("this program")).args(words))
}

/// The framework, and our own receiver, find every byte where it belongs: with row 0, black's, first in memory.
fn bytes_and_sizes(vglb: &Vglb) {
    let (_server, port) = serve(vglb, &[]);
    vglb.send(&port, "sizes", &Lut::random(2, 1));
    let description = server("vglb-lut-sizes");
    assert_eq!(description.app_name, "vglb");
    let viewer = Viewer::of(&description);
    for (seed, size) in [(1, 2), (2, 33), (3, 33), (4, 33), (5, 33), (6, 64), (7, 17), (8, 128)] {
        let lut = Lut::random(size, seed);
        vglb.send(&port, "sizes", &lut);
        viewer.sees(&lut.byte_planes());
        assert!(viewer.is_valid() && find("vglb-lut-sizes").is_some_and(|now| now.uuid == description.uuid));
        assert!(received(vglb, "vglb-lut-sizes") == lut.bits(), "our receiver sees other bits at size {size}");
    }
    let listed = vglb.run(&["list", "--json"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("\"vglb-lut-sizes\""), "our list lacks the stream");
}

/// The bits of what our own receiver saves of a stream, red fastest.
fn received(vglb: &Vglb, stream: &str) -> Vec<[u32; 3]> {
    let file = vglb.file("received.cube");
    let received = vglb.run(&["receive", stream, "--once", "--timeout", "60", "--out", text(&file)]);
    assert!(received.status.success(), "{}", String::from_utf8_lossy(&received.stderr));
    let saved = std::fs::read_to_string(file).expect("a saved LUT");
    let is_entry = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let bits = |word: &str| word.parse::<f32>().expect("a number").to_bits();
    let entry =
        |line: &str| <[u32; 3]>::try_from(line.split(' ').map(bits).collect::<Vec<_>>()).expect("three numbers");
    saved.lines().filter(is_entry).map(entry).collect()
}

fn many(vglb: &Vglb) {
    let (_server, port) = serve(vglb, &[]);
    vglb.send(&port, "many", &Lut::random(33, 1));
    let viewer = Viewer::of(&server("vglb-lut-many"));
    let moving = ["send", "--moving", "33", "--channel", "many", "--rate", "200", "--count", "400", "--port", &port];
    assert!(vglb.run(&moving).status.success());
    let last = Lut::random(33, 2);
    vglb.send(&port, "many", &last);
    viewer.sees(&last.byte_planes());
    assert!(viewer.frames() > 1, "the framework called back {} times", viewer.frames());
}

fn late(vglb: &Vglb) {
    let (_server, port) = serve(vglb, &[]);
    let lut = Lut::random(21, 3);
    vglb.send(&port, "late", &lut);
    server("vglb-lut-late");
    let file = vglb.file("late.bgra");
    std::fs::write(&file, lut.byte_planes().bytes).expect("a file");
    // A new process each time: its directory knows nothing until it asks.
    for _ in 0..2 {
        let mut late = myself(&["look", "vglb-lut-late", text(&file)]);
        until("a late client's view", || late.line("it is there"));
        late.input().write_all(b"\n").expect("it listens");
        assert_eq!(until("its end", || late.ended()), Some(0));
    }
}

/// The late client: finds the server, waits until it sees the bytes in this file, and stays until it is told to go.
fn look(name: &str, file: &Path) {
    let wanted = std::fs::read(file).expect("a file");
    let viewer = Viewer::of(&server(name));
    let found = server(name);
    assert!(!found.uuid.is_empty());
    let height = (wanted.len() as f64 / 16.0).cbrt().round() as usize * 4;
    viewer.sees(&Image { width: wanted.len() / 4 / height, height, bytes: wanted });
    println!("it is there");
    // The framework's messages come on other threads meanwhile.
    let _ = stdin().lock().read_line(&mut String::new());
}

fn rename(_: &Vglb) {
    let mut renamed = myself(&["rename", "vglb-before", "vglb-after"]);
    let before = server("vglb-before");
    let viewer = Viewer::of(&before);
    renamed.input().write_all(b"now\n").expect("it listens");
    let after = server("vglb-after");
    assert_eq!(after.uuid, before.uuid);
    assert!(find("vglb-before").is_none() && viewer.is_valid());
    renamed.input().write_all(b"end\n").expect("it listens");
    until("its retirement", || find("vglb-after").is_none().then_some(()));
    assert_eq!(until("its end", || renamed.ended()), Some(0));
}

/// The server that gets another name, on the first line that it is given, and ends on the second.
fn serve_and_rename(before: &str, after: &str) {
    let mut surface = Mac.create_surface(4, 2).expect("a surface");
    surface.write(&mut |bytes, _| bytes.fill(7)).expect("its memory");
    let server = Server::start(Arc::new(Mac), before, surface.number()).expect("a server");
    let _ = stdin().lock().read_line(&mut String::new());
    server.rename(after).expect("another name");
    let _ = stdin().lock().read_line(&mut String::new());
}

fn retire(vglb: &Vglb) {
    let (mut program, port) = serve(vglb, &[]);
    vglb.send(&port, "end", &Lut::random(9, 1));
    let viewer = Viewer::of(&server("vglb-lut-end"));
    viewer.sees(&Lut::random(9, 1).byte_planes());
    assert!(keeps_the_mac_awake(), "macOS knows of no activity");
    program.signal("INT");
    until("the client to hear of the end", || (!viewer.is_valid()).then_some(()));
    until("the directory to hear of the end", || find("vglb-lut-end").is_none().then_some(()));
    assert_eq!(until("the server's end", || program.ended()), Some(0));
    until("the activity's end", || (!keeps_the_mac_awake()).then_some(()));
}

/// Whether macOS lists the activity that servers hold.
fn keeps_the_mac_awake() -> bool {
    let listed = Command::new("pmset").args(["-g", "assertions"]).output().expect("pmset");
    String::from_utf8_lossy(&listed.stdout).contains("sharing LUTs over Syphon")
}

fn killed_server(vglb: &Vglb) {
    let (mut program, port) = serve(vglb, &[]);
    let lut = Lut::random(9, 1);
    vglb.send(&port, "killed", &lut);
    let dead = server("vglb-lut-killed");
    let received = Program::start(&mut vglb.command(&["receive", "vglb-lut-killed"]));
    until("our receiver to see the LUT", || received.line("vglb-lut-killed revision "));
    // A second server may not take the name while the first one lives.
    let (_second, other_port) = serve(vglb, &[]);
    let refused = vglb.run(&["send", "--identity", "9", "--channel", "killed", "--port", &other_port]);
    let why = String::from_utf8_lossy(&refused.stdout).into_owned() + &String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && why.contains("already published by vglb"), "{why}");
    program.signal("KILL");
    assert_eq!(until("its end", || program.ended()), None);
    until("our receiver to see the end", || received.line("has ended"));
    vglb.send(&other_port, "killed", &lut);
    // The framework's directory forgets the dead one only when somebody asks all servers to announce themselves.
    let listed = vglb.run(&["list"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout).matches("vglb-lut-killed").count(), 1);
    let successor = until("the successor alone", || {
        let all = syphon_rs::Directory::shared().servers_matching(Some("vglb-lut-killed"), None);
        all.into_iter().find(|server| server.uuid != dead.uuid)
    });
    Viewer::of(&successor).sees(&lut.byte_planes());
}

fn killed_client(vglb: &Vglb) {
    let (_server, port) = serve(vglb, &[]);
    let first = Lut::random(12, 1);
    vglb.send(&port, "client", &first);
    let viewer = Viewer::of(&server("vglb-lut-client"));
    let file = vglb.file("client.bgra");
    std::fs::write(&file, first.byte_planes().bytes).expect("a file");
    let mut other = myself(&["look", "vglb-lut-client", text(&file)]);
    until("the other client's view", || other.line("it is there"));
    other.signal("KILL");
    until("its end", || other.ended());
    for seed in 2..6 {
        let next = Lut::random(12, seed);
        vglb.send(&port, "client", &next);
        viewer.sees(&next.byte_planes());
    }
}

fn eight_bit(vglb: &Vglb) {
    let lut = Lut::random(16, 5);
    let (mut both, port) = serve(vglb, &["--syphon-8bit"]);
    vglb.send(&port, "plain", &lut);
    Viewer::of(&server("vglb-lut-plain (8-bit)")).sees(&lut.eight_bit());
    Viewer::of(&server("vglb-lut-plain")).sees(&lut.byte_planes());
    both.signal("INT");
    assert_eq!(until("the server's end", || both.ended()), Some(0));
    until("its retirement", || find("vglb-lut-plain").is_none().then_some(()));
    let (_server, port) = serve(vglb, &["--syphon-encoding", "8bit"]);
    vglb.send(&port, "plain", &lut);
    Viewer::of(&server("vglb-lut-plain")).sees(&lut.eight_bit());
}
