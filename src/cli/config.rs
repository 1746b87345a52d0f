//! `vglb config`: what the server's settings are, and where each comes from.

use super::configured::{Resolved, schema};
use super::output::{line, plain, table};
use super::serve::Serve;
use crate::config::{Key, Kind, Origin, Section};
use crate::sink::ChannelId;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// What `config` takes.
#[derive(Args, Debug)]
pub struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Show every setting that a server started with these flags would have, and where it comes from
    Show(Options),
    /// Say whether the settings are in order; the exit code is 2 where they are not
    Check(Options),
}

#[derive(Args, Debug)]
struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    serve: Serve,
}

impl Config {
    /// The server that is asked about.
    pub(super) fn server(&mut self) -> &mut Serve {
        match &mut self.command {
            Command::Show(options) | Command::Check(options) => &mut options.serve,
        }
    }
}

/// Shows or checks. Settings with a fault do not get here.
pub(super) fn run(args: &Config, resolved: &Resolved) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Show(options) => show(resolved, options.json)?,
        Command::Check(options) => check(resolved, options.json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What stands for a secret.
const MASK: &str = "***";

/// The values of a key as they may be seen.
fn seen(resolved: &Resolved, key: &Key) -> Vec<String> {
    let values = resolved.values(key).iter();
    values.map(|value| if key.is_secret() { MASK.to_owned() } else { value.clone() }).collect()
}

fn show(resolved: &Resolved, json: bool) -> anyhow::Result<()> {
    let schema = schema();
    let keys = schema.keys();
    if json {
        let settings: Map<_, _> = keys
            .iter()
            .map(|key| {
                let origin = resolved.origin(key);
                let values = seen(resolved, key);
                let value = match key.kind {
                    Kind::Switch => json!(values.first().is_some_and(|value| value == "true")),
                    Kind::One | Kind::Choice => values.first().map_or(Value::Null, |value| json!(value)),
                    Kind::Many => json!(values),
                };
                (key.name.clone(), json!({ "value": value, "from": origin.kind(), "where": origin.to_string() }))
            })
            .collect();
        let channels: Map<_, _> =
            resolved.settings.channels.iter().map(|(name, own)| (name.clone(), of_channel(own))).collect();
        let whole = json!({ "file": resolved.settings.file, "settings": settings, "channels": channels });
        return Ok(line(format_args!("{}", serde_json::to_string_pretty(&whole)?))?);
    }
    line(format_args!("{}\n", file(resolved)))?;
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let values = seen(resolved, key);
            let value = if values.is_empty() { "(none)".to_owned() } else { plain(&values.join(", ")) };
            [key.name.clone(), value, plain(&resolved.origin(key).to_string())]
        })
        .collect();
    table(["SETTING", "VALUE", "FROM"], &rows)?;
    for (name, own) in &resolved.settings.channels {
        line(format_args!("\n{}", ChannelId::new(name)))?;
        let rows: Vec<_> =
            own.told().map(|(key, value, origin)| [key, plain(&value), plain(&origin.to_string())]).collect();
        table(["SETTING", "VALUE", "FROM"], &rows)?;
    }
    Ok(())
}

fn of_channel(own: &Section) -> Value {
    let setting = |(key, value, origin): (String, String, &Origin)| {
        (key, json!({ "value": value, "from": origin.kind(), "where": origin.to_string() }))
    };
    Value::Object(own.told().map(setting).collect())
}

fn check(resolved: &Resolved, json: bool) -> anyhow::Result<()> {
    let schema = schema();
    let keys = schema.keys();
    let set = keys.iter().filter(|key| resolved.origin(key).kind() != "default").count();
    if json {
        let whole = json!({ "ok": true, "file": resolved.settings.file, "settings": set });
        return Ok(line(format_args!("{}", serde_json::to_string_pretty(&whole)?))?);
    }
    let said = if set == 1 { "1 setting is".to_owned() } else { format!("{set} settings are") };
    Ok(line(format_args!("{}\nin order; {said} not at the default", file(resolved)))?)
}

/// Which file was read.
fn file(resolved: &Resolved) -> String {
    let settings = &resolved.settings;
    match &settings.file {
        Some(path) => format!("configuration file: {}", plain(&path.display().to_string())),
        None if settings.looked_for.is_empty() => "configuration file: none, as asked for".to_owned(),
        None => {
            let places: Vec<_> = settings.looked_for.iter().map(|path| plain(&path.display().to_string())).collect();
            format!("configuration file: none (there is no {})", places.join(", and no "))
        }
    }
}
