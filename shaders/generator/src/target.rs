//! Which files there are, and how each is made from the core and a template.

use crate::language::{GLSL, HLSL, ISF, Language, METAL, OBS, PIXERA, WGSL};
use crate::translate::{NotUnderstood, translate};

/// One file that is written.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Where it goes, relative to the folder `shaders/`.
    pub path: &'static str,
    language: Language,
    template: &'static str,
    /// The usual orientation in this host: the value of `VGLB_FLIP`.
    flip: &'static str,
}

const CORE: &str = include_str!("../../core/lut.core");
const SETTINGS: &str = include_str!("../../templates/settings.c");
const WGSL_SETTINGS: &str = include_str!("../../templates/settings.wgsl");
const NOTE: &str = "// Written by `cargo xtask shaders` from shaders/core/lut.core; changes belong there.";

macro_rules! target {
    ($path:literal, $language:ident, $template:literal, flip $flip:literal) => {
        Target {
            path: $path,
            language: $language,
            template: include_str!(concat!("../../templates/", $template)),
            flip: $flip,
        }
    };
}

/// Every file, in the order in which they are written.
pub const TARGETS: &[Target] = &[
    target!("glsl/vglb_330.frag", GLSL, "glsl330.frag", flip "0"),
    target!("glsl/vglb_430.comp", GLSL, "glsl430.comp", flip "0"),
    target!("glsl/vglb_450.frag", GLSL, "glsl450.frag", flip "0"),
    target!("glsl/vglb_300es.frag", GLSL, "glsl300es.frag", flip "0"),
    target!("glsl/vglb_lut.glsl", GLSL, "include.glsl", flip "0"),
    target!("hlsl/vglb.hlsl", HLSL, "shader.hlsl", flip "0"),
    target!("hlsl/vglb_lut.hlsl", HLSL, "include.hlsl", flip "0"),
    target!("metal/vglb.metal", METAL, "shader.metal", flip "0"),
    target!("wgsl/vglb.wgsl", WGSL, "shader.wgsl", flip "0"),
    target!("touchdesigner/vglb.frag", GLSL, "touchdesigner.frag", flip "1"),
    target!("pixera/vglb.glsl", PIXERA, "pixera.glsl", flip "1"),
    target!("isf/vglb.fs", ISF, "isf.fs", flip "1"),
    target!("unreal/vglb_custom_expression.ush", HLSL, "unreal.ush", flip "0"),
    target!("unity/VglbLut.hlsl", HLSL, "include.hlsl", flip "1"),
    target!("unity/VglbBuiltIn.shader", HLSL, "unity_builtin.shader", flip "1"),
    target!("unity/VglbUniversal.shader", HLSL, "unity_urp.shader", flip "1"),
    target!("notch/vglb.fx", HLSL, "notch.fx", flip "0"),
    target!("obs/vglb.effect", OBS, "obs.effect", flip "2"),
];

impl Target {
    /// The file's text.
    pub fn text(&self) -> Result<String, NotUnderstood> {
        let core = CORE.find("\n// Height of").map_or(CORE, |end_of_notes| &CORE[end_of_notes + 1..]);
        let core = format!("{}\n{}", self.language.prelude, translate(core, &self.language)?);
        let settings = if self.language.is_wgsl { WGSL_SETTINGS } else { SETTINGS };
        let mut out = String::with_capacity(core.len() * 2);
        for line in self.template.lines() {
            let marker = line.trim_start();
            let indent = &line[..line.len() - marker.len()];
            let piece = match marker {
                "//@core" => &core,
                "//@settings" => settings,
                "//@note" => NOTE,
                _ => line,
            };
            let indent = if piece == line { "" } else { indent };
            for piece_line in piece.trim_end().lines() {
                if !piece_line.is_empty() {
                    out.push_str(indent);
                }
                out.push_str(piece_line);
                out.push('\n');
            }
            if piece.is_empty() {
                out.push('\n');
            }
        }
        Ok(out.replace("@flip@", self.flip))
    }
}
