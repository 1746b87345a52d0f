use super::*;
use crate::texture::spout::lock;
use crate::texture::spout::seam::DeviceError;
use std::io::ErrorKind;

fn publish(writer: &mut dyn TextureWriter, seed: u32) -> Result<u64, TextureError> {
    write(writer, shape(2), &texels(shape(2), seed))
}

#[test]
fn a_texture_in_use_is_waited_for_and_written_then() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, mut writer) = sender(&spout, "a");
    computer.session.hold("a_SpoutAccessMutex", 3);
    assert_eq!(publish(&mut *writer, 2).unwrap(), 2);
    assert_eq!(computer.session.time_outs("a_SpoutAccessMutex"), 3);
    assert_eq!(computer.texture("a").unwrap(), texels(shape(2), 2).as_flattened());
}

#[test]
fn a_texture_that_never_gets_free_is_an_error_and_stays_as_it_is() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, mut writer) = sender(&spout, "a");
    computer.session.hold("a_SpoutAccessMutex", usize::MAX);
    let Err(TextureError::Io { doing, source }) = publish(&mut *writer, 2) else { panic!("it can't be published") };
    assert_eq!((doing.as_str(), source.kind()), ("waiting for the mutex a_SpoutAccessMutex", ErrorKind::TimedOut));
    assert!(source.to_string().contains("another program kept it for 2010 ms"), "{source}");
    assert_eq!(computer.session.time_outs("a_SpoutAccessMutex"), lock::ATTEMPTS as usize);
    assert_eq!(computer.texture("a").unwrap(), texels(shape(2), 1).as_flattened());
    assert!(write(&mut *writer, shape(3), &texels(shape(3), 2)).is_err(), "nor in another size");
    assert_eq!(computer.info("a").unwrap().width, 4);

    computer.session.abandon("a_SpoutAccessMutex");
    assert_eq!(publish(&mut *writer, 3).unwrap(), 2, "what failed was no revision");
    assert_eq!(computer.texture("a").unwrap(), texels(shape(2), 3).as_flattened());
}

#[test]
fn one_streams_mutex_stops_no_other_stream() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_a, mut stuck) = sender(&spout, "a");
    let (_b, mut free) = sender(&spout, "b");
    computer.session.hold("a_SpoutAccessMutex", usize::MAX);
    assert!(publish(&mut *stuck, 2).is_err());
    assert_eq!(publish(&mut *free, 2).unwrap(), 2);
    assert_eq!(computer.session.time_outs("b_SpoutAccessMutex"), 0);
}

#[test]
fn mutexes_of_programs_that_ended_are_taken_over() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, mut writer) = sender(&spout, "a");
    for mutex in ["a_SpoutAccessMutex", "a_mutex", "SpoutSenderNames_mutex", "ActiveSenderName_mutex"] {
        computer.session.abandon(mutex);
    }
    write(&mut *writer, shape(3), &texels(shape(3), 2)).unwrap();
    let _another = sender(&computer.program().0, "b");
    assert_eq!(computer.listed(), ["a", "b"]);
    assert_eq!(computer.active(), "b");
    for mutex in ["a_SpoutAccessMutex", "a_mutex", "SpoutSenderNames_mutex", "ActiveSenderName_mutex"] {
        assert!(!computer.session.is_owned(mutex), "{mutex}");
    }
}

#[test]
fn a_list_in_use_is_waited_for() {
    let computer = Computer::default();
    let _keeps_the_list = sender(&computer.program().0, "z");
    let (spout, _) = computer.program();
    computer.session.hold("SpoutSenderNames_mutex", 5);
    let a = sender(&spout, "a");
    assert_eq!(computer.listed(), ["a", "z"]);
    computer.session.hold("SpoutSenderNames_mutex", 5);
    drop(a);
    assert_eq!(computer.listed(), ["z"]);

    computer.session.hold("SpoutSenderNames_mutex", usize::MAX);
    let sender = spout.create_sender("b").unwrap();
    let e = publish(&mut *sender.writer().unwrap(), 1).unwrap_err();
    assert!(e.to_string().starts_with("waiting for the mutex SpoutSenderNames_mutex: "), "{e}");
}

#[test]
fn a_device_removed_while_publishing_is_replaced_under_the_same_name() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (sender, mut writer) = sender(&spout, "a");
    let before = computer.info("a").unwrap();
    computer.adapter.state().removals_in_upload = 1;
    assert_eq!(publish(&mut *writer, 2).unwrap(), 2);
    let after = computer.info("a").unwrap();
    assert_ne!(after.share_handle, before.share_handle);
    assert_eq!(computer.texture("a").unwrap(), texels(shape(2), 2).as_flattened());
    assert_eq!((sender.name(), computer.listed()), ("a", vec!["a".to_owned()]));
    assert_eq!(computer.adapter.state().devices, 2);
    assert_eq!(spout.restarts(), [("device", 1)]);
}

#[test]
fn a_device_removed_again_and_again_is_an_error() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, mut writer) = sender(&spout, "a");
    computer.adapter.state().removals_in_upload = 100;
    let e = publish(&mut *writer, 2).unwrap_err().to_string();
    assert_eq!(e, "publishing a over Spout: the graphics device was removed (unplugged)");
}

#[test]
fn a_device_removed_while_nothing_happens_is_replaced_and_every_lut_is_back() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_a, mut a_writer) = sender(&spout, "a");
    let (_b, _b_writer) = sender(&spout, "b");
    publish(&mut *a_writer, 5).unwrap();
    let _never_published = spout.create_sender("c").unwrap();
    let handles = || (computer.info("a").unwrap().share_handle, computer.info("b").unwrap().share_handle);
    let before = handles();
    computer.adapter.remove_device();
    assert_eq!(computer.texture("a"), None);
    wait_until("both LUTs are back", || computer.texture("a").is_some() && computer.texture("b").is_some());
    assert_eq!(computer.texture("a").unwrap(), texels(shape(2), 5).as_flattened());
    assert_eq!(computer.texture("b").unwrap(), texels(shape(2), 1).as_flattened());
    assert!(handles().0 != before.0 && handles().1 != before.1);
    assert_eq!(computer.listed(), ["a", "b"]);
    assert_eq!(publish(&mut *a_writer, 6).unwrap(), 3, "its revisions go on");
}

#[test]
fn without_any_device_publishing_fails_and_the_last_lut_comes_back_by_itself() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_a, mut writer) = sender(&spout, "a");
    computer.adapter.state().no_device = Some(DeviceError::Failed("no adapter".into()));
    computer.adapter.remove_device();
    let e = publish(&mut *writer, 2).unwrap_err().to_string();
    assert_eq!(e, "publishing a over Spout: no adapter");
    computer.adapter.state().no_device = None;
    wait_until("the LUT is back", || computer.texture("a").is_some());
    assert_eq!(computer.texture("a").unwrap(), texels(shape(2), 1).as_flattened(), "the one whose reply said yes");
}

#[test]
fn a_texture_that_cannot_be_shared_leaves_no_trace() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let why = "this system can't share Direct3D 11 textures";
    computer.adapter.state().no_handle = Some(DeviceError::Unsupported(why.into()));
    assert!(matches!(spout.check(), Err(TextureError::Unavailable(w)) if w == why));
    let sender = spout.create_sender("a").unwrap();
    let mut writer = sender.writer().unwrap();
    assert_eq!(publish(&mut *writer, 1).unwrap_err().to_string(), why);
    assert!(computer.session.object_names().is_empty());
    assert_eq!(computer.adapter.texture_count(), 0);
    computer.adapter.state().no_handle = None;
    spout.check().unwrap();
    assert_eq!(publish(&mut *writer, 1).unwrap(), 1);
}

#[test]
fn a_device_that_cannot_be_made_is_said_to_be_so() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    computer.adapter.state().no_device = Some(DeviceError::Unsupported("no Direct3D 11 device".into()));
    assert!(matches!(spout.check(), Err(TextureError::Unavailable(why)) if why == "no Direct3D 11 device"));
    assert!(spout.details().contains(&("device", "none: no Direct3D 11 device".into())));
}

#[test]
fn an_object_that_cannot_be_made_leaves_no_trace_in_the_list() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let _other = sender(&computer.program().0, "z");
    let a = spout.create_sender("a").unwrap();
    let mut writer = a.writer().unwrap();
    for object in ["a", "a_mutex", "a_SpoutAccessMutex", "a_Count_Semaphore", "SpoutSenderNames"] {
        computer.session.refuse(object);
        let e = publish(&mut *writer, 1).unwrap_err().to_string();
        assert!(e.ends_with(": refused"), "{object}: {e}");
        assert_eq!((computer.listed(), computer.active()), (vec!["z".to_owned()], "z".to_owned()), "{object}");
        assert_eq!(computer.session.memory("a"), None, "{object}");
        computer.session.refuse_nothing();
    }
    assert_eq!(publish(&mut *writer, 1).unwrap(), 1);
}

#[test]
fn a_texture_too_large_for_the_graphics_memory_leaves_the_one_before() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, mut writer) = sender(&spout, "a");
    let before = computer.info("a").unwrap();
    computer.adapter.state().no_texture = Some(DeviceError::OutOfMemory("0x8007000e".into()));
    let e = write(&mut *writer, shape(3), &texels(shape(3), 2)).unwrap_err().to_string();
    assert_eq!(e, "no memory for a texture of 432 bytes (0x8007000e)");
    assert_eq!(computer.info("a").unwrap(), before);
    assert_eq!(publish(&mut *writer, 3).unwrap(), 2, "the size before still goes");
}

#[test]
fn an_upload_that_does_not_finish_is_an_error() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, mut writer) = sender(&spout, "a");
    computer.adapter.state().no_finish = Some(DeviceError::Failed("still at it after 5 s".into()));
    let e = publish(&mut *writer, 2).unwrap_err().to_string();
    assert_eq!(e, "publishing a over Spout: still at it after 5 s");
    computer.adapter.state().no_finish = None;
    assert_eq!(publish(&mut *writer, 3).unwrap(), 2);
    assert_eq!(computer.texture("a").unwrap(), texels(shape(2), 3).as_flattened());
}

#[test]
fn a_new_texture_with_the_handle_of_the_old_one_is_not_announced() {
    let computer = Computer::default();
    let (spout, _) = computer.program();
    let (_sender, mut writer) = sender(&spout, "a");
    let before = computer.info("a").unwrap().share_handle;
    computer.adapter.state().same_handles = 2;
    write(&mut *writer, shape(3), &texels(shape(3), 2)).unwrap();
    assert_ne!(computer.info("a").unwrap().share_handle, before);
    assert_eq!(computer.texture("a").unwrap(), texels(shape(3), 2).as_flattened());
    assert_eq!(computer.adapter.state().textures_made, 4);

    computer.adapter.state().same_handles = 100;
    assert!(write(&mut *writer, shape(2), &texels(shape(2), 2)).is_err());
}
