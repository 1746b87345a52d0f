//! Who may ask. A browser carries requests of any page that it shows to this server; so a request has to call the
//! server by an address or a name that is its own, and must not come from another page.

use crate::http::{Head, Response};
use std::fmt;
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// The fewest characters of a token.
pub const LEAST_TOKEN: usize = 8;
/// Random bytes of a token that is made.
const TOKEN_BYTES: usize = 16;

/// What proves that somebody may use the panel.
#[derive(Clone)]
pub struct Token {
    text: String,
    /// Whether even those on this computer have to show it.
    everyone: bool,
}

/// Text that can't be a token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Too short.
    #[error("a token has at least {LEAST_TOKEN} characters; this one has {0}")]
    Short(usize),
    /// It could not be sent in a header.
    #[error("a token consists of letters, digits and signs without blanks (ASCII)")]
    Characters,
    /// The system has no random numbers.
    #[error("this system gives no random numbers to make a token of ({0}); name one with --dashboard-token")]
    Random(getrandom::Error),
}

impl Token {
    /// A token that everybody has to show.
    pub fn given(text: &str) -> Result<Token, TokenError> {
        match text.chars().count() {
            short if short < LEAST_TOKEN => Err(TokenError::Short(short)),
            _ if !text.bytes().all(|b| b.is_ascii_graphic()) => Err(TokenError::Characters),
            _ => Ok(Token { text: text.to_owned(), everyone: true }),
        }
    }

    /// A new one, which those on this computer need not show.
    pub fn made() -> Result<Token, TokenError> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(TokenError::Random)?;
        Ok(Token { text: bytes.iter().map(|b| format!("{b:02x}")).collect(), everyone: false })
    }

    /// The token itself.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("everyone", &self.everyone).finish_non_exhaustive()
    }
}

pub(super) struct Guard {
    pub(super) token: Option<Token>,
    pub(super) names: Vec<String>,
}

impl Guard {
    /// Whether a request may be answered; if not, the answer that says why.
    pub(super) fn check(&self, head: &Head) -> Result<(), Response> {
        self.check_origin(head)?;
        // The page's own files alone are for everybody, and are paths of one part. Escapes are undone before that is
        // seen, as they are before a path is looked up.
        let page = head.segments().is_some_and(|parts| parts.len() == 1);
        if page { Ok(()) } else { self.check_token(head) }
    }

    fn check_origin(&self, head: &Head) -> Result<(), Response> {
        let mut hosts = head.headers.iter().filter(|(name, _)| name == "host").map(|(_, value)| value.as_str());
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Response::error(400, "a request has one Host"));
        };
        if !self.is_own(host_name(host)) {
            let why = "this server is not called by that name: use its address, or start it with --dashboard-name";
            return Err(Response::error(421, why));
        }
        let foreign = || Err(Response::error(403, "this server takes no requests from other web pages"));
        if let Some(origin) = head.header("origin") {
            let page = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            if !page.is_some_and(|page| page.eq_ignore_ascii_case(host)) {
                return foreign();
            }
        }
        let reads = ["GET", "HEAD"].contains(&head.method.as_str());
        match head.header("sec-fetch-site") {
            Some("cross-site" | "same-site") if !reads => foreign(),
            _ => Ok(()),
        }
    }

    /// No name server can have an address, or `localhost`, mean something else.
    fn is_own(&self, name: &str) -> bool {
        name.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    fn check_token(&self, head: &Head) -> Result<(), Response> {
        let here = head.peer.ip().to_canonical().is_loopback();
        let refused = |why: &str| Err(Response::error(401, why).with("WWW-Authenticate", "Bearer"));
        let token = match &self.token {
            Some(token) if token.everyone || !here => token,
            None if !here => return refused("only this computer may use the panel"),
            _ => return Ok(()),
        };
        let shown = head.header("authorization").and_then(|value| {
            let (scheme, shown) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| shown.trim())
        });
        match shown {
            Some(shown) if bool::from(shown.as_bytes().ct_eq(token.text.as_bytes())) => Ok(()),
            Some(_) => refused("this is not the panel's token"),
            None => refused("the panel's token is needed, as Authorization: Bearer TOKEN"),
        }
    }
}

/// The host of `host:port`.
fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}
