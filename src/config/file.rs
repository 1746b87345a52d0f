//! Settings in a TOML file.

use super::keys::{Keys, Kind, nearest};
use super::{CHANNEL, ConfigError, Origin, Schema, Setting, Value};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Far more than any configuration has.
const MOST_BYTES: u64 = 1 << 20;

/// Reads a file. `None` where there is none.
pub(super) fn load(path: &Path) -> Result<Option<String>, ConfigError> {
    let failed = |why| ConfigError::Read { path: path.to_owned(), why };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(ConfigError::TooLarge { path: path.to_owned(), limit: MOST_BYTES });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(e) => Err(failed(io::Error::new(io::ErrorKind::InvalidData, e.utf8_error()))),
    }
}

/// A text with the places of its lines.
struct Source<'a> {
    path: Arc<PathBuf>,
    text: &'a str,
}

impl Source<'_> {
    fn origin(&self, at: usize) -> Origin {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        Origin::File { path: self.path.clone(), line: before.iter().filter(|b| **b == b'\n').count() + 1 }
    }

    fn column(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(self.text);
        before.rsplit('\n').next().unwrap_or_default().chars().count() + 1
    }
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) settings: Vec<Setting>,
    /// By the names of the channels.
    pub(super) channels: Vec<(String, Vec<Setting>)>,
}

/// Reads the text of a file.
pub(super) fn read(schema: &Schema, path: &Path, text: &str) -> Result<Contents, ConfigError> {
    let source = Source { path: Arc::new(path.to_owned()), text };
    let table = DeTable::parse(text).map_err(|e| {
        let at = e.span().map_or(0, |span| span.start);
        let why = e.message().lines().collect::<Vec<_>>().join(", ");
        ConfigError::Syntax { place: source.origin(at), column: source.column(at), why }
    })?;
    let mut contents = Contents::default();
    for (name, given) in in_order(table.get_ref()) {
        match given.get_ref() {
            DeValue::Table(channels) if name.get_ref() == CHANNEL => {
                for (name, given) in in_order(channels) {
                    contents.channels.push((name.get_ref().to_string(), channel(schema, &source, name, given)?));
                }
            }
            _ => contents.settings.push(setting(&schema.server.keys, &source, name, given)?),
        }
    }
    Ok(contents)
}

/// The settings of one channel.
fn channel(
    schema: &Schema,
    source: &Source<'_>,
    name: &Spanned<Cow<'_, str>>,
    given: &Spanned<DeValue<'_>>,
) -> Result<Vec<Setting>, ConfigError> {
    let DeValue::Table(table) = given.get_ref() else {
        return Err(ConfigError::Kind {
            place: source.origin(name.span().start),
            key: CHANNEL.to_owned(),
            expected: "has a table for each channel, as [channel.cam1]".into(),
            given: format!("{:?} = …", name.get_ref()),
        });
    };
    in_order(table).into_iter().map(|(name, given)| setting(&schema.channel.keys, source, name, given)).collect()
}

/// The entries of a table as they stand in the file, so that its first fault is the one that is told.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Spanned<Cow<'i, str>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

fn setting(
    keys: &Keys,
    source: &Source<'_>,
    name: &Spanned<Cow<'_, str>>,
    given: &Spanned<DeValue<'_>>,
) -> Result<Setting, ConfigError> {
    let origin = source.origin(name.span().start);
    let name = name.get_ref().as_ref();
    let Some(key) = keys.get(name) else {
        let nearest = nearest(name, keys.iter().map(|key| key.name.as_str()));
        return Err(ConfigError::UnknownKey { place: origin, key: name.to_owned(), nearest });
    };
    let value = match (key.kind, value(given.get_ref())) {
        (Kind::Switch, Some(value @ Value::Switch(_)))
        | (Kind::One | Kind::Choice, Some(value @ Value::One(_)))
        | (Kind::Many, Some(value @ Value::Many(_))) => value,
        (Kind::Choice, Some(Value::Switch(on))) => Value::One(on.to_string().into()),
        // One of several is a list of one.
        (Kind::Many, Some(Value::One(value))) => Value::Many(vec![value]),
        (kind, _) => {
            let expected = match kind {
                Kind::Switch | Kind::Choice => "is true or false",
                Kind::One => "has one value, a text or a number",
                Kind::Many => "is a list of texts, as [\"…\", \"…\"]",
            };
            let given = match given.get_ref() {
                _ if key.is_secret() => "what it is (not shown)".to_owned(),
                DeValue::Array(_) => "a list".to_owned(),
                DeValue::Table(_) => "a table".to_owned(),
                other => source.text.get(given.span()).map_or_else(|| other.type_str().to_owned(), str::to_owned),
            };
            return Err(ConfigError::Kind { place: origin, key: key.name.clone(), expected: expected.into(), given });
        }
    };
    Ok(Setting { key: key.name.clone(), value, origin })
}

/// A TOML value as a setting has it; `None` where no setting is like that.
pub(super) fn value(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::Boolean(on) => Value::Switch(*on),
        DeValue::String(text) => Value::One(text.as_ref().into()),
        DeValue::Integer(number) => {
            // Flags know decimal numbers only.
            Value::One(i64::from_str_radix(number.as_str(), number.radix()).ok()?.to_string().into())
        }
        DeValue::Float(number) => Value::One(number.as_str().into()),
        DeValue::Array(values) => {
            let texts = values.iter().map(|value| match self::value(value.get_ref()) {
                Some(Value::One(text)) => Some(text),
                _ => None,
            });
            Value::Many(texts.collect::<Option<_>>()?)
        }
        DeValue::Datetime(_) | DeValue::Table(_) => return None,
    })
}
