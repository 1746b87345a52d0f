//! Settings from a file, from the environment and from flags, as a user meets them.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{Place, stderr, stdout};
use serde_json::Value;
use std::process::Command;

fn write(place: &Place, text: &str) -> String {
    let path = place.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn json(mut command: Command) -> Value {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", stderr(&out));
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn a_server_runs_with_what_file_environment_and_flags_say() {
    let place = Place::new();
    let file = write(&place, "backend = \"memory\"\nport = 1\nno-state = true\nverbose = true\nmax-channels = 1\n");
    let mut command = place.command(&["--port", "0", "--config", &file]);
    command.env("VGLB_MAX_CHANNELS", "2");
    let server = Place::listening(command);
    for (channel, works) in [("a", true), ("b", true), ("c", false)] {
        let sent = place.run(&["send", "--identity", "2", "--channel", channel, "--port", &server.port]);
        assert_eq!(sent.status.success(), works, "{channel}: {}", stderr(&sent));
    }
    server.wait_for_line("2³ LUT"); // verbose
}

#[test]
fn show_says_each_value_and_its_place() {
    let place = Place::new();
    let file = write(&place, "layout = \"unity\"\n\nallow = [\"10.0.0.0/8\", \"fd00::/8\"]\n");
    let mut command = place.command(&["config", "show", "--json", "--config", &file, "--port", "9"]);
    command.env("VGLB_HOST", "0.0.0.0");
    let shown = json(command);
    assert_eq!(shown["file"], *file);
    let setting = |key: &str| {
        let setting = &shown["settings"][key];
        (setting["value"].clone(), setting["from"].clone(), setting["where"].clone())
    };
    let is = |value: Value, from: &str, place: &str| (value, Value::from(from), Value::from(place));
    assert_eq!(setting("layout"), is("unity".into(), "file", &format!("{file}:1")));
    assert_eq!(setting("allow"), is(vec!["10.0.0.0/8", "fd00::/8"].into(), "file", &format!("{file}:3")));
    assert_eq!(setting("host"), is("0.0.0.0".into(), "environment", "VGLB_HOST"));
    assert_eq!(setting("port"), is("9".into(), "command line", "--port"));
    assert_eq!(setting("no-state"), is(false.into(), "default", "default"));
    // VGLB_STATE_DIR, which tests set, is one of them.
    assert_eq!(setting("state-dir").1, "environment");

    let text = stdout(&place.run(&["config", "show", "--config", &file]));
    let line = text.lines().find(|line| line.starts_with("layout")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["layout", "unity", &format!("{file}:1")]);
}

#[test]
fn check_and_the_server_say_the_same_of_a_fault_and_end_with_2() {
    let place = Place::new();
    let file = write(&place, "port = 8089\nlayuot = \"unity\"\n");
    for command in [&["config", "check"][..], &["config", "show"], &["serve"], &["record", "a.rec"], &[]] {
        let out = place.run(&[command, &["--config", &file]].concat());
        assert_eq!(out.status.code(), Some(2), "{command:?}");
        let wanted = format!("error: {file}:2: there is no setting \"layuot\"; the nearest is layout\n");
        assert_eq!(stderr(&out).replace("\r\n", "\n"), wanted, "{command:?}");
    }
    let good = write(&place, "port = 8089\n");
    let out = place.run(&["config", "check", "--config", &good]);
    assert!(out.status.success(), "{}", stderr(&out));
    assert!(stdout(&out).contains("in order; 2 settings are not at the default"), "{}", stdout(&out));
}

#[test]
fn what_contradicts_the_command_line_is_told_with_its_place() {
    let place = Place::new();
    let file = write(&place, "http-cdl-channel = [\"cam\"]\n");
    let out = place.run(&["config", "check", "--config", &file]);
    assert_eq!(out.status.code(), Some(2));
    assert!(stderr(&out).contains("--http-cdl <HOST[:PORT]>"), "{}", stderr(&out));
}

#[test]
fn without_a_file_nothing_is_as_it_was_not() {
    let place = Place::new();
    let mut command = place.command(&["config", "show", "--json"]);
    command.env_remove("VGLB_STATE_DIR");
    let shown = json(command);
    assert_eq!(shown["file"], Value::Null);
    for (key, setting) in shown["settings"].as_object().unwrap() {
        assert_eq!(setting["from"], "default", "{key}");
    }
    // Other commands do not look at it.
    let mut other = place.command(&["info"]);
    other.env("VGLB_CONFIG", "there is none");
    assert!(other.output().unwrap().status.success());
    let mut help = place.command(&["serve", "--help"]);
    help.env("VGLB_CONFIG", "there is none");
    assert!(help.output().unwrap().status.success());
}

#[test]
fn a_channel_is_published_as_its_table_says() {
    let place = Place::new();
    let cube = place.path().join("own.cube");
    let export = place.path().join("export");
    let lut = "LUT_3D_SIZE 2\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n";
    std::fs::write(&cube, lut).unwrap();
    let file = write(
        &place,
        &format!(
            "backend = 'memory'\nno-state = true\nport = 0\nexport = '{}'\n[channel.cam1]\nlayout = 'unity'\nstream-name = 'LED wall'\n\
             [channel.cam2]\nsource = '{}'\nexport = false\n",
            export.display(),
            cube.display()
        ),
    );
    let server = Place::listening(place.command(&["--config", &file]));
    server.wait_for_line("has the 2³ LUT of");
    for channel in ["cam1", "cam3"] {
        let sent = place.run(&["send", "--identity", "3", "--channel", channel, "--port", &server.port]);
        assert!(sent.status.success(), "{}", stderr(&sent));
    }
    let started = |stream: &str| server.wait_for_line(&format!("stream {stream:?} started"));
    assert!(started("LED wall").contains("unity"));
    assert!(started("vglb-lut-cam2").contains("2³") && started("vglb-lut-cam3").contains("vglb"));
    // cam2 had its LUT first, and would have its file by the time the last one has.
    let deadline = std::time::Instant::now() + program::PATIENCE;
    while !export.join("cam3.cube").exists() || !export.join("cam1.cube").exists() {
        assert!(std::time::Instant::now() < deadline, "{}", server.output());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(!export.join("cam2.cube").exists());
}

#[test]
fn two_channels_cannot_have_one_stream() {
    let place = Place::new();
    for (text, says) in [
        (
            "[channel.a]\nstream-name = 'wall'\n[channel.b]\nstream-name = 'wall'",
            "channel \"a\" and channel \"b\" would both be the stream \"wall\"",
        ),
        (
            "[channel.a]\nstream-name = 'vglb-lut-b'\n[channel.b]\nlayout = 'unity'",
            "channel \"a\" and channel \"b\" would both be the stream \"vglb-lut-b\"",
        ),
        (
            "stream-name = 'wall'\n[channel.a]\nstream-name = 'wall'",
            "the channel without a name and channel \"a\" would both be the stream \"wall\"",
        ),
    ] {
        let file = write(&place, text);
        for command in [&["config", "check"][..], &["serve"]] {
            let out = place.run(&[command, &["--config", &file]].concat());
            assert_eq!(out.status.code(), Some(2), "{text}");
            assert!(stderr(&out).contains(says), "{text}: {}", stderr(&out));
        }
    }
}
