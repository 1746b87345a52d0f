//! What is printed at the end.

use super::calm::Moment;
use super::ledger::Ledger;
use super::options::Options;
use std::process::ExitCode;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::SeqCst;

/// What was done.
#[derive(Default)]
pub struct Done {
    pub kills: u64,
    pub stops: u64,
    pub fillings: u64,
    pub shortages: u64,
    pub receivers_killed: u64,
    pub small_disk: bool,
    /// Calm moments of the server that ran longest, the last one.
    pub last_life: Vec<Moment>,
    pub calms: u64,
}

/// How much memory the longest running server may have gained between its first calm moment and its last, in KiB.
const MEMORY_SLACK: u64 = 16 << 10;

pub fn tell(options: &Options, ledger: &Ledger, done: &Done) -> ExitCode {
    if let (Some(first), Some(last)) = (done.last_life.first(), done.last_life.last())
        && last.vitals.anonymous > first.vitals.anonymous + MEMORY_SLACK
    {
        ledger.breach(format!(
            "memory grew from {} to {} KiB between {:.0} s and {:.0} s of the server's life",
            first.vitals.anonymous,
            last.vitals.anonymous,
            first.after.as_secs_f64(),
            last.after.as_secs_f64()
        ));
    }
    let counts = &ledger.counts;
    let of = |c: &std::sync::atomic::AtomicU64| c.load(SeqCst);
    println!("soaked for {} s with seed {}", options.time.as_secs(), options.seed);
    println!("  LUTs accepted         {}", of(&counts.accepted));
    println!("  refused, short of fds {}", of(&counts.refused_for_want));
    println!("  looked for at once    {}", of(&counts.looked));
    println!("  textures looked at    {}", of(&counts.frames));
    println!("  malformed, refused    {}", of(&counts.refused_malformed));
    println!("  clients that left     {}", of(&counts.broken_off));
    println!("  connections lost      {} with their server", of(&counts.lost_connections));
    println!("  server killed         {}, stopped {}", done.kills, done.stops);
    println!("  receivers killed      {}", done.receivers_killed);
    match done.small_disk {
        true => println!("  disk filled           {}", done.fillings),
        false => println!("  disk filled           NOT TRIED: no file system can be mounted here (as root it can)"),
    }
    println!("  fd limit lowered      {}", done.shortages);
    println!("  calm moments          {}", done.calms);
    for moment in &done.last_life {
        println!(
            "    after {:4.0} s: {} streams, {} fds, {} threads, {} KiB of its own, {} KiB resident",
            moment.after.as_secs_f64(),
            moment.streams,
            moment.vitals.fds,
            moment.vitals.threads,
            moment.vitals.anonymous,
            moment.vitals.resident
        );
    }
    let mut latencies = ledger.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone();
    latencies.sort_unstable();
    let at = |part: f64| latencies.get((latencies.len() as f64 * part) as usize).copied().unwrap_or(0);
    println!("  answer to a good LUT  median {} µs, p99 {} µs", at(0.5), at(0.99));
    let breaches = ledger.breaches();
    if breaches.is_empty() {
        println!("nothing was broken");
        return ExitCode::SUCCESS;
    }
    println!("{} PROMISES BROKEN; again with --seed {}", breaches.len(), options.seed);
    breaches.iter().take(50).for_each(|breach| println!("  {breach}"));
    ExitCode::FAILURE
}
