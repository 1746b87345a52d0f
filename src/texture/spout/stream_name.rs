//! Stream names as Spout can carry them: 1 to 230 bytes of printable ASCII without a backslash.
//!
//! Most names go through unchanged. What Spout can't carry is written as `%` and two hexadecimal digits for each
//! UTF-8 byte (`Straße` becomes `Stra%C3%9Fe`), and so is a `%` that would otherwise read as such an escape. Every
//! name has exactly one encoding and every encoding one name.

use crate::texture::TextureError;

/// The longest name in bytes: with the longest of the suffixes that Spout puts behind it, it still fits a slot.
pub const MAX_NAME: usize = 230;

/// The blocks that every Spout program shares: a sender of this name would overwrite them.
const SHARED_BLOCKS: [&str; 2] = ["SpoutSenderNames", "ActiveSenderName"];

/// What Spout, and this program, put behind a sender's name to name its other objects: the sender `x_mutex` would take the place of
/// the mutex of the sender `x`.
const OBJECT_SUFFIXES: [&str; 4] = ["_mutex", "_SpoutAccessMutex", "_Count_Semaphore", "_VglbCdl"];

/// The Spout name for a stream.
///
/// # Errors
/// [`TextureError::InvalidName`] for an empty name, and for one longer than [`MAX_NAME`] bytes once encoded.
pub fn encode(stream: &str) -> Result<String, TextureError> {
    let invalid = |why: String| TextureError::InvalidName { stream: stream.to_owned(), why };
    if stream.is_empty() {
        return Err(invalid("it is empty; Spout wants at least one character".into()));
    }
    let bytes = stream.as_bytes();
    let last_escaped = is_reserved(stream);
    let mut name = String::with_capacity(bytes.len());
    for (i, byte) in bytes.iter().enumerate() {
        let reads_as_escape = *byte == b'%' && escaped_byte(&bytes[i..]).is_some();
        let reserved = last_escaped && i + 1 == bytes.len();
        if is_carried(*byte) && !reads_as_escape && !reserved {
            name.push(char::from(*byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    if name.len() > MAX_NAME {
        return Err(invalid(format!(
            "Spout carries names of at most {MAX_NAME} bytes, and this one takes {}; a letter outside ASCII takes 3 for each of its UTF-8 bytes",
            name.len()
        )));
    }
    Ok(name)
}

/// The stream that [`encode`] gives this name. `None` where it gives it to none: then another program chose it.
pub fn decode(name: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, tail)) = rest.split_first() {
        match escaped_byte(rest) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    let stream = String::from_utf8(bytes).ok()?;
    (encode(&stream).ok()?.as_bytes() == name).then_some(stream)
}

/// A name found in the list, for people to read: bytes that are not printable ASCII are escaped.
pub fn readable(name: &[u8]) -> String {
    let legible = |byte: &u8| match byte {
        0x20..0x7f => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.iter().map(legible).collect()
}

/// The stream that a name found in the list stands for; the name itself, readable, where another program chose it.
pub fn shown(name: &[u8]) -> String {
    decode(name).unwrap_or_else(|| readable(name))
}

fn is_carried(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) && byte != b'\\'
}

fn is_reserved(stream: &str) -> bool {
    SHARED_BLOCKS.contains(&stream) || OBJECT_SUFFIXES.iter().any(|suffix| stream.ends_with(suffix))
}

/// The byte that `text` begins with as an escape: `%` and two upper-case hexadecimal digits.
fn escaped_byte(text: &[u8]) -> Option<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    match text {
        [b'%', high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_spout_carries_stay_as_they_are() {
        for name in ["vglb", "A-Cam Show LUT (2) #1", "50% grey", "100%", "%zz %4 %4g", "x_mutex2", " ~"] {
            assert_eq!(encode(name).unwrap(), name);
            assert_eq!(decode(name.as_bytes()).unwrap(), name);
        }
    }

    #[test]
    fn what_spout_cannot_carry_is_escaped() {
        for (stream, name) in [
            ("Straße", "Stra%C3%9Fe"),
            ("a\\b", "a%5Cb"),
            ("tab\there\0", "tab%09here%00"),
            ("%41", "%2541"),
            ("%%41", "%%2541"),
            ("SpoutSenderNames", "SpoutSenderName%73"),
            ("ActiveSenderName", "ActiveSenderNam%65"),
            ("vglb_mutex", "vglb_mute%78"),
            ("vglb_SpoutAccessMutex", "vglb_SpoutAccessMute%78"),
            ("vglb_Count_Semaphore", "vglb_Count_Semaphor%65"),
        ] {
            assert_eq!(encode(stream).unwrap(), name);
            assert_eq!(decode(name.as_bytes()).unwrap(), stream);
        }
    }

    #[test]
    fn names_of_other_programs_that_look_like_escapes_decode_to_nothing() {
        for name in [&b"%41"[..], b"%2f", b"caf\xe9", b"%FF", b"", b"SpoutSenderNames"] {
            if name != b"%2f" {
                assert_eq!(decode(name), None, "{}", readable(name));
            }
        }
        assert_eq!(decode(b"%2f").unwrap(), "%2f", "lower-case digits are no escape");
        assert_eq!(readable(b"caf\xe9 \\"), "caf%E9 \\");
    }

    #[test]
    fn a_name_too_long_or_empty_is_refused_with_what_would_be_right() {
        assert_eq!(encode(&"x".repeat(230)).unwrap().len(), 230);
        let e = encode(&"x".repeat(231)).unwrap_err().to_string();
        assert!(e.contains("at most 230 bytes, and this one takes 231"), "{e}");
        let e = encode(&"ß".repeat(39)).unwrap_err().to_string();
        assert!(e.contains("this one takes 234"), "{e}");
        assert!(encode("").unwrap_err().to_string().contains("it is empty"));
    }

    proptest! {
        /// Being reversible is what makes it injective.
        #[test]
        fn every_name_comes_back(stream in "(%|[0-9A-F]|\\\\|_mutex|é|[ -~]){1,30}") {
            let name = encode(&stream).unwrap();
            prop_assert!(name.bytes().all(is_carried));
            prop_assert!(!is_reserved(&name));
            prop_assert_eq!(decode(name.as_bytes()), Some(stream));
        }

        #[test]
        fn any_bytes_are_shown_and_decoded_without_panic(name in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(readable(&name).bytes().all(|b| (0x20..0x7f).contains(&b)));
            if let Some(stream) = decode(&name) {
                prop_assert_eq!(encode(&stream).unwrap().into_bytes(), name);
            }
        }
    }
}
