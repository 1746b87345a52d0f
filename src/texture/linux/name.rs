//! Stream names as file names: reversible, one file name for each stream name, and readable.

use crate::texture::TextureError;

/// What every stream's socket ends in.
pub(super) const SUFFIX: &str = ".sock";

/// Bytes that an encoded name may have; the suffix comes on top. File systems take 255 in all.
pub(super) const MAX_ENCODED: usize = 200;

/// The file name of a stream's socket.
///
/// `/`, `%`, NUL, the other ASCII control characters, and a dot in first place become `%` and two upper-case
/// hexadecimal digits; every other byte stands for itself.
pub(super) fn file_name(stream: &str) -> Result<String, TextureError> {
    let encoded = encode(stream);
    let invalid = |why: String| TextureError::InvalidName { stream: stream.to_owned(), why };
    match encoded.len() {
        0 => Err(invalid("it is empty; a stream name has at least one byte".into())),
        n if n > MAX_ENCODED => Err(invalid(format!(
            "it takes {n} bytes in a file name, where \"/\", \"%\", control characters and a leading dot count as \
             three; at most {MAX_ENCODED} are possible"
        ))),
        _ => Ok(encoded + SUFFIX),
    }
}

/// The stream whose socket has this file name. `None` where no stream's socket is called so.
pub(super) fn stream_name(file: &str) -> Option<String> {
    let encoded = file.strip_suffix(SUFFIX)?;
    let name = decode(encoded)?;
    // Only the one spelling that `encode` gives: otherwise two files could claim the same stream.
    (!name.is_empty() && encoded.len() <= MAX_ENCODED && encode(&name) == encoded).then_some(name)
}

fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        if matches!(c, '/' | '%') || c.is_ascii_control() || (c == '.' && at == 0) {
            out.push_str(&format!("%{:02X}", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

fn decode(encoded: &str) -> Option<String> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (bytes.next()? as char, bytes.next()? as char);
            out.push((high.to_digit(16)? * 16 + low.to_digit(16)?) as u8);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_stay_readable_where_they_can() {
        for (name, file) in [
            ("vglb-lut-A", "vglb-lut-A.sock"),
            ("Kamera Ä – 1", "Kamera Ä – 1.sock"),
            ("a/b", "a%2Fb.sock"),
            (".hidden", "%2Ehidden.sock"),
            ("..", "%2E..sock"),
            ("v1.2", "v1.2.sock"),
            ("100%", "100%25.sock"),
            ("line\nbreak\0\x7f", "line%0Abreak%00%7F.sock"),
        ] {
            assert_eq!(file_name(name).unwrap(), file);
            assert_eq!(stream_name(file).as_deref(), Some(name));
        }
    }

    #[test]
    fn only_the_one_spelling_of_a_name_is_a_stream() {
        for file in ["a%2fb.sock", "%41.sock", "a%2", "a%.sock", "a%2.sock", "a%ZZ.sock", ".sock", ".a.sock", "a.txt"] {
            assert_eq!(stream_name(file), None, "{file}");
        }
        // A lone continuation byte can't come out of a percent sign either.
        assert_eq!(stream_name("%C3.sock"), None);
        assert_eq!(stream_name(&format!("{}.sock", "x".repeat(201))), None);
    }

    #[test]
    fn a_name_may_take_200_bytes_and_not_one_more() {
        assert_eq!(file_name(&"x".repeat(200)).unwrap().len(), 205);
        assert!(file_name(&("/".repeat(66) + "xx")).is_ok());
        let e = file_name(&("/".repeat(66) + "xxx")).unwrap_err().to_string();
        assert!(e.contains("it takes 201 bytes") && e.contains("at most 200"), "{e}");
        assert!(file_name("").unwrap_err().to_string().contains("empty"));
    }

    proptest! {
        #[test]
        fn every_name_comes_back_and_no_two_share_a_file(a in ".{1,60}", b in "[./%a\n]{1,8}", c in "[./%a\n]{1,8}") {
            for name in [&a, &b] {
                if let Ok(file) = file_name(name) {
                    prop_assert!(!file.starts_with('.') && !file.contains(['/', '\0', '\n']));
                    prop_assert_eq!(stream_name(&file), Some(name.clone()));
                }
            }
            prop_assert_eq!(encode(&b) == encode(&c), b == c);
        }
    }
}
