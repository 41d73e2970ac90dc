//! Whether another session may be taken in: the bound and the lifecycle's word in one atomic, so that no session slips
//! in after the pod began to drain.

use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use crate::lifecycle::Admit;

/// Why a session was not taken in.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// The pod holds as many sessions as it may. Room may come any moment.
    #[error("the pod holds as many sessions as it may")]
    Full,
    /// The pod is in maintenance or will stop.
    #[error("the pod takes nobody in")]
    Closed,
}

/// Above the number of sessions stands whom the pod takes in.
const DOOR: u32 = 62;
const COUNT: u64 = (1 << DOOR) - 1;

#[derive(Debug)]
pub(super) struct Admission {
    /// Sessions admitted and not released, and the door.
    state: AtomicU64,
    max: u64,
}

impl Admission {
    pub(super) const fn new(max: u64) -> Self {
        Self { state: AtomicU64::new(0), max }
    }

    /// Takes in a session: one of those that only [`Admit::All`] lets in, or one of another pod ([`Admit::Adopted`]).
    pub(super) fn admit(&self, least: Admit) -> Result<(), Refused> {
        let admit = |state: u64| (door(state) <= least && count(state) < self.max).then_some(state + 1);
        match self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, admit) {
            Ok(_) => Ok(()),
            Err(state) if door(state) > least => Err(Refused::Closed),
            Err(_) => Err(Refused::Full),
        }
    }

    pub(super) fn release(&self) {
        self.state.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn set(&self, admit: Admit) {
        self.change(|_| admit);
    }

    /// Lets in no more than `most`, whatever was let in before.
    pub(super) fn restrict(&self, most: Admit) {
        self.change(|door| door.max(most));
    }

    fn change(&self, to: impl Fn(Admit) -> Admit) {
        // Never fails: the closure always gives a value.
        let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
            Some(count(state) | ((to(door(state)) as u64) << DOOR))
        });
    }

    pub(super) fn door(&self) -> Admit {
        door(self.state.load(Ordering::Acquire))
    }

    pub(super) fn admitted(&self) -> u64 {
        count(self.state.load(Ordering::Acquire))
    }
}

const fn door(state: u64) -> Admit {
    match state >> DOOR {
        0 => Admit::All,
        1 => Admit::Adopted,
        _ => Admit::Nobody,
    }
}

const fn count(state: u64) -> u64 {
    state & COUNT
}
