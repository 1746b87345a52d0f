//! Recording what reaches a server, and playing it to another, with the real program.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;
mod wire;

use program::{Place, stderr, stdout};
use std::fs;
use wire::{Wire, pattern, set_lut, strip};

fn connect(port: &str) -> Wire {
    Wire::connect(format!("127.0.0.1:{port}").parse().unwrap())
}

/// What `vglb receive` saves of a stream: the texels behind the header of the .npy file.
fn texture(place: &Place, stream: &str, texels: usize) -> Vec<u8> {
    let path = place.path().join(format!("{stream}.npy"));
    let out = path.display().to_string();
    let done = place.run(&["receive", stream, "--once", "--timeout", "30", "--out", &out]);
    assert!(done.status.success(), "{}", stderr(&done));
    let bytes = fs::read(path).unwrap();
    bytes[bytes.len() - texels * 16..].to_vec()
}

#[test]
fn a_recording_is_played_to_another_server_with_every_bit() {
    let place = Place::new();
    let file = place.path().join("show.vglbrec").display().to_string();
    let mut recording = place.listening_record(&file);
    let (mut one, mut two) = (connect(&recording.port), connect(&recording.port));
    one.accepted(&set_lut(Some("a"), pattern(4, 1)));
    two.accepted(&set_lut(Some("b"), pattern(5, 2)));
    one.accepted(&set_lut(Some("a"), pattern(5, 3)));
    two.refused(&set_lut(Some("b"), vec![0; 17]));
    drop((one, two));
    recording.signal("INT");
    assert!(recording.wait().success());

    let listed = place.run(&["play", &file, "--list"]);
    let text = stdout(&listed);
    assert_eq!(text.matches("\"setLUT\" on channel").count(), 4, "{text}");
    assert_eq!(text.matches("the end of the connection").count(), 2, "{text}");

    let other = place.serve(&[]);
    let played = place.run(&["play", &file, "--speed", "1000", "--port", &other.port]);
    // What was refused then is refused now.
    assert_eq!(played.status.code(), Some(1));
    assert!(stdout(&played).contains("4 messages sent, 1 refused"), "{}", stdout(&played));
    assert!(texture(&place, "vglb-lut-a", 125) == strip(5, &pattern(5, 3)));
    assert!(texture(&place, "vglb-lut-b", 125) == strip(5, &pattern(5, 2)));
}

#[test]
fn a_killed_server_leaves_a_recording_that_can_be_played() {
    let place = Place::new();
    let file = place.path().join("show.vglbrec");
    let name = file.display().to_string();
    let mut recording = place.listening_record(&name);
    let mut client = connect(&recording.port);
    client.accepted(&set_lut(None, pattern(4, 1)));
    let begun = std::time::Instant::now();
    // The record is written beside the reply, not before it.
    while fs::metadata(&file).unwrap().len() < 100 {
        assert!(begun.elapsed() < program::PATIENCE);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    recording.child.kill().unwrap();
    recording.wait();
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend([200, 0, 0, 0, 1, 2, 3]);
    fs::write(&file, bytes).unwrap();
    let other = place.serve(&[]);
    let played = place.run(&["play", &name, "--port", &other.port]);
    assert!(played.status.success(), "{}", stderr(&played));
    assert!(stderr(&played).contains("it was cut off at byte"), "{}", stderr(&played));
    assert!(texture(&place, "OpenGradeIO-LUT", 64) == strip(4, &pattern(4, 1)));
}

#[test]
fn what_is_no_recording_is_said() {
    let place = Place::new();
    let file = place.path().join("a.cube");
    fs::write(&file, "LUT_3D_SIZE 2").unwrap();
    let name = file.display().to_string();
    let played = place.run(&["play", &name]);
    assert_eq!(played.status.code(), Some(1));
    assert!(stderr(&played).contains("a.cube: it is no recording"), "{}", stderr(&played));
    let there = place.run(&["record", &name, "--port", "0", "--no-state"]);
    assert_eq!(there.status.code(), Some(1));
    assert!(stderr(&there).contains("can't begin the recording"), "{}", stderr(&there));
    assert_eq!(fs::read_to_string(&file).unwrap(), "LUT_3D_SIZE 2");
}
