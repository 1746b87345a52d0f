//! The HLSL files under DXC, Microsoft's compiler for shader model 6: as DXIL, which it checks, and as SPIR-V, which runs.
//!
//! DXC is not installed everywhere, so these tests run only when asked for:
//! `VGLB_DXC=FOLDER cargo test -p shader-harness --test dxc -- --ignored`, where the folder holds DXC's library as
//! `libdxcompiler_ARCHITECTURE.so.3.7` and its headers `dxcapi.h` and `WinAdapter.h`, as PyPI's compushady brings them.

#![allow(clippy::unwrap_used)] // Every function here is part of a test.

use shader_harness::colours::{self, HEIGHT, WIDTH};
use shader_harness::compare::{self, ULP_OF_ONE};
use shader_harness::hosts::{self, VULKAN_VERTEX};
use shader_harness::image::Image;
use shader_harness::luts;
use shader_harness::reference::Interpolation;
use shader_harness::shaders::{self, Settings};
use shader_harness::tools::{ShaderStage, glsl_to_spirv, run};
use shader_harness::vulkan::{Binding, Stage, TwoPasses, Vulkan};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use virtual_gpu_lut_box::hald::Layout;

/// DXC's library, and the program that calls it.
static DXC: LazyLock<(tempfile::TempDir, [String; 2])> = LazyLock::new(|| {
    let given = std::env::var("VGLB_DXC").expect("VGLB_DXC must name the folder with DXC's library and headers");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("dxc/compile.cpp").display().to_string();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("compile").display().to_string();
    let include = format!("-I{given}");
    // Microsoft's header is full of warnings under g++.
    run("g++", "g++", &["-std=c++17", "-w", "-fms-extensions", &include, &here, "-ldl", "-o", &program])
        .unwrap_or_else(|e| panic!("{e}"));
    let library =
        PathBuf::from(given).join(format!("libdxcompiler_{}.so.3.7", std::env::consts::ARCH)).display().to_string();
    (folder, [program, library])
});

fn compile(source: &str, entry: &str, profile: &str, arguments: &[&str]) -> Vec<u8> {
    let (_, [program, library]) = &*DXC;
    let folder = tempfile::tempdir().unwrap();
    let [input, out] = ["shader.hlsl", "out"].map(|name| folder.path().join(name).display().to_string());
    std::fs::write(&input, source).unwrap();
    let all = [&[library.as_str(), &input, entry, profile, &out][..], arguments].concat();
    run(program, "DXC", &all).unwrap_or_else(|e| panic!("{entry} as {profile}: {e}"));
    std::fs::read(out).unwrap()
}

/// For Vulkan, with one row of bindings in place of Direct3D's two.
fn spirv(source: &str, entry: &str, profile: &str) -> Vec<u32> {
    let moved = [("register(t2)", "register(t3)"), ("register(u1)", "register(u4)"), ("register(u0)", "register(u2)")];
    let source = moved.iter().fold(source.to_owned(), |source, (from, to)| source.replace(from, to));
    let bytes = compile(&source, entry, profile, &["-spirv", "-fspv-target-env=vulkan1.1"]);
    bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect()
}

#[test]
#[ignore = "needs DXC"]
fn every_hlsl_text_compiles_under_dxc() {
    let settings = Settings::default();
    let include = format!(
        "{}Texture2D<float4> t : register(t0);\nfloat4 pixel() : SV_Target0 {{ return vglb_apply(t, 0.5); }}\n",
        shaders::read("hlsl/vglb_lut.hlsl")
    );
    for (name, source, entry, profile) in [
        ("vglb.hlsl", shaders::read("hlsl/vglb.hlsl"), "pixel", "ps_6_0"),
        ("vglb.hlsl", shaders::read("hlsl/vglb.hlsl"), "compute", "cs_6_0"),
        ("vglb_buffer.hlsl", shaders::read("hlsl/vglb_buffer.hlsl"), "entries", "cs_6_0"),
        ("vglb_buffer.hlsl", shaders::read("hlsl/vglb_buffer.hlsl"), "compute", "cs_6_0"),
        ("vglb_lut.hlsl", include, "pixel", "ps_6_0"),
        ("OBS", hosts::obs_direct3d(), "PSGrade", "ps_6_0"),
        ("Unreal", hosts::unreal(&settings), "pixel", "ps_6_0"),
        ("Unity, built-in", hosts::unity_built_in(WIDTH, HEIGHT), "frag", "ps_6_0"),
        ("Unity, universal", hosts::unity_universal(), "frag", "ps_6_0"),
        ("Notch", hosts::notch(&settings), "VglbPixel", "ps_6_0"),
    ] {
        let dxil = compile(&source, entry, profile, &[]);
        assert_eq!(&dxil[..4], b"DXBC", "{name}: a container with DXIL");
    }
}

#[test]
#[ignore = "needs DXC"]
fn hlsl_compiled_by_dxc_is_exact() {
    let vulkan = Vulkan::for_tests();
    let vertex = glsl_to_spirv(VULKAN_VERTEX, ShaderStage::Vertex).unwrap();
    let (one, two) = (shaders::read("hlsl/vglb.hlsl"), shaders::read("hlsl/vglb_buffer.hlsl"));
    let (pixel, compute) = (spirv(&one, "pixel", "ps_6_0"), spirv(&one, "compute", "cs_6_0"));
    let passes = [spirv(&two, "entries", "cs_6_0"), spirv(&two, "compute", "cs_6_0")];
    for n in luts::SIZES {
        let picture = Image::float(WIDTH, HEIGHT, colours::picture(n));
        for (what, lut) in [("identity", luts::identity(n)), ("hdr", luts::hdr(n)), ("wild", luts::wild(n))] {
            let image = Image::plain(&lut, Layout::Vglb);
            let images = [&picture, &image];
            let stage = Stage::Fragment { vertex: &vertex };
            let two_passes = TwoPasses { spirv: [&passes[0], &passes[1]], entries: ["entries", "compute"] };
            for (entry, result) in [
                ("pixel", vulkan.run(stage, &pixel, "pixel", Binding::Separate, images)),
                ("compute", vulkan.run(Stage::Compute, &compute, "compute", Binding::Separate, images)),
                ("two passes", vulkan.run_two_passes(&two_passes, images, 65 * 65 * 65 + 1)),
            ] {
                let found = compare::with_reference(&lut, &result.unwrap(), Interpolation::Tetrahedral);
                assert_eq!(found.wrong_lattice_points, 0, "{entry} {what} N = {n}: {found:?}");
                assert!(found.ulps <= 4.0, "{entry} {what} N = {n}: {found:?}");
                assert!(what != "identity" || found.absolute <= 2.0 * ULP_OF_ONE, "{entry} N = {n}: {found:?}");
            }
        }
    }
}
