//! A connection whose bytes are all there, for the fuzz targets: no socket, and the same code behind it.

use super::connection::{Connection, Stream};
use super::{Body, Handler, Head, HttpLimits, Request, Response, StopSignal};
use crate::memory_limit::MemoryLimit;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What is answered to all that `source` says. Bodies that go on are left out.
pub fn answers(handler: Arc<dyn Handler>, peer: SocketAddr, source: impl Read) -> Vec<u8> {
    let mut said = Vec::new();
    let script = Script { source, said: &mut said };
    Connection::new(script, peer, HttpLimits::default(), MemoryLimit::default())
        .serve(&Whole(handler), &StopSignal::default());
    said
}

struct Script<'a, R> {
    source: R,
    said: &'a mut Vec<u8>,
}

impl<R: Read> Read for Script<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.source.read(into)
    }
}

impl<R> Write for Script<'_, R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.said.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<R: Read> Stream for Script<'_, R> {
    fn set_read_timeout(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn set_write_timeout(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) {}
}

/// The same answers, and an end to each.
struct Whole(Arc<dyn Handler>);

impl Handler for Whole {
    fn admit(&self, head: &Head) -> Result<usize, Response> {
        self.0.admit(head)
    }

    fn handle(&self, request: &Request) -> Response {
        let answer = self.0.handle(request);
        match answer.body {
            Body::Whole(_) => answer,
            Body::Endless(_) => Response { body: Body::Whole((&[]).into()), ..answer },
        }
    }
}
