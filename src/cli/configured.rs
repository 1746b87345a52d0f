//! Parses a command line together with what the configuration file and the environment say.

use super::Command as Verb;
use super::serve::ChannelArgs;
use super::{Cli, serve};
use crate::config::{ConfigError, Given, Key, Keys, Origin, Schema, Section, Settings, resolve};
use crate::sink::ChannelId;
use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

/// Settings as they are in force, with where each comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolved {
    pub(super) settings: Settings,
    /// The values of each key, as they were written.
    values: BTreeMap<String, Vec<String>>,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub(super) enum Fault {
    /// The command line makes no sense, or asks for help. With it, where settings come from that it does not show.
    Arguments(clap::Error, Option<String>),
    /// The settings make no sense.
    Settings(ConfigError),
    /// Each setting is good, and all together are not.
    Together(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Arguments(e, places) => {
                f.write_str(e.to_string().trim_start_matches("error: "))?;
                places.iter().try_for_each(|places| write!(f, "\nnote: {places}"))
            }
            Fault::Settings(e) => e.fmt(f),
            Fault::Together(why) => f.write_str(why),
        }
    }
}

/// A command line, and the settings that file, environment and flags had when it was parsed.
pub(super) struct Configured {
    pub(super) arguments: Vec<OsString>,
    pub(super) resolved: Resolved,
}

impl Configured {
    /// The server as it would be started now, and its settings.
    pub(super) fn anew(&self) -> Result<(serve::Serve, Resolved), Fault> {
        let (cli, resolved) = parse(&self.arguments)?;
        let serve = cli.into_server().ok_or_else(|| Fault::Together("this is the command line of no server".into()))?;
        Ok((serve, resolved))
    }
}

impl Resolved {
    /// A key's values.
    pub(super) fn values(&self, key: &Key) -> &[String] {
        self.values.get(&key.name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Where a key's value comes from.
    pub(super) fn origin(&self, key: &Key) -> Origin {
        self.settings.origin(&key.name)
    }
}

/// What there can be in a configuration.
pub(super) fn schema() -> Schema {
    Schema::new(server(), channel())
}

/// The flags of one channel.
fn channel() -> Command {
    ChannelArgs::augment_args(Command::new("channel").disable_help_flag(true).no_binary_name(true))
}

/// The flags of the server, and nothing else.
fn server() -> Command {
    serve::Serve::augment_args(Command::new("serve").disable_help_flag(true))
}

/// Parses a command line. Where it is one of a server, the settings of file and environment come before it.
pub(super) fn parse(arguments: &[OsString]) -> Result<(Cli, Resolved), Fault> {
    parse_beside(arguments, Given::new)
}

/// The same, beside what `given` makes of the command line.
pub(super) fn parse_beside(
    arguments: &[OsString],
    given: impl Fn(&Keys, &ArgMatches) -> Given,
) -> Result<(Cli, Resolved), Fault> {
    let schema = schema();
    let keys = schema.keys();
    let mut resolved = Resolved::default();
    let mut all = arguments.to_vec();
    // An error here is help or the version. Other errors are told below, when all arguments are there.
    let glance = Cli::command().ignore_errors(true).try_get_matches_from(arguments);
    if let Some((depth, matches)) = glance.as_ref().ok().and_then(served) {
        resolved.settings = resolve(&schema, &given(keys, matches)).map_err(Fault::Settings)?;
        let at = (depth + 1).min(all.len());
        all.splice(at..at, resolved.settings.arguments.iter().cloned());
    }
    let explained = |e: clap::Error| {
        let places = resolved.settings.explain(&e);
        Fault::Arguments(e, places)
    };
    let matches = Cli::command().try_get_matches_from(all).map_err(explained)?;
    if let Some((_, matches)) = served(&matches) {
        resolved.values = keys.iter().map(|key| (key.name.clone(), written(key, matches))).collect();
    }
    let mut cli = Cli::from_arg_matches(&matches).map_err(|e| Fault::Arguments(e.format(&mut Cli::command()), None))?;
    if let Some(serve) = cli.server() {
        serve.channels = channels(&resolved.settings)?;
        serve.check().map_err(|why| Fault::Together(why.to_string()))?;
    }
    Ok((cli, resolved))
}

/// What the settings say about single channels.
fn channels(settings: &Settings) -> Result<BTreeMap<ChannelId, ChannelArgs>, Fault> {
    let parse = |(name, section): (&String, &Section)| {
        let matches = channel().try_get_matches_from(&section.arguments);
        let args = matches.and_then(|matches| ChannelArgs::from_arg_matches(&matches));
        // Each of them has been parsed before, by itself.
        args.map(|args| (ChannelId::new(name), args)).map_err(|e| Fault::Together(format!("[channel.{name:?}]: {e}")))
    };
    settings.channels.iter().map(parse).collect()
}

impl Cli {
    /// The server that the command line starts.
    fn into_server(self) -> Option<serve::Serve> {
        match self.command {
            None => Some(self.serve),
            Some(Verb::Serve(serve)) => Some(*serve),
            Some(Verb::Record(record)) => Some(record.into_server()),
            Some(_) => None,
        }
    }

    /// The server that the command line is about.
    fn server(&mut self) -> Option<&mut serve::Serve> {
        match &mut self.command {
            None => (!self.info).then_some(&mut self.serve),
            Some(Verb::Serve(serve)) => Some(serve),
            Some(Verb::Record(record)) => Some(&mut record.serve),
            Some(Verb::Config(config)) => Some(config.server()),
            Some(_) => None,
        }
    }
}

/// The arguments of the server in a command line, and how many names of commands stand before them.
fn served(matches: &ArgMatches) -> Option<(usize, &ArgMatches)> {
    match matches.subcommand() {
        None => (!matches!(matches.try_get_one::<bool>("info"), Ok(Some(true)))).then_some((0, matches)),
        Some(("serve" | "record", matches)) => Some((1, matches)),
        Some(("config", matches)) => matches.subcommand().map(|(_, matches)| (2, matches)),
        Some(_) => None,
    }
}

fn written(key: &Key, matches: &ArgMatches) -> Vec<String> {
    let raw = matches.try_get_raw(key.id()).ok().flatten();
    raw.into_iter().flatten().map(|value| value.to_string_lossy().into_owned()).collect()
}
