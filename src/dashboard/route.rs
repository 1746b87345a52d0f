//! Paths, and what they take.

use super::assets::{self, Asset};
use crate::http::{Head, Response};

/// Bytes of a body that says what to do.
const COMMAND_BYTES: usize = 4 << 10;
/// Bytes of a LUT file: the largest LUT that a texture holds, as text.
pub(super) const LUT_BYTES: usize = 96 << 20;

/// What a path is.
pub(super) enum Route {
    /// A file of the page.
    Asset(&'static Asset),
    /// The state of the whole server.
    Status,
    /// The state of every channel.
    Channels,
    /// What happens, as it happens.
    Events,
    /// The description of the API.
    Description,
    /// All presets.
    Presets,
    /// One of them.
    Preset(String),
    /// Its name.
    PresetName(String),
    /// Something of one stream.
    Stream(String, Part),
}

/// What there is of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    State,
    Lut,
    Cube,
    Strip,
    Probe,
    Bypass,
    Hold,
    Identify,
    Preset,
    Nudge,
    Start,
}

impl Route {
    /// What a request asks for, where there is that and it is asked for with the right method.
    pub(super) fn of(head: &Head) -> Result<Route, Response> {
        let nothing = || Response::error(404, "there is nothing here; /api/v1/openapi.json says what there is");
        let segments = head.segments().ok_or_else(nothing)?;
        let segments: Vec<_> = segments.iter().map(String::as_str).collect();
        let route = match segments[..] {
            ["api", "v1", "status"] => Route::Status,
            ["api", "v1", "channels"] => Route::Channels,
            ["api", "v1", "events"] => Route::Events,
            ["api", "v1", "openapi.json"] => Route::Description,
            ["api", "v1", "presets"] => Route::Presets,
            ["api", "v1", "presets", name] => Route::Preset(name.to_owned()),
            ["api", "v1", "presets", name, "name"] => Route::PresetName(name.to_owned()),
            ["api", "v1", "channels", stream] => Route::Stream(stream.to_owned(), Part::State),
            ["api", "v1", "channels", stream, part] => {
                Route::Stream(stream.to_owned(), Part::of(part).ok_or_else(nothing)?)
            }
            [file] => Route::Asset(assets::find(file).ok_or_else(nothing)?),
            _ => return Err(nothing()),
        };
        let methods = route.methods();
        match methods.contains(&head.method.as_str()) {
            true => Ok(route),
            false => {
                let methods = methods.join(", ");
                Err(Response::error(405, format!("this is asked for with {methods}")).with("Allow", methods))
            }
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        match self {
            Route::Stream(_, Part::Lut) => &["GET", "HEAD", "PUT"],
            Route::Preset(_) => &["GET", "HEAD", "PUT", "DELETE"],
            Route::PresetName(_) | Route::Stream(_, Part::Preset | Part::Start) => &["PUT"],
            Route::Stream(_, Part::Bypass | Part::Hold) => &["PUT", "POST"],
            Route::Stream(_, Part::Identify | Part::Nudge) => &["POST"],
            _ => &["GET", "HEAD"],
        }
    }

    /// The most bytes of a body.
    pub(super) fn body_limit(&self) -> usize {
        match self {
            Route::Stream(_, Part::Lut) => LUT_BYTES,
            _ => COMMAND_BYTES,
        }
    }
}

impl Part {
    fn of(name: &str) -> Option<Part> {
        Some(match name {
            "lut" => Part::Lut,
            "lut.cube" => Part::Cube,
            "strip" => Part::Strip,
            "probe" => Part::Probe,
            "bypass" => Part::Bypass,
            "hold" => Part::Hold,
            "identify" => Part::Identify,
            "preset" => Part::Preset,
            "nudge" => Part::Nudge,
            "start" => Part::Start,
            _ => return None,
        })
    }
}
