//! The programs, as a user of a graphics device meets them.

use crate::device::gpu;
use crate::program::{Place, Running, stderr, stdout};

/// A server on the device under test, with a LUT on channel `cam`.
fn serve(place: &Place, size: &str) -> Running {
    let server = place.serve(&["--gpu", &chosen()]);
    let sent = place.run(&["send", "--identity", size, "--channel", "cam", "--port", &server.port]);
    assert!(sent.status.success(), "{}", stderr(&sent));
    server
}

fn chosen() -> String {
    gpu().facts().index.to_string()
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn receive_reads_through_the_device_and_compares_with_memory() {
    for size in ["2", "33", "65"] {
        let place = Place::new();
        let _server = serve(&place, size);
        let file = place.path().join("out.npy");
        let (device, file) = (format!("--gpu={}", chosen()), file.to_str().unwrap());
        let seen = place.run(&["receive", "vglb-lut-cam", &device, "--once", "--timeout", "30", "--out", file]);
        let (said, device) = (stdout(&seen), stderr(&seen));
        assert!(seen.status.success(), "{said}{device}");
        assert!(said.starts_with(&format!("vglb-lut-cam revision 1: {size}³ as ")), "{said}");
        assert!(said.contains(" images imported in "), "{said}");
        assert!(said.trim_end().ends_with("bit-exact against the memory ring: yes"), "{said}");
        let facts = gpu().facts();
        assert!(device.contains(&format!("device {}: {}, {}", facts.index, facts.name, facts.driver)), "{device}");
        // What was saved is what the device has read.
        let ring = place.path().join("ring.npy");
        let ring = ring.to_str().unwrap();
        assert!(place.run(&["receive", "vglb-lut-cam", "--once", "--timeout", "30", "--out", ring]).status.success());
        assert!(std::fs::read(file).unwrap() == std::fs::read(ring).unwrap());
    }
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn receive_follows_a_moving_grade_through_the_device() {
    let place = Place::new();
    let server = serve(&place, "17");
    let receiver = Running::start(place.command(&["receive", "vglb-lut-cam", &format!("--gpu={}", chosen())]));
    receiver.wait_for_line("vglb-lut-cam revision 1: 17³");
    let moving = ["send", "--moving", "21", "--channel", "cam", "--count", "30", "--port", &server.port];
    assert!(place.run(&moving).status.success());
    receiver.wait_for_line("vglb-lut-cam revision 31: 21³");
    let said = receiver.output();
    assert!(said.contains("yes") && !said.contains("memory ring: no"), "{said}");
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn receive_says_why_there_are_no_images() {
    let place = Place::new();
    let server = place.serve(&["--gpu", "off"]);
    assert!(place.run(&["send", "--identity", "4", "--channel", "cam", "--port", &server.port]).status.success());
    let device = format!("--gpu={}", chosen());
    for (arguments, says) in [
        (vec![device.as_str()], "images need a graphics device and driver that both use"),
        (vec!["--gpu=no such device"], "no graphics device is meant by \"no such device\"; there is "),
        (vec!["--gpu=off"], "graphics devices are switched off"),
        (vec!["--gpu", "--backend", "memory"], "the back end \"memory\" has no two ways to read a texture"),
    ] {
        let arguments = [&["receive", "vglb-lut-cam", "--once", "--timeout", "30"], &arguments[..]].concat();
        let refused = place.run(&arguments);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&refused).contains(says), "{arguments:?} says {}", stderr(&refused));
    }
    // Through memory it is there.
    assert!(place.run(&["receive", "vglb-lut-cam", "--once", "--timeout", "30"]).status.success());
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn info_says_of_each_device_whether_it_is_used() {
    let place = Place::new();
    let facts = gpu().facts();
    let devices = |arguments: &[&str]| {
        let out = place.run(&[&["info", "--json"], arguments].concat());
        let info: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let linux = info["backends"].as_array().unwrap().iter().find(|b| b["name"] == "linux").unwrap().clone();
        (linux["graphics_devices"][facts.index].clone(), linux["details"]["graphics"].as_str().unwrap().to_owned())
    };
    let (device, graphics) = devices(&[]);
    assert_eq!((&device["name"], &device["driver"]), (&facts.name.as_str().into(), &facts.driver.as_str().into()));
    assert_eq!((&device["usable"], &device["why"]), (&true.into(), &serde_json::Value::Null));
    assert!(graphics.starts_with("images"), "{graphics}");
    let (device, graphics) = devices(&["--gpu", "99"]);
    assert_eq!((&device["usable"], &device["why"]), (&false.into(), &"it is not the one chosen".into()));
    assert!(graphics.starts_with("memory only: no graphics device is meant by \"99\"; there is "), "{graphics}");
    let (_, graphics) = devices(&["--gpu", "off"]);
    assert_eq!(graphics, "memory only: graphics devices are switched off");
    let shown = stdout(&place.run(&["info"]));
    assert!(shown.contains(&format!("device {}: {}, {}: usable", facts.index, facts.name, facts.driver)), "{shown}");
    // A loader without a driver.
    let without = place.command(&["info"]).env("VK_ICD_FILENAMES", "/none").env("VK_DRIVER_FILES", "/none").output();
    let shown = stdout(&without.unwrap());
    assert!(shown.contains("memory only: Vulkan has no driver on this computer"), "{shown}");
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn a_server_that_is_told_of_a_device_that_is_not_there_says_so_and_serves() {
    let place = Place::new();
    let server = place.serve(&["--gpu", "no such device"]);
    server.wait_for_line("textures are shared through memory only: no graphics device is meant by \"no such device\"");
    assert!(place.run(&["send", "--identity", "4", "--channel", "cam", "--port", &server.port]).status.success());
    assert!(place.run(&["receive", "vglb-lut-cam", "--once", "--timeout", "30"]).status.success());
}
