//! The bodies of messages: keyed archives with one string or number, as Foundation's `NSKeyedArchiver` writes them
//! with secure coding, and as its `NSKeyedUnarchiver` reads them where it allows `NSString` and `NSNumber`.
//!
//! An archive is a property list: `$objects` holds the values, number 0 of which stands for nil, and `$top` refers to
//! the one that was archived under the name `root`.

use super::property_list::{PropertyListError, Value};

const ARCHIVER: &str = "NSKeyedArchiver";
const VERSION: u64 = 100_000;

/// What an archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Archived {
    /// A string.
    Text(String),
    /// A number of 32 bits without a sign.
    Number(u32),
}

/// Why bytes are no archive of one string or number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// No property list.
    #[error(transparent)]
    PropertyList(#[from] PropertyListError),
    /// No keyed archive.
    #[error("a property list that is no keyed archive: it lacks {0}")]
    NotAnArchive(&'static str),
    /// Another object.
    #[error("an archive whose object is neither a string nor a number from 0 to 4294967295")]
    AnotherObject,
}

impl Archived {
    /// The archive's bytes.
    pub fn write(&self) -> Vec<u8> {
        let object = match self {
            Archived::Text(text) => Value::Text(text.clone()),
            Archived::Number(number) => Value::Integer((*number).into()),
        };
        let text = |text: &str| Value::Text(text.into());
        let entries = [
            ("$version", Value::Integer(VERSION)),
            ("$archiver", text(ARCHIVER)),
            ("$top", Value::Dictionary(vec![("root".into(), Value::Uid(1))])),
            ("$objects", Value::List(vec![text("$null"), object])),
        ];
        Value::Dictionary(entries.map(|(key, value)| (key.into(), value)).into()).write()
    }

    /// Reads an archive.
    pub fn read(bytes: &[u8]) -> Result<Archived, ArchiveError> {
        let archive = Value::read(bytes)?;
        if archive.get("$archiver").and_then(Value::text) != Some(ARCHIVER) {
            return Err(ArchiveError::NotAnArchive("the archiver's name, NSKeyedArchiver"));
        }
        let Some(Value::Uid(root)) = archive.get("$top").and_then(|top| top.get("root")) else {
            return Err(ArchiveError::NotAnArchive("a reference to its root"));
        };
        let Some(Value::List(objects)) = archive.get("$objects") else {
            return Err(ArchiveError::NotAnArchive("its objects"));
        };
        let object = usize::try_from(*root).ok().and_then(|root| objects.get(root));
        // A string that can change, `NSMutableString`, is an object with its characters under this key.
        match object.map(|object| object.get("NS.string").unwrap_or(object)) {
            Some(Value::Text(text)) if *root != 0 => Ok(Archived::Text(text.clone())),
            Some(Value::Integer(n)) => u32::try_from(*n).map(Archived::Number).map_err(|_| ArchiveError::AnotherObject),
            _ => Err(ArchiveError::AnotherObject),
        }
    }
}

#[cfg(test)]
#[path = "tests/archive.rs"]
mod tests;
