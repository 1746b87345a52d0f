use super::super::super::message::FromSender;
use super::*;
use crate::hald::Layout;
use crate::lut::GridSize;
use proptest::prelude::*;

fn surface() -> ImageSurface {
    let shape = TextureShape::new(GridSize::new(33).unwrap(), Layout::Unity).unwrap();
    ImageSurface {
        surface: 0x0102_0304_0506_0708,
        newest: Stamp { revision: 9, monotonic_ns: 10, realtime_ns: 11 },
        shape,
        device: DeviceIdentity { device: [0xdd; 16], driver: [0xee; 16] },
        slots: 4,
        image: ImageDescription {
            width: 1089,
            height: 33,
            tiling: 0,
            usage: 7,
            memory_bytes: 655_360,
            offset: 0,
            memory_type: 3,
            row_pitch: 0,
            dedicated: true,
        },
        name: "vglb-lut-Ä".into(),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

#[test]
fn fields_lie_where_the_document_says() {
    let s = surface();
    let bytes = s.encode();
    assert_eq!(&bytes[..12], b"VGLB\x01\x00\x02\x00\xe0\x03\x00\x00");
    assert_eq!(u64_at(&bytes, 16), 0x0102_0304_0506_0708, "surface");
    assert_eq!([u64_at(&bytes, 24), u64_at(&bytes, 32), u64_at(&bytes, 40)], [9, 10, 11], "revision, times");
    assert_eq!([48, 52, 56, 60].map(|at| u32_at(&bytes, at)), [33, 1089, 33, 2], "N, width, height, layout");
    assert_eq!([64, 68, 72, 76].map(|at| u32_at(&bytes, at)), [109, 2, 4, 4], "format, tier, slots, descriptors");
    assert_eq!(bytes[80..104], [0; 24], "of the ring");
    assert_eq!((&bytes[104..120], &bytes[120..136]), (&[0xdd; 16][..], &[0xee; 16][..]), "device and driver");
    assert_eq!(u32_at(&bytes, 136), 11, "name length");
    for slot in 0..4 {
        let at = 144 + 40 * slot;
        assert_eq!([u64_at(&bytes, at), u64_at(&bytes, at + 8)], [0, 655_360], "offset, size");
        let rest = [16, 20, 24, 28, 32, 36].map(|field| u32_at(&bytes, at + field));
        assert_eq!(rest, [0, slot as u32, 0, 7, 3, 1], "pitch, descriptor, tiling, usage, memory type, flags");
    }
    assert_eq!(bytes[144 + 40 * 4..784], [0; 480]);
    assert_eq!(&bytes[784..795], "vglb-lut-Ä".as_bytes());
    assert_eq!(FromSender::decode(&bytes), Ok(FromSender::Images(Box::new(s))));
}

#[test]
fn a_field_out_of_range_is_named() {
    let good = surface().encode();
    for (at, value, says) in [
        (48, 1u32, "grid size is 1"),
        (52, 1088, "width is 1088"),
        (64, 97, "format is 97"),
        (72, 0, "slot count is 0"),
        (72, 17, "slot count is 17"),
        (72, 3, "number of descriptors is 4"),
        (76, 0, "number of descriptors is 0"),
        (136, 201, "name length is 201"),
        (144 + 8, 1, "slot size is 1"),
        (144, 655_360, "slot offset is 655360"),
        (144 + 20, 1, "descriptor of a slot is 1"),
        (144 + 24, 2, "tiling is 2"),
        (144 + 24, 1, "row pitch is 0"),
        (144 + 40 + 32, 4, "slot is 1; all images of a surface are alike"),
    ] {
        let mut bytes = good;
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        let e = FromSender::decode(&bytes).unwrap_err().to_string();
        assert!(e.contains(says), "{says}: {e}");
    }
}

proptest! {
    #[test]
    fn a_surface_with_any_field_spoiled_is_refused_or_stays_within_bounds(at in 16usize..784, value in any::<u64>()) {
        let mut bytes = surface().encode();
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        if let Ok(FromSender::Images(s)) = FromSender::decode(&bytes) {
            prop_assert!((1..=16).contains(&s.slots) && s.image.tiling <= 1);
            prop_assert!(s.image.offset < s.image.memory_bytes && s.image.memory_bytes >= s.shape.bytes() as u64);
        }
    }
}
