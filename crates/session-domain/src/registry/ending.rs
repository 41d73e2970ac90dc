//! How sessions end: by logout, by expiry, or because the pod releases them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::MutexGuard;

use super::Registry;
use super::live_session::{Identity, LiveSession};
use crate::lifecycle::Admission;
use crate::outcome::Outcome;
use crate::time::Timestamp;

impl<X> Registry<X> {
    /// Ends the session. Returns `false` if it had ended already: only the first end counts.
    pub fn end(&self, session: &Arc<LiveSession<X>>, outcome: Outcome) -> bool {
        self.end_locked(session, session.lock(), outcome)
    }

    /// Ends the session whose identity the caller has locked.
    pub(super) fn end_locked(
        &self,
        session: &Arc<LiveSession<X>>,
        mut identity: MutexGuard<'_, Identity>,
        outcome: Outcome,
    ) -> bool {
        if identity.ended.is_some() {
            return false;
        }
        identity.ended = Some(outcome);
        let id = identity.id;
        // A moved session lives on under the same id, so the store's entry stays valid.
        if outcome == Outcome::Moved {
            self.keep_moved_requests(session);
        } else {
            self.add_tombstone(id);
        }
        // Queued before the id is free: watchers see this removal before another adoption of the same session.
        self.changes.push_removed(id, Some(outcome));
        self.sessions.pin().remove(&id);
        self.ledger.count_end(outcome);
        self.capacity.release();
        drop(identity);
        self.end_tasks_of(session, outcome);
        self.queue_removal(id, Some(outcome));
        // First: a drain that waits for this end goes on, whatever the observer does.
        (self.population_changed)();
        if let Some(ended) = &self.session_ended {
            ended(session, outcome);
        }
        true
    }

    /// Ends the session because its user logs out. Returns the outcome, or `None` if the session had ended already.
    ///
    /// The logout of a notified session is graceful while the notice runs. A graceful logout with `automatic` is an
    /// [automatic logout](Outcome::AutoLogout), any other a plain [`Outcome::Logout`].
    pub fn log_out(&self, session: &Arc<LiveSession<X>>, automatic: bool) -> Option<Outcome> {
        let graceful = self.is_notified(session);
        let outcome = if graceful && automatic { Outcome::AutoLogout } else { Outcome::Logout };
        if !self.end(session, outcome) {
            return None;
        }
        if graceful {
            self.ledger.graceful.fetch_add(1, Ordering::Relaxed);
        }
        Some(outcome)
    }

    /// Ends these sessions with `outcome`. Returns those that had not ended before.
    pub fn end_all(&self, mut sessions: Vec<Arc<LiveSession<X>>>, outcome: Outcome) -> Vec<Arc<LiveSession<X>>> {
        sessions.retain(|session| self.end(session, outcome));
        sessions
    }

    /// The expired sessions, to be ended by [`Registry::end_all`]. Also forgets what needs no longer be remembered.
    pub fn expired(&self, now: Timestamp) -> Vec<Arc<LiveSession<X>>> {
        self.unconfirmed.prune();
        self.replaced.prune(now);
        let countdown = self.countdown_started_at();
        self.select(|session| session.is_expired(&self.limits, now, countdown))
    }

    /// Whether the session has been idle for longer than its time to live.
    pub fn is_expired(&self, session: &LiveSession<X>, now: Timestamp) -> bool {
        session.is_expired(&self.limits, now, self.countdown_started_at())
    }

    /// Whether the registry still holds sessions although it admits none.
    ///
    /// A session is counted a moment before [`Registry::walk`] can visit it. A caller that releases all sessions repeats
    /// the walk while this holds.
    pub fn has_unreleased_sessions(&self) -> bool {
        !self.capacity.admits(Admission::AdoptionsOnly) && self.active() > 0
    }
}
