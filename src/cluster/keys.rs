//! Names in a cluster, and the keys that they make.

use crate::sink::ChannelId;
use crate::wire::request::LONGEST_CHANNEL;
use std::fmt;
use std::str::FromStr;

/// Bytes that the name of a cluster, a hub or a node may have.
pub const LONGEST_NAME: usize = 64;

/// The name of a cluster, of a hub or of a node: 1 to 64 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Text that is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is empty, or too long.
    #[error("a name in a cluster has 1 to {LONGEST_NAME} bytes, and this one has {0}")]
    Length(usize),
    /// It has characters that end a line or move the cursor.
    #[error("a name in a cluster has no control characters, and {0:?} has some")]
    Control(String),
}

impl Name {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The closest name to a text that may be none.
    pub fn of(text: &str) -> Name {
        let mut name: String = text.chars().filter(|c| !c.is_control()).collect();
        while name.len() > LONGEST_NAME {
            name.pop();
        }
        Name(if name.is_empty() { "unnamed".into() } else { name })
    }
}

impl FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            _ if !(1..=LONGEST_NAME).contains(&text.len()) => Err(NameError::Length(text.len())),
            _ if text.chars().any(char::is_control) => Err(NameError::Control(text.to_owned())),
            _ => Ok(Name(text.to_owned())),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// The key of a channel's LUTs.
pub fn of_channel(cluster: &Name, channel: &ChannelId) -> String {
    let chunk = channel.name().map_or_else(|| UNNAMED.to_owned(), encode);
    format!("vglb/{}/lut/{chunk}", encode(cluster.as_str()))
}

/// The key of all channels' LUTs.
pub fn of_all_channels(cluster: &Name) -> String {
    format!("vglb/{}/lut/*", encode(cluster.as_str()))
}

/// The key of a hub's reports.
pub fn of_hub(cluster: &Name, hub: &Name) -> String {
    format!("vglb/{}/hub/{}", encode(cluster.as_str()), encode(hub.as_str()))
}

/// The key of all hubs' reports.
pub fn of_all_hubs(cluster: &Name) -> String {
    format!("vglb/{}/hub/*", encode(cluster.as_str()))
}

/// The key of a node's reports.
pub fn of_node(cluster: &Name, node: &Name) -> String {
    format!("vglb/{}/node/{}", encode(cluster.as_str()), encode(node.as_str()))
}

/// The key of all nodes' reports.
pub fn of_all_nodes(cluster: &Name) -> String {
    format!("vglb/{}/node/*", encode(cluster.as_str()))
}

/// The channel whose LUTs have this key. `None` where it is none of ours.
pub fn channel(key: &str) -> Option<ChannelId> {
    match key.rsplit_once('/')?.1 {
        UNNAMED => Some(ChannelId::default()),
        chunk => decode(chunk).filter(|name| (1..=LONGEST_CHANNEL).contains(&name.len())).map(ChannelId::new),
    }
}

/// The channel without a name. No name is written like that, for a hyphen alone is escaped.
const UNNAMED: &str = "-";

/// A name as a part of a key: what means something in a key, or may not be in one, is escaped as in a URL.
fn encode(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte) || (byte == b'-' && name != UNNAMED);
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn decode(chunk: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = chunk.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        match first {
            b'%' => {
                let digits = std::str::from_utf8(after.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn keys_are_parts_that_no_name_can_leave() {
        let key = |channel: &str| of_channel(&name("stage/1"), &ChannelId::new(channel));
        assert_eq!(key("CAM A"), "vglb/stage%2F1/lut/CAM%20A");
        assert_eq!(key(""), "vglb/stage%2F1/lut/-");
        assert_eq!(key("-"), "vglb/stage%2F1/lut/%2D");
        assert_eq!(key("../*$?#@"), "vglb/stage%2F1/lut/..%2F%2A%24%3F%23%40");
        assert_eq!(of_node(&name("a"), &name("ü")), "vglb/a/node/%C3%BC");
        assert_eq!(of_all_channels(&name("*")), "vglb/%2A/lut/*");
    }

    #[test]
    fn a_key_that_is_none_of_ours_has_no_channel() {
        for wrong in ["", "a", "vglb/a/lut/", "vglb/a/lut/%", "vglb/a/lut/%4", "vglb/a/lut/%zz", "vglb/a/lut/%FF"] {
            assert_eq!(channel(wrong), None, "{wrong}");
        }
        assert_eq!(channel(&format!("a/{}", "x".repeat(LONGEST_CHANNEL + 1))), None);
        assert_eq!(channel("vglb/a/lut/%+1"), None);
    }

    #[test]
    fn a_name_is_short_and_visible() {
        assert_eq!("".parse::<Name>(), Err(NameError::Length(0)));
        assert_eq!("é".repeat(33).parse::<Name>(), Err(NameError::Length(66)));
        assert!("a\nb".parse::<Name>().is_err());
        assert_eq!(Name::of(&"é".repeat(40)).as_str(), "é".repeat(32));
        assert_eq!(Name::of("\u{1b}\n").as_str(), "unnamed");
    }

    proptest! {
        #[test]
        fn every_channel_comes_back_from_its_key(text in ".{0,40}") {
            let id = ChannelId::new(&*text);
            let key = of_channel(&name("x"), &id);
            let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-%/".contains(c);
            prop_assert!(key.chars().all(allowed));
            prop_assert_eq!(channel(&key), Some(id).filter(|id| id.name().is_none_or(|n| n.len() <= LONGEST_CHANNEL)));
        }
    }
}
