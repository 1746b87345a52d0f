//! What sets one shading language apart from another, as far as the core needs it.

/// A language, or a host's dialect of one, that the core is translated into.
#[derive(Clone, Copy, Debug)]
pub struct Language {
    /// Names of the core's types here; a type that is not listed keeps its name.
    types: &'static [(&'static str, &'static str)],
    /// The LUT texture in a parameter list; empty where the host makes it a global.
    pub lut_parameter: &'static str,
    /// The LUT texture in an argument list; empty where the host makes it a global.
    pub lut_argument: &'static str,
    /// The buffer of entries in a parameter list; empty where it is a global.
    pub entries_parameter: &'static str,
    /// The buffer of entries in an argument list; empty where it is a global.
    pub entries_argument: &'static str,
    /// The texel at integer coordinates `{}`.
    pub fetch: &'static str,
    /// The texture's width and height as integers.
    pub texture_size: &'static str,
    /// Whether declarations put the name before the type, and selection is a function.
    pub is_wgsl: bool,
    /// What stands before every function.
    pub function_prefix: &'static str,
    /// What stands after every number with a decimal point.
    pub float_suffix: &'static str,
    /// The file in `templates/prelude/` with the functions that the core calls and only this language can write.
    pub prelude: &'static str,
}

impl Language {
    /// This language's name for one of the core's types.
    pub fn type_name<'a>(&self, name: &'a str) -> &'a str {
        self.types.iter().find(|(core, _)| *core == name).map_or(name, |(_, here)| here)
    }
}

const GLSL_TYPES: &[(&str, &str)] =
    &[("float2", "vec2"), ("float3", "vec3"), ("float4", "vec4"), ("int2", "ivec2"), ("int3", "ivec3")];

const WGSL_TYPES: &[(&str, &str)] = &[
    ("float", "f32"),
    ("int", "i32"),
    ("float2", "vec2<f32>"),
    ("float3", "vec3<f32>"),
    ("float4", "vec4<f32>"),
    ("int2", "vec2<i32>"),
    ("int3", "vec3<i32>"),
];

/// OpenGL and Vulkan, GLSL 3.30 and later, and OpenGL ES 3.0.
pub const GLSL: Language = Language {
    types: GLSL_TYPES,
    lut_parameter: "sampler2D lut",
    lut_argument: "lut",
    entries_parameter: "",
    entries_argument: "",
    fetch: "texelFetch(lut, {}, 0)",
    texture_size: "textureSize(lut, 0)",
    is_wgsl: false,
    function_prefix: "",
    float_suffix: "",
    prelude: "glsl.txt",
};

/// Pixera: GLSL, the LUT a member of the effect's own struct.
pub const PIXERA: Language = Language {
    lut_parameter: "vglb s",
    lut_argument: "s",
    fetch: "texelFetch(s.lut, {}, 0)",
    texture_size: "textureSize(s.lut, 0)",
    ..GLSL
};

/// ISF: GLSL of whatever version the host chooses, 1.20 at the least, and images reached through macros.
pub const ISF: Language = Language {
    lut_parameter: "",
    lut_argument: "",
    fetch: "IMG_PIXEL(lutImage, vec2({}) + vec2(0.5))",
    texture_size: "ivec2(IMG_SIZE(lutImage) + vec2(0.5))",
    prelude: "isf.txt",
    ..GLSL
};

/// Direct3D 11 and later, shader model 5.0 and later.
pub const HLSL: Language = Language {
    types: &[],
    lut_parameter: "Texture2D<float4> lut",
    lut_argument: "lut",
    entries_parameter: "",
    entries_argument: "",
    fetch: "lut.Load(int3({}, 0))",
    texture_size: "vglb_texture_size(lut)",
    is_wgsl: false,
    function_prefix: "",
    float_suffix: "",
    prelude: "hlsl.txt",
};

/// OBS Studio's effects: HLSL on Direct3D, translated word by word into GLSL 3.30 on OpenGL.
pub const OBS: Language =
    Language { lut_parameter: "", lut_argument: "", texture_size: "vglb_texture_size()", prelude: "obs.txt", ..HLSL };

/// Metal Shading Language 2.0 and later.
pub const METAL: Language = Language {
    types: &[],
    lut_parameter: "metal::texture2d<float> lut",
    lut_argument: "lut",
    entries_parameter: "device const float4 *lut_entries",
    entries_argument: "lut_entries",
    fetch: "lut.read(uint2({}))",
    texture_size: "int2(int(lut.get_width()), int(lut.get_height()))",
    is_wgsl: false,
    function_prefix: "inline ",
    float_suffix: "f",
    prelude: "metal.txt",
};

/// WebGPU.
pub const WGSL: Language = Language {
    types: WGSL_TYPES,
    lut_parameter: "lut: texture_2d<f32>",
    lut_argument: "lut",
    entries_parameter: "",
    entries_argument: "",
    fetch: "textureLoad(lut, {}, 0)",
    texture_size: "vec2<i32>(textureDimensions(lut))",
    is_wgsl: true,
    function_prefix: "",
    float_suffix: "",
    prelude: "wgsl.txt",
};
