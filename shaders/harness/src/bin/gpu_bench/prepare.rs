use shader_harness::luts;
use std::path::Path;

/// The LUT that is timed: values from −0.5 to 8, so that errors show.
pub fn lut(n: usize) -> virtual_gpu_lut_box::lut::Lut3d {
    luts::hdr(n)
}

pub fn prepare(inputs: &Path, python: &str, grids: &[usize]) -> Result<(), String> {
    std::fs::create_dir_all(inputs).map_err(|e| format!("{}: {e}", inputs.display()))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/ocio_gpu_shader.py");
    for n in grids {
        let entries = inputs.join(format!("entries_{n}.f32"));
        let bytes: Vec<u8> = lut(*n).entries().iter().flatten().flat_map(|v| v.to_ne_bytes()).collect();
        std::fs::write(&entries, bytes).map_err(|e| format!("{}: {e}", entries.display()))?;
        let status = std::process::Command::new(python)
            .args([&script, Path::new(&n.to_string()), &entries, inputs])
            .status()
            .map_err(|e| format!("{python} cannot be run: {e}"))?;
        if !status.success() {
            return Err(format!("{python} {} failed: it needs PyPI's opencolorio and numpy", script.display()));
        }
    }
    Ok(())
}
