//! The page's files. They are part of the program, so that it needs no file and no network to show them.

use crate::http::{Head, Response};
use std::borrow::Cow;

/// A file of the page.
pub(super) struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $type:literal) => {
        Asset { name: $name, content_type: $type, bytes: include_bytes!(concat!("page/", $name)) }
    };
}

static ASSETS: &[Asset] = &[
    asset!("index.html", "text/html; charset=utf-8"),
    asset!("panel.css", "text/css; charset=utf-8"),
    asset!("panel.js", "text/javascript; charset=utf-8"),
    asset!("api.js", "text/javascript; charset=utf-8"),
    asset!("charts.js", "text/javascript; charset=utf-8"),
    asset!("lut.js", "text/javascript; charset=utf-8"),
    asset!("presets.js", "text/javascript; charset=utf-8"),
    asset!("preview.js", "text/javascript; charset=utf-8"),
    asset!("views.js", "text/javascript; charset=utf-8"),
    // The one that is shipped for browsers: the preview is what users see elsewhere.
    Asset {
        name: "vglb_300es.frag",
        content_type: "text/plain; charset=utf-8",
        bytes: include_bytes!("../../shaders/glsl/vglb_300es.frag"),
    },
    asset!("icon.svg", "image/svg+xml"),
];

/// The file called `name`; the page itself where there is no name.
pub(super) fn find(name: &str) -> Option<&'static Asset> {
    let name = if name.is_empty() { "index.html" } else { name };
    ASSETS.iter().find(|asset| asset.name == name)
}

impl Asset {
    pub(super) fn answer(&'static self, head: &Head) -> Response {
        let tag = format!("\"{:08x}-{:x}\"", crc32fast::hash(self.bytes), self.bytes.len());
        let known = head.header("if-none-match").is_some_and(|tags| tags.split(',').any(|t| t.trim() == tag));
        let answer = match known {
            true => Response::empty(304),
            false => Response::new(200, self.content_type, Cow::Borrowed(self.bytes)),
        };
        answer.with("ETag", tag).with("Cache-Control", "no-cache")
    }
}
