use super::*;
use crate::texture::spout::seam::SharedObjects;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_senders_objects_have_these_very_names_sizes_and_bytes() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, _writer) = sender(&spout, "Show LUT");
    assert_eq!(
        computer.session.object_names(),
        [
            "ActiveSenderName",
            "ActiveSenderName_mutex",
            "Show LUT",
            "Show LUT_Count_Semaphore",
            "Show LUT_SpoutAccessMutex",
            "Show LUT_mutex",
            "SpoutSenderNames",
            "SpoutSenderNames_mutex",
        ]
    );
    let padded = |text: &[u8], size: usize| [text, &vec![0; size - text.len()]].concat();
    assert_eq!(computer.session.memory("SpoutSenderNames").unwrap(), padded(b"Show LUT", 16384));
    assert_eq!(computer.session.memory("ActiveSenderName").unwrap(), padded(b"Show LUT", 256));
    let info = [
        &0x4000_0002u32.to_le_bytes(), // share handle
        &[4, 0, 0, 0],                 // width of a strip of grid size 2
        &[2, 0, 0, 0],                 // height
        &[2, 0, 0, 0],                 // R32G32B32A32_FLOAT
        &[0, 0, 0, 0],
        &b"C:\\box\\vglb.exe"[..],
    ];
    assert_eq!(computer.session.memory("Show LUT").unwrap(), padded(&info.concat(), 280));
    assert_eq!(computer.session.count("Show LUT_Count_Semaphore"), 2, "one to begin with, one for the first frame");
    for mutex in ["SpoutSenderNames_mutex", "ActiveSenderName_mutex", "Show LUT_mutex", "Show LUT_SpoutAccessMutex"] {
        assert!(!computer.session.is_owned(mutex), "{mutex} stayed locked");
    }
}

#[test]
fn nobody_hears_of_a_sender_before_its_texture_is_filled() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let sender = spout.create_sender("a").unwrap();
    let mut writer = sender.writer().unwrap();
    writer.begin(shape(2)).unwrap();
    assert!(computer.session.object_names().is_empty());

    let session = computer.session.clone();
    computer.adapter.state().on_upload =
        Some(Box::new(move |_| assert!(session.object_names().is_empty(), "announced before its texture was filled")));
    write(&mut *writer, shape(2), &texels(shape(2), 7)).unwrap();
    assert_eq!(computer.listed(), ["a"]);
    assert_eq!(computer.texture("a").unwrap(), texels(shape(2), 7).as_flattened());
}

#[test]
fn every_bit_arrives_and_a_publication_of_the_same_shape_makes_nothing_new() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, mut writer) = sender(&spout, "a");
    let (before, session) = (computer.info("a").unwrap(), computer.session.clone());
    computer.adapter.state().on_upload = Some(Box::new(move |_| {
        assert!(
            session.is_owned_here("a_SpoutAccessMutex"),
            "a texture that others read was written without its mutex"
        );
    }));
    for revision in 2..6 {
        let new = texels(shape(2), revision);
        assert_eq!(write(&mut *writer, shape(2), &new).unwrap(), u64::from(revision));
        assert_eq!(computer.texture("a").unwrap(), new.as_flattened(), "revision {revision}");
        assert_eq!(computer.session.count("a_Count_Semaphore"), revision + 1);
    }
    assert_eq!(computer.info("a").unwrap(), before);
    assert_eq!(computer.adapter.state().textures_made, 1);
}

#[test]
fn writing_again_uses_the_buffers_of_publications_before() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (sender, mut writer) = sender(&spout, "a");
    write(&mut *writer, shape(2), &texels(shape(2), 2)).unwrap();
    writer.begin(shape(2)).unwrap();
    assert_eq!(writer.texels(), texels(shape(2), 1), "the buffer of the publication before the last");
    drop(writer);
    let mut another = sender.writer().unwrap();
    another.begin(shape(2)).unwrap();
    assert_eq!(another.texels(), texels(shape(2), 1), "a writer that is gone leaves its buffer to the next");
}

#[test]
fn another_size_keeps_the_name_and_changes_the_handle() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (sender, mut writer) = sender(&spout, "a");
    let before = computer.info("a").unwrap();
    let session = computer.session.clone();
    let known = before.share_handle;
    computer.adapter.state().on_upload = Some(Box::new(move |handle| {
        let told = session.memory("a").unwrap();
        assert_eq!(told[..4], known.to_le_bytes(), "receivers were sent to a texture that was not filled");
        assert_ne!(handle, known);
    }));
    write(&mut *writer, shape(3), &texels(shape(3), 3)).unwrap();
    let after = computer.info("a").unwrap();
    assert_eq!((after.width, after.height, after.format), (9, 3, 2));
    assert_ne!(after.share_handle, before.share_handle);
    assert_eq!(computer.texture("a").unwrap(), texels(shape(3), 3).as_flattened());
    assert_eq!(computer.adapter.texture_count(), 1, "the texture before is gone");
    assert_eq!((sender.name(), computer.listed()), ("a", vec!["a".to_owned()]));
    assert_eq!(computer.session.count("a_Count_Semaphore"), 3);
}

#[test]
fn the_list_is_sorted_and_the_newest_sender_active_until_it_goes() {
    let computer = Computer::default();
    let (spout, other) = (computer.program().0, computer.program().0);
    let b = sender(&spout, "b");
    let z = sender(&other, "Z");
    let a = sender(&other, "a");
    assert_eq!(computer.listed(), ["Z", "a", "b"]);
    assert_eq!(computer.active(), "a");
    let c = sender(&spout, "c");
    drop(b);
    assert_eq!((computer.listed(), computer.active()), (vec!["Z".into(), "a".into(), "c".into()], "c".into()));
    drop(c);
    assert_eq!((computer.listed(), computer.active()), (vec!["Z".into(), "a".into()], "Z".into()));
    drop(a);
    assert_eq!((computer.listed(), computer.active()), (vec!["Z".into()], "Z".into()));
    assert_eq!(spout.active_sender().unwrap().unwrap(), "Z");
    drop(z);
    assert!(computer.session.object_names().is_empty(), "{:?}", computer.session.object_names());
    assert_eq!(spout.active_sender().unwrap(), None);
}

#[test]
fn one_sender_that_remains_becomes_active_whatever_was() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_a, b) = (sender(&spout, "a"), sender(&spout, "b"));
    // A user's choice of a sender that has gone since.
    let active = computer.session.process().open_memory(b"ActiveSenderName").unwrap().unwrap();
    active.write(b"gone\0");
    drop(b);
    assert_eq!(computer.active(), "a");
}

#[test]
fn a_name_that_another_program_has_gets_a_number() {
    let computer = Computer::default();
    let (first, second, third) = (computer.program().0, computer.program().0, computer.program().0);
    let a = sender(&first, "a");
    let a1 = sender(&second, "a");
    let a2 = sender(&third, "a");
    assert_eq!((a.0.name(), a1.0.name(), a2.0.name()), ("a", "a_1", "a_2"));
    assert_eq!(computer.listed(), ["a", "a_1", "a_2"]);
    drop(a1);
    assert_eq!(sender(&second, "a").0.name(), "a_1");
}

#[test]
fn a_name_that_this_program_has_is_refused_until_it_is_free() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let a = spout.create_sender("a").unwrap();
    assert!(matches!(spout.create_sender("a"), Err(TextureError::NameTaken { stream, .. }) if stream == "a"));
    drop(a);
    assert!(spout.create_sender("a").is_ok());
}

#[test]
fn after_a_crash_the_name_is_free_again() {
    let computer = Computer::default();
    let (spout, process) = computer.program();
    let (_other, other_writer) = sender(&computer.program().0, "b");
    let crashed = sender(&spout, "a");
    process.crash();
    std::mem::forget(crashed);
    assert_eq!(computer.listed(), ["a", "b"], "the list still has it");
    let (restarted, _) = computer.program();
    assert_eq!(restarted.streams().unwrap().len(), 1, "but it is not shown");
    assert!(matches!(restarted.open("a"), Err(TextureError::NoSuchStream { .. })), "nor found");
    assert_eq!(sender(&restarted, "a").0.name(), "a");
    drop(other_writer);
}

#[test]
fn names_that_spout_cannot_carry_are_sent_escaped_and_found_by_either_name() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (sender, _writer) = sender(&spout, "Bühne\\1");
    assert_eq!(sender.name(), "B%C3%BChne%5C1");
    assert_eq!(computer.listed(), ["B%C3%BChne%5C1"]);
    assert_eq!(spout.streams().unwrap()[0].name, "Bühne\\1");
    for name in ["Bühne\\1", "B%C3%BChne%5C1"] {
        assert!(spout.wait_for_stream(name, None).unwrap());
        assert_eq!(read(&mut *spout.open(name).unwrap()).texels, texels(shape(2), 1));
    }
    assert!(matches!(spout.create_sender(""), Err(TextureError::InvalidName { .. })));
}

#[test]
fn a_full_list_is_an_error_that_names_who_is_in_it() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let senders: Vec<_> = (0..64).map(|i| sender(&spout, &format!("s{i:02}"))).collect();
    assert_eq!(computer.listed().len(), 64);
    let one_more = spout.create_sender("x").unwrap();
    let mut writer = one_more.writer().unwrap();
    let e = write(&mut *writer, shape(2), &texels(shape(2), 1)).unwrap_err().to_string();
    assert!(e.contains("it holds 64 (s00, s01, "), "{e}");
    assert_eq!(computer.listed().len(), 64);
    assert!(!computer.session.object_names().contains(&"x".to_owned()), "a sender that is not listed left its block");
    drop(senders);
    write(&mut *writer, shape(2), &texels(shape(2), 1)).unwrap();
    assert_eq!(computer.listed(), ["x"]);
}

#[test]
fn the_list_is_as_long_as_the_setting_says() {
    let computer = Computer::default();
    computer.session.set("MaxSenders", 2);
    let (spout, _) = computer.program();
    let _two = (sender(&spout, "a"), sender(&spout, "b"));
    let third = spout.create_sender("c").unwrap();
    let e = write(&mut *third.writer().unwrap(), shape(2), &texels(shape(2), 1)).unwrap_err();
    assert!(e.to_string().contains("it holds 2 (a, b)"), "{e}");
    assert_eq!(computer.session.memory("SpoutSenderNames").unwrap().len(), 512);
}

#[test]
fn a_list_of_ten_slots_made_by_an_old_program_is_kept_to() {
    let computer = Computer::default();
    let old = computer.session.process();
    let _list = old.create_memory(b"SpoutSenderNames", 4096).unwrap();
    let (spout, _) = computer.program();
    let _ten: Vec<_> = (0..10).map(|i| sender(&spout, &format!("s{i}"))).collect();
    let eleventh = spout.create_sender("x").unwrap();
    let e = write(&mut *eleventh.writer().unwrap(), shape(2), &texels(shape(2), 1)).unwrap_err();
    assert!(e.to_string().contains("it holds 10 ("), "{e}");
    assert!(computer.session.memory("SpoutSenderNames").unwrap()[2560..].iter().all(|b| *b == 0));
}

#[test]
fn many_writers_end_with_the_newest_in_the_texture() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (sender, _first) = sender(&spout, "a");
    let newest = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..3u32 {
            let (sender, newest) = (&sender, newest.clone());
            scope.spawn(move || {
                let mut writer = sender.writer().unwrap();
                for i in 0..30 {
                    let seed = 100 * thread + i;
                    let revision = write(&mut *writer, shape(2), &texels(shape(2), seed)).unwrap();
                    newest.fetch_max((revision as usize) << 32 | seed as usize, Ordering::SeqCst);
                }
            });
        }
    });
    let newest = newest.load(Ordering::SeqCst);
    assert_eq!(newest >> 32, 91, "every publication has its own revision");
    assert_eq!(computer.texture("a").unwrap(), texels(shape(2), newest as u32).as_flattened());
    assert_eq!(computer.session.count("a_Count_Semaphore"), 92);
}

#[test]
fn an_ended_stream_takes_nothing_more() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (sender, mut writer) = sender(&spout, "a");
    assert!(writer.texels().is_empty());
    assert!(matches!(writer.publish(), Err(TextureError::Broken(_))), "nothing was begun");
    drop(sender);
    assert!(matches!(write(&mut *writer, shape(2), &texels(shape(2), 1)), Err(TextureError::Ended)));
    assert_eq!(computer.adapter.texture_count(), 0);
}
