//! CDL values over HTTP, by the interface that grading programs know from disguise.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /api/v1/colour/cdl/list` | `{"uids": [{"uid": …}, …]}` |
//! | `GET /api/v1/colour/cdl/get/{uid}` | `{"cdl": {"uid", "name", "path", "slope": {"x", "y", "z"}, "offset", "power", "saturation"}}` |
//! | `POST /api/v1/colour/cdl/set` with `{"uid", "slope", "offset", "power", "saturation"}` | `{}` |
//!
//! A uid is a channel's name, or the base stream's for the channel without a name. What goes wrong is answered with
//! `{"error": "<a sentence>"}`. Web pages are kept out: whoever sends an `Origin` is one.

use crate::channel::ChannelSet;
use crate::http::{Handler, Head, Request, Response};
use crate::lut::Cdl;
use crate::server::Origin;
use crate::server::log::{self, ClientLog};
use crate::sink::{ChannelId, LutSink, Refusal};
use crate::wire::request::LONGEST_CHANNEL;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tracing::{debug, warn};

/// The port that disguise has for it.
pub const DEFAULT_PORT: u16 = 8008;

/// Bytes of a body, far more than any grade needs.
const LONGEST_BODY: usize = 64 << 10;

/// Answers for the channels of a server.
pub struct CdlHttp {
    channels: ChannelSet,
    /// Channels that are offered even where they have had nothing yet.
    offered: Vec<ChannelId>,
    refusals: ClientLog,
}

impl CdlHttp {
    /// Answers for `channels`. The channel without a name and those of `offered` are always listed.
    pub fn new(channels: ChannelSet, offered: Vec<ChannelId>) -> Self {
        CdlHttp { channels, offered, refusals: ClientLog::new(log::REFUSALS) }
    }

    fn known(&self) -> BTreeSet<ChannelId> {
        let there = self.channels.status().into_iter().map(|status| status.id);
        there.chain(self.offered.iter().cloned()).chain([ChannelId::default()]).collect()
    }

    fn uid(&self, id: &ChannelId) -> String {
        id.name().map_or_else(|| self.channels.base_stream(), str::to_owned)
    }

    fn channel(&self, uid: &str) -> ChannelId {
        ChannelId::new(if uid == self.channels.base_stream() { "" } else { uid })
    }

    fn list(&self) -> Response {
        let known = self.known();
        let uids: Vec<_> = known.iter().map(|id| json!({ "uid": self.uid(id) })).collect();
        Response::json(200, &json!({ "uids": uids }))
    }

    fn get(&self, uid: &str) -> Response {
        let id = self.channel(uid);
        if !self.known().contains(&id) {
            return Response::error(404, format!("there is no CDL with the uid {uid:?}"));
        }
        let cdl = self.channels.status().into_iter().find(|s| s.id == id).and_then(|s| s.cdl).unwrap_or_default();
        let [slope, offset, power] =
            [cdl.slope(), cdl.offset(), cdl.power()].map(|[x, y, z]| json!({ "x": x, "y": y, "z": z }));
        let path = self.channels.stream(&id);
        Response::json(
            200,
            &json!({ "cdl": {
                "uid": uid, "name": uid, "path": path,
                "slope": slope, "offset": offset, "power": power, "saturation": cdl.saturation(),
            } }),
        )
    }

    fn set(&self, request: &Request) -> Response {
        let read = serde_json::from_slice::<Value>(&request.body).map_err(|e| format!("the body is no JSON: {e}"));
        let (id, cdl) = match read.and_then(|body| self.parse(&body)) {
            Ok(parsed) => parsed,
            Err(why) => return self.refuse(request, 400, &why),
        };
        let from = self.channels.for_client(request.head.peer.ip());
        let set = from.map_or_else(|| self.channels.set_cdl(&id, &cdl), |channels| channels.set_cdl(&id, &cdl));
        match set {
            Ok(()) => {
                debug!("{}: CDL on {id} over HTTP", request.head.peer);
                Response::json(200, &json!({}))
            }
            Err(why) => self.refuse(request, 409, &why.to_string()),
        }
    }

    /// Says why, to the client and in the log.
    fn refuse(&self, request: &Request, status: u16, why: &str) -> Response {
        let peer = request.head.peer;
        if let Some(unlogged) = self.refusals.may(Origin::from(peer.ip())) {
            warn!("{peer}: CDL values over HTTP were refused: {why}{unlogged}");
        }
        Response::error(status, why)
    }

    fn parse(&self, body: &Value) -> Result<(ChannelId, Cdl), String> {
        let uid = match &body["uid"] {
            Value::String(uid) => uid.clone(),
            Value::Number(uid) => uid.to_string(),
            _ => return Err("\"uid\" must be a channel's name".into()),
        };
        if uid.len() > LONGEST_CHANNEL {
            return Err(Refusal::ChannelNameTooLong { bytes: uid.len(), limit: LONGEST_CHANNEL }.to_string());
        }
        let saturation = match &body["saturation"] {
            Value::Null => 1.0,
            value => value.as_f64().ok_or("\"saturation\" must be a number")?,
        };
        let cdl = Cdl::new(triplet(body, "slope")?, triplet(body, "offset")?, triplet(body, "power")?, saturation);
        Ok((self.channel(&uid), cdl.map_err(|e| e.to_string())?))
    }
}

/// Three numbers, in any of the shapes that `setCDL` has.
fn triplet(body: &Value, name: &str) -> Result<[f64; 3], String> {
    let value = &body[name];
    let parts = match value {
        Value::Array(parts) if parts.len() == 3 => Some([&parts[0], &parts[1], &parts[2]]),
        Value::Object(parts) if parts.len() == 3 => [["x", "y", "z"], ["r", "g", "b"], ["red", "green", "blue"]]
            .iter()
            .find(|keys| keys.iter().all(|key| parts.contains_key(*key)))
            .map(|keys| keys.map(|key| &value[key])),
        _ => None,
    };
    match parts.map(|parts| parts.map(Value::as_f64)) {
        Some([Some(r), Some(g), Some(b)]) => Ok([r, g, b]),
        _ => Err(format!("{name:?} must be three numbers, as {{\"x\": 1, \"y\": 1, \"z\": 1}} or [1, 1, 1]")),
    }
}

const LIST: &str = "/api/v1/colour/cdl/list";
const SET: &str = "/api/v1/colour/cdl/set";

impl Handler for CdlHttp {
    fn admit(&self, head: &Head) -> Result<usize, Response> {
        if head.header("origin").is_some() {
            return Err(Response::error(403, "CDL values are not taken from web pages"));
        }
        Ok(LONGEST_BODY)
    }

    fn handle(&self, request: &Request) -> Response {
        let head = &request.head;
        let allowed = if head.path == SET { "POST" } else { "GET" };
        let segments = head.segments().unwrap_or_default();
        let route: Vec<_> = segments.iter().map(String::as_str).collect();
        let known = matches!(route[..], ["api", "v1", "colour", "cdl", "get", _]) || [LIST, SET].contains(&&*head.path);
        if known && head.method != allowed {
            return Response::error(405, format!("{} is asked for with {allowed}", head.path)).with("Allow", allowed);
        }
        match route[..] {
            ["api", "v1", "colour", "cdl", "list"] => self.list(),
            ["api", "v1", "colour", "cdl", "get", uid] => self.get(uid),
            ["api", "v1", "colour", "cdl", "set"] => self.set(request),
            _ => Response::error(404, format!("there is nothing here; {LIST} says what there is")),
        }
    }
}

#[cfg(test)]
mod tests;
