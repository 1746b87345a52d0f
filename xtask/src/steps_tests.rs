//! What holds for the table of steps as a whole, and which steps a choice means.

use super::*;
use std::collections::HashSet;

fn names(choice: Choice, os: &str) -> Vec<&'static str> {
    choice.steps(os).expect("known").iter().map(|s| s.name).collect()
}

#[test]
fn names_are_words_and_differ() {
    let mut seen = HashSet::new();
    for step in STEPS {
        assert!(step.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", step.name);
        assert!(seen.insert(step.name), "{} twice", step.name);
        assert!(!step.groups.is_empty() && !step.proves.is_empty(), "{}", step.name);
    }
}

#[test]
fn all_of_the_small_groups_is_part_of_test() {
    let elsewhere = |step: &&Step| step.groups.contains(&Advisories) || step.groups.contains(&ByName);
    for step in STEPS.iter().filter(|s| !elsewhere(s)) {
        assert!(step.groups.contains(&Test), "{} would never run in continuous integration", step.name);
    }
}

#[test]
fn the_cheapest_steps_come_first() {
    let all = names(Choice::Group(Test), "linux");
    assert_eq!(all[..4], ["fmt", "house", "links", "clippy"]);
    assert_eq!(names(Choice::Group(Fast), "linux"), ["fmt", "house", "links", "clippy", "tests"]);
}

#[test]
fn foreign_platforms_are_checked_on_linux() {
    let cross = names(Choice::Group(Cross), "linux");
    assert_eq!(cross, ["clippy-windows", "clippy-mac", "link-mac", "clippy-syphon-client", "build-windows"]);
    assert!(names(Choice::Group(Cross), "windows").is_empty());
    assert!(!names(Choice::Group(Test), "windows").contains(&"clippy-windows"));
    assert_eq!(Choice::Group(Cross).elsewhere("linux"), [("build-mac", "macos")]);
    assert!(Choice::Group(Cross).elsewhere("windows").contains(&("clippy-windows", "linux")));
}

#[test]
fn named_steps_run_in_the_tables_order() {
    let choice = Choice::Named(vec!["tests".into(), "fmt".into()]);
    assert_eq!(names(choice, "windows"), ["fmt", "tests"]);
}

#[test]
fn a_step_that_cannot_be_is_refused() {
    let refused = |name: &str, os| Choice::Named(vec![name.into()]).steps(os).err().expect("refused");
    assert!(refused("fmtt", "linux").starts_with("\"fmtt\" is no step; there are fmt, house, "));
    assert_eq!(refused("build-windows", "macos"), "build-windows runs on linux only, and this is macos");
}
