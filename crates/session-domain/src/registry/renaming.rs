//! A login names the user and replaces the session's id.

use std::sync::Arc;
use std::time::Duration;

use super::Registry;
use super::live_session::LiveSession;
use crate::ids::{SessionId, UserName};
use crate::time::Timestamp;

impl<X> Registry<X> {
    /// Gives the session a user and a new id. Returns `false` if the session has ended.
    ///
    /// Streams, work in progress, counters and login time stay with the session. The old id finds nothing from now on and counts as
    /// [replaced](Registry::is_replaced) for [`REPLACED_TTL`](super::REPLACED_TTL). A rename counts neither a login nor an
    /// end.
    pub fn rename(&self, session: &Arc<LiveSession<X>>, new_id: SessionId, user: UserName, now: Timestamp) -> bool {
        let mut identity = session.lock();
        if identity.ended.is_some() {
            return false;
        }
        let sessions = self.sessions.pin();
        sessions.insert(new_id, Arc::clone(session));
        self.add_tombstone(identity.id);
        let old_id = std::mem::replace(&mut identity.id, new_id);
        identity.user = user;
        // The order matters: a request with the old id must find either the session or the replaced id.
        self.replaced.add(old_id, now);
        session.mark_lost();
        self.changes.push_removed(old_id, None);
        sessions.remove(&old_id);
        drop(identity);
        self.rename_own_work(session, new_id);
        self.queue_removal(old_id, None);
        self.queue_change(session);
        true
    }

    /// Whether a login has replaced this id within the last [`REPLACED_TTL`](super::REPLACED_TTL), as far as this pod
    /// knows.
    pub fn is_replaced(&self, id: SessionId, now: Timestamp) -> bool {
        self.remaining_replaced_ttl(id, now).is_some()
    }

    /// How long this id will still count as replaced; `None` if it does not.
    pub fn remaining_replaced_ttl(&self, id: SessionId, now: Timestamp) -> Option<Duration> {
        self.replaced.remaining(id, now)
    }

    /// Records that a login has replaced the id of a session that another pod owns.
    pub fn record_replaced(&self, id: SessionId, now: Timestamp) {
        self.replaced.add(id, now);
    }
}
