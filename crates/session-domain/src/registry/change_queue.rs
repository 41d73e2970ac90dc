//! Changes that a consumer has not taken yet. A session is queued at most once, so the queue never holds more than the
//! live sessions and the removals since it was last emptied.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_queue::SegQueue;

use super::live_session::{ChangeConsumer, LiveSession};
use crate::ids::SessionId;
use crate::outcome::Outcome;

/// Describes a change of the pod's sessions.
#[derive(Debug)]
pub enum Change<X> {
    /// The session is new or has changed.
    Updated(Arc<LiveSession<X>>),
    /// No session has this id any more: it ended with this outcome, or got another id (`None`).
    Removed(SessionId, Option<Outcome>),
}

/// The changes that wait for one consumer.
#[derive(Debug)]
pub(super) struct ChangeQueue<X> {
    consumer: ChangeConsumer,
    /// Whether changes are collected at all.
    is_enabled: AtomicBool,
    queue: SegQueue<Change<X>>,
}

impl<X> ChangeQueue<X> {
    pub(super) const fn new(consumer: ChangeConsumer) -> Self {
        Self { consumer, is_enabled: AtomicBool::new(true), queue: SegQueue::new() }
    }

    /// Collects changes from now on, or none.
    pub(super) fn set_enabled(&self, is_enabled: bool) {
        self.is_enabled.store(is_enabled, Ordering::Release);
    }

    fn is_enabled(&self) -> bool {
        self.is_enabled.load(Ordering::Acquire)
    }

    pub(super) fn push_updated(&self, session: &Arc<LiveSession<X>>) {
        if self.is_enabled() && session.mark_queued(self.consumer) {
            self.queue.push(Change::Updated(Arc::clone(session)));
        }
    }

    pub(super) fn push_removed(&self, id: SessionId, outcome: Option<Outcome>) {
        if self.is_enabled() {
            self.queue.push(Change::Removed(id, outcome));
        }
    }

    /// Takes the changes that are queued now. Changes that arrive during the call stay for the next one.
    pub(super) fn take(&self) -> Vec<Change<X>> {
        let mut taken = Vec::with_capacity(self.queue.len());
        for _ in 0..self.queue.len() {
            let Some(change) = self.queue.pop() else { break };
            if let Change::Updated(session) = &change {
                session.clear_queued(self.consumer);
                if session.has_ended() {
                    continue;
                }
            }
            taken.push(change);
        }
        taken
    }
}
