//! Puts together what file, environment and command line say.

use super::environment::{self, FileChoice};
use super::keys::{Key, Keys};
use super::{ConfigError, FILE, NO_FILE, Origin, Setting, Value, file, place};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;

/// What is known before the file and the environment are read.
#[derive(Debug, Default)]
pub struct Given {
    /// Keys that stand on the command line.
    keys: BTreeSet<String>,
    file: Option<PathBuf>,
    no_file: bool,
    /// All environment variables.
    variables: Vec<(OsString, OsString)>,
    home: Option<PathBuf>,
    /// What stands for any file on the disk.
    text: Option<String>,
}

/// Settings of all places.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Where a file would have been read, had there been one.
    pub looked_for: Vec<PathBuf>,
    /// What is to stand before the arguments of the command line.
    pub arguments: Vec<OsString>,
    /// What is said about single channels, by their names.
    pub channels: BTreeMap<String, Section>,
    /// Where each setting comes from; those not named have their default.
    origins: BTreeMap<String, Origin>,
}

impl Given {
    /// What a command line says, as clap read it, and what this process was given beside.
    pub fn new(keys: &Keys, matches: &ArgMatches) -> Given {
        let says = |id: &str| {
            matches.try_contains_id(id).is_ok() && matches.value_source(id) == Some(ValueSource::CommandLine)
        };
        let raw =
            |id: &str| matches.try_get_raw(id).ok().flatten().and_then(|mut values| values.next().map(PathBuf::from));
        Given {
            keys: keys.iter().filter(|key| says(key.id.as_str())).map(|key| key.name.clone()).collect(),
            file: raw(FILE),
            no_file: says(&NO_FILE.replace('-', "_")),
            variables: std::env::vars_os().collect(),
            home: std::env::home_dir(),
            text: None,
        }
    }

    /// The same beside other variables, and the text of a file; none of the disk is read. For the fuzz targets.
    pub(crate) fn beside(keys: &Keys, matches: &ArgMatches, variables: &[(OsString, OsString)], text: &str) -> Given {
        Given { variables: variables.to_vec(), home: None, text: Some(text.to_owned()), ..Given::new(keys, matches) }
    }

    /// What stands on the command line, and nothing else.
    #[cfg(test)]
    pub(super) fn only(keys: &[&str], file: Option<&std::path::Path>, variables: &[(&str, &str)]) -> Given {
        Given {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            file: file.map(std::path::Path::to_owned),
            no_file: false,
            variables: variables.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            home: None,
            text: None,
        }
    }

    /// The file to read, with its text.
    fn file(&self, choice: &FileChoice, settings: &mut Settings) -> Result<Option<(PathBuf, String)>, ConfigError> {
        if let Some(text) = &self.text {
            return Ok(Some(("config.toml".into(), text.clone())));
        }
        let asked_for = match (&self.file, self.no_file, &choice.file, choice.no_file) {
            (Some(path), ..) => Some(path.clone()),
            (None, true, ..) => return Ok(None),
            (None, false, Some(path), _) => Some(PathBuf::from(path)),
            (None, false, None, true) => return Ok(None),
            (None, false, None, false) => None,
        };
        if let Some(path) = asked_for {
            let missing = || ConfigError::Read { path: path.clone(), why: std::io::ErrorKind::NotFound.into() };
            let text = file::load(&path)?.ok_or_else(missing)?;
            return Ok(Some((path, text)));
        }
        let variable = |name: &str| self.variables.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        settings.looked_for = place::usual(variable, self.home.clone());
        for path in &settings.looked_for {
            if let Some(text) = file::load(path)? {
                return Ok(Some((path.clone(), text)));
            }
        }
        Ok(None)
    }
}

impl Settings {
    /// Where a setting comes from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or_default()
    }

    /// Says of an error that clap found in all arguments together where the settings that it names come from, should
    /// that not be the command line.
    pub fn explain(&self, error: &clap::Error) -> Option<String> {
        let names = [ContextKind::InvalidArg, ContextKind::PriorArg].into_iter().filter_map(|kind| error.get(kind));
        let flags = names.flat_map(|value| match value {
            ContextValue::String(flag) => vec![flag.clone()],
            ContextValue::Strings(flags) => flags.clone(),
            _ => Vec::new(),
        });
        let places: Vec<_> = flags
            .filter_map(|flag| {
                let key = flag.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default().to_owned();
                match self.origin(&key) {
                    Origin::Default | Origin::Flag(_) => None,
                    origin => Some(format!("--{key} comes from {origin}")),
                }
            })
            .collect();
        (!places.is_empty()).then(|| places.join("; "))
    }
}

/// What there can be in a file: the flags of the server, and those of a table `[channel.NAME]`.
#[derive(Clone, Debug)]
pub struct Schema {
    pub(super) server: Part,
    pub(super) channel: Part,
}

/// A command and its keys.
#[derive(Clone, Debug)]
pub(super) struct Part {
    command: Command,
    pub(super) keys: Keys,
}

impl Part {
    fn new(command: Command) -> Part {
        Part { keys: Keys::of(&command), command }
    }
}

impl Schema {
    /// The flags of these two commands.
    pub fn new(server: Command, channel: Command) -> Schema {
        Schema { server: Part::new(server), channel: Part::new(channel) }
    }

    /// The server's keys.
    pub fn keys(&self) -> &Keys {
        &self.server.keys
    }

    /// The keys of one channel.
    pub fn channel_keys(&self) -> &Keys {
        &self.channel.keys
    }
}

/// What a table `[channel.NAME]` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// As arguments of the command that has a channel's flags.
    pub arguments: Vec<OsString>,
    /// The place of each key.
    pub origins: BTreeMap<String, Origin>,
}

impl Section {
    /// The keys that it has, with value and place.
    pub fn told(&self) -> impl Iterator<Item = (String, String, &Origin)> {
        self.arguments.iter().filter_map(|argument| {
            let argument = argument.to_string_lossy();
            let (key, value) = argument.strip_prefix("--")?.split_once('=')?;
            self.origins.get(key).map(|origin| (key.to_owned(), value.to_owned(), origin))
        })
    }
}

/// Reads environment and file, and says what they mean beside a command line.
pub fn resolve(schema: &Schema, given: &Given) -> Result<Settings, ConfigError> {
    let keys = &schema.server.keys;
    let mut settings = Settings::default();
    let (choice, variables) = environment::read(keys, &given.variables)?;
    let read = given.file(&choice, &mut settings)?;
    let contents = match &read {
        Some((path, text)) => file::read(schema, path, text)?,
        None => file::Contents::default(),
    };
    // All are checked, those too that a later place comes before: a fault is told when it is made.
    for setting in variables.iter().chain(&contents.settings) {
        check(&schema.server, setting)?;
    }
    let flags = given.keys.iter().map(|key| (key.clone(), Origin::Flag(key.clone())));
    settings.origins = flags.collect();
    let mut above: Vec<&Key> = given.keys.iter().filter_map(|key| keys.get(key)).collect();
    for level in [&variables, &contents.settings] {
        let kept = kept(keys, level, &above, &settings.origins)?;
        above.extend(kept.iter().filter(|s| s.value.says_something()).filter_map(|s| keys.get(&s.key)));
        for setting in kept {
            settings.arguments.extend(setting.value.arguments(&setting.key));
            settings.origins.insert(setting.key.clone(), setting.origin.clone());
        }
    }
    for (name, said) in contents.channels {
        let section: &mut Section = settings.channels.entry(name).or_default();
        for setting in said {
            check(&schema.channel, &setting)?;
            section.arguments.extend(setting.value.arguments(&setting.key));
            section.origins.insert(setting.key, setting.origin);
        }
    }
    settings.file = read.map(|(path, _)| path);
    Ok(settings)
}

/// Of one place's settings, those that no later place comes before.
fn kept<'a>(
    keys: &Keys,
    level: &'a [Setting],
    above: &[&Key],
    said: &BTreeMap<String, Origin>,
) -> Result<Vec<&'a Setting>, ConfigError> {
    let mut kept: Vec<&Setting> = Vec::new();
    for setting in level {
        let Some(key) = keys.get(&setting.key) else { continue };
        if said.contains_key(&setting.key) || above.iter().any(|other| key.contradicts(other)) {
            continue;
        }
        let contradicted = |other: &&&Setting| {
            let both = setting.value.says_something() && other.value.says_something();
            both && keys.get(&other.key).is_some_and(|other| key.contradicts(other))
        };
        if let Some(other) = kept.iter().find(contradicted) {
            return Err(ConfigError::Contradiction {
                place: setting.origin.clone(),
                key: setting.key.clone(),
                other: other.key.clone(),
                other_place: other.origin.clone(),
            });
        }
        kept.push(setting);
    }
    Ok(kept)
}

/// Has a setting's own parser look at each of its values.
fn check(part: &Part, setting: &Setting) -> Result<(), ConfigError> {
    let one_by_one = match &setting.value {
        Value::Switch(_) => return Ok(()),
        Value::One(value) => std::slice::from_ref(value),
        Value::Many(values) => values,
    };
    for value in one_by_one {
        let argument = Value::One(value.clone()).arguments(&setting.key);
        let parsed = part.command.clone().no_binary_name(true).try_get_matches_from(argument);
        let Err(error) = parsed else { continue };
        // What is missing beside it may stand elsewhere.
        if matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict) {
            continue;
        }
        let rendered = || error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let secret = part.keys.get(&setting.key).is_some_and(Key::is_secret);
        return Err(ConfigError::Value {
            place: setting.origin.clone(),
            key: setting.key.clone(),
            value: if secret { "what it is (not shown)".into() } else { format!("{value:?}") },
            why: match error.source() {
                _ if secret => "its form is not right".into(),
                Some(source) => source.to_string(),
                None => rendered(),
            },
        });
    }
    Ok(())
}
