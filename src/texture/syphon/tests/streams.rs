//! What users of streams rely on.

use super::fake_mac::{FakeMac, FakeProgram, TORN};
use super::foreign_client::DEADLINE;
use crate::hald::{self, Layout, Texel, TextureShape};
use crate::lut::GridSize;
use crate::texture::syphon::receiver::{BGRA8, BGRA8_PLANES};
use crate::texture::syphon::seam::{Surface, System};
use crate::texture::syphon::server::Server;
use crate::texture::syphon::{Encoding, Options, SyphonBackend};
use crate::texture::{Event, Frame, TextureBackend, TextureError, TextureReceiver, TextureSender};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

fn shape(n: u64) -> TextureShape {
    TextureShape::new(GridSize::new(n).unwrap(), Layout::Vglb).unwrap()
}

/// Texels of random bits, R, G and B; alpha 1.0.
fn texels(shape: TextureShape, mut seed: u64) -> Vec<Texel> {
    let mut next = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        f32::from_bits((seed >> 32) as u32)
    };
    (0..shape.texels()).map(|_| hald::texel([next(), next(), next()])).collect()
}

fn backend(program: &FakeProgram) -> SyphonBackend {
    SyphonBackend::new(program.clone(), Options::default())
}

fn publish(sender: &dyn TextureSender, shape: TextureShape, texels: &[Texel]) -> Result<u64, TextureError> {
    let mut writer = sender.writer()?;
    writer.begin(shape)?;
    writer.texels().copy_from_slice(texels);
    writer.publish()
}

fn next_frame(receiver: &mut dyn TextureReceiver) -> Frame {
    assert_eq!(receiver.wait(Some(DEADLINE)).unwrap(), Event::Frame);
    let mut frame = Frame::default();
    receiver.read(&mut frame).unwrap();
    frame
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is() {
        assert!(Instant::now() < end, "{what}: not within {DEADLINE:?}");
        thread::yield_now();
    }
}

fn error<T>(result: Result<T, TextureError>) -> String {
    result.map(|_| ()).unwrap_err().to_string()
}

#[test]
fn every_bit_arrives_in_another_program() {
    let mac = FakeMac::new();
    let sender = backend(&mac.program("box")).create_sender("vglb-lut-a").unwrap();
    for (revision, n) in [2, 17, 33, 5, 64, 65, 128, 3].into_iter().enumerate() {
        let sent = texels(shape(n), n);
        assert_eq!(publish(&*sender, shape(n), &sent).unwrap(), revision as u64 + 1);
        // Another program each time: it comes late.
        let mut receiver = backend(&mac.program("viewer")).open("vglb-lut-a").unwrap();
        let frame = next_frame(&mut *receiver);
        assert_eq!((frame.width, frame.height, frame.format), (shape(n).width(), shape(n).height(), BGRA8_PLANES));
        assert!(frame.texels == sent, "{n}");
    }
}

#[test]
fn a_receiver_stays_connected_when_the_size_changes() {
    let mac = FakeMac::new();
    let sender = backend(&mac.program("box")).create_sender("a").unwrap();
    publish(&*sender, shape(2), &texels(shape(2), 0)).unwrap();
    let mut receiver = backend(&mac.program("viewer")).open("a").unwrap();
    let mut revisions = Vec::new();
    for (i, n) in [2, 3, 3, 3, 3, 9, 2].into_iter().enumerate() {
        let sent = texels(shape(n), i as u64);
        if i > 0 {
            publish(&*sender, shape(n), &sent).unwrap();
        }
        let frame = next_frame(&mut *receiver);
        assert!(frame.texels == sent && frame.width == shape(n).width(), "{n}");
        revisions.push(frame.revision);
    }
    assert!(revisions.is_sorted_by(|a, b| a < b), "{revisions:?}");
    assert_eq!(receiver.wait(Some(Duration::ZERO)).unwrap(), Event::TimedOut, "there is nothing new");
}

#[test]
fn nothing_is_shown_before_the_first_texture_and_nothing_remains_after_the_end() {
    let mac = FakeMac::new();
    let (box_, viewer) = (mac.program("box"), backend(&mac.program("viewer")));
    let sender = backend(&box_).create_sender("a").unwrap();
    assert_eq!(error(viewer.open("a")), "there is no stream \"a\"; nothing is being streamed on this computer");
    assert!(viewer.streams().unwrap().is_empty());

    publish(&*sender, shape(3), &texels(shape(3), 1)).unwrap();
    assert_eq!(box_.awake.load(std::sync::atomic::Ordering::SeqCst), 1);
    let mut writer = sender.writer().unwrap();
    writer.begin(shape(3)).unwrap();
    let mut receiver = viewer.open("a").unwrap();
    next_frame(&mut *receiver);
    drop(sender);
    assert_eq!(receiver.wait(Some(DEADLINE)).unwrap(), Event::Ended);
    assert!(matches!(receiver.read(&mut Frame::default()), Err(TextureError::Ended)));
    assert!(matches!(writer.publish(), Err(TextureError::Ended)), "a writer may outlive its stream");
    drop(receiver);
    assert!(mac.ports().is_empty() && mac.surfaces() == 0);
    assert_eq!(box_.awake.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert!(viewer.streams().unwrap().is_empty());
}

#[test]
fn streams_are_listed_with_their_size_and_program() {
    let mac = FakeMac::new();
    let program = mac.program("virtual-gpu-lut-box");
    let options = Options { also_eight_bit: true, ..Options::default() };
    let sender = SyphonBackend::new(program, options).create_sender("vglb-lut-a").unwrap();
    publish(&*sender, shape(5), &texels(shape(5), 1)).unwrap();
    let listed = backend(&mac.program("viewer")).streams().unwrap();
    let rows: Vec<_> = listed.iter().map(|s| (&*s.name, s.width, s.height, s.format, s.sender.as_deref())).collect();
    let by = Some("virtual-gpu-lut-box");
    assert_eq!(rows, [("vglb-lut-a", 25, 5, BGRA8_PLANES, by), ("vglb-lut-a (8-bit)", 25, 5, BGRA8, by)]);
    until("those who looked have left", || sender.receivers() == Some(0));
}

#[test]
fn eight_bit_images_hold_the_nearest_step_and_are_called_that() {
    let mac = FakeMac::new();
    let options = Options { also_eight_bit: true, ..Options::default() };
    let sender = SyphonBackend::new(mac.program("box"), options).create_sender("a").unwrap();
    let values = [[-1.0, 0.5, 2.0], [0.0, 1.0, 0.25], [1e38, -0.0, 0.1], [0.2, 0.4, 0.6]];
    let sent: Vec<_> = (0..8).map(|i| hald::texel(values[i % 4])).collect();
    publish(&*sender, shape(2), &sent).unwrap();
    let viewer = backend(&mac.program("viewer"));
    let frame = next_frame(&mut *viewer.open("a (8-bit)").unwrap());
    assert_eq!((frame.width, frame.height, frame.format), (4, 2, BGRA8));
    let steps = |v: [u8; 3]| hald::texel(v.map(|v| f32::from(v) / 255.0));
    let wanted = [[0, 128, 255], [0, 255, 64], [255, 0, 26], [51, 102, 153]].map(steps);
    assert_eq!(frame.texels, [wanted, wanted].concat());
    assert_eq!(next_frame(&mut *viewer.open("a").unwrap()).texels, sent, "the stream itself is exact");
}

#[test]
fn the_stream_itself_is_eight_bit_where_that_is_asked_for() {
    let mac = FakeMac::new();
    let options = Options { encoding: Encoding::EightBit, also_eight_bit: false };
    let sender = SyphonBackend::new(mac.program("box"), options).create_sender("a").unwrap();
    publish(&*sender, shape(2), &[hald::texel([0.2, 0.4, 0.6]); 8]).unwrap();
    let viewer = backend(&mac.program("viewer"));
    assert_eq!(next_frame(&mut *viewer.open("a").unwrap()).format, BGRA8);
    assert_eq!(viewer.streams().unwrap().len(), 1);
    assert_eq!(["byte-planes", "8bit"].map(|name| name.parse()), Encoding::ALL.map(Ok));
    let unknown = "float".parse::<Encoding>().unwrap_err().to_string();
    assert_eq!(unknown, "\"float\" is no Syphon encoding; it can be byte-planes, 8bit");
}

#[test]
fn a_sender_that_is_killed_ends_for_its_receivers() {
    let mac = FakeMac::new();
    let program = mac.program("box");
    let sender = backend(&program).create_sender("a").unwrap();
    publish(&*sender, shape(2), &texels(shape(2), 1)).unwrap();
    let viewer = backend(&mac.program("viewer"));
    let mut receiver = viewer.open("a").unwrap();
    next_frame(&mut *receiver);
    program.kill();
    assert_eq!(receiver.wait(Some(DEADLINE)).unwrap(), Event::Ended);
    assert_eq!(error(viewer.open("a")), "there is no stream \"a\"; nothing is being streamed on this computer");

    let again = backend(&mac.program("box")).create_sender("a").unwrap();
    let sent = texels(shape(2), 2);
    publish(&*again, shape(2), &sent).unwrap();
    assert!(viewer.wait_for_stream("a", Some(DEADLINE)).unwrap());
    assert!(next_frame(&mut *viewer.open("a").unwrap()).texels == sent, "its successor is found under the same name");
}

#[test]
fn a_stream_can_be_waited_for() {
    let mac = FakeMac::new();
    let viewer = backend(&mac.program("viewer"));
    assert!(!viewer.wait_for_stream("a", Some(Duration::from_millis(20))).unwrap());
    let killed = mac.program("box");
    let dead = backend(&killed).create_sender("a").unwrap();
    publish(&*dead, shape(2), &texels(shape(2), 1)).unwrap();
    assert!(viewer.wait_for_stream("a", Some(DEADLINE)).unwrap());
    killed.kill();
    assert!(!viewer.wait_for_stream("a", Some(Duration::ZERO)).unwrap(), "a dead one can't be opened");
    let waiter = thread::spawn(move || viewer.wait_for_stream("a", None).map(|there| (viewer, there)).unwrap());
    let sender = backend(&mac.program("box")).create_sender("a").unwrap();
    publish(&*sender, shape(2), &texels(shape(2), 1)).unwrap();
    let (viewer, there) = waiter.join().unwrap();
    assert!(there);
    // For longer than clocks count.
    let mut receiver = viewer.open("a").unwrap();
    assert_eq!(receiver.wait(Some(Duration::MAX)).unwrap(), Event::Frame);
}

#[test]
fn a_receiver_that_is_killed_disturbs_nobody() {
    let mac = FakeMac::new();
    let sender = backend(&mac.program("box")).create_sender("a").unwrap();
    publish(&*sender, shape(2), &texels(shape(2), 1)).unwrap();
    let killed = mac.program("viewer");
    let mut dead = backend(&killed).open("a").unwrap();
    let mut living = backend(&mac.program("another viewer")).open("a").unwrap();
    next_frame(&mut *dead);
    next_frame(&mut *living);
    assert_eq!(sender.receivers(), Some(2));
    killed.kill();
    let sent = texels(shape(2), 2);
    publish(&*sender, shape(2), &sent).unwrap();
    assert!(next_frame(&mut *living).texels == sent);
    until("the dead one is forgotten", || sender.receivers() == Some(1));
}

#[test]
fn a_name_is_used_once_in_a_program_and_is_free_again_after_the_end() {
    let mac = FakeMac::new();
    let box_ = backend(&mac.program("box"));
    let sender = box_.create_sender("a").unwrap();
    assert_eq!(error(box_.clone().create_sender("a")), "the stream \"a\" is already published by this process");
    drop(sender);
    box_.create_sender("a").unwrap();
    let empty = "the stream name \"\" can't be used: a Syphon server's name has at least one character";
    assert!(error(box_.create_sender("")).starts_with(empty));
    assert!(box_.create_sender("a\0b").is_err());
}

#[test]
fn a_texture_that_was_abandoned_is_never_seen() {
    let mac = FakeMac::new();
    let sender = backend(&mac.program("box")).create_sender("a").unwrap();
    let good = texels(shape(3), 1);
    publish(&*sender, shape(3), &good).unwrap();
    let mut writer = sender.writer().unwrap();
    assert!(writer.texels().is_empty());
    writer.begin(shape(3)).unwrap();
    writer.texels().fill([7; 16]);
    writer.abandon();
    assert_eq!(error(writer.publish()), "publish was called with no texture begun");
    assert!(next_frame(&mut *backend(&mac.program("viewer")).open("a").unwrap()).texels == good);
}

#[test]
fn many_writers_of_one_stream_get_revisions_in_a_row() {
    let mac = FakeMac::new();
    let sender = Arc::new(backend(&mac.program("box")).create_sender("a").unwrap());
    let mut receiver = None;
    let threads: Vec<_> = (0..4u64)
        .map(|i| {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut writer = sender.writer().unwrap();
                let revisions = (0..25).map(|_| {
                    writer.begin(shape(3 + i)).unwrap();
                    writer.texels().copy_from_slice(&texels(shape(3 + i), i));
                    writer.publish().unwrap()
                });
                revisions.collect::<Vec<_>>()
            })
        })
        .collect();
    let viewer = backend(&mac.program("viewer"));
    until("a receiver connects while they write", || {
        receiver = viewer.open("a").ok();
        receiver.is_some()
    });
    let mut revisions: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=100).collect::<Vec<_>>());
    let mut receiver = receiver.unwrap();
    let last = texels(shape(8), 9);
    publish(&**sender, shape(8), &last).unwrap();
    until("the newest arrives", || next_frame(&mut *receiver).texels == last);
}

/// A surface of another application: a picture of any size.
fn picture(program: &FakeProgram, (width, height): (usize, usize)) -> (Box<dyn Surface>, Server) {
    let mut surface = program.create_surface(width, height).unwrap();
    let mut fill = |bytes: &mut [u8], _| bytes.iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8);
    surface.write(&mut fill).unwrap();
    let server = Server::start(Arc::new(program.clone()), "picture", surface.number()).unwrap();
    (surface, server)
}

#[test]
fn pictures_of_other_programs_are_received_as_they_are() {
    let mac = FakeMac::new();
    let program = mac.program("camera");
    let (surface, _server) = picture(&program, (2, 2));
    let viewer = backend(&mac.program("viewer"));
    for unsteady in [0, 1, 3] {
        program.unsettle(surface.number(), unsteady);
        let frame = next_frame(&mut *viewer.open("picture").unwrap());
        assert_eq!((frame.width, frame.height, frame.format, frame.shape), (2, 2, BGRA8, None));
        // B, G, R, A are 0, 1, 2, 3; the second row begins 64 bytes after the first.
        let rgba = |bytes: [u8; 4]| bytes.map(|b| (f32::from(b) / 255.0).to_le_bytes()).concat();
        assert_eq!(frame.texels[0].as_slice(), rgba([2, 1, 0, 3]));
        assert_eq!(frame.texels[3].as_slice(), rgba([70, 69, 68, 71]));
    }
}

#[test]
fn a_picture_that_never_stops_changing_is_received_all_the_same() {
    let mac = FakeMac::new();
    let program = mac.program("camera");
    let (surface, _server) = picture(&program, (2, 2));
    program.unsettle(surface.number(), usize::MAX);
    let frame = next_frame(&mut *backend(&mac.program("viewer")).open("picture").unwrap());
    let torn = [f32::from(TORN) / 255.0; 4].map(f32::to_le_bytes).concat();
    assert!(frame.texels.len() == 4 && frame.texels.iter().all(|texel| *texel == *torn));
}

#[test]
fn a_server_whose_surface_is_gone_has_ended() {
    let mac = FakeMac::new();
    let (surface, _server) = picture(&mac.program("camera"), (2, 2));
    let mut receiver = backend(&mac.program("viewer")).open("picture").unwrap();
    drop(surface);
    assert!(matches!(receiver.read(&mut Frame::default()), Err(TextureError::Ended)));
}

#[test]
fn a_name_that_another_program_has_is_refused_while_that_program_lives() {
    let mac = FakeMac::new();
    let first = mac.program("virtual-gpu-lut-box");
    let sender = backend(&first).create_sender("a").unwrap();
    publish(&*sender, shape(2), &texels(shape(2), 1)).unwrap();
    let second = backend(&mac.program("second"));
    let taken = "the stream \"a\" is already published by virtual-gpu-lut-box";
    assert_eq!(error(second.create_sender("a")), taken);
    let sent = texels(shape(2), 2);
    publish(&*sender, shape(2), &sent).unwrap();
    let mut receiver = backend(&mac.program("viewer")).open("a").unwrap();
    assert!(next_frame(&mut *receiver).texels == sent, "the first one's stream is left alone");
    first.kill();
    second.create_sender("a").unwrap();
}

/// Two channels whose servers would have one name between them.
#[test]
fn the_name_of_an_8_bit_image_is_taken_as_well() {
    let mac = FakeMac::new();
    let options = Options { also_eight_bit: true, ..Options::default() };
    let box_ = SyphonBackend::new(mac.program("box"), options);
    let sender = box_.create_sender("a").unwrap();
    let taken = "the stream \"a (8-bit)\" is already published by this process";
    assert_eq!(error(box_.create_sender("a (8-bit)")), taken);
    drop(sender);
    let _other = box_.create_sender("a (8-bit)").unwrap();
    assert_eq!(error(box_.create_sender("a")), taken);
}
