//! Reading the checked-in files, settings put in.

use std::path::{Path, PathBuf};
use virtual_gpu_lut_box::hald::Layout;

/// The repository's folder `shaders/`.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A checked-in file's text.
///
/// # Panics
/// Where it cannot be read.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(folder().join(path)).unwrap_or_else(|e| panic!("shaders/{path}: {e}"))
}

/// The settings of a shader.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// `VGLB_LAYOUT`
    pub layout: Layout,
    /// `VGLB_FLIP`
    pub flip: i32,
    /// `VGLB_MIX`
    pub mix: f32,
    /// `VGLB_CHECK`
    pub check: bool,
    /// `VGLB_TRILINEAR`
    pub trilinear: bool,
    /// `VGLB_SHAPER_IN`
    pub shaper_in: u32,
    /// `VGLB_SHAPER_OUT`
    pub shaper_out: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            layout: Layout::Vglb,
            flip: 0,
            mix: 1.0,
            check: false,
            trilinear: false,
            shaper_in: 0,
            shaper_out: 0,
        }
    }
}

/// The number that stands for a layout in the shaders.
pub fn layout_number(layout: Layout) -> i32 {
    match layout {
        Layout::Vglb => 0,
        Layout::Unreal => 1,
        Layout::Unity => 2,
        Layout::HaldClut => 3,
    }
}

impl Settings {
    /// Names and values, as numbers in the shading language.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        vec![
            ("VGLB_LAYOUT", layout_number(self.layout).to_string()),
            ("VGLB_FLIP", self.flip.to_string()),
            ("VGLB_MIX", format!("{:?}", self.mix)),
            ("VGLB_CHECK", i32::from(self.check).to_string()),
            ("VGLB_TRILINEAR", i32::from(self.trilinear).to_string()),
            ("VGLB_SHAPER_IN", self.shaper_in.to_string()),
            ("VGLB_SHAPER_OUT", self.shaper_out.to_string()),
        ]
    }

    /// `#define` lines.
    pub fn defines(&self) -> String {
        self.values().iter().map(|(name, value)| format!("#define {name} {value}\n")).collect()
    }

    /// A shader with these settings defined before its own; after the `#version` line where there is one.
    pub fn put_into(&self, source: &str) -> String {
        let at = if source.starts_with("#version") { source.find('\n').map_or(0, |i| i + 1) } else { 0 };
        format!("{}{}{}", &source[..at], self.defines(), &source[at..])
    }
}
