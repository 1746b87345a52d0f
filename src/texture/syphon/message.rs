//! The eight messages between clients and servers: a number, and for some a string or number as an archive.

use super::archive::{ArchiveError, Archived};

/// What a client tells a server: who it is, and of what it wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToServer {
    /// Tell this client of surfaces, names and the server's end.
    AddForInfo(String),
    /// Tell this client of each new frame.
    AddForFrames(String),
    /// No longer tell this client of surfaces, names and the server's end.
    RemoveForInfo(String),
    /// No longer tell this client of new frames.
    RemoveForFrames(String),
}

/// What a server tells a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToClient {
    /// The server has this name now.
    NameChanged(String),
    /// There is a new frame in the surface.
    NewFrame,
    /// Frames are in the surface with this number now.
    SurfaceChanged(u32),
    /// The server is no more.
    Retired,
}

/// Which of a server's messages it is; also its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// [`ToClient::NameChanged`]
    NameChanged = 0,
    /// [`ToClient::NewFrame`]
    NewFrame = 1,
    /// [`ToClient::SurfaceChanged`]
    SurfaceChanged = 2,
    /// [`ToClient::Retired`]
    Retired = 3,
}

/// Why a message can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// A number that no message has.
    #[error("a message of the unknown type {0}; there are 0 to 3")]
    UnknownType(i32),
    /// The string or number is not there or another thing.
    #[error("a message of type {number} needs {wanted}, and holds {found}")]
    Body {
        /// The message's number.
        number: i32,
        /// What it needs.
        wanted: &'static str,
        /// What there is.
        found: String,
    },
}

impl ToServer {
    /// The message's number.
    pub fn number(&self) -> i32 {
        match self {
            ToServer::AddForInfo(_) => 0,
            ToServer::AddForFrames(_) => 1,
            ToServer::RemoveForInfo(_) => 2,
            ToServer::RemoveForFrames(_) => 3,
        }
    }

    /// The message's archive.
    pub fn body(&self) -> Vec<u8> {
        let (ToServer::AddForInfo(client)
        | ToServer::AddForFrames(client)
        | ToServer::RemoveForInfo(client)
        | ToServer::RemoveForFrames(client)) = self;
        Archived::Text(client.clone()).write()
    }

    /// Reads a message.
    pub fn read(number: i32, body: &[u8]) -> Result<ToServer, MessageError> {
        let make = match number {
            0 => ToServer::AddForInfo,
            1 => ToServer::AddForFrames,
            2 => ToServer::RemoveForInfo,
            3 => ToServer::RemoveForFrames,
            _ => return Err(MessageError::UnknownType(number)),
        };
        text(number, body).map(make)
    }
}

impl ToClient {
    /// Which message it is.
    pub fn kind(&self) -> Kind {
        match self {
            ToClient::NameChanged(_) => Kind::NameChanged,
            ToClient::NewFrame => Kind::NewFrame,
            ToClient::SurfaceChanged(_) => Kind::SurfaceChanged,
            ToClient::Retired => Kind::Retired,
        }
    }

    /// The message's number.
    pub fn number(&self) -> i32 {
        self.kind() as i32
    }

    /// The message's archive; empty for those without one.
    pub fn body(&self) -> Vec<u8> {
        match self {
            ToClient::NameChanged(name) => Archived::Text(name.clone()).write(),
            ToClient::SurfaceChanged(surface) => Archived::Number(*surface).write(),
            ToClient::NewFrame | ToClient::Retired => Vec::new(),
        }
    }

    /// Reads a message. Those without a body may have one; it means nothing.
    pub fn read(number: i32, body: &[u8]) -> Result<ToClient, MessageError> {
        Ok(match number {
            0 => ToClient::NameChanged(text(number, body)?),
            1 => ToClient::NewFrame,
            2 => match Archived::read(body) {
                Ok(Archived::Number(surface)) => ToClient::SurfaceChanged(surface),
                other => return Err(unfit(number, "the number of a surface", other)),
            },
            3 => ToClient::Retired,
            _ => return Err(MessageError::UnknownType(number)),
        })
    }
}

fn text(number: i32, body: &[u8]) -> Result<String, MessageError> {
    match Archived::read(body) {
        Ok(Archived::Text(text)) if !text.is_empty() => Ok(text),
        other => Err(unfit(number, "a name", other)),
    }
}

fn unfit(number: i32, wanted: &'static str, found: Result<Archived, ArchiveError>) -> MessageError {
    let found = found.map_or_else(|e| e.to_string(), |archived| format!("{archived:?}"));
    MessageError::Body { number, wanted, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_protocol() {
        let client = || "c".to_owned();
        let to_server =
            [ToServer::AddForInfo, ToServer::AddForFrames, ToServer::RemoveForInfo, ToServer::RemoveForFrames];
        assert_eq!(to_server.map(|make| make(client()).number()), [0, 1, 2, 3]);
        let name = ToClient::NameChanged("n".into());
        let to_client = [name, ToClient::NewFrame, ToClient::SurfaceChanged(1), ToClient::Retired];
        assert_eq!(to_client.map(|m| m.number()), [0, 1, 2, 3]);
    }

    #[test]
    fn what_is_written_is_read() {
        for make in [ToServer::AddForInfo, ToServer::AddForFrames, ToServer::RemoveForInfo, ToServer::RemoveForFrames] {
            let message = make("info.v002.Syphon.1".into());
            assert_eq!(ToServer::read(message.number(), &message.body()), Ok(message));
        }
        let name = ToClient::NameChanged("Kamera Ä".into());
        for message in [name, ToClient::NewFrame, ToClient::SurfaceChanged(u32::MAX), ToClient::Retired] {
            assert_eq!(ToClient::read(message.number(), &message.body()), Ok(message));
        }
        assert!(ToClient::NewFrame.body().is_empty() && ToClient::Retired.body().is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        let text = |e: MessageError| e.to_string();
        let number = Archived::Number(7).write();
        assert_eq!(
            ToServer::read(4, &[]).map_err(text),
            Err("a message of the unknown type 4; there are 0 to 3".into())
        );
        assert_eq!(
            ToServer::read(1, &number).map_err(text),
            Err("a message of type 1 needs a name, and holds Number(7)".into())
        );
        assert!(ToServer::read(0, &Archived::Text(String::new()).write()).is_err());
        assert!(ToClient::read(2, &[]).map_err(text).unwrap_err().starts_with("a message of type 2 needs the number"));
        assert!(ToClient::read(-1, &[]).is_err());
    }
}
