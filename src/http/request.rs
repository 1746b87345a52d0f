//! Requests, and reading them.

use std::net::SocketAddr;

/// The most headers of a request.
const MOST_HEADERS: usize = 64;

/// A request without its body.
#[derive(Clone, Debug)]
pub struct Head {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path, as it was sent: from its `/` to the `?`.
    pub path: String,
    /// What follows the `?`.
    pub query: String,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// Who asks.
    pub peer: SocketAddr,
    /// Whether the connection may go on after the answer.
    pub(super) keep_alive: bool,
}

/// A whole request.
#[derive(Clone, Debug)]
pub struct Request {
    /// All but the body.
    pub head: Head,
    /// The body; empty where there was none.
    pub body: Vec<u8>,
}

/// Why a head was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) status: u16,
    pub(super) why: String,
}

impl Bad {
    pub(super) fn new(status: u16, why: impl Into<String>) -> Self {
        Bad { status, why: why.into() }
    }
}

impl Head {
    /// A request as it would have been read from `peer`.
    #[cfg(test)]
    pub(crate) fn of(text: &str, peer: SocketAddr) -> Head {
        Head::parse(text.as_bytes(), peer).unwrap().unwrap().0
    }

    /// Parses a head; `None` where more bytes are needed. With it comes how many bytes it took.
    pub(super) fn parse(bytes: &[u8], peer: SocketAddr) -> Result<Option<(Head, usize)>, Bad> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let length = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => {
                return Err(Bad::new(431, format!("a request can have at most {MOST_HEADERS} headers")));
            }
            Err(e) => return Err(Bad::new(400, format!("this is no HTTP/1.1 request: {e}"))),
        };
        let target = parsed.path.unwrap_or_default();
        if !target.starts_with('/') {
            return Err(Bad::new(400, "the request's target must begin with /"));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let mut head = Head {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: parsed.headers.iter().map(|h| (h.name.to_ascii_lowercase(), text(h.value))).collect(),
            peer,
            keep_alive: parsed.version == Some(1),
        };
        if head.header("connection").is_some_and(|c| c.to_ascii_lowercase().contains("close")) {
            head.keep_alive = false;
        }
        Ok(Some((head, length)))
    }

    /// A header's value; `name` is in lower case. Of several, the first.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Bytes of the body that follows.
    pub(super) fn content_length(&self) -> Result<u64, Bad> {
        if self.header("transfer-encoding").is_some() {
            return Err(Bad::new(411, "a body must come with a Content-Length, and not in chunks"));
        }
        let mut lengths = self.headers.iter().filter(|(n, _)| n == "content-length").map(|(_, v)| v.trim());
        let Some(first) = lengths.next() else { return Ok(0) };
        if lengths.any(|other| other != first) || first.is_empty() || !first.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Bad::new(400, "Content-Length must be one number of bytes"));
        }
        first.parse().map_err(|_| Bad::new(413, "the body is too long"))
    }

    /// The parts of the path between its slashes, decoded. `None` where an escape makes no sense, or a part would be no
    /// text.
    pub fn segments(&self) -> Option<Vec<String>> {
        self.path[1..].split('/').map(|part| decode(part, false)).collect()
    }

    /// The decoded value of a parameter of the query. Of several, the first.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key, true).as_deref() == Some(name)).then(|| decode(value, true)).flatten()
        })
    }
}

/// Undoes percent encoding; in queries, `+` is a blank. `None` where the escape is none, or the bytes are no UTF-8.
fn decode(text: &str, plus: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |b: Option<u8>| char::from(b?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                (high * 16 + low) as u8
            }
            b'+' if plus => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
