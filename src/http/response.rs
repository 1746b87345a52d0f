//! Answers, and writing them.

use super::StopSignal;
use std::borrow::Cow;
use std::io::{self, Write};

/// A body of up to so many bytes is sent in one piece with its head; a longer one is not copied for that.
const LARGE: usize = 16 << 10;

/// An answer.
pub struct Response {
    /// The status, as 200.
    pub status: u16,
    /// Headers beside `Content-Length`, `Connection` and `Date`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

/// What writes a body that goes on.
pub type Writer = Box<dyn FnOnce(&mut dyn Write, &StopSignal) -> io::Result<()> + Send>;

/// The body of an answer.
pub enum Body {
    /// All of it.
    Whole(Cow<'static, [u8]>),
    /// It goes on until its writer returns, which it does soon after the signal says stop or a write fails. The
    /// connection ends with it.
    Endless(Writer),
}

impl Response {
    /// An answer of this type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        Response { status, headers: vec![("Content-Type", content_type.to_owned())], body: Body::Whole(body.into()) }
    }

    /// JSON.
    pub fn json(status: u16, value: &impl serde::Serialize) -> Self {
        // Our own values have text keys and no failing parts; were that not so, the answer says what is wrong.
        let body = serde_json::to_vec(value).unwrap_or_else(|e| format!("{{\"error\":\"{e}\"}}").into_bytes());
        Response::new(status, "application/json", body)
    }

    /// A refusal: `{"error": why}`.
    pub fn error(status: u16, why: impl AsRef<str>) -> Self {
        Response::json(status, &serde_json::json!({ "error": why.as_ref() }))
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Response { status, headers: Vec::new(), body: Body::Whole(Cow::Borrowed(&[])) }
    }

    /// With one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends the head, and a body that is whole, save where only the head was asked for.
    pub(super) fn send(&self, to: &mut impl Write, keep_alive: bool, head_only: bool) -> io::Result<()> {
        let mut head = self.head(keep_alive);
        match &self.body {
            Body::Whole(body) if !head_only && body.len() > LARGE => {
                to.write_all(&head)?;
                to.write_all(body)
            }
            Body::Whole(body) if !head_only => {
                head.extend_from_slice(body);
                to.write_all(&head)
            }
            Body::Whole(_) | Body::Endless(_) => to.write_all(&head),
        }
    }

    fn head(&self, keep_alive: bool) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status)).into_bytes();
        let mut line = |name: &str, value: &str| {
            // A line break in a value would begin another header.
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        };
        self.headers.iter().for_each(|(name, value)| line(name, value));
        match &self.body {
            Body::Whole(body) if self.status != 204 => line("Content-Length", &body.len().to_string()),
            Body::Whole(_) | Body::Endless(_) => {}
        }
        line("Connection", if keep_alive { "keep-alive" } else { "close" });
        out.extend_from_slice(b"\r\n");
        out
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}
