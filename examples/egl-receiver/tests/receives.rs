//! The program as it is built, against a real server: on a device with Vulkan and OpenGL, Mesa's in software included
//! (`cargo xtask test --only gpu-examples`).

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../../../capi/tests/server/mod.rs"]
mod server;
#[path = "../../../tests/wire/mod.rs"]
mod wire;

use server::Server;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use wire::Wire;

const PROGRAM: &str = env!("CARGO_BIN_EXE_egl-receiver");

#[test]
#[ignore = "needs Mesa's software GPUs: cargo xtask test --only gpu-examples"]
fn opengl_sees_every_bit_of_every_size() {
    let server = Server::start("");
    let mut sender = Wire::connect(server.address);
    let mut send = |n: usize| sender.accepted(&wire::set_lut(Some("cam"), wire::pattern(n, n as u32)));
    send(33);
    let mut program = server
        .command(PROGRAM)
        .args(["vglb-lut-cam", "--count", "6"])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut next = || lines.next().expect("the program has ended").unwrap();
    assert!(next().starts_with("OpenGL device: "));
    for (revision, n) in (1..).zip([33, 33, 2, 65, 17, 33]) {
        if revision > 1 {
            send(n);
        }
        let line = next();
        println!("{line}");
        let (width, start) = (n * n, format!("vglb-lut-cam revision {revision}: {n}³ as "));
        assert!(line.starts_with(&format!("{start}{width}×{n} vglb; ")), "{line}");
        assert!(line.ends_with("bit-exact against the memory ring: yes"), "{line}");
    }
    assert!(program.wait().unwrap().success());
}

#[test]
#[ignore = "needs Mesa's software GPUs: cargo xtask test --only gpu-examples"]
fn a_sender_without_images_is_an_error_that_says_why() {
    let server = Server::start("--gpu off");
    Wire::connect(server.address).accepted(&wire::set_lut(Some("cam"), wire::pattern(17, 1)));
    let out = server.command(PROGRAM).arg("vglb-lut-cam").output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.starts_with("egl-receiver: the sender of \"vglb-lut-cam\" refused this receiver: "), "{said}");
}
