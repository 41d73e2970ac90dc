//! Whether another session may start: the bound and the lifecycle's word in one atomic, so that no session slips
//! in after the pod began to drain.

use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

/// Why a session was not started.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// The pod holds as many sessions as it may. Room may come any moment.
    #[error("the pod holds as many sessions as it may")]
    Full,
    /// The pod is in maintenance or will stop.
    #[error("the pod takes no newcomers")]
    Closed,
}

const CLOSED: u64 = 1 << 63;

#[derive(Debug)]
pub(super) struct Admission {
    /// Sessions admitted and not released; the highest bit says that the door is closed.
    state: AtomicU64,
    max: u64,
}

impl Admission {
    pub(super) const fn new(max: u64) -> Self {
        Self { state: AtomicU64::new(0), max }
    }

    pub(super) fn admit(&self) -> Result<(), Refused> {
        let admit = |state: u64| (state & CLOSED == 0 && state < self.max).then_some(state + 1);
        match self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, admit) {
            Ok(_) => Ok(()),
            Err(state) if state & CLOSED != 0 => Err(Refused::Closed),
            Err(_) => Err(Refused::Full),
        }
    }

    pub(super) fn release(&self) {
        self.state.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn close(&self) {
        self.state.fetch_or(CLOSED, Ordering::AcqRel);
    }

    pub(super) fn open(&self) {
        self.state.fetch_and(!CLOSED, Ordering::AcqRel);
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) & CLOSED == 0
    }

    pub(super) fn admitted(&self) -> u64 {
        self.state.load(Ordering::Acquire) & !CLOSED
    }
}
