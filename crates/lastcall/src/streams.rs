//! What hangs on each session: the way to its open event streams.
//!
//! One watch channel a session, whatever the number of its streams. The oldest stream is always the one with the
//! lowest number, so "all up to this number have to go" says everything about eviction.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use session_domain::Timestamp;
use tokio::sync::watch;

/// Why the streams of a session end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Forced,
    Logout,
    Expired,
    /// It goes on at another pod. Nothing is said: the page opens its stream again and finds it there.
    Moved,
}

impl End {
    /// The reason as the `session-ended` event gives it, where there is one.
    pub(crate) const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Forced => Some("forced"),
            Self::Logout => Some("logout"),
            Self::Expired => Some("expired"),
            Self::Moved => None,
        }
    }
}

/// What a session says to its streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Word {
    /// Logins so far: another number means another id and another user.
    pub(crate) logins: u32,
    /// Streams up to this number have to go.
    pub(crate) evicted_through: u64,
    /// The session has ended.
    pub(crate) ended: Option<End>,
}

/// The open streams of one session.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    word: watch::Sender<Word>,
    open: Mutex<OpenStreams>,
    /// Until when the first stream is expected: others count it as open already.
    awaited_until: Timestamp,
}

#[derive(Debug, Default)]
struct OpenStreams {
    last: u64,
    numbers: BTreeSet<u64>,
}

impl Streams {
    /// A stream will be opened at once: until then it is expected.
    pub(crate) fn awaited(until: Timestamp) -> Self {
        Self { awaited_until: until, ..Self::default() }
    }

    /// Whether the first stream is still expected.
    pub(crate) fn is_awaited(&self, now: Timestamp) -> bool {
        now < self.awaited_until
    }

    /// Opens a stream; where there are more than `max` then, the oldest has to go.
    pub(crate) fn open(&self, max: usize) -> (u64, watch::Receiver<Word>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.last += 1;
        let number = open.last;
        open.numbers.insert(number);
        let receiver = self.word.subscribe();
        if open.numbers.len() > max
            && let Some(oldest) = open.numbers.pop_first()
        {
            self.word.send_modify(|word| word.evicted_through = oldest);
        }
        (number, receiver)
    }

    pub(crate) fn close(&self, number: u64) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).numbers.remove(&number);
    }

    pub(crate) fn logged_in(&self) {
        self.word.send_modify(|word| word.logins += 1);
    }

    pub(crate) fn end(&self, end: End) {
        self.word.send_modify(|word| word.ended = Some(end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stream_too_many_sends_the_oldest_that_is_still_open_away() {
        let streams = Streams::default();
        let (first, _) = streams.open(2);
        let (second, _) = streams.open(2);
        streams.close(first);
        let (_third, word) = streams.open(2);
        assert_eq!(word.borrow().evicted_through, 0, "there was room");
        let (_fourth, word) = streams.open(2);
        assert_eq!(word.borrow().evicted_through, second);
    }
}
