use super::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use tempfile::TempDir;

fn private() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("streams");
    (parent, path)
}

fn claim(path: &Path, stream: &str) -> Result<Claim, TextureError> {
    Directory::create(path).unwrap().claim(stream)
}

fn error<T>(result: Result<T, TextureError>) -> String {
    result.err().expect("it was taken").to_string()
}

fn files(path: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_directory_follows_the_environment() {
    let (yes, no) = (|_: &Path| true, |_: &Path| false);
    let own = || Some(PathBuf::from("/own"));
    let xdg = || Some(PathBuf::from("/xdg"));
    assert_eq!(path_from(own(), xdg(), 7, yes), Path::new("/own"));
    assert_eq!(path_from(None, xdg(), 7, yes), Path::new("/xdg/virtual-gpu-lut-box"));
    assert_eq!(path_from(None, None, 7, yes), Path::new("/run/user/7/virtual-gpu-lut-box"));
    assert_eq!(path_from(None, None, 7, no), Path::new("/tmp/virtual-gpu-lut-box-7"));
}

#[test]
fn it_is_made_private_and_only_a_private_one_is_used() {
    let (parent, path) = private();
    assert!(Directory::open(&path).unwrap().is_none());
    Directory::create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    for mode in [0o710, 0o702, 0o755] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let e = error(Directory::open(&path));
        assert!(e.contains(&format!("has mode {mode:04o}")) && e.contains("chmod 700"), "{e}");
        assert!(Directory::create(&path).is_err());
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let link = parent.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(Directory::open(&link).is_err(), "a symbolic link could be turned to another place");
    let e = error(Directory::create(&parent.path().join("missing/streams")));
    assert!(e.contains("missing/streams") && e.contains("No such file"), "{e}");
}

#[test]
fn a_socket_listens_from_the_moment_it_is_there_and_is_gone_with_its_claim() {
    let (_parent, path) = private();
    let claimed = claim(&path, "a/b").unwrap();
    assert_eq!(files(&path), [".lock", "a%2Fb.sock"]);
    let directory = Directory::open(&path).unwrap().unwrap();
    assert_eq!(directory.names().unwrap(), ["a/b"]);
    assert!(matches!(directory.connect("a/b").unwrap(), Connection::Made(_)));
    assert!(claimed.is_in_place());
    assert_eq!(fs::metadata(path.join("a%2Fb.sock")).unwrap().permissions().mode() & 0o777, 0o600);
    drop(claimed);
    assert_eq!(files(&path), [".lock"]);
    assert!(matches!(directory.connect("a/b").unwrap(), Connection::Absent));
}

#[test]
fn a_living_senders_name_is_taken_and_a_dead_ones_is_not() {
    let (_parent, path) = private();
    let living = claim(&path, "one").unwrap();
    let e = error(claim(&path, "one"));
    assert!(e.contains("already published by") && e.contains(&format!("({})", std::process::id())), "{e}");
    assert!(living.is_in_place());

    // What a killed process leaves: a socket that nobody listens to.
    let stale = path.join("two.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    let taken_over = claim(&path, "two").unwrap();
    assert!(taken_over.is_in_place());
    // Nor does a half-made one get into the way.
    drop(std::os::unix::net::UnixListener::bind(path.join(UNFINISHED)).unwrap());
    drop(claim(&path, "three").unwrap());
    assert_eq!(files(&path), [".lock", "one.sock", "two.sock"]);
}

#[test]
fn a_socket_left_behind_is_cleared_away_by_who_meets_it() {
    let (_parent, path) = private();
    let directory = Directory::create(&path).unwrap();
    drop(std::os::unix::net::UnixListener::bind(path.join("dead.sock")).unwrap());
    assert!(matches!(directory.connect("dead").unwrap(), Connection::Stale));
    assert!(matches!(directory.connect("dead").unwrap(), Connection::Absent));
}

#[test]
fn what_is_no_socket_of_this_transport_is_left_alone() {
    let (_parent, path) = private();
    Directory::create(&path).unwrap();
    fs::write(path.join("file.sock"), "precious").unwrap();
    let e = error(claim(&path, "file"));
    assert!(e.contains("file.sock is not a socket; remove it"), "{e}");
    assert_eq!(fs::read_to_string(path.join("file.sock")).unwrap(), "precious");
    let _other_kind = std::os::unix::net::UnixListener::bind(path.join("other.sock")).unwrap();
    let e = error(claim(&path, "other"));
    assert!(e.contains("already published by a program that speaks something else"), "{e}");
    assert!(path.join("other.sock").exists());
}

#[test]
fn a_claim_removes_its_own_socket_only() {
    let (_parent, path) = private();
    let first = claim(&path, "x").unwrap();
    fs::remove_file(path.join("x.sock")).unwrap();
    assert!(!first.is_in_place());
    let second = claim(&path, "x").unwrap();
    drop(first);
    assert!(second.is_in_place(), "the first one's end took the second one's socket");
}

#[test]
fn long_directories_and_names_are_no_matter() {
    let (_parent, path) = private();
    Directory::create(&path).unwrap();
    let deep = path.join("d".repeat(200));
    let name = "/".repeat(66) + "ü";
    let _claimed = claim(&deep, &name).unwrap();
    let directory = Directory::open(&deep).unwrap().unwrap();
    assert!(matches!(directory.connect(&name).unwrap(), Connection::Made(_)));
}

#[test]
fn a_lock_that_never_comes_is_an_error_and_not_a_stall() {
    let (_parent, path) = private();
    let directory = Directory::create(&path).unwrap();
    let _held = directory.lock().unwrap();
    assert!(directory.try_lock().unwrap().is_none());
    let e = error(claim(&path, "x"));
    assert!(e.contains("has been locked by another process for 2s"), "{e}");
}

#[test]
fn a_lock_file_that_was_deleted_locks_nobody_out() {
    let (_parent, path) = private();
    let directory = Directory::create(&path).unwrap();
    let _held_in_vain = directory.lock().unwrap();
    fs::remove_file(path.join(LOCK)).unwrap();
    assert!(directory.try_lock().unwrap().is_some());
}
