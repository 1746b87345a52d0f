use super::*;
use proptest::prelude::*;

fn header(n: u64) -> Header {
    Header {
        claim: Claim {
            hub: "stage left".parse().unwrap(),
            life: Life { began: u64::MAX - 1, id: 0x0123_4567_89ab_cdef },
            priority: 7,
            revision: 1 << 40,
        },
        size: GridSize::new(n).unwrap(),
        order: EntryOrder::RedFastest,
        source: LutSource::File,
        bypass: true,
        hold: false,
        effective: 1_700_000_000_123_456_789,
    }
}

/// Entries whose bits are of all kinds of finite numbers.
fn all_entries(size: GridSize) -> Vec<Texel> {
    let bits = [0x8000_0000u32, 1, 0x807f_ffff, 0x7f7f_ffff, 0xff7f_ffff, 0x3f80_0001];
    let value = |i: usize| bits.get(i).copied().unwrap_or((i as u32).wrapping_mul(2_654_435_761) & 0xbfff_ffff);
    let texel = |i: usize| {
        let mut texel = [0; 16];
        for (c, part) in texel.chunks_exact_mut(4).enumerate() {
            part.copy_from_slice(&value(4 * i + c).to_le_bytes());
        }
        texel
    };
    (0..size.entries()).map(texel).collect()
}

fn encoded(n: u64) -> Vec<u8> {
    let header = header(n);
    encode(&header, all_entries(header.size).into_iter())
}

fn refused(bytes: &[u8]) -> PayloadError {
    decode(bytes, GridSize::MAX).unwrap_err()
}

#[test]
fn every_bit_comes_back() {
    for n in [2, 17, 33] {
        let (sent, bytes) = (header(n), encoded(n));
        let (header, values) = decode(&bytes, GridSize::MAX).unwrap();
        assert_eq!(header, sent);
        for (i, texel) in all_entries(sent.size).iter().enumerate() {
            let got = entry(values, i);
            assert_eq!(got[..12], texel[..12], "entry {i}");
            assert_eq!(got[12..], 1f32.to_le_bytes());
        }
        let (first, rest) = (entries(values, 0..3), entries(values, 3..sent.size.entries()));
        let one_by_one = (0..sent.size.entries()).map(|i| entry(values, i));
        assert!(first.chain(rest).eq(one_by_one));
        assert_eq!(checksum(&bytes), Some(crc32fast::hash(values)));
        assert!(bytes.len() <= most_bytes(sent.size));
    }
}

#[test]
fn what_is_wrong_with_it_is_said() {
    let good = encoded(2);
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        refused(&changed).to_string()
    };
    assert_eq!(refused(b""), PayloadError::NotALut(0));
    assert_eq!(refused(&good[..60]), PayloadError::NotALut(60));
    assert!(with(0, b"VGLB").contains("do not begin as a LUT"));
    assert!(with(8, &[2, 0]).contains("version 2 of the cluster's format, and this program knows version 1"));
    for length in [0u16, 60, 61, 62, 73, 1028, u16::MAX] {
        assert!(with(10, &length.to_le_bytes()).contains("length that can't be"), "{length}");
    }
    for n in [0u16, 1, 257, u16::MAX] {
        assert!(with(12, &n.to_le_bytes()).contains("grid size"), "{n}");
    }
    assert!(with(12, &[3, 0]).contains("needs 324 bytes of values, and has 96"));
    assert!(with(14, &[2]).contains("order") && with(15, &[4]).contains("source") && with(16, &[4]).contains("output"));
    assert!(with(60, &[0]).contains("name") && with(60, &[255]).contains("length"));
    assert!(with(61, &[0xff]).contains("name") && with(61, b"\n").contains("name"));
    assert!(with(good.len() - 1, &[0]).contains("damaged on its way"));
    assert!(matches!(refused(&[&good[..], &[0]].concat()), PayloadError::Length { needed: 96, given: 97, .. }));
    let limit = GridSize::SEVENTEEN;
    let large = decode(&encoded(33), limit).unwrap_err();
    assert_eq!(large.to_string(), "a LUT of grid size 33 is over this node's limit of 17 (--max-lut-size)");
}

#[test]
fn what_is_no_number_is_refused() {
    let header = header(2);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut entries = all_entries(header.size);
        entries[3][8..12].copy_from_slice(&bad.to_le_bytes());
        entries[5][0..4].copy_from_slice(&bad.to_le_bytes());
        assert_eq!(refused(&encode(&header, entries.into_iter())), PayloadError::NotFinite { count: 2, first: 3 });
    }
}

proptest! {
    #[test]
    fn damage_is_refused_or_harmless(at in 0usize..172, bit in 0u8..8, cut in 0usize..172) {
        let good = encoded(2);
        prop_assert_eq!(good.len(), 168);
        let mut changed = good.clone();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 1 << bit;
        }
        if let Ok((header, values)) = decode(&changed, GridSize::MAX) {
            prop_assert_eq!(values.len(), header.size.entries() * 12);
        }
        changed.truncate(cut);
        prop_assert!(cut >= good.len() || decode(&changed, GridSize::MAX).is_err());
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = bytes;
        let _ = decode(&bytes, GridSize::MAX);
        let n = bytes.len().min(8);
        bytes[..n].copy_from_slice(&MAGIC[..n]);
        let _ = decode(&bytes, GridSize::MAX);
    }
}
