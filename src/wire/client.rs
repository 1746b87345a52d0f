//! The other side of the protocol: sends LUTs and reads replies.

use super::document::Document;
use super::reply::Reply;
use crate::hald::{self, EntryOrder};
use crate::lut::{Cdl, GridSize, Lut3d};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The longest reply that a client takes, in bytes.
const LONGEST_REPLY: usize = 1 << 20;

/// A connection to an OpenGradeIO server.
pub struct Client {
    stream: TcpStream,
    reply: Vec<u8>,
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is nobody at that address.
    #[error("can't connect to {address}: {source}")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection to the server broke: {0}")]
    Io(#[from] io::Error),
    /// The server did not answer in time.
    #[error("the server did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The server closed the connection instead of answering.
    #[error("the server closed the connection without an answer")]
    Closed,
    /// The reply makes no sense.
    #[error("the server's reply is not one of OpenGradeIO: {0}")]
    Reply(String),
}

impl Client {
    /// Connects to `host`:`port`. `timeout` bounds connecting, and later each read and write.
    pub fn connect(host: &str, port: u16, timeout: Duration) -> Result<Client, ClientError> {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let failed = |source| ClientError::Connect { address: format!("{host}:{port}"), source };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name stands for no address");
        for address in (bare, port).to_socket_addrs().map_err(failed)? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(timeout))?;
                    stream.set_write_timeout(Some(timeout))?;
                    return Ok(Client { stream, reply: Vec::new() });
                }
                Err(e) => last = e,
            }
        }
        Err(failed(last))
    }

    /// Sends a LUT on `channel` (`None`: without an `instance`) and waits for the reply.
    pub fn set_lut(&mut self, channel: Option<&str>, lut: &Lut3d, order: EntryOrder) -> Result<Reply, ClientError> {
        self.request(&set_lut(channel, lut, order))
    }

    /// Sends CDL values on `channel` and waits for the reply.
    pub fn set_cdl(&mut self, channel: Option<&str>, cdl: &Cdl) -> Result<Reply, ClientError> {
        self.request(&set_cdl(channel, cdl))
    }

    /// Sends a message made by [`set_lut`] or [`set_cdl`], and waits for the reply.
    pub fn request(&mut self, message: &[u8]) -> Result<Reply, ClientError> {
        let sent = self.stream.write_all(message);
        // A server that refuses a message in the middle says why before it closes: that is the better error.
        match (self.read_reply(), sent) {
            (Ok(reply), _) => Ok(reply),
            (Err(_), Err(e)) => Err(e.into()),
            (Err(e), Ok(())) => Err(e),
        }
    }

    fn read_reply(&mut self) -> Result<Reply, ClientError> {
        let mut prefix = [0; 4];
        self.read_exact(&mut prefix)?;
        let length = i32::from_le_bytes(prefix);
        let length = usize::try_from(length)
            .ok()
            .filter(|l| (5..=LONGEST_REPLY).contains(l))
            .ok_or_else(|| ClientError::Reply(format!("it claims {length} bytes")))?;
        let mut reply = std::mem::take(&mut self.reply);
        reply.clear();
        reply.extend_from_slice(&prefix);
        reply.resize(length, 0);
        let read = self.read_exact(&mut reply[4..]);
        let parsed = read.and_then(|()| parse_reply(&reply));
        self.reply = reply;
        parsed
    }

    fn read_exact(&mut self, into: &mut [u8]) -> Result<(), ClientError> {
        self.stream.read_exact(into).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => ClientError::Closed,
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                ClientError::TimedOut(self.stream.read_timeout().ok().flatten().unwrap_or_default())
            }
            _ => e.into(),
        })
    }
}

/// A `setLUT` message.
pub fn set_lut(channel: Option<&str>, lut: &Lut3d, order: EntryOrder) -> Vec<u8> {
    let size = lut.size();
    let arguments = Document::new().int32("lutSize", size.get() as i32).binary("lutData", size.rgba_bytes(), |out| {
        for i in 0..size.entries() {
            out.extend_from_slice(&hald::texel(lut.at(order.point(size, i))));
        }
    });
    envelope("setLUT", channel).string("type", "3D").document("arguments", arguments).finish()
}

/// A `setCDL` message.
pub fn set_cdl(channel: Option<&str>, cdl: &Cdl) -> Vec<u8> {
    let arguments = Document::new()
        .doubles("slope", &cdl.slope())
        .doubles("offset", &cdl.offset())
        .doubles("power", &cdl.power())
        .double("saturation", cdl.saturation());
    envelope("setCDL", channel).document("arguments", arguments).finish()
}

fn envelope(command: &str, channel: Option<&str>) -> Document {
    let document = Document::new().string("command", command).string("service", "virtual-gpu-lut-box");
    match channel {
        Some(channel) => document.string("instance", channel),
        None => document,
    }
}

/// The bytes of a `setLUT` message for a LUT of this grid size, near enough to plan with.
pub fn set_lut_bytes(size: GridSize) -> usize {
    size.rgba_bytes() + 256
}

/// Reads `result` and `error` out of a reply, whatever else it holds.
fn parse_reply(bytes: &[u8]) -> Result<Reply, ClientError> {
    use super::message::MessageReader;
    let wrong = |e: &dyn std::fmt::Display| ClientError::Reply(e.to_string());
    let limits = super::WireLimits::default();
    let mut reader = MessageReader::new(bytes, limits);
    let mut message = reader.next_message().map_err(|e| wrong(&e))?.ok_or(ClientError::Closed)?;
    let end = message.end();
    let (mut result, mut error) = (None, String::new());
    while let Some(element) = message.element(end).map_err(|e| wrong(&e))? {
        let read = match (element.key(), element.kind) {
            ("result", 0x10) => message.int32(end).map(|v| result = Some(f64::from(v))),
            ("result", 0x12) => message.int64(end).map(|v| result = Some(v as f64)),
            ("result", 0x01) => message.double(end).map(|v| result = Some(v)),
            ("error", 0x02) => message.string(end, LONGEST_REPLY, &mut error).map(|_| ()),
            _ => message.skip(&element, end),
        };
        read.map_err(|e| wrong(&e))?;
    }
    match result {
        Some(1.0) => Ok(Reply::Ok),
        Some(_) => Ok(Reply::Error(if error.is_empty() { "(the server gave no reason)".into() } else { error })),
        None => Err(ClientError::Reply("it has no \"result\"".into())),
    }
}
