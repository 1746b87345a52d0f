//! Clients that send what must be refused, and clients that leave in the middle.

use super::clients::Seat;
use super::ledger::{LOOSE, OWNED, channel_name, count};
use super::mark::Mark;
use super::wire::{Answer, Wire, any_size, marked, set_lut};
use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::atomic::Ordering::SeqCst;

/// The channel on which no good LUT ever comes, so that it begins and ends all the time.
const FLEETING: &str = "fleeting";

/// Sends nothing that may be accepted.
pub fn malformed(mut seat: Seat) {
    while let Some(life) = seat.life() {
        if seat.ledger.rest() {
            continue;
        }
        if let Some(mut wire) = seat.connect(life) {
            for _ in 0..seat.random.u8(1..4) {
                let message = bad_message(&mut seat);
                if wire.send(&message).is_err() {
                    break;
                }
            }
            let _ = wire.0.shutdown(Shutdown::Write);
            refusals(&seat, &mut wire, life, "what is malformed");
        }
        seat.pause(10, 150);
    }
}

/// Reads answers to the end: none says that something was accepted.
fn refusals(seat: &Seat, wire: &mut Wire, life: u64, what: &str) -> Option<String> {
    let mut last = None;
    loop {
        match wire.answer() {
            Ok(Answer::Accepted) => seat.ledger.breach(format!("{what} was accepted")),
            Ok(Answer::Refused(why)) => {
                count(&seat.ledger.counts.refused_malformed);
                last = Some(why);
            }
            Err(e) => {
                if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) && seat.ledger.life() == Some(life) {
                    seat.ledger.breach(format!("neither an answer to {what}, nor an end"));
                }
                return last;
            }
        }
    }
}

/// A LUT for an owned channel that can't be good whatever few of its bits are changed.
fn not_finite(seat: &mut Seat, channel: &str) -> Vec<u8> {
    let mark = Mark { channel: seat.random.u16(..OWNED), number: 1, good: false };
    let mut payload = mark.payload(any_size(&mut seat.random));
    let entries = payload.len() / 16;
    for at in [0, entries / 3, entries / 2, entries - 1] {
        payload[at * 16..at * 16 + 4].copy_from_slice(&[0xff; 4]);
        payload[at * 16 + 8..at * 16 + 12].copy_from_slice(&[0xff; 4]);
    }
    set_lut(channel, &payload)
}

fn bad_message(seat: &mut Seat) -> Vec<u8> {
    let channel = channel_name(seat.random.u16(..OWNED));
    match seat.random.u8(..6) {
        0 => {
            let mut bytes: Vec<u8> = (0..seat.random.usize(5..300)).map(|_| seat.random.u8(..)).collect();
            let length = (bytes.len() as u32).to_le_bytes();
            bytes[..4].copy_from_slice(&length);
            bytes
        }
        1 => {
            let claimed = [-1, i32::MIN, i32::MAX, 4, 0, 33_619_969];
            seat.random.choice(claimed).unwrap_or(-1).to_le_bytes().to_vec()
        }
        2 => {
            // Documents in documents, deeper than any may be.
            let mut bytes = b"\x05\0\0\0\0".to_vec();
            for _ in 0..seat.random.u8(30..200) {
                let length = (bytes.len() as u32 + 8).to_le_bytes();
                bytes = [&length, &b"\x03a\0"[..], &bytes, b"\0"].concat();
            }
            bytes
        }
        3 => set_lut(&channel, &vec![0x3f; 16 * seat.random.usize(9..26)]),
        4 => not_finite(seat, &channel),
        _ => {
            let mut message = not_finite(seat, &channel);
            for _ in 0..seat.random.u8(1..6) {
                // Most often in the fields before the payload.
                let within = if seat.random.bool() { 100 } else { message.len() };
                let at = seat.random.usize(..within.min(message.len()));
                message[at] ^= 1 << seat.random.u8(..8);
            }
            message
        }
    }
}

/// Leaves without waiting: in the middle of a LUT, after a whole one, or before anything.
pub fn disconnecting(mut seat: Seat) {
    while let Some(life) = seat.life() {
        if seat.ledger.rest() {
            continue;
        }
        if let Some(mut wire) = seat.connect(life) {
            count(&seat.ledger.counts.broken_off);
            match seat.random.u8(..4) {
                0 => {
                    let channel = seat.random.u16(..OWNED);
                    let mark = Mark { channel, number: 2, good: false };
                    half(&mut seat, &mut wire, &channel_name(channel), mark);
                }
                1 => {
                    let channel = OWNED + seat.random.u16(..LOOSE);
                    let number = seat.ledger.channels[usize::from(channel)].next();
                    let size = any_size(&mut seat.random);
                    let _ = wire.send(&marked(&channel_name(channel), Mark { channel, number, good: true }, size));
                }
                2 => fleeting(&mut seat, wire, life),
                _ => drop(wire),
            }
        }
        seat.pause(5, 100);
    }
}

fn half(seat: &mut Seat, wire: &mut Wire, channel: &str, mark: Mark) {
    let message = marked(channel, mark, any_size(&mut seat.random));
    let _ = wire.send(&message[..seat.random.usize(1..message.len())]);
    if seat.random.bool() {
        seat.pause(1, 30);
    }
}

/// Begins a channel that ends with the connection, and again at once: its stream's name must be free, whenever the
/// server gets to the end of the first.
fn fleeting(seat: &mut Seat, mut first: Wire, life: u64) {
    half(seat, &mut first, FLEETING, Mark { channel: OWNED, number: 3, good: false });
    drop(first);
    for _ in 0..seat.random.u8(1..6) {
        let Some(mut wire) = seat.connect(life) else { return };
        let message = not_finite(seat, FLEETING);
        if wire.send(&message).is_err() {
            return;
        }
        let _ = wire.0.shutdown(Shutdown::Write);
        let why = refusals(seat, &mut wire, life, "a LUT that is not finite");
        let expected = |why: &String| why.contains("NaN");
        if let Some(why) = why.filter(|why| !expected(why))
            && !seat.ledger.is_short_of_fds()
            && seat.ledger.life() == Some(life)
        {
            seat.ledger.breach(format!("a LUT that is not finite was refused for another reason: {why}"));
        }
        if seat.ledger.calm.load(SeqCst) {
            return;
        }
    }
}
