//! Handles: what C holds of a thing that lives here.
//!
//! A handle is a number that was given out once and is never given out again, whatever it is a handle of. So one that
//! was given back, or was made up, or is of another kind, is not found.

use crate::border::VglbStatus;
use crate::failure::Failure;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All things of one kind that C has handles of.
pub struct Handles<T> {
    /// The kind, for people.
    what: &'static str,
    things: Mutex<BTreeMap<usize, Arc<T>>>,
}

impl<T> Handles<T> {
    pub const fn new(what: &'static str) -> Self {
        Handles { what, things: Mutex::new(BTreeMap::new()) }
    }

    /// Keeps a thing, and tells its handle, which is never 0.
    pub fn give(&self, thing: T) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let handle = NEXT.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(handle, Arc::new(thing));
        handle
    }

    /// The thing that a handle means.
    pub fn get(&self, handle: usize) -> Result<Arc<T>, Failure> {
        self.lock().get(&handle).cloned().ok_or_else(|| self.unknown(handle))
    }

    /// Takes a thing back. Calls that are at work with it go on with it.
    pub fn take_back(&self, handle: usize) -> Result<Arc<T>, Failure> {
        self.lock().remove(&handle).ok_or_else(|| self.unknown(handle))
    }

    fn unknown(&self, handle: usize) -> Failure {
        let what = self.what;
        let sentence = match handle {
            0 => format!("the {what} is NULL"),
            _ => format!("{handle:#x} is no {what}, or one that was given back"),
        };
        Failure::new(VglbStatus::ErrorInvalidHandle, sentence)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Arc<T>>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_means_one_thing_once() {
        let (cats, dogs) = (Handles::new("cat"), Handles::new("dog"));
        let (cat, dog) = (cats.give("Tom"), dogs.give("Rex"));
        assert_eq!(cats.get(cat).ok().as_deref(), Some(&"Tom"));
        let told = |result: Result<Arc<&str>, Failure>| result.expect_err("no such cat").sentence;
        assert_eq!(told(cats.get(dog)), format!("{dog:#x} is no cat, or one that was given back"));
        assert!(cats.take_back(cat).is_ok());
        assert_eq!(told(cats.take_back(cat)), format!("{cat:#x} is no cat, or one that was given back"));
        assert_eq!(told(cats.get(0)), "the cat is NULL");
        assert_ne!(cats.give("Tom"), cat, "a handle comes back");
    }
}
