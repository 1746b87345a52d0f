//! glslang, spirv-tools and the other programs that are called.

use std::path::Path;
use std::process::Command;

/// A stage of the pipeline, by glslang's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShaderStage {
    /// Vertex shader.
    Vertex,
    /// Fragment, or pixel, shader.
    Fragment,
    /// Compute shader.
    Compute,
}

impl ShaderStage {
    fn name(self) -> &'static str {
        match self {
            ShaderStage::Vertex => "vert",
            ShaderStage::Fragment => "frag",
            ShaderStage::Compute => "comp",
        }
    }
}

/// Runs a program; its output where it succeeds.
///
/// # Errors
/// All that it printed where it fails.
///
/// # Panics
/// Where the program is not there: `package` says which Debian package brings it.
pub fn run(program: &str, package: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|e| panic!("{program} cannot be run: {e}. This test needs {package}."));
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(text) } else { Err(text) }
}

fn glslang(source: &str, stage: ShaderStage, arguments: &[&str], out: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let file = folder.path().join("shader");
    std::fs::write(&file, source).map_err(|e| e.to_string())?;
    let (file, out) = (file.to_string_lossy(), out.to_string_lossy());
    let mut all = vec!["-S", stage.name()];
    all.extend(arguments);
    if !out.is_empty() {
        all.extend(["-o", &out]);
    }
    all.push(&file);
    run("glslangValidator", "glslang-tools", &all).map(drop)
}

fn to_spirv(source: &str, stage: ShaderStage, arguments: &[&str]) -> Result<Vec<u32>, String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let out = folder.path().join("shader.spv");
    glslang(source, stage, arguments, &out)?;
    run("spirv-val", "spirv-tools", &["--target-env", "vulkan1.1", &out.to_string_lossy()])?;
    let bytes = std::fs::read(&out).map_err(|e| e.to_string())?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect())
}

/// Compiles GLSL for OpenGL and forgets the result.
///
/// # Errors
/// The compiler's messages.
pub fn compile_glsl(source: &str, stage: ShaderStage) -> Result<(), String> {
    glslang(source, stage, &[], Path::new(""))
}

/// GLSL for Vulkan as valid SPIR-V; the entry point is `main`.
///
/// # Errors
/// The compiler's or the validator's messages.
pub fn glsl_to_spirv(source: &str, stage: ShaderStage) -> Result<Vec<u32>, String> {
    to_spirv(source, stage, &["-V", "--target-env", "vulkan1.1"])
}

/// HLSL as valid SPIR-V; the entry point keeps its name. Vulkan has one row of bindings where Direct3D has two, so the
/// read-write texture `u0` goes to binding 2, behind the textures `t0` and `t1`, the buffer `t2` to 3, `u1` to 4.
///
/// # Errors
/// The compiler's or the validator's messages.
pub fn hlsl_to_spirv(source: &str, stage: ShaderStage, entry: &str) -> Result<Vec<u32>, String> {
    let moved = [("register(t2)", "register(t3)"), ("register(u1)", "register(u4)"), ("register(u0)", "register(u2)")];
    let source = moved.iter().fold(source.to_owned(), |source, (from, to)| source.replace(from, to));
    to_spirv(&source, stage, &["-D", "-V", "--target-env", "vulkan1.1", "-e", entry])
}

/// WGSL as SPIR-V, by naga, with values for its `override` constants.
///
/// # Errors
/// What naga finds wrong.
pub fn wgsl_to_spirv(source: &str, overrides: &[(&str, f64)]) -> Result<Vec<u32>, String> {
    let module = naga::front::wgsl::parse_str(source).map_err(|e| e.emit_to_string(source))?;
    let mut validator =
        naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
    let info = validator.validate(&module).map_err(|e| e.emit_to_string(source))?;
    let constants = overrides.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let (module, info) = naga::back::pipeline_constants::process_overrides(&module, &info, None, &constants)
        .map_err(|e| e.to_string())?;
    let mut options = naga::back::spv::Options::default();
    // Without this flag SPIR-V's rows run as they do in WGSL and in the other shaders here.
    options.flags.remove(naga::back::spv::WriterFlags::ADJUST_COORDINATE_SPACE);
    naga::back::spv::write_vec(&module, &info, &options, None).map_err(|e| e.to_string())
}
