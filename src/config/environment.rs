//! Settings in environment variables.

use super::keys::{Keys, Kind, nearest};
use super::{ConfigError, FILE, NO_FILE, Origin, Setting, Value};
use std::ffi::{OsStr, OsString};

const PREFIX: &str = "VGLB_";

/// Variables of this project that are no settings of a server: where streams are, and what its tests are told.
const OTHERS: [&str; 7] = [
    "VGLB_RUNTIME_DIR",
    "VGLB_VULKAN_VALIDATION",
    "VGLB_BIN",
    "VGLB_PYTHON",
    "VGLB_DXC",
    "VGLB_SERVER_PORT",
    "VGLB_WRITE_SHADERS",
];
const TESTS: &str = "VGLB_TEST_";

/// What variables say where settings are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FileChoice {
    pub(super) file: Option<OsString>,
    pub(super) no_file: bool,
}

/// Reads the variables that begin with `VGLB_`. An empty one counts as not set.
pub(super) fn read(keys: &Keys, variables: &[(OsString, OsString)]) -> Result<(FileChoice, Vec<Setting>), ConfigError> {
    let mut choice = FileChoice::default();
    let mut settings = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str().map(|name| if cfg!(windows) { name.to_uppercase() } else { name.to_owned() })
        else {
            continue;
        };
        if !name.starts_with(PREFIX) || name.starts_with(TESTS) || OTHERS.contains(&&*name) || value.is_empty() {
            continue;
        }
        let origin = Origin::Variable(name.clone());
        let is = |key: &str| name == format!("{PREFIX}{}", key.to_uppercase().replace('-', "_"));
        if is(FILE) {
            choice.file = Some(value.clone());
            continue;
        }
        if is(NO_FILE) {
            choice.no_file = switch(NO_FILE, value, &origin)?;
            continue;
        }
        let Some(key) = keys.iter().find(|key| key.variable() == name) else {
            let names: Vec<_> = keys.iter().map(super::Key::variable).collect();
            let nearest = nearest(&name, names.iter().map(String::as_str));
            return Err(ConfigError::UnknownVariable { name, nearest });
        };
        let value = match key.kind {
            Kind::Switch => Value::Switch(switch(&key.name, value, &origin)?),
            Kind::One | Kind::Choice => Value::One(value.clone()),
            Kind::Many => Value::Many(list(&key.name, value, &origin)?),
        };
        settings.push(Setting { key: key.name.clone(), value, origin });
    }
    Ok((choice, settings))
}

fn switch(key: &str, value: &OsStr, place: &Origin) -> Result<bool, ConfigError> {
    match value.to_str() {
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        _ => Err(ConfigError::Kind {
            place: place.clone(),
            key: key.to_owned(),
            expected: "is true or false".into(),
            given: format!("{value:?}"),
        }),
    }
}

/// Values between commas, or a TOML array where values have commas in them.
fn list(key: &str, value: &OsStr, place: &Origin) -> Result<Vec<OsString>, ConfigError> {
    let wrong = |given: String| ConfigError::Kind {
        place: place.clone(),
        key: key.to_owned(),
        expected: "is a list: values between commas, or a TOML array".into(),
        given,
    };
    let text = value.to_str().ok_or_else(|| wrong(format!("{value:?}, which is no Unicode")))?;
    if !text.trim_start().starts_with('[') {
        return Ok(text.split(',').map(|part| part.trim().into()).collect());
    }
    let parsed = toml::de::DeValue::parse(text).map_err(|e| wrong(format!("{text:?} ({})", e.message())))?;
    match super::file::value(parsed.get_ref()) {
        Some(Value::Many(values)) => Ok(values),
        _ => Err(wrong(format!("{text:?}"))),
    }
}
