//! The GLSL files on OpenGL and OpenGL ES: every grid size, layout and orientation.

#![allow(clippy::unwrap_used)] // Every function here is part of a test.

use shader_harness::colours::{self, HEIGHT, WIDTH};
use shader_harness::compare::{self, Found, ULP_OF_ONE};
use shader_harness::gl::{Api, Gl, Pass};
use shader_harness::hosts::{ES_VERTEX, GL_VERTEX};
use shader_harness::image::Image;
use shader_harness::luts;
use shader_harness::reference::{self, Interpolation};
use shader_harness::shaders::{self, Settings};
use virtual_gpu_lut_box::hald::{Layout, TextureShape};
use virtual_gpu_lut_box::lut::Lut3d;

const FRAGMENT: (&str, &str) = (GL_VERTEX, "glsl/vglb_330.frag");
const COMPUTE: (&str, &str) = ("", "glsl/vglb_430.comp");
/// Two passes: [`run`] puts the first before it.
const BUFFER: (&str, &str) = ("", "glsl/vglb_430_picture.comp");
const BUFFER_FILL: &str = "glsl/vglb_430_entries.comp";
const ES: (&str, &str) = (ES_VERTEX, "glsl/vglb_300es.frag");

fn run(gl: &Gl, (vertex, path): (&str, &str), settings: &Settings, picture: &Image, lut: &Image) -> Vec<[f32; 4]> {
    let source = settings.put_into(&shaders::read(path));
    if path == BUFFER.1 {
        return two_passes(gl, settings, picture, Some(lut), ROOM);
    }
    let textures = [("picture", Some(picture)), ("lut_image", Some(lut))];
    gl.draw(&Pass { vertex, shader: &source, textures: &textures, uniforms: &[], linear: false })
        .unwrap_or_else(|e| panic!("{path} on {}: {e}", gl.renderer))
}

/// Room for the largest LUT that the tests put into a buffer.
const ROOM: usize = 65 * 65 * 65 + 1;

fn two_passes(gl: &Gl, settings: &Settings, picture: &Image, lut: Option<&Image>, room: usize) -> Vec<[f32; 4]> {
    let sources = [BUFFER_FILL, BUFFER.1].map(|path| settings.put_into(&shaders::read(path)));
    gl.grade_in_two_passes([&sources[0], &sources[1]], picture, lut, room)
        .unwrap_or_else(|e| panic!("{} on {}: {e}", BUFFER.1, gl.renderer))
}

fn picture(n: usize) -> Image {
    Image::float(WIDTH, HEIGHT, colours::picture(n))
}

fn assert_close(what: &str, found: &Found, ulps: f64) {
    assert_eq!(found.wrong_lattice_points, 0, "{what}: {found:?}");
    assert!(found.ulps <= ulps, "{what}: {found:?}");
}

/// The three requirements on a shader: identity, smooth and HDR LUTs, lattice points; all on the default layout.
fn assert_exact(gl: &Gl, shader: (&str, &str), n: usize) -> Vec<[f32; 4]> {
    let picture = picture(n);
    let settings = Settings::default();
    let result = |lut: &Lut3d| run(gl, shader, &settings, &picture, &Image::plain(lut, Layout::Vglb));
    let lut = luts::identity(n);
    let found = compare::with_reference(&lut, &result(&lut), Interpolation::Tetrahedral);
    assert!(found.absolute <= 2.0 * ULP_OF_ONE, "identity {n}: {found:?}");
    assert_close(&format!("identity {n}"), &found, 4.0);
    for lut in [luts::smooth(n), luts::hdr(n)] {
        let found = compare::with_reference(&lut, &result(&lut), Interpolation::Tetrahedral);
        assert_close(&format!("{} N = {n}", shader.1), &found, 4.0);
    }
    let lut = luts::wild(n);
    let wild = result(&lut);
    let found = compare::with_reference(&lut, &wild, Interpolation::Tetrahedral);
    assert_close(&format!("{} N = {n}, wild", shader.1), &found, 4.0);
    wild
}

/// All layouts, plain and as byte planes, both ways up: each must give the bits of the plain default.
fn assert_same_bits(gl: &Gl, shader: (&str, &str), n: usize, wanted: &[[f32; 4]]) {
    let picture = picture(n);
    let lut = luts::wild(n);
    for layout in Layout::ALL {
        if TextureShape::new(luts::size(n), layout).is_err() {
            assert!(layout == Layout::HaldClut && n.isqrt() * n.isqrt() != n);
            continue;
        }
        for (kind, image) in [(1, Image::plain(&lut, layout)), (2, Image::planes(&lut, layout))] {
            for flip in [0, kind, 3 - kind, 3] {
                let seen = if flip == kind || flip == 3 { image.upside_down() } else { image.clone() };
                let settings = Settings { layout, flip, ..Default::default() };
                let got = run(gl, shader, &settings, &picture, &seen);
                let different = compare::different_bits(wanted, &got);
                assert_eq!(different, 0, "{} N = {n} {layout} kind {kind} flip {flip}", shader.1);
            }
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn fragment_shader_is_exact_at_every_size_in_every_layout() {
    let gl = Gl::for_tests(Api::Desktop);
    for n in luts::SIZES {
        let wild = assert_exact(&gl, FRAGMENT, n);
        assert_same_bits(&gl, FRAGMENT, n, &wild);
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn compute_shader_is_exact() {
    let gl = Gl::for_tests(Api::Desktop);
    for n in luts::SIZES {
        let wild = assert_exact(&gl, COMPUTE, n);
        if n == 16 {
            assert_same_bits(&gl, COMPUTE, n, &wild);
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn buffer_shaders_are_exact_at_every_size_in_every_layout() {
    let gl = Gl::for_tests(Api::Desktop);
    for n in luts::SIZES {
        let wild = assert_exact(&gl, BUFFER, n);
        if n < 64 {
            assert_same_bits(&gl, BUFFER, n, &wild);
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn buffer_shaders_give_what_the_texture_shader_gives_with_every_setting() {
    let gl = Gl::for_tests(Api::Desktop);
    let n = 17;
    let image = Image::plain(&luts::smooth(n), Layout::Vglb);
    let colours = (0..1000).map(|i| [i as f32 / 500.0 - 0.2, (i * 7 % 1000) as f32 / 400.0, 0.3, 1.0]);
    let picture = Image::float(1000, 1, colours.collect());
    for settings in [
        Settings { trilinear: true, ..Default::default() },
        Settings { mix: 0.375, ..Default::default() },
        Settings { mix: 0.0, ..Default::default() },
        Settings { shaper_in: 1, shaper_out: 2, ..Default::default() },
        Settings { shaper_in: 3, shaper_out: 3, ..Default::default() },
        Settings { check: true, ..Default::default() },
    ] {
        let wanted = run(&gl, COMPUTE, &settings, &picture, &image);
        let got = run(&gl, BUFFER, &settings, &picture, &image);
        for (wanted, got) in wanted.iter().zip(&got) {
            let close = (0..4).all(|i| (wanted[i] - got[i]).abs() <= 1e-5 * wanted[i].abs() + 1e-6);
            assert!(close, "{settings:?}: {wanted:?} {got:?}");
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn a_buffer_without_a_lut_leaves_the_picture_untouched() {
    let gl = Gl::for_tests(Api::Desktop);
    let (n, wanted) = (17, colours::picture(17));
    let lut = Image::plain(&luts::hdr(n), Layout::Vglb);
    let odd = Image::float(1089, 32, vec![[0.25; 4]; 1089 * 32]);
    let settings = Settings::default();
    let cases = [
        ("no LUT's size", Some(&odd), ROOM),
        ("no texture", None, ROOM),
        ("a buffer that is one entry too small", Some(&lut), n * n * n),
    ];
    for (what, lut, room) in cases {
        let got = two_passes(&gl, &settings, &picture(n), lut, room);
        assert_eq!(compare::different_bits(&wanted, &got), 0, "{what}");
    }
    let got = two_passes(&gl, &settings, &picture(n), Some(&lut), n * n * n + 1);
    assert!(compare::different_bits(&wanted, &got) > 0, "a buffer that just fits is used");
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn es_shader_is_exact() {
    let gl = Gl::for_tests(Api::Es);
    for n in luts::SIZES {
        let wild = assert_exact(&gl, ES, n);
        if n == 16 {
            assert_same_bits(&gl, ES, n, &wild);
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn lattice_points_are_exact_at_all_grid_sizes_that_a_strip_holds() {
    let gl = Gl::for_tests(Api::Desktop);
    for n in 2..=128 {
        let last = (n - 1) as f32;
        let points: Vec<_> = (0..n * n).map(|i| [i / n, i % n, (i * 7 + 3) % n]).collect();
        let colours = points.iter().map(|p| [p[0] as f32 / last, p[1] as f32 / last, p[2] as f32 / last, 1.0]);
        let lut = luts::wild(n);
        let picture = Image::float(n, n, colours.collect());
        let result = run(&gl, FRAGMENT, &Settings::default(), &picture, &Image::plain(&lut, Layout::Vglb));
        for (point, got) in points.iter().zip(&result) {
            assert_eq!(
                lut.at(*point).map(f32::to_bits),
                [got[0], got[1], got[2]].map(f32::to_bits),
                "{point:?} of {n}³"
            );
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn trilinear_is_exact() {
    let gl = Gl::for_tests(Api::Desktop);
    for n in [2, 17, 64] {
        let settings = Settings { trilinear: true, ..Default::default() };
        for lut in [luts::identity(n), luts::smooth(n), luts::hdr(n), luts::wild(n)] {
            let plain = run(&gl, FRAGMENT, &settings, &picture(n), &Image::plain(&lut, Layout::Vglb));
            let found = compare::with_reference(&lut, &plain, Interpolation::Trilinear);
            assert_close(&format!("trilinear {n}"), &found, 4.0);
            let planes = run(&gl, FRAGMENT, &settings, &picture(n), &Image::planes(&lut, Layout::Vglb));
            assert_eq!(compare::different_bits(&plain, &planes), 0, "trilinear {n}, byte planes");
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn a_texture_that_is_no_lut_leaves_the_picture_untouched() {
    let gl = Gl::for_tests(Api::Desktop);
    let picture = picture(2);
    let wanted = colours::picture(2);
    let odd_sizes = [
        (1, 1),
        (4, 1),
        (3, 2),
        (1089, 32),
        (1088, 33),
        (33, 33),
        (1089, 131),
        (64, 64),
        (4, 7),
        (4, 9),
        (1089, 133),
        (8, 35),
        (1920, 1080),
    ];
    for layout in Layout::ALL {
        let settings = Settings { layout, shaper_in: 2, shaper_out: 3, ..Default::default() };
        for (width, height) in odd_sizes {
            if layout == Layout::HaldClut && (width, height) == (64, 64) {
                continue;
            }
            let image = Image::float(width, height, vec![[0.25; 4]; width * height]);
            let got = run(&gl, FRAGMENT, &settings, &picture, &image);
            assert_eq!(compare::different_bits(&wanted, &got), 0, "{width}×{height} as {layout}");
        }
    }
    // No texture bound at all.
    let source = shaders::read(FRAGMENT.1);
    let textures = [("picture", Some(&picture)), ("lut_image", None)];
    let pass = Pass { vertex: FRAGMENT.0, shader: &source, textures: &textures, uniforms: &[], linear: false };
    let got = gl.draw(&pass).unwrap();
    assert_eq!(compare::different_bits(&wanted, &got), 0, "no texture");
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn the_mix_amount_blends_and_both_ends_are_exact() {
    let gl = Gl::for_tests(Api::Desktop);
    let n = 17;
    let lut = luts::hdr(n);
    let image = Image::plain(&lut, Layout::Vglb);
    let mixed = |mix| run(&gl, FRAGMENT, &Settings { mix, ..Default::default() }, &picture(n), &image);
    let input = colours::picture(n);
    let full = mixed(1.0);
    assert_close("mix 1", &compare::with_reference(&lut, &full, Interpolation::Tetrahedral), 4.0);
    assert_eq!(compare::different_bits(&mixed(0.0), &input), 0, "mix 0");
    for (amount, tolerance) in [(0.5f32, 1e-6), (0.125, 1e-6)] {
        for ((got, input), full) in mixed(amount).iter().zip(&input).zip(&full) {
            for i in 0..3 {
                let base = if input[i].is_nan() { 0.0 } else { f64::from(input[i]) };
                let wanted = base * (1.0 - f64::from(amount)) + f64::from(full[i]) * f64::from(amount);
                let error = (f64::from(got[i]) - wanted).abs();
                let fits = error <= tolerance * wanted.abs().max(1.0) || (got[i].is_infinite() && base.is_infinite());
                assert!(fits, "{input:?} {full:?} {got:?} {wanted}");
            }
            assert_eq!(got[3], input[3]);
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn shapers_agree_with_their_formulas() {
    let gl = Gl::for_tests(Api::Desktop);
    let n = 33;
    let lut = luts::smooth(n);
    let image = Image::plain(&lut, Layout::Vglb);
    // Scene-referred values from far below black to far above white.
    let values: Vec<f32> = (0..1000).map(|i| -0.05 + (i as f32 / 999.0).powi(4) * 90.0).collect();
    let colours: Vec<_> =
        (0..1000).map(|i| [values[i], values[(i * 7) % 1000], values[(i * 31) % 1000], 1.0]).collect();
    let picture = Image::float(1000, 1, colours.clone());
    for (shaper_in, shaper_out) in [(1, 1), (2, 2), (3, 3), (2, 0), (0, 3), (1, 2)] {
        let settings = Settings { shaper_in, shaper_out, ..Default::default() };
        let got = run(&gl, FRAGMENT, &settings, &picture, &image);
        for (color, got) in colours.iter().zip(&got) {
            let encoded = [color[0], color[1], color[2]].map(|v| reference::encode(shaper_in, f64::from(v)));
            let graded = reference::grade(&lut, encoded, Interpolation::Tetrahedral).rgb;
            for i in 0..3 {
                let wanted = reference::decode(shaper_out, graded[i]);
                // Curves as steep as PQ's and ACEScct's magnify the rounding of float32.
                let tolerance = 2e-4 * wanted.abs() + 2e-6;
                let error = (f64::from(got[i]) - wanted).abs();
                assert!(error <= tolerance, "{shaper_in} {shaper_out} {color:?} {got:?} {wanted}");
            }
        }
    }
}

#[test]
#[ignore = "needs Mesa's software GPUs and the shader compilers: cargo xtask test --only shaders"]
fn check_bands_are_black_red_green_and_blue_where_the_settings_fit() {
    let gl = Gl::for_tests(Api::Desktop);
    let picture = picture(2);
    let bands = |settings: Settings, image: &Image| {
        let result = run(&gl, FRAGMENT, &settings, &picture, image);
        let at = |band: usize| result[HEIGHT / 2 * WIDTH + WIDTH * (2 * band + 1) / 8];
        [at(0), at(1), at(2), at(3)].map(|c| [c[0], c[1], c[2]])
    };
    let right = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let lut = luts::identity(16);
    for layout in Layout::ALL {
        for image in [Image::plain(&lut, layout), Image::planes(&lut, layout)] {
            let settings = Settings { layout, check: true, ..Default::default() };
            assert_eq!(bands(settings, &image), right, "{layout}");
            assert_eq!(bands(Settings { flip: 3, ..settings }, &image.upside_down()), right, "{layout}");
            assert_ne!(bands(settings, &image.upside_down()), right, "{layout} upside down must be seen");
        }
    }
    // What docs/hosts/README.md says about the ways to get it wrong.
    let [black, red, green, blue] = right;
    let [yellow, magenta, cyan] = [[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]];
    let seen = |layout, upside_down| {
        let image = Image::plain(&lut, layout);
        let image = if upside_down { image.upside_down() } else { image };
        bands(Settings { check: true, ..Default::default() }, &image)
    };
    assert_eq!(seen(Layout::Vglb, true), [red, black, yellow, magenta]);
    assert_eq!(seen(Layout::Unreal, false), [black, green, red, blue]);
    assert_eq!(seen(Layout::Unreal, true), [green, black, yellow, cyan]);
    assert_eq!(seen(Layout::Unity, false), [green, black, yellow, cyan]);
    let none = Image::float(100, 100, vec![[0.0; 4]; 10_000]);
    let settings = Settings { check: true, ..Default::default() };
    assert_eq!(bands(settings, &none), [magenta; 4], "magenta where the texture is no LUT");
}
