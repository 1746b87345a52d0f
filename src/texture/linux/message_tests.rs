use super::*;
use proptest::prelude::*;

fn shape(n: u64, layout: Layout) -> TextureShape {
    TextureShape::new(GridSize::new(n).unwrap(), layout).unwrap()
}

fn surface() -> Surface {
    let shape = shape(33, Layout::Unity);
    Surface {
        surface: 0x0102_0304_0506_0708,
        newest: Stamp { revision: 9, monotonic_ns: 10, realtime_ns: 11 },
        shape,
        memory: Place::new(shape, 4096),
        name: "vglb-lut-Ä".into(),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn hello_is_these_64_bytes() {
    let device = DeviceIdentity { device: [0xdd; 16], driver: [0xee; 16] };
    let hello = Hello { flags: INSPECT, tiers: 3, device };
    let bytes = hello.encode();
    let golden = "56474c42".to_owned() // "VGLB"
        + "01000100" // version 1, type 1
        + "40000000" + "00000000" // length, reserved
        + "01000000" + "03000000" // flags, tiers
        + &"dd".repeat(16)
        + &"ee".repeat(16)
        + &"00".repeat(8);
    assert_eq!(hex(&bytes), golden);
    assert_eq!(FromReceiver::decode(&bytes), Ok(FromReceiver::Hello(hello)));
}

#[test]
fn frame_gone_and_release_are_these_bytes() {
    let stamp = Stamp { revision: 0x22, monotonic_ns: 0x3344, realtime_ns: 0x5566 };
    let frame = Frame { surface: 0x11, stamp, slot: 5 };
    let golden = "56474c42010003003800000000000000".to_owned()
        + "1100000000000000"
        + "2200000000000000"
        + "4433000000000000"
        + "0500000000000000"
        + "6655000000000000";
    assert_eq!(hex(&frame.encode()), golden);
    assert_eq!(FromSender::decode(&frame.encode()), Ok(FromSender::Frame(frame)));

    let gone = Gone::new(Reason::TooManyReceivers, 64);
    assert_eq!(hex(&gone.encode()), "56474c4201000500180000000000000002000000".to_owned() + "40000000");
    assert_eq!(FromSender::decode(&gone.encode()), Ok(FromSender::Gone(gone)));

    let read = Release { surface: 0x11, revision: 0x22, slot: 7 };
    let release = read.encode();
    assert_eq!(
        hex(&release),
        "56474c420100040028000000000000001100000000000000".to_owned() + "22000000000000000700000000000000"
    );
    assert_eq!(FromReceiver::decode(&release), Ok(FromReceiver::Release(read)));
}

#[test]
fn a_cdl_is_these_96_bytes() {
    let cdl = Cdl::new([1.0, 2.0, 0.5], [-1.0, 0.0, 0.25], [1.5, 1.0, 4.0], 0.75).unwrap();
    let bytes = cdl_message::encode(&cdl);
    let golden = "56474c42010006006000000000000000".to_owned()
        + "000000000000f03f" + "0000000000000040" + "000000000000e03f" // slope
        + "000000000000f0bf" + "0000000000000000" + "000000000000d03f" // offset
        + "000000000000f83f" + "000000000000f03f" + "0000000000001040" // power
        + "000000000000e83f"; // saturation
    assert_eq!(hex(&bytes), golden);
    assert_eq!(FromSender::decode(&bytes), Ok(FromSender::Cdl(Some(cdl))));
    for (at, wrong) in [(16, -1.0), (40, f64::NAN), (64, 0.0), (88, f64::INFINITY)] {
        let mut bytes = bytes;
        bytes[at..at + 8].copy_from_slice(&wrong.to_le_bytes());
        assert_eq!(FromSender::decode(&bytes), Ok(FromSender::Cdl(None)), "{wrong} at {at}");
    }
}

#[test]
fn surface_has_its_fields_where_the_document_says() {
    let s = surface();
    let bytes = s.encode(true);
    assert_eq!(hex(&bytes[..16]), "56474c4201000200e003000000000000");
    assert_eq!(u64_at(&bytes, 16), 0x0102_0304_0506_0708, "surface");
    assert_eq!([u64_at(&bytes, 24), u64_at(&bytes, 32), u64_at(&bytes, 40)], [9, 10, 11], "revision, times");
    assert_eq!([48, 52, 56, 60].map(|at| u32_at(&bytes, at)), [33, 1089, 33, 2], "N, width, height, layout");
    assert_eq!([64, 68, 72, 76].map(|at| u32_at(&bytes, at)), [109, 1, 16, 1], "format, tier, slots, descriptors");
    assert_eq!(u64_at(&bytes, 80), 4096 + 16 * 577_536, "memory size");
    assert_eq!([u64_at(&bytes, 88), u64_at(&bytes, 96)], [0, 4096], "control area");
    assert_eq!(bytes[104..136], [0; 32], "device and driver");
    assert_eq!(u32_at(&bytes, 136), 11, "name length");
    for slot in 0..16 {
        let at = 144 + 40 * slot;
        assert_eq!([u64_at(&bytes, at), u64_at(&bytes, at + 8)], [4096 + slot as u64 * 577_536, 577_536]);
        assert_eq!(u32_at(&bytes, at + 16), 1089 * 16, "pitch");
        assert_eq!(bytes[at + 20..at + 40], [0; 20]);
    }
    assert_eq!(&bytes[784..795], "vglb-lut-Ä".as_bytes());
    assert_eq!(bytes[795..], [0; 197]);
    assert_eq!(FromSender::decode(&bytes), Ok(FromSender::Surface(Box::new(s))));
}

#[test]
fn every_shape_goes_through() {
    for layout in Layout::ALL {
        for n in 2..=256 {
            let Ok(shape) = TextureShape::new(GridSize::new(n).unwrap(), layout) else { continue };
            let s = Surface { shape, memory: Place::new(shape, 65536), ..surface() };
            assert_eq!(FromSender::decode(&s.encode(false)), Ok(FromSender::Surface(Box::new(s))));
        }
    }
}

#[test]
fn a_field_out_of_range_is_named() {
    let good = surface().encode(true);
    for (at, value, says) in [
        (48, 1u32, "grid size is 1"),
        (48, 129, "grid size is 129"),
        (48, 32, "width is 1089"),
        (52, 1088, "width is 1088"),
        (56, 34, "height is 34"),
        (60, 4, "layout is 4"),
        (64, 97, "format is 97"),
        (68, 3, "tier is 3"),
        (72, 17, "slot count is 17"),
        (72, u32::MAX, "slot count is 4294967295"),
        (76, 2, "number of descriptors is 2"),
        (80, 0, "control size is 4096"),
        (136, 201, "name length is 201"),
        (144 + 16, 1089 * 16 + 16, "row pitch is 17440"),
        (144 + 20, 1, "descriptor of a slot is 1"),
        (144 + 40 * 15, 0xffff_ffc0, "slot size is 577536"),
    ] {
        let mut bytes = good;
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        let e = FromSender::decode(&bytes).unwrap_err().to_string();
        assert!(e.contains(says), "{says}: {e}");
    }
}

#[test]
fn what_is_no_message_is_refused_with_the_reason() {
    let good = surface().encode(true);
    assert_eq!(FromSender::decode(&good[..15]), Err(MessageError::Length(15)));
    assert_eq!(FromSender::decode(&[0; MAX_MESSAGE + 1]), Err(MessageError::Length(MAX_MESSAGE + 1)));
    assert_eq!(FromSender::decode(&good[..900]), Err(MessageError::SaidLength { got: 900, said: 992 }));
    let mut other = good;
    other[0] = b'X';
    assert_eq!(FromSender::decode(&other), Err(MessageError::Magic(*b"XGLB")));
    let mut other = good;
    other[4] = 2;
    assert_eq!(FromSender::decode(&other), Err(MessageError::Version(2)));
    let mut short = good[..HEADER].to_vec();
    short[8..12].copy_from_slice(&16u32.to_le_bytes());
    assert_eq!(FromSender::decode(&short), Err(MessageError::TooShort { kind: 2, got: 16, least: SURFACE }));
    assert_eq!(FromReceiver::decode(&good), Err(MessageError::Kind(2)));
}

#[test]
fn a_later_version_may_add_fields_and_messages() {
    let stamp = Stamp { revision: 2, monotonic_ns: 3, realtime_ns: 5 };
    let frame = Frame { surface: 1, stamp, slot: 4 };
    let mut longer = frame.encode().to_vec();
    longer.extend([0xaa; 20]);
    longer[8..12].copy_from_slice(&76u32.to_le_bytes());
    assert_eq!(FromSender::decode(&longer), Ok(FromSender::Frame(frame)));
    longer[6] = 77;
    assert_eq!(FromSender::decode(&longer), Ok(FromSender::Unknown(77)));
    let mut gone = Gone::new(Reason::NoHello, 1).encode();
    gone[16] = 99;
    assert_eq!(FromSender::decode(&gone), Ok(FromSender::Gone(Gone { reason: None, detail: 1 })));
}

proptest! {
    #[test]
    fn no_bytes_bring_a_decoder_down(mut bytes in proptest::collection::vec(any::<u8>(), 0..1200), kind in 0u8..8) {
        let _ = (FromSender::decode(&bytes), FromReceiver::decode(&bytes));
        if bytes.len() >= HEADER {
            let length = bytes.len() as u32;
            bytes[..8].copy_from_slice(&[b'V', b'G', b'L', b'B', 1, 0, kind, 0]);
            bytes[8..12].copy_from_slice(&length.to_le_bytes());
            let _ = (FromSender::decode(&bytes), FromReceiver::decode(&bytes));
        }
    }

    #[test]
    fn a_surface_with_any_field_spoiled_is_refused_or_stays_within_its_memory(at in 16usize..784, value in any::<u64>()) {
        let mut bytes = surface().encode(true);
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        if let Ok(FromSender::Surface(s)) = FromSender::decode(&bytes) {
            let m = s.memory;
            prop_assert!(m.control_at + m.control_bytes <= m.bytes && m.slot_bytes >= s.shape.bytes() as u64);
            prop_assert!(m.slots_at.iter().all(|at| at + m.slot_bytes <= m.bytes));
        }
    }
}
