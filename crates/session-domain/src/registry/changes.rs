//! What has changed, for those who watch: a queue in which a session stands at most once, so that it never holds
//! more than the sessions that exist and those that went since it was last emptied.

use std::sync::Arc;

use crossbeam_queue::SegQueue;

use super::LiveSession;
use crate::ids::SessionId;
use crate::outcome::Outcome;

/// A change of the pod's sessions.
#[derive(Debug)]
pub enum Change<X> {
    /// The session is new, or something about it is.
    Updated(Arc<LiveSession<X>>),
    /// No session has this id any more: it ended with this outcome, or was given another id.
    Removed(SessionId, Option<Outcome>),
}

/// Who reads changes, each at its own pace.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reader {
    Watchers,
    Store,
}

/// The changes of one reader.
#[derive(Debug)]
pub(super) struct Changes<X> {
    reader: Reader,
    /// Whether they are read at all. Where they are not, none are kept.
    is_read: bool,
    queue: SegQueue<Change<X>>,
}

impl<X> Changes<X> {
    pub(super) const fn new(reader: Reader) -> Self {
        Self { reader, is_read: true, queue: SegQueue::new() }
    }

    /// Keeps no changes from now on.
    pub(super) const fn stop(&mut self) {
        self.is_read = false;
    }

    pub(super) fn updated(&self, session: &Arc<LiveSession<X>>) {
        if self.is_read && session.queue(self.reader) {
            self.queue.push(Change::Updated(Arc::clone(session)));
        }
    }

    pub(super) fn removed(&self, id: SessionId, outcome: Option<Outcome>) {
        if self.is_read {
            self.queue.push(Change::Removed(id, outcome));
        }
    }

    /// Takes what stands in the queue now; what comes meanwhile waits for the next time.
    pub(super) fn take(&self) -> Vec<Change<X>> {
        let mut taken = Vec::with_capacity(self.queue.len());
        for _ in 0..self.queue.len() {
            let Some(change) = self.queue.pop() else { break };
            if let Change::Updated(session) = &change {
                session.unqueue(self.reader);
                if session.has_ended() {
                    continue;
                }
            }
            taken.push(change);
        }
        taken
    }
}
