//! What is done to the server, and when.

use super::calm::{self, Moment};
use super::checks;
use super::clients::{self, Seat};
use super::hostile;
use super::ledger::{Ledger, OWNED};
use super::options::Options;
use super::place::Place;
use super::receivers::Receivers;
use super::report::{self, Done};
use super::server::{Server, Vitals};
use rustix::process::Signal;
use std::process::ExitCode;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Clients that send good LUTs at full speed, slowly, malformed ones, and that break off.
const CLIENTS: [u16; 4] = [7, 3, 3, 3];
/// A LUT accepted so long before a kill is remembered, if the disk took it: `docs/state.md` speaks of 0.2 s and the
/// disk's time, and this machine may be very busy.
const REMEMBERED_AFTER: Duration = Duration::from_secs(6);
/// After the disk has refused, the server tries again this much later.
const DISK_RETRY: Duration = Duration::from_secs(6);

/// The soak under way.
struct Soak<'a> {
    options: &'a Options,
    place: Place,
    seat: Seat,
    server: Server,
    bare: Vitals,
    receivers: Receivers,
    done: Done,
    /// When the disk had room again, and the server descriptors to write with; `None` while either lacks.
    disk_good_since: Option<Instant>,
    free_disk_at: Option<Instant>,
    raise_fds_at: Option<Instant>,
}

pub fn run(options: &Options, place: Place) -> anyhow::Result<ExitCode> {
    if !place.small_disk {
        println!("no small file system can be mounted here: the disk will not be filled");
    }
    let ledger = Arc::new(Ledger::new());
    let server = Server::start(&options.program, &place, 0)?;
    let bare = server.vitals()?;
    let seat = Seat {
        ledger: ledger.clone(),
        address: Arc::new(Mutex::new(server.address)),
        streams: place.streams(),
        random: fastrand::Rng::with_seed(options.seed),
    };
    let receivers = Receivers::new(&ledger, &place.streams());
    let done = Done { small_disk: place.small_disk, ..Done::default() };
    let (disk_good_since, free_disk_at, raise_fds_at) = (Some(Instant::now()), None, None);
    let mut soak =
        Soak { options, place, seat, server, bare, receivers, done, disk_good_since, free_disk_at, raise_fds_at };
    ledger.turn();
    let clients = soak.start_clients();
    let went = soak.go_on();
    ledger.ended.store(true, SeqCst);
    let panicked = clients.into_iter().filter_map(|client| client.join().err()).count();
    if panicked > 0 {
        ledger.breach(format!("{panicked} clients of this program have panicked"));
    }
    went.and_then(|()| soak.end())?;
    if !ledger.breaches().is_empty() {
        println!("the last server's log ends:\n{}", last_lines(&soak.server.said()));
    }
    soak.done.receivers_killed = soak.receivers.killed;
    Ok(report::tell(options, &ledger, &soak.done))
}

fn last_lines(said: &str) -> String {
    let lines: Vec<_> = said.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

impl Soak<'_> {
    fn start_clients(&mut self) -> Vec<JoinHandle<()>> {
        let [good, slow, malformed, disconnecting] = CLIENTS;
        let mut threads = Vec::new();
        for client in 0..good + slow + malformed + disconnecting {
            let mut seat = self.seat.clone();
            seat.random = self.seat.random.fork();
            threads.push(std::thread::spawn(move || match client {
                c if c < good + slow => clients::good(seat, c, c >= good),
                c if c < good + slow + malformed => hostile::malformed(seat),
                _ => hostile::disconnecting(seat),
            }));
        }
        threads
    }

    /// One thing after another, until the time is up. The last third belongs to one server, which shows what it gathers.
    fn go_on(&mut self) -> anyhow::Result<()> {
        let (begun, time) = (Instant::now(), self.options.time);
        let (last_life, calm_gap) = (time * 2 / 3, (time / 20).max(Duration::from_secs(2)));
        let mut calm_at = begun + calm_gap;
        let mut alone = false;
        while begun.elapsed() < time {
            self.receivers.check();
            self.receivers.fill(&mut self.seat.random)?;
            self.give_back()?;
            if let Some(status) = self.server.ended() {
                self.seat.ledger.breach(format!("the server ended by itself, with {status}"));
                self.restart(None)?;
            }
            if begun.elapsed() > last_life && !std::mem::replace(&mut alone, true) {
                self.restart(Some(Signal::KILL))?;
                self.done.last_life.clear();
                calm_at = Instant::now() + calm_gap / 2;
            }
            if Instant::now() >= calm_at {
                calm_at = Instant::now() + calm_gap;
                self.calm()?;
            }
            self.seat.pause(100, 1200);
            match self.seat.random.u8(..20) {
                0..8 => self.receivers.kill_one(&mut self.seat.random),
                8..10 if !alone => self.restart(Some(Signal::KILL))?,
                10 if !alone => self.restart(Some(Signal::TERM))?,
                11 if self.free_disk_at.is_none() && self.done.small_disk => self.fill_disk()?,
                12 | 13 if self.raise_fds_at.is_none() => self.lower_fds()?,
                _ => {}
            }
        }
        self.free_disk_at = self.free_disk_at.map(|_| Instant::now());
        self.raise_fds_at = self.raise_fds_at.map(|_| Instant::now());
        self.give_back()?;
        self.calm()
    }

    fn fill_disk(&mut self) -> anyhow::Result<()> {
        self.disk_good_since = None;
        self.place.fill_disk()?;
        self.done.fillings += 1;
        self.free_disk_at = Some(Instant::now() + Duration::from_millis(self.seat.random.u64(500..5000)));
        Ok(())
    }

    fn lower_fds(&mut self) -> anyhow::Result<()> {
        self.disk_good_since = None;
        self.seat.ledger.set_fds_lowered(true);
        self.server.limit_fds(Some(self.seat.random.usize(..3)))?;
        self.done.shortages += 1;
        self.raise_fds_at = Some(Instant::now() + Duration::from_millis(self.seat.random.u64(500..2500)));
        Ok(())
    }

    /// Ends what has lasted long enough.
    fn give_back(&mut self) -> anyhow::Result<()> {
        let due = |at: Option<Instant>| at.is_some_and(|at| Instant::now() >= at);
        if due(self.free_disk_at) {
            self.place.free_disk();
            self.free_disk_at = None;
        }
        if due(self.raise_fds_at) {
            self.server.limit_fds(None)?;
            self.raise_fds_at = None;
            self.seat.ledger.set_fds_lowered(false);
        }
        self.note_disk();
        Ok(())
    }

    fn note_disk(&mut self) {
        if self.free_disk_at.is_none() && self.raise_fds_at.is_none() {
            self.disk_good_since.get_or_insert_with(Instant::now);
        }
    }

    fn calm(&mut self) -> anyhow::Result<()> {
        if self.raise_fds_at.is_some() {
            return Ok(());
        }
        let clients = CLIENTS.iter().map(|n| u32::from(*n)).sum();
        let moment = calm::look(&self.seat, &self.server, &mut self.receivers, clients, self.bare)?;
        self.done.calms += 1;
        let Some(moment): Option<Moment> = moment else { return Ok(()) };
        self.done.last_life.push(moment);
        Ok(())
    }

    /// Ends the server in a certain way, where it has not ended by itself; starts another, and sees what it has restored.
    fn restart(&mut self, signal: Option<Signal>) -> anyhow::Result<()> {
        let ledger = self.seat.ledger.clone();
        let life = ledger.epoch.load(SeqCst);
        ledger.turn();
        let at = Instant::now();
        let disk_took_all = self.disk_good_since.is_some_and(|since| at.duration_since(since) > DISK_RETRY);
        let mut all_saved = false;
        if let Some(signal) = signal {
            let status = self.server.end_by(signal)?;
            if signal == Signal::TERM {
                self.done.stops += 1;
                let gave_up = self.server.said().contains("not every channel's last LUT could be written");
                if !status.success() {
                    ledger.breach(format!("a server that was stopped ended with {status}"));
                }
                if gave_up && disk_took_all {
                    ledger.breach("a server that was stopped could not write its LUTs, and the disk was fine");
                }
                all_saved = !gave_up;
            } else {
                self.done.kills += 1;
            }
        }
        self.check_log();
        let floors = (0u16..).zip(&ledger.channels).map(|(channel, entry)| {
            if channel >= OWNED {
                return 0;
            }
            let recent = match (all_saved, at.checked_sub(REMEMBERED_AFTER).filter(|_| disk_took_all)) {
                (true, _) => entry.accepted(life, Instant::now()),
                (false, Some(time)) => entry.accepted(life, time),
                _ => 0,
            };
            recent.max(entry.restored.load(SeqCst))
        });
        let floors: Vec<u32> = floors.collect();
        self.server = Server::start(&self.options.program, &self.place, ledger.epoch.load(SeqCst))?;
        self.done.last_life.clear();
        self.raise_fds_at = None;
        ledger.set_fds_lowered(false);
        self.note_disk();
        checks::restored(&ledger, &self.place.streams(), &floors);
        *self.seat.address.lock().unwrap_or_else(PoisonError::into_inner) = self.server.address;
        ledger.turn();
        Ok(())
    }

    fn check_log(&self) {
        let said = self.server.said();
        for line in said.lines().filter(|line| line.contains("panicked") || line.contains(" ERROR ")) {
            self.seat.ledger.breach(format!("the server's log: {line}"));
        }
    }

    /// Everybody has left: the last LUT of every channel is on its stream, and again after a stop and a start.
    fn end(&mut self) -> anyhow::Result<()> {
        let ledger = self.seat.ledger.clone();
        self.receivers.kill_all(&mut self.seat.random);

        let life = ledger.epoch.load(SeqCst);
        let floors: Vec<u32> =
            ledger.channels[..usize::from(OWNED)].iter().map(|c| c.accepted(life, Instant::now())).collect();
        checks::restored(&ledger, &self.place.streams(), &floors);
        let moments = std::mem::take(&mut self.done.last_life);
        self.restart(Some(Signal::TERM))?;
        checks::restored(&ledger, &self.place.streams(), &floors);
        self.done.last_life = moments;
        self.server.end_by(Signal::TERM)?;
        self.check_log();
        Ok(())
    }
}
