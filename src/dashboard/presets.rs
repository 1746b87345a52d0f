//! Presets: LUTs under names, put on channels and taken from them, and what channels start with.

use super::api::{no_stream, object};
use super::status::seconds;
use super::{Panel, luts};
use crate::channel::ChannelStatus;
use crate::http::{Request, Response};
use crate::sink::ChannelId;
use crate::state::{Preset, PresetError, Presets, Start};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::info;

/// The preset that each channel was given last, and how many LUTs it had had then.
#[derive(Default)]
pub(super) struct Recalled(Mutex<BTreeMap<ChannelId, (String, u64)>>);

impl Recalled {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ChannelId, (String, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The preset that a channel has: the one recalled last, where no LUT has come since.
    pub(super) fn on(&self, status: &ChannelStatus) -> Option<String> {
        let recalled = self.lock();
        recalled.get(&status.id).filter(|(_, luts)| *luts == status.luts).map(|(name, _)| name.clone())
    }

    /// The presets `from` is called `to` now, or nothing any more.
    fn rename(&self, from: &str, to: Option<&str>) {
        self.lock().retain(
            |_, (name, _)| {
                if name == from { to.inspect(|to| (*to).clone_into(name)).is_some() } else { true }
            },
        );
    }
}

fn refused(error: &PresetError) -> Response {
    let status = match error {
        PresetError::Refused(refusal) => return luts::refused(refusal),
        PresetError::NoSuch(_) => 404,
        PresetError::Exists(_) | PresetError::TooMany | PresetError::Full { .. } => 409,
        PresetError::Name => 400,
        PresetError::Read { .. } | PresetError::Write { .. } | PresetError::Create(_) => 503,
    };
    Response::error(status, error.to_string())
}

fn as_json(preset: &Preset) -> Value {
    json!({ "name": preset.name, "grid_size": preset.size.get(), "saved": seconds(preset.saved) })
}

/// A text of the body.
fn text(request: &Request, key: &str) -> Result<String, Response> {
    let wrong = || Response::error(400, format!("the body must be a JSON object with the text {key:?}"));
    object(&request.body)?[key].as_str().map(str::to_owned).ok_or_else(wrong)
}

impl Panel {
    fn presets(&self) -> Result<&Presets, Response> {
        let none = || Response::error(409, "this server remembers nothing, and so has no presets (--no-state)");
        self.sources.presets.as_deref().ok_or_else(none)
    }

    pub(super) fn presets_answer(&self) -> Response {
        Response::json(200, &json!({ "presets": self.preset_list() }))
    }

    pub(super) fn preset_list(&self) -> Vec<Value> {
        let list = self.sources.presets.as_ref().map(|presets| presets.list()).unwrap_or_default();
        list.iter().map(as_json).collect()
    }

    /// Tells of one, stores it from a channel, or deletes it.
    pub(super) fn preset(&self, name: &str, request: &Request) -> Result<Response, Response> {
        let presets = self.presets()?;
        match request.head.method.as_str() {
            "PUT" => {
                let stream = text(request, "stream")?;
                let id = self.id(&stream).ok_or_else(|| no_stream(&stream))?;
                let lut = self.sources.channels.newest(&id).map_err(|e| Response::error(503, e.to_string()))?;
                let lut = lut.ok_or_else(|| no_stream(&stream))?;
                let stored = presets.store(name, &lut.lut()).map_err(|e| refused(&e))?;
                self.recalled.rename(name, None);
                self.recalled.lock().insert(id.clone(), (name.to_owned(), lut.number));
                info!(target: crate::EVENTS, "{id}: its LUT is the preset {name:?} now, by {}", request.head.peer.ip());
                Ok(Response::json(200, &as_json(&stored)))
            }
            "DELETE" => {
                presets.delete(name).map_err(|e| refused(&e))?;
                self.recalled.rename(name, None);
                info!(target: crate::EVENTS, "the preset {name:?} is deleted, by {}", request.head.peer.ip());
                Ok(Response::empty(204))
            }
            _ => {
                let found = presets.list().into_iter().find(|preset| preset.name == name);
                let found = found.ok_or_else(|| refused(&PresetError::NoSuch(name.into())))?;
                Ok(Response::json(200, &as_json(&found)))
            }
        }
    }

    pub(super) fn rename_preset(&self, name: &str, request: &Request) -> Result<Response, Response> {
        let new = text(request, "name")?;
        let renamed = self.presets()?.rename(name, &new).map_err(|e| refused(&e))?;
        self.recalled.rename(name, Some(&new));
        info!(target: crate::EVENTS, "the preset {name:?} is called {new:?} now, by {}", request.head.peer.ip());
        Ok(Response::json(200, &as_json(&renamed)))
    }

    pub(super) fn recall(&self, id: &ChannelId, stream: &str, request: &Request) -> Result<Response, Response> {
        self.put_preset(&text(request, "name")?, id, stream, request)
    }

    /// Puts the one of two presets on a channel that it has not.
    pub(super) fn nudge(&self, id: &ChannelId, stream: &str, request: &Request) -> Result<Response, Response> {
        let (a, b) = (text(request, "a")?, text(request, "b")?);
        let is_a = self.recalled.lock().get(id).is_some_and(|(name, _)| *name == a);
        self.put_preset(if is_a { &b } else { &a }, id, stream, request)
    }

    fn put_preset(&self, name: &str, id: &ChannelId, stream: &str, request: &Request) -> Result<Response, Response> {
        let channels = &self.channels_of(request);
        let presets = self.presets()?;
        // One may be of a time when the server took larger ones.
        if let Some(preset) = presets.list().iter().find(|preset| preset.name == name) {
            self.check_size(preset.size)?;
        }
        presets.recall(name, channels, id).map_err(|e| refused(&e))?;
        let luts = channels.status().iter().find(|status| status.id == *id).map_or(0, |status| status.luts);
        self.recalled.lock().insert(id.clone(), (name.to_owned(), luts));
        info!(target: crate::EVENTS, "{id} has the preset {name:?}, by {}", request.head.peer.ip());
        self.changed(id, stream)
    }

    pub(super) fn set_start(&self, id: &ChannelId, stream: &str, request: &Request) -> Result<Response, Response> {
        let start = match &object(&request.body)?["start"] {
            Value::String(word) if word == "last" => Start::Last,
            Value::String(word) if word == "identity" => Start::Identity,
            Value::Object(of) => match of.get("preset").and_then(Value::as_str) {
                Some(name) if of.len() == 1 => Start::Preset(name.to_owned()),
                _ => return Err(wrong_start()),
            },
            _ => return Err(wrong_start()),
        };
        if self.sources.channels.status().iter().all(|status| status.id != *id) {
            return Err(no_stream(stream));
        }
        self.presets()?.set_start(id, start).map_err(|e| refused(&e))?;
        self.changed(id, stream)
    }
}

fn wrong_start() -> Response {
    Response::error(400, "\"start\" must be \"last\", \"identity\" or {\"preset\": \"a name\"}")
}
