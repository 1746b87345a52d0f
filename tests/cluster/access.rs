//! The worked example of docs/cluster.md: passwords, and nodes that speak with their hub alone.

use crate::program::Place;
use crate::stage::{Hub, nodes_with, until};
use crate::wire::{pattern, strip};

/// The example in the document that begins with this name, with the paths in it replaced.
fn example(name: &str, users: &str) -> String {
    let page = include_str!("../../docs/cluster.md");
    let begin = format!("// {name}\n");
    let code = page.split("```json5\n").find(|code| code.starts_with(&begin)).unwrap();
    code.split("```").next().unwrap().replace("/etc/vglb/users.txt", users)
}

#[test]
fn whoever_has_no_password_gets_nothing_and_whoever_has_one_is_no_hub() {
    let place = Place::new();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let (users, for_hub, for_node, wrong) =
        (path("users.txt"), path("hub.json5"), path("node.json5"), path("wrong.json5"));
    std::fs::write(&users, "stage:correct horse\n").unwrap();
    std::fs::write(&for_hub, example("hub.json5", &users)).unwrap();
    let node = example("node.json5", &users);
    assert!(node.contains("\"correct horse\""), "{node}");
    std::fs::write(&for_node, &node).unwrap();
    std::fs::write(&wrong, node.replace("correct horse", "wrong horse")).unwrap();

    let hub = Hub::start(&["--zenoh-config", &for_hub]);
    hub.send("cam", &pattern(17, 1));
    let let_in = hub.follow_with("let in", &["--zenoh-config", &for_node]);
    let kept_out = [hub.follow("no password", &[]), hub.follow_with("wrong one", &["--zenoh-config", &wrong])];
    let_in.shows("vglb-lut-cam", &strip(17, &pattern(17, 1)));
    let options = ["--cluster-name", "rogue", "--cluster-priority", "99", "--cluster-connect", &hub.place()];
    let rogue = Hub::start(&[&options[..], &["--zenoh-config", &for_node]].concat());
    rogue.send("cam", &pattern(17, 2));
    let seen = until(|| {
        let seen = nodes_with(&hub, &["--zenoh-config", &for_node]);
        (seen["nodes"].as_array()?.len() == 1).then_some(seen)
    });
    assert_eq!(seen["nodes"][0]["name"], "let in", "{seen}");
    assert_eq!((seen["hubs"].as_array().unwrap().len(), &seen["hubs"][0]["priority"]), (1, &0.into()), "{seen}");
    hub.send("cam", &pattern(17, 3));
    let_in.shows("vglb-lut-cam", &strip(17, &pattern(17, 3)));
    assert!(!let_in.running.output().contains("rogue"), "{}", let_in.running.output());
    assert!(kept_out.iter().all(|node| node.streams().is_empty()));
}
