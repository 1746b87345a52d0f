//! Moments without clients and receivers, in which the server has to be back at what it needs by itself.

use super::clients::Seat;
use super::receivers::Receivers;
use super::server::{Server, Vitals};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// What the server needed in one calm moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub after: Duration,
    pub streams: usize,
    pub vitals: Vitals,
}

/// Descriptors that a stream may have: its socket, and the rings of the shapes that were used last.
const FDS_A_STREAM: usize = 4;
/// How long the server may take to notice that everybody has left, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends everybody away, and looks at what the server holds. `bare`: what it had with no stream.
pub fn look(
    seat: &Seat,
    server: &Server,
    receivers: &mut Receivers,
    clients: u32,
    bare: Vitals,
) -> anyhow::Result<Option<Moment>> {
    let ledger = &seat.ledger;
    ledger.calm.store(true, SeqCst);
    receivers.kill_all(&mut seat.random.clone());
    let deadline = Instant::now() + PATIENCE;
    while ledger.resting.load(SeqCst) < clients && !ledger.is_over() {
        if Instant::now() > deadline {
            ledger.breach(format!("only {} clients got to an end", ledger.resting.load(SeqCst)));
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let deadline = Instant::now() + PATIENCE;
    let moment = loop {
        let streams = std::fs::read_dir(&seat.streams)?
            .filter(|f| f.as_ref().is_ok_and(|f| f.path().extension().is_some_and(|e| e == "sock")))
            .count();
        let vitals = server.vitals()?;
        // The thread that serves receivers begins with the first stream, and with it its three descriptors.
        let (fds, threads) = (bare.fds + 3 + FDS_A_STREAM * streams, bare.threads + 1);
        if vitals.fds <= fds && vitals.threads <= threads {
            break Some(Moment { after: server.started.elapsed(), streams, vitals });
        }
        if Instant::now() > deadline {
            ledger.breach(format!(
                "with no client and no receiver, and {streams} streams, the server has {} descriptors and {} threads; \
                 there should be at most {fds} and {threads}",
                vitals.fds, vitals.threads
            ));
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    ledger.calm.store(false, SeqCst);
    Ok(moment)
}
