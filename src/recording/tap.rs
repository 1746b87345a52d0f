//! Listens in on a connection: what is read from it goes to the recorder, a message at a time.

use super::format::Event;
use super::write::Recorder;
use std::io::{self, Read};

/// Bytes kept of a message that can't be framed.
const LONGEST_BROKEN: usize = 64 << 10;

/// A source of which a recorder hears what is read. Without a recorder it costs nothing.
pub struct Tapped<R> {
    source: R,
    tap: Option<Tap>,
}

struct Tap {
    recorder: Recorder,
    connection: u32,
    /// What has arrived of the message under way.
    message: Vec<u8>,
    longest: usize,
    /// A message could not be framed: what comes after it means nothing.
    lost_track: bool,
}

impl<R> Tapped<R> {
    /// Reads from `source`, whose messages are `longest` bytes at most.
    pub fn new(source: R, recorder: Option<&Recorder>, longest: usize) -> Self {
        let tap = recorder.map(|recorder| Tap {
            recorder: recorder.clone(),
            connection: recorder.number(),
            message: Vec::new(),
            longest,
            lost_track: false,
        });
        Tapped { source, tap }
    }

    /// What is read from.
    pub fn source(&self) -> &R {
        &self.source
    }
}

impl<R: Read> Read for Tapped<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(into)?;
        if let Some(tap) = &mut self.tap {
            tap.take(&into[..count]);
        }
        Ok(count)
    }
}

impl Tap {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.lost_track {
                let room = LONGEST_BROKEN.saturating_sub(self.message.len());
                self.message.extend_from_slice(&bytes[..bytes.len().min(room)]);
                return;
            }
            let wanted = match self.message.first_chunk::<4>() {
                None => 4,
                Some(prefix) => match usize::try_from(i32::from_le_bytes(*prefix)) {
                    Ok(length) if (5..=self.longest).contains(&length) => length,
                    _ => {
                        self.lost_track = true;
                        continue;
                    }
                },
            };
            let (now, later) = bytes.split_at(bytes.len().min(wanted - self.message.len()));
            self.message.extend_from_slice(now);
            bytes = later;
            if self.message.len() == wanted && wanted > 4 {
                let next = Vec::with_capacity(self.message.len());
                let message = std::mem::replace(&mut self.message, next);
                self.recorder.record(self.connection, Event::Message(message));
            }
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if !self.message.is_empty() {
            self.recorder.record(self.connection, Event::Broken(std::mem::take(&mut self.message)));
        }
        self.recorder.record(self.connection, Event::End);
    }
}
