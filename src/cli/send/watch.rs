//! `vglb send --watch`: sends a file's LUT, and again whenever it changes.

use super::{Send, on};
use crate::cli::output::line;
use crate::lut::file::ReadOptions;
use crate::watch::{LOOK_GAP, News, Watch};
use crate::wire::client::{Client, ClientError, set_lut};
use crate::wire::reply::Reply;
use anyhow::Context;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A server that can't be reached is tried again this often.
const RETRY: Duration = Duration::from_secs(1);

/// Sends until Ctrl-C, or until `--count` LUTs are accepted. A server that goes away and comes back gets the LUT again.
pub(super) fn run(args: &Send, file: &Path, options: ReadOptions) -> anyhow::Result<ExitCode> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    crate::texture::when_told_to_end(move || seen.store(true, Ordering::Relaxed)).context("can't watch for signals")?;
    let timeout = Duration::from_secs_f64(args.timeout);
    // That there is no server to begin with is the user's mistake more often than not.
    let mut client = Some(Client::connect(&args.host, args.port, timeout)?);
    let mut watch = Watch::new(file, options);
    let mut waiting: Option<Vec<u8>> = None;
    let mut tried: Option<Instant> = None;
    let mut accepted = 0;
    line(format_args!("watching {}{}; Ctrl-C ends it", file.display(), on(args)))?;
    while !stop.load(Ordering::Relaxed) && args.count.is_none_or(|count| accepted < count) {
        match watch.news() {
            Some(News::Lut(read)) => {
                read.notes.iter().for_each(|note| eprintln!("note: {note}"));
                waiting = Some(set_lut(args.channel.as_deref(), &read.lut, args.entry_order));
                tried = None;
            }
            Some(News::Wrong(why)) => eprintln!("not sent: {why}"),
            Some(News::Gone(why)) => eprintln!("not sent: {} can't be read: {why}", file.display()),
            None => {}
        }
        if let Some(message) = waiting.take_if(|_| tried.is_none_or(|t| t.elapsed() >= RETRY)) {
            let begun = Instant::now();
            match deliver(args, &mut client, &message) {
                Ok(Reply::Ok) => {
                    accepted += 1;
                    let took = begun.elapsed().as_secs_f64() * 1e3;
                    line(format_args!("accepted: {}{} in {took:.2} ms", file.display(), on(args)))?;
                    tried = None;
                    continue;
                }
                Ok(Reply::Error(why)) => eprintln!("refused: {why}"),
                Err(why) => {
                    client = None;
                    if tried.is_none() {
                        eprintln!("not sent yet: {why}");
                    }
                    waiting = Some(message);
                }
            }
            tried = waiting.is_some().then(Instant::now);
        }
        thread::sleep(LOOK_GAP);
    }
    Ok(ExitCode::SUCCESS)
}

fn deliver(args: &Send, client: &mut Option<Client>, message: &[u8]) -> Result<Reply, ClientError> {
    let timeout = Duration::from_secs_f64(args.timeout);
    // A connection that has been idle may be gone without having said so: then a new one is tried.
    if let Some(old) = client {
        if let Ok(reply) = old.request(message) {
            return Ok(reply);
        }
        *client = None;
    }
    client.insert(Client::connect(&args.host, args.port, timeout)?).request(message)
}
