//! What one connection's requests do: each becomes a LUT put into force, CDL values, or a refusal.

use crate::hald::{NotFiniteCount, Texel};
use crate::lut::{Cdl, GridSize};
use crate::memory_limit::{Charge, MemoryLimit};
use crate::sink::{self, ChannelId, LutSink, LutWriter, Refusal};
use crate::wire::WireError;
use crate::wire::message::Message;
use crate::wire::request::{LONGEST_CHANNEL, Payload, Request};
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A staging buffer larger than this is not kept for the next LUT.
const KEEP_STAGED_BYTES: usize = 8 << 20;

/// The requests of one connection.
pub(super) struct Session {
    sink: Arc<dyn LutSink>,
    request: Request,
    intake: Intake,
}

/// What became of a request that was read to its end.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A LUT is in force, `publish` after its last byte had come.
    Lut { size: GridSize, revision: u64, publish: Duration },
    /// CDL values are recorded.
    Cdl,
    /// Nothing changed.
    Refused(Refusal),
}

/// Takes `lutData` as it arrives: straight to its channel where the channel is known already, else into a buffer.
struct Intake {
    sink: Arc<dyn LutSink>,
    /// Of the message under way; larger LUTs are refused.
    largest: GridSize,
    memory: MemoryLimit,
    writers: Vec<(ChannelId, Box<dyn LutWriter>)>,
    staged: Vec<Texel>,
    /// For `staged`.
    charge: Charge,
    state: State,
}

enum State {
    /// No `lutData` so far, or it is not wanted.
    Idle,
    /// Entries go to the writer at this index.
    Streaming { writer: usize, size: GridSize, next: usize, bad: Option<NotFiniteCount> },
    /// Entries are gathered, for their channel is not known yet.
    Staging { size: GridSize },
    /// `lutData` cannot be used.
    Refused(Refusal),
}

impl Session {
    /// What is held of LUTs counts against `memory`.
    pub(super) fn new(sink: Arc<dyn LutSink>, memory: MemoryLimit) -> Self {
        let intake = Intake {
            sink: sink.clone(),
            largest: GridSize::MAX,
            memory,
            writers: Vec::new(),
            staged: Vec::new(),
            charge: Charge::default(),
            state: State::Idle,
        };
        Session { sink, request: Request::default(), intake }
    }

    /// Reads a request and does what it says. An `Err` means that no further request can be read.
    pub(super) fn handle<R: Read>(&mut self, mut message: Message<'_, R>) -> Result<Outcome, WireError> {
        self.intake.largest = message.limits().lut_size;
        let read = self.request.read(&mut message, &mut self.intake);
        let state = std::mem::replace(&mut self.intake.state, State::Idle);
        if let Err(e) = read {
            self.intake.give_up(state);
            return Err(e);
        }
        message.finish()?;
        let outcome = match self.request.command() {
            Some("setLUT") => self.set_lut(state),
            other => {
                let refusal = match other {
                    Some("setCDL") => None,
                    Some(unknown) => Some(Refusal::UnknownCommand(unknown.to_owned())),
                    None => Some(Refusal::NoCommand),
                };
                self.intake.give_up(state);
                match refusal {
                    None => self.set_cdl().map(|()| Outcome::Cdl),
                    Some(refusal) => Err(refusal),
                }
            }
        };
        Ok(outcome.unwrap_or_else(|refusal| {
            // A writer that is not kept lets a channel go that never had a LUT.
            let channel = self.request.channel();
            self.intake.writers.retain(|(id, _)| id.name().unwrap_or("") != channel);
            Outcome::Refused(refusal)
        }))
    }

    /// The channel of the request read last, for the log.
    pub(super) fn channel(&self) -> ChannelId {
        ChannelId::new(self.request.channel())
    }

    /// The other fields of the request read last, for the log.
    pub(super) fn metadata(&self) -> &str {
        &self.request.metadata
    }

    fn set_lut(&mut self, state: State) -> Result<Outcome, Refusal> {
        let checked = self.check_lut(&state);
        let arrived = Instant::now();
        let (size, revision) = match (checked, state) {
            (Err(refusal), state) => {
                self.intake.give_up(state);
                return Err(refusal);
            }
            (Ok(()), State::Idle) => return Err(Refusal::NoLutData),
            (Ok(()), State::Refused(refusal)) => return Err(refusal),
            (Ok(()), State::Streaming { writer, size, bad, .. }) => {
                let writer = &mut self.intake.writers[writer].1;
                if let Some(bad) = bad {
                    writer.abandon();
                    bad.result(size, writer.order())?;
                }
                (size, writer.commit()?)
            }
            (Ok(()), State::Staging { size }) => {
                let writer = self.intake.writer(self.request.channel())?;
                let put = sink::put(&mut *self.intake.writers[writer].1, size, &self.intake.staged);
                if size.rgba_bytes() > KEEP_STAGED_BYTES {
                    self.intake.staged = Vec::new();
                    self.intake.charge = Charge::default();
                }
                (size, put?)
            }
        };
        Ok(Outcome::Lut { size, revision, publish: arrived.elapsed() })
    }

    /// The fields around `lutData`.
    fn check_lut(&self, state: &State) -> Result<(), Refusal> {
        check_channel(&self.request)?;
        let size = match state {
            State::Streaming { size, .. } | State::Staging { size } => *size,
            State::Idle | State::Refused(_) => return Ok(()),
        };
        check_size(&self.request, size)
    }

    fn set_cdl(&mut self) -> Result<(), Refusal> {
        check_channel(&self.request)?;
        let arguments = self.request.cdl;
        let whole = |name, value: Option<[f64; 3]>| value.ok_or(Refusal::CdlMissing(name));
        if let Some(name) = arguments.incomplete {
            return Err(Refusal::CdlMissing(name));
        }
        let cdl = Cdl::new(
            whole("slope", arguments.slope)?,
            whole("offset", arguments.offset)?,
            whole("power", arguments.power)?,
            arguments.saturation.unwrap_or(1.0),
        )?;
        self.sink.set_cdl(&ChannelId::new(self.request.channel()), &cdl)
    }
}

impl Intake {
    /// The index of the writer for `channel`.
    fn writer(&mut self, channel: &str) -> Result<usize, Refusal> {
        if let Some(at) = self.writers.iter().position(|(id, _)| id.name().unwrap_or("") == channel) {
            return Ok(at);
        }
        let id = ChannelId::new(channel);
        let writer = self.sink.writer(&id)?;
        self.writers.push((id, writer));
        Ok(self.writers.len() - 1)
    }

    fn start(&mut self, so_far: &Request, bytes: usize) -> Result<State, Refusal> {
        let size = GridSize::from_rgba_bytes(bytes)?;
        check_size(so_far, size)?;
        if size > self.largest {
            return Err(Refusal::LutTooLarge { size, limit: self.largest });
        }
        match (so_far.command(), so_far.channel_so_far()) {
            (Some("setLUT"), Some(channel)) => {
                check_channel(so_far)?;
                let writer = self.writer(channel)?;
                self.writers[writer].1.begin(size)?;
                Ok(State::Streaming { writer, size, next: 0, bad: None })
            }
            (Some("setLUT") | None, _) => {
                self.staged.clear();
                let bytes = (size.rgba_bytes() as u64).max(self.charge.bytes());
                let charged = self.charge.resize_of(&self.memory, bytes);
                charged.map_err(|why| Refusal::OverMemoryLimit { size, why })?;
                self.staged
                    .try_reserve_exact(size.entries())
                    .map_err(|_| Refusal::OutOfMemory { bytes: size.rgba_bytes() })?;
                Ok(State::Staging { size })
            }
            (Some(_), _) => Ok(State::Idle),
        }
    }

    fn give_up(&mut self, state: State) {
        if let State::Streaming { writer, .. } = state {
            self.writers[writer].1.abandon();
        }
    }
}

impl Payload for Intake {
    fn begin(&mut self, so_far: &Request, bytes: usize) {
        self.state = self.start(so_far, bytes).unwrap_or_else(State::Refused);
    }

    fn entries(&mut self, entries: &[Texel]) {
        match &mut self.state {
            State::Streaming { writer, next, bad, .. } => {
                match bad {
                    Some(bad) => bad.add(*next, entries),
                    None if self.writers[*writer].1.entries(entries) => {}
                    None => bad.insert(NotFiniteCount::default()).add(*next, entries),
                }
                *next += entries.len();
            }
            State::Staging { .. } => self.staged.extend_from_slice(entries),
            State::Idle | State::Refused(_) => {}
        }
    }
}

fn check_channel(request: &Request) -> Result<(), Refusal> {
    match request.channel_bytes() {
        bytes if bytes > LONGEST_CHANNEL => Err(Refusal::ChannelNameTooLong { bytes, limit: LONGEST_CHANNEL }),
        _ => Ok(()),
    }
}

/// `lutSize`, where it is known, against the size of `lutData`.
fn check_size(request: &Request, actual: GridSize) -> Result<(), Refusal> {
    match request.lut_size {
        Some(stated) if stated != actual.get() as f64 => Err(Refusal::LutSize { stated, actual }),
        _ => Ok(()),
    }
}
