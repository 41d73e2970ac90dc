//! What hangs on each session: the way to its open event streams.
//!
//! One watch channel a session, whatever the number of its streams. The oldest stream is always the one with the
//! lowest number, so "all up to this number have to go" says everything about eviction.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use session_domain::Timestamp;
use tokio::sync::watch;

use crate::notice::GuestNotice;

/// Why the streams of a session are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The session was force-closed.
    Forced,
    /// Its user has logged out.
    Logout,
    /// It was idle for too long.
    Expired,
    /// It goes on at another pod. Nothing is said: the page opens its stream again and finds it there.
    Moved,
}

impl CloseReason {
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

/// What every stream of a session has to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamState {
    /// Logins so far: another number means another id and another user.
    pub(crate) logins: u32,
    /// Streams up to this number have to go.
    pub(crate) evicted_through: u64,
    /// Why all of them are closed.
    pub(crate) closed: Option<CloseReason>,
    /// For a session of another pod: the notice that runs there.
    pub(crate) owner_notice: Option<GuestNotice>,
}

/// The open streams of one session.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    state: watch::Sender<StreamState>,
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
        now < self.awaited_until && self.open.lock().unwrap_or_else(PoisonError::into_inner).last == 0
    }

    /// Whether any is open.
    pub(crate) fn any_open(&self) -> bool {
        !self.open.lock().unwrap_or_else(PoisonError::into_inner).numbers.is_empty()
    }

    /// Opens a stream; where there are more than `max` then, the oldest has to go.
    pub(crate) fn open(&self, max: usize) -> (u64, watch::Receiver<StreamState>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.last += 1;
        let number = open.last;
        open.numbers.insert(number);
        let receiver = self.state.subscribe();
        if open.numbers.len() > max
            && let Some(oldest) = open.numbers.pop_first()
        {
            self.state.send_modify(|state| state.evicted_through = oldest);
        }
        (number, receiver)
    }

    /// Follows what the streams have to know, without being one.
    pub(crate) fn subscribe(&self) -> watch::Receiver<StreamState> {
        self.state.subscribe()
    }

    pub(crate) fn close(&self, number: u64) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).numbers.remove(&number);
    }

    pub(crate) fn logged_in(&self) {
        self.state.send_modify(|state| state.logins += 1);
    }

    /// Closes every stream, and those that are opened later.
    pub(crate) fn close_all(&self, reason: CloseReason) {
        self.state.send_modify(|state| state.closed = Some(reason));
    }

    /// Whether they were closed for good.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.borrow().closed.is_some()
    }

    /// The notice that runs on the pod that owns the session.
    pub(crate) fn owner_notice(&self) -> Option<GuestNotice> {
        self.state.borrow().owner_notice
    }

    /// Notes the notice that runs on the pod that owns the session. A deadline that differs by less than the clocks do is the
    /// same one.
    pub(crate) fn set_owner_notice(&self, notice: Option<GuestNotice>) {
        self.state.send_if_modified(|state| {
            let same = match (&state.owner_notice, &notice) {
                (Some(before), Some(after)) => before.is_same(after),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !same {
                state.owner_notice = notice;
            }
            !same
        });
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
        let (_third, state) = streams.open(2);
        assert_eq!(state.borrow().evicted_through, 0, "there was room");
        let (_fourth, state) = streams.open(2);
        assert_eq!(state.borrow().evicted_through, second);
    }
}
