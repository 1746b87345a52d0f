//! The oracle is the `plist` crate, which shares nothing with our code.

use super::*;
use plist::Value as Oracle;
use proptest::prelude::*;
use std::io::Cursor;

/// Values that can be written, with strings of all lengths about which the format changes.
fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[ -~]{0,20}", "\\PC{0,20}", "[a-z]{250,260}"];
    let integer = prop_oneof![any::<u64>(), 0..300u64, (0..64u32).prop_map(|shift| 1 << shift)];
    let leaf = prop_oneof![
        integer.clone().prop_map(Value::Integer),
        text.clone().prop_map(Value::Text),
        any::<u32>().prop_map(|uid| Value::Uid(uid.into())),
    ];
    leaf.prop_recursive(4, 80, 20, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::List),
            prop::collection::btree_map("[a-z]{1,16}", inner, 0..20)
                .prop_map(|entries| Value::Dictionary(entries.into_iter().collect())),
        ]
    })
}

fn as_oracle(value: &Value) -> Oracle {
    match value {
        Value::Integer(n) => Oracle::Integer((*n).into()),
        Value::Text(text) => Oracle::String(text.clone()),
        Value::Uid(uid) => Oracle::Uid(plist::Uid::new(*uid)),
        Value::List(items) => Oracle::Array(items.iter().map(as_oracle).collect()),
        Value::Dictionary(entries) => {
            Oracle::Dictionary(entries.iter().map(|(k, value)| (k.clone(), as_oracle(value))).collect())
        }
        Value::Other => Oracle::Boolean(true),
    }
}

fn written_by_oracle(value: &Oracle) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.to_writer_binary(&mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn the_oracle_reads_what_is_written(value in values()) {
        let bytes = value.write();
        prop_assert_eq!(Oracle::from_reader(Cursor::new(&bytes)).unwrap(), as_oracle(&value));
        prop_assert_eq!(Value::read(&bytes), Ok(value));
    }

    #[test]
    fn what_the_oracle_writes_is_read(value in values()) {
        prop_assert_eq!(Value::read(&written_by_oracle(&as_oracle(&value))), Ok(value));
    }

    #[test]
    fn nothing_that_can_arrive_breaks_the_reader(
        value in values(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = value.write();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = Value::read(&bytes);
        let _ = Value::read(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn no_trailer_breaks_the_reader(body in any::<[u8; 24]>(), trailer in any::<[u8; 32]>()) {
        let _ = Value::read(&[MAGIC.as_slice(), &body, &trailer].concat());
    }
}

#[test]
fn values_of_no_use_are_passed_over() {
    let list = [
        Oracle::Boolean(true),
        Oracle::Real(0.5),
        Oracle::Data(vec![1, 2, 3]),
        Oracle::Date(std::time::SystemTime::UNIX_EPOCH.into()),
        Oracle::Integer((-3).into()),
        Oracle::Integer(3.into()),
    ];
    let read = Value::read(&written_by_oracle(&Oracle::Array(list.into()))).unwrap();
    let other = std::iter::repeat_n(Value::Other, 5);
    assert_eq!(read, Value::List(other.chain([Value::Integer(3)]).collect()));
    assert_eq!(Value::read(&Value::Other.write()), Ok(Value::Other));
}

/// One list in another, `levels` deep, each of `width` times the same next one: the outermost stands for
/// width^levels values in a few hundred bytes.
fn nest(levels: u8, width: u8) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    let mut offsets = Vec::new();
    for level in 0..levels {
        offsets.push(bytes.len() as u8);
        bytes.push(0xa0 | width);
        bytes.extend(std::iter::repeat_n(level + 1, width.into()));
    }
    offsets.push(bytes.len() as u8);
    bytes.extend([0x10, 7]);
    let table = bytes.len() as u8;
    bytes.extend(&offsets);
    bytes.extend([0, 0, 0, 0, 0, 0, 1, 1]);
    bytes.extend([[0, 0, 0, 0, 0, 0, 0, levels + 1], [0; 8], [0, 0, 0, 0, 0, 0, 0, table]].concat());
    bytes
}

#[test]
fn a_few_bytes_cannot_fill_the_memory() {
    let seven = |n| Value::List(vec![Value::Integer(7); n]);
    assert_eq!(Value::read(&nest(1, 3)), Ok(seven(3)));
    assert_eq!(Value::read(&nest(2, 2)), Ok(Value::List(vec![seven(2), seven(2)])));
    assert_eq!(Value::read(&nest(10, 10)), Err(PropertyListError::TooManyValues));
    assert_eq!(Value::read(&nest(30, 1)), Err(PropertyListError::TooDeep));
    let mut circle = nest(1, 1);
    circle[9] = 0;
    assert_eq!(Value::read(&circle), Err(PropertyListError::TooDeep));
    assert_eq!(Value::read(&vec![0; MAX_BYTES + 1]), Err(PropertyListError::TooLong(MAX_BYTES + 1)));
}

#[test]
fn damage_is_named() {
    let text = |bytes: &[u8]| Value::read(bytes).unwrap_err().to_string();
    assert_eq!(
        text(b"<?xml version=\"1.0\"?><plist><string>no</string></plist>"),
        "55 bytes that are no binary property list: it begins with \"bplist00\" and ends with a trailer"
    );
    assert!(text(b"").starts_with("0 bytes that are no"));
    let mut bytes = Value::Text("abc".into()).write();
    bytes[8] = 0x5e;
    assert_eq!(text(&bytes), "a damaged property list: a value lies outside");
}
