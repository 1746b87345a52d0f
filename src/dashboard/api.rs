//! The answers.

use super::route::{Part, Route};
use super::{Panel, events};
use crate::channel::OutputError;
use crate::http::{Body, Handler, Head, Request, Response};
use crate::sink::ChannelId;
use crate::wire::request::LONGEST_CHANNEL;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tracing::info;

/// How long a pattern is shown unless told otherwise, and the longest, in seconds.
const IDENTIFY: f64 = 5.0;
const LONGEST_IDENTIFY: f64 = 60.0;

/// Nothing is taken from elsewhere, and nothing of ours goes anywhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers requests.
pub(super) struct Api(pub(super) Arc<Panel>);

impl Handler for Api {
    fn admit(&self, head: &Head) -> Result<usize, Response> {
        let limit = || {
            self.0.guard.check(head)?;
            Route::of(head).map(|route| route.body_limit())
        };
        limit().map_err(secure)
    }

    fn handle(&self, request: &Request) -> Response {
        secure(Route::of(&request.head).map_or_else(|refused| refused, |route| self.answer(route, request)))
    }
}

/// An answer with what browsers are to know of all of them.
fn secure(mut answer: Response) -> Response {
    for (name, value) in [
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ] {
        if !answer.headers.iter().any(|(given, _)| *given == name) {
            answer = answer.with(name, value);
        }
    }
    answer
}

impl Api {
    fn answer(&self, route: Route, request: &Request) -> Response {
        let panel = &self.0;
        match route {
            Route::Asset(asset) => asset.answer(&request.head),
            Route::Status => Response::json(200, &panel.status()),
            Route::Channels => Response::json(200, &json!({ "channels": panel.all_channels() })),
            // Whoever asks for the head alone does not listen.
            Route::Events if request.head.method == "HEAD" => Response {
                status: 200,
                headers: vec![("Content-Type", "text/event-stream".into())],
                body: Body::Whole((&[]).into()),
            },
            Route::Events => events::listen(panel),
            Route::Description => Response::new(200, "application/json", include_bytes!("openapi.json").as_slice()),
            Route::Presets => panel.presets_answer(),
            Route::Preset(name) => panel.preset(&name, request).unwrap_or_else(|refused| refused),
            Route::PresetName(name) => panel.rename_preset(&name, request).unwrap_or_else(|refused| refused),
            Route::Stream(stream, part) => self.of_stream(&stream, part, request).unwrap_or_else(|refused| refused),
        }
    }

    fn of_stream(&self, stream: &str, part: Part, request: &Request) -> Result<Response, Response> {
        let panel = &self.0;
        let id = panel.id(stream).ok_or_else(|| no_stream(stream))?;
        let posted = request.head.method == "POST";
        match part {
            Part::State => {
                panel.state_of(&id).ok_or_else(|| no_stream(stream)).map(|state| Response::json(200, &state))
            }
            Part::Lut if request.head.method == "PUT" => panel.load(&id, request),
            Part::Lut => panel.lut(&id, stream, &request.head),
            Part::Cube => panel.cube(&id, stream, &request.head),
            Part::Strip => panel.strip(&id, stream, &request.head),
            Part::Probe => panel.probe(&id, stream, &request.head),
            Part::Bypass | Part::Hold => {
                let channels = &panel.sources.channels;
                let set = match (part, posted) {
                    (Part::Bypass, true) => channels.toggle_bypass(&id),
                    (_, true) => channels.toggle_hold(&id),
                    (part, false) => {
                        let on = on(&request.body)?;
                        let set = match part {
                            Part::Bypass => channels.set_bypass(&id, on),
                            _ => channels.set_hold(&id, on),
                        };
                        set.map(|()| on)
                    }
                };
                let on = set.map_err(|e| no_output(stream, e))?;
                let what = if part == Part::Bypass { "bypass" } else { "hold" };
                let state = if on { "on" } else { "off" };
                info!(target: crate::EVENTS, "{id}: {what} {state}, by {}", request.head.peer.ip());
                panel.changed(&id, stream)
            }
            Part::Preset => panel.recall(&id, stream, request),
            Part::Nudge => panel.nudge(&id, stream, request),
            Part::Start => panel.set_start(&id, stream, request),
            Part::Identify => {
                let time = identify_time(&request.body)?;
                panel.sources.channels.identify(&id, time).map_err(|e| no_output(stream, e))?;
                panel.changed(&id, stream)
            }
        }
    }
}

impl Panel {
    /// The channel whose stream is called that, whether or not there is such a channel yet.
    pub(super) fn id(&self, stream: &str) -> Option<ChannelId> {
        let channels = &self.sources.channels;
        if let Some(status) = channels.status().into_iter().find(|status| status.stream == stream) {
            return Some(status.id);
        }
        let id = channels.settings().channel_of(stream)?;
        (id.name().unwrap_or("").len() <= LONGEST_CHANNEL).then_some(id)
    }

    fn state_of(&self, id: &ChannelId) -> Option<Value> {
        self.sources.channels.status().iter().find(|status| status.id == *id).map(|status| self.channel(status))
    }

    /// The answer after a change.
    pub(super) fn changed(&self, id: &ChannelId, stream: &str) -> Result<Response, Response> {
        self.state_of(id).ok_or_else(|| no_stream(stream)).map(|state| Response::json(200, &state))
    }
}

pub(super) fn no_stream(stream: &str) -> Response {
    let shown: String = stream.chars().take(80).collect();
    Response::error(404, format!("there is no stream {shown:?} with a LUT; /api/v1/channels lists what there is"))
}

fn no_output(stream: &str, error: OutputError) -> Response {
    match error {
        OutputError::NoSuchChannel(_) => no_stream(stream),
        OutputError::Texture(e) => Response::error(503, e.to_string()),
    }
}

pub(super) fn object(body: &[u8]) -> Result<Value, Response> {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err(Response::error(400, "the body must be a JSON object")),
        Err(e) => Err(Response::error(400, format!("the body is no JSON: {e}"))),
    }
}

fn on(body: &[u8]) -> Result<bool, Response> {
    object(body)?["on"]
        .as_bool()
        .ok_or_else(|| Response::error(400, "the body must be {\"on\": true} or {\"on\": false}"))
}

fn identify_time(body: &[u8]) -> Result<Duration, Response> {
    if body.is_empty() {
        return Ok(Duration::from_secs_f64(IDENTIFY));
    }
    let seconds = match &object(body)?["seconds"] {
        Value::Null => Some(IDENTIFY),
        value => value.as_f64().filter(|s| (0.0..=LONGEST_IDENTIFY).contains(s)),
    };
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| Response::error(400, format!("\"seconds\" must be a number from 0 to {LONGEST_IDENTIFY}")))
}
