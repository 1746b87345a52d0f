//! The Metal file, compiled as C++ with a stand-in for Apple's header and run on the processor. That checks its syntax,
//! types and maths as far as C++ and Metal agree; Apple's compiler has to see it on a Mac.

#![allow(clippy::unwrap_used)] // Every function here is part of a test.

use shader_harness::colours::{self, HEIGHT, WIDTH};
use shader_harness::compare;
use shader_harness::image::{Image, Pixels};
use shader_harness::luts;
use shader_harness::reference::Interpolation;
use shader_harness::shaders::{Settings, folder};
use shader_harness::tools::run;
use std::path::Path;
use virtual_gpu_lut_box::hald::Layout;

/// The image as the program reads it; 8-bit texels as a GPU hands them out, from 0.0 to 1.0.
fn save(image: &Image, path: &Path) {
    let mut bytes: Vec<u8> = [image.width as u32, image.height as u32].iter().flat_map(|v| v.to_ne_bytes()).collect();
    match &image.pixels {
        Pixels::Float(t) => bytes.extend(t.iter().flatten().flat_map(|v| v.to_ne_bytes())),
        Pixels::Bytes(t) => bytes.extend(t.iter().flatten().flat_map(|v| (f32::from(*v) / 255.0).to_ne_bytes())),
    }
    std::fs::write(path, bytes).unwrap();
}

struct Program {
    folder: tempfile::TempDir,
}

impl Program {
    fn new(settings: &Settings, optimise: &str) -> Self {
        Self::of("metal/vglb.metal", settings, optimise)
    }

    /// Of one of the two files; `-DBUFFER` tells which of them it is.
    fn of(file: &str, settings: &Settings, optimise: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("metal_stand_in");
        let metal = folder().join(file);
        let mut arguments = vec!["-std=c++17".to_owned(), "-Wall".into(), "-Werror".into(), "-Wno-attributes".into()];
        arguments.extend(optimise.split(' ').map(str::to_owned));
        arguments.push(format!("-I{}", harness.display()));
        arguments.push(format!("-DMETAL_FILE=\"{}\"", metal.display()));
        arguments.extend(settings.values().iter().map(|(name, value)| format!("-D{name}={value}")));
        arguments.push(harness.join("run.cpp").display().to_string());
        arguments.extend(["-o".to_owned(), temporary.path().join("run").display().to_string()]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run("g++", "g++", &arguments).unwrap_or_else(|e| panic!("{e}"));
        Program { folder: temporary }
    }

    fn run(&self, kind: &str, picture: &Image, lut: &Image) -> Vec<[f32; 4]> {
        let at = |name: &str| self.folder.path().join(name);
        save(picture, &at("picture"));
        save(lut, &at("lut"));
        let paths = ["picture", "lut", "result"].map(|name| at(name).display().to_string());
        let program = at("run").display().to_string();
        run(&program, "g++", &[kind, &paths[0], &paths[1], &paths[2]]).unwrap_or_else(|e| panic!("{e}"));
        let bytes = std::fs::read(&paths[2]).unwrap();
        let (floats, _) = bytes.as_chunks::<4>();
        floats.as_chunks::<4>().0.iter().map(|t| t.map(f32::from_ne_bytes)).collect()
    }
}

fn assert_exact(program: &Program) {
    for n in luts::SIZES {
        let picture = Image::float(WIDTH, HEIGHT, colours::picture(n));
        for lut in [luts::identity(n), luts::hdr(n), luts::wild(n)] {
            let plain = program.run("fragment", &picture, &Image::plain(&lut, Layout::Vglb));
            let found = compare::with_reference(&lut, &plain, Interpolation::Tetrahedral);
            assert_eq!(found.wrong_lattice_points, 0, "N = {n}: {found:?}");
            assert!(found.ulps <= 4.0, "N = {n}: {found:?}");
        }
    }
}

#[test]
#[ignore = "needs g++: cargo xtask test --only shaders"]
fn metal_file_as_cpp_is_exact() {
    let program = Program::new(&Settings::default(), "-O2");
    assert_exact(&program);
    let picture = Image::float(WIDTH, HEIGHT, colours::picture(17));
    let lut = luts::wild(17);
    let plain = program.run("fragment", &picture, &Image::plain(&lut, Layout::Vglb));
    for kind in ["fragment", "kernel"] {
        let planes = program.run(kind, &picture, &Image::planes(&lut, Layout::Vglb));
        assert_eq!(compare::different_bits(&plain, &planes), 0, "{kind}");
    }
}

#[test]
#[ignore = "needs g++: cargo xtask test --only shaders"]
fn metal_buffer_file_as_cpp_is_exact() {
    let file = "metal/vglb_buffer.metal";
    let program = Program::of(file, &Settings::default(), "-O2 -DBUFFER");
    for n in luts::SIZES {
        let picture = Image::float(WIDTH, HEIGHT, colours::picture(n));
        for lut in [luts::identity(n), luts::hdr(n), luts::wild(n)] {
            let plain = program.run("buffer", &picture, &Image::plain(&lut, Layout::Vglb));
            let found = compare::with_reference(&lut, &plain, Interpolation::Tetrahedral);
            assert_eq!(found.wrong_lattice_points, 0, "N = {n}: {found:?}");
            assert!(found.ulps <= 4.0, "N = {n}: {found:?}");
        }
    }
    let picture = Image::float(WIDTH, HEIGHT, colours::picture(16));
    let lut = luts::wild(16);
    let wanted = program.run("buffer", &picture, &Image::plain(&lut, Layout::Vglb));
    for layout in Layout::ALL {
        let settings = Settings { layout, flip: 3, ..Default::default() };
        let program = Program::of(file, &settings, "-O2 -DBUFFER");
        for image in [Image::plain(&lut, layout), Image::planes(&lut, layout)] {
            let got = program.run("buffer", &picture, &image.upside_down());
            assert_eq!(compare::different_bits(&wanted, &got), 0, "{layout}");
        }
    }
    let none = Image::float(1089, 32, vec![[0.25; 4]; 1089 * 32]);
    let got = program.run("buffer", &picture, &none);
    assert_eq!(compare::different_bits(&colours::picture(16), &got), 0, "no LUT");
}

/// Metal compiles with relaxed arithmetic unless told otherwise: products and sums may be fused and put in another order.
#[test]
#[ignore = "needs g++: cargo xtask test --only shaders"]
fn metal_file_as_cpp_stays_exact_when_operations_may_be_reordered() {
    assert_exact(&Program::new(
        &Settings::default(),
        "-O3 -mfma -ffp-contract=fast -fassociative-math -fno-signed-zeros -fno-trapping-math",
    ));
}

#[test]
#[ignore = "needs g++: cargo xtask test --only shaders"]
fn metal_file_as_cpp_in_every_layout() {
    let n = 16;
    let picture = Image::float(WIDTH, HEIGHT, colours::picture(n));
    let lut = luts::wild(n);
    let wanted = Program::new(&Settings::default(), "-O2").run("fragment", &picture, &Image::plain(&lut, Layout::Vglb));
    for layout in Layout::ALL {
        let program = Program::new(&Settings { layout, flip: 3, ..Default::default() }, "-O2");
        for image in [Image::plain(&lut, layout), Image::planes(&lut, layout)] {
            let got = program.run("kernel", &picture, &image.upside_down());
            assert_eq!(compare::different_bits(&wanted, &got), 0, "{layout}");
        }
    }
}
