//! `vglb inspect`: what it says of a file.

#![allow(clippy::unwrap_used)]

use std::process::Command;
use virtual_gpu_lut_box::lut::file::{self, WriteOptions};
use virtual_gpu_lut_box::lut::{GridSize, Lut3d};

fn inspect(arguments: &[&std::ffi::OsStr]) -> (bool, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_vglb")).arg("inspect").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.success(), text(done.stdout), text(done.stderr))
}

#[test]
fn it_says_what_a_lut_does() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.cube");
    let mut lut = Lut3d::identity(GridSize::new(3).unwrap());
    lut.entries_mut()[13] = [0.5, 0.75, 0.5];
    lut.entries_mut()[26] = [1.5, 0.25, 1.0];
    let options = WriteOptions { title: Some("Look".into()), ..WriteOptions::default() };
    file::write(&path, &lut, &options).unwrap();
    let (fine, said, _) = inspect(&[path.as_os_str()]);
    assert!(fine);
    for want in [
        "a.cube: .cube, \"Look\"",
        "holds        a 3D LUT of 3³\n",
        "grid size    3, 27 entries",
        "red          0 to 1.5",
        "outside 0–1  1 of 27 entries",
        "middle grey  0.5 0.75 0.5",
        "white        1.5 0.25 1",
        "get a cast of up to 1.25, at 1; green falls in 1 step along the grey axis",
        "green falls in 1 step along its own axis, of 18 steps; most green behind r=2, g=1, b=2, by 0.25",
        "differs by up to 0.75 (r=2, g=2, b=2)",
    ] {
        assert!(said.contains(want), "{want} in {said}");
    }
    let (fine, said, _) = inspect(&[path.as_os_str(), "--json".as_ref()]);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(fine);
    assert_eq!((&json["grid_size"], &json["title"], &json["format"]), (&3.into(), &"Look".into(), &"cube".into()));
    assert_eq!(json["entries_out_of_range"], 1);
    assert_eq!(json["neutral"]["white"], serde_json::json!([1.5, 0.25, 1.0]));
    assert_eq!(json["monotonic"]["at"], serde_json::json!([2, 1, 2]));
    assert_eq!(json["identity"]["largest_difference"], 0.75);
}

#[test]
fn the_identity_and_a_cdl_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("i.3dl");
    file::write(&path, &Lut3d::identity(GridSize::new(17).unwrap()), &WriteOptions::default()).unwrap();
    let (_, said, _) = inspect(&[path.as_os_str()]);
    assert!(said.contains("stay grey; nothing falls along the grey axis"), "{said}");
    let path = dir.path().join("c.cc");
    std::fs::write(&path, "<ColorCorrection id=\"shot 1\"/>").unwrap();
    let (_, said, _) = inspect(&[path.as_os_str()]);
    assert!(said.contains("c.cc: .cc, \"shot 1\"") && said.contains("holds        a CDL (slope 1.0000"), "{said}");
    assert!(said.contains(", evaluated below") && said.contains("it is the identity"), "{said}");
    let (fine, _, why) = inspect(&[dir.path().join("none.cube").as_os_str()]);
    assert!(!fine && why.contains("none.cube: "), "{why}");
}
