//! Each host's file inside what the host declares: compiled, and run where a software GPU can.

#![allow(clippy::unwrap_used)] // Every function here is part of a test.

use shader_harness::colours::{self, HEIGHT, WIDTH};
use shader_harness::compare;
use shader_harness::gl::{Api, Gl, Pass, Uniform};
use shader_harness::hosts::{self, GL_VERTEX, VULKAN_VERTEX};
use shader_harness::image::Image;
use shader_harness::luts;
use shader_harness::reference::Interpolation;
use shader_harness::shaders::{self, Settings};
use shader_harness::tools::{ShaderStage, compile_glsl, glsl_to_spirv, hlsl_to_spirv};
use shader_harness::vulkan::{Binding, Stage, Vulkan};
use virtual_gpu_lut_box::hald::Layout;
use virtual_gpu_lut_box::lut::Lut3d;

const N: usize = 33;

fn picture() -> Image {
    Image::float(WIDTH, HEIGHT, colours::picture(N))
}

fn assert_exact(what: &str, lut: &Lut3d, result: &[[f32; 4]]) {
    let found = compare::with_reference(lut, result, Interpolation::Tetrahedral);
    assert_eq!(found.wrong_lattice_points, 0, "{what}: {found:?}");
    assert!(found.ulps <= 4.0, "{what}: {found:?}");
}

/// A host on OpenGL: its shader, the names of the two samplers, and its uniforms for one orientation of the LUT.
fn assert_exact_on_opengl(
    what: &str,
    shader: &str,
    names: [&str; 2],
    uniforms: impl Fn(&Image, i32) -> Vec<(&'static str, Uniform)>,
) {
    let gl = Gl::for_tests(Api::Desktop);
    let picture = picture();
    for lut in [luts::hdr(N), luts::wild(N)] {
        let images = [Image::plain(&lut, Layout::Vglb), Image::planes(&lut, Layout::Vglb)];
        for (flip, image) in images.into_iter().flat_map(|i| [(3, i.upside_down()), (0, i)]) {
            let textures = [(names[0], Some(&picture)), (names[1], Some(&image))];
            let uniforms = uniforms(&image, flip);
            let pass = Pass { vertex: GL_VERTEX, shader, textures: &textures, uniforms: &uniforms, linear: false };
            let result = gl.draw(&pass).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_exact(&format!("{what}, {}×{}, flip {flip}", image.width, image.height), &lut, &result);
        }
    }
}

fn assert_exact_on_vulkan(what: &str, hlsl: &str, entry: &str) {
    let vulkan = Vulkan::for_tests();
    let vertex = glsl_to_spirv(VULKAN_VERTEX, ShaderStage::Vertex).unwrap();
    let spirv = hlsl_to_spirv(hlsl, ShaderStage::Fragment, entry).unwrap_or_else(|e| panic!("{what}: {e}"));
    let stage = Stage::Fragment { vertex: &vertex };
    for lut in [luts::hdr(N), luts::wild(N)] {
        for image in [Image::plain(&lut, Layout::Vglb), Image::planes(&lut, Layout::Vglb)] {
            let result = vulkan
                .run(stage, &spirv, entry, Binding::Separate, [&picture(), &image])
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_exact(what, &lut, &result);
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn touchdesigner() {
    for flip in [0, 3] {
        let shader = hosts::touchdesigner(&Settings { flip, ..Default::default() }, 2);
        let gl = Gl::for_tests(Api::Desktop);
        let lut = luts::hdr(N);
        for image in [Image::plain(&lut, Layout::Vglb), Image::planes(&lut, Layout::Vglb)] {
            let seen = if flip == 3 { image.upside_down() } else { image };
            let picture = picture();
            let textures = [("sTD2DInputs[0]", Some(&picture)), ("sTD2DInputs[1]", Some(&seen))];
            let pass = Pass { vertex: GL_VERTEX, shader: &shader, textures: &textures, uniforms: &[], linear: false };
            assert_exact("TouchDesigner", &lut, &gl.draw(&pass).unwrap());
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn touchdesigner_without_the_second_input_shows_the_picture() {
    let gl = Gl::for_tests(Api::Desktop);
    let shader = hosts::touchdesigner(&Settings::default(), 1);
    let picture = picture();
    let textures = [("sTD2DInputs[0]", Some(&picture))];
    let pass = Pass { vertex: GL_VERTEX, shader: &shader, textures: &textures, uniforms: &[], linear: false };
    assert_eq!(compare::different_bits(&gl.draw(&pass).unwrap(), &colours::picture(N)), 0);
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn pixera() {
    assert_exact_on_opengl("Pixera", &hosts::pixera_for_mesa(), ["effect.sampler", "effect.lut"], |_, flip| {
        vec![
            ("effect.mix", Uniform::Float(1.0)),
            ("effect.check", Uniform::Float(0.0)),
            ("effect.flip", Uniform::Float(flip as f32)),
        ]
    });
}

fn isf_uniforms(image: &Image, flip: i32) -> Vec<(&'static str, Uniform)> {
    vec![
        ("_lutImage_imgSize", Uniform::Vec2(image.width as f32, image.height as f32)),
        ("amount", Uniform::Float(1.0)),
        ("checkBands", Uniform::Int(0)),
        ("upsideDown", Uniform::Int(flip)),
        ("layoutOfLut", Uniform::Int(0)),
        ("shaperIn", Uniform::Int(0)),
        ("shaperOut", Uniform::Int(0)),
    ]
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn isf_without_bit_operations() {
    assert_exact_on_opengl("ISF, GLSL 1.50", &hosts::isf(150), ["inputImage", "lutImage"], isf_uniforms);
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn isf_with_bit_operations() {
    assert_exact_on_opengl("ISF, GLSL 3.30", &hosts::isf(330), ["inputImage", "lutImage"], isf_uniforms);
}

/// Hosts filter linearly as a rule. At texel centres that must not matter for byte planes, whose values are rounded.
#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn isf_byte_planes_survive_linear_filtering() {
    let gl = Gl::for_tests(Api::Desktop);
    for n in luts::SIZES {
        let image = Image::planes(&luts::wild(n), Layout::Vglb);
        let uniforms = isf_uniforms(&image, 0);
        // The picture is filtered too, and infinity would become NaN there before the shader sees it.
        let finite = colours::picture(n).into_iter().filter(|c| c.iter().all(|v| v.is_finite()));
        for version in [150, 330] {
            let shader = hosts::isf(version);
            for color in finite.clone().step_by(30_011) {
                // One colour a draw, so that the picture's own filtering plays no part.
                let picture = Image::float(1, 1, vec![color]);
                let textures = [("inputImage", Some(&picture)), ("lutImage", Some(&image))];
                let [nearest, linear] = [false, true].map(|linear| {
                    let pass =
                        Pass { vertex: GL_VERTEX, shader: &shader, textures: &textures, uniforms: &uniforms, linear };
                    gl.draw(&pass).unwrap()[0].map(f32::to_bits)
                });
                assert_eq!(linear, nearest, "N = {n}, {color:?}");
            }
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn isf_header_is_json_and_names_what_the_shader_uses() {
    let text = shaders::read("isf/vglb.fs");
    let header = text.strip_prefix("/*").and_then(|t| t.split_once("*/")).expect("a comment first").0;
    let json: serde_json::Value = serde_json::from_str(header).expect("JSON");
    assert_eq!(json["ISFVSN"], "2");
    let inputs = json["INPUTS"].as_array().expect("INPUTS");
    assert_eq!(inputs[0]["NAME"], "inputImage", "filters take the picture under this name");
    for input in inputs {
        let name = input["NAME"].as_str().expect("NAME");
        let kind = input["TYPE"].as_str().expect("TYPE");
        assert!(["image", "float", "bool", "long"].contains(&kind), "{kind}");
        assert!(text.split_once("*/").expect("code").1.contains(name), "{name} is not used");
        if kind == "long" {
            let (values, labels) = (input["VALUES"].as_array(), input["LABELS"].as_array());
            assert_eq!(values.map(Vec::len), labels.map(Vec::len), "{name}");
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn obs_on_opengl() {
    assert_exact_on_opengl("OBS, OpenGL", &hosts::obs_opengl(), ["image", "lut"], |_, flip| {
        vec![("amount", Uniform::Float(1.0)), ("check_bands", Uniform::Int(0)), ("upside_down", Uniform::Int(flip))]
    });
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn obs_on_direct3d() {
    assert_exact_on_vulkan("OBS, Direct3D", &hosts::obs_direct3d(), "PSGrade");
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn unreal() {
    assert_exact_on_vulkan("Unreal", &hosts::unreal(&Settings::default()), "pixel");
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn unity_built_in() {
    assert_exact_on_vulkan("Unity, built-in", &hosts::unity_built_in(WIDTH, HEIGHT), "frag");
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn unity_universal() {
    assert_exact_on_vulkan("Unity, universal", &hosts::unity_universal(), "frag");
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn notch() {
    assert_exact_on_vulkan("Notch", &hosts::notch(&Settings::default()), "VglbPixel");
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn every_glsl_text_compiles_under_glslang() {
    let settings = Settings::default();
    let include = format!(
        "#version 330\n{}uniform sampler2D lut;\nout vec4 c;\nvoid main() {{ c = vglb_apply(lut, vec4(0.5)); }}\n",
        shaders::read("glsl/vglb_lut.glsl")
    );
    for (name, source, stage) in [
        ("330", shaders::read("glsl/vglb_330.frag"), ShaderStage::Fragment),
        ("430", shaders::read("glsl/vglb_430.comp"), ShaderStage::Compute),
        ("430, entries", shaders::read("glsl/vglb_430_entries.comp"), ShaderStage::Compute),
        ("430, picture", shaders::read("glsl/vglb_430_picture.comp"), ShaderStage::Compute),
        ("300 es", shaders::read("glsl/vglb_300es.frag"), ShaderStage::Fragment),
        ("include", include, ShaderStage::Fragment),
        (
            "TouchDesigner",
            hosts::touchdesigner(&settings, 2).replace("#version 450", "#version 460"),
            ShaderStage::Fragment,
        ),
        ("Pixera", hosts::pixera(), ShaderStage::Fragment),
        ("ISF 1.20", hosts::isf(120), ShaderStage::Fragment),
        ("ISF 1.50", hosts::isf(150), ShaderStage::Fragment),
        ("ISF 3.30", hosts::isf(330), ShaderStage::Fragment),
        ("OBS", hosts::obs_opengl(), ShaderStage::Fragment),
    ] {
        compile_glsl(&source, stage).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
