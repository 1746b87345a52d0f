//! LUTs that come from files and go to files while a server runs, with the real program.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod program;

use program::{PATIENCE, Place, Running, stderr};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::lut::file::{self, Existing, ReadOptions, WriteOptions};
use virtual_gpu_lut_box::lut::{Cdl, GridSize, Lut3d};

fn value(v: f32) -> Lut3d {
    Lut3d::from_fn(GridSize::new(3).unwrap(), |_| [v; 3])
}

fn write(path: &Path, lut: &Lut3d) {
    file::write(path, lut, &WriteOptions { existing: Existing::Replace, ..WriteOptions::default() }).unwrap();
}

/// Waits until a file holds `lut`. A file that is there is always whole.
fn wait_for(path: &Path, lut: &Lut3d, server: &Running) {
    wait_until(path, server, |there| there == lut);
}

/// The same, where arithmetic may round otherwise.
fn wait_for_about(path: &Path, lut: &Lut3d, server: &Running) {
    wait_until(path, server, |there| {
        let mut pairs = there.entries().iter().flatten().zip(lut.entries().iter().flatten());
        there.size() == lut.size() && pairs.all(|(a, b)| (a - b).abs() < 1e-6)
    });
}

fn wait_until(path: &Path, server: &Running, is: impl Fn(&Lut3d) -> bool) {
    let begun = Instant::now();
    while !path.exists() || !is(&file::read(path, &ReadOptions::default()).unwrap().lut) {
        assert!(begun.elapsed() < PATIENCE, "{} is not there:\n{}", path.display(), server.output());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_file_is_followed_from_its_folder_to_the_export() {
    let place = Place::new();
    let (from, to) = (place.path().join("in.cube"), place.path().join("out"));
    write(&from, &value(0.25));
    let source = format!("wall={}", from.display());
    let export = to.display().to_string();
    let server = place.serve(&["--source", &source, "--export", &export, "--export-rate", "100"]);
    wait_for(&to.join("wall.cube"), &value(0.25), &server);
    fs::write(&from, "LUT_3D_SIZE 3\nhalf a").unwrap();
    server.wait_for_line("stays as it is");
    write(&from, &value(0.75));
    wait_for(&to.join("wall.cube"), &value(0.75), &server);
    server.signal("INT");
}

/// Every kind of file that is no plain 3D LUT, one after the other on channels of their own.
#[test]
fn a_source_that_is_no_plain_lut_is_baked_and_errors_name_its_line() {
    let place = Place::new();
    let to = place.path().join("out");
    let cdl = |power: &str| {
        format!(
            "<ColorDecisionList>\n<ColorDecision>\n<ColorCorrection id=\"a\">\n<SOPNode>\n<Slope>0.5 0.5 0.5</Slope>\n\
             <Offset>0.25 0.25 0.25</Offset>\n<Power>{power}</Power>\n</SOPNode>\n</ColorCorrection>\n\
             </ColorDecision>\n</ColorDecisionList>\n"
        )
    };
    let cc = "<ColorCorrection id=\"a\"><SatNode><Saturation>0.5</Saturation></SatNode></ColorCorrection>";
    let ccc = format!("<ColorCorrectionCollection>{cc}</ColorCorrectionCollection>");
    let shaped = "LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n0 0 0\n0.5 0.5 0.5\n\
                  0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n";
    let files = [("a.cdl", cdl("1 1 1")), ("b.cc", cc.into()), ("c.ccc", ccc), ("d.cube", shaped.into())];
    let mut arguments = vec!["--export".to_owned(), to.display().to_string(), "--export-rate".into(), "100".into()];
    for (name, text) in &files {
        let path = place.path().join(name);
        fs::write(&path, text).unwrap();
        arguments.extend(["--source".into(), format!("{name}={}", path.display())]);
    }
    // In the configuration's table as well.
    let table = place.path().join("e.toml");
    fs::write(&table, format!("[channel.e]\nsource = '{}'\n", place.path().join("a.cdl").display())).unwrap();
    arguments.extend(["--config".into(), table.display().to_string()]);
    let server = place.serve(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let identity = Lut3d::identity(GridSize::COMMON);
    let made = |f: &dyn Fn([f32; 3]) -> [f32; 3]| Lut3d::from_fn(GridSize::COMMON, |p| f(identity.at(p)));
    let halved = made(&|rgb| rgb.map(|v| v * 0.5 + 0.25));
    wait_for_about(&to.join("a.cdl.cube"), &halved, &server);
    wait_for_about(&to.join("e.cube"), &halved, &server);
    wait_for_about(&to.join("d.cube.cube"), &made(&|rgb| rgb.map(|v| v * 0.5)), &server);
    for name in ["b.cc", "c.ccc"] {
        let cdl = Cdl::new([1.0; 3], [0.0; 3], [1.0; 3], 0.5).unwrap();
        wait_for_about(&to.join(format!("{name}.cube")), &cdl.bake(GridSize::COMMON), &server);
    }
    server.wait_for_line("a.cdl, baked into a 33³ LUT");
    fs::write(place.path().join("a.cdl"), cdl("1 -2 1")).unwrap();
    let said = server.wait_for_line("power of green is -2");
    assert!(said.contains("a.cdl, line 7") && said.contains("stays as it is"), "{said}");
    fs::write(place.path().join("a.cdl"), cdl("1 x 1")).unwrap();
    let said = server.wait_for_line("is no number");
    assert!(said.contains("a.cdl, line 7"), "{said}");
    fs::write(place.path().join("a.cdl"), cdl("1 1 1").replace("0.25", "0")).unwrap();
    wait_for_about(&to.join("a.cdl.cube"), &made(&|rgb| rgb.map(|v| v * 0.5)), &server);
    server.signal("INT");
}

#[test]
fn a_watched_file_is_sent_again_and_a_server_that_comes_back_gets_it() {
    let place = Place::new();
    let (from, to) = (place.path().join("in.cube"), place.path().join("out"));
    write(&from, &value(0.25));
    let export = to.display().to_string();
    let server = place.serve(&["--export", &export, "--export-rate", "100"]);
    let name = from.display().to_string();
    let watching = Running::start(place.command(&["send", "--watch", &name, "--channel", "a", "--port", &server.port]));
    wait_for(&to.join("a.cube"), &value(0.25), &server);
    let port = server.port.clone();
    drop(server);
    write(&from, &value(0.5));
    watching.wait_for_line("not sent yet");
    let server = place.serve_at(&port, &["--export", &export, "--export-rate", "100"]);
    wait_for(&to.join("a.cube"), &value(0.5), &server);
    watching.signal("INT");
}

#[test]
fn an_export_that_fails_is_a_warning_and_a_later_success() {
    let place = Place::new();
    let to = place.path().join("out");
    fs::write(&to, "in the way").unwrap();
    let export = to.display().to_string();
    let server = place.serve(&["--export", &export]);
    assert!(place.run(&["send", "--identity", "3", "--channel", "a", "--port", &server.port]).status.success());
    server.wait_for_line("not exported");
    fs::remove_file(&to).unwrap();
    server.wait_for_line("LUTs are exported again");
    wait_for(&to.join("a.cube"), &Lut3d::identity(GridSize::new(3).unwrap()), &server);
}

/// A disk of 1 MiB takes the identity of 9³, and not that of 65³.
#[test]
fn a_full_disk_leaves_the_last_file_whole_and_is_written_again_when_there_is_room() {
    let place = Place::new();
    let to = place.path().join("full");
    fs::create_dir(&to).unwrap();
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "sh", "-c", "mount -t tmpfs -o size=1m none \"$0\" && exec \"$@\""]).arg(&to);
    command
        .args([env!("CARGO_BIN_EXE_vglb"), "serve", "--dashboard", "off", "--port", "0", "--no-state", "--export"])
        .arg(&to);
    command.env("VGLB_RUNTIME_DIR", place.streams()).env("VGLB_NO_CONFIG", "true");
    let server = Place::listening(command);
    let inside = Path::new("/proc").join(server.child.id().to_string()).join("root");
    let folder = inside.join(to.strip_prefix("/").unwrap());
    let identity = |n: u64| Lut3d::identity(GridSize::new(n).unwrap());
    let send = |n: &str| {
        let sent = place.run(&["send", "--identity", n, "--channel", "a", "--port", &server.port]);
        assert!(sent.status.success(), "{}", stderr(&sent));
    };
    send("9");
    wait_for(&folder.join("a.cube"), &identity(9), &server);
    send("65");
    let said = server.wait_for_line("is on its stream, but not exported: ");
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(file::read(&folder.join("a.cube"), &ReadOptions::default()).unwrap().lut, identity(9));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing unfinished is left");
    send("5");
    wait_for(&folder.join("a.cube"), &identity(5), &server);
    server.wait_for_line("LUTs are exported again");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let place = Place::new();
    for (arguments, why) in [
        (["--export-format", "doc"], "\"doc\" is no format"),
        (["--export-rate", "0"], "a rate is a number per second"),
        (["--source", "a.cube"], "a source is a channel and a file"),
        (["--cdl", "mix"], "it can be record, bake, before or after"),
        (["--cdl-style", "x"], "it can be asc or no-clamp"),
        (["--http-cdl", ":8008"], "the host before : is missing"),
    ] {
        let done = place.run(&[&["serve", "--port", "0", "--no-state"][..], &arguments].concat());
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&done).contains(why), "{}", stderr(&done));
    }
}
