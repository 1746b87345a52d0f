//! ```text
//! options ──▶ place: a small file system ──▶ faults: what is done to the server, and when ──▶ report
//!                                              │ server: the process
//!                                              │ clients: 16 threads      ╲ ledger: what was sent and accepted,
//!                                              ╰ receivers: 8 processes   ╱ what is seen, what was broken
//! ```
//!
//! | file | job |
//! | --- | --- |
//! | `mark` | LUTs whose every texel tells which LUT it is of |
//! | `clients`, `hostile` | clients that send what is good, and the others |
//! | `receivers` | processes that look at every texture |
//! | `checks` | what the streams show, against the ledger |
//! | `calm` | what the server holds when everybody is away |

mod calm;
mod checks;
mod clients;
mod faults;
mod hostile;
mod ledger;
mod mark;
mod options;
mod place;
mod receivers;
mod report;
mod server;
mod wire;

use options::{Request, USAGE};
use std::process::ExitCode;

pub fn main() -> ExitCode {
    let done = match options::parse(lexopt::Parser::from_env()) {
        Ok(Request::Help) => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        // A receiver is this program too, as a process that can be killed.
        Ok(Request::Receive { stream, channel }) => receivers::receive(&stream, channel),
        Ok(Request::Soak(options)) => place::inside(&options).and_then(|inside| match inside {
            place::Inside::Here(place) => faults::run(&options, place),
            place::Inside::Ran(code) => Ok(code),
        }),
        Err(mistake) => {
            eprintln!("vglb-soak: {mistake}");
            return ExitCode::from(2);
        }
    };
    done.unwrap_or_else(|e| {
        eprintln!("vglb-soak: {e:#}");
        ExitCode::FAILURE
    })
}
