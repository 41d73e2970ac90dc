//! Whether the store is there, as far as is known, and what is said in the log when that changes.

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use session_domain::Timestamp;
use tracing::{info, warn};

use super::LEASE;
use crate::store::StoreError;

/// An outage is brief for so long: it is expected to pass before anybody has to begin anew.
const BRIEF: Duration = Duration::from_secs(10);

const UNKNOWN: u8 = 0;
const UP: u8 = 1;
const AWAY: u8 = 2;

/// A part of the store that was away is there again once nothing was missing for so long.
const WHOLE: Duration = Duration::from_secs(5);

/// How the store stands. Times are in milliseconds.
#[derive(Debug)]
pub(super) struct Standing {
    state: AtomicU8,
    /// When it was last found to be away.
    went_at: AtomicI64,
    /// When it last came back after it was away.
    returned_at: AtomicI64,
    /// Since when a part of it is away; `i64::MAX` while it is whole.
    lacking_since: AtomicI64,
    /// When a part of it was last missing.
    lacked_at: AtomicI64,
    errors: AtomicU64,
}

impl Standing {
    pub(super) const fn new() -> Self {
        Self {
            state: AtomicU8::new(UNKNOWN),
            went_at: AtomicI64::new(i64::MIN),
            returned_at: AtomicI64::new(i64::MIN),
            lacking_since: AtomicI64::new(i64::MAX),
            lacked_at: AtomicI64::new(i64::MIN),
            errors: AtomicU64::new(0),
        }
    }

    /// Whether the store is there.
    pub(super) fn is_up(&self) -> bool {
        self.state.load(Ordering::Acquire) == UP
    }

    /// Operations that failed.
    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Gives what the store gave, and notes whether it is there.
    pub(super) fn heard<T>(&self, answer: Result<T, StoreError>, now: Timestamp) -> Option<T> {
        match answer {
            Ok(value) => {
                self.is_there(now);
                Some(value)
            }
            Err(error) => {
                self.failed(&error, now);
                None
            }
        }
    }

    fn failed(&self, error: &StoreError, now: Timestamp) {
        match error {
            StoreError::Away(reason) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                if self.state.load(Ordering::Acquire) != AWAY {
                    self.went_at.store(now.as_millis(), Ordering::Release);
                }
                if self.state.swap(AWAY, Ordering::AcqRel) != AWAY {
                    warn!(reason, "the session store is away: serving goes on, what changes is kept and written later");
                }
            }
            StoreError::PartlyAway(reason) => self.lacks(1, reason, now),
            StoreError::Refused(reason) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                warn!(reason, "the session store refused an operation");
            }
        }
    }

    /// So many operations met a part of the store that is away.
    pub(super) fn lacks(&self, operations: u64, reason: &str, now: Timestamp) {
        self.errors.fetch_add(operations, Ordering::Relaxed);
        self.lacked_at.store(now.as_millis(), Ordering::Release);
        let whole = self.lacking_since.compare_exchange(i64::MAX, now.as_millis(), Ordering::AcqRel, Ordering::Acquire);
        if whole.is_ok() {
            warn!(reason, "a part of the session store is away: what it keeps is written later");
        }
    }

    /// Nothing is left that a part of the store has not taken.
    pub(super) fn owes_nothing(&self, now: Timestamp) {
        let lacks = self.lacking_since.load(Ordering::Relaxed) != i64::MAX;
        if lacks && now >= Timestamp::from_millis(self.lacked_at.load(Ordering::Acquire)).plus(WHOLE) {
            self.lacking_since.store(i64::MAX, Ordering::Release);
            info!("the session store is whole again");
        }
    }

    fn is_there(&self, now: Timestamp) {
        if self.is_up() {
            return;
        }
        if self.state.load(Ordering::Acquire) == AWAY {
            self.returned_at.store(now.as_millis(), Ordering::Release);
        }
        match self.state.swap(UP, Ordering::AcqRel) {
            UP => {}
            AWAY => info!("the session store is back"),
            _ => info!("sessions are shared through the store"),
        }
    }

    /// Whether pods may not have had the time to renew their leases since the store came back.
    pub(super) fn is_settling(&self, now: Timestamp) -> bool {
        now < Timestamp::from_millis(self.returned_at.load(Ordering::Acquire)).plus(LEASE)
    }

    /// Whether asking once more is better than going on without the store, or without the part of it that does not answer:
    /// it went a short while ago, if it did.
    pub(super) fn is_worth_waiting_for(&self, now: Timestamp) -> bool {
        let went = match self.state.load(Ordering::Acquire) {
            UNKNOWN => return false,
            AWAY => &self.went_at,
            _ => &self.lacking_since,
        };
        now < Timestamp::from_millis(went.load(Ordering::Acquire)).plus(BRIEF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn away<T>() -> Result<T, StoreError> {
        Err(StoreError::Away("no answer".to_owned()))
    }

    #[test]
    fn an_outage_is_brief_at_first_and_the_return_settles_for_a_lease() {
        let standing = Standing::new();
        assert!(!standing.is_up() && !standing.is_worth_waiting_for(at(0)), "never heard: nobody waits for it");
        assert_eq!(standing.heard(Ok(7), at(1_000)), Some(7));
        assert!(standing.is_up() && !standing.is_settling(at(1_000)), "a first contact is no return");
        assert_eq!(standing.heard(away::<u8>(), at(2_000)), None);
        assert_eq!(standing.heard(away::<u8>(), at(11_000)), None);
        let waits = |time| standing.is_worth_waiting_for(at(time));
        assert!(waits(11_999) && !waits(12_000), "from the first failure");
        assert_eq!(standing.errors(), 2);
        standing.heard(Ok(()), at(20_000));
        assert!(standing.is_up() && standing.is_settling(at(24_999)) && !standing.is_settling(at(25_000)));
    }

    #[test]
    fn a_part_that_is_away_is_counted_and_takes_nothing_down() {
        let standing = Standing::new();
        standing.heard(Ok(()), at(0));
        assert_eq!(standing.heard(Err::<(), _>(StoreError::PartlyAway("a node".to_owned())), at(1)), None);
        standing.lacks(3, "a node", at(9_000));
        assert!(standing.is_up());
        assert_eq!(standing.errors(), 4);
        let waits = |time| standing.is_worth_waiting_for(at(time));
        assert!(waits(10_000) && !waits(10_001), "since the part went");
        standing.owes_nothing(at(13_999));
        assert!(!waits(13_999), "not so long ago something was missing");
        standing.owes_nothing(at(14_000));
        assert!(waits(14_000), "whole again: a single answer that fails is worth another question");
    }
}
