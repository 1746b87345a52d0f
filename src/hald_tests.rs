use super::*;
use crate::lut::NotFinite;

fn grid(n: u64) -> GridSize {
    GridSize::new(n).unwrap()
}

/// The formulas of the module's table, written out once more and on their own.
fn by_the_table(layout: Layout, n: usize, [r, g, b]: [usize; 3]) -> (usize, usize) {
    match layout {
        Layout::Vglb => (b * n + g, r),
        Layout::Unreal => (b * n + r, g),
        Layout::Unity => (b * n + r, n - 1 - g),
        Layout::HaldClut => {
            let side = n * (n as f64).sqrt() as usize;
            let p = r + n * (g + n * b);
            (p % side, p / side)
        }
    }
}

/// Random bit patterns that are finite: subnormals, −0.0 and ±3e38 among them.
fn patterns(count: usize, mut seed: u64) -> Vec<Texel> {
    let mut next = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 32) as u32
    };
    (0..count)
        .map(|i| {
            let mut t = [0u8; 16];
            for (lane, to) in t.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let bits = match (i + lane) % 7 {
                    0 => 0x8000_0000,
                    1 => next() & 0x807f_ffff,
                    2 => 3e38f32.to_bits() | next() << 31,
                    _ => next(),
                };
                let finite = if f32::from_bits(bits).is_finite() { bits } else { bits & 0xbfff_ffff };
                *to = finite.to_le_bytes();
            }
            t
        })
        .collect()
}

#[test]
fn widths_and_heights_are_the_documented_ones() {
    let size = |n, l| TextureShape::new(grid(n), l).map(|s| (s.width(), s.height()));
    assert_eq!(size(33, Layout::Vglb), Ok((1089, 33)));
    assert_eq!(size(64, Layout::Vglb), Ok((4096, 64)));
    assert_eq!(size(128, Layout::Unity), Ok((16384, 128)));
    assert_eq!(size(64, Layout::HaldClut), Ok((512, 512)));
    assert_eq!(size(33, Layout::HaldClut), Err(ShapeError::NotSquare(grid(33))));
    let e = size(129, Layout::Vglb).unwrap_err();
    assert_eq!(
        e.to_string(),
        "a LUT of grid size 129 needs a vglb texture of 16641×129; a texture has at most 16384 texels a side, so a strip holds N ≤ 128"
    );
}

#[test]
fn a_shape_is_found_from_its_dimensions() {
    for n in 2..=128 {
        for layout in Layout::ALL {
            if let Ok(s) = TextureShape::new(grid(n), layout) {
                assert_eq!(TextureShape::from_dimensions(s.width(), s.height(), layout), Ok(s));
            }
        }
    }
    let e = TextureShape::from_dimensions(1088, 33, Layout::Vglb).unwrap_err();
    assert_eq!(e.to_string(), "an image of 1088×33 is no vglb texture; a strip is N²×N (256×16, 1089×33, 4096×64, …)");
    assert!(TextureShape::from_dimensions(usize::MAX, usize::MAX, Layout::HaldClut).is_err());
}

#[test]
fn texel_numbers_follow_the_table() {
    for n in [2, 3, 4, 9, 16, 33] {
        for layout in Layout::ALL {
            let Ok(shape) = TextureShape::new(grid(n), layout) else { continue };
            let mut used = vec![false; shape.texels()];
            for i in 0..shape.texels() {
                let point = EntryOrder::BlueFastest.point(grid(n), i);
                let (x, y) = by_the_table(layout, n as usize, point);
                assert_eq!(shape.texel(point), y * shape.width() + x, "{layout} {n} {point:?}");
                assert!(!std::mem::replace(&mut used[shape.texel(point)], true));
            }
        }
    }
}

#[test]
fn orders_are_each_others_inverse() {
    for order in EntryOrder::ALL {
        for i in 0..5 * 5 * 5 {
            assert_eq!(order.index(grid(5), order.point(grid(5), i)), i);
        }
    }
    assert_eq!(EntryOrder::BlueFastest.point(grid(5), 1), [0, 0, 1]);
    assert_eq!(EntryOrder::RedFastest.point(grid(5), 1), [1, 0, 0]);
}

#[test]
fn entries_in_pieces_of_any_length_land_where_the_table_says_bit_for_bit() {
    for n in [2, 3, 4, 5, 8, 9, 16, 17] {
        let size = grid(n);
        let entries = patterns(size.entries(), n);
        for layout in Layout::ALL {
            let Ok(shape) = TextureShape::new(size, layout) else { continue };
            for order in EntryOrder::ALL {
                let mut wanted = vec![[0u8; 16]; shape.texels()];
                for (i, e) in entries.iter().enumerate() {
                    let mut e = *e;
                    e[12..].copy_from_slice(&1.0f32.to_le_bytes());
                    wanted[shape.texel(order.point(size, i))] = e;
                }
                let place = Placement::new(shape, order);
                for piece in [1, 3, n as usize, 4 * n as usize + 1, 1000, usize::MAX] {
                    let mut got = vec![[0xaa; 16]; shape.texels()];
                    let mut at = 0;
                    for chunk in entries.chunks(piece) {
                        assert!(place.write(at, chunk, &mut got), "all are finite");
                        at += chunk.len();
                    }
                    assert!(got == wanted, "{shape} {order} in pieces of {piece}");
                }
                let lut = Placement::read(shape, &wanted);
                let mut again = vec![[0u8; 16]; shape.texels()];
                Placement::write_lut(shape, &lut, &mut again);
                assert!(again == wanted, "{shape} read and written again");
            }
        }
    }
}

#[test]
fn a_value_that_is_not_finite_is_seen_in_every_lane_and_place() {
    let size = grid(9);
    let shape = TextureShape::new(size, Layout::Vglb).unwrap();
    let place = Placement::new(shape, EntryOrder::BlueFastest);
    let good = patterns(size.entries(), 1);
    let mut texture = vec![[0u8; 16]; shape.texels()];
    for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(0x7f80_0001)] {
        for i in [0, 1, 8, 9, 100, 728] {
            for lane in 0..4 {
                let mut entries = good.clone();
                entries[i][4 * lane..4 * lane + 4].copy_from_slice(&bad.to_le_bytes());
                assert_eq!(place.write(0, &entries, &mut texture), lane == 3, "alpha alone is ignored");
                let mut count = NotFiniteCount::default();
                count.add(0, &entries[..50]);
                count.add(50, &entries[50..]);
                let found = count.result(size, EntryOrder::RedFastest);
                match lane {
                    3 => assert_eq!(found, Ok(())),
                    _ => assert_eq!(found, Err(NotFinite { count: 1, first: EntryOrder::RedFastest.point(size, i) })),
                }
            }
        }
    }
}

#[test]
fn a_lut_read_in_the_wrong_order_is_noticed_and_a_plain_grade_is_not() {
    for n in [2, 3, 17, 33] {
        let size = grid(n);
        let identity = Lut3d::identity(size);
        assert_eq!(likeness(size, |p| identity.at(p)), Likeness::Own);
        assert_eq!(likeness(size, |[r, g, b]| identity.at([b, g, r])), Likeness::Swapped);
        let warm = |c: [f32; 3]| [c[0].powf(0.8) * 1.1, c[1], c[2] * 0.7];
        assert_eq!(likeness(size, |p| warm(identity.at(p))), Likeness::Own);
        assert_eq!(likeness(size, |[r, g, b]| warm(identity.at([b, g, r]))), Likeness::Swapped);
        assert_eq!(likeness(size, |_| [0.5; 3]), Likeness::Unclear, "grey says nothing about the order");
    }
}
