//! A program in C takes images of a graphics device, and tells what it was told. Whether that is all that an importer
//! needs, another importer shows: it gets nothing but that and the descriptors, and finds every bit.

#![cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
#![allow(clippy::unwrap_used)]

mod c;
mod server;
#[path = "../../tests/wire/mod.rs"]
mod wire;

use c::{Language, Library, compiled, under_valgrind};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use server::Server;
use std::collections::HashMap;
use std::io::{IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use virtual_gpu_lut_box::texture::linux::{DeviceIdentity, Gpu, ImageDescription, ReadBy};
use wire::Wire;

#[test]
#[ignore = "needs a Vulkan device and valgrind: cargo xtask test --only c-interface"]
fn what_c_is_told_is_all_that_an_importer_needs() {
    let gpu = Gpu::open(&Default::default()).unwrap();
    let server = Server::start("--layout unreal");
    let mut sender = Wire::connect(server.address);
    let program = compiled("tests/c/images.c", server.folder(), Language::C99, Library::Shared);
    for (revision, n) in [(1, 33usize), (2, 16)] {
        let lut = wire::pattern(n, n as u32);
        sender.accepted(&wire::set_lut(Some("cam"), lut.clone()));
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        // The second time valgrind watches.
        let mut command = match revision {
            1 => server.command(&program),
            _ => under_valgrind(&program, server.command("valgrind")),
        };
        let mut child = command
            .arg("vglb-lut-cam")
            .args([gpu.facts().identity.device, gpu.facts().identity.driver].map(hex))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let descriptors = received(&ours);
        let told = Told::read(child.stdout.take().unwrap(), &mut ours, &mut child);
        assert_eq!((told.number("revision"), told.number("grid_size"), told.number("layout")), (revision, n as u64, 1));
        assert_eq!((told.number("format"), told.number("handle_type"), told.number("published")), (109, 1, 1));
        assert_eq!(told.identity(), gpu.facts().identity);
        assert_eq!(told.number("slots") as usize, descriptors.len());

        // The program has ended by now, and with it its claim; nothing was published since, so nothing was overwritten.
        let mut texels = Vec::new();
        let mut reader = gpu.import(&told.description(), descriptors).unwrap();
        for by in [ReadBy::Copy, ReadBy::Fetch] {
            reader.read(told.number("slot") as usize, by, &mut texels).unwrap();
            assert!(*texels.as_flattened() == unreal(n, &lut), "N {n}: the bits differ by {by:?}");
        }
    }
}

fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What the program has printed, by name.
struct Told(HashMap<String, String>);

impl Told {
    /// Lets the program end, which has to be well.
    fn read(mut out: impl Read, release: &mut UnixStream, child: &mut std::process::Child) -> Told {
        release.write_all(b".").unwrap();
        let mut text = String::new();
        out.read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success());
        Told(text.lines().map(|l| l.split_once(' ').unwrap()).map(|(k, v)| (k.into(), v.into())).collect())
    }

    fn number(&self, name: &str) -> u64 {
        self.0[name].parse().unwrap()
    }

    fn identity(&self) -> DeviceIdentity {
        let uuid = |name: &str| {
            let byte = |i: usize| u8::from_str_radix(&self.0[name][2 * i..2 * i + 2], 16).unwrap();
            std::array::from_fn(byte)
        };
        DeviceIdentity { device: uuid("device_uuid"), driver: uuid("driver_uuid") }
    }

    fn description(&self) -> ImageDescription {
        let small = |name| u32::try_from(self.number(name)).unwrap();
        ImageDescription {
            width: small("width"),
            height: small("height"),
            tiling: small("tiling"),
            usage: small("usage"),
            memory_bytes: self.number("memory_bytes"),
            offset: self.number("offset"),
            memory_type: small("memory_type_index"),
            row_pitch: small("row_pitch"),
            dedicated: small("dedicated") == 1,
        }
    }
}

/// The descriptors that the program hands over.
fn received(socket: &UnixStream) -> Vec<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let got = recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC).unwrap();
    assert_eq!(got.bytes, 1, "the program has ended");
    let rights = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    rights.flatten().collect()
}

/// The texture in the layout `unreal`: x = b·N + r, y = g, alpha 1.0.
fn unreal(n: usize, data: &[u8]) -> Vec<u8> {
    let mut out = vec![0; data.len()];
    for (i, entry) in data.chunks_exact(16).enumerate() {
        let (r, g, b) = (i / (n * n), i / n % n, i % n);
        let at = (g * n * n + b * n + r) * 16;
        out[at..at + 12].copy_from_slice(&entry[..12]);
        out[at + 12..at + 16].copy_from_slice(&1.0f32.to_le_bytes());
    }
    out
}
