//! Textures read where their sender has them.

use super::*;
use backend_suite::{PATIENCE, bits, publish, shape};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;
use virtual_gpu_lut_box::hald::Texel;
use virtual_gpu_lut_box::texture::{Event, InPlace, TextureError};

fn texels(texture: &InPlace) -> Vec<Texel> {
    let mut bytes = vec![0; texture.frame.shape.unwrap().bytes()];
    File::open(&texture.file).unwrap().read_exact_at(&mut bytes, texture.offset).unwrap();
    bytes.as_chunks().0.to_vec()
}

#[test]
fn a_texture_in_place_is_the_newest_and_counts_as_read() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 5);
    let mut receiver = streams.backend.open("s").unwrap();
    let first = receiver.in_place().unwrap().unwrap();
    // Another size: another memory.
    let sent = bits(3, shape(9).texels());
    publish(&mut *writer, shape(9), &sent);
    assert_eq!(receiver.wait(Some(PATIENCE)).unwrap(), Event::Frame);
    let second = receiver.in_place().unwrap().unwrap();
    assert_eq!(receiver.wait(Some(Duration::ZERO)).unwrap(), Event::TimedOut);
    assert_eq!(texels(&second), sent);
    assert_eq!((second.frame.revision, second.frame.width, second.frame.height), (2, 81, 9));
    assert!(second.frame.texels.is_empty());
    assert_eq!(texels(&first), backend_suite::marked(1, shape(5).texels()));
    assert!(first.is_intact() && second.is_intact());
}

#[test]
fn a_texture_in_place_says_when_it_is_written_over() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 3);
    let mut receiver = streams.backend.open("s").unwrap();
    let texture = receiver.in_place().unwrap().unwrap();
    for mark in 2..=3 {
        publish_mark(&mut *writer, 3, mark);
        assert!(texture.is_intact(), "after texture {mark}");
    }
    publish_mark(&mut *writer, 3, 4);
    assert!(!texture.is_intact());
}

#[test]
fn a_texture_in_place_outlives_its_stream() {
    let streams = Streams::new();
    let (sender, writer) = streams.sender("s", 4);
    let mut receiver = streams.backend.open("s").unwrap();
    let texture = receiver.in_place().unwrap().unwrap();
    drop((writer, sender));
    assert_eq!(receiver.wait(Some(PATIENCE)).unwrap(), Event::Ended);
    assert!(matches!(receiver.in_place(), Err(TextureError::Ended)));
    drop(receiver);
    assert!(texture.is_intact());
    assert_eq!(texels(&texture), backend_suite::marked(1, shape(4).texels()));
}
