//! A connection to the server, as bytes.

use super::mark::Mark;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use virtual_gpu_lut_box::lut::GridSize;
use virtual_gpu_lut_box::wire::document::Document;
use virtual_gpu_lut_box::wire::reply;

/// No reply takes longer on a server that works, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(40);

pub struct Wire(pub TcpStream);

pub enum Answer {
    Accepted,
    Refused(String),
}

impl Wire {
    pub fn connect(address: SocketAddr) -> io::Result<Wire> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Wire(stream))
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    pub fn answer(&mut self) -> io::Result<Answer> {
        let mut bytes = vec![0; 4];
        self.0.read_exact(&mut bytes)?;
        let length = bytes.first_chunk().map_or(0, |b| u32::from_le_bytes(*b)) as usize;
        if !(5..=1 << 20).contains(&length) {
            return Err(io::Error::other(format!("a reply of {length} bytes")));
        }
        bytes.resize(length, 0);
        self.0.read_exact(&mut bytes[4..])?;
        match bytes == reply::OK {
            true => Ok(Answer::Accepted),
            false => Ok(Answer::Refused(String::from_utf8_lossy(&bytes[4..]).replace('\0', " "))),
        }
    }
}

/// A whole `setLUT`.
pub fn set_lut(channel: &str, payload: &[u8]) -> Vec<u8> {
    let data = Document::new().binary("lutData", payload.len(), |out| out.extend_from_slice(payload));
    Document::new().string("command", "setLUT").string("instance", channel).document("arguments", data).finish()
}

/// A whole `setLUT` of the LUT that `mark` is.
pub fn marked(channel: &str, mark: Mark, size: GridSize) -> Vec<u8> {
    set_lut(channel, &mark.payload(size))
}

/// A grid size: most often a small one, for many LUTs tell more than large ones.
pub fn any_size(random: &mut fastrand::Rng) -> GridSize {
    let n = *random.choice(&[2u64, 5, 9, 9, 9, 17, 17, 33]).unwrap_or(&9);
    GridSize::new(n).unwrap_or(GridSize::MIN)
}
