//! Programs in C that use the library, against a real server with a real LUT. Compiling them needs `cc`, as building
//! with Rust does; the tests that need more are run by `cargo xtask test --only c-interface`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod c;
mod server;
#[path = "../../tests/wire/mod.rs"]
mod wire;

use bson::doc;
use c::{Language, Library, all, compiled, said, under_valgrind};
use server::Server;
use std::process::Stdio;
use wire::Wire;

const RECEIVE: &str = "examples/receive.c";
const MISUSE: &str = "tests/c/misuse.c";
const THREADS: &str = "tests/c/threads.c";

/// A server that has a LUT of 33³ on channel `cam`, in which every bit counts; and the texture that it makes.
fn server() -> (Server, Vec<u8>) {
    let server = Server::start("");
    let lut = wire::pattern(33, 5);
    Wire::connect(server.address).accepted(&wire::set_lut(Some("cam"), lut.clone()));
    (server, wire::strip(33, &lut))
}

/// The example receives, saves and compares every bit.
fn receives_every_bit(language: Language, library: Library) {
    let (server, texture) = server();
    let program = compiled(RECEIVE, server.folder(), language, library);
    let listed = said(&mut server.command(&program));
    assert!(listed.starts_with("vglb-lut-cam: 1089x33, N 33, layout 0, format 109, revision 1, from "), "{listed}");
    assert_eq!(listed.lines().count(), 1);

    let (saved, other) = (server.folder().join("saved"), server.folder().join("other"));
    let shown = said(server.command(&program).args(["vglb-lut-cam", "1", "save"]).arg(&saved));
    assert!(shown.starts_with("revision 1: N 33, 1089x33, layout 0, first texel "), "{shown}");
    assert!(std::fs::read(&saved).unwrap() == texture, "the bits differ");

    let compare = |file| {
        let mut command = server.command(&program);
        command.args(["vglb-lut-cam", "1", "compare"]).arg(file);
        command
    };
    assert!(said(&mut compare(&saved)).ends_with("saved: yes\n"));
    let mut wrong = texture;
    wrong[577_000 % 33] ^= 1;
    std::fs::write(&other, wrong).unwrap();
    let out = compare(&other).output().unwrap();
    assert_eq!(out.status.code(), Some(1), "one wrong bit is not seen");
    assert!(all(&out).contains("other: no"), "{}", all(&out));
}

#[test]
fn cdl_values_are_listed_with_the_stream() {
    let (server, _) = server();
    let program = compiled(RECEIVE, server.folder(), Language::C99, Library::Shared);
    assert_eq!(said(&mut server.command(&program)).lines().count(), 1);
    let arguments =
        doc! { "slope": [0.5, 1.0, 1.25], "offset": [-0.1, 0.0, 0.2], "power": [1.0, 0.9, 2.0], "saturation": 0.8 };
    let set_cdl = doc! { "command": "setCDL", "instance": "cam", "arguments": arguments };
    Wire::connect(server.address).accepted(&wire::bytes_of(&set_cdl));
    let listed = said(&mut server.command(&program));
    assert_eq!(
        listed.lines().nth(1),
        Some("  slope 0.5 1 1.25, offset -0.1 0 0.2, power 1 0.9 2, saturation 0.8"),
        "{listed}"
    );
}

#[test]
fn the_example_receives_every_bit() {
    receives_every_bit(Language::C99, Library::Shared);
}

#[test]
fn the_example_links_statically() {
    receives_every_bit(Language::C99, Library::Static);
}

#[test]
#[ignore = "needs g++: cargo xtask test --only c-interface"]
fn the_example_is_cpp_too() {
    receives_every_bit(Language::Cpp, Library::Shared);
}

#[test]
fn misuse_is_an_error_and_nothing_worse() {
    let (server, _) = server();
    let program = compiled(MISUSE, server.folder(), Language::C99, Library::Shared);
    assert_eq!(said(server.command(program).arg("vglb-lut-cam")), "0 faults\n");
}

#[test]
#[ignore = "needs g++: cargo xtask test --only c-interface"]
fn the_misuse_program_is_cpp_too() {
    let (server, _) = server();
    let program = compiled(MISUSE, server.folder(), Language::Cpp, Library::Shared);
    assert_eq!(said(server.command(program).arg("vglb-lut-cam")), "0 faults\n");
}

#[test]
fn the_example_follows_updates_and_hears_the_end() {
    let (mut server, _) = server();
    let program = compiled(RECEIVE, server.folder(), Language::C99, Library::Shared);
    let mut child = server
        .command(&program)
        .args(["vglb-lut-cam", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().starts_with("revision 1: N 33"));
    // Of another size, which is another surface.
    let mut wire = Wire::connect(server.address);
    wire.accepted(&wire::set_lut(Some("cam"), wire::pattern(17, 6)));
    assert!(next().starts_with("revision 2: N 17, 289x17"));
    server.kill();
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(all(&out).contains("receive: vglb-lut-cam: VGLB_STATUS_ENDED"), "{}", all(&out));
}

#[test]
fn threads_share_a_receiver_by_its_rules() {
    let (server, _) = server();
    let program = compiled(THREADS, server.folder(), Language::C99, Library::Shared);
    assert_eq!(said(server.command(program).arg("vglb-lut-cam")), "done\n");
}

#[test]
#[ignore = "needs valgrind: cargo xtask test --only c-interface"]
fn valgrind_finds_no_leak_and_no_invalid_access() {
    let (server, texture) = server();
    let receive = compiled(RECEIVE, server.folder(), Language::C99, Library::Shared);
    let misuse = compiled(MISUSE, server.folder(), Language::C99, Library::Shared);
    let texels = server.folder().join("texels");
    std::fs::write(&texels, texture).unwrap();
    let threads = compiled(THREADS, server.folder(), Language::C99, Library::Shared);
    let watched = |program| under_valgrind(program, server.command("valgrind"));
    said(&mut watched(&receive));
    let shown = said(watched(&receive).args(["vglb-lut-cam", "1", "compare"]).arg(&texels));
    assert!(shown.ends_with("texels: yes\n"), "{shown}");
    assert_eq!(said(watched(&misuse).arg("vglb-lut-cam")), "0 faults\n");
    assert_eq!(said(watched(&threads).arg("vglb-lut-cam")), "done\n");
}
