//! How many sessions the pod holds and which ones it admits, in one atomic integer: no session can slip in after the
//! pod has begun to drain.
//!
//! The upper two bits hold the [`Admission`], the others count the sessions that were admitted and not yet released.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use thiserror::Error;

use crate::lifecycle::Admission;

/// Explains why a session was not admitted.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AdmissionError {
    /// The pod holds as many sessions as it may. Try again later: a session may end at any time.
    #[error("the pod holds as many sessions as it may")]
    Full,
    /// The pod is in maintenance or shuts down. Try another pod.
    #[error("the pod admits no sessions")]
    Closed,
}

const ADMISSION_SHIFT: u32 = 62;
const COUNT_MASK: u64 = (1 << ADMISSION_SHIFT) - 1;

/// The number of admitted sessions, its limit, and the admission that the lifecycle has set.
#[derive(Debug)]
pub(super) struct Capacity {
    state: AtomicU64,
    max: u64,
    /// Set from 95 % of the limit, taken back below 90 %, so that a pod at the limit does not come and go.
    is_nearly_full: AtomicBool,
}

impl Capacity {
    pub(super) const fn new(max: u64) -> Self {
        Self { state: AtomicU64::new(0), max, is_nearly_full: AtomicBool::new(false) }
    }

    /// Reserves a place for a session that needs at least the admission `required`.
    pub(super) fn reserve(&self, required: Admission) -> Result<(), AdmissionError> {
        let reserve = |state: u64| (admission(state) <= required && count(state) < self.max).then_some(state + 1);
        match self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, reserve) {
            Ok(state) => {
                if (count(state) + 1).saturating_mul(100) >= self.max.saturating_mul(95) {
                    self.is_nearly_full.store(true, Ordering::Relaxed);
                }
                Ok(())
            }
            Err(state) if admission(state) > required => Err(AdmissionError::Closed),
            Err(_) => Err(AdmissionError::Full),
        }
    }

    /// Releases one place.
    pub(super) fn release(&self) {
        let before = self.state.fetch_sub(1, Ordering::AcqRel);
        if self.is_nearly_full.load(Ordering::Relaxed) && self.is_below_nine_tenths(count(before) - 1) {
            self.is_nearly_full.store(false, Ordering::Relaxed);
        }
    }

    /// Whether newcomers should go to another pod: from 95 % of the limit until below 90 %.
    pub(super) fn is_nearly_full(&self) -> bool {
        self.is_nearly_full.load(Ordering::Relaxed) && !self.is_below_nine_tenths(self.reserved())
    }

    const fn is_below_nine_tenths(&self, count: u64) -> bool {
        count.saturating_mul(100) < self.max.saturating_mul(90)
    }

    pub(super) fn set(&self, admission: Admission) {
        self.change(|_| admission);
    }

    /// Sets the admission to `limit` unless it already admits fewer sessions.
    pub(super) fn restrict(&self, limit: Admission) {
        self.change(|current| current.max(limit));
    }

    /// Whether a session that needs at least the admission `required` is admitted while there is room.
    pub(super) fn admits(&self, required: Admission) -> bool {
        admission(self.state.load(Ordering::Acquire)) <= required
    }

    /// The number of places that are reserved.
    pub(super) fn reserved(&self) -> u64 {
        count(self.state.load(Ordering::Acquire))
    }

    fn change(&self, to: impl Fn(Admission) -> Admission) {
        // Never fails: the closure always returns a value.
        let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
            Some(count(state) | ((to(admission(state)) as u64) << ADMISSION_SHIFT))
        });
    }
}

const fn admission(state: u64) -> Admission {
    match state >> ADMISSION_SHIFT {
        0 => Admission::Open,
        1 => Admission::AdoptionsOnly,
        _ => Admission::Closed,
    }
}

const fn count(state: u64) -> u64 {
    state & COUNT_MASK
}
