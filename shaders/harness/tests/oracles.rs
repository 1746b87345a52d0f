//! Programs that others wrote for the same job: OpenColorIO and ImageMagick.
//!
//! They are not installed everywhere, so these tests run only when asked for:
//! `VGLB_PYTHON=… cargo test -p shader-harness --test oracles -- --ignored`, where the Python has PyPI's `opencolorio`
//! and `numpy`, and `convert` is ImageMagick's.

#![allow(clippy::unwrap_used)] // Every function here is part of a test.

use clap::Parser;
use shader_harness::colours::{self, HEIGHT, WIDTH};
use shader_harness::compare;
use shader_harness::gl::{Api, Gl, Pass};
use shader_harness::hosts::GL_VERTEX;
use shader_harness::image::{Image, Pixels};
use shader_harness::luts::{self, Random};
use shader_harness::shaders::{self, Settings};
use shader_harness::tools::run;
use std::path::Path;
use virtual_gpu_lut_box::cli::apply::{Apply, apply};
use virtual_gpu_lut_box::hald::Layout;
use virtual_gpu_lut_box::lut::Lut3d;
use virtual_gpu_lut_box::lut::file::{self, WriteOptions};
use virtual_gpu_lut_box::picture::{Existing, Picture, Samples};

fn shade(settings: &Settings, picture: &Image, lut: &Image) -> Vec<[f32; 4]> {
    let shader = settings.put_into(&shaders::read("glsl/vglb_330.frag"));
    let textures = [("picture", Some(picture)), ("lut_image", Some(lut))];
    let pass = Pass { vertex: GL_VERTEX, shader: &shader, textures: &textures, uniforms: &[], linear: false };
    Gl::for_tests(Api::Desktop).draw(&pass).unwrap()
}

fn opencolorio(lut: &Lut3d, colours: &[[f32; 4]]) -> Vec<[f32; 4]> {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["entries", "colours", "result"].map(|name| folder.path().join(name).display().to_string());
    let bytes: Vec<u8> = lut.entries().iter().flatten().flat_map(|v| v.to_ne_bytes()).collect();
    std::fs::write(&paths[0], bytes).unwrap();
    let bytes: Vec<u8> = colours.iter().flatten().flat_map(|v| v.to_ne_bytes()).collect();
    std::fs::write(&paths[1], bytes).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/opencolorio.py").display().to_string();
    let python = std::env::var("VGLB_PYTHON").unwrap_or_else(|_| "python3".into());
    let size = lut.size().to_string();
    run(&python, "Python", &[&script, &size, &paths[0], &paths[1], &paths[2]])
        .unwrap_or_else(|e| panic!("{e}\nVGLB_PYTHON must name a Python with PyPI's opencolorio and numpy."));
    let bytes = std::fs::read(&paths[2]).unwrap();
    let (floats, _) = bytes.as_chunks::<4>();
    floats.as_chunks::<4>().0.iter().map(|t| t.map(f32::from_ne_bytes)).collect()
}

/// OpenColorIO scales in float32 before it takes the fraction, which costs it up to half a unit in the last place of
/// N−1, times the difference between neighbouring entries; otherwise both must agree.
#[test]
#[ignore = "needs PyPI's opencolorio"]
fn opencolorio_agrees() {
    for n in luts::SIZES {
        let finite = |c: [f32; 4]| if c.iter().all(|v| v.is_finite()) { c } else { [0.5; 4] };
        let colours: Vec<_> = colours::picture(n).into_iter().map(finite).collect();
        let picture = Image::float(WIDTH, HEIGHT, colours.clone());
        for (name, lut, tolerance) in
            [("identity", luts::identity(n), 3e-7), ("smooth", luts::smooth(n), 4e-7), ("hdr", luts::hdr(n), 3e-6)]
        {
            let ours = shade(&Settings::default(), &picture, &Image::plain(&lut, Layout::Vglb));
            let theirs = opencolorio(&lut, &colours);
            let mut worst = 0.0f32;
            for (ours, theirs) in ours.iter().zip(&theirs) {
                worst = (0..4).map(|i| (ours[i] - theirs[i]).abs()).fold(worst, f32::max);
            }
            println!("N = {n}, {name}: largest difference {worst:e}");
            assert!(worst <= tolerance, "N = {n}, {name}: {worst:e}");
        }
    }
}

/// `vglb apply` on an OpenEXR picture, from file to file, against OpenColorIO on the same colours; tolerances as above.
#[test]
#[ignore = "needs PyPI's opencolorio"]
fn opencolorio_agrees_with_pictures_graded_on_the_processor() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for n in luts::SIZES {
        let finite = |c: [f32; 4]| if c.iter().all(|v| v.is_finite()) { c } else { [0.5; 4] };
        let colours: Vec<_> = colours::picture(n).into_iter().map(finite).collect();
        let samples = Samples::Float(colours.as_flattened().to_vec());
        let picture = Picture::rgba(WIDTH, HEIGHT, samples).unwrap();
        picture.write(&path("in.exr"), Existing::Replace, &()).unwrap();
        for (name, lut, tolerance) in
            [("identity", luts::identity(n), 3e-7), ("smooth", luts::smooth(n), 4e-7), ("hdr", luts::hdr(n), 3e-6)]
        {
            let options = WriteOptions { existing: Existing::Replace, ..WriteOptions::default() };
            file::write(&path("lut.cube"), &lut, &options).unwrap();
            let [picture, lut_file, out] = ["in.exr", "lut.cube", "out.exr"].map(path);
            let words = ["apply".into(), picture, "--lut".into(), lut_file, "--out".into(), out, "--force".into()];
            apply(&Command::parse_from(words).apply).unwrap();
            let graded = Picture::read(&path("out.exr"), &()).unwrap();
            let theirs = opencolorio(&lut, &colours);
            let ours = (0..graded.samples().len()).map(|i| graded.samples().value(i));
            let worst = ours.zip(theirs.as_flattened()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!("N = {n}, {name}: largest difference {worst:e}");
            assert!(worst <= tolerance, "N = {n}, {name}: {worst:e}");
        }
    }
}

/// The options of `vglb apply`.
#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    apply: Apply,
}

/// A 16-bit PPM.
fn write_ppm(path: &str, width: usize, height: usize, texels: &[[f32; 4]]) {
    let mut bytes = format!("P6\n{width} {height}\n65535\n").into_bytes();
    let quantised = texels.iter().flat_map(|t| [t[0], t[1], t[2]]).map(|v| (v * 65535.0).round() as u16);
    bytes.extend(quantised.flat_map(u16::to_be_bytes));
    std::fs::write(path, bytes).unwrap();
}

/// The samples of a 16-bit PPM, from 0 to 1.
fn read_ppm(path: &str) -> Vec<f64> {
    let bytes = std::fs::read(path).unwrap();
    let header_end = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(2).map(|(i, _)| i + 1).unwrap();
    assert!(bytes.starts_with(b"P6"), "{path} is no PPM");
    bytes[header_end..].as_chunks::<2>().0.iter().map(|b| f64::from(u16::from_be_bytes(*b)) / 65535.0).collect()
}

/// ImageMagick's `-hald-clut` is trilinear and works in 16 bits: the trilinear variant must agree within that.
#[test]
#[ignore = "needs ImageMagick"]
fn imagemagick_agrees_on_hald_cluts() {
    let convert = ["/usr/bin/convert", "convert"].into_iter().find(|p| Path::new(p).exists()).unwrap_or("convert");
    for n in [4, 9, 16, 25, 64] {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["picture.ppm", "clut.ppm", "out.ppm"].map(|name| folder.path().join(name).display().to_string());
        let quantise = |v: f32| (v * 65535.0).round() / 65535.0;
        let lut = luts::smooth(n);
        let lut = Lut3d::from_fn(lut.size(), |point| lut.at(point).map(quantise));
        let mut random = Random::new(5);
        let colours: Vec<[f32; 4]> =
            (0..40_000).map(|_| [random.unit(), random.unit(), random.unit(), 1.0].map(quantise)).collect();
        let picture = Image::float(200, 200, colours.clone());
        let clut = Image::plain(&lut, Layout::HaldClut);
        let Pixels::Float(clut_texels) = &clut.pixels else { panic!("a plain texture is float") };
        write_ppm(&paths[0], 200, 200, &colours);
        write_ppm(&paths[1], clut.width, clut.height, clut_texels);
        run(convert, "imagemagick", &[&paths[0], &paths[1], "-hald-clut", "-depth", "16", &paths[2]]).unwrap();
        let theirs = read_ppm(&paths[2]);

        let settings = Settings { layout: Layout::HaldClut, trilinear: true, ..Default::default() };
        let ours = shade(&settings, &picture, &clut);
        let ours = ours.iter().flat_map(|c| [c[0], c[1], c[2]]).map(f64::from);
        let worst = ours.zip(&theirs).map(|(a, b)| (a - b).abs() * 65535.0).fold(0.0, f64::max);
        println!("N = {n}: largest difference {worst:.2} of 65535");
        assert!(worst <= 2.0, "N = {n}: {worst} of 65535");
    }
}

/// The identity Hald CLUT that ImageMagick makes is the identity LUT in the layout `hald-clut`.
#[test]
#[ignore = "needs ImageMagick"]
fn imagemagick_makes_the_same_hald_clut() {
    let convert = ["/usr/bin/convert", "convert"].into_iter().find(|p| Path::new(p).exists()).unwrap_or("convert");
    for level in [2, 3, 4, 8] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("hald.ppm").display().to_string();
        run(convert, "imagemagick", &[&format!("hald:{level}"), "-depth", "16", &out]).unwrap();
        let theirs = read_ppm(&out);
        let lut = luts::identity(level * level);
        let clut = Image::plain(&lut, Layout::HaldClut);
        let Pixels::Float(texels) = &clut.pixels else { panic!("a plain texture is float") };
        let ours = texels.iter().flat_map(|t| [t[0], t[1], t[2]]).map(f64::from);
        let worst = ours.zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst <= 1.0 / 65535.0, "hald:{level}: {worst}");
    }
}

/// The comparison itself must be able to fail: a LUT in the wrong order is far from what OpenColorIO gives.
#[test]
#[ignore = "needs PyPI's opencolorio"]
fn opencolorio_disagrees_with_a_swapped_lut() {
    let n = 17;
    let lut = luts::smooth(n);
    let swapped = Lut3d::from_fn(lut.size(), |[r, g, b]| lut.at([b, g, r]));
    let colours: Vec<_> = colours::picture(n).into_iter().take(5000).collect();
    let ours = shade(&Settings::default(), &Image::float(100, 50, colours.clone()), &Image::plain(&lut, Layout::Vglb));
    let theirs = opencolorio(&swapped, &colours);
    assert!(compare::different_bits(&ours, &theirs) > 4000);
    let worst = ours.iter().zip(&theirs).map(|(a, b)| (a[0] - b[0]).abs()).fold(0.0, f32::max);
    assert!(worst > 0.1, "{worst}");
}
