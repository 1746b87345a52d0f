use super::message::MessageReader;
use super::request::{CdlArguments, Payload, Request};
use super::*;
use crate::hald::Texel;
use bson::{Binary, Bson, Document as Oracle, doc, spec::BinarySubtype};
use proptest::prelude::*;
use std::io::Read;

/// Gathers what a request hands on.
#[derive(Default)]
struct Gather {
    entries: Vec<Texel>,
    known: Vec<(Option<String>, Option<String>)>,
}

impl Payload for Gather {
    fn begin(&mut self, so_far: &Request, _: usize) {
        self.known.push((so_far.command().map(str::to_owned), so_far.channel_so_far().map(str::to_owned)));
    }
    fn entries(&mut self, entries: &[Texel]) {
        self.entries.extend_from_slice(entries);
    }
}

/// Gives its bytes in pieces of the given lengths, then the rest at once.
struct Pieces<'a> {
    bytes: &'a [u8],
    lengths: Vec<usize>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let want = self.lengths.pop().unwrap_or(usize::MAX).max(1);
        let n = want.min(into.len()).min(self.bytes.len());
        into[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}

fn bytes_of(document: &Oracle) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.to_writer(&mut bytes).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<(Request, Gather), WireError> {
    read_pieces(bytes, Vec::new())
}

fn read_pieces(bytes: &[u8], lengths: Vec<usize>) -> Result<(Request, Gather), WireError> {
    let mut reader = MessageReader::new(Pieces { bytes, lengths }, WireLimits::default());
    let (mut request, mut gather) = (Request::default(), Gather::default());
    let mut message = reader.next_message()?.ok_or(Malformed::Length(0))?;
    request.read(&mut message, &mut gather)?;
    message.finish()?;
    Ok((request, gather))
}

fn malformed(bytes: &[u8]) -> String {
    match read(bytes) {
        Err(WireError::Malformed(m)) => m.to_string(),
        Err(other) => panic!("not malformed, but: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() })
}

#[test]
fn a_whole_request_is_understood() {
    let data: Vec<u8> = (0..128u8).collect();
    let (request, gather) = read(&bytes_of(&doc! {
        "command": "setLUT", "service": "Livegrade", "instance": "cam “A”", "type": 3, "count": 5i64, "gain": 0.5,
        "arguments": { "lutSize": 2, "lutData": binary(&data), "note": "x" },
    }))
    .unwrap();
    assert_eq!(request.command(), Some("setLUT"));
    assert_eq!(request.channel(), "cam “A”");
    assert_eq!(request.lut_size, Some(2.0));
    assert_eq!(request.lut_bytes, Some(128));
    assert_eq!(gather.entries.as_flattened(), data);
    assert_eq!(gather.known, [(Some("setLUT".into()), Some("cam “A”".into()))]);
    assert_eq!(request.metadata, "service=\"Livegrade\" type=3 count=5 gain=0.5 note=\"x\"");
}

#[test]
fn fields_may_stand_in_any_order_and_null_is_absent() {
    let data = [7u8; 128];
    let (request, gather) = read(&bytes_of(&doc! {
        "arguments": { "lutData": binary(&data), "lutSize": 2i64 }, "instance": Bson::Null, "command": "setLUT",
    }))
    .unwrap();
    assert_eq!((request.command(), request.channel(), request.lut_size), (Some("setLUT"), "", Some(2.0)));
    assert_eq!(gather.known, [(None, None)]);
    assert_eq!(gather.entries.len(), 8);
    let (request, _) = read(&bytes_of(&doc! { "command": "setLUT", "arguments": Bson::Null })).unwrap();
    assert_eq!(request.lut_bytes, None);
}

#[test]
fn every_binary_subtype_is_lut_data() {
    let data: Vec<u8> = (0..128).collect();
    for subtype in [0u8, 1, 2, 3, 4, 5, 6, 7, 9, 128, 255] {
        let lut = Bson::Binary(Binary { subtype: subtype.into(), bytes: data.clone() });
        let (_, gather) = read(&bytes_of(&doc! { "arguments": { "lutData": lut } })).unwrap();
        assert_eq!(gather.entries.as_flattened(), data, "subtype {subtype}");
    }
}

#[test]
fn cdl_triplets_come_in_every_known_shape() {
    let wanted = CdlArguments {
        slope: Some([1.0, 2.0, 3.0]),
        offset: Some([0.5, 0.0, -1.0]),
        power: Some([1.0, 1.5, 2.0]),
        saturation: Some(0.9),
        incomplete: None,
    };
    for arguments in [
        doc! { "slope": [1, 2i64, 3.0], "offset": [0.5, 0, -1], "power": [1, 1.5, 2], "saturation": 0.9 },
        doc! { "slope": { "r": 1, "g": 2, "b": 3 }, "offset": { "x": 0.5, "y": 0, "z": -1 },
        "power": { "blue": 2, "red": 1, "green": 1.5 }, "saturation": 0.9 },
    ] {
        let (request, _) = read(&bytes_of(&doc! { "command": "setCDL", "arguments": arguments })).unwrap();
        assert_eq!(request.cdl, wanted);
    }
    for (short, name) in [
        (doc! { "slope": [1.0, 2.0] }, "slope"),
        (doc! { "offset": [1, 2, 3, 4] }, "offset"),
        (doc! { "power": { "r": 1, "g": 2, "q": 3 } }, "power"),
        (doc! { "slope": { "r": 1, "x": 2, "green": 3, "blue": 4 } }, "slope"),
    ] {
        let (request, _) = read(&bytes_of(&doc! { "command": "setCDL", "arguments": short })).unwrap();
        assert_eq!(request.cdl.incomplete, Some(name));
    }
}

#[test]
fn impossible_lengths_are_named_and_nothing_is_allocated() {
    let with = |length: i32| [&length.to_le_bytes()[..], &[0; 60]].concat();
    assert_eq!(malformed(&with(-1)), "a message length of -1 bytes is impossible: a BSON document has at least 5");
    assert_eq!(malformed(&with(4)), "a message length of 4 bytes is impossible: a BSON document has at least 5");
    assert_eq!(
        malformed(&with(i32::MAX)),
        "a message of 2147483647 bytes is over this server's limit of 33619968 bytes"
    );
}

#[test]
fn known_fields_of_impossible_types_are_named() {
    let says = |d: Oracle| malformed(&bytes_of(&d));
    assert_eq!(says(doc! { "command": 7 }), "field \"command\" is a 32-bit integer; it must be a string");
    assert_eq!(says(doc! { "instance": [1] }), "field \"instance\" is an array; it must be a string");
    assert_eq!(says(doc! { "arguments": "x" }), "field \"arguments\" is a string; it must be a document");
    assert_eq!(says(doc! { "arguments": { "lutData": "x" } }), "field \"lutData\" is a string; it must be binary data");
    assert_eq!(
        says(doc! { "arguments": { "lutSize": true } }),
        "field \"lutSize\" is a boolean; it must be a number (int32, int64 or double)"
    );
    assert_eq!(
        says(doc! { "arguments": { "slope": 1.0 } }),
        "field \"slope\" is a double; it must be an array or a document of three numbers"
    );
}

#[test]
fn a_known_field_that_stands_there_twice_is_refused() {
    let mut bytes = bytes_of(&doc! { "command": "setLUT", "commanf": "setCDL" });
    let at = bytes.windows(7).position(|w| w == b"commanf").unwrap();
    bytes[at + 6] = b'd';
    assert_eq!(malformed(&bytes), "field \"command\" stands in the message twice");
}

#[test]
fn documents_may_nest_but_not_without_end() {
    // By hand, for the `bson` crate's own documents overflow the stack at such depths.
    let nested = |depth: usize| {
        (0..depth).fold(vec![5, 0, 0, 0, 0], |inner, _| {
            [&(inner.len() as i32 + 8).to_le_bytes()[..], b"\x03a\0", &inner, b"\0"].concat()
        })
    };
    assert!(read(&nested(message::MAX_DEPTH - 4)).is_ok());
    assert_eq!(malformed(&nested(5000)), "the message nests documents more than 32 deep");
}

#[test]
fn a_name_is_cut_between_characters_and_its_whole_length_is_told() {
    let long = "é".repeat(40_000);
    let (request, _) = read(&bytes_of(&doc! { "instance": &long })).unwrap();
    assert_eq!(request.channel(), "é".repeat(request::LONGEST_CHANNEL / 2));
    assert_eq!(request.channel_bytes(), 80_000);
}

#[test]
fn silence_is_a_fault_in_the_middle_of_a_message_only() {
    struct Silent<'a>(&'a [u8], usize);
    impl Read for Silent<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.1 > 0 {
                self.1 -= 1;
                return Err(std::io::ErrorKind::WouldBlock.into());
            }
            self.0.read(into).and_then(|n| if n == 0 { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(n) })
        }
    }
    let whole = bytes_of(&doc! { "command": "x" });
    for cut in 1..whole.len() {
        let mut reader = MessageReader::new(Silent(&whole[..cut], 3), WireLimits::default());
        let error = reader.next_message().and_then(|m| {
            let mut m = m.expect("a message has begun");
            Request::default().read(&mut m, &mut Gather::default())
        });
        match error {
            Err(WireError::Silent { received, .. }) => assert_eq!(received, cut),
            other => panic!("cut at {cut}: {other:?}"),
        }
    }
}

#[test]
fn messages_follow_one_another_whatever_the_first_held() {
    let big = vec![1u8; 3 << 20];
    let first = bytes_of(&doc! { "x": binary(&big), "command": "a", "y": "z".repeat(300_000) });
    let second = bytes_of(&doc! { "command": "b" });
    let both = [first, second].concat();
    let mut reader = MessageReader::new(&both[..], WireLimits::default());
    let mut request = Request::default();
    for wanted in ["a", "b"] {
        let mut message = reader.next_message().unwrap().unwrap();
        request.read(&mut message, &mut Gather::default()).unwrap();
        assert_eq!(request.command(), Some(wanted));
    }
    assert!(reader.next_message().unwrap().is_none());
}

/// Notes how much is asked for at once.
struct Asked<'a> {
    bytes: &'a [u8],
    most: &'a std::cell::Cell<usize>,
}

impl Read for Asked<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.most.set(self.most.get().max(into.len()));
        self.bytes.read(into)
    }
}

#[test]
fn a_message_is_read_in_the_pieces_that_it_is_told_to_and_arrives_whole() {
    let data: Vec<u8> = (0u32..1 << 20).flat_map(u32::to_le_bytes).collect();
    let document = doc! { "x": "z".repeat(200_000), "command": "setLUT", "arguments": { "lutData": binary(&data) } };
    let bytes = bytes_of(&document);
    for piece in [1 << 10, 64 << 10, 256 << 10, 1 << 30] {
        let most = std::cell::Cell::new(0);
        // What comes before a message is known is read as before.
        let (first, rest) = bytes.split_at(4);
        let source = first.chain(Asked { bytes: rest, most: &most });
        let mut reader = MessageReader::new(source, WireLimits::default());
        let (mut request, mut gather) = (Request::default(), Gather::default());
        let mut message = reader.next_message().unwrap().unwrap();
        message.read_in_pieces(piece);
        request.read(&mut message, &mut gather).unwrap();
        message.finish().unwrap();
        assert!(gather.entries.as_flattened() == data);
        assert_eq!(most.get(), piece.min(256 << 10), "pieces of {piece}");
    }
}

/// Any BSON value, nested a little.
fn any_bson() -> impl Strategy<Value = Bson> {
    let leaf = prop_oneof![
        any::<f64>().prop_map(Bson::Double),
        ".{0,20}".prop_map(Bson::String),
        proptest::collection::vec(any::<u8>(), 0..100).prop_map(|b| binary(&b)),
        any::<bool>().prop_map(Bson::Boolean),
        any::<i32>().prop_map(Bson::Int32),
        any::<i64>().prop_map(Bson::Int64),
        Just(Bson::Null),
        Just(Bson::Undefined),
        Just(Bson::MinKey),
        Just(Bson::MaxKey),
        any::<i64>().prop_map(|t| Bson::DateTime(bson::DateTime::from_millis(t))),
        any::<[u8; 12]>().prop_map(|b| Bson::ObjectId(bson::oid::ObjectId::from_bytes(b))),
        any::<[u8; 16]>().prop_map(|b| Bson::Decimal128(bson::Decimal128::from_bytes(b))),
        "[a-z]{0,5}".prop_map(Bson::Symbol),
        "[a-z]{0,5}".prop_map(Bson::JavaScriptCode),
        ("[a-z]{0,5}").prop_map(|code| {
            Bson::JavaScriptCodeWithScope(bson::JavaScriptCodeWithScope { code, scope: doc! { "a": 1 } })
        }),
        ("[a-z]{0,5}").prop_map(|pattern| {
            Bson::RegularExpression(bson::Regex {
                pattern: pattern.try_into().unwrap(),
                options: String::new().try_into().unwrap(),
            })
        }),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Bson::Array),
            proptest::collection::btree_map("[a-zA-Z]{1,12}", inner, 0..5)
                .prop_map(|m| Bson::Document(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// However the bytes are split, and whatever stands beside the known fields, the same request comes out.
    #[test]
    fn any_document_is_read_the_same_in_any_pieces(
        extra in proptest::collection::btree_map("[A-Z]{1,80}", any_bson(), 0..6),
        data in proptest::collection::vec(any::<u8>(), 0..3000),
        channel in ".{0,30}",
        data_first in any::<bool>(),
        lengths in proptest::collection::vec(1usize..700, 0..60),
    ) {
        let mut document = Oracle::new();
        let arguments = doc! { "more": extra.values().next().cloned().unwrap_or(Bson::Null), "lutData": binary(&data) };
        if data_first {
            document.insert("arguments", arguments.clone());
        }
        document.extend(extra);
        document.insert("instance", channel.as_str());
        document.insert("command", "setLUT");
        if !data_first {
            document.insert("arguments", arguments);
        }
        let bytes = bytes_of(&document);
        let (request, gather) = read_pieces(&bytes, lengths).unwrap();
        prop_assert_eq!(request.command(), Some("setLUT"));
        prop_assert_eq!(request.channel(), channel);
        prop_assert_eq!(request.lut_bytes, Some(data.len()));
        prop_assert_eq!(gather.entries.as_flattened(), &data[..data.len() / 16 * 16]);
    }

    /// Damaged documents never panic, and never make the reader run over the message's end: what follows is found.
    #[test]
    fn damaged_documents_are_refused_or_read_to_their_end(
        value in any_bson(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = bytes_of(&doc! { "command": "setLUT", "V": value, "arguments": { "lutData": binary(&[0; 64]) } });
        let length = bytes.len();
        for (at, to) in damage {
            bytes[4 + at.index(length - 4)] = to;
        }
        let next = bytes_of(&doc! { "command": "next" });
        let both = [bytes, next].concat();
        let mut reader = MessageReader::new(&both[..], WireLimits::default());
        let mut request = Request::default();
        let mut message = reader.next_message().unwrap().unwrap();
        if request.read(&mut message, &mut Gather::default()).is_ok() {
            message.finish().unwrap();
            let mut message = reader.next_message().unwrap().unwrap();
            request.read(&mut message, &mut Gather::default()).unwrap();
            prop_assert_eq!(request.command(), Some("next"));
        }
    }

    /// What the `bson` crate reads as a document, this reader does not call broken.
    #[test]
    fn whatever_the_bson_crate_accepts_is_not_called_broken(
        value in any_bson(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes = bytes_of(&doc! { "V": value });
        let length = bytes.len();
        for (at, to) in damage {
            bytes[4 + at.index(length - 4)] = to;
        }
        if Oracle::from_reader(&bytes[..]).is_ok()
            && let Err(e) = read(&bytes)
        {
            prop_assert!(
                !matches!(e, WireError::Malformed(Malformed::NotBson { .. })),
                "{} in {:02x?}", e, bytes
            );
        }
    }
}
