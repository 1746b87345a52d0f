//! Whether a thread that sleeps until something happens still comes round when it is woken.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Shared by a thread that does rounds, and whoever wants to know that it does.
#[derive(Default)]
pub(crate) struct Pulse {
    /// Questions asked, and up to which they are answered.
    state: Mutex<(u64, u64)>,
    answered: Condvar,
}

impl Pulse {
    fn state(&self) -> MutexGuard<'_, (u64, u64)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the thread, and tells whether it came round within `patience`.
    pub fn ask(&self, patience: Duration, wake: impl FnOnce()) -> bool {
        let mine = {
            let mut state = self.state();
            state.0 += 1;
            state.0
        };
        wake();
        let state = self.state();
        let waited = self.answered.wait_timeout_while(state, patience, |(_, answered)| *answered < mine);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.1 >= mine
    }

    /// Says, from the thread, that a round begins.
    pub fn answer(&self) {
        let mut state = self.state();
        if state.1 != state.0 {
            state.1 = state.0;
            self.answered.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, mpsc};

    #[test]
    fn a_thread_that_comes_round_is_told_from_one_that_does_not() {
        let pulse = Arc::new(Pulse::default());
        let (wake, woken) = mpsc::channel();
        let asked = pulse.clone();
        let thread = std::thread::spawn(move || {
            while woken.recv().is_ok() {
                asked.answer();
            }
        });
        for _ in 0..2 {
            assert!(pulse.ask(Duration::from_secs(30), || wake.send(()).unwrap()));
        }
        assert!(!pulse.ask(Duration::from_millis(1), || {}), "nobody woke it");
        drop(wake);
        thread.join().unwrap();
        assert!(!pulse.ask(Duration::from_millis(1), || {}), "it has ended");
    }
}
