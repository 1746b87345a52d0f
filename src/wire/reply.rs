//! What is answered: `{ "result": 1 }`, or `{ "result": 0, "error": "<one sentence>" }`.

use super::document::Document;

/// A reply to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The texture holds the LUT, or a newer one of that channel.
    Ok,
    /// Nothing was changed, and why.
    Error(String),
}

/// The bytes of [`Reply::Ok`].
pub const OK: [u8; 17] = *b"\x11\0\0\0\x10result\0\x01\0\0\0\0";

/// The longest error sentence sent, in bytes.
const LONGEST_SENTENCE: usize = 1000;

impl Reply {
    /// The reply as BSON, written into `out`, whose former content goes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        match self {
            Reply::Ok => out.extend_from_slice(&OK),
            Reply::Error(sentence) => {
                let end = (0..=sentence.len().min(LONGEST_SENTENCE)).rev().find(|i| sentence.is_char_boundary(*i));
                let sentence = &sentence[..end.unwrap_or(0)];
                *out = Document::new().int32("result", 0).string("error", sentence).finish();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{Document as Oracle, doc};

    #[test]
    fn replies_are_the_documents_that_clients_expect() {
        let mut bytes = Vec::new();
        Reply::Ok.encode(&mut bytes);
        assert_eq!(Oracle::from_reader(&bytes[..]).unwrap(), doc! { "result": 1i32 });
        Reply::Error("no “lutData”".into()).encode(&mut bytes);
        assert_eq!(Oracle::from_reader(&bytes[..]).unwrap(), doc! { "result": 0i32, "error": "no “lutData”" });
    }

    #[test]
    fn a_sentence_that_never_ends_is_cut_between_characters() {
        let mut bytes = Vec::new();
        Reply::Error("é".repeat(5000)).encode(&mut bytes);
        let reply = Oracle::from_reader(&bytes[..]).unwrap();
        assert_eq!(reply.get_str("error").unwrap(), "é".repeat(500));
    }
}
