//! Direct3D 11 as it is on this computer: textures of this process, read back. Sharing them between processes is
//! tested in `tests/spout_textures.rs`.

use super::*;
use crate::hald::{Layout, TextureShape};
use crate::lut::GridSize;
use crate::texture::spout::SpoutBackend;
use crate::texture::windows::SessionObjects;
use crate::texture::{Event, Frame, TextureBackend};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use windows::Win32::Graphics::Direct3D11::D3D11_SUBRESOURCE_DATA;
use windows::Win32::Graphics::Dxgi::Common::{
    DXGI_FORMAT, DXGI_FORMAT_B8G8R8A8_UNORM, DXGI_FORMAT_R8G8B8A8_UNORM, DXGI_FORMAT_R16G16B16A16_FLOAT,
};

/// This computer's Direct3D, with share handles made up where the system has none: they are good in this process.
#[derive(Clone)]
struct InventedHandles(Arc<Mutex<BTreeMap<u32, ID3D11Texture2D>>>);

struct InventingDevice {
    core: Arc<Core>,
    known: InventedHandles,
}

struct InventedTexture {
    sent: Sent,
    handle: u32,
    known: InventedHandles,
}

impl Graphics for InventedHandles {
    fn create_device(&self) -> Result<Arc<dyn Device>, DeviceError> {
        Ok(Arc::new(InventingDevice { core: core(), known: self.clone() }))
    }

    fn adapters(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Device for InventingDevice {
    fn description(&self) -> String {
        "Direct3D 11 with invented handles".into()
    }

    fn check(&self) -> Result<(), DeviceError> {
        self.core.removed()
    }

    fn create_texture(&self, width: usize, height: usize) -> Result<Box<dyn SentTexture>, DeviceError> {
        static NEXT: AtomicU32 = AtomicU32::new(0xc000_0002);
        let sent = Sent::new(&self.core, width, height)?;
        let handle = NEXT.fetch_add(2, Ordering::Relaxed);
        self.known.0.lock().unwrap().insert(handle, sent.texture.clone());
        Ok(Box::new(InventedTexture { sent, handle, known: self.known.clone() }))
    }

    fn open_texture(&self, handle: u32) -> Result<Box<dyn ReceivedTexture>, DeviceError> {
        let texture = self.known.0.lock().unwrap().get(&handle).cloned();
        Ok(Box::new(Received::new(&self.core, there(texture, "texture with this handle")?)))
    }
}

impl SentTexture for InventedTexture {
    fn share_handle(&self) -> Result<u32, DeviceError> {
        Ok(self.handle)
    }

    fn upload(&mut self, texels: &[Texel]) -> Result<(), DeviceError> {
        self.sent.upload(texels)
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.sent.finish()
    }
}

impl Drop for InventedTexture {
    fn drop(&mut self) {
        self.known.0.lock().unwrap().remove(&self.handle);
    }
}

fn core() -> Arc<Core> {
    let made = Core::new(None, D3D_DRIVER_TYPE_HARDWARE).or_else(|_| Core::new(None, D3D_DRIVER_TYPE_WARP));
    Arc::new(made.unwrap_or_else(|e| panic!("these tests need a Direct3D 11 device (under Wine, a display): {e}")))
}

fn random_bytes(count: usize, seed: u32) -> Vec<u8> {
    let mut bits = seed.wrapping_mul(2) | 1;
    let mut next = || {
        bits = bits.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
        (bits >> 13) as u8
    };
    (0..count).map(|_| next()).collect()
}

fn random_texels(count: usize, seed: u32) -> Vec<Texel> {
    let mut texels = random_bytes(16 * count, seed).as_chunks::<16>().0.to_vec();
    let special = [0x8000_0000u32, 1, 0x7fc0_1234, 0x7e96_7699].map(u32::to_le_bytes);
    texels[count / 2].copy_from_slice(special.as_flattened());
    texels
}

fn rows(texture: &mut Received, bytes_per_texel: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    texture.read(bytes_per_texel, &mut |row| bytes.extend_from_slice(row)).unwrap();
    bytes
}

#[test]
fn every_bit_of_a_published_lut_is_in_its_texture() {
    let backend = SpoutBackend::new(SessionObjects, InventedHandles(Arc::default()));
    let sender = backend.create_sender("every bit of a published LUT").unwrap();
    let mut writer = sender.writer().unwrap();
    let mut receiver = None;
    let mut frame = Frame::default();
    let sizes = [(33, Layout::Vglb), (33, Layout::Vglb), (2, Layout::Unity), (64, Layout::Vglb), (4, Layout::HaldClut)];
    for (revision, (n, layout)) in (1..).zip(sizes) {
        let shape = TextureShape::new(GridSize::new(n).unwrap(), layout).unwrap();
        let texels = random_texels(shape.texels(), revision);
        writer.begin(shape).unwrap();
        writer.texels().copy_from_slice(&texels);
        assert_eq!(writer.publish().unwrap(), u64::from(revision));
        let receiver = receiver.get_or_insert_with(|| backend.open(sender.name()).unwrap());
        assert_eq!(receiver.wait(None).unwrap(), Event::Frame);
        receiver.read(&mut frame).unwrap();
        assert_eq!((frame.width, frame.height, frame.revision), (shape.width(), shape.height(), revision.into()));
        assert!(frame.texels == texels, "{shape}, revision {revision}");
    }
}

#[test]
fn rows_are_given_without_what_lies_between_them() {
    let memory = b"row 0 ....row 1 ....row 2";
    let mut rows = Vec::new();
    each_row(memory, 10, 5, &mut |row| rows.push(row.to_vec()));
    assert_eq!(rows, [b"row 0", b"row 1", b"row 2"]);
}

#[test]
fn textures_of_every_width_and_format_are_read_byte_for_byte() {
    let core = core();
    for (width, height) in [(1, 1), (3, 5), (9, 3), (1089, 33)] {
        for (format, bytes_per_texel) in [
            (DXGI_FORMAT_R8G8B8A8_UNORM, 4),
            (DXGI_FORMAT_B8G8R8A8_UNORM, 4),
            (DXGI_FORMAT_R16G16B16A16_FLOAT, 8),
            (DXGI_FORMAT_R32G32B32A32_FLOAT, 16),
        ] {
            let bytes = random_bytes(width * height * bytes_per_texel, width as u32);
            let texture = filled(&core, format, width, height, &bytes);
            let mut received = Received::new(&core, texture);
            assert_eq!((received.width(), received.height(), received.format()), (width, height, format.0 as u32));
            assert!(rows(&mut received, bytes_per_texel) == bytes, "{width}×{height} of format {}", format.0);
            assert!(rows(&mut received, bytes_per_texel) == bytes, "once more");
        }
    }
}

fn filled(core: &Core, format: DXGI_FORMAT, width: usize, height: usize, bytes: &[u8]) -> ID3D11Texture2D {
    let description = D3D11_TEXTURE2D_DESC {
        Width: width as u32,
        Height: height as u32,
        MipLevels: 1,
        ArraySize: 1,
        Format: format,
        SampleDesc: DXGI_SAMPLE_DESC { Count: 1, Quality: 0 },
        Usage: D3D11_USAGE_DEFAULT,
        BindFlags: D3D11_BIND_SHADER_RESOURCE.0 as u32,
        ..Default::default()
    };
    let pitch = (bytes.len() / height) as u32;
    let data = D3D11_SUBRESOURCE_DATA { pSysMem: bytes.as_ptr().cast(), SysMemPitch: pitch, SysMemSlicePitch: 0 };
    let mut texture = None;
    // SAFETY: the data has `height` rows of `pitch` bytes, and the place to be written is there.
    unsafe { core.device.CreateTexture2D(&description, Some(&data), Some(&mut texture)) }.unwrap();
    texture.unwrap()
}

#[test]
fn a_texture_is_shared_or_the_system_is_said_not_to() {
    let device = Direct3d::new(None).create_device().unwrap();
    let mut texture = device.create_texture(4, 2).unwrap();
    texture.upload(&random_texels(8, 1)).unwrap();
    texture.finish().unwrap();
    match texture.share_handle() {
        Ok(handle) => {
            let mut opened = device.open_texture(handle).unwrap();
            let mut bytes = Vec::new();
            opened.read(16, &mut |row| bytes.extend_from_slice(row)).unwrap();
            assert_eq!(bytes, random_texels(8, 1).as_flattened());
        }
        Err(DeviceError::Unsupported(why)) => {
            assert!(why.starts_with("this system can't share Direct3D 11 textures ("), "{why}");
            assert!(why.ends_with("(0x80004001))"), "{why}");
        }
        Err(e) => panic!("{e}"),
    }
}

#[test]
fn what_a_device_cannot_do_is_an_error() {
    let device = Direct3d::new(None).create_device().unwrap();
    device.check().unwrap();
    let Err(e) = device.create_texture(100_000, 1) else { panic!("no device has textures that large") };
    assert!(e.to_string().starts_with("making a 100000×1 texture: "), "{e}");
    assert!(device.open_texture(0x1234_5678).is_err(), "no texture has this handle");
    assert!(device.open_texture(0xc0ff_ee02).is_err());
    let mut texture = device.create_texture(4, 2).unwrap();
    let e = texture.upload(&random_texels(7, 1)).unwrap_err();
    assert_eq!(e, DeviceError::Failed("7 texels for a texture of 8".into()));
}

#[test]
fn adapters_can_be_chosen_by_number_and_name_and_warp_by_its_own() {
    let names = Direct3d::new(None).adapters();
    assert!(!names.is_empty());
    for wanted in [names[0].clone(), "0".into(), "warp".into(), "WARP".into()] {
        let device = Direct3d::new(Some(wanted.clone())).create_device().unwrap();
        let description = device.description();
        assert!(description.contains(", Direct3D feature level 1"), "{wanted}: {description}");
        assert!(wanted.eq_ignore_ascii_case("warp") || description.starts_with(&names[0]), "{wanted}: {description}");
    }
}

#[test]
fn several_threads_use_one_device() {
    let core = core();
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let core = &core;
            scope.spawn(move || {
                let (width, height) = (64 + thread as usize, 8);
                let mut sent = Sent::new(core, width, height).unwrap();
                let mut received = Received::new(core, sent.texture.clone());
                for round in 0..20 {
                    let texels = random_texels(width * height, 100 * thread + round);
                    sent.upload(&texels).unwrap();
                    sent.finish().unwrap();
                    assert!(rows(&mut received, 16) == texels.as_flattened(), "thread {thread}, round {round}");
                }
            });
        }
    });
}

// The promises of every back end, with real named objects and textures, in one process.
crate::backend_suite!(promises, {
    use crate::texture::windows::direct3d::tests::InventedHandles;
    let objects = crate::texture::windows::SessionObjects;
    let backend = crate::texture::spout::SpoutBackend::new(objects, InventedHandles(std::sync::Arc::default()));
    crate::backend_suite::Platform {
        backend: std::sync::Arc::new(backend),
        receiver_limit: None,
        annotates: false,
        keep: Box::new(()),
    }
});
