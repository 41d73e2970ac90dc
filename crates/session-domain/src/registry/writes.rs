//! What a shared store takes from the registry. All of it does nothing without a store.

use std::sync::Arc;

use super::Registry;
use super::change_queue::Change;
use super::live_session::LiveSession;
use crate::ids::SessionId;
use crate::outcome::Outcome;

impl<X> Registry<X> {
    /// Takes the changes to be written, each session at most once. Empty without a store.
    pub fn take_pending_writes(&self) -> Vec<Change<X>> {
        self.pending_writes.as_ref().map(|pending| pending.take()).unwrap_or_default()
    }

    /// Queues the session to be written, changed or not.
    pub fn queue_write(&self, session: &Arc<LiveSession<X>>) {
        if let Some(pending) = &self.pending_writes {
            pending.changes().push_updated(session);
        }
    }

    /// Queues the removal of an id that the registry has freed already: a writer that finds a session under the id takes
    /// it for one that was adopted again.
    pub(super) fn queue_removal(&self, id: SessionId, outcome: Option<Outcome>) {
        if let Some(pending) = &self.pending_writes {
            pending.changes().push_removed(id, outcome);
        }
    }

    /// Whether the session with this id has ended or was renamed here while the store may still have it. The session must
    /// not be adopted then.
    pub fn has_tombstone(&self, id: SessionId) -> bool {
        self.pending_writes.as_ref().is_some_and(|pending| pending.has_tombstone(id))
    }

    /// Records that the id is no longer valid although the store may still have it.
    pub fn add_tombstone(&self, id: SessionId) {
        if let Some(pending) = &self.pending_writes {
            pending.add_tombstone(id);
        }
    }

    /// Records that the store has removed the id.
    pub fn remove_tombstone(&self, id: SessionId) {
        if let Some(pending) = &self.pending_writes {
            pending.remove_tombstone(id);
        }
    }
}
