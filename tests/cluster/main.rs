//! A hub and its nodes, as processes. Where nothing else is said they are on this computer alone, find one another by
//! places that they are given, and send nothing to any network.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod access;
mod network;
#[path = "../program/mod.rs"]
mod program;
mod stage;
#[path = "../wire/mod.rs"]
mod wire;

use stage::{Hub, free_port, nodes, until};
use wire::{pattern, strip};

const CAM: &str = "vglb-lut-cam";

#[test]
fn every_bit_reaches_every_node() {
    let hub = Hub::start(&[]);
    let (one, two) = (hub.follow("one", &[]), hub.follow("two", &["--channels", "no*", "--map", "cam=left"]));
    for (seed, n) in [17, 33, 65, 128, 33].into_iter().enumerate() {
        let lut = pattern(n, seed as u32);
        hub.send("cam", &lut);
        let wanted = strip(n, &lut);
        one.shows(CAM, &wanted);
        two.shows("vglb-lut-left", &wanted);
    }
    hub.send("other", &pattern(17, 9));
    one.shows("vglb-lut-other", &strip(17, &pattern(17, 9)));
    assert!(!two.streams().contains("other"), "{}", two.streams());
}

#[test]
fn entries_listed_red_fastest_are_the_same_lut_everywhere() {
    let hub = Hub::start(&["--entry-order", "red-fastest"]);
    let node = hub.follow("node", &[]);
    let lut = pattern(5, 1);
    hub.send("cam", &lut);
    hub.shows(CAM, &node.texture(CAM, 5));
    assert_ne!(node.texture(CAM, 5), strip(5, &lut), "the order does not matter, and the test shows nothing");
}

#[test]
fn a_late_node_and_one_that_begins_again_have_the_newest_lut_at_once() {
    let hub = Hub::start(&[]);
    (0..5).for_each(|seed| hub.send("cam", &pattern(17, seed)));
    let wanted = strip(17, &pattern(17, 4));
    let mut node = hub.follow("late", &[]);
    node.shows(CAM, &wanted);
    node.running.signal("KILL");
    node.running.wait();
    let again = hub.follow("late", &[]);
    again.shows(CAM, &wanted);
}

#[test]
fn a_hub_that_is_killed_changes_nothing_and_is_followed_again_when_it_is_back() {
    let mut hub = Hub::start(&[]);
    let node = hub.follow("node", &[]);
    for seed in 0..9 {
        hub.send("cam", &pattern(17, seed));
    }
    let before = strip(17, &pattern(17, 8));
    node.shows(CAM, &before);
    hub.running.signal("KILL");
    hub.running.wait();
    node.running.wait_for_line("no hub of cluster \"wall\" is heard any more; every stream keeps its LUT");
    assert_eq!(node.texture(CAM, 17), before);
    // Its revisions begin again at 1, and are taken.
    let hub = hub.again();
    node.running.wait_for_line("a hub is heard again");
    hub.send("cam", &pattern(33, 50));
    node.shows(CAM, &strip(33, &pattern(33, 50)));
    let late = hub.follow("late", &[]);
    late.shows(CAM, &strip(33, &pattern(33, 50)));
}

#[test]
fn of_two_hubs_the_one_with_the_higher_priority_is_followed_and_the_other_is_told_of() {
    let mut main = Hub::start(&["--cluster-name", "main", "--cluster-priority", "5"]);
    let spare = Hub::start(&["--cluster-name", "spare", "--cluster-priority", "1", "--cluster-connect", &main.place()]);
    let node = main.follow("node", &["--cluster-connect", &spare.place()]);
    spare.send("cam", &pattern(17, 1));
    node.shows(CAM, &strip(17, &pattern(17, 1)));
    main.send("cam", &pattern(17, 2));
    node.shows(CAM, &strip(17, &pattern(17, 2)));
    spare.send("cam", &pattern(17, 3));
    node.running.wait_for_line("comes from two hubs: \"main\", with priority 5, goes before \"spare\"");
    spare.running.wait_for_line("comes from hub \"main\" as well, which goes first; this one has priority 1");
    main.running.wait_for_line("comes from hub \"spare\" as well; this one, with priority 5, goes first");
    let seen = until(|| {
        let seen = nodes(&main);
        let hubs = seen["hubs"].as_array()?;
        (hubs.len() == 2 && hubs.iter().all(|hub| hub["channels"][0].is_object())).then_some(seen)
    });
    assert_eq!(seen["hubs"][0]["channels"][0]["yields_to"], serde_json::Value::Null, "{seen}");
    assert_eq!(seen["hubs"][1]["channels"][0]["yields_to"], "main", "{seen}");
    assert_eq!(node.texture(CAM, 17), strip(17, &pattern(17, 2)));
    // The picture stays when the hub dies; then the other one's next LUT is taken.
    main.running.signal("KILL");
    main.running.wait();
    let wanted = strip(17, &pattern(17, 4));
    until(|| {
        spare.send("cam", &pattern(17, 4));
        (node.texture(CAM, 17) == wanted).then_some(())
    });
}

#[test]
fn a_node_that_stands_still_is_told_of_and_catches_up() {
    let hub = Hub::start(&["--metrics", "127.0.0.1:0"]);
    let node = hub.follow("node", &["--metrics", "127.0.0.1:0"]);
    hub.send("cam", &pattern(17, 1));
    node.shows(CAM, &strip(17, &pattern(17, 1)));
    hub.running.wait_for_line("node \"node\" is there");
    node.running.signal("STOP");
    hub.send("cam", &pattern(17, 2));
    hub.running.wait_for_line("node \"node\" is silent: nothing is heard of it");
    let seen = until(|| Some(nodes(&hub)).filter(|seen| seen["nodes"][0]["state"] == "silent"));
    assert!(seen["nodes"][0]["last_seen_seconds"].as_f64().unwrap() > 1.5, "{seen}");
    assert!(hub.metrics().contains("vglb_cluster_nodes{state=\"silent\"} 1\n"), "{}", hub.metrics());
    node.running.signal("CONT");
    node.shows(CAM, &strip(17, &pattern(17, 2)));
    hub.running.wait_for_line("node \"node\" is in step again");
    let seen = until(|| Some(nodes(&hub)).filter(|seen| seen["nodes"][0]["state"] == "in-step"));
    let channel = &seen["nodes"][0]["channels"][0];
    assert_eq!((&channel["channel"], &channel["stream"]), (&"cam".into(), &CAM.into()), "{seen}");
    assert_eq!(channel["revision"], channel["newest_revision"], "{seen}");
    let metrics = node.metrics();
    let revision = format!("vglb_cluster_revision{{channel=\"cam\",stream=\"{CAM}\"}} {}\n", channel["revision"]);
    assert!(metrics.contains(&revision) && metrics.contains("vglb_cluster_skew_seconds{"), "{revision}{metrics}");
}

#[test]
fn bypass_and_hold_travel_and_late_nodes_have_them_too() {
    let hub = Hub::start(&["--dashboard", "127.0.0.1:0"]);
    let node = hub.follow("node", &[]);
    let lut = |seed| strip(17, &pattern(17, seed));
    hub.send("cam", &pattern(17, 1));
    node.shows(CAM, &lut(1));
    hub.ctl(&["hold", "cam", "on"]);
    hub.send("cam", &pattern(17, 2));
    until(|| (nodes(&hub)["hubs"][0]["channels"][0]["hold"] == true).then_some(()));
    let late = hub.follow("late", &[]);
    late.shows(CAM, &lut(1));
    hub.ctl(&["bypass", "cam", "on"]);
    let identity = hub.texture(CAM, 17);
    assert_ne!(identity, lut(1));
    node.shows(CAM, &identity);
    late.shows(CAM, &identity);
    hub.ctl(&["bypass", "cam", "off"]);
    node.shows(CAM, &lut(1));
    hub.ctl(&["hold", "cam", "off"]);
    node.shows(CAM, &lut(2));
    late.shows(CAM, &lut(2));
}

#[test]
fn a_lut_takes_effect_when_it_says_and_what_that_came_to_is_shown() {
    let hub = Hub::start(&["--cluster-lead", "400"]);
    let both = [hub.follow("one", &[]), hub.follow("two", &[])];
    for seed in 0..3 {
        hub.send("cam", &pattern(33, seed));
        both.iter().for_each(|node| node.shows(CAM, &strip(33, &pattern(33, seed))));
    }
    let seen = until(|| {
        let seen = nodes(&hub);
        let has = |node: &serde_json::Value| node["channels"][0]["revision"] == 3;
        (seen["nodes"].as_array()?.iter().filter(|node| has(node)).count() == 2).then_some(seen)
    });
    for node in seen["nodes"].as_array().unwrap() {
        let skew = node["channels"][0]["skew_ms"].as_f64().unwrap();
        assert!(skew >= 0.0, "before its time: {seen}");
        println!("skew {skew} ms, worst {}", node["channels"][0]["worst_skew_ms"]);
    }
}

#[test]
fn a_node_takes_no_lut_beyond_its_limits() {
    let hub = Hub::start(&[]);
    let node = hub.follow("node", &["--max-lut-size", "17", "--max-channels", "1"]);
    hub.send("cam", &pattern(17, 1));
    node.shows(CAM, &strip(17, &pattern(17, 1)));
    hub.send("cam", &pattern(33, 2));
    node.running.wait_for_line("a LUT of grid size 33 is over this node's limit of 17 (--max-lut-size)");
    hub.send("second", &pattern(17, 3));
    node.running.wait_for_line("there are 1 channels already, the most that this server takes");
    assert_eq!(node.texture(CAM, 17), strip(17, &pattern(17, 1)));
    hub.send("cam", &pattern(17, 4));
    node.shows(CAM, &strip(17, &pattern(17, 4)));
}

#[test]
fn a_node_waits_for_its_hub_and_shows_what_it_remembers_until_then() {
    let port = free_port();
    let hub = Hub::at(port, &[]);
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let options = ["--state-dir", state.to_str().unwrap()];
    let mut node = hub.follow("node", &options);
    hub.send("cam", &pattern(17, 1));
    node.shows(CAM, &strip(17, &pattern(17, 1)));
    node.running.signal("TERM");
    assert_eq!(node.running.wait().code(), Some(0));
    hub.running.wait_for_line("node \"node\" has left");
    drop(hub);
    let node = stage::Node::start(&format!("127.0.0.1:{port}"), "node", &options);
    node.shows(CAM, &strip(17, &pattern(17, 1)));
    let hub = Hub::at(port, &[]);
    hub.send("cam", &pattern(17, 2));
    node.shows(CAM, &strip(17, &pattern(17, 2)));
}

#[test]
fn nobody_there_is_said() {
    let place = program::Place::new();
    let connect = format!("127.0.0.1:{}", free_port());
    let listen = ["--cluster-interface", "127.0.0.1", "--time", "0.2"];
    let out = place.run(&[&["nodes", "--cluster", "wall", "--cluster-connect", &connect][..], &listen].concat());
    assert!(out.status.success(), "{}", program::stderr(&out));
    assert!(program::stderr(&out).contains("no hub and no node of cluster \"wall\" was heard within 0.2 s"));
    let out = place.run(&["nodes", "--cluster", "wall", "--cluster-interface", "nowhere7"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(program::stderr(&out).contains("there is no network interface \"nowhere7\""), "{}", program::stderr(&out));
}
