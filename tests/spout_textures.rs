//! Textures that travel over Spout from one process to another. Runs on Windows only: Wine 10 can't share Direct3D
//! 11 textures, which the last test holds on to.
#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod spout;

use spout::{Process, Stream, alone, texels};
use virtual_gpu_lut_box::texture::spout::SpoutBackend;
use virtual_gpu_lut_box::texture::{Event, Frame, TextureBackend, TextureError};

const WINDOWS_ONLY: &str = "this system must be able to share Direct3D 11 textures";

#[test]
#[ignore = "is the other process of the tests below"]
fn another_process() {
    spout::obey();
}

#[test]
#[ignore = "needs Windows itself: Wine 10 can't share Direct3D 11 textures"]
fn windows_every_bit_arrives_in_another_process_in_every_size() {
    let _alone = alone();
    let spout = SpoutBackend::with_adapter(None);
    spout.check().expect(WINDOWS_ONLY);
    let mut stream = Stream::new(&spout, "Show").unwrap();
    let mut other = Process::start(true);
    for (revision, n) in [(1, 33), (2, 33), (3, 64), (4, 2), (5, 33)] {
        assert_eq!(stream.publish(n, revision).unwrap(), u64::from(revision));
        let received = other.does(&format!("receive Show {n} {revision}"));
        assert_eq!(received.unwrap(), format!("{revision} R32G32B32A32_FLOAT"));
    }
}

#[test]
#[ignore = "needs Windows itself: Wine 10 can't share Direct3D 11 textures"]
fn windows_a_receiver_follows_a_sender_in_another_process() {
    let _alone = alone();
    let spout = SpoutBackend::with_adapter(None);
    spout.check().expect(WINDOWS_ONLY);
    let mut other = Process::start(true);
    other.does("publish a 17 1").unwrap();
    let mut receiver = spout.open("a").unwrap();
    let mut frame = Frame::default();
    for (seed, n) in [(1, 17), (2, 17), (3, 65), (4, 17)] {
        if seed > 1 {
            other.does(&format!("publish a {n} {seed}")).unwrap();
        }
        assert_eq!(receiver.wait(None).unwrap(), Event::Frame);
        receiver.read(&mut frame).unwrap();
        assert_eq!(frame.revision, u64::from(seed));
        assert!(frame.texels == texels(n, seed), "revision {seed}");
    }
    other.kill();
    assert_eq!(receiver.wait(None).unwrap(), Event::Ended);
}

#[test]
#[ignore = "needs Windows itself: Wine 10 can't share Direct3D 11 textures"]
fn windows_warp_can_be_chosen_and_shares() {
    let _alone = alone();
    let spout = SpoutBackend::with_adapter(Some("warp".into()));
    spout.check().expect(WINDOWS_ONLY);
    let mut stream = Stream::new(&spout, "a").unwrap();
    stream.publish(33, 7).unwrap();
    let mut frame = Frame::default();
    spout.open("a").unwrap().read(&mut frame).unwrap();
    assert!(frame.texels == texels(33, 7));
}

#[test]
fn a_system_that_cannot_share_textures_says_so() {
    let _alone = alone();
    let spout = SpoutBackend::with_adapter(None);
    match spout.check() {
        // On Windows itself the tests above hold.
        Ok(()) => {}
        Err(TextureError::Unavailable(why)) => {
            assert!(why.contains("can't share Direct3D 11 textures") || why.contains("no Direct3D 11 device"), "{why}");
            let e = Stream::new(&spout, "a").unwrap().publish(2, 1).unwrap_err();
            assert!(matches!(e, TextureError::Unavailable(_)), "{e}");
            assert!(spout.streams().unwrap().is_empty());
        }
        Err(e) => panic!("{e}"),
    }
}

#[test]
fn an_adapter_that_is_not_there_is_named_with_those_that_are() {
    let spout = SpoutBackend::with_adapter(Some("Voodoo 2".into()));
    let e = spout.check().unwrap_err().to_string();
    assert!(e.contains("no graphics adapter is \"Voodoo 2\"; there are "), "{e}");
    assert!(e.ends_with("and warp (software)"), "{e}");
}
