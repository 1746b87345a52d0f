//! Images exported and imported in one process, each side with a device of its own, on whatever device there is.

use super::instance::Instance;
use super::*;
use crate::hald::{Layout, Texel, TextureShape};
use crate::lut::GridSize;
use crate::texture::GpuChoice;
use std::os::fd::OwnedFd;

fn shape(n: u64) -> TextureShape {
    TextureShape::new(GridSize::new(n).unwrap(), Layout::Vglb).unwrap()
}

/// Every bit pattern that float32 has of special values, and noise.
fn texels(seed: u64, count: usize) -> Vec<Texel> {
    const SPECIAL: [u32; 10] = [
        0x8000_0000,
        0x0000_0001,
        0x807f_ffff,
        0x7f61_b1e6,
        0xff61_b1e6,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0001,
        0x7f80_0001,
        0x3f80_0000,
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut word = |i: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if i.is_multiple_of(7) { SPECIAL[i / 7 % SPECIAL.len()] } else { state as u32 }
    };
    let mut texel = |t: usize| {
        let mut texel = [0; 16];
        for lane in 0..4 {
            texel[4 * lane..][..4].copy_from_slice(&word(4 * t + lane).to_le_bytes());
        }
        texel
    };
    (0..count).map(&mut texel).collect()
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn every_bit_passes_through_images_of_every_size() {
    let receiver = Gpu::open(&GpuChoice::Auto).unwrap();
    let sender = open_to_send(receiver.facts()).unwrap();
    for n in [2, 3, 16, 17, 33, 64, 65, 128] {
        let shape = shape(n);
        let mut sent = ExportedImages::new(&sender, shape, 4).unwrap();
        let handles: Vec<OwnedFd> = sent.handles().iter().map(|h| h.try_clone().unwrap()).collect();
        let mut imported = receiver.import(sent.description(), handles).unwrap();
        for round in 0..6u64 {
            let (slot, wanted) = (round as usize % 4, texels(n * 100 + round, shape.texels()));
            sent.start(slot, &wanted).unwrap();
            sent.finish(PATIENCE).unwrap();
            for by in [ReadBy::Copy, ReadBy::Fetch] {
                let mut got = Vec::new();
                imported.read(slot, by, &mut got).unwrap();
                let differ = got.iter().zip(&wanted).filter(|(a, b)| a != b).count();
                assert!(got.len() == wanted.len() && differ == 0, "{shape}, {by:?}: {differ} texels differ");
            }
        }
    }
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn an_image_that_was_described_falsely_is_refused() {
    let receiver = Gpu::open(&GpuChoice::Auto).unwrap();
    let sender = open_to_send(receiver.facts()).unwrap();
    let sent = ExportedImages::new(&sender, shape(17), 1).unwrap();
    let refused = |spoil: &dyn Fn(&mut ImageDescription)| {
        let mut description = *sent.description();
        spoil(&mut description);
        let handle = sent.handles()[0].try_clone().unwrap();
        match receiver.import(&description, vec![handle]) {
            Err(GpuError::Import(why)) => why,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{description:?} was imported"),
        }
    };
    assert!(refused(&|d| d.tiling = 7).contains("tiling 7"));
    assert!(refused(&|d| d.offset = 16).contains("at 16"));
    assert!(refused(&|d| d.memory_type = 40).contains("type 40"));
    assert!(refused(&|d| d.memory_bytes += 4096).contains("the drivers differ"));
    assert!(refused(&|d| d.height = 0).contains("289×0"));
    assert!(refused(&|d| d.width = 1 << 20).contains("1048576×17"));
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn devices_are_listed_and_found_as_users_name_them() {
    let all = devices().unwrap();
    let (first, fault) = &all[0];
    assert_eq!(*fault, None, "{first:?}");
    assert!(first.identity.is_known() && !first.name.is_empty() && !first.driver.is_empty(), "{first:?}");
    let open = |choice: GpuChoice| Gpu::open(&choice).map(|gpu| gpu.facts().clone());
    assert_eq!(open(GpuChoice::Index(0)).as_ref(), Ok(first));
    assert_eq!(open(GpuChoice::Name(first.name.to_uppercase())).as_ref(), Ok(first));
    let e = open(GpuChoice::Name("no such thing".into())).unwrap_err().to_string();
    assert!(e.contains("\"no such thing\"") && e.contains(&format!("{} (0)", first.name)), "{e}");
    assert!(open(GpuChoice::Off).unwrap_err().to_string().contains("switched off"));
    // Both name the same device.
    assert_eq!(Instance::open().unwrap().devices().unwrap().len(), all.len());
}
