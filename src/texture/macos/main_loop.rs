//! The main thread's run loop, which brings notifications.

use super::notifications;
use objc2::MainThreadMarker;
use objc2_core_foundation::{CFRunLoop, CFRunLoopRunResult, kCFRunLoopDefaultMode};
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;
use tracing::debug;

/// How long the loop runs until it looks whether the work is done, in case nobody has told it.
const GLANCE: Duration = Duration::from_millis(250);

/// The work has the stack that the main thread would have given it.
const STACK_BYTES: usize = 8 << 20;

/// Does `work` on another thread while the main thread runs its run loop, and returns what it returns. Called on any
/// other thread, it only does the work.
///
/// macOS delivers Syphon's notifications through the main thread's run loop: without one, a server is not seen by
/// programs that start after it, and no other program's server is seen at all.
pub fn with_main_loop<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if MainThreadMarker::new().is_none() {
        return work();
    }
    // The thread that registers first is the one that notifications come to.
    if let Err(e) = notifications::begin() {
        debug!("{e}");
        return work();
    }
    thread::scope(|scope| {
        let worker =
            thread::Builder::new().name("main-work".into()).stack_size(STACK_BYTES).spawn_scoped(scope, || {
                let done = work();
                if let Some(main) = CFRunLoop::main() {
                    main.stop();
                }
                done
            });
        let worker = match worker {
            Ok(worker) => worker,
            Err(e) => panic!("no thread for the program's work: {e}"),
        };
        while !worker.is_finished() {
            run(GLANCE, false);
        }
        worker.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Lets time pass, at most this long. On the main thread, notifications may arrive meanwhile.
pub fn rest(at_most: Duration) {
    match MainThreadMarker::new() {
        Some(_) => run(at_most, true),
        None => thread::sleep(at_most),
    }
}

/// Runs this thread's run loop, at most this long; until something has arrived where `once` says so.
fn run(at_most: Duration, once: bool) {
    // SAFETY: a constant of Core Foundation, which lives as long as the program.
    #[allow(unsafe_code)]
    let mode = unsafe { kCFRunLoopDefaultMode };
    // A loop to which nothing can come returns at once.
    if CFRunLoop::run_in_mode(mode, at_most.as_secs_f64(), once) == CFRunLoopRunResult::Finished {
        thread::sleep(at_most);
    }
}
