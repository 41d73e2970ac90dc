//! The results of looking up, signing in and ending sessions, as values.

use session_domain::Outcome;

use super::served::ServedSession;
use crate::event_streams::CloseReason;

/// The result of looking up a session by its id.
#[derive(Debug)]
pub(crate) enum SessionLookup {
    /// It is served here.
    Found(ServedSession),
    /// There is no such session.
    NotFound,
    /// A login has replaced the id within the last minute. The session goes on under another id, which is not disclosed.
    Replaced,
    /// The session cannot be looked up now. It may exist.
    Unavailable,
    /// Its owner is gone, and maintenance keeps every pod from adopting it.
    Maintenance,
}

/// The result of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignInOutcome {
    /// The session has its new id and its user name.
    Done,
    /// The session has ended meanwhile.
    Ended,
    /// Nothing was changed: the store takes no writes now.
    Unavailable,
}

/// Why a session ends other than by a logout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// Present at the deadline: force-closed, and deleted from the store.
    Forced,
    /// Present at the deadline: released to other pods. Forced where the store has not acknowledged the entry.
    Released,
    /// Not present when the pod stops: released to other pods. Expired where the store has not acknowledged the entry.
    Absent,
    /// Idle for too long.
    Expired,
}

impl EndReason {
    /// The outcome, and what its streams are closed with, where the store has acknowledged the end.
    pub(crate) const fn acknowledged(self) -> (Outcome, CloseReason) {
        match self {
            Self::Forced => (Outcome::Forced, CloseReason::Forced),
            Self::Released | Self::Absent => (Outcome::Moved, CloseReason::Moved),
            Self::Expired => (Outcome::Expired, CloseReason::Expired),
        }
    }

    /// The same where the store has not acknowledged it, or there is no store.
    pub(crate) const fn unacknowledged(self) -> (Outcome, CloseReason) {
        match self {
            Self::Forced | Self::Released => (Outcome::Forced, CloseReason::Forced),
            Self::Absent | Self::Expired => (Outcome::Expired, CloseReason::Expired),
        }
    }
}

/// The number of sessions that ended, by outcome. Logouts are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EndCounts {
    pub(crate) forced: u64,
    pub(crate) expired: u64,
    pub(crate) moved: u64,
}

impl EndCounts {
    pub(crate) const fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Forced => self.forced += 1,
            Outcome::Expired => self.expired += 1,
            Outcome::Moved => self.moved += 1,
            Outcome::Logout | Outcome::AutoLogout => {}
        }
    }
}
