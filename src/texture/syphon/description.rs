//! What a server says of itself in its notifications.

use super::property_list::{PropertyListError, Value};
use crate::lut::Cdl;

const VERSION_KEY: &str = "SyphonServerDescriptionDictionaryVersionKey";
const ID_KEY: &str = "SyphonServerDescriptionUUIDKey";
const NAME_KEY: &str = "SyphonServerDescriptionNameKey";
const APPLICATION_KEY: &str = "SyphonServerDescriptionAppNameKey";
const SURFACES_KEY: &str = "SyphonServerDescriptionSurfacesKey";
/// Ours: the newest CDL values, ten numbers in text.
const CDL_KEY: &str = "VirtualGpuLutBoxCdl";
const SURFACE_TYPE_KEY: &str = "SyphonSurfaceType";
const IO_SURFACE: &str = "SyphonSurfaceTypeIOSurface";

/// The only version of descriptions that there is.
const VERSION: u64 = 0;

/// A server's description.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Its identity, and the name of its message port.
    pub id: String,
    /// Its name; need not differ from that of other servers.
    pub name: String,
    /// The name of the application that it is part of.
    pub application: String,
    /// The newest CDL values, where it is a server of this program and has any.
    pub cdl: Option<Cdl>,
}

/// Why a notification describes no server that can be received.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// No property list.
    #[error(transparent)]
    PropertyList(#[from] PropertyListError),
    /// A version that is not known.
    #[error("a server description without the version number 0")]
    Version,
    /// No identity, by which it could be reached.
    #[error("a server description without {ID_KEY}")]
    NoId,
    /// No surfaces of the kind that there is.
    #[error("the server {0} offers no IOSurface")]
    NoSurface(String),
}

impl Description {
    /// The description as a binary property list.
    pub fn write(&self) -> Vec<u8> {
        let text = |text: &str| Value::Text(text.into());
        let surface = Value::Dictionary(vec![(SURFACE_TYPE_KEY.into(), text(IO_SURFACE))]);
        let mut entries = vec![
            (VERSION_KEY, Value::Integer(VERSION)),
            (ID_KEY, text(&self.id)),
            (NAME_KEY, text(&self.name)),
            (APPLICATION_KEY, text(&self.application)),
            (SURFACES_KEY, Value::List(vec![surface])),
        ];
        if let Some(cdl) = &self.cdl {
            entries.push((CDL_KEY, text(&cdl.numbers().map(|v| format!("{v:?}")).join(" "))));
        }
        Value::Dictionary(entries.into_iter().map(|(key, value)| (key.into(), value)).collect()).write()
    }

    /// Reads a binary property list. Keys that are not known are passed over; names that are missing are empty.
    pub fn read(bytes: &[u8]) -> Result<Description, DescriptionError> {
        let value = Value::read(bytes)?;
        let text = |key| value.get(key).and_then(Value::text).map(str::to_owned);
        if value.get(VERSION_KEY) != Some(&Value::Integer(VERSION)) {
            return Err(DescriptionError::Version);
        }
        let id = text(ID_KEY).filter(|id| !id.is_empty()).ok_or(DescriptionError::NoId)?;
        let is_io_surface = |s: &Value| s.get(SURFACE_TYPE_KEY).and_then(Value::text) == Some(IO_SURFACE);
        match value.get(SURFACES_KEY) {
            Some(Value::List(surfaces)) if surfaces.iter().any(is_io_surface) => {}
            _ => return Err(DescriptionError::NoSurface(id)),
        }
        Ok(Description {
            id,
            name: text(NAME_KEY).unwrap_or_default(),
            application: text(APPLICATION_KEY).unwrap_or_default(),
            cdl: text(CDL_KEY).as_deref().and_then(cdl),
        })
    }

    /// The identity of the server that a notification of its end names. Some servers say no more than that then.
    pub fn id_of(bytes: &[u8]) -> Option<String> {
        Value::read(bytes).ok()?.get(ID_KEY).and_then(Value::text).map(str::to_owned)
    }
}

/// What [`CDL_KEY`] says; whatever else stands there is no CDL.
fn cdl(text: &str) -> Option<Cdl> {
    let numbers = text.split(' ').map(|v| v.parse().ok()).collect::<Option<Vec<f64>>>()?;
    Cdl::from_numbers(numbers.try_into().ok()?)
}

#[cfg(test)]
#[path = "tests/description.rs"]
mod tests;
