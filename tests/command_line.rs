//! The command line, as a user meets it: the real program, its exit codes, and what it says.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{Place, stderr, stdout};
use std::net::TcpListener;
use std::process::Command;

#[test]
fn version_and_info_answer_without_serving() {
    let place = Place::new();
    let version = place.run(&["--version"]);
    assert!(version.status.success());
    assert_eq!(stdout(&version), format!("virtual-gpu-lut-box {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [&["--info"][..], &["info"]] {
        let info = place.run(arguments);
        assert!(info.status.success());
        assert!(stdout(&info).contains("R32G32B32A32_FLOAT, never 8-bit"), "{}", stdout(&info));
    }
    let json: serde_json::Value = serde_json::from_slice(&place.run(&["info", "--json"]).stdout).unwrap();
    assert_eq!(json["limits"]["largest_grid_size"], 128);
    assert!(json["backends"].as_array().unwrap().iter().any(|b| b["name"] == "memory" && b["status"] == "works"));
}

#[test]
fn both_names_of_the_command_do_the_same() {
    let long = Command::new(env!("CARGO_BIN_EXE_virtual-gpu-lut-box")).arg("--help").output().unwrap();
    let short = Command::new(env!("CARGO_BIN_EXE_vglb")).arg("--help").output().unwrap();
    assert!(long.status.success() && short.status.success());
    assert_eq!(stdout(&long).replace("virtual-gpu-lut-box", "vglb"), stdout(&short));
    for flag in ["--host", "--port", "--stream-name", "-v, --verbose", "--info-logging", "--info", "--version"] {
        assert!(stdout(&short).contains(flag), "{flag}");
    }
}

#[test]
fn a_flag_that_makes_no_sense_is_named_and_ends_with_code_2() {
    let place = Place::new();
    for (arguments, says) in [
        (&["--port", "99999"][..], "99999"),
        (&["--layout", "spiral"], "\"spiral\" is no layout; it can be vglb, unreal, unity, hald-clut"),
        (&["--entry-order", "green-fastest"], "it can be blue-fastest, red-fastest"),
        (&["--syphon-encoding", "float"], "\"float\" is no Syphon encoding; it can be byte-planes, 8bit"),
        (&["--gpu", ""], "\"\" is no choice of graphics device; it can be auto, off"),
        (&["--frobnicate"], "--frobnicate"),
        (&["send", "--identity", "1"], "grid size 1 is out of range: a 3D LUT has 2 to 256 entries along each axis"),
        (&["send"], "<FILE|--identity <N>|--moving [<N>]>"),
        (&["receive"], "<STREAM>"),
        (&["dance"], "dance"),
    ] {
        let out = place.run(arguments);
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&out).contains(says), "{arguments:?} says {}", stderr(&out));
        assert!(!stderr(&out).contains("listening"));
    }
}

#[test]
fn a_server_that_cannot_start_says_why_in_one_line_and_never_says_listening() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, says) in [
        (vec!["--port", &port], format!("error: port {port} on 127.0.0.1 is in use by another program")),
        (vec!["--host", "203.0.113.7"], "error: can't listen on 203.0.113.7:8089".into()),
        (vec!["--host", "no such host"], "error: can't listen on host \"no such host\"".into()),
        (vec!["--syphon-8bit"], "error: --syphon-encoding and --syphon-8bit are for Syphon; textures are".into()),
        (vec!["--backend", "carrier-pigeon"], "\"carrier-pigeon\" is no texture back end of this program".into()),
    ] {
        let out = place.run(
            &[&["--backend", "memory"][..], &arguments].concat()[if arguments[0] == "--backend" { 2 } else { 0 }..],
        );
        assert_eq!(out.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&out).contains(&says), "{arguments:?} says {}", stderr(&out));
        assert_eq!(stderr(&out).trim_end().lines().count(), 1, "{}", stderr(&out));
        assert!(!stderr(&out).contains("listening"));
    }
}

#[test]
fn the_default_log_is_quiet_and_verbose_shows_each_lut() {
    let place = Place::new();
    let quiet = place.serve(&["--backend", "memory"]);
    let loud = place.serve(&["--backend", "memory", "-v"]);
    for server in [&quiet, &loud] {
        for size in ["17", "17", "33"] {
            let sent = place.run(&["send", "--identity", size, "--channel", "cam", "--port", &server.port]);
            assert!(sent.status.success(), "{}", stderr(&sent));
            assert!(stdout(&sent).starts_with(&format!("accepted: {size}³ identity on channel \"cam\" in ")));
        }
        server.wait_for_line("is now 33³ as 1089×33 vglb");
        // Three clients came and went.
        while server.output().matches("left after 1 LUT").count() < 3 {
            std::thread::yield_now();
        }
    }
    let said = quiet.output();
    assert_eq!(said.lines().count(), 1 + 3 + 3 + 2, "{said}");
    assert!(
        said.contains(&format!("(this computer only; --host 0.0.0.0 --port {} opens it to the network)", quiet.port)),
        "{said}"
    );
    assert!(said.contains("stream \"vglb-lut-cam\" started: 17³ as 289×17 vglb"), "{said}");
    assert!(!said.contains("revision"), "{said}");
    assert_eq!(loud.output().matches("17³ LUT").count(), 2, "{}", loud.output());
    assert!(loud.output().contains("service=\"virtual-gpu-lut-box\" type=\"3D\""), "{}", loud.output());
}

#[test]
fn send_tells_by_its_exit_code_whether_everything_was_accepted() {
    let place = Place::new();
    let server = place.serve(&["--backend", "memory"]);
    let refused = place.run(&["send", "--identity", "33", "--channel", &"x".repeat(2000), "--port", &server.port]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).starts_with("refused: the channel name in \"instance\" is 2000 bytes long"));
    let moving = place.run(&["send", "--moving", "9", "--rate", "500", "--count", "30", "--port", &server.port]);
    assert!(moving.status.success());
    assert!(stdout(&moving).contains("30 accepted, 0 refused; latency mean "), "{}", stdout(&moving));
    drop(server);
    let nobody = place.run(&["send", "--identity", "2", "--port", "1"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(stderr(&nobody).starts_with("error: can't connect to 127.0.0.1:1: "), "{}", stderr(&nobody));
}

#[test]
fn a_lut_in_the_other_entry_order_is_warned_of_once_per_channel() {
    let place = Place::new();
    let server = place.serve(&["--backend", "memory"]);
    for channel in ["a", "a", "b"] {
        let arguments =
            ["send", "--identity", "17", "--entry-order", "red-fastest", "--channel", channel, "--port", &server.port];
        assert!(place.run(&arguments).status.success());
    }
    assert!(
        place
            .run(&["send", "--moving", "17", "--count", "3", "--channel", "c", "--port", &server.port])
            .status
            .success()
    );
    server.wait_for_line("channel \"b\": this LUT is far closer to the identity when its entries are read red-fastest");
    assert_eq!(server.output().matches("--entry-order red-fastest").count(), 2, "{}", server.output());
}

#[cfg(unix)]
#[test]
fn signals_end_the_server_cleanly() {
    for signal in ["INT", "TERM"] {
        let place = Place::new();
        let mut server = place.serve(&["--backend", "memory"]);
        // A service is told to read its settings again by this one, and goes on.
        server.signal("HUP");
        server.wait_for_line("(SIGHUP)");
        let sent = place.run(&["send", "--identity", "2", "--port", &server.port]);
        assert!(sent.status.success(), "{}", stderr(&sent));
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0), "{signal}");
        server.wait_for_line("stopping");
    }
}
