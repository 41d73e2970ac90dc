//! Serialises the adoptions of one session, so that the ten requests of one page make one adoption.

use std::collections::HashSet;

use parking_lot::Mutex;
use session_domain::SessionId;

/// So many locks that two sessions rarely wait for each other.
const LOCKS: usize = 64;

/// A lock for each session, and the sessions whose adoption is in progress.
#[derive(Debug)]
pub(in super::super) struct AdoptionLocks {
    locks: [tokio::sync::Mutex<()>; LOCKS],
    in_progress: Mutex<HashSet<SessionId>>,
}

impl AdoptionLocks {
    pub(in super::super) fn new() -> Self {
        Self { locks: std::array::from_fn(|_| tokio::sync::Mutex::default()), in_progress: Mutex::default() }
    }

    /// The lock of a session. Other sessions share it.
    pub(in super::super) fn of(&self, id: SessionId) -> &tokio::sync::Mutex<()> {
        &self.locks[usize::from(id.as_uuid().as_bytes()[0]) % LOCKS]
    }

    /// Whether a request is adopting the session right now. What the store said of the session meanwhile may be older than its
    /// adoption.
    pub(in super::super) fn is_in_progress(&self, id: SessionId) -> bool {
        self.in_progress.lock().contains(&id)
    }

    /// Marks the session as being adopted until the guard is dropped.
    pub(super) fn begin(&self, id: SessionId) -> InProgress<'_> {
        self.in_progress.lock().insert(id);
        InProgress { locks: self, id }
    }
}

/// Marks a session as being adopted.
pub(super) struct InProgress<'a> {
    locks: &'a AdoptionLocks,
    id: SessionId,
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.locks.in_progress.lock().remove(&self.id);
    }
}
