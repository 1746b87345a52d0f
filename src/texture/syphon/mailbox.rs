//! The messages that wait for one client. Of each kind only the newest is worth keeping.

use super::message::{Kind, ToClient};
use std::collections::VecDeque;

/// Messages to one client, the next one first; no two of a kind.
#[derive(Debug, Default)]
pub struct Mailbox {
    waiting: VecDeque<ToClient>,
    /// The message taken last, as long as it is still wanted.
    taken: Option<Kind>,
}

impl Mailbox {
    /// Puts a message behind all others. One of its kind that still waits is forgotten, so that what is announced
    /// last is heard last.
    pub fn put(&mut self, message: ToClient) {
        self.withdraw(message.kind());
        self.waiting.push_back(message);
    }

    /// Puts the message taken last before all others, for it could not be delivered; unless there is a newer one of
    /// its kind, or it was withdrawn meanwhile.
    pub fn put_back(&mut self, message: ToClient) {
        if self.taken.take() == Some(message.kind()) {
            self.waiting.push_front(message);
        }
    }

    /// Forgets the message of this kind, if one waits.
    pub fn withdraw(&mut self, kind: Kind) {
        self.taken.take_if(|taken| *taken == kind);
        self.waiting.retain(|m| m.kind() != kind);
    }

    /// Takes the next message.
    pub fn take(&mut self) -> Option<ToClient> {
        let message = self.waiting.pop_front();
        self.taken = message.as_ref().map(ToClient::kind);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::ToClient::{NameChanged, NewFrame, Retired, SurfaceChanged};
    use super::*;

    fn all(mailbox: &mut Mailbox) -> Vec<ToClient> {
        std::iter::from_fn(|| mailbox.take()).collect()
    }

    #[test]
    fn the_newest_of_a_kind_replaces_the_older_and_goes_last() {
        let mut mailbox = Mailbox::default();
        let name = NameChanged("a".into());
        for message in [SurfaceChanged(1), NewFrame, name.clone(), SurfaceChanged(2), NewFrame] {
            mailbox.put(message);
        }
        assert_eq!(all(&mut mailbox), [name, SurfaceChanged(2), NewFrame]);
    }

    /// A mailbox with one message taken from it and not delivered.
    fn with_taken(message: ToClient) -> Mailbox {
        let mut mailbox = Mailbox::default();
        mailbox.put(message.clone());
        assert_eq!(mailbox.take(), Some(message));
        mailbox
    }

    #[test]
    fn an_undelivered_message_comes_first_again() {
        let mut mailbox = with_taken(SurfaceChanged(1));
        mailbox.put(NewFrame);
        mailbox.put_back(SurfaceChanged(1));
        assert_eq!(all(&mut mailbox), [SurfaceChanged(1), NewFrame]);
    }

    #[test]
    fn an_undelivered_message_does_not_replace_a_newer_one() {
        let mut mailbox = with_taken(SurfaceChanged(1));
        mailbox.put(SurfaceChanged(2));
        mailbox.put_back(SurfaceChanged(1));
        assert_eq!(all(&mut mailbox), [SurfaceChanged(2)]);
    }

    #[test]
    fn an_undelivered_message_that_was_withdrawn_does_not_come_back() {
        let mut mailbox = with_taken(NewFrame);
        mailbox.withdraw(Kind::NewFrame);
        mailbox.put_back(NewFrame);
        assert_eq!(all(&mut mailbox), []);
    }

    #[test]
    fn a_withdrawn_message_is_gone() {
        let mut mailbox = Mailbox::default();
        mailbox.put(NewFrame);
        mailbox.put(Retired);
        mailbox.withdraw(Kind::NewFrame);
        assert_eq!(all(&mut mailbox), [Retired]);
    }
}
