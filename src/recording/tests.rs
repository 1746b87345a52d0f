use super::*;
use crate::hald::EntryOrder;
use crate::lut::{GridSize, Lut3d, moving_grade};
use crate::wire::client::set_lut;
use proptest::prelude::*;
use std::io::Read;
use std::time::Duration;

fn grade(n: u64) -> Lut3d {
    moving_grade(GridSize::new(n).unwrap(), 0.7)
}

fn read_all(path: &std::path::Path) -> Vec<Entry> {
    Recording::open(path).unwrap().map(Result::unwrap).collect()
}

/// Records what is read from `bytes`, in pieces of `piece` bytes.
fn tapped(recorder: &Recorder, bytes: &[u8], piece: usize) {
    let mut source = Tapped::new(bytes, Some(recorder), 1 << 20);
    let mut buffer = vec![0; piece];
    while source.read(&mut buffer).unwrap() > 0 {}
}

#[test]
fn whole_messages_come_back_bit_for_bit_however_they_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.vglbrec");
    let recorder = Recorder::create(&path).unwrap();
    let messages = [set_lut(Some("a"), &grade(9), EntryOrder::BlueFastest), vec![5, 0, 0, 0, 0]];
    for piece in [1, 3, 7, 1 << 20] {
        tapped(&recorder, &messages.concat(), piece);
    }
    recorder.finish();
    let entries = read_all(&path);
    assert!(entries.windows(2).all(|pair| pair[0].at <= pair[1].at));
    let events: Vec<_> = entries.into_iter().map(|e| (e.connection, e.event)).collect();
    let wanted: Vec<_> = (1..=4)
        .flat_map(|c| messages.iter().cloned().map(Event::Message).chain([Event::End]).map(move |e| (c, e)))
        .collect();
    assert_eq!(events, wanted);
}

#[test]
fn what_is_no_message_is_recorded_as_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let recorder = Recorder::create(&path).unwrap();
    tapped(&recorder, &[9, 0, 0, 0, 1, 2], 4);
    tapped(&recorder, &[255; 100_000], 1000);
    recorder.finish();
    let broken: Vec<_> = read_all(&path)
        .into_iter()
        .filter_map(|e| if let Event::Broken(bytes) = e.event { Some(bytes.len()) } else { None })
        .collect();
    assert_eq!(broken, [6, 64 << 10]);
}

#[test]
fn a_recording_is_smaller_than_what_it_holds() {
    let message = set_lut(None, &grade(17), EntryOrder::BlueFastest);
    let entry = Entry { at: Duration::ZERO, connection: 1, event: Event::Message(message.clone()) };
    let record = entry.encode().unwrap();
    assert!(record.len() * 10 < message.len() * 7, "{} bytes of {}", record.len(), message.len());
}

#[test]
fn a_file_that_is_there_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    std::fs::write(&path, "theirs").unwrap();
    assert_eq!(Recorder::create(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");
}

#[test]
fn a_recording_that_was_cut_off_is_read_up_to_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let recorder = Recorder::create(&path).unwrap();
    tapped(&recorder, &set_lut(None, &grade(2), EntryOrder::BlueFastest), 100);
    recorder.finish();
    let whole = std::fs::read(&path).unwrap();
    let first = 20 + 8 + u32::from_le_bytes(whole[20..24].try_into().unwrap()) as usize;
    for cut in 20..whole.len() {
        let entries: Vec<_> = Recording::new(&whole[..cut]).unwrap().collect();
        let good = entries.iter().filter(|e| e.is_ok()).count();
        assert_eq!(good, usize::from(cut >= first), "cut at {cut}");
        if cut != 20 && cut != first {
            let at = if cut < first { 20 } else { first };
            let said = entries.last().unwrap().as_ref().unwrap_err().to_string();
            assert_eq!(
                said,
                format!("it was cut off at byte {at}, in the middle of a record; everything before is whole")
            );
        }
    }
    for cut in 0..20 {
        assert!(matches!(Recording::new(&whole[..cut]), Err(ReadError::Foreign)));
    }
    let mut later = whole.clone();
    later[8] = 9;
    assert!(matches!(Recording::new(&later[..]), Err(ReadError::Newer(9))));
    for at in 20..first {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert!(Recording::new(&damaged[..]).unwrap().any(|e| e.is_err()), "byte {at}");
    }
}

proptest! {
    #[test]
    fn nonsense_gives_an_error_or_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut file = format::MAGIC.to_vec();
        file.extend(format::VERSION.to_le_bytes());
        file.extend([0; 8]);
        file.extend(&bytes);
        prop_assert!(Recording::new(&file[..]).unwrap().count() <= bytes.len());
        let _ = Entry::decode(&bytes);
    }

    #[test]
    fn every_entry_comes_back(
        bytes in proptest::collection::vec(any::<u8>(), 0..300), micros in any::<u64>(), connection in any::<u32>(), kind in 0..4,
    ) {
        let event = match kind {
            0 => Event::Message(bytes),
            1 => Event::Broken(bytes),
            2 => Event::Lost(connection),
            _ => Event::End,
        };
        let entry = Entry { at: Duration::from_micros(micros), connection, event };
        let record = entry.encode().unwrap();
        prop_assert_eq!(Entry::decode(&record[4..record.len() - 4]), Some(entry));
    }
}
