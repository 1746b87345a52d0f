//! A limit on the memory that LUTs take, shared by all that holds them.
//!
//! It is asked before memory is taken, so that a server refuses with a sentence where it would else grow. Counted are
//! the textures of all streams, the buffers that connections read into, and the bodies of HTTP requests; not what the
//! program itself takes, what a LUT file takes while it is read, what a hold or a bypass keeps beside a stream, nor memory of
//! graphics devices.
//!
//! What is taken for an origin counts for that as well, and an origin has at most as much as it leaves free. So one alone
//! has half of the limit, and however much it takes, another finds as much again. What the server takes by itself counts
//! for none.

use crate::server::Origin;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A limit in bytes, and what is taken of it. Clones share both. The default has no limit, and counts nothing.
#[derive(Clone, Debug, Default)]
pub struct MemoryLimit {
    books: Option<Arc<Mutex<Books>>>,
    /// Whose memory is taken through this one.
    client: Option<Origin>,
}

#[derive(Debug)]
struct Books {
    /// `None`: as much as there is.
    bytes: Option<u64>,
    used: u64,
    /// Of these, what each origin has, where it has any.
    clients: BTreeMap<Origin, u64>,
}

/// More memory than may be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverLimit {
    /// The limit has not so much left.
    #[error(
        "{wanted} bytes more would go beyond the memory limit of {limit} bytes, of which {used} are in use (--memory-limit)"
    )]
    All {
        /// Bytes asked for.
        wanted: u64,
        /// The limit.
        limit: u64,
        /// Bytes in use.
        used: u64,
    },
    /// It has, and the origin may not take it.
    #[error(
        "{wanted} bytes more would go beyond your address's share: it has {own} bytes, and must leave as many free as it \
         has of the memory limit of {limit} bytes, of which {used} are in use (--memory-limit)"
    )]
    Share {
        /// Bytes asked for.
        wanted: u64,
        /// Bytes that the origin has.
        own: u64,
        /// The limit.
        limit: u64,
        /// Bytes in use.
        used: u64,
    },
}

/// Bytes that are taken for as long as this exists.
#[derive(Debug, Default)]
pub struct Charge {
    limit: MemoryLimit,
    bytes: u64,
}

impl PartialEq for MemoryLimit {
    /// Whether both are the same limit, for the same origin.
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.books, &other.books) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            (one, two) => one.is_none() && two.is_none(),
        };
        same && self.client == other.client
    }
}

impl Eq for MemoryLimit {}

impl Books {
    fn give_back(&mut self, client: Option<Origin>, bytes: u64) {
        self.used -= bytes;
        if let Some(client) = client
            && let Some(own) = self.clients.get_mut(&client)
        {
            *own -= bytes;
            if *own == 0 {
                self.clients.remove(&client);
            }
        }
    }

    fn take(&mut self, client: Option<Origin>, wanted: u64) -> Result<(), OverLimit> {
        let limit = self.bytes.unwrap_or(u64::MAX);
        let used = self.used;
        let Some(after) = used.checked_add(wanted).filter(|after| *after <= limit) else {
            return Err(OverLimit::All { wanted, limit, used });
        };
        if let Some(client) = client {
            let own = self.clients.get(&client).copied().unwrap_or(0);
            if self.bytes.is_some() && own + wanted > limit - after {
                return Err(OverLimit::Share { wanted, own, limit, used });
            }
            if wanted > 0 {
                self.clients.insert(client, own + wanted);
            }
        }
        self.used = after;
        Ok(())
    }
}

impl MemoryLimit {
    /// At most `bytes`.
    pub fn new(bytes: u64) -> Self {
        MemoryLimit::counting(Some(bytes))
    }

    /// At most `bytes`, where there is a limit, which may be changed later.
    pub fn counting(bytes: Option<u64>) -> Self {
        let books = Books { bytes, used: 0, clients: BTreeMap::new() };
        MemoryLimit { books: Some(Arc::new(Mutex::new(books))), client: None }
    }

    /// The same limit, for memory that is taken for `client`; for nobody where that is `None`.
    #[must_use]
    pub fn of(&self, client: Option<Origin>) -> Self {
        MemoryLimit { books: self.books.clone(), client }
    }

    fn books(&self) -> Option<MutexGuard<'_, Books>> {
        self.books.as_ref().map(|books| books.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the limit. What is taken stays, also where it is more. The default, which counts nothing, stays as it is.
    pub fn set(&self, bytes: Option<u64>) {
        if let Some(mut books) = self.books() {
            books.bytes = bytes;
        }
    }

    /// The limit, where there is one.
    pub fn bytes(&self) -> Option<u64> {
        self.books().and_then(|books| books.bytes)
    }

    /// Bytes taken; 0 where nothing is counted.
    pub fn used(&self) -> u64 {
        self.books().map_or(0, |books| books.used)
    }

    /// What more can be taken through later.
    pub fn nothing(&self) -> Charge {
        Charge { limit: self.clone(), bytes: 0 }
    }

    /// Takes `bytes`.
    pub fn take(&self, bytes: u64) -> Result<Charge, OverLimit> {
        let mut charge = self.nothing();
        charge.resize(bytes)?;
        Ok(charge)
    }
}

impl Charge {
    /// Bytes taken.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes or gives back until it is `bytes`. Where that fails nothing has changed.
    pub fn resize(&mut self, bytes: u64) -> Result<(), OverLimit> {
        if let Some(mut books) = self.limit.books() {
            match bytes.checked_sub(self.bytes) {
                Some(more) => books.take(self.limit.client, more)?,
                None => books.give_back(self.limit.client, self.bytes - bytes),
            }
        }
        self.bytes = bytes;
        Ok(())
    }

    /// The same of `limit`, whose it is from now on: what was taken for another origin is given back to that. Where that
    /// fails nothing has changed.
    pub fn resize_of(&mut self, limit: &MemoryLimit, bytes: u64) -> Result<(), OverLimit> {
        if self.limit != *limit {
            // Nobody else can have taken what is given back here before it is taken again.
            let same_books = MemoryLimit { client: limit.client, ..self.limit.clone() } == *limit;
            match limit.books() {
                Some(mut books) if same_books => {
                    books.give_back(self.limit.client, self.bytes);
                    if let Err(why) = books.take(limit.client, bytes) {
                        books.used += self.bytes;
                        if let Some(client) = self.limit.client.filter(|_| self.bytes > 0) {
                            *books.clients.entry(client).or_default() += self.bytes;
                        }
                        return Err(why);
                    }
                    drop(books);
                    (self.limit, self.bytes) = (limit.clone(), bytes);
                }
                books => {
                    drop(books);
                    *self = limit.take(bytes)?;
                }
            }
            return Ok(());
        }
        self.resize(bytes)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(mut books) = self.limit.books() {
            books.give_back(self.limit.client, self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn client(n: u8) -> Option<Origin> {
        Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, n)).into())
    }

    #[test]
    fn what_is_taken_comes_back_and_never_goes_beyond() {
        let limit = MemoryLimit::new(100);
        let mut one = limit.take(60).unwrap();
        let over = limit.take(41).unwrap_err();
        assert_eq!(
            over.to_string(),
            "41 bytes more would go beyond the memory limit of 100 bytes, of which 60 are in use (--memory-limit)"
        );
        let two = limit.take(40).unwrap();
        assert!(one.resize(61).is_err());
        assert_eq!((one.bytes(), limit.used()), (60, 100));
        drop(two);
        one.resize(100).unwrap();
        one.resize(5).unwrap();
        assert_eq!(limit.used(), 5);
        assert!(one.resize(u64::MAX).is_err());
        drop(one);
        assert_eq!(limit.used(), 0);
    }

    #[test]
    fn without_a_limit_anything_goes() {
        let mut charge = MemoryLimit::default().take(u64::MAX / 2).unwrap();
        charge.resize(7).unwrap();
        assert_eq!(MemoryLimit::default().used(), 0);
        let counting = MemoryLimit::counting(None);
        let charge = counting.of(client(1)).take(u64::MAX / 2).unwrap();
        assert_eq!(counting.used(), charge.bytes());
    }

    #[test]
    fn an_address_leaves_as_much_free_as_it_has() {
        let limit = MemoryLimit::new(100);
        let [greedy, second, third] = [1, 2, 3].map(|n| limit.of(client(n)));
        let kept = greedy.take(50).unwrap();
        assert_eq!(
            greedy.take(1).unwrap_err().to_string(),
            "1 bytes more would go beyond your address's share: it has 50 bytes, and must leave as many free as it has of \
             the memory limit of 100 bytes, of which 50 are in use (--memory-limit)"
        );
        let _second = second.take(25).unwrap();
        let _third = third.take(12).unwrap();
        assert!(second.take(1).is_err() && third.take(1).is_err());
        let _own = limit.take(13).unwrap();
        assert!(matches!(limit.take(1), Err(OverLimit::All { .. })), "what the server takes has the limit alone");
        drop(kept);
        assert!(greedy.take(25).is_ok() && greedy.take(26).is_err());
    }

    #[test]
    fn a_charge_goes_over_to_whoever_takes_it_on() {
        let limit = MemoryLimit::new(100);
        let [one, two] = [1, 2].map(|n| limit.of(client(n)));
        let mut charge = one.take(40).unwrap();
        charge.resize_of(&two, 50).unwrap();
        assert_eq!((limit.used(), one.take(25).is_ok(), two.take(1).is_err()), (50, true, true));
        let _one = one.take(20).unwrap();
        assert!(charge.resize_of(&one, 50).is_err());
        assert_eq!((charge.bytes(), limit.used()), (50, 70));
        charge.resize_of(&MemoryLimit::default(), 60).unwrap();
        assert_eq!(limit.used(), 20);
        charge.resize_of(&one, 20).unwrap();
        drop((charge, _one));
        assert_eq!((limit.used(), limit.books().unwrap().clients.len()), (0, 0));
    }

    #[test]
    fn a_limit_that_is_lowered_leaves_what_is_taken_and_lets_nothing_more() {
        let limit = MemoryLimit::counting(None);
        let mut charge = limit.of(client(1)).take(80).unwrap();
        limit.set(Some(60));
        assert_eq!((limit.bytes(), limit.used()), (Some(60), 80));
        assert!(limit.take(1).is_err() && charge.resize(81).is_err());
        charge.resize(20).unwrap();
        assert!(charge.resize(30).is_ok() && charge.resize(31).is_err());
    }

    proptest! {
        /// Whatever one address takes and gives back, in whatever pieces: another that has nothing can take as much as
        /// half of what is free, and there is always something free.
        #[test]
        fn one_address_never_takes_all_memory(steps in proptest::collection::vec((1u64..400, any::<bool>()), 1..100)) {
            let limit = MemoryLimit::new(1000);
            let greedy = limit.of(client(1));
            let mut kept = Vec::new();
            for (bytes, grows) in steps {
                match (grows, kept.is_empty()) {
                    (false, false) => drop(kept.remove(0)),
                    _ => kept.extend(greedy.take(bytes)),
                }
                prop_assert!(limit.used() <= 500);
                prop_assert!(limit.of(client(2)).take((1000 - limit.used()) / 2).is_ok());
            }
        }
    }
}
