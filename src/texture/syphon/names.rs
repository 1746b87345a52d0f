//! The names under which Syphon's programs find each other.

/// The beginning of every name.
pub const PREFIX: &str = "info.v002.Syphon.";

/// A client asks every server to announce itself. Without object and description.
pub const ANNOUNCE_REQUEST: &str = "info.v002.Syphon.ServerAnnounceRequest";

/// A server says that it is there: at its start, and when asked.
pub const ANNOUNCE: &str = "info.v002.Syphon.ServerAnnounce";

/// A server has another name.
pub const UPDATE: &str = "info.v002.Syphon.ServerUpdate";

/// A server is no more.
pub const RETIRE: &str = "info.v002.Syphon.ServerRetire";

/// All notifications.
pub const NOTIFICATIONS: [&str; 4] = [ANNOUNCE_REQUEST, ANNOUNCE, UPDATE, RETIRE];

/// A server's or a client's identity, which is also the name of its message port, made of a new UUID.
pub fn identity(uuid: &str) -> String {
    format!("{PREFIX}{}", uuid.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_the_prefix_and_an_upper_case_uuid() {
        let identity = identity("68753a44-4d6f-1226-9c60-0050e4c00067");
        assert_eq!(identity, "info.v002.Syphon.68753A44-4D6F-1226-9C60-0050E4C00067");
        assert!(NOTIFICATIONS.iter().all(|name| name.starts_with(PREFIX)));
    }
}
