use super::*;

fn server(number: usize, name: &str) -> Description {
    Description { id: format!("info.v002.Syphon.{number}"), name: name.into(), application: "app".into(), cdl: None }
}

fn names(known: &Known) -> Vec<&str> {
    known.servers.iter().map(|s| s.name.as_str()).collect()
}

#[test]
fn servers_are_known_from_their_announcement_to_their_end() {
    let mut known = Known::default();
    known.announced(server(1, "a"));
    known.announced(server(2, "b"));
    known.announced(server(1, "another name"));
    assert_eq!(names(&known), ["a", "b"], "an announcement changes nothing in a server that is known");
    known.updated(server(1, "c"));
    known.updated(server(3, "not announced"));
    assert_eq!(names(&known), ["c", "b"]);
    known.retired(&server(1, "").id);
    known.retired("nobody");
    assert_eq!(names(&known), ["b"]);
}

#[test]
fn a_server_that_says_nothing_for_six_seconds_is_forgotten() {
    let mut known = Known::default();
    let begin = Instant::now();
    let at = |millis| begin + Duration::from_millis(millis);
    known.announced(server(1, "quiet"));
    known.announced(server(2, "lively"));
    assert!(known.requested(at(0)));
    known.announced(server(2, "lively"));
    known.announced(server(3, "new"));
    // Another program's request, while the first is still open, gives nobody more time.
    assert!(!known.requested(at(4000)), "it is no new request");
    known.forget_the_silent(at(5999));
    assert_eq!(names(&known), ["quiet", "lively", "new"]);
    known.forget_the_silent(at(6000));
    assert_eq!(names(&known), ["lively", "new"]);
    known.forget_the_silent(at(60_000));
    assert_eq!(names(&known), ["lively", "new"], "nobody has asked since");
    assert!(known.requested(at(70_000)));
    assert!(known.requested(at(76_000)));
    assert!(known.servers.is_empty());
}
