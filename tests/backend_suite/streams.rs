//! Promises about streams as a whole: names, receivers, beginnings and ends.

use super::*;

/// Receivers come and go, and the sender knows how many there are.
pub fn receivers_come_and_go(p: &Platform) {
    let sender = sender(p, "counted");
    let mut writer = sender.writer().unwrap();
    publish(&mut *writer, shape(2), &marked(1, 8));
    let Some(none) = sender.receivers() else { return };
    assert_eq!(none, 0);
    let mut receivers: Vec<_> = (0..5).map(|_| p.backend.open("counted").unwrap()).collect();
    until("five receivers", || sender.receivers() == Some(5));
    receivers.truncate(2);
    until("two receivers", || sender.receivers() == Some(2));
    publish(&mut *writer, shape(2), &marked(2, 8));
    for receiver in &mut receivers {
        assert_eq!(read_mark(&next(&mut **receiver)), 2);
    }
    drop(receivers);
    until("no receivers", || sender.receivers() == Some(0));
    publish(&mut *writer, shape(2), &marked(3, 8));
}

/// As many receivers as the platform takes get every last texture; one more is told why not, and does no harm.
pub fn as_many_receivers_as_the_platform_takes(p: &Platform) {
    let limit = p.receiver_limit.unwrap_or(64);
    let sender = sender(p, "crowd");
    let mut writer = sender.writer().unwrap();
    publish(&mut *writer, shape(4), &marked(1, 64));
    let mut receivers: Vec<_> = (0..limit).map(|_| p.backend.open("crowd").unwrap()).collect();
    if p.receiver_limit.is_some() {
        let Err(e) = p.backend.open("crowd") else { panic!("one too many was taken") };
        assert!(matches!(e, TextureError::Refused { .. }), "{e}");
        assert!(e.to_string().contains(&limit.to_string()), "{e}");
        assert!(p.backend.streams().unwrap().iter().any(|s| s.name == "crowd"), "a full stream is still listed");
    }
    for mark in [2, 3] {
        let n = mark + 3;
        publish(&mut *writer, shape(n), &marked(mark, shape(n).texels()));
        for receiver in &mut receivers {
            assert_eq!(read_mark(&next(&mut **receiver)), mark);
        }
    }
    receivers.pop();
    if p.receiver_limit.is_some() {
        until("room for one more", || p.backend.open("crowd").is_ok());
    }
}

/// A stream ends with its sender: receivers are told, wherever they are, and writers too.
pub fn a_stream_ends_with_its_sender(p: &Platform) {
    let sender = sender(p, "ends");
    let mut writer = sender.writer().unwrap();
    publish(&mut *writer, shape(3), &marked(1, 27));
    let mut idle = p.backend.open("ends").unwrap();
    let mut waiting = p.backend.open("ends").unwrap();
    next(&mut *waiting);
    writer.begin(shape(3)).unwrap();
    let waiter = std::thread::spawn(move || waiting.wait(Some(PATIENCE)).unwrap());
    drop(sender);
    assert_eq!(waiter.join().unwrap(), Event::Ended);
    assert_eq!(idle.wait(Some(PATIENCE)).unwrap(), Event::Ended);
    assert!(matches!(idle.read(&mut Frame::default()), Err(TextureError::Ended)));
    assert_eq!(idle.wait(None).unwrap(), Event::Ended, "it stays ended");
    writer.texels().fill([1; 16]);
    assert!(matches!(writer.publish(), Err(TextureError::Ended)));
    assert!(matches!(p.backend.open("ends"), Err(TextureError::NoSuchStream { .. })));
}

/// The name is free again, with revisions of its own.
pub fn a_stream_can_begin_again(p: &Platform) {
    for _ in 0..3 {
        let sender = sender(p, "again");
        assert_eq!(publish(&mut *sender.writer().unwrap(), shape(3), &marked(5, 27)), 1);
        assert_eq!(read_mark(&next(&mut *p.backend.open("again").unwrap())), 5);
    }
}

/// A name has one sender, and a second one does nothing to the first, whether or not that has published yet.
pub fn a_name_has_one_sender(p: &Platform) {
    let first = sender(p, "taken");
    for published in [false, true] {
        let Err(e) = p.backend.create_sender("taken") else { panic!("the name was given twice") };
        assert!(matches!(e, TextureError::NameTaken { .. }), "{e}");
        assert!(e.to_string().contains("\"taken\" is already published by"), "{e}");
        if !published {
            publish(&mut *first.writer().unwrap(), shape(2), &marked(1, 8));
        }
    }
    let mut receiver = p.backend.open("taken").unwrap();
    publish(&mut *first.writer().unwrap(), shape(2), &marked(2, 8));
    assert_eq!(read_mark(&next(&mut *receiver)), 2);
}

/// Streams are listed from their first texture on, with the facts; missing ones are told with what there is.
pub fn streams_are_listed_with_their_facts(p: &Platform) {
    let ours = |name: &str| p.backend.streams().unwrap().into_iter().find(|s| s.name == name);
    let (b, a) = (sender(p, "list b"), sender(p, "list a"));
    assert_eq!(ours("list a"), None, "nothing is published yet");
    let Err(e) = p.backend.open("list a") else { panic!("nothing is published yet") };
    assert!(matches!(e, TextureError::NoSuchStream { .. }), "{e}");
    publish(&mut *a.writer().unwrap(), shape_in(16, Layout::HaldClut), &marked(1, 4096));
    for mark in 1..=3 {
        publish(&mut *b.writer().unwrap(), shape(4), &marked(mark, 64));
    }
    let listed = ours("list a").unwrap();
    assert_eq!((listed.width, listed.height), (64, 64));
    assert_eq!(listed.shape, p.annotates.then_some(shape_in(16, Layout::HaldClut)));
    assert_eq!((listed.format, listed.revision), ("R32G32B32A32_FLOAT", Some(1)));
    assert!(listed.sender.is_some());
    let read_b = read(&mut *p.backend.open("list b").unwrap());
    let listed = ours("list b").unwrap();
    assert_eq!((listed.revision, listed.published), (Some(3), read_b.published));
    let names: Vec<_> = p.backend.streams().unwrap().into_iter().map(|s| s.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    let Err(e) = p.backend.open("list c") else { panic!("there is no such stream") };
    assert!(e.to_string().contains("list a") && e.to_string().contains("list b"), "{e}");
    drop(a);
    assert_eq!(ours("list a"), None);
    assert!(ours("list b").is_some());
}

/// Streams are listed with the newest CDL values, through new sizes, until they end.
pub fn streams_are_listed_with_their_cdl(p: &Platform) {
    let listed = || p.backend.streams().unwrap().into_iter().find(|s| s.name == "graded").unwrap().cdl;
    let cdl = |slope, saturation| Cdl::new([slope, 1.0, 0.0], [-0.25, 0.1, 1e-7], [0.9, 1.0, 1.0], saturation).unwrap();
    let (plain, graded) = (sender(p, "plain"), sender(p, "graded"));
    publish(&mut *plain.writer().unwrap(), shape(3), &marked(1, 27));
    let mut writer = graded.writer().unwrap();
    publish(&mut *writer, shape(3), &marked(1, 27));
    assert_eq!(listed(), None);
    for (n, cdl) in [(3, cdl(1.1, 0.5)), (3, cdl(2.0 / 3.0, 0.0)), (5, cdl(7.25, 1.5))] {
        graded.set_cdl(&cdl);
        until("the new values", || listed() == Some(cdl));
        publish(&mut *writer, shape(n), &marked(n, shape(n).texels()));
        assert_eq!(listed(), Some(cdl), "another texture has the same values");
    }
    assert_eq!(p.backend.streams().unwrap().into_iter().find(|s| s.name == "plain").unwrap().cdl, None);
    drop(graded);
    let graded = self::sender(p, "graded");
    publish(&mut *graded.writer().unwrap(), shape(3), &marked(1, 27));
    until("a stream without values", || listed().is_none());
}

/// One can wait for a stream that is not there yet.
pub fn a_stream_can_be_waited_for(p: &Platform) {
    assert!(!p.backend.wait_for_stream("awaited", Some(Duration::ZERO)).unwrap());
    assert!(!p.backend.wait_for_stream("awaited", Some(Duration::from_millis(20))).unwrap());
    let about_to_wait = AtomicBool::new(false);
    std::thread::scope(|s| {
        let waiter = s.spawn(|| {
            about_to_wait.store(true, Ordering::Release);
            assert!(p.backend.wait_for_stream("awaited", Some(PATIENCE)).unwrap());
            read_mark(&read(&mut *p.backend.open("awaited").unwrap()))
        });
        until("the waiter", || about_to_wait.load(Ordering::Acquire));
        let sender = sender(p, "awaited");
        publish(&mut *sender.writer().unwrap(), shape(3), &marked(6, 27));
        assert_eq!(waiter.join().unwrap(), 6);
        assert!(p.backend.wait_for_stream("awaited", None).unwrap(), "it is there already");
    });
}

/// Whatever a name holds, it is a stream of its own.
pub fn names_may_hold_anything(p: &Platform) {
    let names =
        ["vglb-lut-A", "vglb-lut-a", "Kamera Ä – 1", "a/b", "a%2Fb", "..", ".x", "100 %", "two\nlines", "\u{1}", " "];
    let senders: Vec<_> = names.iter().map(|name| sender(p, name)).collect();
    for (mark, sender) in senders.iter().enumerate() {
        publish(&mut *sender.writer().unwrap(), shape(2), &marked(mark as u64, 8));
    }
    let listed = p.backend.streams().unwrap();
    for (mark, name) in names.iter().enumerate() {
        assert!(listed.iter().any(|s| s.name == *name), "{name:?}");
        assert_eq!(read_mark(&read(&mut *p.backend.open(name).unwrap())), mark as u64, "{name:?}");
    }
}
