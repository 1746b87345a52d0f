//! The real program among other Spout programs, and as a user of Windows calls it. Runs on Windows, and on Linux under
//! Wine.
#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;
mod spout;

use program::{Place, stderr, stdout};
use serde_json::Value;
use spout::{Process, alone};
use std::process::Command;
use virtual_gpu_lut_box::texture::spout::seam::{SharedMemory, SharedObjects};
use virtual_gpu_lut_box::texture::windows::SessionObjects;

#[test]
#[ignore = "is the other process of the tests below"]
fn another_process() {
    spout::obey();
}

/// A sender of another program's: its place in the list, and its block.
fn foreign(name: &str, width: u32, height: u32, format: u32) -> [Box<dyn SharedMemory>; 2] {
    let list = SessionObjects.create_memory(b"SpoutSenderNames", 64 * 256).unwrap();
    let mut slots = vec![0; 64 * 256];
    list.read(&mut slots);
    let free = slots.chunks(256).position(|slot| slot[0] == 0).unwrap();
    slots[256 * free..][..name.len()].copy_from_slice(name.as_bytes());
    list.write(&slots);
    let block = SessionObjects.create_memory(name.as_bytes(), 280).unwrap();
    let numbers = [0x4000_0ffe, width, height, format, 0].map(u32::to_le_bytes);
    block.write(&[numbers.as_flattened(), b"D:\\Show\\player.exe"].concat());
    [list, block]
}

#[test]
fn senders_of_every_format_are_listed_with_its_name_and_the_one_that_they_got() {
    let _alone = alone();
    let (mut one, mut two) = (Process::start(false), Process::start(false));
    one.does("publish Bühne 33 1").unwrap();
    assert_eq!(two.does("publish Bühne 2 1").unwrap(), "B%C3%BChne_1 1");
    let _video = foreign("video", 1920, 1080, 87);
    let _half = foreign("video float", 3840, 2160, 10);
    let place = Place::new();
    let json = place.run(&["list", "--backend", "spout", "--json"]);
    assert!(json.status.success(), "{}", stderr(&json));
    let rows: Vec<Value> = serde_json::from_slice(&json.stdout).unwrap();
    let row = |r: &Value| {
        let text = |key: &str| r[key].as_str().unwrap().to_owned();
        (text("name"), r["width"].as_u64().unwrap(), r["height"].as_u64().unwrap(), text("format"))
    };
    let said: Vec<_> = rows.iter().map(row).collect();
    assert_eq!(
        said,
        [
            ("Bühne".to_owned(), 1089, 33, "R32G32B32A32_FLOAT".to_owned()),
            ("Bühne_1".to_owned(), 4, 2, "R32G32B32A32_FLOAT".to_owned()),
            ("video".to_owned(), 1920, 1080, "B8G8R8A8_UNORM".to_owned()),
            ("video float".to_owned(), 3840, 2160, "R16G16B16A16_FLOAT".to_owned()),
        ]
    );
    let test_program = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    assert_eq!((rows[0]["sender"].as_str(), rows[0]["revision"].as_u64()), (Some(&*test_program), Some(1)));
    assert_eq!(rows[2]["sender"].as_str(), Some("D:\\Show\\player.exe"));

    // The table is UTF-8, as the JSON is.
    let table = stdout(&place.run(&["list"]));
    assert!(table.lines().any(|l| l.starts_with("Bühne_1") && l.contains("4×2")), "{table}");
    let info: Value = serde_json::from_slice(&place.run(&["info", "--json"]).stdout).unwrap();
    let spout = info["backends"].as_array().unwrap().iter().find(|b| b["name"] == "spout").unwrap();
    assert_eq!(spout["details"]["senders"], "Bühne, Bühne_1, video, video float");
    assert_eq!(spout["details"]["active sender"], "Bühne_1");
}

#[test]
fn a_sender_that_is_not_there_is_said_to_be_so_with_those_that_are() {
    let _alone = alone();
    let place = Place::new();
    let _video = foreign("video", 1920, 1080, 87);
    let received = place.run(&["receive", "vglb-lut-a", "--backend", "spout", "--once", "--timeout", "0.1"]);
    assert_eq!(received.status.code(), Some(1));
    let said = stderr(&received);
    // Wine 10 can't share textures, and says that before.
    let expected = ["there is no stream \"vglb-lut-a\"; there is video", "can't share Direct3D 11 textures"];
    assert!(expected.iter().any(|e| said.contains(e)), "{said}");
}

#[test]
fn programs_and_files_may_lie_in_folders_with_spaces_and_umlauts() {
    let place = Place::new();
    let folder = place.path().join("Programme (x86) für die Bühne");
    std::fs::create_dir(&folder).unwrap();
    let copy = folder.join("vglb für A & B.exe");
    std::fs::copy(env!("CARGO_BIN_EXE_vglb"), &copy).unwrap();
    let run = |arguments: &[&str]| Command::new(&copy).current_dir(&folder).args(arguments).output().unwrap();
    let strip = folder.join("mein LUT.npy");
    let mut npy = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    npy.extend(format!("{:<117}\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4, 4), }").bytes());
    let lanes = (0..32u32).map(|i| if i % 4 == 3 { 1.0f32.to_bits() } else { 0x8000_0000 | i });
    npy.extend(lanes.flat_map(u32::to_le_bytes));
    std::fs::write(&strip, &npy).unwrap();
    let converted = run(&["convert", "mein LUT.npy", "Kopie – 1.exr"]);
    assert!(converted.status.success(), "{}", stderr(&converted));
    assert!(stdout(&converted).starts_with("wrote Kopie – 1.exr: "), "{}", stdout(&converted));
    let back = run(&["convert", folder.join("Kopie – 1.exr").to_str().unwrap(), "zurück.npy"]);
    assert!(back.status.success(), "{}", stderr(&back));
    let written = std::fs::read(folder.join("zurück.npy")).unwrap();
    assert_eq!(written[written.len() - 128..], npy[npy.len() - 128..], "every bit, −0.0 and subnormals too");
}

#[test]
fn the_graphics_adapter_is_the_users_choice() {
    let place = Place::new();
    let info = |gpu: &str| -> Value {
        let info: Value = serde_json::from_slice(&place.run(&["info", "--json", "--gpu", gpu]).stdout).unwrap();
        info["backends"].as_array().unwrap().iter().find(|b| b["name"] == "spout").unwrap()["details"].clone()
    };
    let adapters = info("auto")["adapters"].as_str().unwrap().to_owned();
    assert!(adapters.starts_with("0: "), "{adapters}");
    for gpu in ["auto", "0", "off"] {
        let device = info(gpu)["device"].as_str().unwrap().to_owned();
        assert!(device.contains(", Direct3D feature level 1"), "{gpu}: {device}");
    }
    let served = place.run(&["serve", "--port", "0", "--gpu", "Voodoo 2"]);
    assert_eq!(served.status.code(), Some(1));
    assert!(stderr(&served).contains("no graphics adapter is \"Voodoo 2\"; there are 0: "), "{}", stderr(&served));
    assert!(!stderr(&served).contains("listening"));
}
