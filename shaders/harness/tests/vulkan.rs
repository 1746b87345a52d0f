//! GLSL, HLSL and WGSL as SPIR-V on Vulkan.

#![allow(clippy::unwrap_used)] // Every function here is part of a test.

use shader_harness::colours::{self, HEIGHT, WIDTH};
use shader_harness::compare::{self, ULP_OF_ONE};
use shader_harness::hosts::VULKAN_VERTEX;
use shader_harness::image::Image;
use shader_harness::luts;
use shader_harness::reference::Interpolation;
use shader_harness::shaders::{self, Settings};
use shader_harness::tools::{ShaderStage, glsl_to_spirv, hlsl_to_spirv, wgsl_to_spirv};
use shader_harness::vulkan::{Binding, Stage, TwoPasses, Vulkan};
use virtual_gpu_lut_box::hald::{Layout, TextureShape};

/// A compiled shader, and how it is run.
struct Shader {
    name: &'static str,
    spirv: Vec<u32>,
    entry: &'static str,
    binding: Binding,
    fragment: bool,
    /// SPIR-V and entry point of the pass that fills a buffer of entries before.
    before: Option<(Vec<u32>, &'static str)>,
}

fn ready<T>(result: Result<T, String>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}

fn glsl(settings: &Settings) -> Shader {
    let source = settings.put_into(&shaders::read("glsl/vglb_450.frag"));
    let spirv = ready(glsl_to_spirv(&source, ShaderStage::Fragment));
    Shader { name: "vglb_450.frag", spirv, entry: "main", binding: Binding::Combined, fragment: true, before: None }
}

fn hlsl(settings: &Settings, fragment: bool) -> Shader {
    let (stage, entry) = if fragment { (ShaderStage::Fragment, "pixel") } else { (ShaderStage::Compute, "compute") };
    let spirv = ready(hlsl_to_spirv(&settings.put_into(&shaders::read("hlsl/vglb.hlsl")), stage, entry));
    Shader { name: "vglb.hlsl", spirv, entry, binding: Binding::Separate, fragment, before: None }
}

fn wgsl(settings: &Settings, fragment: bool) -> Shader {
    let values: Vec<(&str, f64)> = settings.values().iter().map(|(n, v)| (*n, v.parse().unwrap())).collect();
    let spirv = ready(wgsl_to_spirv(&shaders::read("wgsl/vglb.wgsl"), &values));
    let entry = if fragment { "fragment_main" } else { "compute_main" };
    Shader { name: "vglb.wgsl", spirv, entry, binding: Binding::Separate, fragment, before: None }
}

fn hlsl_buffer(settings: &Settings) -> Shader {
    let source = settings.put_into(&shaders::read("hlsl/vglb_buffer.hlsl"));
    let [fill, spirv] = ["entries", "compute"].map(|e| ready(hlsl_to_spirv(&source, ShaderStage::Compute, e)));
    let before = Some((fill, "entries"));
    Shader { name: "vglb_buffer.hlsl", spirv, entry: "compute", binding: Binding::Separate, fragment: false, before }
}

fn wgsl_buffer(settings: &Settings) -> Shader {
    let values: Vec<(&str, f64)> = settings.values().iter().map(|(n, v)| (*n, v.parse().unwrap())).collect();
    let spirv = ready(wgsl_to_spirv(&shaders::read("wgsl/vglb_buffer.wgsl"), &values));
    let (before, binding) = (Some((spirv.clone(), "entries_main")), Binding::Separate);
    Shader { name: "vglb_buffer.wgsl", spirv, entry: "picture_main", binding, fragment: false, before }
}

fn run(vulkan: &Vulkan, shader: &Shader, picture: &Image, lut: &Image) -> Vec<[f32; 4]> {
    if let Some((fill, entry)) = &shader.before {
        let passes = TwoPasses { spirv: [fill, &shader.spirv], entries: [entry, shader.entry] };
        return ready(vulkan.run_two_passes(&passes, [picture, lut], 65 * 65 * 65 + 1));
    }
    let vertex = ready(glsl_to_spirv(VULKAN_VERTEX, ShaderStage::Vertex));
    let stage = if shader.fragment { Stage::Fragment { vertex: &vertex } } else { Stage::Compute };
    ready(vulkan.run(stage, &shader.spirv, shader.entry, shader.binding, [picture, lut]))
}

/// Exactness at every size, and the same bits from byte planes and from the other layouts.
fn assert_exact(vulkan: &Vulkan, shader: impl Fn(&Settings) -> Shader) {
    for n in luts::SIZES {
        let picture = Image::float(WIDTH, HEIGHT, colours::picture(n));
        let plain = shader(&Settings::default());
        for (what, lut) in [
            ("identity", luts::identity(n)),
            ("smooth", luts::smooth(n)),
            ("hdr", luts::hdr(n)),
            ("wild", luts::wild(n)),
        ] {
            let result = run(vulkan, &plain, &picture, &Image::plain(&lut, Layout::Vglb));
            let found = compare::with_reference(&lut, &result, Interpolation::Tetrahedral);
            let name = format!("{} {} {what} N = {n}", plain.name, plain.entry);
            assert_eq!(found.wrong_lattice_points, 0, "{name}: {found:?}");
            assert!(found.ulps <= 4.0, "{name}: {found:?}");
            assert!(what != "identity" || found.absolute <= 2.0 * ULP_OF_ONE, "{name}: {found:?}");
            if what != "wild" {
                continue;
            }
            let planes = run(vulkan, &plain, &picture, &Image::planes(&lut, Layout::Vglb));
            assert_eq!(compare::different_bits(&result, &planes), 0, "{name}, byte planes");
            if n == 16 {
                for layout in Layout::ALL {
                    assert!(TextureShape::new(luts::size(n), layout).is_ok());
                    let flipped = shader(&Settings { layout, flip: 3, ..Default::default() });
                    for image in [Image::plain(&lut, layout), Image::planes(&lut, layout)] {
                        let got = run(vulkan, &flipped, &picture, &image.upside_down());
                        assert_eq!(compare::different_bits(&result, &got), 0, "{name}, {layout}, upside down");
                    }
                }
            }
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn glsl_450_is_exact() {
    assert_exact(&Vulkan::for_tests(), glsl);
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn hlsl_pixel_shader_is_exact() {
    assert_exact(&Vulkan::for_tests(), |s| hlsl(s, true));
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn hlsl_compute_shader_is_exact() {
    assert_exact(&Vulkan::for_tests(), |s| hlsl(s, false));
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn wgsl_fragment_shader_is_exact() {
    assert_exact(&Vulkan::for_tests(), |s| wgsl(s, true));
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn wgsl_compute_shader_is_exact() {
    assert_exact(&Vulkan::for_tests(), |s| wgsl(s, false));
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn hlsl_buffer_shaders_are_exact() {
    assert_exact(&Vulkan::for_tests(), hlsl_buffer);
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn wgsl_buffer_shaders_are_exact() {
    assert_exact(&Vulkan::for_tests(), wgsl_buffer);
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn a_texture_that_is_no_lut_leaves_the_picture_untouched() {
    let vulkan = Vulkan::for_tests();
    let picture = Image::float(WIDTH, HEIGHT, colours::picture(2));
    let none = Image::float(1089, 32, vec![[0.25; 4]; 1089 * 32]);
    let settings = Settings::default();
    let all =
        [glsl(&settings), hlsl(&settings, true), wgsl(&settings, true), hlsl_buffer(&settings), wgsl_buffer(&settings)];
    for shader in all {
        let got = run(&vulkan, &shader, &picture, &none);
        assert_eq!(compare::different_bits(&colours::picture(2), &got), 0, "{}", shader.name);
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn shapers_mix_and_trilinear_give_what_the_glsl_gives() {
    let vulkan = Vulkan::for_tests();
    let n = 17;
    let colours: Vec<_> =
        (0..1000).map(|i| [i as f32 / 500.0 - 0.2, (i * 7 % 1000) as f32 / 400.0, 0.3, 1.0]).collect();
    let picture = Image::float(1000, 1, colours);
    let lut = Image::plain(&luts::smooth(n), Layout::Vglb);
    for settings in [
        Settings { trilinear: true, ..Default::default() },
        Settings { mix: 0.375, ..Default::default() },
        Settings { shaper_in: 1, shaper_out: 1, ..Default::default() },
        Settings { shaper_in: 2, shaper_out: 2, ..Default::default() },
        Settings { shaper_in: 3, shaper_out: 3, ..Default::default() },
        Settings { check: true, ..Default::default() },
    ] {
        let wanted = run(&vulkan, &glsl(&settings), &picture, &lut);
        let all = [
            hlsl(&settings, true),
            hlsl(&settings, false),
            hlsl_buffer(&settings),
            wgsl(&settings, true),
            wgsl(&settings, false),
            wgsl_buffer(&settings),
        ];
        for shader in all {
            let got = run(&vulkan, &shader, &picture, &lut);
            for (wanted, got) in wanted.iter().zip(&got) {
                for i in 0..4 {
                    let close = (wanted[i] - got[i]).abs() <= 1e-4 * wanted[i].abs() + 1e-6;
                    assert!(close, "{} {} {settings:?}: {wanted:?} {got:?}", shader.name, shader.entry);
                }
            }
        }
    }
}
