//! Sessions whose cookie has not come back yet, oldest first. A client that keeps no cookie starts a session with every
//! request: when the pod is full, these sessions make room for newcomers.

use std::sync::{Arc, Weak};

use crossbeam_queue::SegQueue;

use super::live_session::LiveSession;

/// How many connected sessions one call passes over before it gives up.
const MAX_PASSED_OVER: usize = 64;

/// The queue. It may also hold sessions that were confirmed or have ended: those are dropped when they are met.
#[derive(Debug)]
pub(super) struct Unconfirmed<X>(SegQueue<Weak<LiveSession<X>>>);

impl<X> Unconfirmed<X> {
    pub(super) const fn new() -> Self {
        Self(SegQueue::new())
    }

    pub(super) fn push(&self, session: &Arc<LiveSession<X>>) {
        self.0.push(Arc::downgrade(session));
    }

    /// Drops confirmed and ended sessions, so that the queue never outgrows the sessions that exist.
    pub(super) fn prune(&self) {
        for _ in 0..self.0.len() {
            let Some(session) = self.0.pop() else { return };
            if session.upgrade().is_some_and(|session| session.is_unconfirmed()) {
                self.0.push(session);
            }
        }
    }

    /// Takes the oldest sessions that may be evicted, at most `limit`. Connected ones stay queued.
    pub(super) fn take_evictable(&self, limit: usize) -> Vec<Arc<LiveSession<X>>> {
        let mut taken = Vec::new();
        let mut passed_over = 0;
        while taken.len() < limit && passed_over < MAX_PASSED_OVER {
            let Some(entry) = self.0.pop() else { break };
            let Some(session) = entry.upgrade() else { continue };
            if session.may_be_evicted() {
                taken.push(session);
            } else if session.is_unconfirmed() {
                self.0.push(entry);
                passed_over += 1;
            }
        }
        taken
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
