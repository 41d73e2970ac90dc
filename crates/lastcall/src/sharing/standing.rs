//! Whether the store is there, as far as is known, and what is said in the log when that changes.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
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

/// How the store stands.
#[derive(Debug)]
pub(super) struct Standing {
    state: AtomicU8,
    /// When it was last found to be away.
    went_at: AtomicI64,
    /// When it last came back after it was away.
    returned_at: AtomicI64,
    /// Whether a part of it did not answer when it was last said in the log.
    is_partly_away: AtomicBool,
    errors: AtomicU64,
}

impl Standing {
    pub(super) const fn new() -> Self {
        Self {
            state: AtomicU8::new(UNKNOWN),
            went_at: AtomicI64::new(i64::MIN),
            returned_at: AtomicI64::new(i64::MIN),
            is_partly_away: AtomicBool::new(false),
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
                if self.state.swap(AWAY, Ordering::AcqRel) != AWAY {
                    self.went_at.store(now.as_millis(), Ordering::Release);
                    warn!(reason, "the session store is away: serving goes on, what changes is kept and written later");
                }
            }
            StoreError::PartlyAway(reason) => self.lacks(1, reason),
            StoreError::Refused(reason) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                warn!(reason, "the session store refused an operation");
            }
        }
    }

    /// So many operations met a part of the store that is away.
    pub(super) fn lacks(&self, operations: u64, reason: &str) {
        self.errors.fetch_add(operations, Ordering::Relaxed);
        if !self.is_partly_away.swap(true, Ordering::AcqRel) {
            warn!(reason, "a part of the session store is away: what it keeps is written later");
        }
    }

    /// All that was asked of the store was answered.
    pub(super) fn is_whole(&self) {
        if self.is_partly_away.load(Ordering::Relaxed) && self.is_partly_away.swap(false, Ordering::AcqRel) {
            info!("the session store is whole again");
        }
    }

    fn is_there(&self, now: Timestamp) {
        if self.is_up() {
            return;
        }
        match self.state.swap(UP, Ordering::AcqRel) {
            UP => {}
            AWAY => {
                self.returned_at.store(now.as_millis(), Ordering::Release);
                info!("the session store is back");
            }
            _ => info!("sessions are shared through the store"),
        }
    }

    /// Whether pods may not have had the time to renew their leases since the store came back.
    pub(super) fn is_settling(&self, now: Timestamp) -> bool {
        now < Timestamp::from_millis(self.returned_at.load(Ordering::Acquire)).plus(LEASE)
    }

    /// Whether the store went so short a while ago that asking once more is better than going on without it.
    pub(super) fn is_briefly_away(&self, now: Timestamp) -> bool {
        let went = Timestamp::from_millis(self.went_at.load(Ordering::Acquire));
        self.state.load(Ordering::Acquire) == AWAY && now < went.plus(BRIEF)
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
        assert!(!standing.is_up() && !standing.is_briefly_away(at(0)), "never heard: nobody waits for it");
        assert_eq!(standing.heard(Ok(7), at(1_000)), Some(7));
        assert!(standing.is_up() && !standing.is_settling(at(1_000)), "a first contact is no return");
        assert_eq!(standing.heard(away::<u8>(), at(2_000)), None);
        assert_eq!(standing.heard(away::<u8>(), at(11_000)), None);
        assert!(
            standing.is_briefly_away(at(11_999)) && !standing.is_briefly_away(at(12_000)),
            "from the first failure"
        );
        assert_eq!(standing.errors(), 2);
        standing.heard(Ok(()), at(20_000));
        assert!(standing.is_up() && standing.is_settling(at(24_999)) && !standing.is_settling(at(25_000)));
    }

    #[test]
    fn a_part_that_is_away_is_counted_and_takes_nothing_down() {
        let standing = Standing::new();
        standing.heard(Ok(()), at(0));
        assert_eq!(standing.heard(Err::<(), _>(StoreError::PartlyAway("a node".to_owned())), at(1)), None);
        standing.lacks(3, "a node");
        assert!(standing.is_up());
        assert_eq!(standing.errors(), 4);
    }
}
