//! `vglb ctl`: looks at a running server and controls it, through its API.

use super::PANEL_PORT;
use super::output::{line, plain, span, table};
use crate::atomic_file::{AtomicFile, Existing};
use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use ureq::http::{Method, Request};

/// The most bytes of an answer: the largest LUT as text.
const MOST_BYTES: u64 = 256 << 20;
/// How long an answer may take.
const TIME: Duration = Duration::from_secs(60);

/// What `ctl` takes.
#[derive(Args, Debug)]
pub struct Ctl {
    /// The panel of the server: a host name or address, with a port where it is not 8090
    #[arg(long, global = true, default_value = "127.0.0.1:8090", value_name = "ADDR")]
    address: String,
    /// The panel's token, from other computers
    #[arg(long, global = true, value_name = "TOKEN")]
    token: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Show what the server does: all of it, as JSON
    Status,
    /// List the channels
    Channels {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the identity on a stream, or the LUT again
    Bypass { channel: String, switch: Switch },
    /// Keep a stream as it is, or no longer
    Hold { channel: String, switch: Switch },
    /// Show a moving pattern on a stream
    Identify {
        channel: String,
        /// For how long, up to 60
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
    },
    /// Put the LUT of a file on a stream
    Load { channel: String, file: PathBuf },
    /// Save a channel's LUT as a .cube file
    Save {
        channel: String,
        file: PathBuf,
        /// Which LUT: the newest received, or the one on the stream
        #[arg(long, default_value = "received")]
        of: Of,
        /// Replace a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Keep LUTs under names, and put them on streams
    #[command(subcommand)]
    Preset(PresetCommand),
    /// Say what a channel shows when the server starts: last, identity, or a preset
    Start {
        channel: String,
        #[arg(required_unless_present = "preset")]
        with: Option<StartWith>,
        /// A preset
        #[arg(long, value_name = "NAME", conflicts_with = "with")]
        preset: Option<String>,
    },
    /// Tell what a channel's LUT makes of a colour
    #[command(allow_negative_numbers = true)]
    Probe {
        channel: String,
        r: f32,
        g: f32,
        b: f32,
        /// Which LUT: the newest received, or the one on the stream
        #[arg(long, default_value = "received")]
        of: Of,
    },
}

#[derive(Subcommand, Debug)]
enum PresetCommand {
    /// List the presets
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Store a channel's newest LUT
    Store { channel: String, name: String },
    /// Put a preset on a stream
    Recall { channel: String, name: String },
    /// Put the one of two presets on a stream that it has not
    Nudge { channel: String, a: String, b: String },
    /// Give a preset another name
    Rename { name: String, new: String },
    /// Delete a preset
    Delete { name: String },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StartWith {
    Last,
    Identity,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Switch {
    On,
    Off,
    Toggle,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Of {
    Received,
    Stream,
}

impl Of {
    fn name(self) -> &'static str {
        match self {
            Of::Received => "received",
            Of::Stream => "stream",
        }
    }
}

/// Does what was asked for.
pub fn run(args: &Ctl) -> anyhow::Result<ExitCode> {
    let api = Api::new(args)?;
    match &args.command {
        Command::Status => line(format_args!("{}", serde_json::to_string_pretty(&api.json("GET", "status", None)?)?))?,
        Command::Channels { json } => channels(&api, *json)?,
        Command::Bypass { channel, switch } => api.switch(channel, "bypass", *switch)?,
        Command::Hold { channel, switch } => api.switch(channel, "hold", *switch)?,
        Command::Identify { channel, seconds } => {
            api.json("POST", &api.path(channel, "identify")?, Some(json!({ "seconds": seconds })))?;
        }
        Command::Load { channel, file } => load(&api, channel, file)?,
        Command::Save { channel, file, of, force } => {
            let text = api.bytes("GET", &format!("{}?of={}", api.path(channel, "lut.cube")?, of.name()), &[])?;
            let existing = if *force { Existing::Replace } else { Existing::Keep };
            let mut out = AtomicFile::create(file, existing)?;
            out.out().write_all(&text).with_context(|| format!("can't write {}", file.display()))?;
            out.commit()?;
        }
        Command::Preset(command) => preset(&api, command)?,
        Command::Start { channel, with, preset } => {
            let start = match (preset, with) {
                (Some(name), _) => json!({ "preset": name }),
                (None, Some(StartWith::Identity)) => json!("identity"),
                (None, _) => json!("last"),
            };
            api.json("PUT", &api.path(channel, "start")?, Some(json!({ "start": start })))?;
        }
        Command::Probe { channel, r, g, b, of } => {
            let path = format!("{}?r={r}&g={g}&b={b}&of={}", api.path(channel, "probe")?, of.name());
            let answer = api.json("GET", &path, None)?;
            let out: Vec<_> = answer["out"].as_array().into_iter().flatten().map(Value::to_string).collect();
            line(format_args!("{}", out.join(" ")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn channels(api: &Api, json: bool) -> anyhow::Result<()> {
    let channels = api.channels()?;
    if json {
        return Ok(line(format_args!("{}", serde_json::to_string_pretty(&channels)?))?);
    }
    if channels.is_empty() {
        eprintln!("no channel has a LUT");
        return Ok(());
    }
    let text = |value: &Value| match value {
        Value::Null => "?".to_owned(),
        Value::String(text) => plain(text),
        other => other.to_string(),
    };
    let row = |c: &Value| {
        let at = c["received"].as_f64().and_then(|s| Duration::try_from_secs_f64(s).ok());
        let age = at.and_then(|at| SystemTime::UNIX_EPOCH.checked_add(at)).map(|at| at.elapsed().unwrap_or_default());
        let name = c["channel"].as_str().map_or_else(|| "(none)".to_owned(), plain);
        let state = text(&c["state"]).to_uppercase().replace('-', " ");
        let age = age.map_or_else(|| "?".to_owned(), span);
        [name, text(&c["stream"]), state, text(&c["grid_size"]), text(&c["revision"]), text(&c["receivers"]), age]
    };
    let rows: Vec<_> = channels.iter().map(row).collect();
    Ok(table(["CHANNEL", "STREAM", "STATE", "N", "REVISION", "RECEIVERS", "AGE"], &rows)?)
}

fn preset(api: &Api, command: &PresetCommand) -> anyhow::Result<()> {
    match command {
        PresetCommand::List { json } => {
            let answer = api.json("GET", "presets", None)?;
            let presets = answer["presets"].as_array().cloned().unwrap_or_default();
            if *json {
                return Ok(line(format_args!("{}", serde_json::to_string_pretty(&presets)?))?);
            }
            let row = |p: &Value| [plain(p["name"].as_str().unwrap_or("?")), p["grid_size"].to_string()];
            return Ok(table(["NAME", "N"], &presets.iter().map(row).collect::<Vec<_>>())?);
        }
        PresetCommand::Store { channel, name } => {
            let stream = api.stream(channel)?;
            api.json("PUT", &format!("presets/{}", escape(name)), Some(json!({ "stream": stream })))?;
        }
        PresetCommand::Recall { channel, name } => {
            api.json("PUT", &api.path(channel, "preset")?, Some(json!({ "name": name })))?;
        }
        PresetCommand::Nudge { channel, a, b } => {
            let state = api.json("POST", &api.path(channel, "nudge")?, Some(json!({ "a": a, "b": b })))?;
            line(format_args!("{}", plain(state["preset"].as_str().unwrap_or("?"))))?;
        }
        PresetCommand::Rename { name, new } => {
            api.json("PUT", &format!("presets/{}/name", escape(name)), Some(json!({ "name": new })))?;
        }
        PresetCommand::Delete { name } => {
            api.bytes("DELETE", &format!("presets/{}", escape(name)), &[])?;
        }
    }
    Ok(())
}

fn load(api: &Api, channel: &str, file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("cube").to_ascii_lowercase();
    let path = format!("{}?format={}", api.path(channel, "lut")?, escape(&extension));
    let answer: Value = serde_json::from_slice(&api.bytes("PUT", &path, &bytes)?)?;
    for note in answer["notes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        eprintln!("{}", plain(note));
    }
    let stream = plain(answer["stream"].as_str().unwrap_or("?"));
    Ok(line(format_args!("{stream} has a {}³ LUT, revision {}", answer["grid_size"], answer["revision"]))?)
}

/// The API of a server.
struct Api {
    agent: ureq::Agent,
    address: String,
    token: Option<String>,
}

impl Api {
    fn new(args: &Ctl) -> anyhow::Result<Api> {
        let bare = args.address.trim_start_matches("http://").trim_end_matches('/');
        if bare.is_empty() || bare.contains(['/', '@', '?', '#']) || args.address.starts_with("https://") {
            bail!("--address is a host and a port, as 192.168.1.20:8090, and not {:?}", args.address);
        }
        let is_v6 = bare.parse::<std::net::Ipv6Addr>().is_ok();
        let address = match bare.rsplit_once(':') {
            _ if is_v6 => format!("[{bare}]:{PANEL_PORT}"),
            Some((_, port)) if !port.ends_with(']') => bare.to_owned(),
            _ => format!("{bare}:{PANEL_PORT}"),
        };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIME))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Ok(Api { agent: config.into(), address, token: args.token.clone() })
    }

    /// An answer's bytes; what the server refuses is an error with its words.
    fn bytes(&self, method: &str, path: &str, body: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes())?)
            .uri(format!("http://{}/api/v1/{path}", self.address))
            .header(
                "content-type",
                if path.contains("/lut") { "application/octet-stream" } else { "application/json" },
            );
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(body.to_vec()).context("the request can't be made")?;
        let mut answer = self.agent.run(request).with_context(|| {
            format!("there is no answer from {} (does a server run there, with its panel on?)", self.address)
        })?;
        let mut bytes = Vec::new();
        let reader = answer.body_mut().as_reader().take(MOST_BYTES);
        { reader }.read_to_end(&mut bytes).with_context(|| format!("the answer of {} broke off", self.address))?;
        let status = answer.status();
        if !status.is_success() {
            let said = serde_json::from_slice::<Value>(&bytes).ok().and_then(|v| v["error"].as_str().map(plain));
            bail!("{}", said.unwrap_or_else(|| format!("{} answered {status}", self.address)));
        }
        Ok(bytes)
    }

    fn json(&self, method: &str, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let bytes = self.bytes(method, path, body.as_bytes())?;
        serde_json::from_slice(&bytes).with_context(|| format!("the answer of {} is no JSON", self.address))
    }

    fn channels(&self) -> anyhow::Result<Vec<Value>> {
        Ok(self.json("GET", "channels", None)?["channels"].as_array().cloned().unwrap_or_default())
    }

    /// The path to a part of a channel, which may be called by its own name or by its stream's.
    fn path(&self, channel: &str, part: &str) -> anyhow::Result<String> {
        Ok(format!("channels/{}/{part}", escape(&self.stream(channel)?)))
    }

    fn stream(&self, channel: &str) -> anyhow::Result<String> {
        let channels = self.channels()?;
        let stream = |key: &str| channels.iter().find(|c| c[key] == channel).and_then(|c| c["stream"].as_str());
        Ok(stream("stream").or_else(|| stream("channel")).unwrap_or(channel).to_owned())
    }

    fn switch(&self, channel: &str, part: &str, switch: Switch) -> anyhow::Result<()> {
        let path = self.path(channel, part)?;
        let state = match switch {
            Switch::On => self.json("PUT", &path, Some(json!({ "on": true })))?,
            Switch::Off => self.json("PUT", &path, Some(json!({ "on": false })))?,
            Switch::Toggle => self.json("POST", &path, None)?,
        };
        let now = if state[part] == json!(true) { "on" } else { "off" };
        Ok(line(format_args!("{part} {now}"))?)
    }
}

/// A name as a part of a URL's path.
fn escape(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<String> {
        let args = Ctl { address: text.into(), token: None, command: Command::Status };
        Api::new(&args).ok().map(|api| api.address)
    }

    #[test]
    fn an_address_needs_no_port() {
        for (given, meant) in [
            ("10.0.0.1", "10.0.0.1:8090"),
            ("10.0.0.1:99", "10.0.0.1:99"),
            ("http://lutbox.local:80/", "lutbox.local:80"),
            ("::1", "[::1]:8090"),
            ("[::1]", "[::1]:8090"),
            ("[::1]:5", "[::1]:5"),
        ] {
            assert_eq!(address(given).as_deref(), Some(meant));
        }
        for wrong in ["", "https://a", "a/b", "user@a"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(escape("cam 1/ä?"), "cam%201%2F%C3%A4%3F");
    }
}
