//! File names of channels.

use crate::sink::ChannelId;
use std::collections::BTreeMap;
use tracing::warn;

/// The longest name in bytes, without its extension. File systems take 255; there is room for what others add.
const LONGEST: usize = 160;

/// The names given out. A channel keeps its name.
#[derive(Default)]
pub(super) struct Names {
    /// By channel.
    given: BTreeMap<ChannelId, String>,
}

impl Names {
    /// The file name of a channel, without its extension; `base` is that of the channel without a name.
    ///
    /// Where it is another channel's already, on a file system that tells no capitals from small letters, a checksum of
    /// the channel's name is added.
    pub(super) fn stem(&mut self, id: &ChannelId, base: &str) -> String {
        if let Some(stem) = self.given.get(id) {
            return stem.clone();
        }
        let name = id.name().unwrap_or(base);
        let mut stem = escape(name);
        let folded = stem.to_lowercase();
        let taken = self.given.iter().find(|(_, other)| other.to_lowercase() == folded).map(|(other, _)| other.clone());
        if let Some(other) = taken {
            stem = numbered(&stem, id.name().unwrap_or(""));
            warn!("{id} is exported as {stem:?}, for {other} has its file name already");
        }
        self.given.insert(id.clone(), stem.clone());
        stem
    }
}

/// A name that every file system takes and that leads nowhere else: letters, digits, blanks and `-_.()+` stay, other
/// characters become %XX, as in URLs.
fn escape(name: &str) -> String {
    let mut stem = String::new();
    let last = name.chars().count().saturating_sub(1);
    for (i, c) in name.chars().enumerate() {
        let at_an_end = i == 0 || i == last;
        let stays = c.is_alphanumeric() || "-_()+".contains(c) || (" .".contains(c) && !at_an_end);
        // Windows keeps some names for devices, with any extension.
        if stays && !(i == 0 && is_device(name)) {
            stem.push(c);
        } else {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|b| stem.push_str(&format!("%{b:02X}")));
        }
    }
    if stem.len() > LONGEST { numbered(&stem, name) } else { stem }
}

/// A stem, cut where it is long, with a checksum of the whole name.
fn numbered(stem: &str, name: &str) -> String {
    let cut = (0..=stem.len().min(LONGEST - 9)).rev().find(|at| stem.is_char_boundary(*at)).unwrap_or(0);
    format!("{}-{:08x}", &stem[..cut], crc32fast::hash(name.as_bytes()))
}

fn is_device(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or("").trim_end().to_ascii_uppercase();
    match first.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        other => match other.strip_prefix("COM").or_else(|| other.strip_prefix("LPT")) {
            Some(number) => number.chars().count() == 1 && number.chars().all(|c| "0123456789¹²³".contains(c)),
            None => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stay_and_others_lead_nowhere_else() {
        for (name, stem) in [
            ("Cam A", "Cam A"),
            ("Bühne 2.links", "Bühne 2.links"),
            ("a/b", "a%2Fb"),
            ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
            ("..", "%2E%2E"),
            ("C:\\lut", "C%3A%5Clut"),
            (".hidden", "%2Ehidden"),
            ("ends. ", "ends.%20"),
            ("100%", "100%25"),
            ("a\0\n", "a%00%0A"),
            ("con", "%63on"),
            ("NUL.cube", "%4EUL.cube"),
            ("lpt1 .x", "%6Cpt1 .x"),
            ("COM¹", "%43OM¹"),
            ("COMB", "COMB"),
            ("🎬", "%F0%9F%8E%AC"),
        ] {
            assert_eq!(escape(name), stem);
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let names = [format!("{}a", "ü".repeat(500)), format!("{}b", "ü".repeat(500)), "/".repeat(1024)];
        let stems: Vec<_> = names.iter().map(|n| escape(n)).collect();
        assert!(stems.iter().all(|s| s.len() <= LONGEST), "{stems:?}");
        assert!(stems[0] != stems[1]);
    }

    #[test]
    fn channels_whose_names_differ_in_capitals_only_have_different_files() {
        let mut names = Names::default();
        let first = names.stem(&ChannelId::new("Cam"), "base");
        let second = names.stem(&ChannelId::new("CAM"), "base");
        assert_eq!(first, "Cam");
        assert!(second.starts_with("CAM-") && second.len() == 12, "{second}");
        assert_eq!(names.stem(&ChannelId::new("Cam"), "base"), first);
        assert_eq!(names.stem(&ChannelId::default(), "base"), "base");
        assert_ne!(names.stem(&ChannelId::new("base"), "base"), "base");
    }
}
