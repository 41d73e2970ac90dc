//! What a store that follows the registry does not know yet.

use std::sync::Arc;

use super::changes::{Change, Changes};
use super::{LiveSession, Registry};
use crate::ids::SessionId;

/// What the store has still to be told.
pub(super) struct Unwritten<X> {
    pub(super) changes: Changes<X>,
    /// Ids that mean nothing any more, until the store knows it: nobody finds such a session there and revives it.
    pub(super) departed: papaya::HashMap<SessionId, ()>,
}

impl<X> Registry<X> {
    /// What the store does not know yet, each session once. Empty on a pod that shares none.
    pub fn take_pending_writes(&self) -> Vec<Change<X>> {
        self.unwritten.as_ref().map(|unwritten| unwritten.changes.take()).unwrap_or_default()
    }

    /// The session is to be written, though nothing about it has changed.
    pub fn queue_write(&self, session: &Arc<LiveSession<X>>) {
        if let Some(unwritten) = &self.unwritten {
            unwritten.changes.updated(session);
        }
    }

    /// Whether a session of this id has ended or got another id here, and the store does not know it yet.
    pub fn has_tombstone(&self, id: SessionId) -> bool {
        self.unwritten.as_ref().is_some_and(|unwritten| unwritten.departed.pin().contains_key(&id))
    }

    /// The store knows that this id means nothing any more.
    pub fn remove_tombstone(&self, id: SessionId) {
        if let Some(unwritten) = &self.unwritten {
            unwritten.departed.pin().remove(&id);
        }
    }

    /// The id means nothing any more, and the store has still to be told: until then it is not looked for there.
    pub fn add_tombstone(&self, id: SessionId) {
        if let Some(unwritten) = &self.unwritten {
            unwritten.departed.pin().insert(id, ());
        }
    }
}
