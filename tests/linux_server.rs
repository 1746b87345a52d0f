//! The server and its streams on Linux, as processes: what is left behind, and who may disturb whom.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{PATIENCE, Place, Running, stderr, stdout};
use virtual_gpu_lut_box::lut::Cdl;
use virtual_gpu_lut_box::wire::client::Client;
use virtual_gpu_lut_box::wire::reply::Reply;

fn sockets(place: &Place) -> Vec<String> {
    let names = std::fs::read_dir(place.streams()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|n| n.ends_with(".sock")).collect()
}

fn send(place: &Place, server: &Running, size: &str, channel: &str) -> std::process::Output {
    place.run(&["send", "--identity", size, "--channel", channel, "--port", &server.port])
}

#[test]
fn a_stopped_server_tells_receivers_and_leaves_no_socket() {
    for signal in ["INT", "TERM"] {
        let place = Place::new();
        let mut server = place.serve(&[]);
        assert!(send(&place, &server, "17", "cam").status.success());
        assert_eq!(sockets(&place), ["vglb-lut-cam.sock"]);
        let receiver = Running::start(place.command(&["receive", "vglb-lut-cam"]));
        receiver.wait_for_line("vglb-lut-cam revision 1: 17³ as 289×17 vglb, R32G32B32A32_FLOAT, values 0 to 1");
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0));
        receiver.wait_for_line("stream \"vglb-lut-cam\" has ended; waiting for it to return");
        assert_eq!(sockets(&place), [""; 0]);
        // A receiver outlives its server.
        let server = place.serve(&[]);
        assert!(send(&place, &server, "33", "cam").status.success());
        receiver.wait_for_line("vglb-lut-cam revision 1: 33³ as 1089×33 vglb");
    }
}

#[test]
fn a_second_server_does_not_disturb_the_first_ones_streams() {
    let place = Place::new();
    let first = place.serve(&[]);
    assert!(send(&place, &first, "17", "cam").status.success());
    let second = place.serve(&[]);
    let refused = send(&place, &second, "33", "cam");
    assert_eq!(refused.status.code(), Some(1));
    let says = format!("the stream \"vglb-lut-cam\" is already published by vglb ({})", first.child.id());
    assert!(stderr(&refused).contains(&says), "{}", stderr(&refused));
    assert!(send(&place, &second, "33", "other").status.success());
    drop(second);
    assert!(send(&place, &first, "16", "cam").status.success());
    let seen = place.run(&["receive", "vglb-lut-cam", "--once", "--timeout", "20"]);
    assert!(stdout(&seen).contains("revision 2: 16³ as 256×16 vglb"), "{}", stdout(&seen));
}

#[test]
fn a_server_that_was_killed_leaves_nothing_in_its_successors_way() {
    let place = Place::new();
    let mut first = place.serve(&[]);
    assert!(send(&place, &first, "17", "cam").status.success());
    first.signal("KILL");
    first.wait();
    assert_eq!(stdout(&place.run(&["list"])), "", "a dead server's stream is not listed");
    let second = place.serve(&[]);
    assert!(send(&place, &second, "33", "cam").status.success());
    let seen = place.run(&["receive", "vglb-lut-cam", "--once", "--timeout", "20"]);
    assert!(stdout(&seen).contains("revision 1: 33³"), "{}", stdout(&seen));
}

#[test]
fn streams_are_listed_with_the_newest_cdl_values_of_their_channel() {
    let place = Place::new();
    let list = |name: &str| {
        let listed: serde_json::Value = serde_json::from_slice(&place.run(&["list", "--json"]).stdout).unwrap();
        listed.as_array().unwrap().iter().find(|s| s["name"] == name).unwrap()["cdl"].clone()
    };
    let server = place.serve_with_state(&[]);
    let port = server.port.parse().unwrap();
    let mut client = Client::connect("127.0.0.1", port, PATIENCE).unwrap();
    assert!(send(&place, &server, "17", "cam").status.success());
    assert_eq!(list("vglb-lut-cam"), serde_json::Value::Null);
    for slope in [1.25, 0.5] {
        let cdl = Cdl::new([slope, 1.0, 1.0], [0.0, -0.125, 0.0], [1.0, 1.0, 2.0], 0.75).unwrap();
        for channel in ["cam", "alone"] {
            assert_eq!(client.set_cdl(Some(channel), &cdl).unwrap(), Reply::Ok);
            let shown = serde_json::json!({
                "slope": [slope, 1.0, 1.0], "offset": [0.0, -0.125, 0.0], "power": [1.0, 1.0, 2.0], "saturation": 0.75,
            });
            assert_eq!(list(&format!("vglb-lut-{channel}")), shown, "at once, and with no panel");
        }
    }
    let listed = place.run(&["list"]);
    let text =
        "slope 0.5000 1.0000 1.0000, offset 0.0000 -0.1250 0.0000, power 1.0000 1.0000 2.0000, saturation 0.7500";
    assert_eq!(stdout(&listed).matches(text).count(), 2, "{}", stdout(&listed));
    let before = list("vglb-lut-cam");
    server.signal("TERM");
    let mut server = server;
    server.wait();
    let _again = place.serve_with_state(&[]);
    assert_eq!(list("vglb-lut-cam"), before, "after a restart");
}

#[test]
fn channels_of_any_name_are_listed_and_received_under_it() {
    let place = Place::new();
    let server = place.serve(&[]);
    let channels = ["cam A/1", "../../etc", ".hidden", "100%", "émission ✨", "a\nb\u{1b}[2J", "CAM a/1"];
    for channel in channels {
        assert!(send(&place, &server, "2", channel).status.success(), "{channel:?}");
    }
    let listed: serde_json::Value = serde_json::from_slice(&place.run(&["list", "--json"]).stdout).unwrap();
    let mut names: Vec<_> = listed.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect();
    let mut wanted = channels.map(|c| format!("vglb-lut-{c}"));
    names.sort();
    wanted.sort();
    assert_eq!(names, wanted);
    for stream in wanted {
        let seen = place.run(&["receive", &stream, "--once", "--timeout", "20"]);
        assert!(seen.status.success(), "{stream:?}: {}", stderr(&seen));
        assert!(!stdout(&seen).trim_end().contains(['\n', '\u{1b}']), "a name moves the cursor");
    }
    let long = send(&place, &server, "2", &"x".repeat(500));
    assert!(stderr(&long).contains("bytes"), "{}", stderr(&long));
    assert_eq!(long.status.code(), Some(1));
}

#[test]
fn without_vulkan_everything_goes_through_memory_and_info_says_why() {
    let place = Place::new();
    // In the loader's place, and found first, something that can't be loaded.
    std::fs::write(place.path().join("libvulkan.so.1"), "no library").unwrap();
    let command = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("LD_LIBRARY_PATH", place.path());
        command
    };
    let mut server = Running::start(command(&["serve", "--dashboard", "off", "--port", "0", "--gpu", "0"]));
    let line = server.wait_for_line("listening on ");
    server.port = line.split("127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    server.wait_for_line("textures are shared through memory only: there is no Vulkan loader on this computer");
    assert!(send(&place, &server, "17", "cam").status.success());
    let seen = command(&["receive", "vglb-lut-cam", "--once", "--timeout", "20"]).output().unwrap();
    assert!(stdout(&seen).contains("revision 1: 17³"), "{}", stderr(&seen));
    let info = stdout(&command(&["info"]).output().unwrap());
    assert!(info.contains("graphics: memory only: there is no Vulkan loader on this computer that can be"), "{info}");
    let seen = command(&["receive", "vglb-lut-cam", "--gpu", "--once", "--timeout", "20"]).output().unwrap();
    assert_eq!(seen.status.code(), Some(1));
    assert!(stderr(&seen).contains("error: there is no Vulkan loader on this computer"), "{}", stderr(&seen));
}

#[test]
fn a_server_at_its_memory_limit_refuses_what_is_larger_and_goes_on_with_what_it_has() {
    let place = Place::new();
    let server = place.serve(&["--memory-limit", "6MiB"]);
    // One address has half. Three slots of 33³ and a connection's buffer fit; three of 65³, or a second stream, do not.
    for _ in 0..8 {
        assert!(send(&place, &server, "33", "cam").status.success());
    }
    for (size, channel) in [("65", "cam"), ("48", "other")] {
        let refused = send(&place, &server, size, channel);
        assert_eq!(refused.status.code(), Some(1));
        assert!(stderr(&refused).contains("the memory limit of 6291456 bytes, of which "), "{}", stderr(&refused));
        server.wait_for_line("bytes more would go beyond the memory limit");
    }
    let seen = place.run(&["receive", "vglb-lut-cam", "--once", "--timeout", "20"]);
    assert!(stdout(&seen).contains("revision 8: 33³"), "{}", stdout(&seen));
    assert!(send(&place, &server, "17", "cam").status.success(), "a smaller one fits beside the old one");
    for _ in 0..4 {
        assert!(send(&place, &server, "36", "cam").status.success(), "what is not needed any more gives way");
    }
}

#[test]
fn receive_gives_up_when_told_to_and_says_what_there_is() {
    let place = Place::new();
    let nothing = place.run(&["receive", "vglb-lut-cam", "--timeout", "0.2"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(stderr(&nothing).contains("error: there is no stream \"vglb-lut-cam\"; nothing is being streamed"));
    let server = place.serve(&[]);
    assert!(send(&place, &server, "2", "cam").status.success());
    let silent = place.run(&["receive", "vglb-lut-cam", "--timeout", "0.2"]);
    assert_eq!(silent.status.code(), Some(1));
    assert!(stderr(&silent).contains("error: no new texture on \"vglb-lut-cam\" within 0.2 s"), "{}", stderr(&silent));
    let picture = place.path().join("x.jpeg");
    let unknown = place.run(&["receive", "vglb-lut-cam", "--once", "--out", picture.to_str().unwrap()]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("it can be .cube, .3dl, "), "{}", stderr(&unknown));
}

#[test]
fn a_picture_is_graded_from_a_stream_as_from_the_file_that_was_sent() {
    let place = Place::new();
    let server = place.serve(&[]);
    let path = |name: &str| place.path().join(name).display().to_string();
    let run = |words: &[&str]| {
        let output = place.run(words);
        assert!(output.status.success(), "{words:?}: {}", stderr(&output));
        stdout(&output)
    };
    let last = 16.0f32;
    let lut = virtual_gpu_lut_box::lut::Lut3d::from_fn(17u64.try_into().unwrap(), |[r, g, b]| {
        [b as f32 / last, 1.25 - r as f32 / last, g as f32 / last]
    });
    virtual_gpu_lut_box::lut::file::write(path("lut.cube").as_ref(), &lut, &Default::default()).unwrap();
    run(&["send", &path("lut.cube"), "--channel", "cam", "--port", &server.port]);
    run(&["pattern", "--out", &path("in.exr"), "--width", "256", "--height", "320", "--grid-size", "17"]);
    run(&["apply", &path("in.exr"), "--lut", &path("lut.cube"), "--out", &path("file.exr")]);
    let said = run(&["apply", &path("in.exr"), "--lut", "vglb-lut-cam", "--out", &path("stream.exr")]);
    assert!(
        said.contains("stream.exr: 256×320, float32 RGB OpenEXR, ") && said.ends_with("graded with vglb-lut-cam\n"),
        "{said}"
    );
    assert!(std::fs::read(path("file.exr")).unwrap() == std::fs::read(path("stream.exr")).unwrap());
    let none = place.run(&["apply", &path("in.exr"), "--lut", "vglb-lut-none", "--out", &path("none.exr")]);
    assert_eq!(none.status.code(), Some(1));
    let want = "no LUT file \"vglb-lut-none\" (it would end in .cube, .3dl, ";
    assert!(stderr(&none).contains(want), "{}", stderr(&none));
}
