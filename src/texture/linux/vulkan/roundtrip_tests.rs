//! Images exported and imported in one process, each side with a device of its own, on whatever device there is.

use super::commands::Commands;
use super::image::barrier;
use super::instance::Instance;
use super::memory::{Host, HostBuffer};
use super::*;
use crate::hald::{Layout, Texel, TextureShape};
use crate::lut::GridSize;
use crate::texture::linux::{GpuFrame, LinuxBackend, Taken};
use crate::texture::{Event, Frame, GpuChoice, TextureBackend};
use ash::vk;
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

/// Writes one texel of an image, as no receiver may.
fn spoil(frame: &GpuFrame, x: i32, y: i32) {
    let gpu = Gpu::open(&GpuChoice::Auto).unwrap();
    let device = open_to_send(gpu.facts()).unwrap();
    let (images, raw) = (frame.images(), device.raw());
    let memory = images.memory(frame.image()).unwrap();
    let mut buffer = HostBuffer::new(&device, 16, vk::BufferUsageFlags::TRANSFER_SRC, Host::Writes).unwrap();
    // SAFETY: the device has what is needed and outlives the image; the copy is waited for, and lies within both.
    unsafe {
        let (instance, physical) = (device.raw_instance(), device.physical());
        let image = ImportedImage::new(instance, physical, raw, images.description(), memory).unwrap();
        buffer.write(&[0xee; 16]);
        let mut commands = Commands::record(&device, 1, |_, commands| {
            use vk::PipelineStageFlags as Stage;
            let none = vk::DependencyFlags::empty();
            let acquire = [image.acquire(device.family(), vk::AccessFlags::TRANSFER_WRITE)];
            raw.cmd_pipeline_barrier(commands, Stage::TOP_OF_PIPE, Stage::TRANSFER, none, &[], &[], &acquire);
            let region = [vk::BufferImageCopy::default()
                .image_subresource(super::image::LAYERS)
                .image_offset(vk::Offset3D { x, y, z: 0 })
                .image_extent(vk::Extent3D { width: 1, height: 1, depth: 1 })];
            raw.cmd_copy_buffer_to_image(commands, buffer.raw(), image.image(), vk::ImageLayout::GENERAL, &region);
            let release = [barrier(image.image())
                .old_layout(vk::ImageLayout::GENERAL)
                .new_layout(vk::ImageLayout::GENERAL)
                .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
                .src_queue_family_index(device.family())
                .dst_queue_family_index(vk::QUEUE_FAMILY_EXTERNAL)];
            raw.cmd_pipeline_barrier(commands, Stage::TRANSFER, Stage::BOTTOM_OF_PIPE, none, &[], &[], &release);
        })
        .unwrap();
        commands.start(0).unwrap();
        commands.wait(PATIENCE).unwrap();
        drop(commands);
    }
}

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn a_probe_finds_one_spoiled_texel_and_the_sender_does_not_take_it_for_true() {
    let parent = tempfile::tempdir().unwrap();
    let backend = LinuxBackend::with_directory(parent.path().join("streams"));
    let sender = backend.create_sender("s").unwrap();
    let mut writer = sender.writer().unwrap();
    let mut publish = |seed| {
        writer.begin(shape(17)).unwrap();
        writer.texels().copy_from_slice(&texels(seed, shape(17).texels()));
        writer.publish().unwrap()
    };
    publish(1);
    let identity = Gpu::open(&GpuChoice::Auto).unwrap().facts().identity;
    let mut receiver = backend.open_images("s", identity).unwrap();
    let patience = Some(PATIENCE * 6);
    assert_eq!(receiver.wait(patience).unwrap(), Event::Frame);
    let Taken::Image(frame) = receiver.take(&mut Frame::default()).unwrap() else { panic!("no image") };
    spoil(&frame, 5, 3);
    let mut probe = backend.probe("s").unwrap();
    assert_eq!(probe.wait(patience).unwrap(), Event::Frame);
    let spoiled = probe.read().unwrap();
    assert_eq!((spoiled.copy_differs, spoiled.fetch_differs, spoiled.is_exact()), (1, 1, false));
    assert_eq!(spoiled.frame.texels[3 * shape(17).width() + 5], [0xee; 16]);
    drop(frame);
    for seed in 2..8 {
        let revision = publish(seed);
        assert_eq!(probe.wait(patience).unwrap(), Event::Frame);
        let reading = probe.read().unwrap();
        assert_eq!((reading.frame.revision, reading.is_exact()), (revision, true));
    }
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
