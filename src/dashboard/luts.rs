//! LUTs out of the server and into it.

use super::Panel;
use super::api::no_stream;
use crate::channel::{ChannelSet, LutSource, Received};
use crate::hald;
use crate::http::{Head, Request, Response};
use crate::lut::GridSize;
use crate::lut::cube::CubeFile;
use crate::lut::file::{self, FileFormat, ReadOptions};
use crate::sink::{ChannelId, Refusal};
use serde_json::json;
use std::path::Path;
use tracing::info;

impl Panel {
    /// The LUT that `?of=` names: the newest received, or the one on the stream.
    fn wanted(&self, id: &ChannelId, stream: &str, head: &Head) -> Result<Received, Response> {
        let channels = &self.sources.channels;
        let lut = match head.parameter("of").as_deref() {
            None | Some("received") => channels.newest(id),
            Some("stream") => channels.shown(id),
            Some(_) => return Err(Response::error(400, "\"of\" must be received or stream")),
        };
        match lut {
            Ok(Some(lut)) => Ok(lut),
            Ok(None) => Err(no_stream(stream)),
            Err(e) => Err(Response::error(503, format!("the stream's texture can't be read: {e}"))),
        }
    }

    /// R, G and B as float32, blue fastest.
    pub(super) fn lut(&self, id: &ChannelId, stream: &str, head: &Head) -> Result<Response, Response> {
        let lut = self.wanted(id, stream, head)?;
        let mut bytes = Vec::with_capacity(lut.size().entries() * 12);
        lut.entries(hald::EntryOrder::BlueFastest).for_each(|texel| bytes.extend_from_slice(&texel[..12]));
        Ok(described(Response::new(200, "application/octet-stream", bytes), &lut))
    }

    /// The texture: R, G, B and A as float32, row 0 first, as it lies in shared memory.
    pub(super) fn strip(&self, id: &ChannelId, stream: &str, head: &Head) -> Result<Response, Response> {
        let colour = head.parameter("probe").map(|text| colour(&text)).transpose()?;
        let mut lut = self.wanted(id, stream, head)?;
        let probed = colour.map(|rgb| lut.tetrahedral(rgb).map(|value| value.to_string()).join(","));
        let bytes = std::mem::take(&mut lut.texels).into_flattened();
        let mut answer = described(Response::new(200, "application/octet-stream", bytes), &lut)
            .with("X-Strip-Layout", lut.shape.layout().to_string())
            .with("X-Strip-Width", lut.shape.width().to_string())
            .with("X-Strip-Height", lut.shape.height().to_string());
        if let Some(probed) = probed {
            answer = answer.with("X-Probe", probed);
        }
        Ok(answer)
    }

    pub(super) fn cube(&self, id: &ChannelId, stream: &str, head: &Head) -> Result<Response, Response> {
        let lut = self.wanted(id, stream, head)?;
        let title = stream.chars().filter(|c| !c.is_control() && *c != '"').take(200).collect();
        let cube = CubeFile { title: Some(title), ..CubeFile::new(lut.lut()) };
        let mut text = Vec::new();
        cube.write(&mut text).map_err(|e| Response::error(503, format!("the LUT can't be said as .cube: {e}")))?;
        let name: String = stream
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' })
            .take(100)
            .collect();
        Ok(described(Response::new(200, "text/plain; charset=utf-8", text), &lut)
            .with("Content-Disposition", format!("attachment; filename=\"{name}.cube\"")))
    }

    /// What the LUT makes of one colour, by the reference that the shaders are compared with.
    pub(super) fn probe(&self, id: &ChannelId, stream: &str, head: &Head) -> Result<Response, Response> {
        let component = |name: &str| {
            let number = head.parameter(name).and_then(|text| component(&text));
            number.ok_or_else(|| Response::error(400, format!("{name:?} must be a number: ?r=0.5&g=0.5&b=0.5")))
        };
        let rgb = [component("r")?, component("g")?, component("b")?];
        let lut = self.wanted(id, stream, head)?;
        Ok(Response::json(200, &json!({ "in": rgb, "out": lut.tetrahedral(rgb), "grid_size": lut.size().get() })))
    }

    /// The channels, with those that `request` makes counted as its sender's.
    pub(super) fn channels_of(&self, request: &Request) -> ChannelSet {
        self.sources.channels.of_client(request.head.peer.ip())
    }

    /// Refuses a LUT that the LUT server would not take either.
    pub(super) fn check_size(&self, size: GridSize) -> Result<(), Response> {
        let limit = self.sources.clients.largest_lut();
        if size > limit { Err(refused(&Refusal::LutTooLarge { size, limit })) } else { Ok(()) }
    }

    /// Puts the LUT of a file in the body on a channel.
    pub(super) fn load(&self, id: &ChannelId, request: &Request) -> Result<Response, Response> {
        let format = request.head.parameter("format").unwrap_or_else(|| "cube".into());
        // Only a format's own extension goes on, and never what the request says.
        let format =
            FileFormat::of(Path::new(&format!("a.{format}"))).ok().filter(|_| !format.contains(['.', '/', '\\']));
        let format = format.ok_or_else(|| {
            Response::error(400, format!("\"format\" must be that of a LUT file: {}", FileFormat::list()))
        })?;
        if request.body.is_empty() {
            return Err(Response::error(400, "the body must be a LUT file"));
        }
        let read = file::read_bytes(format, Path::new("the file"), &request.body, &ReadOptions::default());
        let read = read.map_err(|why| Response::error(422, why.to_string()))?;
        let (size, order) = (read.lut.size(), self.sources.channels.order(id));
        self.check_size(size)?;
        let entries: Vec<_> = (0..size.entries()).map(|i| hald::texel(read.lut.at(order.point(size, i)))).collect();
        let put = self.channels_of(request).put(id, LutSource::File, size, &entries);
        let revision = put.map_err(|e| refused(&e))?;
        info!(target: crate::EVENTS, "{id} has a {size}³ LUT from the panel, by {}", request.head.peer.ip());
        let stream = self.sources.channels.settings().stream_of(id);
        let notes = read.notes;
        Ok(Response::json(
            200,
            &json!({ "stream": stream, "grid_size": size.get(), "revision": revision, "notes": notes }),
        ))
    }
}

fn component(text: &str) -> Option<f32> {
    text.parse::<f32>().ok().filter(|value| value.is_finite())
}

/// The colour that `text` names: "0.5,0.5,0.5".
fn colour(text: &str) -> Result<[f32; 3], Response> {
    let components: Option<Vec<f32>> = text.split(',').map(component).collect();
    components
        .and_then(|components| components.try_into().ok())
        .ok_or_else(|| Response::error(400, format!("\"probe\" must be three numbers, as 0.5,0.5,0.5, not {text:?}")))
}

/// The answer where a channel does not take a LUT.
pub(super) fn refused(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::TooManyChannels { .. }
        | Refusal::TooManyChannelsOfAddress { .. }
        | Refusal::StreamNameInUse { .. } => 409,
        Refusal::Texture(_) | Refusal::OutOfMemory { .. } | Refusal::OverMemoryLimit { .. } => 503,
        _ => 422,
    };
    Response::error(status, refusal.to_string())
}

fn described(answer: Response, lut: &Received) -> Response {
    answer.with("X-LUT-Size", lut.size().to_string()).with("X-LUT-Number", lut.number.to_string())
}
