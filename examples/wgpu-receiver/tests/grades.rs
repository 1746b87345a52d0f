//! The program as it is built, against a real server: on a device with Vulkan, Mesa's lavapipe included
//! (`cargo xtask test --only gpu-examples`).

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../../../capi/tests/server/mod.rs"]
mod server;

use server::Server;
use std::path::Path;
use std::time::Duration;
use virtual_gpu_lut_box::hald::EntryOrder;
use virtual_gpu_lut_box::lut::{GridSize, Lut3d};
use virtual_gpu_lut_box::wire::client::Client;

/// A grade in which the channels differ, and mix.
fn grade(n: u64) -> Lut3d {
    let size = GridSize::new(n).unwrap();
    let last = (n - 1) as f32;
    Lut3d::from_fn(size, |point| {
        let [r, g, b] = point.map(|i| i as f32 / last);
        [r.powf(0.8) * 0.9 + 0.05 * g, g * g * 0.7 + 0.2 * b, 1.0 - b * 0.6 - 0.3 * r * g]
    })
}

/// A server with this grade on channel `cam`.
fn server(arguments: &str, lut: &Lut3d) -> Server {
    let server = Server::start(arguments);
    let (host, port) = (server.address.ip().to_string(), server.address.port());
    let mut client = Client::connect(&host, port, Duration::from_secs(30)).unwrap();
    client.set_lut(Some("cam"), lut, EntryOrder::BlueFastest).unwrap();
    server
}

/// Runs the program, and returns what it says.
fn run(server: &Server, arguments: &[&str], out: &Path) -> String {
    let mut command = server.command(env!("CARGO_BIN_EXE_wgpu-receiver"));
    let out = command.arg("vglb-lut-cam").args(arguments).arg("--out").arg(out).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{said}");
    println!("{said}");
    said
}

/// A PNG's values, 0 to 65535.
fn values(path: &Path) -> Vec<u16> {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Sixteen));
    bytes.as_chunks::<2>().0.iter().map(|v| u16::from_be_bytes(*v)).collect()
}

/// A picture of 8 bits a channel with all kinds of colours; and these.
fn picture(path: &Path) -> Vec<[f32; 3]> {
    let colours: Vec<[u8; 3]> = (0..97 * 53u32).map(|i| [i, i / 7, i.wrapping_mul(31)].map(|v| v as u8)).collect();
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, 97, 53);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(colours.as_flattened()).unwrap();
    colours.into_iter().map(|c| c.map(|v| f32::from(v) / 255.0)).collect()
}

#[test]
#[ignore = "needs Mesa's software GPUs: cargo xtask test --only gpu-examples"]
fn the_picture_is_graded_as_the_processor_would() {
    // In all layouts: the shader is told which.
    for (n, layout) in [(33, "vglb"), (17, "unreal"), (16, "unity"), (16, "hald-clut")] {
        let lut = grade(n);
        let server = server(&format!("--layout {layout}"), &lut);
        let (before, after) = (server.folder().join("before.png"), server.folder().join("after.png"));
        let colours = picture(&before);
        let said = run(&server, &["--check", "--picture", before.to_str().unwrap()], &after);
        assert!(said.contains(&format!("{layout}, an image of this device, ")), "{said}");
        let wanted = colours.into_iter().flat_map(|c| lut.tetrahedral(c)).map(|v| (v * 65535.0).round() as u16);
        let got = values(&after);
        assert_eq!(got.len(), 97 * 53 * 3);
        for (i, (got, wanted)) in got.into_iter().zip(wanted).enumerate() {
            assert!(got.abs_diff(wanted) <= 1, "{layout}, value {i}: {got} instead of {wanted}");
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs: cargo xtask test --only gpu-examples"]
fn without_images_the_pixels_do_and_the_picture_is_the_same() {
    let lut = grade(33);
    let with = server("", &lut);
    let (image, pixels, off) = ["image", "pixels", "off"].map(|name| with.folder().join(name)).into();
    assert!(run(&with, &["--check"], &image).contains("an image of this device"));
    assert!(run(&with, &["--check", "--pixels"], &pixels).contains("pixels that were uploaded (as was asked for)"));
    let without = server("--gpu off", &lut);
    let said = run(&without, &["--check"], &off);
    assert!(said.contains("pixels that were uploaded (the sender says: "), "{said}");
    assert_eq!(values(&image), values(&pixels));
    assert_eq!(values(&image), values(&off));
}

#[test]
#[ignore = "needs Mesa's software GPUs: cargo xtask test --only gpu-examples"]
fn a_device_that_is_not_there_is_an_error_with_the_ones_that_are() {
    let server = server("", &grade(2));
    let mut command = server.command(env!("CARGO_BIN_EXE_wgpu-receiver"));
    let out = command.args(["vglb-lut-cam", "--device", "no such", "--out", "x"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(1));
    assert!(said.contains("no Vulkan device has \"no such\" in its name; there is "), "{said}");
}
