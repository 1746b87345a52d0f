//! Sender and receivers in separate processes: what passes between them, and what is left when one is killed or
//! stopped.

use crate::backend_suite::{PATIENCE, next, publish, read, read_mark, shape, until};
use crate::child::Other;
use crate::{Streams, publish_mark};
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::texture::{Event, Frame, TextureBackend, TextureError};

fn listed(streams: &Streams) -> Vec<String> {
    streams.backend.streams().unwrap().into_iter().map(|s| s.name).collect()
}

#[test]
fn textures_reach_another_process_in_every_size() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 2);
    let mut other = Other::new(streams.path());
    other.must("open s", "opened");
    other.must("next", "2 1 1");
    for (revision, n) in (2..).zip([16, 17, 32, 33, 33, 64, 65, 2, 128, 33]) {
        publish_mark(&mut *writer, n, 1000 + revision);
        other.must("next", &format!("{n} {revision} {}", 1000 + revision));
    }
}

#[test]
fn a_stream_of_another_process_is_listed_with_its_name_and_number() {
    let streams = Streams::new();
    let mut other = Other::new(streams.path());
    other.must("send s", "sending");
    assert_eq!(listed(&streams), Vec::<String>::new());
    other.must("publish 5 7", "1");
    let info = &streams.backend.streams().unwrap()[0];
    assert_eq!((info.name.as_str(), info.shape, info.revision), ("s", Some(shape(5)), Some(1)));
    let who = info.sender.as_ref().unwrap();
    assert!(who.ends_with(&format!(" ({})", other.pid())) && who.starts_with("linux_transport"), "{who}");
    let frame = read(&mut *streams.backend.open("s").unwrap());
    assert_eq!((read_mark(&frame), frame.published), (7, info.published));
}

#[test]
fn a_killed_senders_receivers_are_told_and_the_next_sender_takes_over() {
    let streams = Streams::new();
    let mut killed = Other::new(streams.path());
    killed.must("send s", "sending");
    killed.must("publish 5 7", "1");
    let mut receiver = streams.backend.open("s").unwrap();
    next(&mut *receiver);
    let waiter = std::thread::spawn(move || (receiver.wait(Some(PATIENCE)).unwrap(), receiver));
    killed.kill();
    let (event, mut receiver) = waiter.join().unwrap();
    assert_eq!(event, Event::Ended);
    assert!(matches!(receiver.read(&mut Frame::default()), Err(TextureError::Ended)));
    assert!(streams.path().join("s.sock").exists(), "it had no time to clean up");

    let mut heir = Other::new(streams.path());
    heir.must("send s", "sending");
    heir.must("publish 6 8", "1");
    assert_eq!(read_mark(&next(&mut *streams.backend.open("s").unwrap())), 8);
    heir.must("end", "ended");
    assert!(!streams.path().join("s.sock").exists());
}

#[test]
fn what_a_killed_sender_leaves_is_not_listed_and_is_cleared_away() {
    let streams = Streams::new();
    let (_sender, _writer) = streams.sender("living", 2);
    for name in ["dead 1", "dead 2"] {
        let mut killed = Other::new(streams.path());
        killed.must(&format!("send {}", name.replace(' ', "_")), "sending");
        killed.must("publish 2 1", "1");
        killed.kill();
    }
    assert!(streams.path().join("dead_1.sock").exists());
    assert_eq!(listed(&streams), ["living"]);
    assert!(!streams.path().join("dead_1.sock").exists() && !streams.path().join("dead_2.sock").exists());
    let Err(e) = streams.backend.open("dead_1") else { panic!("it is dead") };
    assert_eq!(e.to_string(), "there is no stream \"dead_1\"; there is living");
}

#[test]
fn killed_receivers_are_noticed_and_the_stream_goes_on() {
    let streams = Streams::new();
    let (sender, mut writer) = streams.sender("s", 9);
    let mut others: Vec<_> = (0..4).map(|_| Other::new(streams.path())).collect();
    for other in &mut others {
        other.must("open s", "opened");
        other.must("next", "9 1 1");
    }
    assert_eq!(sender.receivers(), Some(4));
    others.drain(..3).for_each(Other::kill);
    until("the killed ones are gone", || sender.receivers() == Some(1));
    publish_mark(&mut *writer, 10, 2);
    others[0].must("next", "10 2 2");
}

#[test]
fn a_second_process_can_not_take_a_name_nor_harm_the_stream() {
    let streams = Streams::new();
    let mut first = Other::new(streams.path());
    first.must("send s", "sending");
    first.must("publish 5 7", "1");
    let mut receiver = streams.backend.open("s").unwrap();
    let mut second = Other::new(streams.path());
    let refused = second.ask("send s");
    assert!(refused.starts_with("error: the stream \"s\" is already published by linux_transport"), "{refused}");
    assert!(refused.ends_with(&format!("({})", first.pid())), "{refused}");
    drop(second);
    first.must("publish 5 8", "2");
    assert_eq!(read_mark(&next(&mut *receiver)), 8);
    assert_eq!(read_mark(&read(&mut *streams.backend.open("s").unwrap())), 8);
}

#[test]
fn of_two_that_wait_to_publish_the_first_has_the_name_until_it_ends() {
    let streams = Streams::new();
    let (mut first, mut second) = (Other::new(streams.path()), Other::new(streams.path()));
    first.must("send s", "sending");
    second.must("send s", "sending");
    first.must("publish 5 7", "1");
    let refused = second.ask("publish 5 8");
    assert!(
        refused.contains("is already published by") && refused.ends_with(&format!("({})", first.pid())),
        "{refused}"
    );
    assert_eq!(read_mark(&read(&mut *streams.backend.open("s").unwrap())), 7);
    first.must("end", "ended");
    second.must("publish 5 9", "1");
    assert_eq!(read_mark(&read(&mut *streams.backend.open("s").unwrap())), 9);
}

#[test]
fn a_stopped_sender_holds_nobody_up() {
    let streams = Streams::new();
    let (_sender, _writer) = streams.sender("living", 2);
    let mut stopped = Other::new(streams.path());
    stopped.must("send stopped", "sending");
    stopped.must("publish 5 7", "1");
    let mut receiver = streams.backend.open("stopped").unwrap();
    stopped.stop();
    let began = Instant::now();
    assert_eq!(listed(&streams), ["living"]);
    // A quarter of a second was promised; the machine may be slow, but a sender that never answers takes for ever.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let Err(e) = streams.backend.open("stopped") else { panic!("it can't answer") };
    assert!(e.to_string().contains(&format!("({}), has not answered for 2s; it is stopped", stopped.pid())), "{e}");
    // Its name stays its own, and what it has published stays readable.
    let taken = streams.backend.create_sender("stopped").err().unwrap();
    assert!(matches!(taken, TextureError::NameTaken { .. }), "{taken}");
    assert_eq!(read_mark(&next(&mut *receiver)), 7);
    stopped.go_on();
    stopped.must("publish 5 8", "2");
    assert_eq!(read_mark(&next(&mut *receiver)), 8);
    assert_eq!(listed(&streams), ["living", "stopped"]);
}

#[test]
fn ten_thousand_updates_pass_by_a_stopped_receiver() {
    let streams = Streams::new();
    let (sender, mut writer) = streams.sender("s", 6);
    let mut stopped = Other::new(streams.path());
    stopped.must("open s", "opened");
    stopped.must("next", "6 1 1");
    stopped.stop();
    // Sizes change as well, so that SURFACEs pile up and not only FRAMEs.
    let size = |mark: u64| 6 + mark / 100 % 3;
    for mark in 2..=10_000 {
        assert_eq!(publish_mark(&mut *writer, size(mark), mark), mark);
    }
    assert_eq!(sender.receivers(), Some(1), "slow is no reason to be sent away");
    stopped.go_on();
    stopped.must("next", &format!("{} 10000 10000", size(10_000)));
    publish_mark(&mut *writer, 9, 10_001);
    stopped.must("next", "9 10001 10001");
}

#[test]
fn ten_thousand_updates_as_fast_as_possible_and_none_is_torn() {
    let streams = Streams::new();
    let (_sender, mut writer) = streams.sender("s", 8);
    let mut others: Vec<_> = (0..2).map(|_| Other::new(streams.path())).collect();
    for other in &mut others {
        other.must("open s", "opened");
        // Checks that all texels are of one mark, that of the revision.
        other.order("follow 10000");
    }
    for mark in 2..=10_000 {
        let shape = shape(if mark % 1000 < 20 { 9 } else { 8 });
        publish(&mut *writer, shape, &crate::backend_suite::marked(mark, shape.texels()));
    }
    for other in &mut others {
        assert!(other.answer().parse::<u64>().unwrap() > 0);
    }
}

#[test]
fn a_receiver_can_wait_in_another_process_for_a_stream_that_comes_later() {
    let streams = Streams::new();
    let mut other = Other::new(streams.path());
    std::thread::scope(|s| {
        // Before even the directory is there.
        let waiter = s.spawn(|| streams.backend.wait_for_stream("s", Some(PATIENCE)).unwrap());
        other.must("send s", "sending");
        assert!(!waiter.is_finished(), "nothing is published yet");
        other.must("publish 5 7", "1");
        assert!(waiter.join().unwrap());
    });
    assert_eq!(read_mark(&read(&mut *streams.backend.open("s").unwrap())), 7);
}
