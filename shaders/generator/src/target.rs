//! Which files there are, and how each is made from the core and a template.

use crate::language::{GLSL, HLSL, ISF, Language, METAL, OBS, PIXERA, WGSL};
use crate::translate::translate;
use std::io;
use std::path::Path;

/// One file that is written.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Where it goes, relative to the folder `shaders/`.
    pub path: &'static str,
    language: Language,
    /// The file in `templates/`.
    template: &'static str,
    /// The usual orientation in this host: the value of `VGLB_FLIP`.
    flip: &'static str,
}

const NOTE: &str = "// Written by `cargo xtask shaders` from shaders/core and shaders/templates; changes belong there.";

const fn target(path: &'static str, language: Language, template: &'static str, flip: &'static str) -> Target {
    Target { path, language, template, flip }
}

/// Every file, in the order in which they are written.
pub const TARGETS: &[Target] = &[
    target("glsl/vglb_330.frag", GLSL, "glsl330.frag", "0"),
    target("glsl/vglb_430.comp", GLSL, "glsl430.comp", "0"),
    target("glsl/vglb_450.frag", GLSL, "glsl450.frag", "0"),
    target("glsl/vglb_300es.frag", GLSL, "glsl300es.frag", "0"),
    target("glsl/vglb_lut.glsl", GLSL, "include.glsl", "0"),
    target("glsl/vglb_430_entries.comp", GLSL, "glsl430_entries.comp", "0"),
    target("glsl/vglb_430_picture.comp", GLSL, "glsl430_picture.comp", "0"),
    target("hlsl/vglb.hlsl", HLSL, "shader.hlsl", "0"),
    target("hlsl/vglb_buffer.hlsl", HLSL, "buffer.hlsl", "0"),
    target("hlsl/vglb_lut.hlsl", HLSL, "include.hlsl", "0"),
    target("metal/vglb.metal", METAL, "shader.metal", "0"),
    target("metal/vglb_buffer.metal", METAL, "buffer.metal", "0"),
    target("wgsl/vglb.wgsl", WGSL, "shader.wgsl", "0"),
    target("wgsl/vglb_buffer.wgsl", WGSL, "buffer.wgsl", "0"),
    target("touchdesigner/vglb.frag", GLSL, "touchdesigner.frag", "1"),
    target("pixera/vglb.glsl", PIXERA, "pixera.glsl", "1"),
    target("isf/vglb.fs", ISF, "isf.fs", "1"),
    target("unreal/vglb_custom_expression.ush", HLSL, "unreal.ush", "0"),
    target("unity/VglbLut.hlsl", HLSL, "include.hlsl", "1"),
    target("unity/VglbBuiltIn.shader", HLSL, "unity_builtin.shader", "1"),
    target("unity/VglbUniversal.shader", HLSL, "unity_urp.shader", "1"),
    target("notch/vglb.fx", HLSL, "notch.fx", "0"),
    target("obs/vglb.effect", OBS, "obs.effect", "2"),
];

impl Target {
    /// The file's text, from the core and the templates in `folder`, the repository's `shaders/`.
    pub fn text(&self, folder: &Path) -> io::Result<String> {
        let read = |path: String| {
            let path = folder.join(path);
            std::fs::read_to_string(&path).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))
        };
        let core = |name: &str| {
            let path = format!("core/{name}.core");
            let text = read(path.clone())?;
            // The notes in front of the mark are for whoever writes in the dialect.
            let text = text.split_once("//@begin\n\n").map_or(&text[..], |(_, text)| text);
            translate(text, &self.language)
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("{path}: {e}")))
        };
        let lut = format!("{}\n{}", read(format!("templates/prelude/{}", self.language.prelude))?, core("lut")?);
        let settings = read(format!("templates/settings.{}", if self.language.is_wgsl { "wgsl" } else { "c" }))?;
        let template = read(format!("templates/{}", self.template))?;
        let pieces = [
            ("//@core", lut),
            ("//@buffer_fill", core("buffer_fill")?),
            ("//@buffer_lookup", core("buffer_lookup")?),
            ("//@settings", settings),
            ("//@note", NOTE.into()),
        ];
        Ok(fill(&template, &pieces).replace("@flip@", self.flip))
    }
}

/// The template with the pieces in the places that it marks, indented as the marks are.
fn fill(template: &str, pieces: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(template.len() + pieces.iter().map(|(_, piece)| piece.len()).sum::<usize>());
    for line in template.lines() {
        let mark = line.trim_start();
        let indent = &line[..line.len() - mark.len()];
        let Some((_, piece)) = pieces.iter().find(|(name, _)| *name == mark) else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        for piece_line in piece.trim_end().lines() {
            if !piece_line.is_empty() {
                out.push_str(indent);
                out.push_str(piece_line);
            }
            out.push('\n');
        }
    }
    out
}
