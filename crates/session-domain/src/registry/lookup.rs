//! Finding sessions by id, and walking over all of them.

use std::sync::Arc;

use super::Registry;
use super::live_session::LiveSession;
use crate::ids::SessionId;
use crate::outcome::Outcome;
use crate::time::Timestamp;

impl<X> Registry<X> {
    /// Finds the session with this id unless it has expired.
    ///
    /// Without a store, an expired session ends here. With a store it does not, since another pod may have adopted it:
    /// the caller must ask the store before it ends the session.
    pub fn find(&self, id: SessionId, now: Timestamp) -> Option<Arc<LiveSession<X>>> {
        let session = self.get(id)?;
        if !self.is_expired(&session, now) {
            return Some(session);
        }
        if self.pending_writes.is_none() {
            self.end(&session, Outcome::Expired);
        }
        None
    }

    /// The session with this id, expired or not.
    pub fn get(&self, id: SessionId) -> Option<Arc<LiveSession<X>>> {
        self.sessions.pin().get(&id).map(Arc::clone)
    }

    /// All sessions, in no order.
    pub fn all_sessions(&self) -> Vec<Arc<LiveSession<X>>> {
        self.select(|_| true)
    }

    /// Visits every session once, in no order.
    ///
    /// A session that starts, ends or changes its id during the walk may be missed. A caller that must not miss one
    /// walks again while [`Registry::active`] is not zero.
    pub fn walk(&self, mut visit: impl FnMut(&Arc<LiveSession<X>>)) {
        for (id, session) in &self.sessions.pin() {
            // During a rename the map holds the session under both ids.
            if session.id() == *id {
                visit(session);
            }
        }
    }

    /// The sessions that satisfy `predicate`.
    pub(super) fn select(&self, predicate: impl Fn(&LiveSession<X>) -> bool) -> Vec<Arc<LiveSession<X>>> {
        let mut selected = Vec::new();
        self.walk(|session| {
            if predicate(session) {
                selected.push(Arc::clone(session));
            }
        });
        selected
    }
}
