//! SURFACE for images of a graphics device: the same fields in the same places as for the memory ring.

use super::super::message::{
    Decoder, Encoder, FORMAT_RGBA32F, Kind, MessageError, NAME_BYTES, SURFACE, Stamp, TIER_IMAGES, decode_shape,
    expect, layout_code, refuse,
};
use super::super::place::SLOTS;
use super::super::vulkan::{DeviceIdentity, ImageDescription};
use crate::hald::TextureShape;

/// A slot's flag: its memory is a dedicated allocation.
const DEDICATED: u32 = 1;
/// `VkImageTiling`.
const OPTIMAL: u32 = 0;
const LINEAR: u32 = 1;

/// Sender to receiver: which images of a graphics device the stream's textures are in from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::texture::linux) struct ImageSurface {
    pub surface: u64,
    /// The newest texture when this was sent.
    pub newest: Stamp,
    pub shape: TextureShape,
    pub device: DeviceIdentity,
    /// Images, all alike, each with a descriptor of its own.
    pub slots: usize,
    pub image: ImageDescription,
    /// The stream's name, for people.
    pub name: String,
}

impl ImageSurface {
    pub(in crate::texture::linux) fn encode(&self) -> [u8; SURFACE] {
        let mut bytes = [0; SURFACE];
        let mut e = Encoder::start(&mut bytes, Kind::Surface);
        e.u64(self.surface);
        e.u64(self.newest.revision);
        e.u64(self.newest.monotonic_ns);
        e.u64(self.newest.realtime_ns);
        e.u32(self.shape.size().get() as u32);
        e.u32(self.shape.width() as u32);
        e.u32(self.shape.height() as u32);
        e.u32(layout_code(self.shape.layout()));
        e.u32(FORMAT_RGBA32F);
        e.u32(TIER_IMAGES);
        e.u32(self.slots as u32);
        e.u32(self.slots as u32);
        // The ring's size and control area.
        e.raw(&[0; 24]);
        e.raw(&self.device.device);
        e.raw(&self.device.driver);
        let name = &self.name.as_bytes()[..self.name.len().min(NAME_BYTES)];
        e.u32(name.len() as u32);
        e.u32(0);
        for slot in 0..SLOTS as u32 {
            if slot >= self.slots as u32 {
                e.raw(&[0; 40]);
                continue;
            }
            e.u64(self.image.offset);
            e.u64(self.image.memory_bytes);
            e.u32(self.image.row_pitch);
            e.u32(slot);
            e.u32(self.image.tiling);
            e.u32(self.image.usage);
            e.u32(self.image.memory_type);
            e.u32(if self.image.dedicated { DEDICATED } else { 0 });
        }
        e.raw(name);
        bytes
    }

    /// Reads what follows the header.
    pub(in crate::texture::linux) fn decode(d: &mut Decoder<'_>) -> Result<Self, MessageError> {
        let surface = d.u64();
        let newest = Stamp { revision: d.u64(), monotonic_ns: d.u64(), realtime_ns: d.u64() };
        let shape = decode_shape([d.u32(), d.u32(), d.u32(), d.u32()])?;
        expect("format", d.u32(), FORMAT_RGBA32F, "109, R32G32B32A32_SFLOAT, is the only one")?;
        expect("tier", d.u32(), TIER_IMAGES, "2 is that of images")?;
        let slots = d.u32();
        if slots == 0 || slots > SLOTS as u32 {
            return Err(refuse("slot count", slots.into(), format!("there are 1 to {SLOTS} images")));
        }
        expect("number of descriptors", d.u32(), slots, "each image has one")?;
        let _of_the_ring: [u8; 24] = d.raw();
        let device = DeviceIdentity { device: d.raw(), driver: d.raw() };
        let (name_bytes, _reserved) = (d.u32() as usize, d.u32());
        if name_bytes > NAME_BYTES {
            return Err(refuse("name length", name_bytes as u64, format!("at most {NAME_BYTES} fit")));
        }
        let mut image = None;
        for slot in 0..SLOTS as u32 {
            if slot >= slots {
                let _unused: [u8; 40] = d.raw();
                continue;
            }
            let of_slot = decode_image(d, slot, shape)?;
            if *image.get_or_insert(of_slot) != of_slot {
                return Err(refuse(
                    "slot",
                    slot.into(),
                    "all images of a surface are alike, and this one differs".into(),
                ));
            }
        }
        let name: [u8; NAME_BYTES] = d.raw();
        let name = String::from_utf8_lossy(&name[..name_bytes]).into_owned();
        let Some(image) = image else {
            return Err(refuse("slot count", 0, format!("there are 1 to {SLOTS} images")));
        };
        Ok(ImageSurface { surface, newest, shape, device, slots: slots as usize, image, name })
    }
}

fn decode_image(d: &mut Decoder<'_>, slot: u32, shape: TextureShape) -> Result<ImageDescription, MessageError> {
    let (offset, memory_bytes, row_pitch) = (d.u64(), d.u64(), d.u32());
    expect("descriptor of a slot", d.u32(), slot, "each image has its own, in order")?;
    let (tiling, usage, memory_type, flags) = (d.u32(), d.u32(), d.u32(), d.u32());
    if memory_bytes < shape.bytes() as u64 || memory_bytes > isize::MAX as u64 {
        let right = format!("an image of {shape} takes {} bytes or more", shape.bytes());
        return Err(refuse("slot size", memory_bytes, right));
    }
    let (width, height) = (shape.width() as u32, shape.height() as u32);
    match tiling {
        OPTIMAL => {}
        LINEAR if row_pitch >= width * 16 => {}
        LINEAR => return Err(refuse("row pitch", row_pitch.into(), format!("a row has {} bytes or more", width * 16))),
        _ => return Err(refuse("tiling", tiling.into(), "0, optimal, and 1, linear, are known".into())),
    }
    if offset >= memory_bytes {
        return Err(refuse("slot offset", offset, format!("the image lies within its {memory_bytes} bytes")));
    }
    let dedicated = flags & DEDICATED != 0;
    Ok(ImageDescription { width, height, tiling, usage, memory_bytes, offset, memory_type, row_pitch, dedicated })
}

#[cfg(test)]
#[path = "image_message_tests.rs"]
mod tests;
