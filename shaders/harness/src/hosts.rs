//! What each host declares around its shader, as far as the shader relies on it.
//!
//! The texts follow the hosts' public documentation and sources; they stand in for the host, and prove nothing about
//! how it binds textures, colour-manages or orients them.

use crate::shaders::{Settings, read};

/// A vertex shader for OpenGL that covers the target and hands on `vUV`, (0, 0) at row 0.
pub const GL_VERTEX: &str = "#version 330 core
out vec3 vUV;
void main() {
    vec2 corner = vec2(gl_VertexID == 1 ? 2.0 : 0.0, gl_VertexID == 2 ? 2.0 : 0.0);
    vUV = vec3(corner, 0.0);
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
";

/// The same for OpenGL ES.
pub const ES_VERTEX: &str = "#version 300 es
void main() {
    gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}
";

/// The same for Vulkan; `uv` goes out at location 0.
pub const VULKAN_VERTEX: &str = "#version 450
layout(location = 0) out vec2 uv;
void main() {
    uv = vec2(gl_VertexIndex == 1 ? 2.0 : 0.0, gl_VertexIndex == 2 ? 2.0 : 0.0);
    gl_Position = vec4(uv * 2.0 - 1.0, 0.0, 1.0);
}
";

/// TouchDesigner's GLSL TOP with `inputs` inputs: GLSL 4.60, its samplers, `vUV` and the output function. The version
/// is 4.50 here, the newest that the software renderer takes.
pub fn touchdesigner(settings: &Settings, inputs: usize) -> String {
    format!(
        "#version 450
#define TD_NUM_2D_INPUTS {inputs}
{}uniform sampler2D sTD2DInputs[TD_NUM_2D_INPUTS];
in vec3 vUV;
vec4 TDOutputSwizzle(vec4 c) {{ return c; }}
{}",
        settings.defines(),
        read("touchdesigner/vglb.frag")
    )
}

/// Pixera's composer: the effect's struct as a uniform, sampled through the effect's own `texture`.
pub fn pixera() -> String {
    format!(
        "#version 450
{}
in vec3 vUV;
uniform vglb effect;
out vec4 color;
void main() {{ color = texture(effect, vUV.st); }}
",
        read("pixera/vglb.glsl")
    )
}

/// The same for Mesa, which no longer finds its own `texture` once there is another one: the effect's has another name.
pub fn pixera_for_mesa() -> String {
    pixera()
        .replace("vec4 texture(vglb s", "vec4 effect_texture(vglb s")
        .replace("texture(effect", "effect_texture(effect")
}

/// An ISF host: uniforms from the JSON header, the IMG macros, and `gl_FragColor` as an output of newer versions.
///
/// `version` is the GLSL version that the host compiles with: 120 and 150 have no bit operations, 330 has.
pub fn isf(version: u32) -> String {
    let (input, output, sample) =
        if version < 130 { ("varying", "", "texture2D") } else { ("in", "out vec4 isf_FragColor;\n", "texture") };
    // The hosts replace the macros as text, since GLSL cannot paste names together.
    let body = read("isf/vglb.fs")
        .replace("IMG_PIXEL(lutImage, ", "IMG_PIXEL_OF(lutImage, _lutImage_imgSize, ")
        .replace("IMG_SIZE(lutImage)", "_lutImage_imgSize")
        .replace("IMG_NORM_PIXEL", sample);
    let body = if version < 130 { body } else { body.replace("gl_FragColor", "isf_FragColor") };
    format!(
        "#version {version}
uniform sampler2D inputImage;
uniform sampler2D lutImage;
uniform vec2 _lutImage_imgSize;
uniform float amount;
uniform bool checkBands;
uniform int upsideDown;
uniform int layoutOfLut;
uniform int shaperIn;
uniform int shaperOut;
uniform vec2 RENDERSIZE;
{input} vec3 vUV;
#define isf_FragNormCoord vUV.st
#define IMG_PIXEL_OF(image, size, at) {sample}(image, (at) / size)
{output}{body}"
    )
}

/// OBS Studio on OpenGL: its translation of effects into GLSL 3.30, word by word, for the pixel shader.
pub fn obs_opengl() -> String {
    let mut text = obs_pixel_part();
    text = text.replace("uniform texture2d", "uniform sampler2D");
    text = text.replace("lut.Load(", "texelFetch(lut, (").replace(", 0)).xyz", ", 0)).xy, 0).xyz");
    text = text.replace("image.Sample(nearest, ", "texture(image, ");
    for (hlsl, glsl) in
        [("float4", "vec4"), ("float3", "vec3"), ("float2", "vec2"), ("int2", "ivec2"), ("int3", "ivec3")]
    {
        text = text.replace(hlsl, glsl);
    }
    format!(
        "#version 330
const bool obs_glsl_compile = true;
#define _OPENGL
{text}
in vec3 vUV;
out vec4 color;
void main() {{
    VertData vert_in;
    vert_in.pos = gl_FragCoord;
    vert_in.uv = vUV.st;
    color = PSGrade(vert_in);
}}
"
    )
}

/// OBS Studio on Direct3D: the same text with the annotations and the technique taken out.
pub fn obs_direct3d() -> String {
    let mut text = obs_pixel_part();
    text = text.replace("uniform texture2d image", "Texture2D<float4> image : register(t0)");
    text = text.replace("uniform texture2d lut", "Texture2D<float4> lut : register(t1)");
    text = text.replace("image.Sample(nearest, vert_in.uv)", "image.Load(int3(int2(vert_in.pos.xy), 0))");
    text = text.replace("float4 pos;", "float4 pos : SV_POSITION;").replace("float2 uv;", "float2 uv : TEXCOORD0;");
    text = text.replace("float4 PSGrade(VertData vert_in)", "float4 PSGrade(VertData vert_in) : SV_TARGET");
    for (name, kind, value) in
        [("amount", "float", "1.0"), ("check_bands", "bool", "false"), ("upside_down", "int", "0")]
    {
        text = text.replace(&format!("uniform {kind} {name};"), &format!("static const {kind} {name} = {value};"));
    }
    text
}

/// The effect without annotations, default values, sampler, semantics, vertex shader and technique.
fn obs_pixel_part() -> String {
    let text = read("obs/vglb.effect");
    let mut out = String::new();
    let (mut in_annotation, mut in_block) = (false, false);
    for line in text.lines() {
        if line.starts_with("uniform float4x4") {
        } else if line.starts_with("uniform") && line.ends_with('<') {
            out.push_str(&format!("{};\n", line.trim_end_matches('<')));
            in_annotation = true;
        } else if in_annotation {
            in_annotation = !line.starts_with('>');
        } else if line.starts_with("sampler_state") || line.starts_with("VertData VS") || line.starts_with("technique")
        {
            in_block = true;
        } else if in_block {
            in_block = !line.starts_with('}');
        } else {
            let line = line.replace(" : POSITION;", ";").replace(" : TEXCOORD0;", ";").replace(" : TARGET", "");
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// Unreal Engine: the text as the body of the function that a Custom expression becomes. Microsoft's compilers take a
/// struct with functions inside that body; glslang takes it in front of it only, so that is where it is put here.
pub fn unreal(settings: &Settings) -> String {
    let text = read("unreal/vglb_custom_expression.ush");
    let end_of_struct = text.find("\n};\n").map_or(text.len(), |i| i + 4);
    let (functions, body) = text.split_at(end_of_struct);
    format!(
        "{}Texture2D<float4> picture : register(t0);
Texture2D<float4> lut_image : register(t1);
{functions}
float4 CustomExpression0(float4 Picture, Texture2D<float4> LutTexture, float Across)
{{
{body}
}}
float4 pixel(float4 position : SV_Position) : SV_Target0
{{
    uint width, height;
    picture.GetDimensions(width, height);
    return CustomExpression0(picture.Load(int3(int2(position.xy), 0)), lut_image, position.x / float(width));
}}
",
        settings.defines()
    )
}

/// Unity's built-in render pipeline: the program between HLSLPROGRAM and ENDHLSL, with what UnityCG.cginc declares.
pub fn unity_built_in(width: usize, height: usize) -> String {
    let unity_cg = "
struct appdata_img { float4 vertex : POSITION; float2 texcoord : TEXCOORD0; };
float4 UnityObjectToClipPos(float4 vertex) { return vertex; }
";
    unity_program("unity/VglbBuiltIn.shader")
        .replace("#include \"UnityCG.cginc\"", unity_cg)
        .replace("Texture2D<float4> _MainTex;", "Texture2D<float4> _MainTex : register(t0);")
        .replace(
            "float4 _MainTex_TexelSize;",
            &format!("static const float4 _MainTex_TexelSize = float4(0.0, 0.0, {width}.0, {height}.0);"),
        )
}

/// Unity's universal render pipeline: the same with what Core.hlsl and Blit.hlsl declare. Its point sampler becomes a
/// fetch, which it equals at texel centres.
pub fn unity_universal() -> String {
    let blit = "
Texture2D<float4> _BlitTexture : register(t0);
struct Varyings { float4 positionCS : SV_POSITION; float2 texcoord : TEXCOORD0; };
#define UNITY_SETUP_STEREO_EYE_INDEX_POST_VERTEX(input)
#define SAMPLE_TEXTURE2D_X_LOD(image, point_clamp, uv, lod) image.Load(int3(int2(input.positionCS.xy), lod))
";
    unity_program("unity/VglbUniversal.shader")
        .replace("#include \"Packages/com.unity.render-pipelines.universal/ShaderLibrary/Core.hlsl\"", "")
        .replace("#include \"Packages/com.unity.render-pipelines.core/Runtime/Utilities/Blit.hlsl\"", blit)
}

fn unity_program(path: &str) -> String {
    let text = read(path);
    let start = text.find("HLSLPROGRAM").map_or(0, |i| i + "HLSLPROGRAM".len());
    let end = text.find("ENDHLSL").unwrap_or(text.len());
    let lines: String = text[start..end]
        .lines()
        .filter(|l| !l.trim_start().starts_with("#pragma"))
        .map(|l| format!("{}\n", l.trim_start()))
        .collect();
    lines
        .replace("#include \"VglbLut.hlsl\"", &read("unity/VglbLut.hlsl"))
        .replace("Texture2D<float4> _LutTex;", "Texture2D<float4> _LutTex : register(t1);")
        .replace("float _LutMix;", "static const float _LutMix = 1.0;")
        .replace("float _LutCheck;", "static const float _LutCheck = 0.0;")
        .replace("float _LutFlip;", "static const float _LutFlip = 0.0;")
}

/// Notch: the effect without its technique, the engine's semantics replaced.
pub fn notch(settings: &Settings) -> String {
    let text = read("notch/vglb.fx");
    let end = text.find("technique11").unwrap_or(text.len());
    let text = text[..end]
        .replace("InputBuffer : INPUTBUFFER;", "InputBuffer : register(t0);")
        .replace("LutImage;", "LutImage : register(t1);")
        .replace("float BlendAmount : BLENDAMOUNT;", "static const float BlendAmount = 1.0;")
        .replace("float CheckBands;", "static const float CheckBands = 0.0;");
    let defines: String = settings
        .values()
        .iter()
        .filter(|(name, _)| !matches!(*name, "VGLB_MIX" | "VGLB_CHECK"))
        .map(|(name, value)| format!("#define {name} {value}\n"))
        .collect();
    format!("{defines}{text}")
}
