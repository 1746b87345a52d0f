//! The hot path alone, to have its instructions counted: a message of 33³ is read, checked and laid out.

use crate::load;
use anyhow::{Context, ensure};
use std::io::{self, Read};
use virtual_gpu_lut_box::hald::{EntryOrder, Layout, Placement, Texel, TextureShape};
use virtual_gpu_lut_box::lut::GridSize;
use virtual_gpu_lut_box::wire::WireLimits;
use virtual_gpu_lut_box::wire::message::MessageReader;
use virtual_gpu_lut_box::wire::request::{Payload, Request};

struct Texture {
    place: Placement,
    next: usize,
    texels: Vec<Texel>,
    finite: bool,
}

impl Payload for Texture {
    fn begin(&mut self, _: &Request, _: usize) {
        self.next = 0;
    }

    fn entries(&mut self, entries: &[Texel]) {
        self.finite &= self.place.write(self.next, entries, &mut self.texels);
        self.next += entries.len();
    }
}

/// Two messages, again and again.
struct InTurn {
    messages: [Vec<u8>; 2],
    current: usize,
    at: usize,
}

impl Read for InTurn {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = (&self.messages[self.current][self.at..]).read(into)?;
        self.at += n;
        if self.at == self.messages[self.current].len() {
            (self.current, self.at) = (1 - self.current, 0);
        }
        Ok(n)
    }
}

/// Takes `luts` LUTs.
pub fn run(luts: usize) -> anyhow::Result<()> {
    let size = GridSize::new(33)?;
    let shape = TextureShape::new(size, Layout::Vglb)?;
    let place = Placement::new(shape, EntryOrder::BlueFastest);
    let mut texture = Texture { place, next: 0, texels: vec![[0; 16]; shape.texels()], finite: true };
    let source = InTurn { messages: load::messages(size, "hot"), current: 0, at: 0 };
    let (mut reader, mut request) = (MessageReader::new(source, WireLimits::default()), Request::default());
    for _ in 0..luts {
        let mut message = reader.next_message()?.context("a message")?;
        request.read(&mut message, &mut texture)?;
        message.finish()?;
    }
    ensure!(texture.finite && (luts == 0 || texture.next == shape.texels()), "a whole LUT");
    Ok(())
}
