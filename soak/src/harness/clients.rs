//! Clients that send what is good, at different speeds, each on a channel of its own.

use super::checks;
use super::ledger::{Ledger, channel_name, count};
use super::mark::Mark;
use super::wire::{Answer, Wire, any_size, marked};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What every client has.
#[derive(Clone)]
pub struct Seat {
    pub ledger: Arc<Ledger>,
    pub address: Arc<Mutex<SocketAddr>>,
    pub streams: PathBuf,
    pub random: fastrand::Rng,
}

impl Seat {
    /// A pause between `least` and `most` milliseconds.
    pub fn pause(&mut self, least: u64, most: u64) {
        std::thread::sleep(Duration::from_millis(self.random.u64(least..=most)));
    }

    /// The server's life, once one runs. `None` when it is all over.
    pub fn life(&mut self) -> Option<u64> {
        loop {
            if self.ledger.is_over() {
                return None;
            }
            match self.ledger.life() {
                Some(life) => return Some(life),
                None => self.pause(2, 10),
            }
        }
    }

    /// A new connection to the server of this life.
    pub fn connect(&mut self, life: u64) -> Option<Wire> {
        let address = *self.address.lock().unwrap_or_else(PoisonError::into_inner);
        match Wire::connect(address) {
            Ok(wire) => Some(wire),
            Err(e) => {
                if self.ledger.life() == Some(life) && !self.ledger.is_short_of_fds() {
                    self.ledger.breach(format!("no connection to a server that runs: {e}"));
                }
                self.pause(5, 50);
                None
            }
        }
    }
}

/// Sends LUTs on `channel`, and waits for each answer. A slow client sends them in small pieces.
pub fn good(mut seat: Seat, channel: u16, slow: bool) {
    let mut connection: Option<(u64, Wire)> = None;
    while let Some(life) = seat.life() {
        if seat.ledger.calm.load(SeqCst) {
            connection = None;
            seat.ledger.rest();
            continue;
        }
        let mut wire = match connection.take() {
            Some((of, wire)) if of == life => wire,
            _ => match seat.connect(life) {
                Some(wire) => wire,
                None => continue,
            },
        };
        if one(&mut seat, &mut wire, channel, slow, life) {
            // Now and then it leaves by itself.
            let stays = seat.random.u8(..) > 4;
            connection = stays.then_some((life, wire));
        }
        seat.pause(5, 60);
    }
}

/// Sends one LUT. Returns whether the connection is still good.
fn one(seat: &mut Seat, wire: &mut Wire, channel: u16, slow: bool, life: u64) -> bool {
    let ledger = seat.ledger.clone();
    let entry = &ledger.channels[usize::from(channel)];
    let number = entry.next();
    let message = marked(&channel_name(channel), Mark { channel, number, good: true }, any_size(&mut seat.random));
    let begun = Instant::now();
    let pieces = if slow { message.chunks(message.len() / 12 + 1) } else { message.chunks(message.len()) };
    let mut sent = Ok(());
    for piece in pieces {
        sent = sent.and_then(|()| wire.send(piece));
        if slow {
            seat.pause(5, 150);
        }
    }
    match sent.and_then(|()| wire.answer()) {
        Ok(Answer::Accepted) => {
            entry.note_accepted(number, life);
            count(&ledger.counts.accepted);
            if !slow {
                let took = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
                ledger.latencies.lock().unwrap_or_else(PoisonError::into_inner).push(took);
            }
            if seat.random.u8(..) < 24 {
                checks::accepted_is_shown(&ledger, &seat.streams, channel, number, life);
            }
            true
        }
        Ok(Answer::Refused(_)) if ledger.is_short_of_fds() => {
            count(&ledger.counts.refused_for_want);
            true
        }
        Ok(Answer::Refused(why)) => {
            ledger.breach(format!("a good LUT was refused on channel {channel}: {why}"));
            true
        }
        Err(e) => {
            count(&ledger.counts.lost_connections);
            if ledger.life() == Some(life) {
                ledger.breach(format!("a good client on channel {channel} lost its server, which runs: {e}"));
            }
            false
        }
    }
}
