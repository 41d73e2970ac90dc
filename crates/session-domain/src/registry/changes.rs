//! What has changed, for those who watch: a queue in which a session stands at most once, so that it never holds
//! more than the sessions that exist and those that went since it was last emptied.

use std::sync::Arc;

use crossbeam_queue::SegQueue;

use super::LiveSession;
use crate::ids::SessionId;

/// A change of the pod's sessions.
#[derive(Debug)]
pub enum Change<X> {
    /// The session is new, or something about it is.
    Updated(Arc<LiveSession<X>>),
    /// No session has this id any more.
    Removed(SessionId),
}

#[derive(Debug)]
pub(super) struct Changes<X>(SegQueue<Change<X>>);

impl<X> Default for Changes<X> {
    fn default() -> Self {
        Self(SegQueue::new())
    }
}

impl<X> Changes<X> {
    pub(super) fn updated(&self, session: &Arc<LiveSession<X>>) {
        if session.queue() {
            self.0.push(Change::Updated(Arc::clone(session)));
        }
    }

    pub(super) fn removed(&self, id: SessionId) {
        self.0.push(Change::Removed(id));
    }

    /// Takes what stands in the queue now; what comes meanwhile waits for the next time.
    pub(super) fn take(&self) -> Vec<Change<X>> {
        let mut taken = Vec::with_capacity(self.0.len());
        for _ in 0..self.0.len() {
            let Some(change) = self.0.pop() else { break };
            if let Change::Updated(session) = &change {
                session.unqueue();
                if session.has_ended() {
                    continue;
                }
            }
            taken.push(change);
        }
        taken
    }
}
