use super::*;
use proptest::prelude::*;

/// The same bytes are read by Python's plistlib in `tests/python/test_syphon_archives.py`.
fn fixtures() -> [(&'static [u8], Archived); 4] {
    let text = |text: &str| Archived::Text(text.into());
    [
        (
            include_bytes!("../../../../tests/fixtures/syphon/client.plist"),
            text("info.v002.Syphon.68753A44-4D6F-1226-9C60-0050E4C00067"),
        ),
        (include_bytes!("../../../../tests/fixtures/syphon/name.plist"), text("Kamera Ä 🎥")),
        (include_bytes!("../../../../tests/fixtures/syphon/surface.plist"), Archived::Number(42)),
        (include_bytes!("../../../../tests/fixtures/syphon/largest-surface.plist"), Archived::Number(u32::MAX)),
    ]
}

#[test]
fn archives_are_the_bytes_that_plistlib_was_shown() {
    for (bytes, archived) in fixtures() {
        assert_eq!(archived.write(), bytes, "{archived:?}");
        assert_eq!(Archived::read(bytes), Ok(archived));
    }
}

/// What GNUstep's archiver makes of the same objects; `tests/gnustep` has it make them anew.
#[test]
fn archives_of_another_foundation_are_read() {
    let theirs: [&[u8]; 4] = [
        include_bytes!("../../../../tests/fixtures/syphon/gnustep/client.plist"),
        include_bytes!("../../../../tests/fixtures/syphon/gnustep/name.plist"),
        include_bytes!("../../../../tests/fixtures/syphon/gnustep/surface.plist"),
        include_bytes!("../../../../tests/fixtures/syphon/gnustep/largest-surface.plist"),
    ];
    for (bytes, (ours, archived)) in theirs.into_iter().zip(fixtures()) {
        assert_ne!(bytes, ours, "their keys are in another order");
        assert_eq!(Archived::read(bytes), Ok(archived));
    }
}

/// The first bytes of every archive of one object that Foundation on a Mac writes, as they stand in many programs'
/// files and tests: magic, key and value numbers, the keys, version, archiver, `root`, its reference.
#[test]
fn archives_begin_as_foundations_own_do() {
    let foundation = b"bplist00\xd4\x01\x02\x03\x04\x05\x06\x07\x0aX$versionY$archiverT$topX$objects\
        \x12\x00\x01\x86\xa0_\x10\x0fNSKeyedArchiver\xd1\x08\x09Troot\x80\x01";
    for (bytes, _) in fixtures() {
        assert!(bytes.starts_with(foundation));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(text in "\\PC{0,300}", number in any::<u32>()) {
        for archived in [Archived::Text(text), Archived::Number(number)] {
            prop_assert_eq!(Archived::read(&archived.write()), Ok(archived));
        }
    }
}

fn archive(objects: Vec<Value>, root: u64) -> Vec<u8> {
    let entries = [
        ("$archiver", Value::Text(ARCHIVER.into())),
        ("$objects", Value::List(objects)),
        ("$top", Value::Dictionary(vec![("root".into(), Value::Uid(root))])),
        ("$version", Value::Integer(VERSION)),
    ];
    Value::Dictionary(entries.map(|(key, value)| (key.into(), value)).into()).write()
}

fn null() -> Value {
    Value::Text("$null".into())
}

#[test]
fn a_string_that_can_change_is_read_as_well() {
    let string = Value::Dictionary(vec![
        ("NS.string".into(), Value::Text("info.v002.Syphon.1".into())),
        ("$class".into(), Value::Uid(2)),
    ]);
    let class = Value::Dictionary(vec![("$classname".into(), Value::Text("NSMutableString".into()))]);
    let read = Archived::read(&archive(vec![null(), string, class], 1));
    assert_eq!(read, Ok(Archived::Text("info.v002.Syphon.1".into())));
}

#[test]
fn other_objects_are_refused() {
    let read = |objects, root| Archived::read(&archive(objects, root));
    let other = Err(ArchiveError::AnotherObject);
    assert_eq!(read(vec![null()], 0), other, "nil");
    assert_eq!(read(vec![null()], 1), other, "an object that is not there");
    assert_eq!(read(vec![null(), Value::Integer(1 << 32)], 1), other, "too large a number");
    assert_eq!(read(vec![null(), Value::List(vec![])], 1), other, "a list");
    assert_eq!(read(vec![null(), Value::Other], 1), other, "a truth value");
    let not = Archived::read(&Value::Integer(3).write()).unwrap_err().to_string();
    assert_eq!(not, "a property list that is no keyed archive: it lacks the archiver's name, NSKeyedArchiver");
    assert!(matches!(Archived::read(b""), Err(ArchiveError::PropertyList(_))));
}
