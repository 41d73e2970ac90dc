//! Changes that the shared store does not have yet.

use super::change_queue::{Change, ChangeQueue};
use super::live_session::ChangeConsumer;
use crate::ids::SessionId;

/// Changes to be written, and the ids whose removal is not written yet.
pub(super) struct PendingWrites<X> {
    changes: ChangeQueue<X>,
    /// Ids that ended or were replaced here while the store may still have them. They must not be adopted from there.
    tombstones: papaya::HashMap<SessionId, ()>,
}

impl<X> PendingWrites<X> {
    pub(super) fn new() -> Self {
        Self { changes: ChangeQueue::new(ChangeConsumer::Store), tombstones: papaya::HashMap::new() }
    }

    pub(super) const fn changes(&self) -> &ChangeQueue<X> {
        &self.changes
    }

    pub(super) fn take(&self) -> Vec<Change<X>> {
        self.changes.take()
    }

    pub(super) fn add_tombstone(&self, id: SessionId) {
        self.tombstones.pin().insert(id, ());
    }

    pub(super) fn has_tombstone(&self, id: SessionId) -> bool {
        self.tombstones.pin().contains_key(&id)
    }

    pub(super) fn remove_tombstone(&self, id: SessionId) {
        self.tombstones.pin().remove(&id);
    }
}
